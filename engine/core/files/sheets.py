"""Opens xlsx, xls and csv files as sheets of cells, within limits. A refusal says why in a sentence.

A file comes from outside, so this module measures it before it opens it: its unpacked size (zip bombs), the distance
between its cells (two in opposite corners make a sheet of 17 thousand million cells), and whether its XML names
entities. It never runs formulas; it reads the value that Excel stored last. A formula without one, and an error, stay
visible (`engine.core.files.novalues`).
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import zipfile
import zlib
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import IO, Any, NoReturn

import python_calamine as calamine

from engine.core.files.excel97 import BATCH, Damaged, Locked, ReadExcel97, SheetHead
from engine.core.files.novalues import ERROR, Place, without_value
from engine.core.invariants import Broken
from engine.core.refusals import Refused
from engine.core.text import cleaned, storable
from engine.core.words import Sentence

Cell = str | int | float | bool | dt.date | dt.datetime | dt.time | dt.timedelta | None
Row = tuple[int, list[Cell]]  # the row's number as Excel shows it, and its cells from column A on


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits for one file."""

    size: int = 64 * 2**20  # bytes as sent
    unpacked: int = 200 * 2**20  # bytes of all parts of an xlsx file
    text: int = 2**30  # bytes if each cell held the longest text of the file
    parts: int = 2_000  # of an xlsx file
    sheets: int = 100
    cells: int = 4_000_000  # of one sheet: its height times its width
    rows: int = 3_000_000
    columns: int = 16_384


LIMITS = Limits()


class Unreadable(Refused):
    """The file is refused as a whole; the sentence says why and what would be right."""


@dataclass(frozen=True)
class Sheet:
    """One sheet: its name ("" in a csv file) and its rows, read once and in order; `height` is None if not known."""

    name: str
    rows: Iterator[Row]
    height: int | None = None


def read_sheets(data: bytes, read_excel97: ReadExcel97, limits: Limits = LIMITS) -> Iterator[Sheet]:
    """Yields the sheets of a file; its content, not its name, tells its format. Raises `Unreadable`, here or later.

    Characters that no database stores are removed: an xlsx file can contain `_x0000_`. `read_excel97` opens .xls files:
    `engine.channels.excel97.read_excel97` does it in another process.
    """
    return (
        replace(it, name=cleaned(it.name), rows=map(_storable, it.rows)) for it in _sheets(data, read_excel97, limits)
    )


def _storable(row: Row) -> Row:
    number, cells = row
    if all(map(_taken, cells)):
        return row
    return number, [cleaned(cell) if isinstance(cell, str) else cell for cell in cells]


def _taken(cell: Cell) -> bool:
    return not isinstance(cell, str) or storable(cell)


