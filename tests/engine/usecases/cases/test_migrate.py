"""Open cases go on under new versions of the workflow and the rules, and those that cannot are named."""

from dataclasses import replace

import pytest

from engine.core.refusals import Invalid
from engine.store.cases.verify import breaks
from engine.store.session import Store
from engine.usecases.cases.migrate import migrate_cases
from engine.usecases.context import Context
from tests.playing import CONTACT, RULES, WORKFLOW, Playing, at, playing

FASTER = RULES.replace("version  = 3", "version  = 4", 1).replace(
    'state = "teacher_contact", for = "3 school days"', 'state = "teacher_contact", for = "2 school days"'
)
RENAMED_WORKFLOW = WORKFLOW.replace("version = 1", "version = 2", 1).replace("teacher_contact", "in_contact")
RENAMED_RULES = FASTER.replace("teacher_contact", "in_contact")
NOW = "2026-03-09 09:00"


def in_contact(store: Store) -> tuple[Playing, str]:
    here = playing(store)
    code = here.open("2026-03-09 07:00")
    here.step(code, "2026-03-09 08:00", "teacher", "contact", **CONTACT)
    return here, code


def test_a_case_gets_the_new_rules_deadline_and_an_event_that_says_so(store: Store) -> None:
    here, code = in_contact(store)
    assert here.facts(code).due_at == at("2026-03-12 17:00")
    moved = migrate_cases(here.with_rules(FASTER), at(NOW))
    assert [(move.code, move.state, move.to, move.due) for move in moved.done] == [
        (code, "teacher_contact", "teacher_contact", at("2026-03-11 17:00"))
    ]
    facts, event = here.facts(code), here.events(code)[-1]
    assert (facts.rules_version, facts.due_at, facts.since) == (4, at("2026-03-11 17:00"), at("2026-03-09 08:00"))
    assert (event.kind, event.data["rules_versions"], event.data["due"]) == (
        "migrated",
        [3, 4],
        "2026-03-11T10:00:00+00:00",
    )
    assert list(breaks(store)) == []


def test_a_second_run_moves_nothing_more(store: Store) -> None:
    here, code = in_contact(store)
    context = here.with_rules(FASTER)
    migrate_cases(context, at(NOW))
    assert (migrate_cases(context, at(NOW)).moves, len(here.events(code))) == ([], 3)


def test_a_dry_run_tells_the_same_and_stores_nothing(store: Store) -> None:
    here, code = in_contact(store)
    context = here.with_rules(FASTER)
    told = migrate_cases(context, at(NOW), dry_run=True).moves
    assert (here.facts(code).rules_version, len(here.events(code))) == (3, 2)
    assert migrate_cases(context, at(NOW)).moves == told


def test_a_state_that_is_gone_holds_a_case_back_until_it_is_mapped(store: Store) -> None:
    here, code = in_contact(store)
    context = here.with_rules(RENAMED_RULES, RENAMED_WORKFLOW)
    other = here.open("2026-03-09 08:30", pupil="classmate")
    moved = migrate_cases(context, at(NOW))
    assert [move.code for move in moved.done] == [other]
    assert [(move.code, str(move.obstacle)) for move in moved.left_behind] == [
        (code, "The state teacher_contact is gone; say with --map teacher_contact=… which one takes its place.")
    ]
    moved = migrate_cases(context, at(NOW), mapping={"teacher_contact": "in_contact"})
    facts = here.facts(code)
    assert ([move.code for move in moved.done], moved.left_behind) == ([code], [])
    assert (facts.state, facts.since, facts.due_at) == ("in_contact", at("2026-03-09 08:00"), at("2026-03-11 17:00"))


def test_no_case_is_ended_by_a_move(store: Store) -> None:
    here, _code = in_contact(store)
    moved = migrate_cases(
        here.with_rules(RENAMED_RULES, RENAMED_WORKFLOW), at(NOW), mapping={"teacher_contact": "closed"}
    )
    assert [str(move.obstacle) for move in moved.left_behind] == [
        "closed ends a case; a case is ended by a person or a rule, not by a move."
    ]


def test_a_mapping_to_a_state_that_is_not_there_is_refused(store: Store) -> None:
    here, _code = in_contact(store)
    with pytest.raises(Invalid, match="The workflow has no state nowhere"):
        migrate_cases(here.with_rules(FASTER), at(NOW), mapping={"teacher_contact": "nowhere"})


def test_a_state_that_belongs_to_another_role_now_is_entered_anew(store: Store) -> None:
    here, code = in_contact(store)
    workflow = WORKFLOW.replace("version = 1", "version = 2", 1).replace(
        '[states.teacher_contact]\nlabel = { vi = "Giáo viên liên hệ", en = "Teacher contact" }\nowner = "teacher"',
        '[states.teacher_contact]\nlabel = { vi = "Giáo viên liên hệ", en = "Teacher contact" }\nowner = "head"',
    )
    migrate_cases(here.with_rules(FASTER, workflow), at(NOW))
    facts = here.facts(code)
    assert (facts.assignee_id, facts.since) == (here.installed.people["head"], at(NOW))


def test_many_cases_move_in_batches_that_can_be_stopped_between(store: Store) -> None:
    here = playing(store)
    codes = [here.open("2026-03-09 08:00", pupil=pupil) for pupil in ("pupil", "classmate", "saturday_pupil")]
    context: Context = here.with_rules(FASTER)

    class Stopped(Exception):
        pass

    def stop(_moved: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        migrate_cases(context, at(NOW), batch=2, progress=stop)
    assert [here.facts(code).rules_version for code in codes] == [4, 4, 3]
    migrate_cases(replace(context), at(NOW), batch=2)
    assert [here.facts(code).rules_version for code in codes] == [4, 4, 4]


def test_firings_are_remembered_across_the_move(store: Store) -> None:
    here = playing(store)
    code = here.open("2026-03-09 08:00")
    here.pass_to("2026-03-10 18:00")
    context = here.with_rules(FASTER)
    migrate_cases(context, at("2026-03-10 18:00"))
    here.context = context
    here.pass_to("2026-03-11 18:00")
    assert [event.kind for event in here.events(code)] == ["opened", "contact-overdue", "migrated"]
