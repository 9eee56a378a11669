"""Reads monthly registers of teachers, vnEdu and SMAS: one row for each pupil, one or two columns for each day.

They have three header rows (day, weekday, S or C; the last two may be missing), titles above, several blocks in a sheet
(one for each class), and totals after the days. The title or the name of the sheet gives the month. The reader compares
the weekdays with the calendar and refuses a register of a wrong month.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from engine.core.files.aliases import Aliases
from engine.core.files.headers import Header, read_header
from engine.core.files.lines import Wrong
from engine.core.files.marks import Mark, Marked, MarkReader, as_long
from engine.core.files.sheets import Cell, Row, Sheet, Unreadable
from engine.core.files.values import code_of, is_personal_id, text_of, without_ids
from engine.core.text import fold
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread, read_date

LEAST_DAYS = 3  # columns; a row of days has at least so many
_DAY = re.compile(r"(?:ngày\s*)?(\d{1,2})(?:/\d{1,2})?", re.IGNORECASE)
_MONTH = re.compile(r"\bthang (\d{1,2})(?: nam)? (\d{4})\b|\b(\d{1,2}) (\d{4})$")
_MONTH_ALONE = re.compile(r"\b(?:thang|t) ?(\d{1,2})\b")
_SCHOOL_YEAR = re.compile(r"\bnam hoc (\d{4}) (\d{4})\b")
_CLASS = re.compile(r"\blớp\s*[:\-]?\s*(\S+)", re.IGNORECASE)
_TOTAL = re.compile(r"(tong|cong|si so|vang|ghi chu|nguoi|giao vien|hieu truong|duyet)\b")
_WEEKDAYS = {"t2": 0, "t3": 1, "t4": 2, "t5": 3, "t6": 4, "t7": 5, "cn": 6, "chu nhat": 6} | {
    name: day for day, name in enumerate(("hai", "ba", "tu", "nam", "sau", "bay"))
}


@dataclass(frozen=True)
class _Block:
    """One class's register: the rows from `begin` to `end`; `days`: column → (day of the month or date, sessions)."""

    begin: int
    end: int
    header: Header
    days: dict[int, tuple[int | dt.date, str]]
    weekdays: dict[int, int]
    titles: list[str]


def is_wide(rows: Sequence[Sequence[Cell]], aliases: Aliases) -> bool:
    """Returns whether one of these rows is a row of days with a column of pupils beside it."""
    return any(_header_at(rows, at, aliases) is not None for at in range(len(rows)))


def read_wide(
    sheet: Sheet, aliases: Aliases, today: dt.date, month: dt.date | None, session: str
) -> Iterator[Marked | Wrong]:
    """Yields the marks of each pupil. Raises `Unreadable` if the month is unknown or the weekdays do not fit it."""
    rows = list(sheet.rows)
    marks = MarkReader(aliases)
    known: dt.date | None = None
    for block in _blocks([cells for _, cells in rows], aliases):
        known = month or _month([*block.titles, sheet.name]) or known
        if known is None and not all(isinstance(day, dt.date) for day, _ in block.days.values()):
            raise Unreadable(
                Sentence(
                    "The sheet “{sheet}” does not say its month: write “Tháng 9 năm 2026” above it.", sheet=sheet.name
                )
            )
        reader = _BlockReader(sheet.name, block, known, today, session, marks)
        for row in rows[block.begin : block.end]:
            yield from reader.read(row)


def _blocks(rows: Sequence[Sequence[Cell]], aliases: Aliases) -> Iterator[_Block]:
    heads = [(at, found) for at in range(len(rows)) if (found := _header_at(rows, at, aliases)) is not None]
    starts = [at for at, _ in heads]
    above = 0
    for (at, (header, days)), end in zip(heads, [*starts[1:], len(rows)], strict=True):
        begin = at + 1
        weekdays: dict[int, int] = {}
        sessions: dict[int, str] = {}
        for below in rows[at + 1 : at + 3]:
            cells = {column: fold(text_of(below[column])) for column in range(len(below)) if text_of(below[column])}
            inside = {column: text for column, text in cells.items() if min(days) <= column <= max(days) + 1}
            if (
                inside
                and not weekdays
                and sum(_weekday(text) is not None for text in inside.values()) * 2 > len(inside)
            ):
                weekdays = {column: day for column, text in inside.items() if (day := _weekday(text)) is not None}
            elif inside and not sessions and all(text in {"s", "c", "sang", "chieu"} for text in inside.values()):
                sessions = {column: "m" if text.startswith("s") else "a" for column, text in inside.items()}
            else:
                break
            begin += 1
        titles = [text_of(cell) for row in rows[max(above, at - 12) : at] for cell in dict.fromkeys(row) if cell]
        yield _Block(begin, end, header, _spread(days, sessions), weekdays, titles)
        above = begin


def _spread(days: dict[int, int | dt.date], sessions: dict[int, str]) -> dict[int, tuple[int | dt.date, str]]:
    """Returns the day and session of each column.

    A day that is written only over its first column holds for the second too.
    """
    if not sessions:
        return {column: (day, "") for column, day in days.items()}
    found: dict[int, tuple[int | dt.date, str]] = {}
    for column, session in sorted(sessions.items()):
        day = days.get(column) or days.get(column - 1)
        if day is not None:
            found[column] = (day, session)
    return found


