"""The options of an import, and the classes and schools whose pupils a person may import."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.core.files.attendance import FileFacts
from engine.core.people.access import Viewer
from engine.core.people.roles import ADMIN, CLASS, SCHOOL
from engine.core.words import Sentence

KINDS = ("pupils", "attendance")
HOLD, ADD, SAME = "hold", "add", "same"  # what to do with a new code that looks like a known pupil
TAKE, KEEP = "take", "keep"  # a known code with another name or birth date: take the file's values, or keep ours
PRESENT, NOT_TAKEN = "present", "not-taken"  # what a blank means; "": what it means in a file of this form
BLANKS = ("", PRESENT, NOT_TAKEN)
DECISIONS = frozenset({ADD, SAME, TAKE, KEEP})


@dataclass(frozen=True, slots=True)
class Options:
    """What a person chooses for a file.

    `class_code`, `school_code`: the class and school of rows that name none.

    `month` of wide sheets, `session` that a plain mark means, `duplicates` one of HOLD, ADD, SAME; `decisions` one of
    DECISIONS for single codes (`code@school` where a file is of several schools); `strict`: import nothing if one row
    is wrong; `blank` one of BLANKS: without a choice a blank of a monthly sheet is *present*, and a pupil without a row
    in a long list was not looked at.
    """

    class_code: str = ""
    school_code: str = ""
    month: dt.date | None = None
    session: str = "m"
    duplicates: str = HOLD
    decisions: Mapping[str, str] | None = None
    strict: bool = False
    blank: str = ""

    def as_json(self) -> dict[str, Any]:
        """Returns the options as they are stored with a job."""
        return asdict(self) | {"month": self.month.isoformat() if self.month else None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Options:
        """The options of a job."""
        month = dt.date.fromisoformat(data["month"]) if data.get("month") else None
        return cls(**{**data, "month": month})

    def asked(self, today: dt.date) -> FileFacts:
        """Returns the facts that the readers of registers need."""
        return FileFacts(today, self.month, self.session)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose rows are taken: all (command line, administrator), or the rows of some classes and schools."""

    everywhere: bool = False
    classes: frozenset[int] = frozenset()
    schools: frozenset[int] = frozenset()

    def holds(self, class_id: int, school_id: int) -> bool:
        """Returns whether a row of this class may be imported."""
        return self.everywhere or class_id in self.classes or school_id in self.schools

    def one_school(self, above: Callable[[int, str], int | None]) -> int | None:
        """Returns the school if the reach is one whole school; `above` gives the school of a class."""
        schools = {*self.schools, *(above(one, "school") for one in self.classes)}
        return next(iter(schools)) if len(schools) == 1 else None

    @property
    def nowhere(self) -> bool:
        return not (self.everywhere or self.classes or self.schools)


ALL = Reach(everywhere=True)


def reach_of(viewer: Viewer, kind: str) -> Reach:
    """Returns what a person may import: a teacher the marks of own classes, a head also the pupils of the school."""
    if viewer.holds(ADMIN):
        return ALL
    return Reach(False, viewer.seated(CLASS) if kind == "attendance" else frozenset(), viewer.seated(SCHOOL))


NOT_YOURS = Sentence("This row is of a class that is not yours.")
