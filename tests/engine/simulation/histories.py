"""Random days around the pupils of the cast, and what must be true of every open case at every moment.

`History` plays what chance draws with the player of scenarios: acts of whoever is asked (or of somebody else, who may
be refused), people who come and go, days without class, a worker that stops. After each step `History.check` looks at
the whole. hypothesis draws the seed of a history; the steps are printed.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from random import Random
from typing import Any, TypeVar

from sqlalchemy import select

from engine.core.cases import escalation
from engine.core.cases.facts import Facts
from engine.core.cases.past import VOIDS
from engine.core.people.access import reach
from engine.core.people.responsibility import acting
from engine.core.people.roles import ADMIN, OFFICE
from engine.core.scenario.cast import PEOPLE
from engine.core.scenario.reader import Scenario, ScenarioStep
from engine.simulation.player import Player
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.cases.surroundings import SurroundingsReader, casework_of, read_facts
from engine.store.people.staff import viewer_of
from engine.store.session import Session, Store
from tests.shipped_roles import ROLES

T = TypeVar("T")
PUPILS = ("pupil", "classmate")
STAFF = tuple(member for member in PEOPLE if not member.endswith("admin"))
HERE = STAFF[: len(STAFF) // 2]
ENTRIES = ("visit", "contact", "contact_again", "noted")
WRITERS = ("teacher", "head", "commune_officer", "commune_leader", "education_office")
HOURS = (0, 0, 1, 4, 9, 24, 24, 72, 200)  # between two steps
SILENCE = {"visit-overdue", "contact-failed"}  # rules that say that nobody did anything

Happening = Callable[["History"], ScenarioStep | None]


class History:
    """A history in the making; `happened` counts what was done and not refused."""

    def __init__(self, scenario: Scenario, store: Store, seed: int) -> None:
        self.chance = Random(seed)
        self.player = Player(scenario, store)
        self.store, self.scenario, self.now = store, scenario, scenario.start
        self.happened: Counter[str] = Counter()
        self.number = 0
        self.last_by: str | None = None  # who acted last, and about whom
        self.last_about = PUPILS[0]
        self.pupil = PUPILS[0]  # whom the next act is about
        self.notices = 0
        self.promised: dict[str, tuple[dt.datetime, str]] = {}  # by case: when the next rule fires, and which

    # --- what happens ---------------------------------------------------------------------------------------------

    def go_on(self) -> None:
        """Lets some time pass and something happen."""
        self.now += dt.timedelta(hours=self.one_of(HOURS), minutes=1)
        kind = self.one_of(self._likely())
        step = HAPPENINGS[kind](self)
        if step is None:
            return
        self.promises_are_kept(step.at)
        (check,) = self.player.take(step)
        what = f"{step.by or ''} {step.do} {dict(step.values)} {step.pupil}"
        print(f"{step.at:%d/%m %H:%M} UTC {what}: {check.found or 'done'}")
        if check.found == "":
            self.happened[kind] += 1
            self.last_by, self.last_about = step.by, step.pupil

    def one_of(self, several: Sequence[T]) -> T:
        return self.chance.choice(several)

    def maybe(self) -> bool:
        return self.chance.random() < 0.5

    def _likely(self) -> Sequence[str]:
        """What is more often than not possible now: half of the time an act on a case, as its state allows."""
        self.pupil = self.one_of(PUPILS)
        state = case.state if (case := self.case(self.pupil)) and case.is_open else ""
        return self.one_of((IN_STATE.get(state, ("a case is opened",)), AROUND))

    def step(self, do: str, by: str | None = None, pupil: str = "pupil", **values: Any) -> ScenarioStep:
        """A step whose only expectation is that it may be refused."""
        self.number += 1
        return ScenarioStep(self.number, self.now, by, do, values, pupil, expect={"refused": ""})

    @property
    def today(self) -> dt.date:
        return self.scenario.calendar.local(self.now).date()

    def day(self, days: int) -> dt.date:
        return self.today + dt.timedelta(days=days)

    def case(self, pupil: str) -> Facts | None:
        """The newest case of a pupil."""
        with self.store.reading("test") as session:
            found = read_facts(session, t.Case.pupil_id == self.player.seeded.pupils[pupil], order=t.Case.id.desc())
            return found[0] if found else None

    def written(self) -> tuple[str, str]:
        """The kind of the last entry about the pupil that can be put right, and the member who wrote it."""
        case = self.case(self.pupil)
        with self.store.reading("test") as session:
            query = select(t.Event.kind, t.Event.person_id).where(
                t.Event.case_id == (case.id if case else 0), t.Event.kind.in_(ENTRIES), t.Event.person_id.is_not(None)
            )
            row = session.execute(query.order_by(t.Event.seq.desc()).limit(1)).one_or_none()
        return (row[0], self.player.seeded.member(row[1])) if row else (ENTRIES[0], "")

    def asked(self, pupil: str) -> str | None:
        """A member of the cast who is asked about a pupil's case now."""
        case = self.case(pupil)
        if case is None or not case.is_open:
            return None
        with self.store.reading("test") as session:
            people = self._present(session, case)
        return next((self.player.seeded.member(person) for person in people), None)

    # --- what must be true ----------------------------------------------------------------------------------------

    def check(self) -> None:
        """Looks at every case. Without a worker nothing is due; with one nothing that is due is left."""
        with self.store.reading("test") as session:
            found = read_facts(session, t.OPEN)
            for case in found:
                self._one_request(session, case)
                self._rules_are_looked_at(session, case)
            self._nobody_without_a_duty_is_told(session)
            self._who_answered_is_not_silent(session)
        assert list(verify.breaks(self.store)) == []

    def _one_request(self, session: Session, case: Facts) -> None:
        assert case.request, (case.code, "asks nothing")
        assert case.asked_role, (case.code, "asks nobody")
        if case.asked_role not in {OFFICE, ADMIN}:
            people = self._present(session, case)
            assert people, (case.code, case.request, case.asked_role, "nobody is there")
            day = self.scenario.calendar.local(self.player.now).date()
            for person in people:
                reached = reach(viewer_of(session, person, day, ROLES), case)
                assert reached, (case.code, self.player.seeded.member(person))

    def _present(self, session: Session, case: Facts) -> tuple[int, ...]:
        directory = SurroundingsReader(session, self.player.context.definitions, self.player.now)
        if case.asked_role == ADMIN:
            return acting(directory.admins())
        return acting(directory.holders(case.asked_role or "", case.asked_unit_id or 0))

    def _rules_are_looked_at(self, session: Session, case: Facts) -> None:
        work = casework_of(session, self.player.context.definitions, case, self.player.now)
        seen = escalation.evaluate(work.facts, work.situation, self.player.now)
        if self.player.working:
            assert seen.due is None, (case.code, seen.due and seen.due.rule.id, "is due and has not fired")
        stored = case.due_at, case.next_look_at
        work.settle()
        if seen.look is not None and self.player.working:
            assert (work.facts.due_at, work.facts.next_look_at) == stored, case.code
        coming = escalation.expected(work.facts, work.situation, self.player.now)
        if coming and self.player.working and not escalation.waits(coming[0].rule):
            self.promised[case.code] = (coming[0].at, coming[0].rule.id)
        else:
            self.promised.pop(case.code, None)

    def promises_are_kept(self, until: dt.datetime) -> None:
        """What the page promises for a moment ("fires at u if nobody acts") is what then happens."""
        due = [(at, code, rule) for code, (at, rule) in self.promised.items() if at <= until]
        for at, code, rule in sorted(due):
            self.number += 1
            list(self.player.take(ScenarioStep(self.number, max(at, self.player.now), expect={})))
            with self.store.reading("test") as session:
                query = (
                    select(t.Firing.rule)
                    .join(t.Case, t.Case.id == t.Firing.case_id)
                    .where(t.Case.code == code, t.Firing.due_at == at)
                )
                assert rule in session.execute(query).scalars().all(), (code, rule, at)
        if due:
            self.happened["a promise of the page came true"] += 1
        self.promised.clear()

    def _nobody_without_a_duty_is_told(self, session: Session) -> None:
        query = (
            select(t.Notice.id, t.Notice.case_id, t.Notice.person_id, t.Notice.kind, t.Notice.role, t.Notice.at)
            .where(t.Notice.id > self.notices)
            .order_by(t.Notice.id)
        )
        for id, case_id, person, kind, role, at in session.execute(query).all():
            self.notices = id
            if kind == "relieved" or role == ADMIN:
                continue
            day = self.scenario.calendar.local(at).date()
            (case,) = read_facts(session, t.Case.id == case_id)
            roles = reach(viewer_of(session, person, day, ROLES), case)
            closed_since = case.association_id is None  # the association's duty ends with the request
            assert roles or closed_since, (case.code, kind, self.player.seeded.member(person))

    def _who_answered_is_not_silent(self, session: Session) -> None:
        columns = t.Event.case_id, t.Event.seq, t.Event.kind, t.Event.at, t.Event.data
        query = select(*columns).order_by(t.Event.case_id, t.Event.seq)
        answered: dict[int, dt.datetime] = {}
        events = session.execute(query).all()
        void = {(case_id, data["entry"]) for case_id, _, kind, _, data in events if kind in VOIDS}
        for case_id, seq, kind, at, data in events:
            if kind in {"visit", "contact", "contact_again"} and (case_id, seq) not in void:
                answered[case_id] = at
            if kind in SILENCE and case_id in answered:
                start = dt.datetime.fromisoformat(data["start"])
                assert start >= answered[case_id], (kind, "fired although somebody had answered", case_id)


