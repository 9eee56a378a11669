"""Puts right what was recorded wrongly: corrects or withdraws an entry, takes back the last act, decides about doubts.

Nothing is changed or deleted. Each of these is an event of its own that names the earlier one; the words stay where
they can be erased by law (`event_texts`). The facts follow, and the rules look at them anew. A rule that fired because
of the wrong entry stays fired: somebody decides whether what it did is taken back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from engine.core.cases.act import Act
from engine.core.cases.casework import Actor, Casework, Entry
from engine.core.cases.corrections import (
    Limits,
    above,
    asked_again,
    doubtful,
    follow,
    form_of,
    planned_anew,
    restore,
    why_not,
    why_not_undone,
    withdrawable,
    wrote,
)
from engine.core.cases.past import (
    CORRECTED,
    ENTRY,
    FIRING_KEPT,
    FIRING_UNDONE,
    OF,
    SAFETY,
    UNDONE,
    WITHDRAWN,
    PastEvent,
    answers_since,
    as_it_counts,
    sums,
)
from engine.core.people.roles import HOLD, Roles
from engine.core.refusals import Conflict, Invalid, NotAllowed, NotFound
from engine.core.words import Sentence
from engine.core.workflow import builtin_forms, form_values
from engine.core.workflow.builtin_forms import DOUBT, UNDO, WHY
from engine.core.workflow.model import ActFields, Field, Workflow
from engine.store.cases import cases as stored_cases
from engine.store.cases import corrections as stored
from engine.store.cases.history import absences, events_of
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.session import Session
from engine.store.support import needs as needed
from engine.usecases.cases import gift_books
from engine.usecases.cases.case_acts import on_case, only_one, support_row
from engine.usecases.cases.companions import check_phone
from engine.usecases.context import Context

_NOTHING = ActFields("correct", ())  # the form is read where the entry is known, after it is known who may


def correct(context: Context, act: Act, seq: int) -> None:
    """Says what is right in the entry numbered `seq`. The values are those of its form, and the reason.

    Raises `NotFound`, `NotAllowed` (not theirs, too late, not to be read), or `Invalid`.
    """

    def do(work: Casework, actor: Actor, _filled: dict[str, Any], session: Session) -> None:
        history = _History(context, act, work, session)
        entry = history.entry(seq)
        _may(context.limits, work, entry, actor)
        values, why = _read(work, entry, actor, act.values)
        data = {ENTRY: entry.seq, OF: entry.kind}
        if entry.kind == "checked_in" and values.get("safe") is False:
            data["flag"] = SAFETY
        if "invited" in entry.data:  # who was invited stays invited
            data["invited"] = entry.data["invited"]
        written = work.record(
            CORRECTED, actor, role=_role(entry, actor, work.roles), values={**values, WHY: why}, data=data
        )
        rows = _rows(work, session, entry, values, history.versions(entry.seq), work.next_seq - 1)
        written.rows.append(("corrections", {"entry_seq": entry.seq, "void": False}))
        history.put_right(written, entry.seq)
        written.rows += rows
        needed.count(session, context.support, [written], values)
        for row in (row for table, row in rows if table == "support"):
            place = work.facts.id, work.next_seq - 1
            gift_books.put_right(context, session, act, written, place, history.versions(entry.seq), row)
        work.settle()

    on_case(context, act, "correct", do, asks=lambda _workflow: _NOTHING, about=seq)


def withdraw(context: Context, act: Act, seq: int) -> None:
    """Says that the entry numbered `seq` counts no more, for a reason. Raises what `correct` raises."""

    def do(work: Casework, actor: Actor, _filled: dict[str, Any], session: Session) -> None:
        history = _History(context, act, work, session)
        entry = history.entry(seq)
        _may(context.limits, work, entry, actor)
        if not withdrawable(work.situation.workflow, entry):
            raise NotAllowed(
                Sentence("This moved the case on, so it cannot be withdrawn: correct it, or move the case with a step.")
            )
        why = _said(work, WHY, act.values)
        data = {ENTRY: entry.seq, OF: entry.kind}
        written = work.record(WITHDRAWN, actor, role=_role(entry, actor, work.roles), values=why, data=data)
        history.void(written, entry)
        work.settle()

    on_case(context, act, "withdraw", do, asks=lambda _workflow: _NOTHING, about=seq)


def undo(context: Context, act: Act) -> None:
    """Takes back the last act on the case, by who did it, for some minutes.

    A move is undone: the case is asked of whom it was asked before, its clocks as they were. An entry is withdrawn.
    Raises `NotAllowed`, or `Conflict` if the pupil has another open case by now.
    """

    def do(work: Casework, actor: Actor, _filled: dict[str, Any], session: Session) -> None:
        history = _History(context, act, work, session)
        event, facts = history.events[-1], work.facts
        if refusal := why_not_undone(
            work.situation.workflow, event, facts.version, act.viewer.person_id, act.now, context.limits
        ):
            raise NotAllowed(refusal)
        had_ended = not facts.is_open
        role = event.role if event.role in actor.roles else None
        written = work.record(UNDONE, actor, role=role, data={ENTRY: event.seq, OF: event.kind})
        if not withdrawable(work.situation.workflow, event):
            restore(work, event)
            stored.take_back_offers(session, facts.id, event.seq, event.at, facts.accepted_at)
            _look_around(context, work, session)
        _only_one_again(work, session, had_ended=had_ended)
        history.void(written, event)
        _take_back_notices(work, written, session, event.seq, actor)
        work.settle()

    on_case(context, act, "undo", do)


def decide(context: Context, act: Act, fired_seq: int) -> None:
    """Decides about what a rule did because of an entry that was corrected since: it is kept, or taken back.

    Raises `NotFound`, `NotAllowed` for a role that does not decide, or `Conflict` if it was decided already or the case
    has gone on.
    """

    def do(work: Casework, actor: Actor, _filled: dict[str, Any], session: Session) -> None:
        deciders = work.roles.able(HOLD)
        if not actor.roles & deciders:
            raise NotAllowed(Sentence("A head, a commune leader or an education office decides about this."))
        found = stored.doubted(session, work.facts.id)
        if fired_seq not in found:
            raise NotFound(Sentence("Nothing waits for a decision here."))
        if found[fired_seq] is not None:
            raise Conflict(Sentence("Somebody has decided about this already."))
        history = _History(context, act, work, session)
        event = history.at(fired_seq)
        undone = _said(work, DOUBT, act.values)[DOUBT] == UNDO
        kind, actor = FIRING_UNDONE if undone else FIRING_KEPT, actor.only(deciders)
        written = work.record(kind, actor, data={ENTRY: fired_seq, OF: event.kind})
        if undone:
            had_ended = not work.facts.is_open
            restore(work, event)
            _only_one_again(work, session, had_ended=had_ended)
            stored.take_back_offers(session, work.facts.id, fired_seq, event.at, work.facts.accepted_at)
            _look_around(context, work, session)
            history.void(written, event)
            _take_back_notices(work, written, session, fired_seq, actor)
        stored.decide(session, work.facts.id, fired_seq, work.next_seq - 1)
        work.settle()

    on_case(context, act, DOUBT, do, asks=lambda _workflow: _NOTHING, about=fired_seq)


# --- the history ------------------------------------------------------------------------------------------------------


class _History:
    """The history of the case that somebody puts right, with what counts in it."""

    def __init__(self, context: Context, act: Act, work: Casework, session: Session) -> None:
        self.context, self.act, self.work, self.session = context, act, work, session
        self.events: list[PastEvent] = events_of(session, [work.facts.id])[work.facts.id]
        place = stored_cases.pupil_place(session, work.facts.pupil_id)
        self.lasting = frozenset({"disability"} if place and place.disability else ())

    def at(self, seq: int) -> PastEvent:
        """The event with a number. Raises `NotFound`."""
        found = next((event for event in self.events if event.seq == seq), None)
        if found is None:
            raise NotFound(Sentence("There is no such entry in this case."))
        return found

    def entry(self, seq: int) -> PastEvent:
        """The entry with a number, or the one that this number corrects, as it counts. Raises `NotFound`,
        `NotAllowed`.
        """
        event = self.at(seq)
        original = event.data[ENTRY] if event.kind == CORRECTED else seq
        counts = next((one for one in as_it_counts(self.events) if one.seq == original), None)
        if counts is None:
            raise NotAllowed(Sentence("This entry counts no more, so nothing in it can be corrected."))
        return counts

    def versions(self, seq: int) -> list[int]:
        """The numbers of an entry and of its corrections."""
        return [seq, *(one.seq for one in self.events if one.kind == CORRECTED and one.data.get(ENTRY) == seq)]

    def void(self, written: Entry, event: PastEvent) -> None:
        """An event counts no more, nor does anything that hangs on it."""
        facts, by, seqs = self.work.facts, self.work.next_seq - 1, self.versions(event.seq)
        gift_books.take_back(self.context, self.session, self.act, written, facts.id, seqs)
        stored.replace(self.session, facts.id, seqs, by)
        stored.replace_dates(self.session, facts.id, seqs, by)
        stored.open_dates_again(self.session, facts.id, event.seq)
        written.rows.append(("corrections", {"entry_seq": event.seq, "void": True}))
        self.put_right(written, event.seq)

    def put_right(self, written: Entry, seq: int) -> None:
        """The facts follow the entries; firings that happened because of the wrong one are put in doubt."""
        work, workflow = self.work, self.work.situation.workflow
        correction = PastEvent(
            work.facts.id,
            work.next_seq - 1,
            written.kind,
            written.at,
            written.person_id,
            written.role,
            written.data,
            written.text or {},
        )
        after = [*self.events, correction]
        before_sums, after_sums = sums(workflow, self.events), sums(workflow, after)
        if before_sums.absent_since != after_sums.absent_since:
            self._read_marks(before_sums.absent_since, after_sums.absent_since)
        follow(work, written, before_sums, after_sums, self.lasting)
        work.facts.answers = answers_since(workflow, work.situation.calendar, after, work.facts.since)
        number = work.facts.entry
        work.ask_again(asked_again(work.facts, workflow, work.situation.calendar, after), written)
        if work.facts.entry < number:
            _look_around(self.context, work, self.session)
        known = stored.doubted(self.session, work.facts.id)
        for fired in doubtful(self.context.definitions, work, self.events, correction, seq, self.lasting):
            if fired not in known:
                written.rows.append(("doubts", {"fired_seq": fired}))

    def _read_marks(self, *days: dt.date | None) -> None:
        work = self.work
        today = work.situation.calendar.local(work.now).date()
        first = min([today - dt.timedelta(days=120), *(day for day in days if day)])
        pupil = work.facts.pupil_id
        work.facts.marks = tuple(absences(self.session, [pupil], first, today)[pupil])


def _only_one_again(work: Casework, session: Session, *, had_ended: bool) -> None:
    """Raises `Conflict` if a case that is open again by this is not the only one of the pupil."""
    if had_ended and work.facts.is_open:
        only_one(session, work.facts.pupil_id, work.facts.workflow)


def _look_around(context: Context, work: Casework, session: Session) -> None:
    """Reads anew what the rules ask of the state to which the case came back."""
    reader = SurroundingsReader(session, context.definitions, work.now)
    reader.read_again(work.facts)
    work.situation = context.definitions.situation(work.facts, work.situation.surroundings)


def _take_back_notices(work: Casework, written: Entry, session: Session, seq: int, actor: Actor) -> None:
    """Notices of what was taken back that reached nobody are withdrawn; whoever was told learns that it is over."""
    reached = stored.withdraw_notices(session, work.facts.id, seq, work.now)
    work.tell(written, reached, "taken_back", but=actor.person_id)


# --- the form ---------------------------------------------------------------------------------------------------------


def _may(limits: Limits, work: Casework, entry: PastEvent, actor: Actor) -> None:
    person = actor.person_id or 0
    refusal = why_not(work.situation.workflow, entry, actor.roles, work.roles, person, work.now, limits)
    if refusal:
        raise NotAllowed(refusal)


def _said(work: Casework, name: str, raw: Mapping[str, object]) -> dict[str, Any]:
    """Reads one field of the program's own forms. Raises `Invalid`."""
    today = work.situation.calendar.local(work.now).date()
    return form_values.read_form([builtin_forms.FIELDS[name]], (), raw, today)


