"""What people do with cases, one function for each act: reads the form, decides, stores; all of it or nothing.

Every act (`engine.core.cases.act.Act`) is one transaction. If the case no longer has the version that the person was
looking at, somebody else or a rule was faster, and `Conflict` says who did what and when. An idempotency key that comes
again (two clicks, a bad line) does nothing more and gives the same answer; with other content it raises `SentBefore`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from engine.core.cases import dates
from engine.core.cases.act import Act
from engine.core.cases.act_vocabulary import act_label
from engine.core.cases.casework import CHECK_IN, LESSON, Actor, Casework
from engine.core.cases.facts import Facts
from engine.core.people.access import Viewer, acts_for, reach
from engine.core.people.responsibility import Found, acted
from engine.core.people.roles import HOLD, OPEN, REGISTER
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound
from engine.core.words import Label, Sentence
from engine.core.workflow import builtin_forms, form_values
from engine.core.workflow.answers import is_answer
from engine.core.workflow.builtin_forms import END_ANYWAY
from engine.core.workflow.model import ActFields, Transition, Workflow
from engine.store.cases import cases as stored
from engine.store.cases import writer
from engine.store.cases.companions import on_list
from engine.store.cases.surroundings import casework_of
from engine.store.people.staff import viewer_of
from engine.store.session import Session
from engine.store.support import needs
from engine.usecases import idempotency
from engine.usecases.cases.decided import go_on
from engine.usecases.context import Context

MOST_HELD = 90  # days, a term; so that nobody forgets a case by stopping its clock

Do = Callable[[Casework, Actor, dict[str, Any], Session], None]
Asks = Callable[[Workflow], ActFields | Transition]


def open_case(
    context: Context,
    viewer: Viewer,
    pupil_id: int,
    values: Mapping[str, object],
    now: dt.datetime,
    *,
    key: str | None = None,
) -> str:
    """Opens a case for a pupil and returns its code.

    Raises `NoAccess` (also for an unknown pupil), `NotAllowed`, `Invalid`, or `Conflict` if the pupil has an
    open case.
    """
    with context.store.writing("open a case") as session:
        return open_within(session, context, viewer, pupil_id, values, now, key=key)


def open_within(
    session: Session,
    context: Context,
    viewer: Viewer,
    pupil_id: int,
    values: Mapping[str, object],
    now: dt.datetime,
    *,
    key: str | None = None,
    data: Mapping[str, object] | None = None,
) -> str:
    """`open_case` as part of a larger transaction; `data` is stored with the first event, and holds nothing
    personal.
    """
    sent = idempotency.digest(key, "open", {**values, "pupil": pupil_id}) if key else ""
    if key and (code := replayed(session, key, viewer, sent)):
        return code
    place = stored.pupil_place(session, pupil_id)
    roles = reach(viewer, place) if place else frozenset()
    if place is None or not roles:
        raise NoAccess(_no_duty())  # the same for both, so that nobody learns which pupils exist
    openers = context.definitions.roles.able(OPEN)
    if not roles & openers:
        raise NotAllowed(_only_school())
    workflow = context.definitions.workflow(context.workflow)
    only_one(session, pupil_id, workflow.name)
    today = _today(context, now)
    filled = _filled(workflow, workflow.forms["open"], values, today)
    since, code = dt.date.fromisoformat(filled["absent_since"]), stored.next_codes(session, today.year)[0]
    facts = new_case(context, workflow, place, since, now, code)
    stored.insert_case(session, facts)
    work = casework_of(session, context.definitions, facts, now)
    _check_dates(work, session, workflow.forms["open"], values, filled, today)
    work.open(actor_on(viewer, work.facts).only(openers), filled)
    work.entries[0].data |= data or {}
    writer.store(session, [work], key)
    if key:
        idempotency.note(session, key, sent, now)
    return facts.code


def new_case(
    context: Context,
    workflow: Workflow,
    place: stored.PupilPlace,
    absent_since: dt.date,
    now: dt.datetime,
    code: str,
) -> Facts:
    """The facts of a case that nothing has happened to yet; `Casework.open` finds the seat whose turn it is."""
    first = workflow.states[workflow.initial]
    return Facts(
        id=0,
        code=code,
        pupil_id=place.id,
        workflow=workflow.name,
        workflow_version=workflow.version,
        rules_version=context.definitions.rules(workflow.name).version,
        state=workflow.initial,
        entry=0,
        last_entry=0,
        since=now,
        level=0,
        absent_since=absent_since,
        opened_at=now,
        closed_at=None,
        assignee_id=None,
        offered_role=None,
        offered_unit_id=None,
        offered_at=None,
        accepted_at=None,
        request=first.asks,
        asked_role=first.owner,
        asked_unit_id=place.school_id,
        asked_at=now,
        asked_from=now,
        put_off=0,
        stay=0,
        beside_until=None,
        due_at=None,
        next_look_at=None,
        flags=["disability"] if place.disability else [],
        unreached=0,
        grade=place.grade,
        class_id=place.class_id,
        school_id=place.school_id,
        village_id=place.village_id,
        commune_id=place.commune_id,
        province_id=place.province_id,
        association_id=None,
        version=0,
        last_hash="",
    )


def step(context: Context, act: Act, name: str) -> None:
    """Does a transition of the workflow, such as `contact` or `return_to_class`."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        if not work.facts.is_open:  # reopening
            only_one(session, work.facts.pupil_id, work.facts.workflow)
        _confirmed(work, session, name, act.values)
        work.step(name, actor, filled)
        needs.count(session, context.support, work.entries, filled)
        if meets(work.situation.workflow, name):
            _note_company(work, session, act.values)
            _tick_off_check_ins(work, session, at_least_one=False)

    on_case(context, act, name, do, asks=lambda workflow: _step(workflow, name))


