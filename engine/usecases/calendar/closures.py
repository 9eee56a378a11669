"""Announces, changes and lifts days without class, early or late, and counts the deadlines again.

A closure concerns a pupil, a class, a satellite site, a village, a school or a whole area (D2.5). Its days are not
school days, so the open cases that it touches get new deadlines in the same transaction; what has fired stays fired.
`preview` says before that how many cases it would touch. A person who has to act on moved cases gets one notice for all
of them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from typing import Any

from engine.core.calendar import Duration
from engine.core.calendar.announced import BECAUSE, HARVEST, NO_CLASS, OFFICE_SHUT, choices
from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.cases.definitions import Definitions
from engine.core.cases.study_modes import STUDY_MODES
from engine.core.people.access import Viewer, acts_for
from engine.core.people.roles import ADMINISTER, AREA, AREAS, CLASS, OF_A_SCHOOL, RoleBook
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound
from engine.core.rules.model import Rule
from engine.core.words import Sentence
from engine.store.calendar import closures as stored
from engine.store.calendar.closures import (
    Closed,
    ClosureNews,
    ClosureScope,
    Concerned,
    Plan,
    SupposedSurroundings,
    Touched,
)
from engine.store.cases import writer
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.session import Session
from engine.usecases import idempotency
from engine.usecases.context import Context

LONGEST = 200  # characters of a reason
MOST_DAYS = 366  # days of one closure; a longer one is a typing mistake
MOST_LOOKED_AT = 5_000  # cases that a preview counts
DAY = dt.timedelta(days=1)
SCHOOL_DAYS, WORKING_DAYS, WORKING_HOURS = "school days", "working days", "working hours"
ABSENCES = frozenset({"absences", "unexcused"})  # conditions that days without class change
ANNOUNCED, CHANGED, LIFTED = "announced", "changed", "lifted"


class _DoneBefore(Exception):
    """A request with the same key came a moment before; this one is undone."""


def announce_closure(
    context: Context,
    viewer: Viewer | None,
    *,
    unit_id: int | None = None,
    pupil_id: int | None = None,
    first_day: dt.date,
    last_day: dt.date,
    reason: str,
    study_mode: str | None = None,
    what: str = NO_CLASS,
    now: dt.datetime,
    key: str | None = None,
    batch: int = stored.BATCH,
) -> int:
    """Announces days without class, of a shut office or of a harvest (`what`), first and last included, for a unit or a
    pupil; returns the closure's id.

    A head announces for the own school and what belongs to it, a commune leader and an education office for their area,
    a homeroom teacher for the own class and a pupil in it, an administrator for any unit. Shut offices and harvests are
    announced by a commune leader, an education office or an administrator. `viewer` None is the system
    itself. `study_mode` says how pupils learn meanwhile (D1.6). `key` is the idempotency key of the request: sent
    again, it returns the same closure; with other content it raises `SentBefore`.

    Raises `NotFound`, `NoAccess`, `NotAllowed` or `Invalid`.
    """
    plan = Plan(first_day, last_day, " ".join(reason.split()), study_mode or None, what)
    sent = _sent(key, ANNOUNCED, unit=unit_id, pupil=pupil_id, plan=_parts(plan))
    try:
        with context.store.writing("announce a closure") as session:
            if key and (done := _done(session, key, viewer, sent)):
                return done
            scope = _scope(session, unit_id, pupil_id)
            actor = _actor(session, viewer, scope, plan.what)
            _check(plan, scope)
            closure = stored.add_closure(session, scope, plan, actor.person_id, now)
            _act(context, session, scope, actor, closure, ANNOUNCED, plan, now, key, batch)
            _note_sent(session, key, sent, now)
            return closure
    except _DoneBefore:
        return announce_closure(
            context,
            viewer,
            unit_id=unit_id,
            pupil_id=pupil_id,
            first_day=first_day,
            last_day=last_day,
            reason=reason,
            study_mode=study_mode,
            what=what,
            now=now,
            key=key,
            batch=batch,
        )


def change_closure(
    context: Context, viewer: Viewer | None, closure_id: int, plan: Plan, now: dt.datetime, *, key: str | None = None
) -> None:
    """Changes the days, the reason or the way of learning of a closure. Equal values change nothing.

    Raises `NotFound`, `NoAccess`, `NotAllowed` or `Invalid`.
    """
    _rewrite(context, viewer, closure_id, CHANGED, lambda _closed: plan, now, key, _parts(plan))


def lift_closure(
    context: Context,
    viewer: Viewer | None,
    closure_id: int,
    last_day: dt.date,
    now: dt.datetime,
    *,
    key: str | None = None,
) -> None:
    """Ends a closure earlier: `last_day` is its last day; a day before its first day withdraws the whole closure.

    Raises `NotFound`, `NoAccess`, `NotAllowed`, or `Invalid` for a day after its end.
    """
    _rewrite(context, viewer, closure_id, LIFTED, lambda closed: ended(closed.plan, last_day), now, key, [last_day])


def preview(
    context: Context,
    viewer: Viewer,
    plan: Plan,
    now: dt.datetime,
    *,
    unit_id: int | None = None,
    pupil_id: int | None = None,
    closure_id: int | None = None,
    most: int = MOST_LOOKED_AT,
    batch: int = stored.BATCH,
) -> Touched:
    """Returns how many open cases a closure would touch, and of how many the deadline would move; stores nothing.

    `closure_id` is the stored closure in whose place it would be. Of more than `most` cases only so many are
    looked at. Raises what announcing or changing it would raise.
    """
    with context.store.reading("what a closure would move") as session:
        if closure_id is not None:
            closed = _closed(session, closure_id, lock=False)
            unit_id, pupil_id = closed.unit_id, closed.pupil_id
        scope = _scope(session, unit_id, pupil_id)
        actor = _actor(session, viewer, scope, plan.what)
        if closure_id is None or plan.last_day >= plan.first_day:  # a withdrawn closure has no days
            _check(plan, scope)
        reader = SupposedSurroundings(session, context.definitions, now)
        reader.suppose(scope, plan, closure_id)
        counted = Touched()
        for number, works in _works(reader, scope, plan.what, lock=False, batch=batch):
            counted = _add(counted, number, works, actor, {})
            if counted.touched >= most:
                return replace(counted, all=False)
        return counted


def ended(plan: Plan, last_day: dt.date) -> Plan:
    """Returns the plan with an earlier end; the day before its first if withdrawn. Raises `Invalid`."""
    if last_day > plan.last_day:
        raise Invalid({"last_day": Sentence("The closure ends on {last} already.", last=plan.last_day)})
    return replace(plan, last_day=max(last_day, plan.first_day - DAY))


def may_announce(viewer: Viewer, scope: ClosureScope, what: str = NO_CLASS) -> bool:
    """Returns whether the viewer may announce, change and lift such days of this scope."""
    return bool(_allowed(viewer, scope, what))


def announceable(viewer: Viewer, scope: ClosureScope) -> tuple[str, ...]:
    """Returns what the viewer may announce for this scope (`engine.core.calendar.announced`)."""
    return tuple(what for what in choices(scope.kind) if _allowed(viewer, scope, what))


# --- what they share --------------------------------------------------------------------------------------------------


def _rewrite(
    context: Context,
    viewer: Viewer | None,
    closure_id: int,
    kind: str,
    plan: Any,
    now: dt.datetime,
    key: str | None,
    content: list[Any],
) -> None:
    sent = _sent(key, kind, closure=closure_id, plan=content)
    try:
        with context.store.writing(f"{kind}: a closure") as session:
            if key and _done(session, key, viewer, sent):
                return
            closed = _closed(session, closure_id)
            scope = _scope(session, closed.unit_id, closed.pupil_id)
            actor = _actor(session, viewer, scope, closed.plan.what)
            new: Plan = replace(plan(closed), what=closed.plan.what)
            if kind == CHANGED:
                _check(new, scope)
            if new != closed.plan:
                stored.set_closure(session, closure_id, new, now if kind == LIFTED else None)
                _act(context, session, scope, actor, closure_id, kind, new, now, key)
                _note_sent(session, key, sent, now)
    except _DoneBefore:
        return


def _parts(plan: Plan) -> list[Any]:
    parts: list[Any] = [plan.first_day, plan.last_day, plan.reason, plan.study_mode]
    return parts if plan.what == NO_CLASS else [*parts, plan.what]


def _sent(key: str | None, kind: str, **content: Any) -> str:
    return idempotency.digest(key, f"closure {kind}", content) if key else ""


def _note_sent(session: Session, key: str | None, sent: str, now: dt.datetime) -> None:
    if key:
        idempotency.note(session, key, sent, now)


def _done(session: Session, key: str, viewer: Viewer | None, sent: str) -> int | None:
    """Returns the closure of an earlier request with this key, if it was already done. Raises `SentBefore`."""
    done = stored.done_with(session, key)
    if done is not None and done[1] != (viewer.person_id if viewer else None):
        raise Conflict(Sentence("This form was sent by somebody else already."))
    idempotency.check(session, key, sent)
    return done[0] if done else None


def _closed(session: Session, closure_id: int, *, lock: bool = True) -> Closed:
    closed = stored.closure_by_id(session, closure_id, lock=lock)
    if closed is None:
        raise NotFound(Sentence("There is no such closure."))
    return closed


def _scope(session: Session, unit_id: int | None, pupil_id: int | None) -> ClosureScope:
    scope = stored.scope_of(session, unit_id, pupil_id)
    if scope is None:
        raise NotFound(Sentence("There is no such unit or pupil."))
    return scope


def _actor(session: Session, viewer: Viewer | None, scope: ClosureScope, what: str) -> Actor:
    """Returns the person who announces or lifts, in the role that allows it."""
    if viewer is None:
        return Actor(None, SYSTEM)
    roles = _allowed(viewer, scope, what)
    if roles:
        return Actor(viewer.person_id, frozenset(roles), acts_for(viewer, lambda one: _allowed(one, scope, what)))
    held = {unit for found in viewer.units.values() for unit in found}
    if held & scope.line or stored.has_post_below(session, viewer, scope):
        raise NotAllowed(Sentence("Your role does not allow announcing days without class here."))
    raise NoAccess(Sentence("You have no access here: none of your posts answers for this unit or pupil."))


def _allowed(viewer: Viewer, scope: ClosureScope, what: str) -> set[str]:
    roles = viewer.roles.announcers if what == NO_CLASS else _of_places(viewer.roles)
    return {role for role in roles if _answers(viewer, role, scope)}


def _of_places(roles: RoleBook) -> frozenset[str]:
    """The roles that say when an office is shut, and when a harvest is: not those of a class or a school."""
    return roles.announcers - {*roles.seated(*OF_A_SCHOOL)}


def _answers(viewer: Viewer, code: str, scope: ClosureScope) -> bool:
    """Returns whether a post of this role answers for all that the closure is for."""
    role, held = viewer.roles[code], viewer.of(code)
    if role.seat == AREA:
        return any(scope.line & viewer.areas.get(code, {}).get(name, frozenset()) for name in AREAS)
    if role.seat == CLASS:
        return bool(held & {scope.class_id, scope.unit_id})
    if ADMINISTER in role.can and scope.pupil_id is not None:  # an administrator knows no pupils
        return False
    return bool(held & scope.line)


def _check(plan: Plan, scope: ClosureScope) -> None:
    wrong = {}
    if plan.what not in choices(scope.kind):
        wrong["what"] = Sentence("This cannot be announced for such a place: choose from the list.")
    if plan.last_day < plan.first_day:
        wrong["last_day"] = Sentence("The last day is before the first one.")
    elif (plan.last_day - plan.first_day).days >= MOST_DAYS:
        wrong["last_day"] = Sentence("A closure of more than {days} days is too long: mend the days.", days=MOST_DAYS)
    if not plan.reason:
        wrong["reason"] = Sentence("Give a reason: families and offices read it.")
    elif len(plan.reason) > LONGEST:
        too_long = {"length": len(plan.reason), "most": LONGEST}
        wrong["reason"] = Sentence("The reason is {length} characters long; {most} is the most.", **too_long)
    if plan.study_mode and plan.study_mode not in STUDY_MODES:
        wrong["study_mode"] = Sentence("Choose how pupils learn meanwhile from the list.")
    if wrong:
        raise Invalid(wrong)


def _act(
    context: Context,
    session: Session,
    scope: ClosureScope,
    actor: Actor,
    closure: int,
    kind: str,
    plan: Plan,
    now: dt.datetime,
    key: str | None,
    batch: int = stored.BATCH,
) -> None:
    """Notes the act and counts the deadlines of the cases it touches again."""
    act = stored.add_act(session, closure, kind, plan, actor.person_id, now, key)
    if act is None:
        raise _DoneBefore
    first, last = plan.first_day.isoformat(), plan.last_day.isoformat()
    # What the history of a case stores of it. The reason may be personal, so it stays out of the chain.
    because = BECAUSE[plan.what]
    data = {"because": because, "closure": closure, "scope": scope.kind, "first": first, "last": last}
    counted, told = Touched(), dict[int, ClosureNews]()
    world = SurroundingsReader(session, context.definitions, now)
    for number, works in _works(world, scope, plan.what, lock=True, batch=batch):
        counted = _add(counted, number, works, actor, data)
        writer.store(session, works)
        _gather(told, works, scope, actor)
    stored.count_act(session, act, counted)
    stored.tell(session, closure, f"{because}_{kind}", told, now)


def _gather(told: dict[int, ClosureNews], works: Iterable[Casework], scope: ClosureScope, actor: Actor) -> None:
    """Collects the people whose cases have moved deadlines, each once, without the person who moved them.

    The page of a pupil's closure names the pupil, so people who must not know are left out.
    """
    for work in works:
        facts = work.facts
        nameless = work.situation.workflow.states[facts.state].owner in work.roles.referred
        if not work.entries or (nameless and scope.pupil_id is not None):
            continue
        for person, role in work.asked():
            if person != actor.person_id:
                news = told.get(person) or ClosureNews(facts.id, facts.version, role, 0)
                told[person] = news._replace(cases=news.cases + 1)


def _works(
    world: SurroundingsReader, scope: ClosureScope, what: str, *, lock: bool, batch: int = stored.BATCH
) -> Iterable[tuple[int, list[Casework]]]:
    concerned = _concerned(world.definitions, what)
    for number, found in stored.touched(world.session, scope, what, concerned, lock=lock, batch=batch):
        yield number, world.caseworks(found)


def _concerned(definitions: Definitions, what: str) -> Concerned:
    """Returns whether such days can move a deadline of a case: whether the rules of its state count with them."""

    @cache
    def concerned(workflow: str, version: int, state: str, accepted: bool | None) -> bool:
        rules = definitions.rules(workflow, version)
        waits = accepted is False  # then nothing else can be asked
        watching = rules.watching(state, accepted) if waits else rules.ever_watching(state)
        return any(_counts(rule, what) for rule in watching if rule.when.accepted in (None, accepted))

    return concerned


def _counts(rule: Rule, what: str) -> bool:
    if what == HARVEST:
        return True
    when = rule.when
    times = (when.for_, when.before_deadline, when.after_deadline, rule.repeat.every if rule.repeat else None)
    units = {time.unit if isinstance(time, Duration) else WORKING_HOURS for time in times if time}
    if what == OFFICE_SHUT:
        return bool(units & {WORKING_DAYS, WORKING_HOURS})
    return SCHOOL_DAYS in units or any(condition.name in ABSENCES for condition in when.conditions)


def _add(counted: Touched, number: int, works: list[Casework], actor: Actor, data: dict[str, Any]) -> Touched:
    moved = sum(work.recount("recounted", actor, data) for work in works)
    return Touched(counted.touched + number, counted.moved + moved)