def _sheets(data: bytes, read_excel97: ReadExcel97, limits: Limits) -> Iterator[Sheet]:
    if len(data) > limits.size:
        raise Unreadable(Sentence("The file is larger than {most} MB. Split it.", most=limits.size // 2**20))
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise Unreadable(Sentence("The file is empty."))
    if data.startswith(b"PK"):
        _weigh(data, limits)
        return _workbook(data, limits)
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        return _excel97(read_excel97(data), limits)
    if re.match(rb"\s*(\xef\xbb\xbf)?\s*<(!doctype|html|table|meta|\?xml|style|div)", data[:200], re.IGNORECASE):
        raise Unreadable(
            Sentence("This is a web page that is only called an Excel file. Open it in Excel and save it as .xlsx.")
        )
    return iter([Sheet("", _csv_rows(data, limits))])


# --- xlsx and xls -----------------------------------------------------------------------------------------------------

_PLACE = re.compile(rb' r="([A-Z]{0,3}\d{1,7})"')
_CELLS = (b"<c ", b"<c>", b"<c/", b"<c\n", b"<c\r", b"<c\t")
_PREFIXED = re.compile(rb"<\w+:c[\s>/]")
_CAPITALS = bytes(range(ord("A"), ord("Z") + 1))
_TEXT_END = re.compile(rb"</(?:\w+:)?si>")
_ENTITY = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_CHUNK = 2**20
_TORN = 4096  # bytes at most of a tag that the end of a chunk cuts in two


def _weigh(data: bytes, limits: Limits) -> None:
    """Unpacks an xlsx file without keeping it. Refuses a file that is too large, too wide, or not xlsx."""
    scale = _Scale(limits)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            parts = archive.infolist()
            if not any(part.filename.lower().endswith("workbook.xml") for part in parts):
                raise Unreadable(_unknown())
            if len(parts) > limits.parts:
                raise Unreadable(_bomb())
            for part in parts:
                with archive.open(part) as stream:
                    scale.weigh(part.filename.lower(), stream)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, ValueError) as error:
        raise Unreadable(_broken()) from error
    if scale.cells * scale.longest > limits.text:  # a million cells refer to one long text
        raise Unreadable(_bomb())


class _Scale:
    """The size of the parts of an xlsx file, counted while they are unpacked."""

    def __init__(self, limits: Limits) -> None:
        self.limits, self.unpacked, self.cells, self.longest = limits, 0, 0, 0

    def weigh(self, name: str, stream: IO[bytes]) -> None:
        """Unpack one part. Raises `Unreadable`."""
        is_xml = name.endswith((".xml", ".rels", ".vml"))
        sheet = _Extent() if is_xml and "worksheets/" in name else None
        tail, text_began = b"", 0
        while chunk := stream.read(_CHUNK):
            self.unpacked += len(chunk)
            if self.unpacked > self.limits.unpacked:
                raise Unreadable(_bomb())
            if not is_xml:
                continue
            text = tail + chunk
            if (b"<!" in text or b"<\0!" in text) and _ENTITY.search(text.replace(b"\0", b"")):  # UTF-16 as well
                raise Unreadable(Sentence("The file's XML brings entities of its own; such files are not opened."))
            cut = text.rfind(b"<")
            cut = cut if len(text) - cut < _TORN else len(text)
            text, tail = text[:cut], text[cut:]
            if sheet is not None:
                sheet.add(text)
            elif "sharedstrings" in name:
                text_began = self._longest(text, text_began)
        if sheet is not None:
            self.cells += sheet.cells
            _fits(sheet.rows, sheet.width(), self.limits)

    def _longest(self, text: bytes, began: int) -> int:
        """Measures the shared texts that end here; returns where an open text began, counted from the next chunk."""
        for end in _TEXT_END.finditer(text):
            self.longest = max(self.longest, end.start() - began)
            began = end.end()
        self.longest = max(self.longest, len(text) - began)
        return began - len(text)


class _Extent:
    """The extent of the cells of a sheet, according to the places they name."""

    def __init__(self) -> None:
        self.rows, self.cells, self._placed = 0, 0, 0
        self._columns: set[bytes] = set()

    def add(self, text: bytes) -> None:
        places = b" ".join(_PLACE.findall(text))  # "1 A1 B1 2 A2 …": a row's number, and its cells' places
        columns = places.translate(None, b"0123456789").split()
        self._columns.update(columns)
        self.rows = max([self.rows, *map(int, set(places.translate(None, _CAPITALS).split()))])
        self._placed += len(columns)
        self.cells += len(_PREFIXED.findall(text)) if b":c" in text else 0
        self.cells += sum(text.count(begin) for begin in _CELLS)

    def width(self) -> int:
        """The number of columns. Raises `Unreadable` if a cell does not say its place."""
        if self.cells > self._placed:
            raise Unreadable(
                Sentence("The cells of this file do not say where they lie. Open it in Excel and save it again.")
            )
        return max(map(_number, self._columns), default=0)


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number


def _fits(rows: int, width: int, limits: Limits) -> None:
    if rows * width > limits.cells or width > limits.columns:
        raise Unreadable(
            Sentence("A sheet reaches over {rows} rows and {columns} columns: too large.", rows=rows, columns=width)
        )


def _workbook(data: bytes, limits: Limits) -> Iterator[Sheet]:
    try:
        book = calamine.load_workbook(io.BytesIO(data))
        visible = [sheet for sheet in book.sheets_metadata if sheet.visible == calamine.SheetVisibleEnum.Visible]
        names = [sheet.name for sheet in visible if sheet.typ == calamine.SheetTypeEnum.WorkSheet]
    except BaseException as error:  # noqa: BLE001 - the library's panics are not Exceptions
        _refuse(error)
    if len(names) > limits.sheets:
        raise Unreadable(_many(limits))
    return _worksheets(book, names, limits, _without_value(data))


def _without_value(data: bytes) -> dict[str, set[Place]]:
    try:
        return without_value(data)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, NotImplementedError, RuntimeError, KeyError) as error:
        raise Unreadable(_broken()) from error


def _worksheets(
    book: calamine.CalamineWorkbook, names: list[str], limits: Limits, lost: Mapping[str, set[Place]]
) -> Iterator[Sheet]:
    for name in names:
        try:
            sheet = book.get_sheet_by_name(name)
            merged = sheet.merged_cell_ranges or []
        except BaseException as error:  # noqa: BLE001 - the library's panics are not Exceptions
            _refuse(error)
        _fits(sheet.total_height, sheet.total_width, limits)
        rows: Iterator[list[Any]] = sheet.iter_rows()
        yield Sheet(name, _rows(sheet.start, rows, merged, lost.get(name, frozenset())), sheet.total_height)


def _excel97(messages: Iterator[SheetHead | list[list[Cell]]], limits: Limits) -> Iterator[Sheet]:
    """Yields the sheets of an .xls file that another process opens; skips unread rows of a sheet before the next."""
    rows: Iterator[Row] = iter(())
    number = 0
    try:
        for message in messages:
            if not isinstance(message, SheetHead):
                continue
            number += 1
            if number > limits.sheets:
                raise Unreadable(_many(limits))
            _fits(message.height, message.width, limits)
            rows = _rows(message.start, _batched(messages), message.merged)
            yield Sheet(message.name, rows, message.height)
            deque(rows, 0)
    except (Locked, Damaged) as error:
        _refuse(error)


