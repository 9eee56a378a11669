"""The kinds of support: what one is called, in which unit and smallest step it is counted, what it may cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from engine.core.refusals import Invalid
from engine.core.toml_reader import Reader, duplicates, format_of, in_words, read_toml
from engine.core.words import Faulty, Label, Sentence

KEYS = frozenset({"kind", "second_person", "double_aid_days"})
"""What tells such a file from others."""
CASH = "cash"
FINEST = 1_000_000  # steps in a unit, at most
MOST = 10**15  # steps of one entry, at most: the sum of a fund's entries stays far within 63 bits
_STEPS = tuple(10**power for power in range(7))


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of support. `steps`: the smallest steps in one unit; `typical`: đồng for one unit, if it is known."""

    id: str
    label: Label
    unit: Label
    steps: int = 1
    money: bool = False
    typical: int | None = None

    def counted(self, amount: Decimal) -> int | None:
        """Returns an amount of units in steps; None if it is not a whole number of them."""
        steps = amount * self.steps
        return int(steps) if steps == steps.to_integral_value() else None

    def amount(self, steps: int) -> Decimal:
        """Returns a number of steps in units, without zeros at its end."""
        found = Decimal(steps) / self.steps
        return found.quantize(Decimal(1)) if found == found.to_integral_value() else found.normalize()

    def worth(self, steps: int) -> int | None:
        """Returns what a quantity is worth in đồng; None where nobody knows."""
        if self.money:
            return steps
        return None if self.typical is None else steps * self.typical // self.steps


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All kinds by their id.

    `second_person`: a gift worth more đồng needs a second person; None: no gift does. `double_aid_days`: within so many
    days an association learns that others gave the same kind; 0: never.
    """

    kinds: Mapping[str, Kind] = field(default_factory=dict)
    second_person: int | None = None
    version: int = 0
    double_aid_days: int = 0

    def kind(self, id: str) -> Kind:
        """Returns a kind; one that the catalogue does not have is counted in hundredths of whatever its unit is."""
        return self.kinds.get(id) or Kind(id, in_words(id), Label("", ""), 1 if id == CASH else 100, money=id == CASH)

    def needs_second(self, kind: Kind, steps: int) -> bool:
        """Returns whether a gift of this size needs a second person."""
        worth = kind.worth(steps)
        return self.second_person is not None and worth is not None and worth > self.second_person


NO_CATALOGUE = Catalogue()


def steps_of(kind: Kind, amount: Decimal | int | str, field_name: str = "quantity") -> int:
    """Returns a quantity in steps of its kind.

    Raises `Invalid` for one that is not above zero, too large, or finer than the smallest step.
    """
    steps = kind.counted(Decimal(amount))
    if steps is None:
        smallest = kind.amount(1)
        raise Invalid(
            {
                field_name: Sentence(
                    "“{kind}” is counted in steps of {step} {unit}.", kind=kind.label, step=smallest, unit=kind.unit
                )
            }
        )
    if not 0 < steps <= MOST:
        raise Invalid({field_name: Sentence("Give a quantity above zero, and not as large as this.")})
    return steps


def load_catalogue(text: str, file: str) -> Catalogue:
    """Returns the kinds of support that the text of a TOML file declares.

    Raises:
        Faulty: lists every fault of the file.
    """
    reader = read_toml(text, file)
    format_of(reader)
    version = reader.whole("version", least=1)
    second = reader.whole("second_person", least=0) if "second_person" in reader else None
    days = reader.whole("double_aid_days", 0, least=0)
    kinds = [_kind(table) for table in reader.tables("kind")]
    if not kinds:
        reader.fault("kind", Sentence("There must be at least one kind of support."))
    for id in duplicates(iter(kind.id for kind in kinds)):
        reader.fault("kind", Sentence("The id “{id}” is given twice.", id=id))
    reader.close()
    if reader.faults:
        raise Faulty(reader.faults)
    return Catalogue({kind.id: kind for kind in kinds}, second, version, days)


def _kind(reader: Reader) -> Kind:
    id = reader.text("id")
    money = reader.flag("money")
    if money != (id == CASH):
        reader.fault("money", Sentence("The kind “{cash}” is money, and no other is.", cash=CASH))
    steps = _steps(reader)
    if money and steps != 1:
        reader.fault("step", Sentence("Money is counted in whole đồng."))
    typical = reader.whole("typical", least=1) if "typical" in reader else None
    return Kind(id, reader.label("label", in_words(id)), reader.label("unit"), steps, money, typical)


def _steps(reader: Reader) -> int:
    step = reader.number("step")
    found = next((steps for steps in _STEPS if step is not None and step * steps == 1), None)
    if step is not None and found is None:
        reader.fault("step", Sentence("A step is 1, 0.1, 0.01 and so on, down to a millionth of the unit."))
    return found or 1