# --- what can happen --------------------------------------------------------------------------------------------------


def _nothing(_history: History) -> dict[str, Any]:
    return {}


def _by_asked(do: str, values: Callable[[History], dict[str, Any]] = _nothing) -> Happening:
    """An act of who is asked; one time in ten of somebody else, who may be refused."""

    def happen(history: History) -> ScenarioStep:
        asked = history.asked(history.pupil)
        by = history.one_of(STAFF) if asked is None or history.chance.random() < 0.1 else asked
        return history.step(do, by, history.pupil, **values(history))

    return happen


def _by(member: str, do: str, values: Callable[[History], dict[str, Any]] = _nothing) -> Happening:
    def happen(history: History) -> ScenarioStep:
        return history.step(do, member, history.pupil, **values(history))

    return happen


def _open(history: History) -> dict[str, Any]:
    return {"absent_since": history.day(-3), "causes": ["econ"], "confirm": True}


def _contact(history: History) -> dict[str, Any]:
    values = {"contact_way": "phone", "reached": history.maybe(), "note": "Đã gọi"}
    return {**values, "next_on": history.day(2)} if values["reached"] and history.maybe() else values


def _visit(history: History) -> dict[str, Any]:
    outcomes = history.scenario.workflow.fields["visit_outcome"].choices
    values = {
        "visited_on": history.today,
        "met_whom": ["parents"],
        "visit_outcome": history.one_of([choice.code for choice in outcomes]),
        "note": "Đã đến nhà",
        "confirm": True,
    }
    return {**values, "next_on": history.day(3)} if history.maybe() else values


