"""Cases that the risk watch proposes, as a teacher meets them on “My work”."""

import datetime as dt
from dataclasses import replace

import pytest

from engine.core.attendance.signal_reader import load_risk
from engine.jobs.risk_watch import watch
from engine.store import tables as t
from engine.store.ops.settings import put_setting
from engine.store.simulation import seed
from tests.cast import Cast
from tests.installation import at
from tests.playing import ROOT

RULES = load_risk((ROOT / "rules" / "risk.toml").read_text(encoding="utf-8"), "risk.toml")


@pytest.fixture
def proposed(cast: Cast) -> int:
    """The pupil missed Monday and Tuesday; on Wednesday morning a case is proposed. Its id."""
    cast.context = cast.site.app.extensions["ralop"].context = replace(cast.context, risk=RULES)
    with cast.store.writing("test") as session:
        put_setting(session, "risk", {"mode": "propose"})
        for day in (9, 10):
            seed.mark(session, cast.installed.pupils["pupil"], dt.date(2026, 3, day), "ma", "u", at("2026-03-01 08:00"))
    cast.go_to("2026-03-11 08:00")
    assert watch(cast.context, dt.date(2026, 3, 10), at("2026-03-10 18:00")).proposed == 1
    with cast.store.reading("test") as session:
        return session.query(t.Proposal.id).one()[0]


def test_it_is_a_question_with_reasons_in_words_and_two_answers(cast: Cast, proposed: int) -> None:
    page = cast.get("teacher", "/work").text
    for words in (
        "Lập hồ sơ?",
        "A Thử",
        "class, village",
        "Vắng từ 09/03/2026",
        "Vắng không phép nhiều buổi liên tiếp: 4 buổi liên tiếp",
        f'action="/proposals/{proposed}/open"',
        f'href="/proposals/{proposed}/dismiss"',
    ):
        assert words in page, words
    assert "Không có việc nào đang chờ" not in page
    assert "Lập hồ sơ?" in cast.get("head", "/work").text
    for member in ("outsider_teacher", "commune_officer", "education_office", "volunteer"):
        assert "Lập hồ sơ?" not in cast.get(member, "/work").text


def test_two_clicks_open_one_case(cast: Cast, proposed: int) -> None:
    answers = [cast.send("teacher", f"/proposals/{proposed}/open", "/work") for _ in range(2)]
    assert [(answer.status_code, answer.location) for answer in answers] == [(303, "/cases/RL-2026-000001?done=1")] * 2
    assert cast.case("RL-2026-000001").absent_since == dt.date(2026, 3, 9)
    assert "Lập hồ sơ?" not in cast.get("teacher", "/work").text
    later = cast.send("head", f"/proposals/{proposed}/open", "/work")
    assert later.location == "/work"
    assert "Đề xuất này đã được" in cast.get("head", "/work").text


def test_not_needed_wants_a_reason_and_keeps_what_was_typed(cast: Cast, proposed: int) -> None:
    address = f"/proposals/{proposed}/dismiss"
    page = cast.get("teacher", address).text
    for words in ("A Thử", "Có phép: gia đình đã báo với trường", "Điểm danh nhầm"):
        assert words in page
    wrong = cast.send("teacher", address)
    assert (wrong.status_code, '<a href="#reason-0">' in wrong.text) == (422, True)
    long = cast.send("teacher", address, other="x" * 301)
    assert (long.status_code, "x" * 301 in long.text) == (422, True)
    for _twice in range(2):
        done = cast.send("teacher", address, "/work", reason="Điểm danh nhầm")
        assert done.location == "/work"
    with cast.store.reading("test") as session:
        assert session.query(t.Proposal.reason).one()[0] == "Điểm danh nhầm"
    assert "Lập hồ sơ?" not in cast.get("teacher", "/work").text
    assert cast.get("teacher", address).location == "/work"  # decided already: told there


def test_a_reason_of_ones_own_counts_before_one_that_was_chosen(cast: Cast, proposed: int) -> None:
    typed = {"reason": "Điểm danh nhầm", "other": "Về quê chịu tang, cô đã biết"}
    cast.send("head", f"/proposals/{proposed}/dismiss", **typed)
    with cast.store.reading("test") as session:
        assert session.query(t.Proposal.reason).one()[0] == "Về quê chịu tang, cô đã biết"


@pytest.mark.parametrize("member", ["outsider_teacher", "outsider_head", "commune_officer", "volunteer", "admin"])
def test_nobody_else_may_answer(cast: Cast, proposed: int, member: str) -> None:
    assert cast.get(member, f"/proposals/{proposed}/dismiss").status_code == 403
    for answer in ("open", "dismiss"):
        sent = cast.send(member, f"/proposals/{proposed}/{answer}", reason="Không")
        assert sent.status_code == 403
        assert "A Thử" not in sent.text
    assert cast.send("teacher", "/proposals/999/open").status_code == 404
