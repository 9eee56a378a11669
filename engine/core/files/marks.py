"""Reads one cell of a register: P, CP, K, KP, T followed by (s), (c), (sc), several joined by `;`.

The codes of vnEdu and SMAS: P and CP absent with leave, K and KP without, T late (VP and KH are about conduct and are
skipped). A blank cell gives no mark; whether it means that the pupil was there is decided where the file is brought in.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

from engine.core.files.aliases import Aliases
from engine.core.files.headers import Header
from engine.core.files.lines import Wrong, wrong
from engine.core.files.sheets import Cell
from engine.core.files.values import short, text_of, without_ids
from engine.core.text import fold
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread

OWN = {"p": "p", "e": "e", "u": "u", "l": "l"}  # our own codes, in small letters only: P is có phép
SESSIONS = {"s": "m", "c": "a", "sc": "ma", "cs": "ma"}
_SUFFIX = re.compile(r"\(\s*([scSC]{1,2})\s*\)\s*$")
_CODE_IN_WORDS = re.compile(r"\(\s*([A-Za-zÀ-ỹ]{1,3})\s*\)\s*$")  # "Nghỉ học có phép cả ngày (P)"
_PARTS_OF_DAY = (("ca ngay", "ma"), ("sang", "m"), ("chieu", "a"))


Mark = tuple[dt.date, str, str]  # day, session (m, a), mark (p, e, u, l)


class Listing:
    """The register of one class in a monthly sheet: its days and sessions, and those that a row of totals names.

    `doubtful` has the cells that could not be read, by the row of their pupil.
    """

    def __init__(self, columns: frozenset[tuple[dt.date, str]]) -> None:
        self.columns = columns
        self.summed: set[tuple[dt.date, str]] = set()
        self.doubtful: dict[int, list[tuple[dt.date, str]]] = {}


class Marked(NamedTuple):
    """A row of a register: the pupil (by code, or by name in a class) and the marks.

    `header` and `cells` are the row as in the file; a row of a monthly sheet has none, because it is given back in
    another form. Such a row has its `listing`, and perhaps no mark at all.
    """

    sheet: str
    row: int
    header: Header | None
    cells: Sequence[Cell]
    code: str
    name: str
    class_name: str
    marks: Sequence[Mark]
    reason: str | None = None
    listing: Listing | None = None

    def as_wrong(self, why: Sentence) -> list[Wrong]:
        """Returns the rows that a person gets back to correct: the row as in the file, or one row for each mark."""
        if self.header is not None:
            return [wrong(self.sheet, self.row, self.header, self.cells, [why])]
        who = (self.code, self.name, self.class_name)
        return [
            as_long(self.sheet, self.row, who, day, session, GIVEN_BACK[mark], why) for day, session, mark in self.marks
        ]


NO_VALUE = Sentence("The cell holds a formula without a value, or an error (#N/A): write the mark itself.")
LONG = ("Mã HS", "Họ và tên", "Lớp", "Ngày", "Buổi", "Hình thức")
GIVEN_BACK = {"p": "X", "e": "P", "u": "K", "l": "T", "m": "S", "a": "C"}


def as_long(
    sheet: str, row: int, who: tuple[str, str, str], day: dt.date | None, session: str, mark: str, why: Sentence
) -> Wrong:
    """Returns one cell of a monthly sheet as a row of a long list, which a person can correct and send again."""
    date, half = (day.strftime("%d/%m/%Y") if day else ""), GIVEN_BACK.get(session, "")
    return Wrong(sheet, row, LONG, tuple(map(without_ids, (*who, date, half, mark))), (why,))


class MarkReader:
    """Reads marks by a list of aliases. `own`: a lone small letter p, e, u, l is our own code (long lists)."""

    def __init__(self, aliases: Aliases, *, own: bool = False) -> None:
        self._words, self._session_words = aliases.values("mark"), aliases.values("session")
        self._own: Mapping[str, str] = OWN if own else {}
        self.empty = frozenset(text for text in aliases.empty if not text.startswith("#"))  # an error is not a blank
        self.read = lru_cache(maxsize=4096)(self._read)
        self.session = lru_cache(maxsize=256)(self._session)

    def _read(self, text: str) -> tuple[tuple[str, str], ...]:
        """Returns a cell's text as (sessions, mark) pairs: sessions "m", "a", "ma", or "" if the cell has no session.

        Raises `Misread`, also if two parts contradict each other about one session.
        """
        found: dict[str, str] = {}
        for part in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
            sessions, mark = self._part(part)
            for session in sessions or [""]:
                if mark != "other" and found.setdefault(session, mark) != mark:
                    raise Misread(Sentence("“{cell}” says two things of one session.", cell=short(text)))
        return tuple(found.items())

    def _part(self, part: str) -> tuple[str, str]:
        if part in self._own:
            return "", self._own[part]
        sessions = ""
        if suffix := _SUFFIX.search(part):
            sessions, part = SESSIONS.get(suffix[1].lower(), ""), part[: suffix.start()].strip()
        if part.startswith("#"):
            raise Misread(NO_VALUE)
        words = fold(part)
        if words in self._words:
            return sessions, self._words[words]
        if in_words := _CODE_IN_WORDS.search(part):
            words = fold(part[: in_words.start()])
        sessions = sessions or next((session for name, session in _PARTS_OF_DAY if name in words), "")
        for name, _ in _PARTS_OF_DAY:
            words = " ".join(words.replace(name, " ").split())
        if words in self._words:
            return sessions, self._words[words]
        raise Misread(Sentence("“{cell}” is no mark that is known (P, K, T …).", cell=short(part)))

    def _session(self, text: str) -> str:
        found = self._session_words.get(fold(text))
        if found is None:
            raise Misread(Sentence("“{cell}” is no session: morning (S) or afternoon (C).", cell=short(text)))
        return found

    def cell(self, cell: Cell) -> tuple[tuple[str, str], ...]:
        """Returns the marks of a cell; none if it is blank. Raises `Misread`."""
        text = cell.strip() if isinstance(cell, str) else text_of(cell)
        return self.read(text) if text else ()
