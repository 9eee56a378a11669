"""Reads files of units: csv for trees of hundreds (Excel opens it), TOML for a few; the same columns in both.

A csv file has a heading row and a comma or semicolon between cells. Lines that begin with `#` are remarks.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator
from typing import Any

from engine.core.text import tidy
from engine.core.toml_reader import Reader, format_of, read_toml, unknown
from engine.core.units.kinds import KINDS, PARENTS, UnitLine
from engine.core.words import Fault, Faulty, Sentence
from engine.core.workflow.form_values import read_date

COLUMNS = (
    "kind",
    "code",
    "name",
    "parent",
    "valid_from",
    "valid_to",
    "successor",
    "grade",
    "teaching_days",
    "contact",
)
REQUIRED = ("kind", "code", "name", "valid_from")
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LONGEST = {"code": 40, "name": 200, "contact": 200}
HIGHEST_GRADE = 12

KIND = Sentence("kind of unit")
COLUMN = Sentence("column")
CODE = Sentence("a code of letters, digits and . - _ /")
REFERENCE = Sentence("the code of a unit, or code@first-day such as 23392@2025-07-01")
DAYS = Sentence("weekdays such as mon-fri or mon,wed,fri")
_CODE = re.compile(r"\w[\w./-]*")
_REFERENCE = re.compile(r"\w[\w./-]*(@\d{4}-\d{2}-\d{2})?")
_TAUGHT = frozenset({"school", "site", "class"})


def read_units(text: str, file: str) -> tuple[list[UnitLine], list[Fault]]:
    """Returns the units of a csv or TOML file without the faulty rows, and all faults.

    Raises Faulty if the file as a whole cannot be read.
    """
    reader = read_toml(text, file) if file.lower().endswith(".toml") else _csv(text, file)
    format_of(reader)
    tables = reader.tables("unit", "code")
    if not tables and not reader.faults:
        reader.fault("", Sentence("There is no unit in this file."))
    rows = [row for table in tables if (row := _row(table))]
    reader.close()
    return rows, reader.faults


# --- csv --------------------------------------------------------------------------------------------------------------


def _csv(text: str, file: str) -> Reader:
    """Reads a csv file as if it were TOML."""
    try:
        lines = list(_lines(text.removeprefix("\ufeff")))
    except csv.Error as error:
        raise Faulty([Fault(file, "", Sentence("This is not csv: {detail}.", detail=str(error)))]) from error
    if not lines:
        raise Faulty([Fault(file, "", Sentence("There is no unit in this file."))])
    _, heading = lines[0]
    columns = [tidy(cell).lower() for cell in heading]
    faults = [Fault(file, "", unknown(name, COLUMNS, COLUMN)) for name in columns if name and name not in COLUMNS]
    missing = [name for name in REQUIRED if name not in columns]
    faults += [Fault(file, "", Sentence("The column “{name}” is missing.", name=name)) for name in missing]
    if faults:
        raise Faulty(faults)
    units = []
    for number, cells in lines[1:]:
        if any(cell.strip() for cell in cells[len(columns) :]):
            sentence = Sentence("This line has more cells than the heading.")
            faults.append(Fault(file, _line(number), sentence))
        cell = dict(zip(columns, cells, strict=False))
        units.append({name: _typed(name, cell[name]) for name in cell if name and cell[name].strip()} | {"": number})
    reader = _Lines({"format": 1, "unit": units}, file)
    reader.faults += faults
    return reader


class _Lines(Reader):
    """A reader that names each unit by its line number."""

    def tables(self, key: str, name_key: str = "id") -> list[Reader]:
        """The units, each called by its line."""
        del name_key
        return [self._unit(dict(unit)) for unit in self.raw(key)]

    def _unit(self, unit: dict[str, Any]) -> Reader:
        reader = Reader(unit, self.file, _line(unit.pop("")), self.faults)
        self._below.append(reader)
        return reader


def _line(number: int) -> str:
    return f"line {number}"


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yields the lines that are not empty, with their numbers; the heading shows what separates the cells."""
    heading = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    for cells in reader:
        if any(cell.strip() for cell in cells) and not cells[0].startswith("#"):
            yield reader.line_num, cells


