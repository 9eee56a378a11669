"""A gift that is put right on its case is put right in the books, in the same transaction: they never differ."""

import pytest
from sqlalchemy import select

from engine.core.cases.act import Act
from engine.core.refusals import NotAllowed, NotEnough, Questioned
from engine.store import tables as t
from engine.store.cases import verify as cases
from engine.store.support import verify
from engine.usecases.cases import corrections
from engine.usecases.support import acts, gifts
from engine.usecases.support.acts import Moved
from engine.usecases.support.needs import raise_need
from tests.engine.usecases.support.test_acts import DAY, NOW, act, balance, give, kept, needs, place, referred
from tests.installation import CastInstallation, installed

__all__ = ["installed", "kept"]  # fixtures

RICE = {"support_kind": "rice", "given_on": "2026-03-02"}
WHY = {"correction_reason": "Ghi nhầm"}
LEADER = "association"


def stocked(kept: CastInstallation, rice: str = "50") -> int:
    stock = place(kept, "stock", "Kho")
    acts.receive(kept.context, act(kept), "Cô Mẫu", stock, Moved("rice", rice, DAY))
    return stock


def by(kept: CastInstallation, member: str, code: str, **values: object) -> Act:
    return Act(kept.viewer(member), code, values, NOW)


def counting(kept: CastInstallation) -> list[str]:
    """The quantities on the case that count."""
    with kept.store.reading("test") as session:
        rows = select(t.Support.quantity).where(t.Support.replaced_seq.is_(None)).order_by(t.Support.seq)
        return list(session.execute(rows).scalars())


def entered(kept: CastInstallation) -> list[str]:
    with kept.store.reading("test") as session:
        return list(session.execute(select(t.LedgerEntry.kind).order_by(t.LedgerEntry.id)).scalars())


def off(kept: CastInstallation) -> list[str]:
    """What `ralop verify` says of the cases and of the books."""
    return [it.in_("en") for found in (cases.breaks(kept.store), verify.breaks(kept.store)) for it in found]


def test_a_corrected_quantity_is_reversed_and_entered_anew_from_where_it_came(kept: CastInstallation) -> None:
    stock = stocked(kept)
    code = referred(kept, need_kind="rice", need_quantity="20")
    give(kept, code, "rice", "15", stock)
    gift = kept.case(code).version
    typed = {"need_kind": "rice", "need_quantity": "8"}
    raise_need(kept.context, by(kept, "teacher", code, **typed))  # later than the gift, which does not meet it
    corrections.correct(kept.context, by(kept, "volunteer", code, **RICE, quantity="30", **WHY), gift)
    assert (balance(kept, stock, "rice"), counting(kept)) == (20_000, ["30"])
    assert needs(kept) == [("rice", 20_000, 20_000), ("rice", 8_000, 0)]
    corrections.correct(kept.context, by(kept, LEADER, code, **RICE, quantity="12", **WHY), gift)
    assert (balance(kept, stock, "rice"), counting(kept)) == (38_000, ["12"])
    assert needs(kept) == [("rice", 20_000, 12_000), ("rice", 8_000, 0)]
    assert off(kept) == []


def test_a_correction_that_the_books_do_not_see_enters_nothing(kept: CastInstallation) -> None:
    code = referred(kept)
    give(kept, code, "rice", "15")
    gift, before = kept.case(code).version, entered(kept)
    right = by(kept, "volunteer", code, **RICE, quantity="15", giver="Nhóm Mẫu", **WHY)
    corrections.correct(kept.context, right, gift)
    assert (entered(kept), counting(kept), off(kept)) == (before, ["15"], [])
    corrections.withdraw(kept.context, by(kept, "volunteer", code, **WHY), gift)
    assert (entered(kept), counting(kept), off(kept)) == ([*before, "reverse"], [], [])


def test_more_than_the_stock_holds_is_refused_and_nothing_changes(kept: CastInstallation) -> None:
    stock = stocked(kept)
    code = referred(kept)
    give(kept, code, "rice", "15", stock)
    gift, before = kept.case(code).version, entered(kept)
    with pytest.raises(NotEnough):
        corrections.correct(kept.context, by(kept, "volunteer", code, **RICE, quantity="51", **WHY), gift)
    assert (entered(kept), counting(kept), balance(kept, stock, "rice")) == (before, ["15"], 35_000)
    assert off(kept) == []