def _return(history: History) -> dict[str, Any]:
    return {"returned_on": history.today, "confirm": True}


def _away(history: History) -> ScenarioStep:
    who, delegate = history.one_of(STAFF), history.one_of((None, *STAFF))
    delegate = None if delegate == who else delegate
    until = history.day(history.chance.randint(0, 6))
    return history.step("away", None, "pupil", who=who, until=until, delegate=delegate)


def _vacant(history: History) -> ScenarioStep:
    return history.step("vacant", None, "pupil", post=history.one_of(HERE))


def _appoint(history: History) -> ScenarioStep:
    post = history.one_of(HERE)
    return history.step("appoint", None, "pupil", post=post, who=history.one_of((post, f"outsider_{post}")))


def _closure(history: History) -> ScenarioStep:
    first = history.day(history.chance.randint(-2, 3))
    last = first + dt.timedelta(days=history.chance.randint(0, 3))
    values = {"scope": history.one_of(("school", "class", "pupil")), "first_day": first, "last_day": last}
    return history.step("closure", "head", "pupil", reason="Mưa lũ", study_mode=None, **values)


def _stop(history: History) -> ScenarioStep | None:
    return history.step("worker_down") if history.player.working else None


def _start(history: History) -> ScenarioStep | None:
    return None if history.player.working else history.step("worker_up")