def _typed(name: str, cell: str) -> Any:
    """A cell as TOML would have it."""
    cell = cell.strip()
    if name in {"valid_from", "valid_to"}:
        return read_date(cell) or cell
    return int(cell) if name == "grade" and cell.isascii() and cell.isdigit() else cell


# --- one unit ---------------------------------------------------------------------------------------------------------


def _row(reader: Reader) -> UnitLine | None:
    """The unit of one table, or None with its faults noted."""
    before = len(reader.faults)
    kind = reader.one_of("kind", KINDS, KIND)
    row = UnitLine(
        place=reader.path,
        kind=kind,
        code=_short(reader, "code", reader.parsed("code", _matching(_CODE), CODE, required=True) or ""),
        name=_short(reader, "name", tidy(reader.text("name"))),
        parent=_parent(reader, kind),
        valid_from=reader.day("valid_from", required=True) or dt.date.min,
        valid_to=reader.day("valid_to"),
        successor=reader.parsed("successor", _matching(_REFERENCE), REFERENCE),
        grade=_grade(reader, kind),
        teaching_days=_teaching_days(reader, kind),
        contact=_short(reader, "contact", tidy(reader.text("contact", ""))) or None,
    )
    if row.valid_to and row.valid_to <= row.valid_from:
        reader.fault("valid_to", Sentence("This is not after the first day, {first}.", first=row.valid_from))
    if row.successor and not row.valid_to:
        reader.fault("valid_to", Sentence("A unit with a successor has an end: the day on which the successor begins."))
    return row if len(reader.faults) == before else None


def _matching(pattern: re.Pattern[str]) -> Any:
    def parse(text: str) -> str:
        if not pattern.fullmatch(text):
            raise ValueError(text)
        return text

    return parse


def _short(reader: Reader, key: str, text: str) -> str:
    if len(text) > LONGEST[key]:
        most = LONGEST[key]
        reader.fault(
            key, Sentence("This is {length} characters long; {most} is the most.", length=len(text), most=most)
        )
    return text


def _parent(reader: Reader, kind: str) -> str | None:
    parent = reader.parsed("parent", _matching(_REFERENCE), REFERENCE)
    if kind and kind in KINDS and "parent" not in reader and PARENTS[kind]:
        kinds = [KINDS[name] for name in PARENTS[kind]]
        reader.fault("parent", Sentence("This is missing: a unit of this kind lies in one of: {kinds}.", kinds=kinds))
    if kind == "root" and parent:
        reader.fault("parent", Sentence("The root of the tree lies in no other unit."))
    return parent


def _grade(reader: Reader, kind: str) -> int | None:
    if "grade" not in reader:
        reader.raw("grade")
        return None
    grade = reader.whole("grade", least=0)
    if grade > HIGHEST_GRADE:
        reader.fault("grade", Sentence("There are grades up to {highest}; 0 is before school.", highest=HIGHEST_GRADE))
    if kind != "class":
        reader.fault("grade", Sentence("Only a class has a grade."))
    return grade


def _teaching_days(reader: Reader, kind: str) -> str | None:
    days = reader.parsed("teaching_days", parse_days, DAYS)
    if days and kind not in _TAUGHT:
        reader.fault("teaching_days", Sentence("Only schools, sites and classes have teaching days."))
    return days


def parse_days(text: str) -> str:
    """Weekdays as ISO digits: "mon-fri" is "12345". Raises ValueError."""
    numbers: set[int] = set()
    for part in filter(None, re.split(r"[,\s]+", text.lower())):
        first, _, last = part.partition("-")
        start, end = WEEKDAYS.index(first), WEEKDAYS.index(last or first)
        if end < start:
            raise ValueError(text)
        numbers |= set(range(start, end + 1))
    return "".join(str(number + 1) for number in sorted(numbers))


def as_reference(text: str) -> tuple[str, dt.date | None]:
    """Returns the code of a reference, and its first day if it names one. Raises ValueError if the day is wrong."""
    code, _, day = text.partition("@")
    return code, dt.date.fromisoformat(day) if day else None
