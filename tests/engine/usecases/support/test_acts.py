"""The books of an association as its members keep them: once for each form, needs met in part, lists brought in."""

import datetime as dt
import io
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from sqlalchemy import select, text

from engine.core.cases.act import Act
from engine.core.refusals import Conflict, NoAccess, NotAllowed, Refused
from engine.core.words import Faulty
from engine.store import tables as t
from engine.store.support import books, ledger, verify
from engine.usecases.cases import case_acts
from engine.usecases.support import acts, gifts
from engine.usecases.support.acts import BookAct, Moved
from engine.usecases.support.import_gifts import bring_in
from engine.usecases.support.needs import raise_need
from tests.installation import HERE, CastInstallation, at, installed, kinds_of_support

__all__ = ["installed"]  # a fixture

CATALOGUE = kinds_of_support()
NOW = at("2026-03-02 09:00")
DAY = dt.date(2026, 3, 2)


@pytest.fixture
def kept(installed: CastInstallation) -> CastInstallation:
    """The cast with the shipped kinds of support."""
    installed.context = replace(installed.context, support=CATALOGUE)
    return installed


def act(kept: CastInstallation, member: str = "association", key: str | None = None) -> BookAct:
    return BookAct(kept.viewer(member), kept.cast.units["association"], NOW, key)


def place(kept: CastInstallation, kind: str = "fund", name: str = "Quỹ chung") -> int:
    return acts.open_place(kept.context, act(kept), kind, name)


def balance(kept: CastInstallation, id: int, kind: str = "cash") -> int:
    with kept.store.reading("test") as session:
        account = ledger.account(session, id)
        assert account is not None
        return ledger.balance(session, account, kind)


def referred(kept: CastInstallation, **need: object) -> str:
    """A case that its commune referred to the association."""
    code = kept.open()
    for member, name, values in (
        ("teacher", "ask_commune", {"note": "Nhờ xã đến nhà"}),
        ("commune_officer", "refer_support", {"need": "Gạo và áo", **need}),
    ):
        if member == "commune_officer":
            case_acts.accept(kept.context, Act(kept.viewer(member), code, {}, NOW))
        case_acts.step(kept.context, Act(kept.viewer(member), code, values, NOW), name)
    return code


def give(kept: CastInstallation, code: str, kind: str, quantity: str, source: int | None = None, key: str = "") -> None:
    typed = {"support_kind": kind, "quantity": quantity, "given_on": "2026-03-02"}
    gifts.give(kept.context, Act(kept.viewer("volunteer"), code, typed, NOW, key=key or None), source)


def needs(kept: CastInstallation) -> list[tuple[str | None, int | None, int]]:
    with kept.store.reading("test") as session:
        rows = session.execute(select(t.Need.kind, t.Need.quantity, t.Need.met).order_by(t.Need.seq))
        return [(kind, quantity, met) for kind, quantity, met in rows]


def sound(kept: CastInstallation) -> list[str]:
    return [str(it) for it in verify.breaks(kept.store)]


def test_a_form_that_is_sent_twice_is_entered_once_and_with_other_content_refused(kept: CastInstallation) -> None:
    fund = place(kept)
    first = acts.receive(kept.context, act(kept, key="k1"), "Cô Mẫu", fund, Moved("cash", 100, DAY))
    assert acts.receive(kept.context, act(kept, key="k1"), "Cô Mẫu", fund, Moved("cash", 100, DAY)) == first
    with pytest.raises(Conflict):
        acts.receive(kept.context, act(kept, key="k1"), "Cô Mẫu", fund, Moved("cash", 101, DAY))
    with pytest.raises(Conflict):
        acts.receive(kept.context, act(kept, "volunteer", "k1"), "Cô Mẫu", fund, Moved("cash", 100, DAY))
    assert balance(kept, fund) == 100
    assert place(kept) == fund


