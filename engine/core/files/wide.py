"""Reads monthly registers of teachers, vnEdu and SMAS: one row for each pupil, one or two columns for each day.

They have three header rows (day, weekday, S or C; the last two may be missing), titles above, several blocks in a sheet
(one for each class), and totals after the days. A heading is a day (5), a day and a month (5/11) or a date. The title
or the name of the sheet gives the month that the headings lack. The reader compares the weekdays with the calendar, and
the months of headings with the title, and refuses a register of a wrong month.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from engine.core.files.aliases import Aliases
from engine.core.files.headers import Header, read_header
from engine.core.files.lines import Wrong
from engine.core.files.marks import Listing, Mark, Marked, MarkReader, as_long
from engine.core.files.sheets import Cell, Row, Sheet, Unreadable
from engine.core.files.values import code_of, is_personal_id, text_of, without_ids
from engine.core.text import fold
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread, read_date

LEAST_DAYS = 3  # columns; a row of days has at least so many
_WEEKDAY = r"(?:(?P<weekday>thứ\s*\w+|t\s*[2-7]|cn|chủ nhật)[\s,.:\-]*)?"
_DAY = re.compile(_WEEKDAY + r"(?:ngày\s*)?(?P<day>\d{1,2})(?:\s*[/.\-]\s*(?P<month>\d{1,2}))?", re.IGNORECASE)
_DATE = re.compile(_WEEKDAY + r"(?:ngày\s*)?(?P<date>\d{1,2}\s*[/.\-]\s*\d{1,2}\s*[/.\-]\s*\d{2,4})", re.IGNORECASE)
_MONTH = re.compile(r"\bthang (\d{1,2})(?: nam)? (\d{4})\b|\b(\d{1,2}) (\d{4})$")
_MONTH_ALONE = re.compile(r"\b(?:thang|t) ?(\d{1,2})\b")
_SCHOOL_YEAR = re.compile(r"\bnam hoc (\d{4}) (\d{4})\b")
_CLASS = re.compile(r"\blớp\s*[:\-]?\s*(\S+)", re.IGNORECASE)
# A row of totals or signatures. Tống, Công and Vàng are names of families, too: such a word stands alone here.
_SUM_WORDS = "(?: (?:cong|so|si|vang|mat|co|khong|phep|p|k|hoc|sinh|ngay|buoi|hs))*"
_TOTAL = re.compile(
    rf"(?:tong|cong|vang){_SUM_WORDS}$|(?:si so|co mat|hien dien|ghi chu|nguoi|giao vien|hieu truong|duyet)\b"
)
_WEEKDAYS = {"t2": 0, "t3": 1, "t4": 2, "t5": 3, "t6": 4, "t7": 5, "cn": 6, "chu nhat": 6} | {
    name: day for day, name in enumerate(("hai", "ba", "tu", "nam", "sau", "bay"))
}


class _DayHeading(NamedTuple):
    """The heading of a day's column: a day, a day with its month, or a whole date (then with its year)."""

    day: int
    month: int | None = None
    year: int | None = None
    weekday: int | None = None

    def date(self, known: dt.date | None) -> dt.date | None:
        """Returns the day; None if there is no such day. `known` is the month that the title says."""
        month, year = self.month or (known and known.month), self.year or (known and self._year(known))
        try:
            return dt.date(year, month, self.day) if year and month else None
        except ValueError:
            return None

    def _year(self, known: dt.date) -> int:
        """Returns the year of a month beside the one that the title says: the nearest."""
        apart = (self.month or known.month) - known.month
        return known.year + (1 if apart < -6 else -1 if apart > 6 else 0)


@dataclass(frozen=True)
class _Block:
    """One class's register: the rows from `begin` to `end`; `days`: column → (heading, sessions)."""

    begin: int
    end: int
    header: Header
    days: dict[int, tuple[_DayHeading, str]]
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
        titled = _month([*block.titles, sheet.name])
        known = month or titled or known
        headings = [day for day, _ in block.days.values()]
        if known is None and not all(day.year for day in headings):
            raise Unreadable(
                Sentence(
                    "The sheet “{sheet}” does not say its month: write “Tháng 9 năm 2026” above it.", sheet=sheet.name
                )
            )
        if known is not None:
            _agree(sheet.name, headings, known)
        reader = _BlockReader(sheet.name, block, known, today, session, marks)
        for row in rows[block.begin : block.end]:
            yield from reader.read(row)


def _agree(sheet: str, headings: Sequence[_DayHeading], known: dt.date) -> None:
    """Raises `Unreadable` if all headings say another month than the title."""
    own = [heading for heading in headings if heading.month]
    if own and len(own) == len(headings) and all(heading.month != known.month for heading in own):
        raise Unreadable(
            Sentence(
                "The sheet “{sheet}” is of month {month} by its title or by what was chosen, but its columns are "
                "headed {first} to {last}. Mend one of the two.",
                sheet=sheet,
                month=f"{known.month}/{known.year}",
                first=f"{own[0].day:02}/{own[0].month:02}",
                last=f"{own[-1].day:02}/{own[-1].month:02}",
            )
        )


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


