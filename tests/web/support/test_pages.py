"""The pages of an association: what its members open, enter and read; nothing of another's books."""

import re

import pytest

from engine.core.support.ledger import Transfer
from engine.store.support import ledger
from tests.cast import Cast

RECEIVED = {"donor": "Cửa hàng Mẫu", "kind": "cash", "amount": "1.000.000", "happened_on": "2/3/2026"}


def opened(cast: Cast, name: str = "Quỹ chung", kind: str = "fund") -> str:
    """Opens a fund or stock through its page; returns its number."""
    answer = cast.send("association", "/funds/open", place_kind=kind, place_name=name)
    assert answer.status_code == 303
    page = cast.get("association", "/funds").text
    found = re.search(rf'account=(\d+)">{name}<', page)
    assert found
    return found[1]


def test_a_fund_is_opened_filled_and_given_from_and_the_page_shows_what_is_left(cast: Cast) -> None:
    fund, code = opened(cast), cast.to_association("pupil")
    assert cast.send("volunteer", "/funds/receive", to=fund, **RECEIVED).status_code == 303
    gift = {"support_kind": "cash", "quantity": "300.000", "given_on": "2/3/2026", "code": code, "source": fund}
    too_much = cast.send("volunteer", "/gifts/new", **gift | {"quantity": "1.000.001"})
    assert too_much.status_code == 422
    assert cast.send("volunteer", "/gifts/new", next="1", **gift).status_code == 303
    kept = cast.get("volunteer", "/gifts/new").text
    assert re.search(rf'value="{fund}"[^>]*checked|selected value="{fund}"', kept)
    assert "700.000" in cast.get("volunteer", "/funds").text
    assert "300.000" in cast.get("teacher", f"/cases/{code}").text


def test_a_large_gift_waits_on_the_page_until_somebody_else_agrees(cast: Cast) -> None:
    fund, code = opened(cast), cast.to_association("pupil")
    cast.send("association", "/funds/receive", to=fund, **RECEIVED | {"amount": "9.000.000"})
    gift = {"support_kind": "cash", "quantity": "6000000", "given_on": "2/3/2026", "code": code, "source": fund}
    assert cast.send("volunteer", "/gifts/new", **gift).status_code == 303
    page = cast.get("association", "/funds").text
    found = re.search(r'action="(/funds/agree/\d+)"', page)
    assert found
    assert "6.000.000" in page
    assert cast.send("volunteer", found[1], "/funds").status_code == 403
    assert cast.send("outsider_association", found[1], "/funds").status_code == 404
    assert cast.send("association", found[1], "/funds").status_code == 303
    assert "/funds/agree/" not in cast.get("association", "/funds").text
    assert cast.send("association", found[1], "/funds").status_code == 409


def test_a_statement_says_what_came_and_went_and_an_entry_is_reversed_with_a_reason(cast: Cast) -> None:
    fund = opened(cast)
    cast.send("association", "/funds/receive", to=fund, **RECEIVED)
    cast.send("association", "/funds/receive", to=fund, **RECEIVED | {"amount": "1"})
    page = cast.get("association", f"/statements?account={fund}").text
    assert "1.000.001" in page
    assert "Cửa hàng Mẫu" in page
    addresses = re.findall(r'href="(/funds/reverse/\d+)"', page)
    assert len(addresses) == 2
    assert cast.send("association", addresses[0], reason="").status_code == 422
    assert cast.send("volunteer", addresses[0], "/funds", reason="Nhầm").status_code == 403
    assert cast.send("outsider_association", addresses[0], "/funds", reason="Nhầm").status_code == 404
    assert cast.send("association", addresses[0], reason="Ghi nhầm").status_code == 303
    assert cast.send("association", addresses[0], reason="Ghi nhầm").status_code == 409
    after = cast.get("association", f"/statements?account={fund}").text
    assert "Ghi nhầm" in after
    assert len(re.findall(r'href="(/funds/reverse/\d+)"', after)) == 1
    hidden = cast.get("volunteer", f"/statements?account={fund}").text
    assert "Cửa hàng Mẫu" not in hidden
    assert "1.000.001" in hidden
    nothing = cast.get("association", f"/statements?account={fund}&from=1/1/2025&to=31/1/2025").text
    assert "1.000.000" not in nothing
    assert cast.get("association", "/statements?from=hom+qua").status_code == 422


