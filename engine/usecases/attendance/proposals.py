"""Decides about the cases that the risk watch proposes: the teacher opens one, or says why not."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import Any

from engine.core.attendance.signals import RiskRules, Signal
from engine.core.calendar import Duration
from engine.core.cases.dates import CONFIRM
from engine.core.people.access import Viewer, reach
from engine.core.people.roles import CLASS, OPEN, SCHOOL
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound
from engine.core.words import Label, Sentence
from engine.store.attendance import proposals as kept
from engine.store.attendance.proposals import ProposalRow, Proposed
from engine.store.cases.cases import pupil_place
from engine.store.session import Session
from engine.usecases.cases import case_acts
from engine.usecases.context import Context

LONGEST = 300  # characters of a reason
MOST = 20  # proposals on a page
MEASURES = {
    "excused_in_a_row": Sentence("{value} sessions in a row"),
    "unexcused_in_a_row": Sentence("{value} sessions in a row"),
    "absent_days": Sentence("{value} of the last {within}"),
    "share": Sentence("{value}% of the sessions"),
    "year_sessions": Sentence("{value} this school year"),
    "same_weekday": Sentence("{value} times in {within} weeks"),
    "after_break": Sentence("{value} sessions"),
    "sibling_case": Sentence("{value} sessions in a row"),
    "earlier_case": Sentence("{value} sessions in a row"),
}
"""What the value of a signal of each kind counts; see `engine.core.attendance.signals.Signal`."""


def open_proposals(session: Session, viewer: Viewer, most: int = MOST) -> list[Proposed]:
    """Returns what waits for the viewer's decision, the oldest first: pupils of their classes and schools; none for
    others.
    """
    if not viewer.able(OPEN):
        return []
    return kept.waiting(session, viewer.seated(CLASS), viewer.seated(SCHOOL), most)


def reasons(rules: RiskRules, signals: Iterable[Sequence[Any]]) -> list[Label | Sentence]:
    """Returns the signals of a proposal in words, with the counts.

    A signal that the rules no longer have keeps its id.
    """
    return [_reason(rules.signal(id), id, value) for id, _threshold, value in signals]


def _reason(signal: Signal | None, id: str, value: int) -> Label | Sentence:
    if signal is None:
        return Label(id, id)
    within: Any = Duration(signal.within, "school days").label if signal.kind == "absent_days" else signal.within
    counted = Sentence(MEASURES[signal.kind].msgid, value=value, within=within)
    return Sentence("{why}: {counted}", why=signal.why, counted=counted)


def take_up(context: Context, viewer: Viewer, proposal_id: int, now: dt.datetime) -> str:
    """Opens the proposed case, with what was found; returns its code. The same person asking again gets the same code.

    Raises `NotFound`, `NoAccess`, `NotAllowed`, or `Conflict` if it was already decided or the pupil has a case.
    """
    with context.store.writing("take up a proposal") as session:
        row = _proposal(session, viewer, proposal_id)
        if row.case_id is not None and row.decided_by_id == viewer.person_id:
            return kept.code_of(session, row.case_id)
        _undecided(row)
        # The day comes from the register, so nobody is asked about it.
        values = {"absent_since": row.absent_since, "causes": ["unknown"], CONFIRM: True}
        found = {"signals": row.signals, "day": row.day.isoformat(), "proposal": proposal_id}
        code = case_acts.open_within(session, context, viewer, row.pupil_id, values, now, data=found)
        kept.take_up(session, row, viewer.person_id, code, now)
    return code


def dismiss(context: Context, viewer: Viewer, proposal_id: int, reason: str, now: dt.datetime) -> None:
    """Dismisses a proposal, for a reason: its alarms were not real. Raises what `take_up` raises, or `Invalid`."""
    reason = reason.strip()
    with context.store.writing("dismiss a proposal") as session:
        row = _proposal(session, viewer, proposal_id)
        if row.reason == reason and row.decided_by_id == viewer.person_id:
            return  # sent twice
        _undecided(row)
        if not reason or len(reason) > LONGEST:
            raise Invalid({"reason": Sentence("Say why in at most {most} characters.", most=LONGEST)})
        kept.dismiss(session, proposal_id, viewer.person_id, reason, now)


def proposal(context: Context, viewer: Viewer, proposal_id: int) -> Proposed:
    """Returns one proposal that waits for a decision. Raises what `take_up` raises."""
    with context.store.writing("look at a proposal") as session:
        _undecided(_proposal(session, viewer, proposal_id))
    with context.store.scoped(viewer) as session:
        found = kept.waiting(session, viewer.seated(CLASS), viewer.seated(SCHOOL), id=proposal_id)
    if not found:
        raise Conflict(Sentence("The pupil has an open case by now."))
    return found[0]


def _proposal(session: Session, viewer: Viewer, proposal_id: int) -> ProposalRow:
    row = kept.proposal(session, proposal_id)
    if row is None:
        raise NotFound(Sentence("There is no such proposal."))
    place = pupil_place(session, row.pupil_id)
    roles = reach(viewer, place) if place else frozenset()
    if not roles:
        raise NoAccess(Sentence("You have no access here: none of your posts answers for this unit or pupil."))
    if not roles & viewer.roles.able(OPEN):
        raise NotAllowed(Sentence("A case is opened by the homeroom teacher or the head of the pupil's school."))
    return row


def _undecided(row: ProposalRow) -> None:
    if row.decided_at is not None:
        raise Conflict(Sentence("This proposal was decided already."))
