"""The planned dates of a case (D1.5 to D1.7), and the acts that mark them as done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from engine.core.cases.casework import CHECK_IN, LESSON
from engine.core.words import Label

KINDS: Mapping[str, Label] = {
    LESSON: Label("Buổi phụ đạo", "Catch-up lesson"),
    CHECK_IN: Label("Hỏi thăm, theo dõi", "Check-in"),
}


@dataclass(frozen=True, slots=True)
class Date:
    """A planned date: its kind, its words, until when; `may`: whether the reader can mark it as done here."""

    kind: str
    label: Label
    at: dt.datetime
    may: bool


def dates(planned: Iterable[tuple[str, dt.datetime]], may: Mapping[str, bool]) -> list[Date]:
    """Returns the open dates in their order; the earliest of each kind can be marked as done by those who `may`."""
    found: list[Date] = []
    for kind, at in planned:
        first = all(date.kind != kind for date in found)
        found.append(Date(kind, KINDS.get(kind, Label(kind, kind)), at, first and may.get(kind, False)))
    return found
