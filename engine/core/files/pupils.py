"""Reads lists of pupils from CSDL ngành, vnEdu, SMAS and from schools: one pupil in each row."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.core.files.aliases import Aliases
from engine.core.files.lines import Notes, Table, Wrong, no_table, passed_over, table_of, without_ids_in_names, wrong
from engine.core.files.sheets import Cell, Sheet
from engine.core.files.values import (
    choice_of,
    code_of,
    day_of,
    is_personal_id,
    name_of,
    phone_of,
    short,
    text_of,
    without_ids,
    year_of,
)
from engine.core.text import fold
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread

NEEDS = (("code",), ("name", "given_name"))
ENROLLED, ARRIVED = "enrolled", "arrived"
BORN_IN = Sentence(
    "Sheet “{sheet}”, row {row}, column “{column}”: “{cell}” is no whole date. The pupil is taken, with the year "
    "{year}; the date would be day/month/year."
)
NOT_BORN = Sentence(
    "Sheet “{sheet}”, row {row}, column “{column}”: “{cell}” is no date. The pupil is taken without it; it would be "
    "day/month/year."
)
PLACES = ("school", "class", "village", "commune")
MINISTRY_DIGITS = 10  # of a Mã định danh Bộ GD&ĐT
_CLASS_IN_TITLE = re.compile(r"\blớp\s*[:\-]?\s*(\S+)", re.IGNORECASE)
_SCHOOL_IN_TITLE = re.compile(r"^\s*trường\s+.{3,}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PupilRow:
    """One pupil of a file.

    `values` are columns of the table `pupils`, without blank ones.

    `places` are the texts that name school, class, village and commune. `at` says where the row is in the file.
    `as_given` is the row as in the file, for people to correct. `arrived`: the pupil came in the course of the year.
    """

    at: str
    code: str
    values: Mapping[str, Any]
    places: Mapping[str, str]
    as_given: Callable[[Sequence[Sentence]], Wrong]
    arrived: bool = False


def read_pupils(sheets: Iterator[Sheet], aliases: Aliases, today: dt.date, notes: Notes) -> Iterator[PupilRow | Wrong]:
    """Yields each row of the file as a pupil, or as a wrong row with every reason. Raises `Unreadable`.

    A code may come twice, because two schools may use the same. This reader does not know which school is meant.
    """
    found = False
    for sheet in without_ids_in_names(sheets):
        table = table_of(sheet, aliases, "pupils", NEEDS)
        if table is None:
            notes.say(passed_over(sheet))
            continue
        found = True
        reader = _PupilReader(table, aliases, today, notes)
        for number, cells in table.rows:
            row = reader.read(number, cells)
            if row is not None:
                yield row
    if not found:
        raise no_table("Mã học sinh, Họ tên")


class _PupilReader:
    """Reads the rows of one table."""

    def __init__(self, table: Table, aliases: Aliases, today: dt.date, notes: Notes) -> None:
        self.notes = notes
        self.table, self.header, self.today, self.empty = table, table.header, today, aliases.empty
        self.sexes, self.statuses = aliases.values("sex"), aliases.values("status")
        title = " \n".join(map(without_ids, table.title))
        in_title = _CLASS_IN_TITLE.search(title)
        self.default = {
            "class": in_title[1].strip(".,;") if in_title else "",
            "school": next((without_ids(line) for line in table.title if _SCHOOL_IN_TITLE.match(line)), ""),
        }
        named = self.header.names[self.header.columns["code"]]
        self.digits = MINISTRY_DIGITS if "dinh danh" in fold(named) else 0

    def cell(self, cells: Sequence[Cell], key: str) -> Cell:
        """Returns a cell; None if it is empty or holds only a sign that some programs write in empty cells."""
        cell = self.header.cell(cells, key)
        return None if cell is None or text_of(cell).lower() in self.empty else cell

    def read(self, number: int, cells: Sequence[Cell]) -> PupilRow | Wrong | None:
        """Reads one row; None if it names no pupil (a total, a signature)."""
        why: list[Sentence] = []
        parts = (self.cell(cells, "name"), self.cell(cells, "family_name"), self.cell(cells, "given_name"))
        if not any((self.cell(cells, "code"), *parts, self.cell(cells, "birth_date"))):
            return None

        def tried(read: Callable[[], Any]) -> Any:
            try:
                return read()
            except Misread as misread:
                why.append(misread.sentence)
                return None

        code = tried(lambda: self._code(cells))
        born, year = self._born(number, self.cell(cells, "birth_date"))
        status = tried(lambda: choice_of(self.cell(cells, "status"), self.statuses, Sentence("status")))
        values = {
            "name": tried(lambda: self._name(parts)),
            "birth_date": born,
            "birth_year": year,
            "sex": tried(lambda: choice_of(self.cell(cells, "sex"), self.sexes, Sentence("sex"))),
            "status": ENROLLED if status == ARRIVED else status,
            "guardian": tried(lambda: without_ids(name_of(self.cell(cells, "guardian")))),
            "ethnicity": without_ids(text_of(self.cell(cells, "ethnicity")))[:40],
            "disability": without_ids(text_of(self.cell(cells, "disability")))[:80],
            "address": without_ids(text_of(self.cell(cells, "address")))[:200],
            "guardian_phone": without_ids(phone_of(self.cell(cells, "guardian_phone"))),
        }
        places = {key: self._place(cells, key) for key in PLACES}

        def as_given(reasons: Sequence[Sentence]) -> Wrong:
            return wrong(self.table.sheet, number, self.header, cells, reasons)

        if why:
            return as_given(why)
        kept = {key: value for key, value in values.items() if value not in (None, "")}
        return PupilRow(f"{self.table.sheet} {number}".strip(), code, kept, places, as_given, status == ARRIVED)

    def _born(self, number: int, cell: Cell) -> tuple[dt.date | None, int | None]:
        """Returns the birth date, or the year alone; no fault in it refuses the pupil, and what is lost is noted."""
        try:
            day = day_of(cell, self.today)
        except Misread:
            day = None
        if day is not None or not text_of(cell):
            return day, None
        year = year_of(cell, self.today)
        column = self.header.names[self.header.columns["birth_date"]]
        where = {"sheet": self.table.sheet, "row": number, "column": without_ids(column), "cell": short(text_of(cell))}
        if year is not None:
            self.notes.note(Sentence(BORN_IN.msgid, **where, year=str(year)))
        else:
            self.notes.note(Sentence(NOT_BORN.msgid, **where))
        return None, year

    def _code(self, cells: Sequence[Cell]) -> str:
        code = code_of(self.cell(cells, "code"), self.digits)
        if not code:
            raise Misread(Sentence("The pupil has no code."))
        if is_personal_id(code):
            raise Misread(
                Sentence(
                    "The code is a personal id number (12 digits), which is never stored: give the Ministry's code."
                )
            )
        if len(code) > 40 or not re.fullmatch(r"[\w./\-]+", code):
            raise Misread(Sentence("The code holds signs that codes do not have, or is too long."))
        return code

    def _name(self, parts: Sequence[Cell]) -> str:
        whole, family, given = parts
        name = without_ids(name_of(whole) if whole is not None else name_of(f"{text_of(family)} {text_of(given)}"))
        if not name:
            raise Misread(Sentence("The pupil has no name."))
        if not any(char.isalpha() for char in name):
            raise Misread(Sentence("“{cell}” is no name.", cell=short(name)))
        return name

    def _place(self, cells: Sequence[Cell], key: str) -> str:
        return without_ids(text_of(self.cell(cells, key))) or self.default.get(key, "")
