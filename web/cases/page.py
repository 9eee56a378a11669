"""The page of one case: who has it, until when and why; what the user can do now; what has happened."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, g, render_template, request, url_for

from engine.core.cases.available_acts import Choices, choices
from engine.core.cases.casework import CHECK_IN, FOR, LESSON
from engine.core.cases.definitions import Situation
from engine.core.cases.explain import Why, what_comes, why_of_deadline
from engine.core.cases.facts import Facts
from engine.core.cases.timeline import (
    Line,
    Names,
    TimelineEntry,
    around_label,
    choice_label,
    number,
    offered,
    tell,
    unit_label,
)
from engine.core.cases.timeline_filters import FILTERS, only
from engine.core.cases.turn import afterwards, turn
from engine.core.notices.texts import zalo_text
from engine.core.people.responsibility import acted
from engine.core.people.roles import REGISTER, Roles
from engine.core.words import Label, Sentence
from engine.core.workflow.model import Choice, Workflow
from engine.store.cases import case_page
from engine.store.cases.case_page import Beside, Contact, Who
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.cases.work_list import seats_of
from engine.store.people.access_log import Before, before_reading
from engine.store.session import Session
from engine.usecases.cases.nudges import likely_holder, may_nudge, urges
from engine.usecases.people.note_access import note_reading
from web.cases import correction_items as corrections
from web.cases.cards import shape
from web.cases.diagram import draw
from web.cases.difficulty_items import items
from web.cases.planned_dates import Date, dates
from web.site.languages import language
from web.site.request_context import copied, deployment, local, now, role_book, today, whole_arg

pages = Blueprint("case", __name__)

HELPLINE_FLAG = "safety"  # set by causes such as violence and early marriage


@dataclass(frozen=True)
class Seen:
    """A case for this person: where it is, who the pupil is if they may know, and what they can do."""

    facts: Facts
    roles: frozenset[str]
    workflow: Workflow
    who: Who | None
    can: Choices
    tree: Roles

    @property
    def known(self) -> bool:
        return self.tree.knows(self.roles)

    @property
    def labels(self) -> Mapping[str, Label]:
        """Returns what the roles are called where the case lies."""
        return role_book().called(district=self.tree.district)

    @property
    def helpline(self) -> bool:
        """Returns whether every page about this child must show the number to call (D4.2)."""
        return self.known and HELPLINE_FLAG in self.facts.flags

    @property
    def knows_why(self) -> bool:
        """Returns whether the reader may know the reasons of the deadline: an association only while it has the
        case.
        """
        return self.known or self.workflow.states[self.facts.state].owner in self.tree.referred


@dataclass(frozen=True)
class Reading(Seen):
    """A case for this reader, with everything that the page shows."""

    situation: Situation
    beside: Beside


# --- the page ---------------------------------------------------------------------------------------------------------


@pages.get("/cases/<code>")
def show(code: str) -> str:
    """Shows one case."""
    narrowed = request.args.get("show", "")
    with deployment().context.store.scoped(g.viewer.opening) as session:
        reading = _read(session, code, whole_arg("before"), narrowed)
        noted = before_reading(session, g.viewer.person_id, reading.facts.id, now())
    facts, workflow, beside = reading.facts, reading.workflow, reading.beside
    _note(reading, noted)
    state = workflow.states[facts.state]
    return render_template(
        "case.html",
        case=facts,
        who=reading.who,
        state=state,
        shape=shape(state, facts.waiting),
        can=reading.can,
        owner=_owner(reading),
        why=_why_of_deadline(reading),
        reason=_reason(reading),
        coming=what_comes(reading.situation, facts, now())[:3] if reading.known else (),
        flags=_flags(reading),
        causes=_causes(workflow, beside.causes),
        helpline=reading.helpline,
        beside=beside,
        given=_given(reading),
        totals=_totals(workflow, beside),
        timeline=_timeline(reading),
        older=beside.events[-1].seq if beside.older else None,
        key=uuid.uuid4().hex,
        urge=_urge(reading),
        later=whole_arg("before") is not None,
        planned=_planned(reading),
        filters=FILTERS,
        narrowed=narrowed if narrowed in FILTERS else None,
        companions=[
            (it, around_label(it.role, it.name), around_label(it.role, "")) for it in beside.companions if not it.off
        ],
        difficulties=items(beside.difficulties),
        way=draw(workflow, facts.state, _been(reading), language()),
        done=_done(reading) if "done" in request.args else None,
        roles=reading.labels,
        undo=corrections.can_undo(reading),
        doubts=corrections.doubts(reading),
        turn=turn(workflow, facts, reading.labels),
        afterwards=_afterwards(reading),
        zalo=zalo_text(
            code,
            url_for("case.show", code=code, _external=True),
            _standing(reading),
            _local_due(facts),
            then=_afterwards(reading),
        ),
    )


def see_case(code: str) -> Seen:
    """Returns the case and what this person can do with it. Raises `NotFound` or `NoAccess`."""
    with deployment().context.store.scoped(g.viewer.opening) as session:
        return _seen(session, code)


def read_case(code: str) -> Reading:
    """Returns the case with everything that the page shows. Raises `NotFound` or `NoAccess`."""
    with deployment().context.store.scoped(g.viewer.opening) as session:
        return _read(session, code)


def _read(session: Session, code: str, before: int | None = None, narrowed: str = "") -> Reading:
    """Reads the case; `before` and `narrowed` limit its history: events before one, events of one of FILTERS."""
    seen = _seen(session, code)
    part = only(seen.workflow, narrowed)
    beside = case_page.beside(session, seen.facts, today(), role_book(), known=seen.known, before=before, only=part)
    facts = seen.facts
    facts.causes, facts.holds, facts.fired = beside.causes, beside.holds, dict(beside.fired)
    situation = _situation(seen.facts, known=seen.known)
    return Reading(seen.facts, seen.roles, seen.workflow, seen.who, seen.can, seen.tree, situation, beside)


def _note(reading: Reading, before: Before) -> None:
    """Notes that this person read the case and its notices, unless that was noted a moment ago."""
    facts = reading.facts
    pupil_id = facts.pupil_id if reading.known else None
    store = deployment().context.store
    note_reading(store, g.viewer.person_id, facts.id, pupil_id, now(), before=before, copied=copied())


def _seen(session: Session, code: str) -> Seen:
    facts, roles = case_page.reached(session, g.viewer, code[:24])
    workflow = deployment().context.definitions.workflow(facts.workflow, facts.workflow_version)
    tree = role_book().tree(district=case_page.in_district(session, facts))
    held_here = bool(facts.accepted) and facts.is_open and facts.assignee_id in g.viewer.people
    can = choices(workflow, facts, roles, tree, offered_here=_offered_here(facts), held_here=held_here)
    who = case_page.who(session, facts.pupil_id) if tree.knows(roles) else None
    return Seen(facts, roles, workflow, who, can, tree)


def _situation(facts: Facts, *, known: bool) -> Situation:
    """The rules and the clock of the case. The reasons of holds and closures were written for those who may know."""
    context = deployment().context
    with context.store.reading("what lies around a case that its reader reaches") as session:
        world = SurroundingsReader(session, context.definitions, now())
        world.read_answers([facts])
        situation = world.situation(facts)
        surroundings = world.surroundings(facts)
    if known:
        return situation
    facts.holds = tuple((start, end, "") for start, end, _reason in facts.holds)
    nameless = tuple(replace(closure, reason="") for closure in surroundings.closures)
    return context.definitions.situation(facts, replace(surroundings, closures=nameless))


def _offered_here(facts: Facts) -> bool:
    return facts.waiting and (facts.offered_role, facts.offered_unit_id) in seats_of(g.viewer)


def _owner(reading: Reading) -> Line:
    """Returns who has the case, or for whom it waits."""
    facts, names = reading.facts, reading.beside
    if facts.waiting and facts.offered_role:
        return offered(reading.labels[facts.offered_role], names.units.get(facts.offered_unit_id or 0, ""))
    if facts.assignee_id:
        return acted(names.people.get(facts.assignee_id, ""), _in_whose_place(reading))
    return Sentence("Nobody has it: the case has ended.") if not facts.is_open else Sentence("Nobody has it yet.")


def _in_whose_place(reading: Reading) -> str | None:
    """Returns for whom the holder accepted the case, if as a stand-in."""
    facts = reading.facts
    taken = {facts.accepted_at or facts.since}
    found = (it.data.get(FOR) for it in reading.beside.newest if it.person_id == facts.assignee_id and it.at in taken)
    return next((reading.beside.people.get(person) for person in found if person), None)


def _reason(reading: Reading) -> TimelineEntry | None:
    """Returns the event that brought the case to its state: the last one that moved or offered it."""
    for event in reading.beside.newest:
        if reading.beside.corrected.get(event.seq):
            continue  # taken back since
        data = event.data
        moved = data.get("to") in reading.workflow.states and data.get("to") != data.get("from")
        if moved or "offered_to" in data:
            return _tell(reading, event)
    return None


def _urge(reading: Reading) -> str:
    """Returns how this person may remind whoever has the case: "urge" as a superior, else "ask"; "" if not at all."""
    facts, owner = reading.facts, reading.workflow.states[reading.facts.state].owner
    if not may_nudge(facts, reading.roles, g.viewer.person_id, reading.tree) or _offered_here(facts):
        return ""
    return "urge" if urges(reading.roles, likely_holder(facts.asked_role, owner), reading.tree) else "ask"


def _standing(reading: Reading) -> tuple[Line, ...]:
    """Returns the state and who has to do what: the same for every reader."""
    label = reading.workflow.states[reading.facts.state].label
    whose = turn(reading.workflow, reading.facts, reading.labels)
    return (label,) if whose is None else (label, whose)


def _afterwards(reading: Reading) -> Sentence | None:
    if not reading.facts.is_open:
        return None
    return afterwards(reading.situation, reading.facts, now(), reading.labels)


def _local_due(facts: Facts) -> Any:
    return local(facts.due_at) if facts.due_at else None


def _why_of_deadline(reading: Reading) -> Why | None:
    return why_of_deadline(reading.situation, reading.facts) if reading.facts.is_open and reading.knows_why else None


def _tell(reading: Reading, event: case_page.Happened) -> TimelineEntry:
    names = names_in(reading)
    return tell(deployment().context.definitions, reading.facts, reading.situation.surroundings, event, names)


def names_in(reading: Reading) -> Names:
    """Returns the names that the history of the case gives by number."""
    company = {it.seq: around_label(it.role, it.name) for it in reading.beside.companions}
    return Names(reading.beside.units, reading.beside.people, company)


def _planned(reading: Reading) -> list[Date]:
    """Returns the open dates, with the acts that mark them as done."""
    lesson = bool(reading.roles & reading.tree.able(REGISTER)) and reading.facts.is_open
    return dates(reading.beside.planned, {CHECK_IN: CHECK_IN in reading.can, LESSON: lesson})


def _timeline(reading: Reading) -> list[TimelineEntry]:
    return [corrections.with_corrections(reading, event, _tell(reading, event)) for event in reading.beside.events]


def _been(reading: Reading) -> set[str]:
    """Returns the earlier states of the case, as far as its newest events show."""
    found = {str(event.data.get(key)) for event in reading.beside.newest for key in ("from", "to")}
    return found & reading.workflow.states.keys()


def _flags(reading: Reading) -> list[Label]:
    """Returns the flags that the reader may see: flags follow from causes, which not everybody may know."""
    known = reading.workflow.flags
    return [known[name] for name in reading.facts.flags if name in known] if reading.known else []


def _causes(workflow: Workflow, codes: tuple[str, ...]) -> list[tuple[Label, Choice | None]]:
    field = workflow.fields.get("causes")
    return [(choice_label(field, code), field.choice(code)) for code in codes] if field else []


def _given(reading: Reading) -> list[tuple[Label, Label, case_page.Given]]:
    field = reading.workflow.fields["support_kind"]
    return [(choice_label(field, it.kind), unit_label(field, it.kind, it.unit), it) for it in reading.beside.support]


def _totals(workflow: Workflow, beside: Beside) -> list[tuple[Label, Label, Label]]:
    """Returns the amount of each kind of support given, and the value of all of it."""
    field = workflow.fields["support_kind"]
    return [
        (choice_label(field, kind), number(total), unit_label(field, kind, unit))
        for kind, total, unit in beside.totals()
    ]


def _done(reading: Reading) -> dict[str, Any] | None:
    """Returns what this person just did, what comes next and when, and whom to call; the page says below who has it
    now.
    """
    facts = reading.facts
    mine = next((event for event in reading.beside.newest if event.person_id == g.viewer.person_id), None)
    if mine is None:
        return None
    coming = what_comes(reading.situation, facts, now()) if facts.is_open else ()
    return {
        "told": _tell(reading, mine),
        "call": _call(reading),
        "next": next((it for it in coming if not it.perhaps), None),
    }


def _call(reading: Reading) -> Contact | None:
    """Returns who has to act now, if it is somebody else."""
    facts = reading.facts
    role = facts.asked_role
    own = g.viewer.of(role) if role else frozenset()
    found = next((contact for contact in reading.beside.contacts if contact.role == role), None)
    return found if found and not own else None
