"""Turns new notices into deliveries: plans each once, in one transaction with its deliveries."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from engine.core.notices import planning
from engine.core.notices.planning import HeadToKeep, PlaceCount, Recipient
from engine.core.people.access import COMMUNES, PROVINCES
from engine.core.people.roles import COMMUNE, RoleBook
from engine.store.notices import notices as stored
from engine.store.notices.notices import NewDelivery, NewNotice
from engine.store.ops.settings import get_setting, put_setting
from engine.store.people.staff import viewer_of
from engine.store.proof import checkpoints
from engine.store.session import Session
from engine.usecases.context import Context

BATCH = 500
NOTICE, DIGEST, TRIAL = "notice", "digest", "trial"
URGED = "digests_planned"  # name of the setting with the last day on which leaders' digests were planned


def plan_new(context: Context, now: dt.datetime) -> int:
    """Plans a batch of new notices; returns how many there were."""
    with context.store.reading("deliver") as session:
        if not stored.take_new(session, 1, lock=False):
            return 0
    with context.store.writing("plan notices") as session:
        new = stored.take_new(session, BATCH)
        readers = stored.read_readers(session, {notice.person_id for notice in new})
        wanted = [it for notice in new for it in _plan(context, readers[notice.person_id], notice, now)]
        while wanted := stored.add_deliveries(session, wanted, now):
            wanted = [_next_digest(context, readers[it.person_id], it) for it in wanted]
        stored.mark_planned(session, [notice.id for notice in new], now)
    return len(new)


def _plan(context: Context, reader: Recipient, notice: NewNotice, now: dt.datetime) -> Iterator[NewDelivery]:
    calendar = context.definitions.calendar("")
    for it in planning.plan(reader, context.outbox.channels, now, calendar, urgent=notice.urgent):
        if it.digest_of is None:
            key, kind = f"n{notice.id}:{it.channel}", NOTICE
        else:
            key, kind = _digest_key(reader, it.channel, it.digest_of), DIGEST
        yield NewDelivery(key, reader.person_id, it.channel, kind, it.at, notice.urgent, it.digest_of, notice.id)


def _digest_key(reader: Recipient, channel: str, day: dt.date) -> str:
    return f"d{reader.person_id}:{channel}:{day}"


def _next_digest(context: Context, reader: Recipient, it: NewDelivery) -> NewDelivery:
    """Puts the notice into the digest after this one, which is already on its way."""
    at, day = planning.next_digest(it.at, reader.hours, context.definitions.calendar(""))
    return replace(it, key=_digest_key(reader, it.channel, day), at=at, day=day)


def plan_urging(context: Context, now: dt.datetime) -> None:
    """Plans, once each working day, a digest for every leader whose area has something to urge on, with or without news
    (D2.3); once a week one for whoever keeps the head of the newest checkpoint.
    """
    calendar = context.definitions.calendar("")
    today = calendar.local(now).date()
    if calendar.why_no_work(today) is not None or not context.outbox.channels:
        return
    with context.store.reading("deliver") as session:
        if get_setting(session, URGED).get("day") == today.isoformat():
            return
    with context.store.writing("plan digests of leaders") as session:
        keep = head_to_keep(context, session, today)
        people = {*stored.leaders(session, today, context.definitions.roles.leaders), *keep}
        readers = stored.read_readers(session, people)
        new = [it for reader in readers.values() for it in _urging(context, session, reader, now, today, keep)]
        stored.add_deliveries(session, new, now)
        put_setting(session, URGED, {"day": today.isoformat()})


def _urging(
    context: Context,
    session: Session,
    reader: Recipient,
    now: dt.datetime,
    today: dt.date,
    keep: Mapping[int, HeadToKeep],
) -> Iterator[NewDelivery]:
    channels = [choice.channel for choice in reader.choices(context.outbox.channels) if choice.digest]
    at = planning.digest_on(today, reader.hours, context.definitions.calendar(""))
    if at is None or not channels:
        return
    roles = context.definitions.roles
    if reader.person_id not in keep and not to_urge(session, reader.person_id, now, today, roles):
        return
    for channel in channels:
        yield NewDelivery(
            _digest_key(reader, channel, today), reader.person_id, channel, DIGEST, max(at, now), day=today
        )


def to_urge(session: Session, person_id: int, now: dt.datetime, today: dt.date, roles: RoleBook) -> list[PlaceCount]:
    """Returns what a person may urge on today, by place; nothing for a person who is not a leader."""
    viewer = viewer_of(session, person_id, today, roles)
    offices = viewer.area(COMMUNES) | stored.communes_in(session, viewer.area(PROVINCES))
    return stored.to_urge(session, viewer.of(*(roles.leaders & {*roles.seated(COMMUNE)})), offices, now)


def head_to_keep(context: Context, session: Session, day: dt.date) -> dict[int, HeadToKeep]:
    """Returns the newest head of the checkpoints, by who keeps it; on the first working day of a week only."""
    calendar = context.definitions.calendar("")
    monday = day - dt.timedelta(days=day.weekday())
    if any(calendar.why_no_work(monday + dt.timedelta(days=ago)) is None for ago in range(day.weekday())):
        return {}
    found = checkpoints.newest(session.connection())
    if found is None:
        return {}
    kept = HeadToKeep(str(found[0]), calendar.local(found[1]))
    return dict.fromkeys(stored.keepers(session, day), kept)


def send_trial(context: Context, person_id: int, channels: Iterable[str], now: dt.datetime) -> list[str]:
    """Queues a test message to the person by these channels, at most one a minute each; returns those that
    reach them.
    """
    asked = set(channels)
    with context.store.writing("try channels") as session:
        reader = stored.read_readers(session, [person_id])[person_id]
        usable = [choice.channel for choice in reader.choices(context.outbox.channels) if choice.channel in asked]
        keys = {channel: f"t{person_id}:{channel}:{now:%Y%m%d%H%M}" for channel in usable}
        new = [NewDelivery(key, person_id, channel, TRIAL, now, urgent=True) for channel, key in keys.items()]
        stored.add_deliveries(session, new, now)
    return usable
