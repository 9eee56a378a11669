"""What the fuzzer gives to the readers, and what must hold of all that comes out."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from engine.channels.excel97 import read_excel97
from engine.core.files import values
from engine.core.files.aliases import load_aliases
from engine.core.files.attendance import FileFacts, read_attendance
from engine.core.files.lines import Notes, Wrong
from engine.core.files.marks import Marked, MarkReader
from engine.core.files.pupils import read_pupils
from engine.core.files.sheets import Cell, Limits, Sheet, Unreadable, read_sheets
from engine.core.files.summary import DayOfClass
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread
from tests.workbooks import PUPILS, REGISTERS, xls, zipped

ALIASES_FILE = Path(__file__).parent.parent.parent / "rules/import/aliases.toml"
ALIASES = load_aliases(ALIASES_FILE.read_text("utf-8"), "aliases.toml")
TODAY = dt.date(2026, 11, 24)
SMALL = Limits(size=2**20, unpacked=2**22, text=2**24, sheets=10, cells=200_000, rows=20_000)
"""Limits that let an input go through in milliseconds; what they guard against is the same."""
PART = b"\n==\n"  # between the parts of a workbook
PERSONAL = re.compile(r"(?<!\d)\d{12}(?!\d)")


class Broken(AssertionError):
    """What came out of a reader is not as it must be."""


def _both(sheets: Callable[[], Iterator[Sheet]]) -> None:
    """Read as a list of pupils and as a register."""
    for read in (_pupils, _register):
        notes = Notes()
        try:
            read(sheets(), notes)
        except Unreadable as refused:
            _words(refused.sentence)
        for sentence in notes.sentences:
            _words(sentence)


def _pupils(sheets: Iterator[Sheet], notes: Notes) -> None:
    for row in read_pupils(sheets, ALIASES, TODAY, notes):
        if isinstance(row, Wrong):
            _wrong(row)
            continue
        _require(row.code, "a code that is blank")
        _require(bool(row.values["name"]), "a pupil without a name")
        _require(not values.is_personal_id(row.code), "a personal id number as code")
        _require(not PERSONAL.search(f"{row.values} {row.places}"), "a personal id number is kept")
        _wrong(row.as_given([Sentence("The row has no date.")]))


def _register(sheets: Iterator[Sheet], notes: Notes) -> None:
    for row in read_attendance(sheets, ALIASES, FileFacts(TODAY), notes):
        if isinstance(row, Wrong):
            _wrong(row)
        elif isinstance(row, Marked):
            _marked(row)
        else:
            _require(isinstance(row, DayOfClass) and row.day <= TODAY, "a summary of a day to come")


def _marked(row: Marked) -> None:
    _require(bool(row.code or row.name), "marks of nobody")
    _require(bool(row.marks) or row.listing is not None, "a row without marks of no list")
    for day, session, mark in row.marks:
        _require(dt.date(1950, 1, 1) <= day <= TODAY, "a mark on a day that cannot be")
        _require(session in ("m", "a") and mark in ("p", "e", "u", "l"), "a mark that nobody knows")
    _require(not PERSONAL.search(row.reason or ""), "a personal id number in a reason")
    for given_back in row.as_wrong(Sentence("The row has no date.")):
        _wrong(given_back)


def _wrong(row: Wrong) -> None:
    _require(bool(row.why), "a wrong row without a reason")
    for sentence in row.why:
        _words(sentence)
    _require(not any(PERSONAL.search(cell) for cell in row.cells), "a personal id number is given back")


def _words(sentence: Sentence) -> None:
    for language in ("vi", "en"):
        said = sentence.in_(language)
        _require(bool(said.strip()) and len(said) < 1_000, "a sentence that says nothing, or too much")
        _require(not PERSONAL.search(said), "a personal id number in a sentence")


def _require(holds: object, otherwise: str) -> None:
    if not holds:
        raise Broken(otherwise)


# --- what is given ----------------------------------------------------------------------------------------------------


def read_file(data: bytes) -> None:
    """Bytes as a file of any kind."""
    _both(lambda: read_sheets(data, read_excel97, SMALL))


def read_parts(data: bytes) -> None:
    """Bytes as the XML inside an xlsx file, so that the checksums of the zip file do not hide the readers."""
    names = ("sheet", "strings", "book", "styles", "rels")
    parts = dict(zip(names, data.split(PART), strict=False))
    whole = workbook({name: part for name, part in parts.items() if part})
    _both(lambda: read_sheets(whole, read_excel97, SMALL))


def read_cells(data: bytes) -> None:
    """Bytes as rows of cells, past the library that opens workbooks: lines of cells parted by tabs."""
    rows = [[_cell(text) for text in line.split("\t")] for line in data.decode("utf-8", "replace").split("\n")]
    rows = [[*row, *[None] * (max(map(len, rows)) - len(row))] for row in rows]  # as wide as the widest, as in Excel
    _both(lambda: iter([Sheet("Tháng 9", ((at, list(row)) for at, row in enumerate(rows, 1)))]))


def _cell(text: str) -> Cell:
    kind, rest = text[:1], text[1:]
    try:
        match kind:
            case "#":
                return float(rest)
            case "!":
                return int(rest[:9])
            case "@":
                return dt.date.fromordinal(int(rest))
            case "~":
                return dt.datetime.fromtimestamp(int(rest), dt.UTC).replace(tzinfo=None)
            case "?":
                return bool(rest)
            case "":
                return None
    except (ValueError, OverflowError, OSError):
        return text
    return text


def read_values(data: bytes) -> None:
    """Bytes as single cells: dates, codes, names, phone numbers, counts, marks, sessions."""
    marks = MarkReader(ALIASES, own=True)
    for text in data.decode("utf-8", "replace").split("\n"):
        cell = _cell(text)
        for read in (
            lambda: values.day_of(cell, TODAY),  # noqa: B023 - called at once
            lambda: values.code_of(cell, 10),  # noqa: B023
            lambda: values.name_of(cell),  # noqa: B023
            lambda: values.phone_of(cell),  # noqa: B023
            lambda: values.whole_of(cell),  # noqa: B023
            lambda: marks.cell(cell),  # noqa: B023
            lambda: marks.session(text),  # noqa: B023
        ):
            try:
                read()
            except Misread as misread:
                _words(misread.sentence)


def workbook(parts: Mapping[str, bytes]) -> bytes:
    """An xlsx file of these parts; those that are missing are as Excel has them."""
    return zipped(**{**DEFAULTS, **parts})


DEFAULTS = {
    "book": b'<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
    b'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
    b'<sheets><sheet name="S" sheetId="1" r:id="rId1"/></sheets></workbook>',
    "rels": b'<Relationships><Relationship Id="rId1" Type="http://schemas.openxmlformats.org/officeDocument/2006/'
    b'relationships/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
}
READERS: Mapping[str, Callable[[bytes], None]] = {
    "cells": read_cells,
    "csv": read_file,
    "parts": read_parts,
    "values": read_values,
    "xls": read_file,
    "xlsx": read_file,
}


def seeds(reader: str) -> Iterator[bytes]:
    """What the fuzzer begins with: the traps, as each reader takes them."""
    files = [data for trap in PUPILS + REGISTERS if "bomb" not in trap.name and len(data := trap.make()) < 2**16]
    books = [data for data in files if zipfile.is_zipfile(io.BytesIO(data)) and b"sharedStrings" in data]
    match reader:
        case "csv":
            yield from (data for data in files if not data.startswith((b"PK", b"\xd0\xcf")))
        case "xlsx":
            yield from (data for data in files if data.startswith(b"PK"))
        case "xls":
            yield xls(["Mã HS", "Họ và tên", "Lớp"], ["HS001", "Y Ngọc", "6A"])
            yield xls(["Tháng 9/2026"], ["Mã HS", "Họ và Tên", "1", "2", "3"], ["HS001", "Y Ngọc", "K", "P(s)", ""])
        case "parts":
            yield from map(_parts, books)
        case "cells" | "values":
            yield from map(_as_lines, books)


def _parts(data: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = ("worksheets/sheet1.xml", "sharedStrings.xml", "workbook.xml", "styles.xml", "_rels/workbook.xml.rels")
        there = archive.namelist()
        return PART.join(archive.read(f"xl/{name}") if f"xl/{name}" in there else b"" for name in names)


def _as_lines(data: bytes) -> bytes:
    try:
        sheets = [list(sheet.rows) for sheet in read_sheets(data, read_excel97)]
    except Unreadable:
        return b"HS001"
    return "\n".join("\t".join(map(_as_text, cells)) for rows in sheets for _, cells in rows).encode()


def _as_text(cell: Cell) -> str:
    if isinstance(cell, bool):
        return "?1" if cell else "?"
    if isinstance(cell, float):
        return f"#{cell}"
    if isinstance(cell, dt.date):
        return f"@{cell.toordinal()}"
    return "" if cell is None else str(cell)


def words() -> Iterator[str]:
    """What columns, values and placeholders are called: words that the fuzzer could not think of."""
    for table in ALIASES.names.values():
        for names in table.values():
            yield from names
    yield from ("Tháng 9 năm 2026", "Năm học 2026-2027", "Lớp: 6A", "T2", "CN", "(s)", "(c)", "(sc)", "ngày 5 tháng 2")