def _confirmed(work: Casework, session: Session, name: str, values: Mapping[str, object]) -> None:
    """Raises `Invalid` for an end of the case that leaves lessons or check-ins undone, unless it is confirmed."""
    workflow = work.situation.workflow
    if not workflow.states[workflow.transitions[name].to].final or values.get(END_ANYWAY) in {True, "yes"}:
        return
    if left := stored.undone(session, work.facts.id):
        raise Invalid({END_ANYWAY: undone_words(left)})


def undone_words(left: Mapping[str, int]) -> Sentence:
    """Says what an end of the case would leave undone."""
    return Sentence(
        "Not done yet: catch-up lessons {lessons}, check-ins and next dates {check_ins}. Confirm that the case ends.",
        lessons=left.get(LESSON, 0),
        check_ins=left.get(CHECK_IN, 0),
    )


def accept(context: Context, act: Act) -> None:
    """Accepts a case that is on offer to one of the viewer's posts."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], _session: Session) -> None:
        work.accept(_in_seat(act.viewer, actor, work.facts), _seats(act.viewer), filled)

    on_case(context, act, "accept", do)


def decline(context: Context, act: Act) -> None:
    """Returns an offer, or an accepted case, with a reason; the next post above gets it."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        facts, declined = work.facts, stored.declined_seats(session, work.facts)
        has_it = facts.assignee_id in act.viewer.people
        actor = actor if has_it and not facts.waiting else _in_seat(act.viewer, actor, facts)
        work.decline(actor, _seats(act.viewer), declined, filled, has_it=has_it)

    on_case(context, act, "decline", do)


def after_decline(context: Context, session: Session, facts: Facts, now: dt.datetime) -> Found:
    """Returns the post to which a case goes if the one that has it on offer returns it now."""
    return casework_of(session, context.definitions, facts, now).next_after_decline(
        stored.declined_seats(session, facts)
    )


