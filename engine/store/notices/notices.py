"""Reads who wants which notices where, and turns new notices into deliveries.

`engine.core.notices.planning` decides; this module has the statements.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Table, case, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine.core.notices.planning import ChosenChannel, PlaceCount, Recipient, ToldWhen
from engine.core.people.roles import ADMIN, OFFICE
from engine.store import stand_ins
from engine.store import tables as t
from engine.store.cases.surroundings import chunks

_TABLES = t.Base.metadata.tables
notices, deliveries, items, cases, units, people = (
    _TABLES[name] for name in ("notices", "deliveries", "delivery_items", "cases", "units", "people")
)
events, subscriptions, appointments = (_TABLES[name] for name in ("events", "push_subscriptions", "appointments"))
PENDING = "pending"


def insert_new(session: Session, table: Table) -> Any:
    """Makes an INSERT, for either database, that skips a row whose key already exists."""
    dialect = sqlite if session.get_bind().dialect.name == "sqlite" else postgresql
    return dialect.insert(table).on_conflict_do_nothing()


# --- who reads --------------------------------------------------------------------------------------------------------


def read_readers(session: Session, ids: Iterable[int]) -> dict[int, Recipient]:
    """Returns people with what notices need to know of them."""
    found: dict[int, Recipient] = {}
    for chunk in chunks(ids):
        hours = {
            row.person_id: ToldWhen(row.quiet_from, row.quiet_to, row.digest_at)
            for row in session.scalars(select(t.NoticeHours).where(t.NoticeHours.person_id.in_(chunk)))
        }
        choices: dict[int, list[ChosenChannel]] = defaultdict(list)
        for row in session.scalars(select(t.ChannelChoice).where(t.ChannelChoice.person_id.in_(chunk))):
            choices[row.person_id].append(ChosenChannel(row.channel, row.enabled, row.digest, row.address or ""))
        counting = select(subscriptions.c.person_id, func.count()).where(subscriptions.c.person_id.in_(chunk))
        grouped = session.execute(counting.group_by(subscriptions.c.person_id))
        devices: dict[int, int] = dict(grouped.all())
        query = select(people.c.id, people.c.language, people.c.email, people.c.disabled_at).where(
            people.c.id.in_(chunk)
        )
        for person, language, email, disabled_at in session.execute(query):
            found[person] = Recipient(
                person,
                language,
                email or "",
                disabled_at is not None,
                hours.get(person, ToldWhen()),
                tuple(choices[person]),
                devices.get(person, 0),
            )
    return found


def put_choices(session: Session, person_id: int, hours: ToldWhen, choices: Iterable[ChosenChannel]) -> None:
    """Stores what a person chose, instead of earlier choices."""
    quiet = {"quiet_from": hours.quiet_from, "quiet_to": hours.quiet_to}
    session.merge(t.NoticeHours(person_id=person_id, digest_at=hours.digest_at, **quiet))
    for choice in choices:
        how = {"enabled": choice.enabled, "digest": choice.digest, "address": choice.address or None}
        session.merge(t.ChannelChoice(person_id=person_id, channel=choice.channel, **how))


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser that takes push messages: its address and its keys."""

    endpoint: str
    p256dh: str
    auth: str


def add_browser(session: Session, person_id: int, browser: Browser, device: str, now: dt.datetime) -> None:
    """Sends this person's push messages to a browser. A browser serves the person who agreed in it last."""
    drop_browser(session, browser.endpoint)
    row = {"person_id": person_id, "device": device[:200], "created_at": now}
    session.execute(insert(subscriptions).values({**row, **asdict(browser)}))


def drop_browser(session: Session, endpoint: str, person_id: int | None = None) -> None:
    """Sends nothing more to this browser; with `person_id`, only if it belongs to that person."""
    mine = [subscriptions.c.person_id == person_id] if person_id is not None else []
    session.execute(delete(subscriptions).where(subscriptions.c.endpoint == endpoint, *mine))


def browsers_of(session: Session, ids: Collection[int]) -> dict[int, list[Browser]]:
    """The browsers of some people."""
    found: dict[int, list[Browser]] = defaultdict(list)
    for chunk in chunks(ids):
        columns = (subscriptions.c.person_id, subscriptions.c.endpoint, subscriptions.c.p256dh, subscriptions.c.auth)
        query = select(*columns).where(subscriptions.c.person_id.in_(chunk)).order_by(subscriptions.c.id)
        for person, *browser in session.execute(query):
            found[person].append(Browser(*browser))
    return found


# --- new notices become deliveries ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewNotice:
    """A notice whose channels are not decided yet."""

    id: int
    person_id: int
    urgent: bool


@dataclass(frozen=True, slots=True)
class NewDelivery:
    """A message to send, and its notice (None: a test message, or a digest that only urges)."""

    key: str
    person_id: int
    channel: str
    kind: str
    at: dt.datetime
    urgent: bool = False
    day: dt.date | None = None
    notice_id: int | None = None


def take_new(session: Session, limit: int, *, lock: bool = True) -> list[NewNotice]:
    """Returns the oldest notices without a decision, locked until the transaction ends."""
    query = select(notices.c.id, notices.c.person_id, notices.c.urgent).where(t.NEW).order_by(notices.c.id).limit(limit)
    if lock:
        query = query.with_for_update(skip_locked=True)
    return [NewNotice(*row) for row in session.connection().execute(query)]


def mark_planned(session: Session, ids: Sequence[int], now: dt.datetime) -> None:
    """Notes that the channels of these notices are decided."""
    session.connection().execute(update(notices).where(notices.c.id.in_(ids)).values(planned_at=now))


