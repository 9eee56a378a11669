"""Reads registers: long lists (a mark a row), wide monthly sheets (a pupil a row, a day a column), daily summaries.

Each reader gives the same: rows with marks, or wrong rows. A blank cell gives no mark. The column of dates of a long
list is judged as one: where an Excel with American dates has swapped days and months, what it swapped is held back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple

from engine.core.files import summary, wide
from engine.core.files.aliases import Aliases
from engine.core.files.headers import SEARCHED
from engine.core.files.lines import Notes, Table, Wrong, no_table, passed_over, table_of, without_ids_in_names, wrong
from engine.core.files.marks import Mark, Marked, MarkReader
from engine.core.files.sheets import Cell, Row, Sheet
from engine.core.files.summary import DayOfClass
from engine.core.files.values import code_of, day_of, is_personal_id, text_of, without_ids
from engine.core.invariants import given
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread, read_date

JUDGED = 2_000  # rows by which the dates of a list are judged
LEAST_SWAPPED, SPAN = 3, 31  # different days; days that a list spans
SWAPPED = Sentence(
    "Column “{column}”: {day} seems to have its day and month swapped by an Excel with American dates; it "
    "would be {meant}. Write the dates of this column as text, such as 20/11/2026, or set Excel to Vietnamese dates."
)
NEEDS = (("code", "name"), ("date",), ("mark",))
Read = Iterator[Marked | DayOfClass | Wrong]


class FileFacts(NamedTuple):
    """What a person adds to a file because the file does not say it.

    `month`: the first day of the month of a wide sheet; `session`: the one that a plain mark means ("m", "a", "ma").
    """

    today: dt.date
    month: dt.date | None = None
    session: str = "m"


def read_attendance(sheets: Iterator[Sheet], aliases: Aliases, asked: FileFacts, notes: Notes) -> Read:
    """Yields each row of the file, sheet by sheet, for each form of a sheet. Raises `Unreadable`."""
    found = False
    for sheet in without_ids_in_names(sheets):
        rows = _read_sheet(sheet, aliases, asked)
        if rows is None:
            notes.say(passed_over(sheet))
            continue
        found = True
        yield from rows
    if not found:
        raise no_table("pupil_code, date, session, mark")


def _read_sheet(sheet: Sheet, aliases: Aliases, asked: FileFacts) -> Read | None:
    first = list(islice(sheet.rows, SEARCHED + 1))  # as many rows as `table_of` reads to find a header

    def again() -> Sheet:
        return Sheet(sheet.name, chain(first, sheet.rows), sheet.height)

    if wide.is_wide([cells for _, cells in first], aliases):
        return wide.read_wide(again(), aliases, asked.today, asked.month, asked.session)
    if (table := table_of(again(), aliases, "attendance", NEEDS)) is not None:
        return _Long(table, aliases, asked).read()
    if (table := table_of(again(), aliases, "summary", summary.NEEDS)) is not None:
        return summary.read_summary(table, aliases, asked.today)
    return None


def are_swapped(cells: Sequence[Cell], today: dt.date) -> bool:
    """Returns whether an Excel with American dates read the dates of a column: 2/11 became 11 February.

    It swaps only days up to 12. The later ones, which it does not take for dates, stay texts. So the dates of the
    column are swapped if none is after the 12th, and the texts are all after it; or if they lie months apart, and would
    lie within a month the other way round.
    """
    days = {given(read_date(cell), "a date") for cell in cells if isinstance(cell, dt.date)}
    if not days or any(day.day > 12 for day in days):
        return False
    texts = [day for cell in cells if isinstance(cell, str) and (day := read_date(text_of(cell))) is not None]
    meant = [day.replace(month=day.day, day=day.month) for day in days]
    if all(day == other for day, other in zip(sorted(days), sorted(meant), strict=True)):
        return False
    if texts:
        return all(day.day > 12 for day in texts)
    apart = (max(days) - min(days)).days
    closer = max(meant) <= today and (max(meant) - min(meant)).days <= SPAN
    return len(days) >= LEAST_SWAPPED and apart > 2 * SPAN - 3 and closer


class _Long:
    """A list with one mark in each row.

    Repeated texts are read once: day, session and mark have only a few hundred forms.
    """

    def __init__(self, table: Table, aliases: Aliases, asked: FileFacts) -> None:
        self.table, self.asked, self.empty = table, asked, aliases.empty
        columns = table.header.columns
        self.at = {key: columns.get(key, -1) for key in ("code", "name", "class", "date", "session", "mark", "reason")}
        own = table.header.names[self.at["mark"]].strip().lower() == "mark"
        self.reader = MarkReader(aliases, own=own)
        self.classes: dict[Cell, str] = {}

    def read(self) -> Read:
        """Each row with a mark; a row whose mark is blank says that attendance was not taken."""
        sheet, header, at = self.table.sheet, self.table.header, self.at
        code_at, mark_at, date_at, reason_at = at["code"], at["mark"], at["date"], at["reason"]
        class_at = at["class"]
        session_at = at["session"] if at["session"] >= 0 else mark_at
        widest = max(at.values())
        rows = self._judge()
        known: dict[tuple[Cell, Cell, Cell], list[Mark]] = {}
        for number, cells in rows:
            if len(cells) <= widest:
                cells.extend([None] * (widest + 1 - len(cells)))
            if self.swapped and isinstance(cells[date_at], dt.date):
                yield wrong(sheet, number, header, cells, [self._swapped(cells[date_at])])
                continue
            key = (cells[date_at], cells[session_at], cells[mark_at])
            try:
                marks = known.get(key)
                if marks is None:
                    marks = known[key] = self._marks(*key)
                if not marks:
                    continue
                code = _code(cells[code_at]) if code_at >= 0 else ""
                name = "" if code else self._name(cells)
                in_class = self._class(cells[class_at]) if class_at >= 0 else ""
                reason = self._reason(cells[reason_at]) if reason_at >= 0 and cells[reason_at] else None
            except Misread as misread:
                yield wrong(sheet, number, header, cells, [misread.sentence])
                continue
            yield Marked(sheet, number, header, cells, code, name, in_class, marks, reason)

    def _judge(self) -> Iterator[Row]:
        """Looks at the dates of the first rows, and returns all rows."""
        first = list(islice(self.table.rows, JUDGED))
        dates = [cells[self.at["date"]] for _, cells in first if len(cells) > self.at["date"]]
        self.swapped = are_swapped(dates, self.asked.today)
        return chain(first, self.table.rows)

    def _swapped(self, cell: Cell) -> Sentence:
        day = given(read_date(cell), "only cells with a date are swapped")
        column = self.table.header.names[self.at["date"]]
        return Sentence(
            SWAPPED.msgid, column=without_ids(column), day=day, meant=day.replace(month=day.day, day=day.month)
        )

    def _marks(self, date: Cell, session: Cell, mark: Cell) -> list[Mark]:
        if text_of(mark).lower() in self.reader.empty:
            return []
        said = self.reader.cell(mark)
        if not said:
            return []
        day = day_of(date, self.asked.today)
        if day is None:
            raise Misread(Sentence("The row has no date."))
        named = text_of(session) if self.at["session"] >= 0 else ""
        default = self.reader.session(named) if named and named.lower() not in self.empty else self.asked.session
        return [(day, one, code) for sessions, code in said for one in sessions or default]

    def _name(self, cells: Sequence[Cell]) -> str:
        name = without_ids(text_of(cells[self.at["name"]])) if self.at["name"] >= 0 else ""
        if not name:
            raise Misread(Sentence("The row names no pupil."))
        return name

    def _class(self, cell: Cell) -> str:
        """Returns the class of a row. Pupils by name need one; by code it tells apart equal codes of two schools."""
        if cell not in self.classes:
            self.classes[cell] = without_ids(text_of(cell))
        return self.classes[cell]

    def _reason(self, cell: Cell) -> str | None:
        return without_ids(text_of(cell))[:200] or None


def _code(cell: Cell) -> str:
    code = cell if type(cell) is str and cell.isascii() and cell.isalnum() else code_of(cell)
    if len(code) >= 12 and is_personal_id(code):
        raise Misread(
            Sentence("The code is a personal id number (12 digits), which is never stored: give the Ministry's code.")
        )
    return code
