"""Who a row of a list of pupils is about: what of a name or a birth date differs, and what a person decided.

A code says who somebody is. A row that bears a known code and another name or birth date is perhaps a mended spelling,
perhaps another child; no program can tell, so a person does.
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
    """A name, birth date or code: what stands here, and what the file says, as texts."""

    field: str
    old: str
    new: str


def differences(old: Mapping[str, Any], values: Mapping[str, Any]) -> list[Difference]:
    """Where name and birth date of a row are others than those of the pupil; what one side does not know is none."""
    found = []
    if not same_name(old[NAME], values[NAME]):
        found.append(Difference(NAME, old[NAME], values[NAME]))
    before, born = old[BIRTH_DATE], values.get(BIRTH_DATE)
    if before is not None and born is not None and before != born:
        found.append(Difference(BIRTH_DATE, _said(before), _said(born)))
    return found


def same_name(one: str, other: str) -> bool:
    """Whether two names are one, written with other capitals or with the tone on another letter (hoà, hòa).

    >>> same_name("A THỬ", "A Thử"), same_name("Y Hoa", "Y Hòa")
    (True, False)
    """
    return one == other or (fold(one) == fold(other) and sort_key(one) == sort_key(other))


def whole(found: Sequence[Difference]) -> bool:
    """Whether so much differs that the row may be about another child, so that nothing of it is taken."""
    return len(found) > 1


def reasons(found: Sequence[Difference]) -> list[Sentence]:
    """Why a row is held. No name stands in it: reasons are also told on a terminal."""
    if whole(found):
        return [ANOTHER_CHILD]
    return [{NAME: OTHER_NAME, BIRTH_DATE: OTHER_BIRTH_DATE}[difference.field] for difference in found]


def without(values: Mapping[str, Any], found: Sequence[Difference]) -> dict[str, Any]:
    """The columns of a row without those that are held."""
    fields = {difference.field for difference in found}
    held = {*fields, *(OF_A_NAME if NAME in fields else ())}
    return {key: value for key, value in values.items() if key not in held}


def _said(day: dt.date) -> str:
    return day.strftime("%d/%m/%Y")
