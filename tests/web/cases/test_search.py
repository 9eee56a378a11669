"""Looking for a case as people type: without marks, in any order, by the village, by the code."""

import re

import pytest
from sqlalchemy import update

from engine.core.text import fold
from engine.store import tables as t
from tests.cast import Cast

VILLAGE = "Làng Đăk Rơ Chót"


@pytest.fixture
def code(cast: Cast) -> str:
    """The case of a pupil with a long name, in a village with one; the code."""
    with cast.store.writing("test") as session:
        names = {"name": VILLAGE, "search_key": fold(VILLAGE)}
        session.execute(update(t.Unit).where(t.Unit.id == cast.installed.units["village"]).values(names))
    cast.pupil("Nguyễn Văn Đủ")
    cast.pupil("Y Khác", village_id=cast.installed.units["outsider_village"])
    cast.open_case("Y Khác")
    return cast.open_case("Nguyễn Văn Đủ")


def found(cast: Cast, member: str, query: str) -> list[str]:
    page = cast.browser(member).get("/cases", query_string={"q": query}).text
    return re.findall(r'<th scope="row">.*?/cases/(RL-[\d-]+)"', page, flags=re.DOTALL)


@pytest.mark.parametrize(
    "query",
    [
        "nguyen van",
        "van nguyen",
        "NGUYỄN VĂN ĐỦ",
        "đủ",
        "du",
        "Ðủ",
        "du nguyen",
        "ngu va",
        "dak ro",
        "chot lang",
        "Đăk  Rơ",
        "RL-2026-000002",
        "rl-2026-2",
        "2",
    ],
)
def test_a_case_is_found_by_name_village_or_code(cast: Cast, code: str, query: str) -> None:
    assert found(cast, "head", query) == [code]


@pytest.mark.parametrize("query", ["nguyen thi", "van dak", "rang dak", "%", "_", "3"])
def test_every_word_must_fit_and_signs_stand_for_nothing(cast: Cast, code: str, query: str) -> None:
    assert found(cast, "head", query) == []


@pytest.mark.parametrize("query", ["nguyen van", "dak ro", "RL-2026-000002"])
def test_nobody_finds_what_they_may_not_see(cast: Cast, code: str, query: str) -> None:
    for member in ("outsider_head", "outsider_commune_leader", "volunteer", "admin"):
        assert found(cast, member, query) == [], member