@pytest.mark.parametrize("how", ["withdraw", "undo", "reverse"])
def test_a_gift_that_counts_no_more_is_back_in_its_stock_and_the_need_is_open_again(
    kept: CastInstallation, how: str
) -> None:
    stock = stocked(kept)
    code = referred(kept, need_kind="rice", need_quantity="20")
    give(kept, code, "rice", "15", stock)
    gift = kept.case(code).version
    if how == "withdraw":
        corrections.withdraw(kept.context, by(kept, "volunteer", code, **WHY), gift)
    elif how == "undo":
        corrections.undo(kept.context, by(kept, "volunteer", code))
    else:
        gifts.reverse(kept.context, kept.viewer(LEADER), 2, "Ghi nhầm", NOW)
    assert (balance(kept, stock, "rice"), counting(kept)) == (50_000, [])
    assert needs(kept) == [("rice", 20_000, 0)]
    assert off(kept) == []
    with pytest.raises(NotAllowed, match="counts no more"):
        corrections.correct(kept.context, by(kept, "volunteer", code, **RICE, quantity="3", **WHY), gift)


def test_who_stands_above_puts_no_gift_right_that_came_from_the_books_of_others(kept: CastInstallation) -> None:
    stock = stocked(kept)
    code = referred(kept)
    give(kept, code, "rice", "15", stock)
    gift = kept.case(code).version
    with pytest.raises(NotAllowed, match="books of an association"):
        corrections.withdraw(kept.context, by(kept, "education_office", code, **WHY), gift)
    assert (counting(kept), off(kept)) == (["15"], [])


def test_a_gift_that_a_second_person_let_happen_goes_back_to_its_fund(kept: CastInstallation) -> None:
    fund, code = place(kept), referred(kept)
    acts.receive(kept.context, act(kept), "Cô Mẫu", fund, Moved("cash", 20_000_000, DAY))
    give(kept, code, "cash", "6000000", fund)
    gifts.agree(kept.context, by(kept, LEADER, code), 2)
    gift = kept.case(code).version
    right = {"support_kind": "cash", "given_on": "2026-03-02", "quantity": "5900000", **WHY}
    with pytest.raises(NotAllowed, match="second person"):
        corrections.correct(kept.context, by(kept, LEADER, code, **right), gift)
    corrections.withdraw(kept.context, by(kept, LEADER, code, **WHY), gift)
    assert (balance(kept, fund), counting(kept), off(kept)) == (20_000_000, [], [])


def test_a_gift_of_over_a_year_ago_is_asked_about_once(kept: CastInstallation) -> None:
    stock, code = stocked(kept), referred(kept)
    typed = {**RICE, "quantity": "5", "given_on": "2025-02-01"}
    with pytest.raises(Questioned):
        gifts.give(kept.context, by(kept, "volunteer", code, **typed), stock)
    gifts.give(kept.context, by(kept, "volunteer", code, **typed, confirm="yes"), stock)
    assert (counting(kept), off(kept)) == (["5"], [])


def test_a_need_that_is_corrected_is_as_old_as_it_was_and_one_that_is_withdrawn_is_open_no_more(
    kept: CastInstallation,
) -> None:
    code = referred(kept, need_kind="rice", need_quantity="20")
    typed = {"need_kind": "notebooks", "need_quantity": "10"}
    raise_need(kept.context, by(kept, "teacher", code, **typed))
    need = kept.case(code).version
    give(kept, code, "notebooks", "8")
    right = {**typed, "need_quantity": "12", "need_by": "2026-03-20", **WHY}
    corrections.correct(kept.context, by(kept, "teacher", code, **right), need)
    assert needs(kept) == [("rice", 20_000, 0), ("notebooks", 10, 8), ("notebooks", 12, 8)]
    assert off(kept) == []
    corrections.withdraw(kept.context, by(kept, "teacher", code, **WHY), need)
    assert off(kept) == []
    with kept.store.reading("test") as session:
        left = session.execute(select(t.Need.kind).where(t.Need.replaced_seq.is_(None))).scalars().all()
    assert left == ["rice"]


def test_a_step_that_refers_a_need_is_corrected_with_its_kind_and_quantity(kept: CastInstallation) -> None:
    code = referred(kept, need_kind="rice", need_quantity="20")
    step = kept.case(code).version
    give(kept, code, "rice", "15")
    right = {"need": "Gạo", "need_kind": "rice", "need_quantity": "10", **WHY}
    corrections.correct(kept.context, by(kept, "commune_officer", code, **right), step)
    assert needs(kept) == [("rice", 20_000, 15_000), ("rice", 10_000, 10_000)]
    assert off(kept) == []
