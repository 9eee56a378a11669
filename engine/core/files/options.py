"""What an import is asked to do, and for whom: the classes and schools whose pupils a person may bring in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from engine.core.files.attendance import FileFacts
from engine.core.people.access import ADMIN, Viewer
from engine.core.words import Sentence

KINDS = ("pupils", "attendance")
HOLD, ADD, SAME = "hold", "add", "same"  # what to do with a new code that looks like a pupil who is there already
TAKE, KEEP = "take", "keep"  # with another name or birth date under a known code: the file's, or the one that is here
DECISIONS = frozenset({ADD, SAME, TAKE, KEEP})


@dataclass(frozen=True, slots=True)
class Options:
    """What a person says with a file. `class_code`, `school_code`: what rows are about that do not say so themselves.

    `month` of wide sheets, `session` that a plain mark means, `duplicates` one of HOLD, ADD, SAME; `decisions` one of
    DECISIONS for single codes (`code@school` where a file is of several schools); `strict`: bring in nothing at all if
    one row is wrong.
    """

    class_code: str = ""
    school_code: str = ""
    month: dt.date | None = None
    session: str = "m"
    duplicates: str = HOLD
    decisions: Mapping[str, str] | None = None
    strict: bool = False

    def as_json(self) -> dict[str, Any]:
        """The options as they are kept with a job."""
        return asdict(self) | {"month": self.month.isoformat() if self.month else None}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Options:
        """The options of a job."""
        month = dt.date.fromisoformat(data["month"]) if data.get("month") else None
        return cls(**{**data, "month": month})

    def asked(self, today: dt.date) -> FileFacts:
        """What the readers of registers are told."""
        return FileFacts(today, self.month, self.session)


@dataclass(frozen=True, slots=True)
class Reach:
    """Whose rows are taken: all (the command line, an administrator), or those of some classes and schools."""

    everywhere: bool = False
    classes: frozenset[int] = frozenset()
    schools: frozenset[int] = frozenset()

    def holds(self, class_id: int, school_id: int) -> bool:
        """Whether a row of this class may be brought in."""
        return self.everywhere or class_id in self.classes or school_id in self.schools

    def one_school(self, above: Callable[[int, str], int | None]) -> int | None:
        """The school, if all of it is one; `above` tells the school of a class."""
        schools = {*self.schools, *(above(one, "school") for one in self.classes)}
        return next(iter(schools)) if len(schools) == 1 else None

    @property
    def nowhere(self) -> bool:
        return not (self.everywhere or self.classes or self.schools)


ALL = Reach(everywhere=True)


def reach_of(viewer: Viewer, kind: str) -> Reach:
    """What a person may bring in: a teacher marks of own classes, a head also pupils of the school."""
    if viewer.holds(ADMIN):
        return ALL
    return Reach(False, viewer.of("teacher") if kind == "attendance" else frozenset(), viewer.of("head"))


NOT_YOURS = Sentence("This row is of a class that is not yours.")
