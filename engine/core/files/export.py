"""Writes lists as xlsx and csv files for Excel, without anything that Excel would run.

A cell that begins with =, +, -, @ or a control character counts as a formula when Excel opens a csv file. In csv such a
text gets an apostrophe in front. In xlsx it is stored as text, which Excel never runs.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

from engine.core.files.lines import Wrong
from engine.core.words import Label, Sentence, written

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
CSV = "text/csv; charset=utf-8"
TYPES = {"xlsx": XLSX, "csv": CSV}
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
MOST_ROWS = 1_048_575  # of a sheet, below its header
MOST_CHARACTERS = 32_767  # of a cell

Value = str | int | float | Decimal | dt.date | dt.datetime | bool | Label | Sentence | None


def export(form: str, columns: Sequence[str], rows: Iterable[Sequence[Value]], language: str, title: str = "") -> bytes:
    """A list as the bytes of a file. `form`: "xlsx" or "csv"; `columns`: the names on top, already in the language.

    Raises `KeyError` for any other form. What is written is what the caller may see: rows come from a scoped session.
    """
    return {"xlsx": to_xlsx, "csv": to_csv}[form](columns, rows, language, title)


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Value]], language: str, _title: str = "") -> bytes:
    """Returns UTF-8 with a byte order mark, by which Excel knows it."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow([harmless(column) for column in columns])
    writer.writerows([_csv_cell(value, language) for value in row] for row in rows)
    return text.getvalue().encode("utf-8-sig", "replace")


def harmless(text: str) -> str:
    """Returns a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_RUNS) else text


def _csv_cell(value: Value, language: str) -> Any:
    if value is None:
        return ""
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return value
    return harmless(_text(value, language))


def _text(value: Value, language: str) -> str:
    if isinstance(value, bool):
        return {"vi": ("không", "có"), "en": ("no", "yes")}[language][value]
    return written(value, language)[:MOST_CHARACTERS]


def to_xlsx(columns: Sequence[str], rows: Iterable[Sequence[Value]], language: str, title: str = "") -> bytes:
    """Returns one sheet whose header stays visible and has filters.

    Rows are written one by one, so their number does not matter.
    """
    return _book([(title, columns, rows)], language)


def _book(sheets: Iterable[tuple[str, Sequence[str], Iterable[Sequence[Value]]]], language: str) -> bytes:
    file = io.BytesIO()
    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options | {"strings_to_numbers": False}) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "bottom": 1})
        day = book.add_format({"num_format": "dd/mm/yyyy"})
        for title, columns, rows in sheets:
            sheet = book.add_worksheet(_sheet_name(title) or None)
            sheet.freeze_panes(1, 0)
            for at, column in enumerate(columns):
                sheet.set_column(at, at, max(10, min(40, len(column) + 2)))
                sheet.write_string(0, at, column, bold)
            last = 0
            for last, row in zip(range(1, MOST_ROWS), rows):  # noqa: B905 - a sheet has no more rows than that
                for at, value in enumerate(row):
                    _write_cell(sheet, last, at, value, language, day)
            sheet.autofilter(0, 0, max(last, 1), max(len(columns) - 1, 0))
    return file.getvalue()


def _write_cell(sheet: Any, row: int, at: int, value: Value, language: str, day: Any) -> None:
    if value is None or value == "":
        return
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        sheet.write_number(row, at, value)
    elif isinstance(value, dt.date) and not isinstance(value, dt.datetime):
        sheet.write_datetime(row, at, dt.datetime(value.year, value.month, value.day), day)  # noqa: DTZ001 - Excel has no zones
    else:
        sheet.write_string(row, at, _text(value, language))


def _sheet_name(title: str) -> str:
    return "".join(char for char in title if char not in "[]:*?/\\'")[:31].strip()


def wrong_file(rows: Sequence[Wrong], language: str) -> bytes:
    """Returns wrong rows as an xlsx file that people correct and send again: the rows as in the file, with the reason.

    Each sheet holds the rows that have the same columns.
    """
    forms: dict[tuple[str, ...], list[Wrong]] = {}
    for row in rows:
        forms.setdefault(row.names, []).append(row)
    reason = {"vi": ("Lỗi", "Vị trí trong tệp"), "en": ("What is wrong", "Where it stood")}[language]
    sheets = [
        (
            "",
            (*names, *reason),
            [[*row.cells, _reasons(row, language), f"{row.sheet} {row.row}".strip()] for row in those],
        )
        for names, those in forms.items()
    ]
    return _book(sheets or [("", reason, [])], language)


def _reasons(row: Wrong, language: str) -> str:
    return "; ".join(sentence.in_(language) for sentence in row.why)