def test_nobody_elses_books_are_read_or_written(cast: Cast) -> None:
    fund = opened(cast)
    cast.send("association", "/funds/receive", to=fund, **RECEIVED)
    assert cast.get("outsider_association", f"/statements?account={fund}").status_code == 404
    for page in ("/funds", "/statements"):
        assert "Quỹ chung" not in cast.get("outsider_association", page).text
    assert cast.send("outsider_volunteer", "/funds/receive", to=fund, **RECEIVED).status_code == 422
    assert cast.get("volunteer", "/funds/open").status_code == 403
    assert cast.get("association", "/funds/nothing").status_code == 404


def test_what_is_wrong_stands_at_its_field_and_a_form_sent_twice_is_entered_once(cast: Cast) -> None:
    fund = opened(cast)
    wrong = cast.send("association", "/funds/receive", to=fund, **RECEIVED | {"kind": "rice"})
    assert wrong.status_code == 422
    assert "Cửa hàng Mẫu" in wrong.text
    page = cast.get("association", "/funds/receive").text
    kept = {name: re.search(rf'name="{name}" value="([^"]*)"', page)[1] for name in ("csrf_token", "key")}  # type: ignore[index]
    browser = cast.browser("association")
    for _ in range(2):
        assert browser.post("/funds/receive", data={**kept, "to": fund, **RECEIVED}).status_code == 303
    again = browser.post("/funds/receive", data={**kept, "to": fund, **RECEIVED | {"amount": "5"}})
    assert again.status_code == 409
    assert "1.000.000" in cast.get("association", "/funds").text


@pytest.mark.parametrize(("member", "seen"), [("association", True), ("volunteer", False)])
def test_the_leader_sees_where_something_is_needed_longest_and_everybody_the_rest_of_a_need(
    cast: Cast, member: str, seen: bool
) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    need = {"need": "Gạo", "need_kind": "rice", "need_quantity": "20", "need_by": "20/3/2026"}
    cast.step(code, "refer_support", "commune_officer", **need)
    stock = opened(cast, "Kho", "stock")
    cast.send("association", "/funds/receive", to=stock, **RECEIVED | {"kind": "rice", "amount": "50"})
    gift = {"support_kind": "rice", "quantity": "7,5", "given_on": "2/3/2026", "code": code, "source": stock}
    assert cast.send("volunteer", "/gifts/new", **gift).status_code == 303
    page = cast.get(member, "/needs").text
    assert "12,5" in page
    assert "20/03/2026" in page or "20/3/2026" in page
    assert ("village" in page) == seen
    assert "A Thử" not in page


def test_a_statement_is_taken_away_as_a_file(cast: Cast) -> None:
    fund = opened(cast)
    cast.send("association", "/funds/receive", to=fund, **RECEIVED)
    text = cast.get("association", "/statements.csv").data.decode("utf-8-sig")
    assert "Cửa hàng Mẫu" in text
    assert "1000000" in text


def test_an_association_learns_in_one_bit_that_another_gave_the_same_kind(cast: Cast) -> None:
    code = cast.to_commune()
    cast.accept(code, "commune_officer")
    need = {"need": "Gạo", "need_kind": "rice", "need_quantity": "20"}
    cast.step(code, "refer_support", "commune_officer", **need)
    alone = cast.get("volunteer", "/needs").text
    assert "hội khác" not in alone
    pages = []
    for donor, amount in (("Công ty Kín", 7_000), ("Bà Khác", 1)):
        _give_elsewhere(cast, code, donor, amount)
        pages.append(re.sub(r'(csrf|nonce)[^ ]*"[^"]*"', "", cast.get("volunteer", "/needs").text))
    assert "hội khác" in pages[0]
    assert pages[0] == pages[1]
    assert "Công ty Kín" not in pages[0]


def _give_elsewhere(cast: Cast, code: str, donor: str, amount: int) -> None:
    """The other association gives rice to the same pupil."""
    with cast.store.writing("test") as session:
        association = cast.installed.units["outsider_association"]
        kind = ledger.as_counted(session, cast.context.support.kind("rice"))
        source = ledger.open_account(session, "outside", donor, association, cast.now)
        given = ledger.own(session, "given", association, cast.now)
        case = cast.case(code).id
        gift = Transfer("give", source, given, kind, amount, cast.now.date(), case=(case, None))
        ledger.write(session, [gift], cast.now, by=None, role=None)
