"""Days without class, entered early or late: who may announce and lift them, and the deadlines that are counted anew.

A pause of teaching in class holds a pupil, a class, a satellite site, a school or a whole area (D2.5). Days in it are
no school days, so the open cases it touches get new deadlines in the same transaction; what has fired stays fired.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from engine.access import OFFICE, Viewer
from engine.casework import SYSTEM, Actor, Casework
from engine.house import House
from engine.refusals import Invalid, NoAccess, NotAllowed, NotFound
from engine.store import closures as stored
from engine.store import ledger
from engine.store.closures import Scope
from engine.store.session import Session
from engine.store.world import World
from engine.words import Sentence

LONGEST = 200  # characters of a reason
DAY = dt.timedelta(days=1)


def announce_closure(
    house: House, viewer: Viewer | None, *, unit_id: int | None = None, pupil_id: int | None = None,
    first_day: dt.date, last_day: dt.date, reason: str, study_mode: str | None = None, now: dt.datetime,
) -> int:  # fmt: skip
    """Enter days without class, first and last included, for all in a unit or for one pupil; returns the closure's id.

    A head does so for the own school and what lies in it, a commune leader and an education office for their area, a
    homeroom teacher for a pupil of the own class. `viewer` None is the system itself. `study_mode` says how pupils
    learn meanwhile (D1.6).

    Raises `NotFound`, `NoAccess`, `NotAllowed` or `Invalid`.
    """
    with house.store.writing("announce a closure") as session:
        scope = _scope(session, unit_id, pupil_id)
        actor = _actor(session, viewer, scope)
        _check(first_day, last_day, reason.strip())
        days = (first_day, last_day)
        closure = stored.add_closure(session, scope, days, reason.strip(), study_mode, actor.person_id, now)
        _recount(house, session, scope, actor, _facts(closure, scope, days), now)
        return closure


def lift_closure(house: House, viewer: Viewer | None, closure_id: int, last_day: dt.date, now: dt.datetime) -> None:
    """Let a closure end earlier: `last_day` is the last day without class; a day before its first withdraws it whole.

    Raises `NotFound`, `NoAccess`, `NotAllowed`, or `Invalid` for a day after its end.
    """
    with house.store.writing("lift a closure") as session:
        closure = stored.closure_by_id(session, closure_id)
        if closure is None:
            raise NotFound(Sentence("There is no such closure."))
        scope = _scope(session, closure.unit_id, closure.pupil_id)
        actor = _actor(session, viewer, scope)
        if last_day > closure.last_day:
            raise Invalid({"last_day": Sentence("The closure ends on {last} already.", last=closure.last_day)})
        last_day = max(last_day, closure.first_day - DAY)
        stored.end_closure(session, closure.id, last_day, now)
        _recount(house, session, scope, actor, _facts(closure.id, scope, (closure.first_day, last_day)), now)


def _scope(session: Session, unit_id: int | None, pupil_id: int | None) -> Scope:
    scope = stored.scope_of(session, unit_id, pupil_id)
    if scope is None:
        raise NotFound(Sentence("There is no such unit or pupil."))
    return scope


def _actor(session: Session, viewer: Viewer | None, scope: Scope) -> Actor:
    """Who announces or lifts, in the role that allows it."""
    if viewer is None:
        return Actor(None, SYSTEM)
    roles = _allowed(viewer, scope)
    if roles:
        return Actor(viewer.person_id, frozenset(roles))
    held = {unit for found in viewer.units.values() for unit in found}
    if held & scope.line or stored.has_post_below(session, viewer, scope):
        raise NotAllowed(Sentence("Your role does not allow announcing days without class here."))
    raise NoAccess(Sentence("You have no access here: none of your posts answers for this unit or pupil."))


def _allowed(viewer: Viewer, scope: Scope) -> set[str]:
    roles = {role for role in ("head", "commune_leader") if viewer.of(role) & scope.line}
    if scope.line & (viewer.office_communes | viewer.office_provinces | viewer.office_schools):
        roles.add(OFFICE)
    if scope.class_id in viewer.of("teacher"):
        roles.add("teacher")
    return roles


def _check(first_day: dt.date, last_day: dt.date, reason: str) -> None:
    wrong = {}
    if last_day < first_day:
        wrong["last_day"] = Sentence("The last day is before the first one.")
    if not reason:
        wrong["reason"] = Sentence("Give a reason: families and offices read it.")
    elif len(reason) > LONGEST:
        too_long = {"length": len(reason), "most": LONGEST}
        wrong["reason"] = Sentence("The reason is {length} characters long; {most} is the most.", **too_long)
    if wrong:
        raise Invalid(wrong)


def _facts(closure_id: int, scope: Scope, days: tuple[dt.date, dt.date]) -> dict[str, Any]:
    """What the history of a case keeps of it; the reason may be personal and stays out of the chain."""
    first, last = (day.isoformat() for day in days)
    return {"because": "closure", "closure": closure_id, "scope": scope.kind, "first": first, "last": last}


def _recount(
    house: House, session: Session, scope: Scope, actor: Actor, data: dict[str, Any], now: dt.datetime
) -> None:
    world = World(session, house.handbook, now)
    for found in stored.touched(session, scope):
        world.fetch(found)
        works = [Casework(facts, world.situation(facts), world, now) for facts in found]
        for work in works:
            work.recount("recounted", actor, data)
        ledger.store(session, works)