def _batched(messages: Iterator[SheetHead | list[list[Cell]]]) -> Iterator[list[Cell]]:
    """Yields the rows up to the end of a sheet. A batch that is not full ends it."""
    for batch in messages:
        if not isinstance(batch, list):
            raise Broken("a sheet's head comes after the last batch of the one before")
        yield from batch
        if len(batch) < BATCH:
            return


Range = tuple[tuple[int, int], tuple[int, int]]


def _rows(
    start: tuple[int, int] | None,
    found: Iterator[list[Cell]],
    merged: list[Range],
    lost: Collection[Place] = frozenset(),
) -> Iterator[Row]:
    """The rows from column A on, a merged area's value repeated in each of its cells.

    Cells whose value is lost hold ERROR.
    """
    if start is None:
        return
    top, left = start
    pad: list[Cell] = [None] * left
    spans = _Merged(merged)
    columns: dict[int, list[int]] = {}
    for at, column in lost:
        columns.setdefault(at, []).append(column)
    try:
        for number, cells in enumerate(found, top):
            row = pad + cells if pad else cells
            spans.fill(number, row)
            for column in columns.get(number, ()):
                if column < len(row):
                    row[column] = ERROR
            yield number + 1, row
    except BaseException as error:  # noqa: BLE001 - the library's panics are not Exceptions
        _refuse(error)


class _Merged:
    """The merged areas of a sheet, opened and closed while its rows are read."""

    def __init__(self, merged: list[Range]) -> None:
        self._waiting = sorted(merged, reverse=True)
        self._open: list[tuple[Range, Cell]] = []

    def fill(self, number: int, row: list[Cell]) -> None:
        """Write each open area's value into its cells of this row."""
        if not (self._waiting or self._open):
            return
        while self._waiting and self._waiting[-1][0][0] <= number:
            area = self._waiting.pop()
            column = area[0][1]
            if area[0][0] == number and column < len(row) and row[column] not in {None, ""}:
                self._open.append((area, row[column]))
        if not self._open:
            return
        self._open = [(area, value) for area, value in self._open if area[1][0] >= number]
        if len(self._open) > len(row):  # they overlap, which Excel never does
            raise Unreadable(_broken())
        for ((_, first), (_, last)), value in self._open:
            for column in range(first, min(last + 1, len(row))):
                row[column] = value


def _refuse(error: BaseException) -> NoReturn:
    """Turns exceptions of the library, panics too, into a refusal; raises again what is not the file's fault."""
    if isinstance(error, calamine.PasswordError | Locked) or "password" in str(error).lower():
        raise Unreadable(Sentence("The file is locked with a password. Save it without one.")) from error
    if isinstance(error, Exception | MemoryError) or type(error).__name__ == "PanicException":
        raise (error if isinstance(error, Unreadable) else Unreadable(_broken())) from error
    raise error


def _broken() -> Sentence:
    return Sentence("The file is damaged and cannot be read. Open it in Excel and save it again.")


def _many(limits: Limits) -> Sentence:
    return Sentence("The file has more than {most} sheets. Split it.", most=limits.sheets)


def _bomb() -> Sentence:
    return Sentence("The file unpacks to more than is read. Split it.")


def _unknown() -> Sentence:
    return Sentence("Only Excel files (.xlsx, .xls) and csv files are read.")


# --- csv --------------------------------------------------------------------------------------------------------------

_DELIMITERS = ",;\t|"


def _csv_rows(data: bytes, limits: Limits) -> Iterator[Row]:
    encoding = _encoding(data)
    text = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")
    delimiter, skipped = _delimiter(data, encoding)
    reader = csv.reader(text, delimiter=delimiter)
    try:
        for number, cells in enumerate(reader, 1):
            if number <= skipped:
                continue
            if number > limits.rows or len(cells) > limits.columns:
                _fits(number, max(len(cells), limits.columns + 1), limits)
            yield number, cells  # type: ignore[misc]  # a list of texts is a list of cells nobody adds to
    except UnicodeDecodeError as error:
        raise Unreadable(_not_utf8()) from error
    except csv.Error as error:
        line = reader.line_num
        raise Unreadable(
            Sentence("Row {row} is no csv: a cell is too long, or its quotation mark is open.", row=line)
        ) from error


def _encoding(data: bytes) -> str:
    """UTF-8, or UTF-16 where a mark at the beginning says so ("Unicode text" of Excel)."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    if data.count(b"\0", 0, 4096):
        raise Unreadable(_unknown())
    return "utf-8-sig"


def _delimiter(data: bytes, encoding: str) -> tuple[str, int]:
    """Returns the delimiter, and how many lines to skip (Excel's own `sep=;`): the most frequent sign in 30 lines."""
    head = data[:65536].decode(encoding, "ignore").splitlines()[:30]
    if head and (named := re.fullmatch(r"sep=(.)", head[0].strip())):
        return named[1], 1
    counts = {sign: sorted((line.count(sign) for line in head), reverse=True)[:3] for sign in _DELIMITERS}
    best = max(_DELIMITERS, key=lambda sign: counts[sign])
    return best, 0


def _not_utf8() -> Sentence:
    return Sentence("The file is not text in UTF-8. In Excel, save it as “CSV UTF-8” or as .xlsx.")
