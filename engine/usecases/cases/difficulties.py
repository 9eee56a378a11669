"""Raises and answers difficulties (khó khăn, vướng mắc), about which somebody else has to decide (D5.2).

A person with a duty on a case raises one. It goes to the next filled post above: the head, the commune leader, the
education office. That post decides, passes it on upward or returns it. If it does none of these in time, the worker
moves the difficulty up. A move is one transaction with its event and its notices. Each move has a number that the
database takes once: two workers, or a worker and a person, at the same time make one move.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from engine.core.calendar import Duration, clock_of
from engine.core.cases.act import Act
from engine.core.cases.casework import SYSTEM, Actor, Addressed, Casework, Entry
from engine.core.invariants import given
from engine.core.people.access import Viewer
from engine.core.people.responsibility import Found, above, acting
from engine.core.people.roles import ADMIN, AREA, Roles
from engine.core.refusals import NotAllowed, NotFound
from engine.core.words import Sentence
from engine.core.workflow.builtin_forms import PASSED_ON
from engine.core.workflow.model import ASSIGNEE
from engine.store.cases import difficulties as stored
from engine.store.cases import writer
from engine.store.cases.difficulties import DifficultyRow
from engine.store.cases.surroundings import cases, casework_of, read_facts
from engine.store.cases.work_list import seats_of
from engine.store.session import Session
from engine.usecases.cases.case_acts import in_seat, on_case
from engine.usecases.context import Context

# The directive says only "in time" (kịp thời, D5.2); the shipped rules give a commune this time for a visit.
ANSWER_WITHIN = Duration(3, "working days")
BATCH = 200
ASKED, ANSWERED, LATE = "difficulty_asked", "difficulty_answered", "difficulty_late"  # kinds of notices


def raise_difficulty(context: Context, act: Act) -> None:
    """Raises a difficulty on a case. Raises `NotAllowed` if the case has ended, or if nobody is above."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], _session: Session) -> None:
        if not work.facts.is_open:
            raise NotAllowed(Sentence("This case has ended."))
        role, found = _first(act.viewer, actor, work)
        due, seq = answer_by(work, work.now), work.next_seq
        row = {
            "kind": filled["difficulty_kind"],
            "raised_by_id": actor.person_id,
            "raised_at": act.now,
            "role": found.role,
            "unit_id": found.unit_id,
            "due_at": due,
        }
        entry = work.write(
            "difficulty_raised",
            actor.only({role}),
            filled,
            [("difficulties", row)],
            _asked_data(seq, found, due),
        )
        _tell(entry, ((person, found.role) for person in found.people), ASKED, but=actor.person_id)

    on_case(context, act, "difficulty", do)


def answer(context: Context, act: Act, seq: int) -> None:
    """Decide about the difficulty that the event `seq` raised, pass it on upward, or return it; each with words.

    Raises `NotFound`; `NotAllowed` if it does not wait for the viewer, or if nobody above can take it;
    `Conflict` if it was answered meanwhile.
    """

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        it = stored.find(session, work.facts.id, seq)
        if it is None:
            raise NotFound(Sentence("There is no such difficulty in this case."))
        if not may_answer(act.viewer, it):
            raise NotAllowed(_not_yours(it))
        actor = in_seat(act.viewer, Actor(actor.person_id, frozenset({it.role})), it.role, it.unit_id)
        if filled["difficulty_answer"] == PASSED_ON:
            _pass_on(work, session, it, actor, filled)
        else:
            _close(work, session, it, actor, filled)

    on_case(context, act, "difficulty_answer", do, about=seq)


def may_answer(viewer: Viewer, it: DifficultyRow) -> bool:
    """Returns whether a difficulty waits for one of the viewer's posts."""
    return it.answer is None and (it.role, it.unit_id) in seats_of(viewer)


# --- what climbs by itself --------------------------------------------------------------------------------------------


def climb_due(context: Context, now: dt.datetime, stop: Callable[[], bool] = lambda: False) -> int:
    """Moves every difficulty that was not answered in time to the next post above; returns how many."""
    climbed, after = 0, 0
    while not stop():
        with context.store.reading("difficulties that are due") as session:
            found = stored.due(session, now, after, BATCH)
        for after, case, seq in found:  # noqa: B007 - the last one is where the next batch begins
            climbed += _climb_one(context, case, seq, now)
        if len(found) < BATCH:
            break
    return climbed


def _climb_one(context: Context, case_id: int, seq: int, now: dt.datetime) -> bool:
    with context.store.writing("let a difficulty climb") as session:
        # Another transaction has the case now; the next round comes back.
        facts = next(iter(read_facts(session, cases.c.id == case_id, lock=True, skip_locked=True)), None)
        it = stored.find(session, case_id, seq) if facts else None
        if facts is None or it is None or it.answer or it.due_at is None or it.due_at > now:
            return False
        work = casework_of(session, context.definitions, facts, now)
        if not _climb(work, session, it):
            return False
        writer.store(session, [work])
        return True


