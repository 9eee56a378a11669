"""The cases of a past period once more, under other rules: side by side with what happened, and nothing stored."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select

from engine.core.cases.corrections import Limits
from engine.core.people.access import Viewer
from engine.core.refusals import Invalid
from engine.core.rules.model import RuleSet
from engine.core.rules.reader import load_ruleset
from engine.simulation.what_if import Outcome, simulate
from engine.store.session import Store
from engine.store.tables import Base
from engine.usecases.cases import corrections
from tests.playing import CONTACT, RULES, Playing, at, playing

FIRST, END = at("2026-03-09 00:00"), at("2026-03-28 00:00")
ASKED = 'state = "teacher_contact", request = ["contact", "confirm_return"]'
THREE_DAYS = f'{ASKED}, for = "3 school days"'
ONE_DAY = f'{ASKED}, for = "1 school day"'


def rules_of(here: Playing, text: str) -> RuleSet:
    return load_ruleset(text, "trial.toml", here.context.definitions.workflow("dropout"))


def trial(here: Playing, text: str, **options: Any) -> Outcome:
    return simulate(here.context, rules_of(here, text), FIRST, END, **options)


def rows(store: Store) -> dict[str, list[Any]]:
    with store.reading("test") as session:
        return {
            name: sorted(map(repr, session.connection().execute(select(table))))
            for name, table in Base.metadata.tables.items()
        }


@pytest.fixture
def here(store: Store) -> Playing:
    """A fortnight: the teacher's contact brought nothing, the commune took three days, the pupil came back."""
    here = playing(store)
    code = here.open("2026-03-09 08:00")
    here.step(code, "2026-03-09 14:00", "teacher", "contact", **CONTACT)
    here.pass_to("2026-03-13 07:00")
    here.accept(code, "2026-03-13 08:00", "commune_officer")
    here.pass_to("2026-03-23 09:00")
    here.step(code, "2026-03-23 10:00", "teacher", "return_to_class", returned_on="2026-03-23")
    here.pass_to("2026-03-27 18:00")
    return here


def test_the_same_rules_fire_the_same_and_tell_the_same(here: Playing) -> None:
    outcome = trial(here, RULES)
    assert (outcome.cases, outcome.changed, outcome.lost) == (1, [], [])
    assert outcome.rules() == [
        ("contact-failed", 1, 1),
        ("visit-due-soon", 1, 1),
        ("visit-overdue", 2, 2),
    ]
    assert outcome.did_tell == outcome.would_tell
    assert outcome.did_tell.total() > 5


def test_a_rule_that_is_left_out_would_have_told_people_less(here: Playing) -> None:
    quiet = RULES.replace('repeat = { every = "2 working days", at_most = 3 }', "")
    outcome = trial(here, quiet)
    assert ("visit-overdue", 2, 1) in outcome.rules()
    assert ("A Bút Thử", 5, 4) in [(name, did, would) for name, did, would in outcome.people()]
    assert [(change.code, len(change.did), len(change.would)) for change in outcome.changed] == [
        ("RL-2026-000001", 4, 3)
    ]


def test_what_a_person_could_not_have_done_is_named_and_nothing_after_it_compared(here: Playing) -> None:
    slow = RULES.replace(THREE_DAYS, f'{ASKED}, for = "9 school days"')
    outcome = trial(here, slow)
    assert [(lost.code, lost.kind, lost.at) for lost in outcome.lost] == [
        ("RL-2026-000001", "accepted", at("2026-03-13 08:00"))
    ]
    assert outcome.rules() == [("contact-failed", 1, 0)]


def test_rules_that_hand_over_sooner_leave_what_people_did_possible(here: Playing) -> None:
    outcome = trial(here, RULES.replace(THREE_DAYS, ONE_DAY))
    assert ("contact-failed", 1, 1) in outcome.rules()
    assert ("visit-not-accepted", 0, 1) in outcome.rules()
    assert [lost.kind for lost in outcome.lost] == ["accepted"]  # by then it was on offer to the commune's leader


def test_a_case_open_before_the_period_stands_at_its_beginning_as_it_did(here: Playing) -> None:
    outcome = simulate(here.context, rules_of(here, RULES), at("2026-03-17 12:00"), END)
    assert outcome.changed == []
    assert outcome.rules() == [("visit-due-soon", 1, 1), ("visit-overdue", 2, 2)]


def test_what_was_put_right_is_followed(store: Store) -> None:
    here = playing(store)
    code = here.open("2026-03-09 08:00")
    here.step(code, "2026-03-09 14:00", "teacher", "contact", **CONTACT, next_on="2026-03-10")
    here.put_right(code, "2026-03-09 14:30", "teacher", corrections.correct, 2, **CONTACT, next_on="2026-03-12")
    here.step(code, "2026-03-10 08:00", "teacher", "contact_again", **CONTACT, next_on="2026-03-16")
    here.put_right(code, "2026-03-10 08:30", "teacher", corrections.withdraw, 4)
    here.step(code, "2026-03-10 09:00", "teacher", "ask_commune")
    here.undo(code, "2026-03-10 09:05", "teacher")
    here.pass_to("2026-03-18 07:00")  # asked on the 17th: the 12th, then 13, 16 and 17 March
    here.accept(code, "2026-03-18 08:00", "commune_officer")
    here.undo(code, "2026-03-18 08:05", "commune_officer")
    here.accept(code, "2026-03-18 08:10", "commune_officer")
    here.pass_to("2026-03-27 18:00")
    assert next(one.kind for one in here.events(code) if "rule" in one.data) == "contact-failed"
    outcome = trial(here, RULES)
    assert (outcome.changed, outcome.lost) == ([], [])
    assert outcome.rules()[0] == ("contact-failed", 1, 1)


def test_an_act_taken_back_after_which_the_trial_would_have_gone_on_is_named(store: Store) -> None:
    here = playing(store)
    here.context = replace(here.context, limits=Limits(minutes=120))
    code = here.open("2026-03-09 08:00")
    here.step(code, "2026-03-09 09:00", "teacher", "contact", **CONTACT)
    here.undo(code, "2026-03-09 10:30", "teacher")
    outcome = trial(here, RULES.replace(THREE_DAYS, f'{ASKED}, for = "1 working hour"'))
    assert [lost.kind for lost in outcome.lost] == ["undone"]


def test_nothing_at_all_is_stored(here: Playing) -> None:
    before = rows(here.context.store)
    trial(here, RULES.replace(THREE_DAYS, ONE_DAY))
    assert rows(here.context.store) == before


def test_a_viewer_sees_only_cases_of_the_own_area(here: Playing) -> None:
    outsider = here.viewer("outsider_education_office", END)
    assert trial(here, RULES, viewer=outsider).cases == 0
    assert trial(here, RULES, viewer=here.viewer("education_office", END)).cases == 1
    assert trial(here, RULES, viewer=Viewer(0)).cases == 0


def test_too_many_cases_and_an_empty_period_are_refused(here: Playing) -> None:
    with pytest.raises(Invalid, match="more than 0 cases"):
        trial(here, RULES, most=0)
    with pytest.raises(Invalid, match="must end after it begins"):
        simulate(here.context, rules_of(here, RULES), END, FIRST)


def test_every_batch_is_told(here: Playing) -> None:
    here.open("2026-03-10 08:00", pupil="classmate")
    seen: list[int] = []
    trial(here, RULES, batch=1, progress=lambda outcome: seen.append(outcome.cases))
    assert seen == [1, 2]
