"""Shared by the readers of pupils and attendance: the rows of a file, and what is wrong with a row."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, islice

from engine.core.files.aliases import Aliases
from engine.core.files.headers import SEARCHED, Header, find_header
from engine.core.files.sheets import Cell, Row, Sheet, Unreadable
from engine.core.files.values import text_of, without_ids
from engine.core.words import Sentence

LONGEST = 1_000  # characters of a returned cell


@dataclass(frozen=True, slots=True)
class Wrong:
    """A row that is not taken, in the form in which people get it back: its columns, its cells, and why."""

    sheet: str
    row: int
    names: tuple[str, ...]
    cells: tuple[str, ...]
    why: tuple[Sentence, ...]


@dataclass(slots=True)
class Notes:
    """Remarks about a file beside its wrong rows: sheets that were skipped, values that were left out.

    `noted` counts what was taken note of one by one: cells, marks, pupils. Not all of it is told in a sentence.
    """

    sentences: list[Sentence] = field(default_factory=list)
    noted: int = 0

    def note(self, msgid: Sentence, count: int = 1) -> None:
        """Counts so many things more, and says what they are."""
        self.noted += count
        self.say(msgid)

    def say(self, msgid: Sentence) -> None:
        if msgid not in self.sentences and len(self.sentences) < 100:
            self.sentences.append(msgid)


def wrong(sheet: str, row: int, header: Header, cells: Sequence[Cell], why: Sequence[Sentence]) -> Wrong:
    """Returns a wrong row as in the file, without the cells that hold personal id numbers."""
    kept = [at for at in range(len(header.names)) if at not in header.dropped]
    texts = (text_of(cells[at]) if at < len(cells) else "" for at in kept)
    return Wrong(
        sheet,
        row,
        tuple(without_ids(header.names[at]) for at in kept),
        tuple(without_ids(text[:LONGEST]) for text in texts),
        tuple(why),
    )


@dataclass(frozen=True)
class Table:
    """The table of one sheet: the rows above its header, the header, and the rows below."""

    sheet: str
    title: tuple[str, ...]
    header: Header
    rows: Iterator[Row]


def table_of(sheet: Sheet, aliases: Aliases, kind: str, needs: Sequence[Collection[str]]) -> Table | None:
    """Returns the table of a sheet, with the header found among the first rows; None if it has no header."""
    first = list(islice(sheet.rows, SEARCHED + 1))
    found = find_header([cells for _, cells in first], aliases, kind, needs)
    if found is None:
        return None
    index, header = found
    title = tuple(text_of(cell) for _, cells in first[:index] for cell in dict.fromkeys(cells) if cell is not None)
    rows = chain(first[index + header.height :], sheet.rows)
    return Table(sheet.name, title, header, _body(rows, header))


def _body(rows: Iterator[Row], header: Header) -> Iterator[Row]:
    """Yields the rows that may hold data: no empty rows, no repeated headers, no column numbers."""
    at = next(iter(header.columns.values()))
    named = header.names[at]
    first = True
    for number, cells in rows:
        if len(cells) > at and cells[at]:
            if cells[at] == named and [text_of(cell) for cell in cells] == list(header.names):
                continue
        elif not any(cells):
            continue
        if first and _is_numbering(cells):
            continue
        first = False
        yield number, cells


def _is_numbering(cells: Sequence[Cell]) -> bool:
    found = [re.fullmatch(r"\((\d{1,2})\)", text_of(cell)) for cell in cells if cell]
    return len(found) > 2 and all(found)


def without_ids_in_names(sheets: Iterator[Sheet]) -> Iterator[Sheet]:
    """Yields the sheets with names that may be shown."""
    return (replace(sheet, name=without_ids(sheet.name)) for sheet in sheets)


def no_table(needed: str) -> Unreadable:
    """Says that no sheet of the file holds a table of this kind."""
    return Unreadable(
        Sentence(
            "None of the first {rows} rows names the columns that are needed: {needed}.", rows=SEARCHED, needed=needed
        )
    )


def passed_over(sheet: Sheet) -> Sentence:
    """Says that a sheet holds no table of this kind."""
    return Sentence("The sheet “{sheet}” has no such columns and was passed over.", sheet=sheet.name)