def _climb(work: Casework, session: Session, it: DifficultyRow) -> bool:
    """Moves it to the next post. If nobody is above, it stays, and its people are told for the last time."""
    nobody = it.role == ADMIN
    found = above(None if nobody else it.role, it.unit_id, work.facts, work.directory)
    if found.role == ADMIN and nobody:  # no post is filled, so there is nobody to note it for
        stored.put_off(session, it, answer_by(work, work.now))
        return False
    actor, late = Actor(None, SYSTEM), {"late": it.due_at.isoformat() if it.due_at else None}
    if found.role == ADMIN:
        stays = {"difficulty": it.seq, "stays": it.role, "unit": it.unit_id, **late}
        entry = _moved(work, session, it, "difficulty_climbed", actor, {}, stays, due_at=None)
        found = Found(it.role, it.unit_id, acting(work.directory.holders(it.role, it.unit_id)))
    else:
        due = answer_by(work, work.now)
        entry = _moved(
            work,
            session,
            it,
            "difficulty_climbed",
            actor,
            {},
            _asked_data(it.seq, found, due) | late,
            role=found.role,
            unit_id=found.unit_id,
            due_at=due,
        )
    _tell(entry, ((person, found.role) for person in found.people), LATE)
    return True


# --- what they share --------------------------------------------------------------------------------------------------


def _first(viewer: Viewer, actor: Actor, work: Casework) -> tuple[str, Found]:
    """Returns the role in which a person raises a difficulty, and who decides about it."""
    role, facts = min(actor.roles, key=lambda code: _highest(work.roles, code)), work.facts
    mine = viewer.of(role)
    line = (*work.directory.above(facts.commune_id or 0), *work.directory.above(facts.school_id))
    offices = [unit for unit in line if unit in mine] if work.roles[role].seat == AREA else []
    found = above(role, offices[-1] if offices else None, facts, work.directory)
    if found.role == ADMIN and not {*work.roles.climbs(role)} - {role}:
        raise NotAllowed(Sentence("Nobody stands above you who could decide about it."))
    return role, found


def _highest(roles: Roles, code: str) -> tuple[bool, bool, int, str]:
    """Orders the roles in which somebody may raise a difficulty: who knows the pupil first, of these the highest."""
    role = roles.get(code)
    return role is None, code in roles.referred, len({*roles.climbs(code)} - {code}), code


def _pass_on(work: Casework, session: Session, it: DifficultyRow, actor: Actor, filled: Mapping[str, Any]) -> None:
    found = above(it.role, it.unit_id, work.facts, work.directory)
    if found.role == ADMIN:
        raise NotAllowed(Sentence("Nobody stands above this post: decide about it, or return it."))
    due = answer_by(work, work.now)
    entry = _moved(
        work,
        session,
        it,
        "difficulty_passed_on",
        actor,
        filled,
        _asked_data(it.seq, found, due),
        role=found.role,
        unit_id=found.unit_id,
        due_at=due,
    )
    _tell(entry, ((person, found.role) for person in found.people), ASKED, but=actor.person_id)


def _close(work: Casework, session: Session, it: DifficultyRow, actor: Actor, filled: Mapping[str, Any]) -> None:
    result = filled["difficulty_answer"]
    entry = _moved(
        work,
        session,
        it,
        f"difficulty_{result}",
        actor,
        filled,
        {"difficulty": it.seq},
        answer=result,
        answered_at=work.now,
    )
    raiser = stored.raised_as(session, it)
    people = [(it.raised_by_id, raiser or ASSIGNEE), (work.facts.assignee_id, ASSIGNEE)]
    _tell(entry, ((person, role) for person, role in people if person), ANSWERED, but=actor.person_id)


def _moved(
    work: Casework,
    session: Session,
    it: DifficultyRow,
    kind: str,
    actor: Actor,
    filled: Mapping[str, Any],
    data: Mapping[str, Any],
    **changed: Any,
) -> Entry:
    """Notes one move with its number, which the database takes once."""
    stored.move(session, it, **changed)
    row = {"raised_seq": it.seq, "number": it.moves + 1}
    return work.write(kind, actor, filled, [("difficulty_moves", row)], data)


def _asked_data(seq: int, found: Found, due: dt.datetime) -> dict[str, Any]:
    """Returns what an event stores about the post that is asked, and about posts passed over and why."""
    data: dict[str, Any] = {"difficulty": seq, "asked": found.role, "unit": found.unit_id, "answer_by": due.isoformat()}
    if found.passed_over:
        data["passed_over"] = [list(item) for item in found.passed_over]
    return data


def answer_by(work: Casework, asked_at: dt.datetime) -> dt.datetime:
    """Returns until when a post that was asked then has to answer.

    The office's working days count, without the holds of the case: a hold may be the difficulty itself.
    """
    found = clock_of(work.situation.calendar).deadline(asked_at, ANSWER_WITHIN)
    return given(found, "a clock without pauses always gets there")


def _tell(entry: Entry, people: Iterable[tuple[int, str]], kind: str, but: int | None = None) -> None:
    known = {it.person_id for it in entry.told}
    for person, role in people:
        if person != but and person not in known:
            known.add(person)
            entry.told.append(Addressed(person, role, kind))


def _not_yours(it: DifficultyRow) -> Sentence:
    if it.answer is not None:
        return Sentence("This difficulty was answered already.")
    return Sentence("This difficulty waits for somebody else to decide.")
