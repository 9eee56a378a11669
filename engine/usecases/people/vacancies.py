"""Handles posts that become vacant and are filled again: cases never stay with a person who left, or who only
stood in.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection

from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.cases.facts import Facts
from engine.core.people.account_events import By
from engine.core.people.responsibility import find
from engine.store.cases import batches, writer
from engine.store.cases.batches import Over
from engine.store.cases.cases import declined_seats
from engine.store.cases.surroundings import SurroundingsReader, cases, caseworks_of
from engine.store.ops.settings import get_setting, put_setting
from engine.store.session import Session
from engine.usecases.context import Context
from engine.usecases.people.accounts import end_all
from engine.usecases.people.powers import changing

SETTING = "rerouted"  # {"day": "2026-03-09"}: the last check whether posts are filled again


def reroute(context: Context, unit_ids: Collection[int] | None, now: dt.datetime) -> list[str]:
    """Offers cases to a post that is filled again, if they passed it over because it was vacant or its holder away.

    Only cases that nobody has accepted move; the time to accept begins again. `unit_ids`: where posts were filled;
    None: anywhere. Returns the cases' codes.
    """
    moved: list[str] = []
    with context.store.writing("reroute offers") as session:
        for found in batches.waiting_beyond(session, unit_ids):
            reader = SurroundingsReader(session, context.definitions, now)
            reader.fetch([facts for facts, _ in found])
            works = [work for facts, over in found if (work := _rerouted(session, reader, facts, over))]
            writer.store(session, works)
            moved += [work.facts.code for work in works]
    return moved


def reroute_daily(context: Context, now: dt.datetime, stop: Callable[[], bool]) -> list[str]:  # noqa: ARG001 - a job's
    """Does this once a day: appointments begin and absences end with the day, without an act of a person."""
    today = {"day": context.definitions.calendar("").local(now).date().isoformat()}
    with context.store.reading("whether to reroute") as session:
        if get_setting(session, SETTING) == today:
            return []
    moved = reroute(context, None, now)
    with context.store.writing("rerouted") as session:
        put_setting(session, SETTING, today)
    return moved


def _rerouted(session: Session, reader: SurroundingsReader, facts: Facts, over: Over) -> Casework | None:
    seat = find(over[0][0], facts, reader, declined_seats(session, facts))
    if (seat.role, seat.unit_id) == (facts.offered_role, facts.offered_unit_id):
        return None
    work = reader.casework(facts)
    work.reroute(seat, Actor(None, SYSTEM))
    return work


def leave(context: Context, person_id: int, now: dt.datetime, by: By = None) -> list[str]:
    """Handles a person who leaves without a successor: posts end today, each open case goes to whoever is responsible.

    `engine.usecases.people.accounts.hand_over` is for a named successor. `by`: the administrator. Returns the cases'
    codes. Raises `NotAllowed` for the last administrator.
    """
    today = context.definitions.calendar("").local(now).date()
    codes: list[str] = []
    with changing(context.store, "leave", by, now) as session:
        end_all(session, person_id, today, now, by)
        for found in batches.open_cases(session, cases.c.assignee_id == person_id):
            works = caseworks_of(session, context.definitions, found, now)
            for work in works:
                work.hand_on(Actor(None, SYSTEM), None)
            writer.store(session, works)
            codes += [facts.code for facts in found]
    return codes