def assign(context: Context, act: Act, person_id: int) -> None:
    """Gives the case to a person who may have it."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        owner = work.situation.workflow.states[work.facts.state].owner or ""
        taker = viewer_of(session, person_id, _today(context, act.now), context.definitions.roles)
        roles = reach(taker, work.facts, work.facts.id)
        role = next((role for role in work.roles.ladder(owner) if role in roles), None)
        if role is None:
            raise Invalid({"person": Sentence("This person cannot have the case: no post of theirs answers for it.")})
        work.assign(actor, person_id, role, filled)

    given = replace(act, values={**act.values, "person": person_id})
    on_case(context, given, "assign", do)


def note(context: Context, act: Act) -> None:
    """Writes a note for everybody with a duty towards the pupil."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], _session: Session) -> None:
        if not work.facts.is_open and not work.roles.knows(actor.roles):
            raise NotAllowed(Sentence("This case has ended."))
        work.write("noted", actor, filled)

    on_case(context, act, "note", do)


def support_row(workflow: Workflow, filled: Mapping[str, Any]) -> dict[str, Any]:
    """Returns what was given, from the form; the quantity in the unit of the kind."""
    kind = workflow.fields["support_kind"].choice(filled["support_kind"])
    row = {name: filled.get(name) for name in ("quantity", "value", "giver", "programme", "received_by")}
    row |= {"kind": filled["support_kind"], "unit": kind.unit.vi if kind and kind.unit else ""}
    return row | {"given_on": dt.date.fromisoformat(filled["given_on"])}


def check_in(context: Context, act: Act) -> None:
    """Records how an absent pupil is doing (D1.6, D1.7, D4.2), and when to ask again."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        if not work.roles.tends(actor.roles):
            raise NotAllowed(Sentence("Your role does not record check-ins."))
        unsafe = {"flag": "safety"} if filled.get("safe") is False else {}
        # Before the clocks are settled, because a rule may wait for the flag.
        work.facts.flags = sorted({*work.facts.flags, *unsafe.values()})
        work.write("checked_in", actor.only(actor.roles - work.roles.referred), filled, data=unsafe)
        _tick_off_check_ins(work, session, at_least_one=True)

    on_case(context, act, "check_in", do)


def hold_lesson(context: Context, act: Act) -> None:
    """Marks the next planned catch-up lesson as done (D1.5). Raises `NotFound` if none is left."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        teachers = work.roles.able(REGISTER)
        if not actor.roles & teachers:
            raise NotAllowed(Sentence("Catch-up lessons are recorded by the homeroom teacher or the head."))
        work.write("lesson_held", actor.only(teachers), filled)
        if not stored.tick_off(session, work.facts.id, LESSON, work.next_seq - 1):
            raise NotFound(Sentence("No catch-up lesson is left to be held."))

    on_case(context, act, "lesson", do)


