"""The page of the risk watch: each signal in words, what it does, what a trial found; who sets what."""

from dataclasses import replace

import pytest

from engine.jobs.risk_trial import work_on_trials
from engine.store.simulation import seed
from tests.cast import Cast
from tests.engine.jobs.test_risk_watch import MON, RULES, TUE
from tests.installation import at


@pytest.fixture
def watched(cast: Cast) -> Cast:
    """The cast with the shipped signals, a pupil absent for two days ten days ago."""
    cast.site.app.extensions["ralop"].context = replace(cast.context, risk=RULES)
    with cast.store.writing("test") as session:
        for day in (MON, TUE):
            seed.mark(session, cast.installed.pupils["pupil"], day, "ma", "u", at("2026-03-10 18:00"))
    cast.go_to("2026-03-20 08:00")
    return cast


def test_every_signal_stands_there_in_words_with_its_file(watched: Cast) -> None:
    page = watched.get("head", "/risk").text
    assert all(signal.why.vi in page for signal in RULES.signals)
    assert "3 / 5 / 10 buổi liên tiếp không phép" in page
    assert "rules/risk.toml (phiên bản 2)" in page
    assert "Chưa chạy thử lần nào" in page
    assert "<select" not in page


def test_a_trial_is_asked_for_and_its_numbers_stand_at_each_signal(watched: Cast) -> None:
    answer = watched.send("education_office", "/risk/trial", page="/risk")
    assert (answer.status_code, answer.location) == (303, "/risk#trial")
    assert "<progress" in watched.get("education_office", "/risk").text
    work_on_trials(watched.site.app.extensions["ralop"].context, watched.now)
    page = watched.get("head", "/risk").text
    assert "tổng cộng 1, trong đó 1 lần là báo đầu tiên" in " ".join(page.split())
    assert "chưa có lần nào được xem xét" in page
    assert "A Thử" not in page  # the pupil


def test_an_administrator_sets_what_holds_everywhere(watched: Cast) -> None:
    said = {"mode": "propose", "count": "every_session", "signal-same-weekday": "off"}
    assert watched.send("admin", "/risk", **said).status_code == 303
    page = watched.get("head", "/risk").text
    assert "Tính từng buổi: vắng cả ngày là 2" in page
    assert page.count("Không theo dõi") == 1
    page = watched.get("admin", "/risk").text
    assert page.count('value="propose" selected') == 1
    assert page.count('value="off" selected') == 1


def test_an_office_sets_it_for_its_own_unit(watched: Cast) -> None:
    (unit,) = watched.viewer("education_office").of("education_office")
    assert (
        watched.send("education_office", "/risk/unit", page="/risk", unit=str(unit), mode="propose").status_code == 303
    )
    assert 'value="propose" selected' in watched.get("education_office", "/risk").text
    answer = watched.send("outsider_education_office", "/risk/unit", page="/risk", unit=str(unit), mode="open")
    assert answer.status_code == 403


@pytest.mark.parametrize("said", [{"mode": "shout"}, {"signal-none": "open"}])
def test_what_is_not_known_is_refused_in_words(watched: Cast, said: dict[str, str]) -> None:
    answer = watched.send("admin", "/risk", **said)
    assert answer.status_code == 422
    assert "Quy tắc vừa thay đổi" in answer.text
