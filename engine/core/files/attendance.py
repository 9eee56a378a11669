"""Reads registers: long lists (a mark a row), wide monthly sheets (a pupil a row, a day a column), daily summaries.

Each reader gives the same: rows with marks, or wrong rows. A blank cell gives no mark.
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
from engine.core.files.sheets import Cell, Sheet
from engine.core.files.summary import DayOfClass
from engine.core.files.values import code_of, day_of, is_personal_id, text_of, without_ids
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread

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
        known: dict[tuple[Cell, Cell, Cell], list[Mark]] = {}
        for number, cells in self.table.rows:
            if len(cells) <= widest:
                cells.extend([None] * (widest + 1 - len(cells)))
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

    def _marks(self, date: Cell, session: Cell, mark: Cell) -> list[Mark]:
        if text_of(mark).lower() in self.empty:
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