def hold(context: Context, act: Act) -> None:
    """Stops the clocks of a case until the end of a day, MOST_HELD days ahead at most; counts the deadline again."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], _session: Session) -> None:
        holders = work.roles.able(HOLD)
        if not actor.roles & holders:
            raise NotAllowed(Sentence("Only a head, a commune leader or an education office stops a clock."))
        last = dt.date.fromisoformat(filled["hold_until"])
        longest = work.situation.calendar.local(act.now).date() + dt.timedelta(days=MOST_HELD)
        if last > longest:
            raise Invalid(
                {
                    "hold_until": Sentence(
                        "A clock is stopped until {day} at the latest; after that it can be stopped anew.", day=longest
                    )
                }
            )
        until = work.situation.calendar.instant(last + dt.timedelta(days=1), 0)
        actor = actor.only(holders)
        work.hold(actor, until, filled["reason"], filled)
        work.facts.holds += ((act.now, until, filled["reason"]),)
        work.situation = context.definitions.situation(work.facts, work.situation.surroundings)
        work.recount("recounted", actor, {"because": "hold"})

    on_case(context, act, "hold", do)


# --- what they share --------------------------------------------------------------------------------------------------


def on_case(
    context: Context, act: Act, name: str, do: Do, *, asks: Asks | None = None, about: int | None = None
) -> None:
    """Lets a person act on a case: reads the form, decides, stores. Raises what the acts of this module raise.

    `name` is the act's, `asks` gives its form where it is none of the standing ones; `about` is the number of what on
    the case it is about.
    """
    with context.store.writing("act on a case") as session:
        sent = _sent(act, name, about)
        if act.key and replayed(session, act.key, act.viewer, sent):
            return
        work, actor = _case_for(context, session, act)
        workflow = work.situation.workflow
        form = builtin_forms.in_state((asks or standing_form(name))(workflow), work.facts.state)
        _allowed(work, actor, form)
        today = _today(context, act.now)
        filled = _filled(workflow, form, act.values, today)
        _check_dates(work, session, form, act.values, filled, today)
        do(work, actor, filled, session)
        go_on(context, session, work, name, act.now)
        writer.store(session, [work], act.key)
        if any(table == "corrections" for entry in work.entries for table, _row in entry.rows):
            needs.settle(session, work.facts.id)
        if act.key:
            idempotency.note(session, act.key, sent, act.now)


def _sent(act: Act, name: str, about: int | None) -> str:
    """The digest of what came with the key of a request; "" if it has none."""
    content = {"fields": act.values, "case": act.code.upper(), "about": about}
    return idempotency.digest(act.key, name, content) if act.key else ""


def _case_for(context: Context, session: Session, act: Act) -> tuple[Casework, Actor]:
    """The case that somebody acts on, kept from others, and who they are on it."""
    facts = stored.case_by_code(session, act.code)
    if facts is None:
        raise NotFound(Sentence("There is no case {code}.", code=act.code))
    actor = actor_on(act.viewer, facts)
    if not actor.roles:
        raise NoAccess(_no_duty())
    if act.version is not None and stored.went_on(session, facts, act.version):
        raise Conflict(_who_was_faster(context, session, facts))
    return casework_of(session, context.definitions, facts, act.now), actor


def actor_on(viewer: Viewer, facts: Facts) -> Actor:
    """Returns the viewer as the actor on a case: the roles, and for whom in roles that only a stand-in has."""

    def roles(one: Viewer) -> frozenset[str]:
        return reach(one, facts, facts.id)

    return Actor(viewer.person_id, roles(viewer), acts_for(viewer, roles, facts.assignee_id))


def in_seat(viewer: Viewer, actor: Actor, role: str | None, unit_id: int | None) -> Actor:
    """Returns the actor in a post: their own, or that of the person for whom they stand in."""

    def roles(one: Viewer) -> set[str]:
        return {role} if role and unit_id in one.of(role) else set()

    return replace(actor, acts_for=acts_for(viewer, roles))


def _in_seat(viewer: Viewer, actor: Actor, facts: Facts) -> Actor:
    """Returns the actor in the post to which the case is on offer."""
    return in_seat(viewer, actor, facts.offered_role, facts.offered_unit_id)


def only_one(session: Session, pupil_id: int, workflow: str) -> None:
    """Raises `Conflict` if the pupil has an open case."""
    if code := stored.open_case_of(session, pupil_id, workflow):
        raise Conflict(Sentence("This pupil has an open case already: {code}.", code=code))


def meets(workflow: Workflow, step: str) -> bool:
    """Returns whether the step is a contact or a visit: somebody speaks with the family."""
    found = workflow.transitions.get(step)
    return found is not None and is_answer(found)


def _note_company(work: Casework, session: Session, values: Mapping[str, object]) -> None:
    """Notes by number which companions took part (D1.2, D1.3): their names are stored in one place only."""
    given = values.get(builtin_forms.COMPANY) or ()
    known = range(1, work.facts.version + 1)
    texts = set(map(str, given if isinstance(given, list | tuple | set | frozenset) else (given,)))
    if found := on_list(session, work.facts.id, [seq for seq in known if str(seq) in texts]) if texts else None:
        work.entries[-1].data[builtin_forms.COMPANY] = sorted(found)


def _tick_off_check_ins(work: Casework, session: Session, *, at_least_one: bool) -> None:
    """Marks the check-ins planned up to today as done; a check-in may be early."""
    calendar = work.situation.calendar
    tomorrow = calendar.instant(calendar.local(work.now).date() + dt.timedelta(days=1), 0)
    seq = work.next_seq - 1
    if not stored.tick_off(session, work.facts.id, CHECK_IN, seq, until=tomorrow) and at_least_one:
        stored.tick_off(session, work.facts.id, CHECK_IN, seq)


def _allowed(work: Casework, actor: Actor, form: ActFields | Transition) -> None:
    """Checks that the act is possible before it reads the form, so that nobody corrects a form in vain."""
    if isinstance(form, Transition):
        work.check(form.name, actor)


def _filled(
    workflow: Workflow, form: ActFields | Transition, values: Mapping[str, object], today: dt.date
) -> dict[str, Any]:
    needs, may = (builtin_forms.asked(workflow, ActFields(form.name, names)) for names in (form.needs, form.may))
    return form_values.read_form(needs, may, values, today)


def _check_dates(
    work: Casework,
    session: Session,
    form: ActFields | Transition,
    values: Mapping[str, object],
    filled: Mapping[str, object],
    today: dt.date,
) -> None:
    """Refuses dates that cannot be, and asks once about unlikely ones."""
    facts, fields = work.facts, builtin_forms.asked(work.situation.workflow, form)
    if not any(filled.get(field.name) for field in fields if field.type == "date"):
        return
    days: dict[str, dt.date | None] = {dates.BIRTH: stored.born_on(session, facts.pupil_id)}
    if facts.version:  # not while it is being opened
        days[dates.ABSENCE] = facts.absent_since
    if facts.state == builtin_forms.IN_CLASS:
        days[dates.RETURN] = stored.returned_on(session, facts.id)
    known = dates.KnownDays(today, work.situation.steady, days)
    dates.check(fields, filled, known, confirmed=dates.is_confirmed(values))


def _step(workflow: Workflow, name: str) -> Transition:
    if name not in workflow.transitions:
        raise NotFound(Sentence("There is no step “{step}” in this workflow.", step=name))
    return workflow.transitions[name]


def standing_form(name: str) -> Asks:
    """The form of a workflow, or a built-in one, that asks what an act needs."""
    return lambda workflow: builtin_forms.form_named(workflow, name)


def replayed(session: Session, key: str, viewer: Viewer, sent: str) -> str | None:
    """Returns the case of an earlier request with this key; `sent` is the digest of the present content.

    Raises `Conflict` if somebody else did it, `SentBefore` if the earlier content was different.
    """
    done = stored.done_before(session, key)
    if done is not None and done[1] != viewer.person_id:
        raise Conflict(Sentence("This form was sent by somebody else already."))
    idempotency.check(session, key, sent)
    return done[0] if done else None


def _seats(viewer: Viewer) -> set[tuple[str, int]]:
    return {(role, unit) for role, units in viewer.units.items() for unit in units}


def _today(context: Context, now: dt.datetime) -> dt.date:
    return context.definitions.calendar("").local(now).date()


def _who_was_faster(context: Context, session: Session, facts: Facts) -> Sentence:
    kind, name, at, absent = stored.last_act(session, facts.id) or ("", None, facts.since, None)
    workflow = context.definitions.workflow(facts.workflow, facts.workflow_version)
    rule = context.definitions.rules(facts.workflow, facts.rules_version).rule(kind)
    local = context.definitions.calendar("").local(at)
    if name is None:
        return Sentence(
            "A rule was faster: “{what}”, {at}. Look at the case as it is now; what you typed is kept below.",
            what=rule.why if rule else Label(kind, kind),
            at=local,
        )
    return Sentence(
        "{who} was faster: “{what}”, {at}. Look at the case as it is now; what you typed is kept below.",
        who=acted(name, absent),
        what=act_label(workflow, kind),
        at=local,
    )


def _no_duty() -> Sentence:
    return Sentence("You have no access to this case: none of your posts has a duty towards this pupil.")


def _only_school() -> Sentence:
    return Sentence("A case is opened by the homeroom teacher or the head of the pupil's school.")
