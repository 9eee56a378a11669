"""Finds the row that names the columns among the first rows of a sheet."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from engine.core.files.aliases import Aliases
from engine.core.files.sheets import Cell
from engine.core.files.values import text_of
from engine.core.text import fold

SEARCHED = 30  # rows


@dataclass(frozen=True)
class Header:
    """Where the columns of a table are: key → position of the column; `names` as they stand in the file.

    `dropped` are the columns of personal id numbers; `height` is 2 where the names stand in two rows.
    """

    columns: Mapping[str, int]
    names: Sequence[str]
    dropped: frozenset[int]
    height: int = 1

    def cell(self, row: Sequence[Cell], key: str) -> Cell:
        """Returns the cell of a row in the column with this key; None if the column or the cell does not exist."""
        at = self.columns.get(key, -1)
        return row[at] if 0 <= at < len(row) else None


def find_header(
    rows: Sequence[Sequence[Cell]], aliases: Aliases, table: str, needs: Sequence[Collection[str]]
) -> tuple[int, Header] | None:
    """Returns the header among these rows, and its index: the first row that names one column of each group in `needs`.

    A name may also take two rows: a group above (often merged) and its parts below.
    """
    for index, row in enumerate(rows[:SEARCHED]):
        header = read_header([row], aliases, table)
        if _meets(header, needs):
            below = rows[index + 1] if index + 1 < len(rows) else ()
            if _is_second_row(row, below, header, aliases, table):
                header = read_header(rows[index : index + 2], aliases, table)
            return index, header
        if index + 1 < len(rows) and header.columns:
            header = read_header(rows[index : index + 2], aliases, table)
            if _meets(header, needs):
                return index, header
    return None


def _is_second_row(row: Sequence[Cell], below: Sequence[Cell], header: Header, aliases: Aliases, table: str) -> bool:
    """Returns whether a row goes on with the header above: it names parts of groups, and no pupil.

    Merged cells repeat their text, so what stands below a name is the name again, or nothing.
    """
    above = [text_of(_at(row, at)) for at in range(max(len(row), len(below)) + 1)]
    parts = {at: text for at in range(len(below)) if (text := text_of(below[at])) and text != above[at]}
    who = {at for key, at in header.columns.items() if key in {"code", "name", "given_name"}}
    known = aliases.columns(table)
    in_groups = all(not above[at] or above[at + 1] in {"", above[at]} or above[at - 1] == above[at] for at in parts)
    named = any(fold(text) in known for text in parts.values())
    return bool(parts) and in_groups and named and not who & parts.keys()


def _meets(header: Header, needs: Sequence[Collection[str]]) -> bool:
    return all(any(key in header.columns for key in group) for group in needs)


def read_header(rows: Sequence[Sequence[Cell]], aliases: Aliases, table: str) -> Header:
    """Reads one or two rows as a header. If two columns mean the same, the one with the more usual name counts."""
    known = aliases.columns(table)
    names = [_name(rows, at) for at in range(max(map(len, rows)))]
    best: dict[str, tuple[int, int]] = {}
    dropped = set()
    for at, tries in enumerate(names):
        if any(name in aliases.dropped for name in tries):
            dropped.add(at)
            continue
        for name in tries:
            if name in known:
                key, rank = known[name]
                best[key] = min(best.get(key, (rank, at)), (rank, at))
                break
    columns = {key: at for key, (_, at) in best.items()}
    return Header(columns, [text_of(_at(rows[-1], at)) for at in range(len(names))], frozenset(dropped), len(rows))


def _name(rows: Sequence[Sequence[Cell]], at: int) -> list[str]:
    """Yields the names a column may have: from the lower row, from both, from the upper row alone."""
    parts = [fold(text_of(_at(row, at))) for row in rows]
    if len(parts) == 1:
        return parts
    above, below = parts
    return [f"{above} {below}".strip(), below or above]


def _at(row: Sequence[Cell], at: int) -> Cell:
    return row[at] if at < len(row) else None