def _role(entry: PastEvent, actor: Actor, tree: Roles) -> str | None:
    """The role in which somebody puts an entry right: that of the entry, or one above it."""
    if entry.role in actor.roles:
        return entry.role
    return next(iter(sorted(above(entry, actor.roles, tree))), None)


def asked(
    workflow: Workflow, entry: PastEvent, roles: frozenset[str], tree: Roles, person_id: int
) -> tuple[tuple[Field, ...], tuple[str, ...]]:
    """Returns the fields of an entry that somebody may correct, and the names of those that must be filled in.

    What the entry did not have need not be filled in now. A coordinator sees the gift that a volunteer logged, not the
    words beside it.
    """
    form = form_of(workflow, entry.kind) or _NOTHING
    fields = builtin_forms.asked(workflow, form)
    if not (tree.knows(roles) or wrote(entry, person_id)):
        fields = tuple(field for field in fields if field.type != "text")
    there = entry.values.keys() | (form.needs if entry.kind == "support_given" else ())
    return fields, tuple(field.name for field in fields if field.name in form.needs and field.name in there)


def _read(work: Casework, entry: PastEvent, actor: Actor, raw: Mapping[str, object]) -> tuple[dict[str, Any], str]:
    """Returns what is right, and why it is put right. Raises `Invalid`."""
    fields, needs = asked(work.situation.workflow, entry, actor.roles, work.roles, actor.person_id or 0)
    needed = [field for field in fields if field.name in needs] + [builtin_forms.FIELDS[WHY]]
    may = [field for field in fields if field.name not in needs]
    values = form_values.read_form(needed, may, raw, work.situation.calendar.local(entry.at).date())
    why = str(values.pop(WHY))
    if "companion_phone" in values:
        check_phone(values["companion_phone"])
    names = {field.name for field in fields}
    if values == {name: value for name, value in entry.values.items() if name in names}:
        raise Invalid({"": Sentence("Nothing was changed.")})
    return values, why


def _rows(
    work: Casework, session: Session, entry: PastEvent, values: Mapping[str, Any], seqs: Collection[int], by: int
) -> Sequence[tuple[str, dict[str, Any]]]:
    """Returns the rows of a corrected entry in the other tables; the earlier ones are marked as replaced."""
    case, workflow = work.facts.id, work.situation.workflow
    rows: list[tuple[str, dict[str, Any]]] = []
    if entry.kind == "support_given":
        old = stored.row_of(session, "support", case, seqs)
        kept = {name: old.get(name) for name in ("association_id", "logged_by_id")}
        rows.append(("support", support_row(workflow, values) | kept))
    if old := stored.row_of(session, "needs", case, seqs):
        row = {"need": values.get("need", ""), "handover": values.get("hand_over_at")}
        rows.append(("needs", row | {"association_id": old["association_id"], "raised_at": entry.at}))
    if entry.kind == "companion_added" and stored.on_list(session, case, seqs):
        rows.append(("companions", {"role": values["companion_role"], "person_id": entry.data.get("invited")}))
    stored.replace(session, case, seqs, by)
    done = stored.replace_dates(session, case, seqs, by)
    return rows + planned_anew(work, entry, values, done.lessons, done.asked)