def _spread(days: dict[int, _DayHeading], sessions: dict[int, str]) -> dict[int, tuple[_DayHeading, str]]:
    """Returns the day and session of each column.

    A day that is written only over its first column holds for the second too.
    """
    if not sessions:
        return {column: (day, "") for column, day in days.items()}
    found: dict[int, tuple[_DayHeading, str]] = {}
    for column, session in sorted(sessions.items()):
        day = days.get(column) or days.get(column - 1)
        if day is not None:
            found[column] = (day, session)
    return found


def _header_at(
    rows: Sequence[Sequence[Cell]], at: int, aliases: Aliases
) -> tuple[Header, dict[int, _DayHeading]] | None:
    """Returns the header if this row is a row of days with the pupils' columns named in it or next to it.

    Fewer than LEAST_DAYS days count only beside the names of the pupils' columns, and with their month.
    """
    days = {column: day for column, cell in enumerate(rows[at]) if (day := _heading(cell)) is not None}
    if not days or not _in_order(list(days.values())):
        return None
    few = len(set(days.values())) < LEAST_DAYS
    if few and not all(day.month for day in days.values()):
        return None
    for near in (at,) if few else (at, at - 1, at + 1, at - 2):
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


def _heading(cell: Cell) -> _DayHeading | None:
    if isinstance(cell, dt.date):
        return _DayHeading(cell.day, cell.month, cell.year)
    text = text_of(cell)
    if (day := read_date(text)) is not None:
        return _DayHeading(day.day, day.month, day.year)
    if (found := _DATE.fullmatch(text)) and (day := read_date(re.sub(r"\s+", "", found["date"]))) is not None:
        return _DayHeading(day.day, day.month, day.year, _weekday_of(found))
    found = _DAY.fullmatch(text)
    if not found or not 1 <= int(found["day"]) <= 31:
        return None
    month = int(found["month"]) if found["month"] else None
    if (month is not None and not 1 <= month <= 12) or (found["weekday"] and _weekday_of(found) is None):
        return None
    return _DayHeading(int(found["day"]), month, None, _weekday_of(found))


def _weekday_of(found: re.Match[str]) -> int | None:
    return _weekday(fold(found["weekday"])) if found["weekday"] else None


def _in_order(headings: Sequence[_DayHeading]) -> bool:
    """Whether headings go on from left to right; those with a month may go on into the next one, and the next year."""
    if not all(heading.month for heading in headings):
        order = [heading.day for heading in headings]
        return order == sorted(order)
    first = headings[0].month or 0
    months = [(heading.month or 0) - first for heading in headings]
    spread = [month if month >= 0 else month + 12 for month in months]
    whole = [(month, heading.day) for month, heading in zip(spread, headings, strict=True)]
    return whole == sorted(whole)


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
        for column, (heading, sessions) in block.days.items():
            date = heading.date(month)
            self.days[column] = (date, sessions)
            said = (heading.weekday, block.weekdays.get(column))
            if date is not None and any(weekday not in {None, date.weekday()} for weekday in said):
                raise Unreadable(
                    Sentence(
                        "In the sheet “{sheet}” the weekday over {day} is not that day's: is the month right?",
                        sheet=sheet,
                        day=date,
                    )
                )
        self.listing = Listing(
            frozenset(
                (day, one)
                for day, sessions in self.days.values()
                if day is not None and day <= today
                for one in sessions or session
            )
        )

    def read(self, row: Row) -> Iterator[Marked | Wrong]:
        """Reads the row of a pupil and its wrong cells; returns nothing if the row is empty or not a pupil's."""
        number, cells = row
        code_cell, name = self.block.header.cell(cells, "code"), text_of(self.block.header.cell(cells, "name"))
        if code_cell in {None, ""} or _TOTAL.match(fold(text_of(code_cell))):
            if any(_TOTAL.match(fold(text_of(cell))) for cell in (*cells[: min(self.days)], name)):
                self._sum(cells)
                return
            if not name:
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
                if day is not None:
                    halves = session or self.session
                    self.listing.doubtful.setdefault(number, []).extend((day, one) for one in halves)
                who = (code, name, in_class)
                yield as_long(self.sheet, number, who, day, session, text_of(cell), misread.sentence)
        marked = Marked(self.sheet, number, None, (), code, name, in_class, found, None, self.listing)
        if why is None:
            yield marked
        elif found:
            yield from marked.as_wrong(why)

    def _sum(self, cells: Sequence[Cell]) -> None:
        """Notes the days of which a row of totals says something: the class took attendance."""
        for column, (day, session) in self.days.items():
            text = text_of(cells[column]) if column < len(cells) else ""
            if day is not None and day <= self.today and text.isdigit() and int(text) > 0:
                self.listing.summed.update((day, one) for one in session or self.session)

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
        said = () if text_of(cell).lower() in self.marks.empty else self.marks.cell(cell)
        if said and day is None:
            raise Misread(Sentence("There is a mark under a day that the month does not have."))
        if said and day is not None and day > self.today:
            raise Misread(Sentence("There is a mark on {day}, which is still to come.", day=day))
        return [(day, one, mark) for sessions, mark in said for one in sessions or session or self.session if day]
