"""Compares a row of a list of pupils with the pupil of its code: which name or birth date differs, what a person
decided.

A code says who a pupil is. A row with a known code and another name or birth date may correct a spelling, or may mean
another child. No program can tell, so a person decides.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.text import fold, sort_key
from engine.core.words import Sentence

NAME, BIRTH_DATE, CODE = "name", "birth_date", "code"
# The columns of a pupil that follow the name.
OF_A_NAME = (NAME, "search_key", "sort_key")

OTHER_NAME = Sentence(
    "The name under this code is another one here. It stays as it is until a person decides; the rest of the row is "
    "taken."
)
OTHER_BIRTH_DATE = Sentence(
    "The birth date under this code is another one here. It stays as it is until a person decides; the rest of the row "
    "is taken."
)
ANOTHER_CHILD = Sentence(
    "Name and birth date under this code are others here: perhaps another child. Nothing of the row is taken until a "
    "person decides."
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A name, birth date or code that differs: our text, and the text of the file."""

    field: str
    old: str
    new: str


def differences(old: Mapping[str, Any], values: Mapping[str, Any]) -> list[Difference]:
    """Returns where name and birth date of a row differ from the pupil's; a value that one side lacks is not a
    difference.
    """
    found = []
    if not same_name(old[NAME], values[NAME]):
        found.append(Difference(NAME, old[NAME], values[NAME]))
    before, born = old[BIRTH_DATE], values.get(BIRTH_DATE)
    if before is not None and born is not None and before != born:
        found.append(Difference(BIRTH_DATE, _said(before), _said(born)))
    return found


def same_name(one: str, other: str) -> bool:
    """Returns whether two names are the same apart from capitals and the place of the tone (hoà, hòa).

    >>> same_name("A THỬ", "A Thử"), same_name("Y Hoa", "Y Hòa")
    (True, False)
    """
    return one == other or (fold(one) == fold(other) and sort_key(one) == sort_key(other))


def whole(found: Sequence[Difference]) -> bool:
    """Returns whether so much differs that the row may mean another child; then nothing of it is taken."""
    return len(found) > 1


def reasons(found: Sequence[Difference]) -> list[Sentence]:
    """Returns why a row is held. The reasons contain no name, because terminals show them too."""
    if whole(found):
        return [ANOTHER_CHILD]
    return [{NAME: OTHER_NAME, BIRTH_DATE: OTHER_BIRTH_DATE}[difference.field] for difference in found]


def without(values: Mapping[str, Any], found: Sequence[Difference]) -> dict[str, Any]:
    """Returns the columns of a row without the held ones."""
    fields = {difference.field for difference in found}
    held = {*fields, *(OF_A_NAME if NAME in fields else ())}
    return {key: value for key, value in values.items() if key not in held}


def _said(day: dt.date) -> str:
    return day.strftime("%d/%m/%Y")