def test_a_large_gift_that_is_sent_twice_is_asked_once(kept: CastInstallation) -> None:
    fund, code = place(kept), referred(kept)
    acts.receive(kept.context, act(kept), "Cô Mẫu", fund, Moved("cash", 20_000_000, DAY))
    for _ in range(2):
        give(kept, code, "cash", "6000000", fund, key="g1")
    assert balance(kept, fund) == 14_000_000
    with kept.store.reading("test") as session:
        (asked,) = ledger.waiting(session, [kept.cast.units["association"]])
    gifts.reverse(kept.context, kept.viewer("association"), asked, "Không duyệt", NOW)
    assert balance(kept, fund) == 20_000_000
    with pytest.raises(Conflict):
        gifts.agree(kept.context, Act(kept.viewer("association"), code, {}, NOW), asked)
    assert sound(kept) == []


def test_a_need_is_met_in_part_and_the_rest_stays_open_until_it_is_given(kept: CastInstallation) -> None:
    stock = place(kept, "stock", "Kho")
    acts.receive(kept.context, act(kept), "Cô Mẫu", stock, Moved("rice", "50", DAY))
    code = referred(kept, need_kind="rice", need_quantity="20", need_by="2026-03-20")
    assert needs(kept) == [("rice", 20_000, 0)]
    give(kept, code, "rice", "7,5", stock)
    assert needs(kept) == [("rice", 20_000, 7_500)]
    typed = {"need_kind": "notebooks", "need_quantity": "10"}
    raise_need(kept.context, Act(kept.viewer("teacher"), code, typed, NOW))
    give(kept, code, "rice", "15")  # somebody outside the books
    assert needs(kept) == [("rice", 20_000, 20_000), ("notebooks", 10, 0)]
    with kept.store.reading("test") as session:
        newest = session.execute(select(t.LedgerEntry.id).order_by(t.LedgerEntry.id.desc()).limit(1)).scalar_one()
    gifts.reverse(kept.context, kept.viewer("association"), newest, "Ghi nhầm", NOW)
    assert needs(kept) == [("rice", 20_000, 7_500), ("notebooks", 10, 0)]
    with kept.store.reading("test") as session:
        shown = session.execute(select(t.Support.quantity).where(t.Support.replaced_seq.is_(None))).scalars().all()
    assert (shown, sound(kept), balance(kept, stock, "rice")) == (["7.5"], [], 42_500)


def test_a_form_of_an_old_page_refers_a_need_in_words_only(kept: CastInstallation) -> None:
    referred(kept)
    assert needs(kept) == [(None, None, 0)]


def test_nobody_else_touches_the_books_and_a_volunteer_only_gives_and_receives(kept: CastInstallation) -> None:
    fund, other, moved = place(kept), place(kept, name="Quỹ khác"), Moved("cash", 5, DAY, "lý do")
    acts.receive(kept.context, act(kept, "volunteer"), "Cô Mẫu", fund, Moved("cash", 100, DAY))
    for member in ("teacher", "head", "commune_leader", "admin", "outsider_association"):
        with pytest.raises(NoAccess):
            acts.receive(kept.context, act(kept, member), "Cô Mẫu", fund, moved)
    mine = act(kept, "volunteer")
    not_theirs: list[Callable[[], object]] = [
        lambda: acts.open_place(kept.context, mine, "fund", "Quỹ mới"),
        lambda: acts.transfer(kept.context, mine, fund, other, moved),
        lambda: acts.lose(kept.context, mine, fund, moved),
        lambda: acts.begin_with(kept.context, mine, fund, moved),
    ]
    for do in not_theirs:
        with pytest.raises(NotAllowed):
            do()
    elsewhere = BookAct(kept.viewer("outsider_association"), kept.cast.units["outsider_association"], NOW)
    of_others: list[Callable[[], object]] = [
        lambda: acts.receive(kept.context, elsewhere, "Cô Mẫu", fund, moved),
        lambda: acts.lose(kept.context, elsewhere, fund, moved),
        lambda: gifts.reverse(kept.context, elsewhere.viewer, 1, "lý do", NOW),
    ]
    for do in of_others:
        with pytest.raises(NoAccess):
            do()
    assert balance(kept, fund) == 100


def test_a_purchase_takes_the_price_and_brings_the_goods_or_neither(kept: CastInstallation) -> None:
    fund, stock = place(kept), place(kept, "stock", "Kho")
    acts.begin_with(kept.context, act(kept), fund, Moved("cash", 500_000, DAY))
    acts.buy(kept.context, act(kept, key="b1"), fund, 400_000, stock, Moved("notebooks", 50, DAY))
    acts.buy(kept.context, act(kept, key="b1"), fund, 400_000, stock, Moved("notebooks", 50, DAY))
    with pytest.raises(Refused) as refused:
        acts.buy(kept.context, act(kept), fund, 400_000, stock, Moved("notebooks", 50, DAY))
    assert refused.value.code == "insufficient"
    assert (balance(kept, fund), balance(kept, stock, "notebooks")) == (100_000, 50)


