"""Notices, and the channels by which people get them."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import (
    ForeignKey,
    Index,
    Integer,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from engine.store.tables.base import Base


class Notice(Base):
    """A message to one person about an event of a case, or about an act on an account or a post (`act_id`; no case).

    It is written with the event, delivered later and shown once. It contains no name.
    """

    __tablename__ = "notices"
    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))
    seq: Mapped[int] = mapped_column(Integer)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    role: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(String(60))  # a rule's id, or offered, handed_over, …
    urgent: Mapped[bool] = mapped_column(default=False)
    at: Mapped[dt.datetime]
    read_at: Mapped[dt.datetime | None]
    planned_at: Mapped[dt.datetime | None]  # when its channels were decided
    cases: Mapped[int] = mapped_column(Integer, default=1, server_default="1")  # how many cases it is about
    closure_id: Mapped[int | None] = mapped_column(ForeignKey("closures.id"))  # that moved their deadlines
    act_id: Mapped[int | None] = mapped_column(ForeignKey("staff_acts.id"))
    withdrawn_at: Mapped[dt.datetime | None]  # what it told of was taken back before it reached anybody
    __table_args__ = (
        UniqueConstraint("case_id", "seq", "person_id"),
        Index("ix_notices_person_id", "person_id", "id"),
    )


NEW = text("planned_at IS NULL")

Index("ix_notices_new", Notice.id, sqlite_where=NEW, postgresql_where=NEW)


class NoticeHours(Base):
    """When a person wants no messages, and when the daily digest comes; minutes after midnight, local time."""

    __tablename__ = "notice_hours"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    quiet_from: Mapped[int] = mapped_column(Integer)
    quiet_to: Mapped[int] = mapped_column(Integer)
    digest_at: Mapped[int] = mapped_column(Integer)


class ChannelChoice(Base):
    """A channel by which a person wants to be told beside the app: at once, or once a day in a digest."""

    __tablename__ = "channel_choices"
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), primary_key=True)
    channel: Mapped[str] = mapped_column(String(24), primary_key=True)
    enabled: Mapped[bool]
    digest: Mapped[bool]
    address: Mapped[str | None] = mapped_column(String(200))


class PushSubscription(Base):
    """A browser in which a person agreed to push messages: where to send, and the browser's public key and secret."""

    __tablename__ = "push_subscriptions"
    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"), index=True)
    endpoint: Mapped[str] = mapped_column(String(1000), unique=True)
    p256dh: Mapped[str] = mapped_column(String(120))
    auth: Mapped[str] = mapped_column(String(40))
    device: Mapped[str | None] = mapped_column(String(200))
    created_at: Mapped[dt.datetime]


class Delivery(Base):
    """A message on its way to one person by one channel. `key` keeps it one message, however often it is tried.

    States: pending (not tried yet), failed (to be tried again), sent, dead (given up, for the operator), void (a digest
    with nothing left to say). A worker that tries it first moves `next_try_at` ahead. So nobody else tries it
    meanwhile, and a killed try is repeated later.
    """

    __tablename__ = "deliveries"
    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(80), unique=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    channel: Mapped[str] = mapped_column(String(24))
    kind: Mapped[str] = mapped_column(String(8))  # notice, digest, trial
    day: Mapped[dt.date | None]  # of a digest
    urgent: Mapped[bool]
    state: Mapped[str] = mapped_column(String(8))
    attempts: Mapped[int] = mapped_column(Integer)
    made_at: Mapped[dt.datetime]
    next_try_at: Mapped[dt.datetime]
    sent_at: Mapped[dt.datetime | None]
    last_error: Mapped[str | None] = mapped_column(String(300))
    __table_args__ = (
        Index("ix_deliveries_person_id", "person_id", "id"),
        Index("ix_deliveries_state", "state", "id"),
    )


UNSENT = text("state IN ('pending', 'failed')")

Index("ix_deliveries_unsent", Delivery.urgent, Delivery.next_try_at, sqlite_where=UNSENT, postgresql_where=UNSENT)


class DeliveryItem(Base):
    """A notice in a delivery: one, or all notices of a digest."""

    __tablename__ = "delivery_items"
    delivery_id: Mapped[int] = mapped_column(ForeignKey("deliveries.id"), primary_key=True)
    notice_id: Mapped[int] = mapped_column(ForeignKey("notices.id"), primary_key=True, index=True)