def _header_at(
    rows: Sequence[Sequence[Cell]], at: int, aliases: Aliases
) -> tuple[Header, dict[int, int | dt.date]] | None:
    """Returns the header if this row is a row of days with the pupils' columns named in it or next to it."""
    days = {column: day for column, cell in enumerate(rows[at]) if (day := _day_number(cell)) is not None}
    order = [day.day if isinstance(day, dt.date) else day for day in days.values()]
    if len(set(order)) < LEAST_DAYS or order != sorted(order):
        return None
    for near in (at, at - 1, at + 1, at - 2):
        if 0 <= near < len(rows):
            header = read_header([rows[near]], aliases, "attendance")
            if ("code" in header.columns or "name" in header.columns) and not {"date", "mark"} <= header.columns.keys():
                return Header(header.columns, _names(rows[at], header), header.dropped), days
    return None


def _names(row: Sequence[Cell], header: Header) -> list[str]:
    days = [text_of(cell) for cell in row]
    return [
        name or (days[at] if at < len(days) else "")
        for at, name in enumerate([*header.names, *[""] * (len(days) - len(header.names))])
    ]


def _day_number(cell: Cell) -> int | dt.date | None:
    if isinstance(cell, dt.date):
        return read_date(cell)
    text = text_of(cell)
    if day := read_date(text):
        return day
    found = _DAY.fullmatch(text)
    return int(found[1]) if found and 1 <= int(found[1]) <= 31 else None


def _weekday(text: str) -> int | None:
    return (
        _WEEKDAYS.get(text.removeprefix("thu ").replace("t ", "t")) if not text.isdigit() else _WEEKDAYS.get(f"t{text}")
    )


def _month(titles: Sequence[str]) -> dt.date | None:
    """Returns the month that a title names, with the year in the title or of the school year."""
    folded = [fold(title) for title in titles]
    for title in folded:
        if found := _MONTH.search(title):
            month, year = (int(part) for part in found.groups() if part)
            return dt.date(year, month, 1) if 1 <= month <= 12 and 1950 < year < 2200 else None
    months = [int(found[1]) for title in folded if (found := _MONTH_ALONE.search(title)) and 1 <= int(found[1]) <= 12]
    years = [found for title in folded if (found := _SCHOOL_YEAR.search(title))]
    if months and years and int(years[0][2]) == int(years[0][1]) + 1:
        return dt.date(int(years[0][1 if months[0] >= 8 else 2]), months[0], 1)
    return None


class _BlockReader:
    """Reads the rows of one block."""

    def __init__(
        self, sheet: str, block: _Block, month: dt.date | None, today: dt.date, session: str, marks: MarkReader
    ) -> None:
        self.sheet, self.block, self.today, self.session, self.marks = sheet, block, today, session, marks
        in_title = next((found for title in (*block.titles, sheet) if (found := _CLASS.search(title))), None)
        self.class_name = without_ids(in_title[1].strip(".,;")) if in_title else ""
        self.days: dict[int, tuple[dt.date | None, str]] = {}
        for column, (day, sessions) in block.days.items():
            date = day if isinstance(day, dt.date) else _in_month(month, day)
            self.days[column] = (date, sessions)
            weekday = block.weekdays.get(column)
            if date is not None and weekday is not None and date.weekday() != weekday:
                raise Unreadable(
                    Sentence(
                        "In the sheet “{sheet}” the weekday over {day} is not that day's: is the month right?",
                        sheet=sheet,
                        day=date,
                    )
                )

    def read(self, row: Row) -> Iterator[Marked | Wrong]:
        """Reads the row of a pupil and its wrong cells; returns nothing if the row is empty or not a pupil's."""
        number, cells = row
        code_cell, name = self.block.header.cell(cells, "code"), text_of(self.block.header.cell(cells, "name"))
        if (code_cell in {None, ""} and not name) or _TOTAL.match(fold(name)):
            return
        in_class = without_ids(text_of(self.block.header.cell(cells, "class"))) or self.class_name
        code, why = self._code(code_cell)
        found: list[Mark] = []
        for column, (day, session) in self.days.items():
            cell = cells[column] if column < len(cells) else None
            if cell is None or cell == "":
                continue
            try:
                found += self._marks(cell, day, session)
            except Misread as misread:
                who = (code, name, in_class)
                yield as_long(self.sheet, number, who, day, session, text_of(cell), misread.sentence)
        if found:
            marked = Marked(self.sheet, number, None, (), code, name, in_class, found)
            yield from [marked] if why is None else marked.as_wrong(why)

    def _code(self, cell: Cell) -> tuple[str, Sentence | None]:
        try:
            code = code_of(cell)
        except Misread as misread:
            return "", misread.sentence
        if is_personal_id(code):
            return "", Sentence(
                "The code is a personal id number (12 digits), which is never stored: give the Ministry's code."
            )
        return code, None

    def _marks(self, cell: Cell, day: dt.date | None, session: str) -> list[Mark]:
        said = self.marks.cell(cell)
        if said and day is None:
            raise Misread(Sentence("There is a mark under a day that the month does not have."))
        if said and day is not None and day > self.today:
            raise Misread(Sentence("There is a mark on {day}, which is still to come.", day=day))
        return [(day, one, mark) for sessions, mark in said for one in sessions or session or self.session if day]


def _in_month(month: dt.date | None, day: int) -> dt.date | None:
    try:
        return month.replace(day=day) if month else None
    except ValueError:
        return None
