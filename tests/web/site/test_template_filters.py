"""Deadlines, moments and numbers as people here say and write them."""

import datetime as dt
from collections.abc import Iterator

import pytest

from engine.core.words import Label
from engine.core.workflow.model import State
from engine.store.session import open_store
from tests.pages import Site, site
from tests.playing import at
from web.account.device_names import name_of_device
from web.site import template_filters


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Site]:
    store = open_store(sqlite_url)
    yield site(store)
    store.close()


@pytest.mark.parametrize(
    ("deadline", "urgency", "words"),
    [
        ("2026-03-02 07:59", "grace", "Vừa qua hạn (hôm nay, 07:59), làm ngay hôm nay"),
        ("2026-03-01 17:00", "grace", "Vừa qua hạn (hôm qua, 17:00), làm ngay hôm nay"),
        ("2026-02-27 17:00", "grace", "Vừa qua hạn (thứ Sáu, 17:00), làm ngay hôm nay"),
        ("2026-02-27 16:59", "grace", "Vừa qua hạn (thứ Sáu, 16:59), làm ngay hôm nay"),
        ("2026-02-26 17:00", "late", "Quá hạn 4 ngày"),
        ("2026-03-02 17:00", "soon", "Hạn hôm nay, 17:00"),
        ("2026-03-03 07:00", "soon", "Hạn ngày mai, 07:00"),
        ("2026-03-03 17:00", "later", "Hạn ngày mai, 17:00"),
        ("2026-03-06 17:00", "later", "Còn 4 ngày, thứ Sáu 06/03/2026"),
    ],
)
def test_a_deadline_is_told_as_seen_from_now(here: Site, deadline: str, urgency: str, words: str) -> None:
    with here.app.test_request_context("/"):  # it is 08:00 on Monday 2 March
        found = template_filters.due(at(deadline))
        assert (found.urgency, found.words.in_("vi")) == (urgency, words)


def test_no_deadline_is_told_too(here: Site) -> None:
    with here.app.test_request_context("/"):
        assert template_filters.due(None).words.in_("vi") == "Không có hạn"


@pytest.mark.parametrize(
    ("moment", "words"),
    [
        ("2026-03-02 08:00", "vừa xong"),
        ("2026-03-02 07:59", "1 phút trước"),
        ("2026-03-02 07:15", "45 phút trước"),
        ("2026-03-02 06:00", "hôm nay, 06:00"),
        ("2026-03-01 20:00", "hôm qua, 20:00"),
        ("2026-02-26 20:00", "4 ngày trước"),
        ("2026-02-02 20:00", "ngày 02/02/2026"),
    ],
)
def test_what_happened_is_told_by_how_long_ago(here: Site, moment: str, words: str) -> None:
    with here.app.test_request_context("/"):
        assert template_filters.ago(at(moment)).in_("vi") == words


def test_moments_are_shown_by_the_clock_on_the_wall(here: Site) -> None:
    with here.app.test_request_context("/"):
        assert template_filters.moment(dt.datetime(2026, 3, 2, 20, tzinfo=dt.UTC)) == "03:00 03/03/2026"


@pytest.mark.parametrize(
    ("language", "written"), [("vi", ["1.250.000", "0,5", "-12.000"]), ("en", ["1,250,000", "0.5", "-12,000"])]
)
def test_numbers_are_grouped_as_the_language_does(here: Site, language: str, written: list[str]) -> None:
    with here.app.test_request_context("/", headers={"Cookie": f"language={language}"}):
        assert [template_filters.number(value) for value in (1_250_000, "0.5", -12_000)] == written


def test_a_states_shape_tells_whether_somebody_has_it() -> None:
    visit = State("visit", Label("", ""), owner="commune_officer", offered=True)
    assert template_filters.shape(visit, accepted=False) == "waiting"
    assert template_filters.shape(visit, accepted=True) == "going"
    assert template_filters.shape(State("closed", Label("", ""), final=True)) == "ended"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (
            "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36",
            "Chrome, Android",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) coc_coc_browser/130.0 Chrome/130.0", "Cốc Cốc, Windows"),
        ("curl/8", ""),
    ],
)
def test_a_device_is_called_by_browser_and_system(agent: str, name: str) -> None:
    assert name_of_device(agent) == name
