"""What may move from where to where: decided without a database."""

import datetime as dt
from dataclasses import replace
from itertools import product

import pytest

from engine.core.refusals import Conflict, Invalid, NotAllowed, NotEnough
from engine.core.support.ledger import (
    ACCOUNT_KINDS,
    ASKED,
    BOUNDED,
    DONOR,
    ENTRY_KINDS,
    FUND,
    GAVE,
    GIVEN,
    HELD,
    LOSS,
    LOST,
    PLEDGE,
    RECEIVED,
    REVERSED,
    STOCK,
    WAYS,
    Account,
    Books,
    Made,
    Transfer,
    check,
    reversal,
    settlement,
)
from tests.engine.core.support.test_catalogue import CASH, RICE

TODAY = dt.date(2026, 3, 2)
DONORS, MONEY, GOODS, OUT, WAITS = (
    Account(number, kind, "", 1) for number, kind in enumerate((DONOR, FUND, STOCK, GIVEN, HELD), 1)
)
RECEIPT = Transfer(RECEIVED, DONORS, MONEY, CASH, 500, TODAY)
ASKING = Made(9, ASKED, MONEY, WAITS, "cash", 500, TODAY, entered_by_id=1, role="volunteer")


def test_every_way_that_is_not_named_is_refused() -> None:
    for what, source, target in product(WAYS, ACCOUNT_KINDS, ACCOUNT_KINDS):
        kind = RICE if STOCK in {source, target} else CASH
        move = Transfer(what, Account(1, source, "", 1), Account(2, target, "", 1), kind, 1, TODAY, reason="vì sao")
        if (source, target) in WAYS[what]:
            assert check(move, TODAY) is move
        else:
            with pytest.raises(NotAllowed):
                check(move, TODAY)


@pytest.mark.parametrize(
    "wrong",
    [
        replace(RECEIPT, kind=RICE),
        replace(RECEIPT, target=GOODS),
        replace(RECEIPT, happened_on=TODAY + dt.timedelta(days=1)),
        Transfer(LOSS, GOODS, Account(8, LOST, "", 1), RICE, 1, TODAY, reason="  "),
    ],
)
def test_goods_in_a_fund_money_in_a_stock_a_day_to_come_and_a_loss_without_a_reason_are_refused(
    wrong: Transfer,
) -> None:
    with pytest.raises(Invalid):
        check(wrong, TODAY)


def test_nothing_comes_from_a_pledge_that_has_ended() -> None:
    pledge = Account(7, PLEDGE, "", 1, donor_id=1, until=TODAY)
    late = Transfer(RECEIVED, pledge, MONEY, CASH, 1, TODAY + dt.timedelta(days=1))
    assert check(replace(late, happened_on=TODAY), TODAY)
    with pytest.raises(NotAllowed):
        check(late, late.happened_on)


def test_what_is_bounded_never_holds_less_than_nothing_and_the_sum_is_zero() -> None:
    books = Books()
    books.add(RECEIPT)
    with pytest.raises(NotEnough):
        books.add(Transfer(GAVE, MONEY, OUT, CASH, 501, TODAY))
    books.add(Transfer(GAVE, MONEY, OUT, CASH, 500, TODAY))
    assert [books.held(it, CASH) for it in (DONORS, MONEY, OUT)] == [-500, 0, 500]
    assert sum(books.balances.values()) == 0
    assert {it for it in ACCOUNT_KINDS if Account(1, it, "", 1).bounded} == BOUNDED


def test_a_reversal_moves_the_same_back_once_and_is_not_reversed_itself() -> None:
    made = Made(4, RECEIVED, DONORS, MONEY, "cash", 500, TODAY, 1, "association")
    back = reversal(made, CASH, " Ghi nhầm ", TODAY)
    assert (back.what, back.source, back.target, back.quantity, back.of) == (REVERSED, MONEY, DONORS, 500, 4)
    assert back.reason == "Ghi nhầm"
    with pytest.raises(Conflict):
        reversal(replace(made, answered=True), CASH, "lý do", TODAY)
    with pytest.raises(NotAllowed):
        reversal(replace(made, what=REVERSED), CASH, "lý do", TODAY)
    with pytest.raises(Invalid):
        reversal(made, CASH, "", TODAY)


def test_a_second_person_agrees_if_one_of_the_two_leads() -> None:
    assert settlement(ASKING, CASH, OUT, 2, {"association"}).of == 9
    assert settlement(replace(ASKING, role="association"), CASH, OUT, 2, {"volunteer"}).target == OUT
    with pytest.raises(NotAllowed, match="lead the association"):
        settlement(ASKING, CASH, OUT, 2, {"volunteer"})
    with pytest.raises(NotAllowed, match="somebody else"):
        settlement(ASKING, CASH, OUT, 1, {"association"})
    with pytest.raises(Conflict):
        settlement(replace(ASKING, answered=True), CASH, OUT, 2, {"association"})


def test_an_entry_says_what_it_does() -> None:
    said = RECEIPT.explained
    assert said.in_("en") == "Received: 500 VND of “Cash” from “Donor” to “Fund”."
    assert set(ENTRY_KINDS) == {*WAYS, REVERSED}
