"""At every moment each open case is with somebody who is there, whoever comes and goes."""

import datetime as dt
from pathlib import Path

from click.testing import CliRunner

from engine.core.cases.act import Act
from engine.store.cases.verify import breaks
from engine.store.session import Store
from engine.store.simulation import seed
from engine.usecases.cases import case_acts
from engine.usecases.cases.reseat import reseat_people, turn_of_day
from engine.usecases.ops.clock import set_clock
from engine.usecases.people.accounts import leave
from tests.playing import Playing, at, playing
from web.cli.user import user

MONDAY = "2026-03-09 08:00"


def with_commune(store: Store, *, vacant: bool) -> tuple[Playing, str]:
    here = playing(store)
    if vacant:
        here.vacate("commune_officer", "2026-03-01")
    code = here.open("2026-03-09 07:30")
    here.step(code, MONDAY, "teacher", "ask_commune")
    return here, code


def fill(here: Playing, who: str, post: str, now: str) -> list[str]:
    """Somebody is appointed; the codes of the cases that moved."""
    with here.context.store.writing("test") as session:
        person = here.installed.people[who]
        seed.appoint(session, person, here.installed.seats(post), dt.date(2026, 3, 9))
        return reseat_people(session, here.context, [person], at(now)).codes


def test_a_case_that_went_past_a_vacant_post_goes_back_when_it_is_filled(store: Store) -> None:
    here, code = with_commune(store, vacant=True)
    assert here.facts(code).offered_role == "commune_leader"
    assert fill(here, "outsider_commune_officer", "commune_officer", "2026-03-09 15:00") == [code]
    facts, event = here.facts(code), here.events(code)[-1]
    assert (facts.offered_role, facts.offered_unit_id) == ("commune_officer", here.installed.units["village"])
    assert (facts.offered_at, event.kind) == (at("2026-03-09 15:00"), "rerouted")
    assert list(breaks(store)) == []


def test_it_stays_where_it_is_once_somebody_has_accepted(store: Store) -> None:
    here, code = with_commune(store, vacant=True)
    here.accept(code, "2026-03-09 16:00", "commune_leader")
    assert fill(here, "outsider_commune_officer", "commune_officer", "2026-03-09 17:00") == []


def test_a_post_elsewhere_is_none_of_its_business(store: Store) -> None:
    here, _code = with_commune(store, vacant=True)
    assert fill(here, "outsider_commune_leader", "outsider_commune_officer", "2026-03-09 15:00") == []


def test_one_who_returned_the_case_is_not_asked_again(store: Store) -> None:
    here, code = with_commune(store, vacant=False)
    case_acts.decline(
        here.context, Act(here.viewer("commune_officer", at(MONDAY)), code, {"reason": "Nhầm thôn"}, at(MONDAY))
    )
    assert fill(here, "outsider_commune_officer", "commune_officer", "2026-03-09 15:00") == []


def test_cases_of_one_who_leaves_go_to_whoever_answers_for_them_now(store: Store) -> None:
    here, code = with_commune(store, vacant=False)
    here.accept(code, "2026-03-09 09:00", "commune_officer")
    other = here.open("2026-03-09 09:30", pupil="classmate")
    going = leave(here.context, here.installed.people["commune_officer"], at("2026-03-09 15:00"))
    assert (going.total, going.to) == (1, ((("Lê Thị Mẫu",), 1),))
    facts = here.facts(code)
    assert (facts.offered_role, facts.assignee_id, facts.waiting) == ("commune_leader", None, True)
    assert here.events(code)[-1].data["passed_over"] == [["commune_officer", here.installed.units["village"], "vacant"]]
    going = leave(here.context, here.installed.people["teacher"], at("2026-03-09 15:00"))
    assert (going.total, going.to) == (1, ((("Trần Văn Mẫu",), 1),))
    assert here.facts(other).assignee_id == here.installed.people["head"]
    assert [event.kind for event in here.events(other)] == ["opened", "assigned"]
    assert list(breaks(store)) == []


def test_once_a_day_it_is_looked_whether_a_post_is_filled_again(store: Store) -> None:
    here, code = with_commune(store, vacant=True)
    assert turn_of_day(here.context, at("2026-03-09 09:00")) == []
    with store.writing("test") as session:
        officer = here.installed.people["outsider_commune_officer"]
        seed.appoint(session, officer, here.installed.seats("commune_officer"), dt.date(2026, 3, 10))
    assert turn_of_day(here.context, at("2026-03-09 23:00")) == []
    assert turn_of_day(here.context, at("2026-03-10 00:05")) == [code]
    assert turn_of_day(here.context, at("2026-03-10 00:10")) == []


def test_an_appointment_by_the_operator_brings_its_cases_at_once(store: Store, tmp_path: Path) -> None:
    here, code = with_commune(store, vacant=True)
    set_clock(store, at("2026-03-09 15:00"))
    environment = {
        "RALOP_INSTANCE": str(tmp_path),
        "RALOP_DATABASE_URL": store.url.render_as_string(hide_password=False),
    }
    arguments = ["appoint", "outsider_commune_officer", "commune_officer", "village"]
    found = CliRunner().invoke(user, arguments, env={**environment, "LANG": "en_US.UTF-8", "LC_ALL": "en_US.UTF-8"})
    assert (found.exit_code, found.output.splitlines()[-1][:7]) == (0, "1 cases")
    assert here.facts(code).offered_role == "commune_officer"
