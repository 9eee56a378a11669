"""The kinds of support and their steps; a file that says them wrongly is told all of it at once."""

from decimal import Decimal
from pathlib import Path

import pytest

import rules
from engine.core.refusals import Invalid
from engine.core.support.catalogue import MOST, Kind, load_catalogue, steps_of
from engine.core.words import Faulty, Label

SHIPPED = (Path(str(rules.__file__)).parent / "support.toml").read_text(encoding="utf-8")
RICE = Kind("rice", Label("Gạo", "Rice"), Label("kg", "kg"), 1000, typical=18_000)
CASH = Kind("cash", Label("Tiền mặt", "Cash"), Label("đồng", "VND"), money=True)


def test_the_shipped_kinds_are_those_that_the_shipped_workflow_asks_for() -> None:
    from tests.installation import definitions

    asked = definitions().workflow("dropout").fields["support_kind"].choices
    kinds = load_catalogue(SHIPPED, "support.toml").kinds
    assert [(it.code, it.label, it.unit) for it in asked] == [(it.id, it.label, it.unit) for it in kinds.values()]


def test_every_fault_of_a_file_is_told_at_once() -> None:
    text = """
    format = 1
    version = 0
    second_person = -1
    [[kind]]
    id = "cash"
    step = 0.5
    unit = { vi = "đồng", en = "VND" }
    [[kind]]
    id = "rice"
    money = true
    typical = "much"
    colour = "white"
    unit = { vi = "kg" }
    [[kind]]
    id = "rice"
    unit = { vi = "kg", en = "kg" }
    """
    with pytest.raises(Faulty) as found:
        load_catalogue(text, "support.toml")
    assert {fault.key for fault in found.value.faults} == {
        "version",
        "second_person",
        "kind “cash”.money",
        "kind “cash”.step",
        "kind “rice”.money",
        "kind “rice”.typical",
        "kind “rice”.unit.en",
        "kind “rice”.colour",
        "kind",
    }


def test_a_file_without_kinds_is_no_catalogue() -> None:
    with pytest.raises(Faulty, match="at least one"):
        load_catalogue("format = 1\nversion = 1", "support.toml")


@pytest.mark.parametrize(("amount", "steps"), [("7.5", 7500), ("0.001", 1), ("1000000000000", MOST)])
def test_a_quantity_is_counted_in_whole_steps(amount: str, steps: int) -> None:
    assert steps_of(RICE, amount) == steps
    assert RICE.amount(steps) == Decimal(amount)


@pytest.mark.parametrize("amount", ["0.0005", "0", "-1", "1000000000000.001"])
def test_a_quantity_that_cannot_be_counted_is_refused(amount: str) -> None:
    with pytest.raises(Invalid):
        steps_of(RICE, amount)


def test_a_gift_is_worth_what_its_kind_costs_and_a_large_one_needs_a_second_person() -> None:
    shipped = load_catalogue(SHIPPED, "support.toml")
    assert (RICE.worth(1500), CASH.worth(1500), shipped.kind("insurance").worth(1)) == (27_000, 1500, None)
    assert not shipped.needs_second(CASH, 5_000_000)
    assert shipped.needs_second(CASH, 5_000_001)
    assert shipped.needs_second(shipped.kind("bicycle"), 3)
    assert not shipped.needs_second(shipped.kind("insurance"), 10_000)


def test_a_kind_that_no_catalogue_has_is_counted_in_hundredths() -> None:
    assert load_catalogue(SHIPPED, "support.toml").kind("umbrella").steps == 100