def _who(do: str) -> Happening:
    def happen(history: History) -> ScenarioStep:
        return history.step(do, who=history.one_of(HERE))

    return happen


def _put_right(do: str) -> Happening:
    """An entry is corrected or withdrawn by somebody who may have written it, or who is above."""

    def happen(history: History) -> ScenarioStep:
        entry, writer = history.written()
        by = writer if writer and history.chance.random() < 0.8 else history.one_of(WRITERS)
        values: dict[str, Any] = {}
        if do == "correct":
            next_on = history.day(history.chance.randint(1, 5))
            values = {"note": "Đã hỏi lại"} if entry == "noted" else {"next_on": next_on}
        if do == "correct" and entry == "visit":
            outcomes = history.scenario.workflow.fields["visit_outcome"].choices
            values["visit_outcome"] = history.one_of([choice.code for choice in outcomes])
        return replace(history.step(do, by, history.pupil, **values), entry=entry)

    return happen


def _assign(history: History) -> ScenarioStep:
    by = history.one_of(("commune_leader", "head", "education_office"))
    return history.step("assign", by, history.pupil, to=history.one_of(HERE))


def _take_back(history: History) -> ScenarioStep:
    """The last act is taken back a minute later, by whoever may have done it."""
    history.now = history.player.now + dt.timedelta(minutes=1)
    return history.step("undo", history.last_by or history.one_of(WRITERS), history.last_about)


def _decline(_history: History) -> dict[str, Any]:
    return {"reason": "Không phụ trách thôn này"}


HAPPENINGS: Mapping[str, Happening] = {
    "a case is opened": _by("teacher", "open", _open),
    "a contact": _by_asked("contact", _contact),
    "another contact": _by_asked("contact_again", _contact),
    "the commune is asked": _by("teacher", "ask_commune"),
    "accepted": _by_asked("accept"),
    "declined": _by_asked("decline", _decline),
    "a visit": _by_asked("visit", _visit),
    "a referral": _by_asked("refer_support", lambda _history: {"need": "Cần 10 kg gạo"}),
    "handed back": _by_asked("hand_back"),
    "a return": _by("teacher", "return_to_class", _return),
    "absent again": _by("teacher", "relapse"),
    "an end": _by("teacher", "close", lambda _history: {"end_anyway": True}),
    "away": _away,
    "post empty": _vacant,
    "post filled": _appoint,
    "days without class": _closure,
    "the worker stops": _stop,
    "the worker starts": _start,
    "back": _who("back"),
    "an account is closed": _who("disable"),
    "an account is opened": _who("enable"),
    "an entry is corrected": _put_right("correct"),
    "an entry is withdrawn": _put_right("withdraw"),
    "an act is taken back": _take_back,
    "assigned": _assign,
    "a note": _by_asked("note", lambda _history: {"note": "Đã trao đổi"}),
}
RIGHT = ("an entry is corrected", "an entry is withdrawn", "an act is taken back", "a note")
IN_STATE: Mapping[str, Sequence[str]] = {
    "absent": ("a contact", "a contact", "a contact", "the commune is asked", "a return", *RIGHT),
    "teacher_contact": ("another contact", "another contact", "the commune is asked", "the commune is asked", *RIGHT),
    "commune_visit": (
        "accepted",
        "accepted",
        "accepted",
        "declined",
        *["a visit"] * 3,
        "a referral",
        "assigned",
        *RIGHT,
    ),
    "support_referral": ("accepted", "handed back", "handed back", "declined", "a return", "a note"),
    "returned": ("absent again", "the commune is asked", "an end"),
}
AROUND = (
    "a case is opened",
    "away",
    "post empty",
    "post filled",
    "days without class",
    "the worker stops",
    "the worker starts",
    "back",
    "an account is closed",
    "an account is opened",
)
