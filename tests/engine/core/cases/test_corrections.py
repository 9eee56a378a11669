"""The facts after any history with corrections are those of a plain count of the entries that are right."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hypothesis import event, given, settings
from hypothesis import strategies as st

from engine.core.cases.casework import Actor, Casework
from engine.core.cases.corrections import follow, restore
from engine.core.cases.definitions import Surroundings
from engine.core.cases.facts import Facts
from engine.core.cases.past import CORRECTED, ENTRY, UNDONE, WITHDRAWN, PastEvent, as_it_counts, sums
from engine.core.people.responsibility import Found, Holder
from engine.core.people.roles import Roles
from engine.core.workflow.builtin_forms import WHY
from engine.store.cases.writer import CASE_COLUMNS
from tests.installation import at, definitions
from tests.shipped_roles import TREE

START = at("2026-03-02 08:00")
TEACHER = Actor(1, frozenset({"teacher"}))
CAUSES = ("econ", "violence", "disab", "marriage", "far")
FLAG_OF = {"violence": "safety", "marriage": "safety", "disab": "disability"}
DAYS = ("2026-02-26", "2026-02-27", "2026-03-02")


class Posts:
    """A teacher in every class, and an officer in every village."""

    def roles(self, place: object) -> Roles:
        return TREE

    def own_line(self, school_id: int) -> tuple[int, ...]:
        return ()

    def holders(self, role: str, unit_id: int) -> tuple[Holder, ...]:
        return {"teacher": (Holder(1),), "commune_officer": (Holder(2),)}.get(role, ())

    def above(self, unit_id: int) -> tuple[int, ...]:
        return (unit_id,)

    def associations(self, unit_id: int) -> tuple[int, ...]:
        return ()

    def admins(self) -> tuple[Holder, ...]:
        return (Holder(9),)

    def person(self, person_id: int) -> Holder:
        return Holder(person_id)

    def seat(self, role: str, code: str) -> Found | None:
        return None


def newborn() -> Facts:
    """A case that nothing has happened to yet."""
    facts = Facts(**dict.fromkeys(CASE_COLUMNS, None))  # type: ignore[arg-type]
    facts.id, facts.pupil_id, facts.workflow, facts.workflow_version, facts.rules_version = 1, 1, "dropout", 2, 3
    facts.state, facts.level, facts.version, facts.unreached = "absent", 0, 0, 0
    facts.entry = facts.last_entry = facts.stay = facts.put_off = 0
    facts.since = facts.opened_at = START
    facts.absent_since, facts.flags, facts.class_id, facts.school_id = dt.date(2026, 2, 27), [], 11, 12
    facts.village_id, facts.commune_id = 13, 14
    return facts


@dataclass
class History:
    """A case and its history, as the use cases keep them: each entry is stored before the next."""

    facts: Facts = field(default_factory=newborn)
    events: list[PastEvent] = field(default_factory=list)

    def work(self) -> Casework:
        situation = definitions().situation(self.facts, Surroundings())
        return Casework(self.facts, situation, Posts(), START + dt.timedelta(hours=len(self.events)))

    def store(self, work: Casework) -> None:
        from engine.core.cases.changes import CHANGED, changes
        from engine.core.cases.facts import changing

        (entry,) = work.entries
        self.facts.version += 1
        data = {**entry.data, CHANGED: changes(work.before, changing(self.facts), first=self.facts.version == 1)}
        self.events.append(
            PastEvent(
                1, self.facts.version, entry.kind, entry.at, entry.person_id, entry.role, data, dict(entry.text or {})
            )
        )

    def write(self, kind: str, values: dict[str, Any]) -> None:
        work = self.work()
        if kind == "opened":
            work.open(TEACHER, values)
        elif kind in work.situation.workflow.transitions:
            work.step(kind, TEACHER, values)
        else:
            work.write(kind, TEACHER, values)
        self.store(work)

    def put_right(self, kind: str, seq: int, values: dict[str, Any]) -> None:
        work = self.work()
        written = work.record(kind, TEACHER, values={**values, WHY: "x"}, data={ENTRY: seq})
        if kind == UNDONE:
            restore(work, self.events[-1])
        correction = PastEvent(1, work.next_seq, kind, work.now, 1, "teacher", {ENTRY: seq}, written.text or {})
        workflow = work.situation.workflow
        follow(work, written, sums(workflow, self.events), sums(workflow, [*self.events, correction]), ())
        work.settle()
        self.store(work)


def counted(entries: Sequence[dict[str, Any]]) -> tuple[dt.date, list[str], int]:
    """The plain count: what was said last, all flags, the tries in a row that reached nobody."""
    absent_since, flags, unreached = dt.date(2026, 2, 27), set(), 0
    for said in entries:
        absent_since = dt.date.fromisoformat(said["absent_since"]) if said.get("absent_since") else absent_since
        flags |= {FLAG_OF[cause] for cause in said.get("causes", ()) if cause in FLAG_OF}
        flags |= {"safety"} if said.get("safe") is False else set()
        unreached = unreached if "reached" not in said else 0 if said["reached"] else unreached + 1
    return absent_since, sorted(flags), unreached


some_causes = st.lists(st.sampled_from(CAUSES), min_size=1, max_size=2, unique=True)
opened = st.fixed_dictionaries({"absent_since": st.sampled_from(DAYS), "causes": some_causes})
tried = st.fixed_dictionaries({"reached": st.booleans(), "note": st.text(max_size=3)}, optional={"causes": some_causes})
noted = st.fixed_dictionaries({"note": st.just("x")}, optional={"causes": some_causes})
asked = st.fixed_dictionaries({"note": st.just("x")}, optional={"causes": some_causes})
FORMS: dict[str, st.SearchStrategy[Any]] = {
    "opened": opened,
    "contact": tried,
    "contact_again": tried,
    "noted": noted,
    "ask_commune": asked,
}
HAPPENINGS = ("write", "write", "write", "correct", "withdraw", "undo", "correct twice")


@given(st.data())
@settings(max_examples=80, deadline=None)
def test_the_facts_after_any_history_are_those_of_the_entries_that_are_right(data: st.DataObject) -> None:
    case, right = History(), dict[int, dict[str, Any]]()  # what is right, by the number of the entry
    first = data.draw(opened)
    case.write("opened", first)
    right[1] = first
    stays = {1}
    for what in data.draw(st.lists(st.sampled_from(HAPPENINGS), min_size=1, max_size=10)):
        last = case.events[-1]
        if what == "write":
            there = case.facts.state
            kinds = {"absent": ["contact", "noted"], "teacher_contact": ["contact_again", "noted", "ask_commune"]}
            kind = data.draw(st.sampled_from(kinds.get(there, ["noted"])))
            values, entry = data.draw(FORMS[kind]), case.facts.entry
            case.write(kind, values)
            right[case.facts.version] = {} if kind == "ask_commune" and not values else values
            assert case.facts.entry == entry or case.facts.entry not in stays, "no two stays share a number"
            stays.add(case.facts.entry)
        elif what == "undo" and last.moved and last.seq in right:
            case.put_right(UNDONE, last.seq, {})
            del right[last.seq]
        elif what == "withdraw" and len(right) > 1:
            entries = {one.seq: one for one in case.events}
            free = [seq for seq in right if entries[seq].kind != "opened" and not entries[seq].moved]
            if free:
                seq = data.draw(st.sampled_from(free))
                case.put_right(WITHDRAWN, seq, {})
                del right[seq]
        elif what.startswith("correct"):
            seq = data.draw(st.sampled_from(sorted(right)))
            kind = next(one.kind for one in case.events if one.seq == seq)
            for _ in range(2 if what == "correct twice" else 1):
                right[seq] = data.draw(FORMS[kind])
                case.put_right(CORRECTED, seq, right[seq])
        else:
            continue
        event(what)
        facts = case.facts
        assert (facts.absent_since, sorted(facts.flags), facts.unreached) == counted(
            [right[it] for it in sorted(right)]
        )
    assert [dict(one.values) for one in as_it_counts(case.events)] == [right[seq] for seq in sorted(right)]


def test_taking_a_step_back_leaves_the_case_as_it_was_but_for_the_number_of_the_stay() -> None:
    case = History()
    case.write("opened", {"absent_since": "2026-02-27", "causes": ["econ"]})
    before = {name: getattr(case.facts, name) for name in CASE_COLUMNS}
    case.write("contact", {"reached": False, "note": "x", "causes": ["violence"]})
    case.put_right(UNDONE, 2, {})
    after = {name: getattr(case.facts, name) for name in CASE_COLUMNS}
    changed = {name for name in CASE_COLUMNS if before[name] != after[name]}
    assert changed == {"version", "last_entry"}
    assert (after["entry"], after["last_entry"]) == (1, 2)


def test_a_flag_that_the_pupil_brought_along_stays_when_a_cause_is_corrected_away() -> None:
    case = History()
    case.facts.flags = ["disability"]
    case.write("opened", {"absent_since": "2026-02-27", "causes": ["disab"]})
    work = case.work()
    written = work.record(CORRECTED, TEACHER, data={ENTRY: 1})
    workflow = work.situation.workflow
    correction = PastEvent(1, 2, CORRECTED, work.now, 1, "teacher", {ENTRY: 1}, {"causes": ["econ"]})
    before, after = sums(workflow, case.events), sums(workflow, [*case.events, correction])
    follow(work, written, before, after, {"disability"})
    assert case.facts.flags == ["disability"]