def test_a_pledge_that_ends_is_promised_no_longer(kept: CastInstallation) -> None:
    fund = place(kept)
    acts.pledge(kept.context, act(kept), "Cô Mẫu", Moved("cash", 100, DAY), DAY)
    with kept.store.reading("test") as session:
        (pledge,) = ledger.accounts_of(session, [kept.cast.units["association"]], ["pledge"])
    acts.receive(kept.context, act(kept), "Cô Mẫu", fund, Moved("cash", 40, DAY), pledged=True)
    acts.lapse(kept.context, act(kept), pledge.id, "cash", "Đơn vị giải thể")
    assert balance(kept, pledge.id) == 0
    with pytest.raises(Conflict):
        acts.lapse(kept.context, act(kept), pledge.id, "cash", "Lần nữa")
    assert balance(kept, pledge.donor_id or 0) == -40


def test_verify_finds_a_balance_that_is_off_and_a_need_that_is_not(kept: CastInstallation) -> None:
    fund, code = place(kept), referred(kept, need_kind="cash", need_quantity="50")
    acts.receive(kept.context, act(kept), "Cô Mẫu", fund, Moved("cash", 100, DAY))
    give(kept, code, "cash", "20", fund)
    assert sound(kept) == []
    with kept.store.writing("test") as session:
        session.execute(text("UPDATE ledger_balances SET balance = balance + 1"))
        session.execute(text("UPDATE needs SET met = 21"))
        session.execute(text("UPDATE support SET quantity = '22'"))
    found = sound(kept)
    assert len(found) == 3
    assert "81 steps of cash are kept, but its entries sum up to 80" in found[0]


# --- lists ------------------------------------------------------------------------------------------------------------

LIST = """Sao kê tháng 3,,,,,
Ngày,Nhà hảo tâm,Quỹ / kho,Mã hồ sơ,Loại,Số lượng,Mã giao dịch
2/3/2026,Cô Mẫu,Quỹ chung,,,1.000.000,FT1
2/3/2026,Cô Mẫu,Quỹ chung,,,200.000,
2/3/2026,Cô Mẫu,Quỹ chung,,,200.000,
2/3/2026,,Quỹ chung,{code},Tiền mặt,150000,
"""


def test_a_list_is_brought_in_once_however_often_it_comes(kept: CastInstallation) -> None:
    fund, code = place(kept), referred(kept)
    data = LIST.format(code=code).encode()
    dry = bring_in(kept.context, data, "list.csv", NOW, dry=True)
    assert dry.summary() == {"receipts": 3, "gifts": 1, "known": 0, "wrong": 0}
    assert balance(kept, fund) == 0
    assert bring_in(kept.context, data, "list.csv", NOW, dry=False).summary() == dry.summary()
    longer = data + b"3/2/2026,Ong Thu,Quy khac,,,5,\n"
    again = bring_in(kept.context, data, "list.csv", NOW, dry=False)
    assert again.summary() == {"receipts": 0, "gifts": 0, "known": 4, "wrong": 0}
    assert balance(kept, fund) == 1_250_000
    with pytest.raises(Faulty):
        bring_in(kept.context, longer, "list.csv", NOW, dry=False)
    assert sound(kept) == []


