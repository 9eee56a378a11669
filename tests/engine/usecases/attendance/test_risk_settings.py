"""What people set of the risk watch: by signal, by place, for all; and that the watch does so."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from engine.core.attendance.describe import CONDITIONS, condition
from engine.core.attendance.signals import EVERY_SESSION, OFF, OPEN, PROPOSE
from engine.core.refusals import Invalid, NotAllowed
from engine.jobs.risk_watch import watch
from engine.store import tables as t
from engine.usecases.attendance import risk_settings
from engine.usecases.attendance.risk_settings import Chosen, Modes, choose, choose_for, chosen_in
from tests.engine.jobs.test_risk_watch import EVENING, MON, RULES, TUE, mark
from tests.installation import CastInstallation, installed

__all__ = ["installed"]


@pytest.fixture
def watched(installed: CastInstallation) -> CastInstallation:
    """The stage with the shipped signals, and a pupil absent for two days."""
    found = CastInstallation(replace(installed.context, risk=RULES), installed.cast)
    mark(found, "u", MON, TUE)
    return found


def made(installed: CastInstallation) -> tuple[int, int]:
    """Watch, and count cases and proposals."""
    watch(installed.context, TUE, EVENING)
    with installed.store.reading("test") as session:
        cases, proposals = (session.scalar(select(func.count()).select_from(table)) for table in (t.Case, t.Proposal))
        return cases or 0, proposals or 0


def everywhere(installed: CastInstallation, mode: str = "", count: str = "", **signals: str) -> None:
    named = {name.replace("_", "-"): does for name, does in signals.items()}
    choose(installed.context, installed.viewer("admin"), EVENING, mode=mode, count=count, signals=named)


def test_nothing_chosen_the_file_holds(watched: CastInstallation) -> None:
    assert made(watched) == (1, 0)


def test_everywhere_cases_are_only_proposed(watched: CastInstallation) -> None:
    everywhere(watched, PROPOSE)
    assert made(watched) == (0, 1)


def test_one_signal_only_proposes_and_another_is_off(watched: CastInstallation) -> None:
    everywhere(watched, unexcused_in_a_row=PROPOSE)
    assert made(watched) == (0, 1)
    everywhere(watched, unexcused_in_a_row=OFF)
    with watched.store.writing("test") as session:
        session.execute(t.Proposal.__table__.delete())  # type: ignore[attr-defined]
        session.execute(t.Alarm.__table__.delete())  # type: ignore[attr-defined]
    assert made(watched) == (0, 0)


def test_an_office_sets_it_for_its_schools_and_for_no_others(watched: CastInstallation) -> None:
    office, unit = (
        watched.viewer("education_office"),
        next(iter(watched.viewer("education_office").of("education_office"))),
    )
    mark(watched, "u", MON, TUE, pupil="outsider_pupil")
    choose_for(watched.context, office, unit, PROPOSE, EVENING)
    assert made(watched) == (1, 1)  # the outsider's school lies elsewhere
    outsider = watched.viewer("outsider_education_office")
    for viewer in (outsider, watched.viewer("admin"), watched.viewer("head")):
        with pytest.raises(NotAllowed):
            choose_for(watched.context, viewer, unit, OPEN, EVENING)
    choose_for(watched.context, office, unit, "", EVENING)
    with watched.store.reading("test") as session:
        assert chosen_in(session).units == {}


def test_one_signal_that_opens_is_enough_and_the_nearest_place_goes_first() -> None:
    modes = Modes(PROPOSE, {"a": OPEN}, {7: PROPOSE})
    assert (modes.of(1, ["a", "b"]), modes.of(1, ["b"]), modes.of(7, ["a"])) == (OPEN, PROPOSE, PROPOSE)


def test_the_count_rule_is_chosen_and_who_chose_is_kept(watched: CastInstallation) -> None:
    everywhere(watched, count=EVERY_SESSION)
    with watched.store.reading("test") as session:
        chosen = chosen_in(session)
    assert (chosen.rules(RULES).count, chosen.rules(RULES).mode) == (EVERY_SESSION, OPEN)
    assert (chosen.by_id, chosen.at) == (watched.cast.people["admin"], EVENING)


def test_nobody_but_an_administrator_sets_what_holds_everywhere(watched: CastInstallation) -> None:
    for member in ("education_office", "head", "teacher"):
        with pytest.raises(NotAllowed):
            choose(watched.context, watched.viewer(member), EVENING, mode=PROPOSE, count="", signals={})


@pytest.mark.parametrize("given", [{"mode": "shout"}, {"count": "x"}, {"signals": {"none": OPEN}}])
def test_what_is_not_known_is_refused(watched: CastInstallation, given: dict[str, object]) -> None:
    whole = {"mode": "", "count": "", "signals": {}, **given}
    with pytest.raises(Invalid):
        choose(watched.context, watched.viewer("admin"), EVENING, **whole)  # type: ignore[arg-type]


def test_every_signal_has_words_in_both_languages() -> None:
    assert {signal.kind for signal in RULES.signals} == set(CONDITIONS)
    for signal in RULES.signals:
        said = condition(signal)
        assert said.in_("vi") != said.in_("en")
        assert "{" not in said.in_("vi")


def test_readers_are_heads_offices_and_administrators(watched: CastInstallation) -> None:
    for member in ("head", "education_office", "admin"):
        risk_settings.check(watched.viewer(member))
    for member in ("teacher", "commune_officer", "volunteer"):
        with pytest.raises(NotAllowed):
            risk_settings.check(watched.viewer(member))
    assert Chosen().rules(RULES) == RULES