def add_deliveries(session: Session, new: Sequence[NewDelivery], now: dt.datetime) -> list[NewDelivery]:
    """Stores deliveries and their notices. An existing key gets the notice too, if it was never tried.

    Returns the notices it could not add because their digest is on its way; they belong to the next digest.
    """
    if not new:
        return []
    connection = session.connection()
    rows = {
        it.key: {
            "key": it.key,
            "person_id": it.person_id,
            "channel": it.channel,
            "kind": it.kind,
            "day": it.day,
            "urgent": it.urgent,
            "state": PENDING,
            "attempts": 0,
            "made_at": now,
            "next_try_at": it.at,
        }
        # The same order everywhere, so that two workers do not wait for each other.
        for it in sorted(new, key=lambda it: it.key)
    }
    connection.execute(insert_new(session, deliveries), list(rows.values()))
    query = select(deliveries.c.key, deliveries.c.id).where(
        deliveries.c.key.in_(list(rows)), deliveries.c.state == PENDING, deliveries.c.attempts == 0
    )
    ids = dict(connection.execute(query.order_by(deliveries.c.key).with_for_update()).all())
    told = [{"delivery_id": ids[it.key], "notice_id": it.notice_id} for it in new if it.notice_id and it.key in ids]
    if told:
        connection.execute(insert_new(session, items), told)
    return [it for it in new if it.key not in ids]


# --- what leaders urge on (D2.3) --------------------------------------------------------------------------------------


def leaders(session: Session, today: dt.date, roles: Collection[str]) -> list[int]:
    """Returns the people who answer for many cases today: those in one of these roles, or whoever acts for them."""
    return _acting_in(session, roles, today)


def keepers(session: Session, today: dt.date) -> list[int]:
    """Returns the people who keep the heads of checkpoints today: administrators and offices."""
    return _acting_in(session, (ADMIN, OFFICE), today)


def _acting_in(session: Session, roles: Collection[str], today: dt.date) -> list[int]:
    query = (
        select(appointments.c.person_id)
        .join(people, people.c.id == appointments.c.person_id)
        .where(
            appointments.c.role.in_(sorted(roles)),
            appointments.c.valid_from <= today,
            appointments.c.valid_to > today,
            people.c.disabled_at.is_(None),
        )
        .distinct()
        .order_by(appointments.c.person_id)
    )
    return sorted(
        set().union(*acting_for(session, session.connection().execute(query).scalars().all(), today).values())
    )


def acting_for(session: Session, ids: Collection[int], today: dt.date) -> dict[int, tuple[int, ...]]:
    """Returns who acts today for each of these people: themselves, or who stands in; () for nobody."""
    found: dict[int, tuple[int, ...]] = {id: (id,) for id in ids}
    rows = session.connection().execute(stand_ins.ACTING, {"ids": list(found), "today": today}).all() if found else []
    found |= {person: () for person, _ in rows}
    for person, acts in rows:
        found[person] += (acts,) if acts is not None else ()
    return found


def to_urge(
    session: Session, communes: Collection[int], offices: Collection[int], now: dt.datetime
) -> list[PlaceCount]:
    """Returns open cases that are overdue or unaccepted: by school in a leader's communes, by commune for offices."""
    counts: dict[str, PlaceCount] = {}
    for area, place in ((communes, cases.c.school_id), (set(offices) - set(communes), cases.c.commune_id)):
        for name, overdue, waiting in _counted(session, area, place, now):
            before = counts.get(name, PlaceCount(name))
            counts[name] = PlaceCount(name, 0, before.overdue + overdue, before.waiting + waiting)
    return list(counts.values())


def _counted(session: Session, area: Collection[int], place: Any, now: dt.datetime) -> Iterable[Any]:
    overdue, waiting = cases.c.due_at <= now, cases.c.offered_at.is_not(None) & cases.c.accepted_at.is_(None)
    for chunk in chunks(area):
        query = (
            select(units.c.name, func.sum(case((overdue, 1), else_=0)), func.sum(case((waiting, 1), else_=0)))
            .join(units, units.c.id == place)
            .where(t.OPEN, cases.c.commune_id.in_(chunk), or_(overdue, waiting))
            .group_by(units.c.id, units.c.name)
        )
        yield from session.connection().execute(query)


def communes_in(session: Session, provinces: Collection[int]) -> set[int]:
    """Returns the communes of these provinces."""
    links = _TABLES["unit_links"]
    query = (
        select(units.c.id)
        .join(links, links.c.descendant_id == units.c.id)
        .where(links.c.ancestor_id.in_(provinces), units.c.kind == "commune")
    )
    return set(session.connection().execute(query).scalars()) if provinces else set()


# --- nudges -----------------------------------------------------------------------------------------------------------


def nudged_since(session: Session, case_id: int, person_id: int, since: dt.datetime, kinds: Collection[str]) -> bool:
    """Returns whether this person has urged this case on since then: an event of these kinds."""
    query = select(events.c.seq).where(
        events.c.case_id == case_id, events.c.kind.in_(kinds), events.c.person_id == person_id, events.c.at >= since
    )
    return session.connection().execute(query.limit(1)).one_or_none() is not None


# --- notices whose reader has no duty any more ------------------------------------------------------------------------


def pass_on(session: Session, notice_id: int, people: Collection[int], now: dt.datetime) -> int:
    """Gives a notice to these people as well, if they have none about the same event; returns how many got it."""
    columns = [notices.c[name] for name in ("case_id", "seq", "role", "kind", "urgent", "cases")]
    row = session.connection().execute(select(*columns).where(notices.c.id == notice_id)).mappings().one()
    new = [dict(row) | {"person_id": person, "at": now} for person in sorted(people)]
    adding = insert_new(session, notices).returning(notices.c.id)
    return sum(len(session.connection().execute(adding, it).all()) for it in new)