def test_a_list_with_faults_says_all_of_them_and_enters_nothing(kept: CastInstallation) -> None:
    fund = place(kept)
    rows = [
        ["Ngày", "Nhà hảo tâm", "Quỹ", "Mã hồ sơ", "Loại", "Số tiền"],
        [dt.date(2026, 3, 2), "Cô Mẫu", "Quỹ chung", "", "", 100],
        ["ngày mai", "Cô Mẫu", "", "", "vàng", "nhiều"],
        ["5/3/2026", "Cô Mẫu", "Quỹ chung", "RL-1", "", 5],
        ["2/3/2026", "", "Quỹ chung", "RL-2026-999999", "", 5],
        ["2/3/2026", "Cô Mẫu", "Quỹ khác", "", "", 5],
        ["2/3/2026", "Cô Mẫu", "Quỹ chung", "", "Gạo", 5],
        ["2/3/2026", "Cô Mẫu", "Quỹ chung", "", "", 0.5],
    ]
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"default_date_format": "dd/mm/yyyy"})
    sheet = book.add_worksheet()
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    for dry in (True, False):
        with pytest.raises(Faulty) as found:
            bring_in(kept.context, buffer.getvalue(), "list.xlsx", NOW, dry=dry)
        places = [(it.file.partition(":")[2], it.key) for it in found.value.faults]
        assert places == [
            ("3", "day"),
            ("3", "place"),
            ("3", "quantity"),
            ("3", "kind"),
            ("4", "day"),
            ("4", "donor"),
            ("5", ""),
            ("6", "place"),
            ("7", "kind"),
            ("8", "quantity"),
        ]
    assert balance(kept, fund) == 0


def test_a_file_without_the_headings_is_refused(kept: CastInstallation) -> None:
    with pytest.raises(Faulty, match="Ngày"):
        bring_in(kept.context, b"a,b\n1,2\n", "list.csv", NOW, dry=False)


# --- books ------------------------------------------------------------------------------------------------------------


def wrong_assertions(lines: Iterable[str]) -> list[str]:
    """Reads books as an independent program does: sums up the postings, and returns the assertions that do not hold.

    Every transaction must sum to zero for each commodity. Written for this test, of the format's description.
    """
    held: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    open_: set[str] = set()
    parts: dict[str, Decimal] = defaultdict(Decimal)
    wrong: list[str] = []
    for line in [*lines, "9999-12-31 end"]:
        if posting := re.fullmatch(r"  ([A-Z][\w:]+)  (-?[\d.]+) ([A-Z][A-Z0-9-]*)", line):
            account, amount, code = posting.groups()
            assert account in open_, line
            held[account, code] += Decimal(amount)
            parts[code] += Decimal(amount)
            continue
        if re.match(r"\d{4}-", line):
            wrong += [f"{code} before {line}" for code, rest in parts.items() if rest]
            parts.clear()
        if found := re.fullmatch(r"\d{4}-\d\d-\d\d open (\S+)", line):
            open_.add(found[1])
        found = re.fullmatch(r"\d{4}-\d\d-\d\d balance (\S+)  (-?[\d.]+) ~ 0 (\S+)", line)
        if found and held[found[1], found[3]] != Decimal(found[2]):
            wrong.append(line)
    return wrong


def test_the_books_add_up_for_another_program_and_no_longer_after_one_dong(kept: CastInstallation) -> None:
    fund, stock, code = place(kept), place(kept, "stock", 'Kho "A"'), referred(kept)
    before = dt.date(2025, 12, 31)
    acts.receive(kept.context, act(kept), "Cô Mẫu", fund, Moved("cash", 1_000_000, before))
    acts.receive(kept.context, act(kept), "Cô Mẫu", stock, Moved("rice", "60.5", dt.date(2026, 1, 31)))
    acts.pledge(kept.context, act(kept), "Cô Mẫu", Moved("rice", 5, DAY), None)
    give(kept, code, "rice", "7.25", stock)
    give(kept, code, "cash", "300000", fund)
    with kept.store.reading("test") as session:
        lines = "\n".join(books.lines(session, CATALOGUE, 2026, "Ra Lớp", HERE)).split("\n")
    assert wrong_assertions(lines) == []
    assert f"2026-04-01 balance Assets:Stock:A{stock}  53.25 ~ 0 G-RICE" in lines
    assert f"2027-01-01 balance Assets:Fund:A{fund}  700000 ~ 0 VND" in lines
    assert "Cô Mẫu" in "\n".join(lines)
    assert "A Thử" not in "\n".join(lines)
    off = [line.replace(" 300000 VND", " 300001 VND").replace("-300000 VND", "-300001 VND") for line in lines]
    assert len(wrong_assertions(off)) == 10  # the ends of March to December
    alone = [line.replace("  -300000 VND", "  -300001 VND") for line in lines]
    assert any("VND before" in it for it in wrong_assertions(alone))
