"""Reads daily summaries: how many pupils of each class were present on a day, and whether attendance was taken."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import NamedTuple

from engine.core.files.aliases import Aliases
from engine.core.files.lines import Table, Wrong, wrong
from engine.core.files.values import choice_of, day_of, text_of, whole_of, without_ids
from engine.core.text import fold
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread, read_date

NEEDS = (("class",), ("enrolled", "present"), ("excused", "unexcused", "taken"))
COUNTS = ("enrolled", "present", "excused", "unexcused", "late")
_DATE = re.compile(r"\b(\d{1,2})(?: thang)? (\d{1,2})(?: nam)? (\d{4})\b")


class DayOfClass(NamedTuple):
    """One class on one day: the number of pupils (None: not given), and whether attendance was taken."""

    given: Wrong  # the row as in the file, if its class is not known
    class_name: str
    day: dt.date
    taken: bool
    counts: tuple[int | None, ...]


def read_summary(table: Table, aliases: Aliases, today: dt.date) -> Iterator[DayOfClass | Wrong]:
    """Returns the row of each class. The date is in a column or above the table."""
    words = aliases.values("taken")
    titled = _day_in(table.title)
    for number, cells in table.rows:
        name = without_ids(text_of(table.header.cell(cells, "class")))
        if not name or fold(name).startswith(("tong", "cong")):
            continue
        try:
            day = _day_of_row(day_of(table.header.cell(cells, "date"), today) or titled, today)
            counts = tuple(whole_of(table.header.cell(cells, key)) for key in COUNTS)
            said = choice_of(table.header.cell(cells, "taken"), words, Sentence("state"))
            taken = said == "yes" if said else any(count is not None for count in counts[1:])
            if not taken:
                counts = (counts[0], None, None, None, None)  # zeros of a class where nobody counted are not numbers
            yield DayOfClass(wrong(table.sheet, number, table.header, cells, ()), name, day, taken, counts)
        except Misread as misread:
            yield wrong(table.sheet, number, table.header, cells, [misread.sentence])


def _day_of_row(day: dt.date | None, today: dt.date) -> dt.date:
    if day is None or day > today:
        raise Misread(Sentence("The row has no date."))
    return day


def _day_in(titles: tuple[str, ...]) -> dt.date | None:
    for title in titles:
        if found := _DATE.search(fold(title)):
            return read_date("/".join(found.groups()))
    return None
