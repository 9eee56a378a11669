"""What the core knows of a case when it decides. `engine.core.cases.casework` alone changes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any, NamedTuple

from engine.core.workflow.answers import Answer

# Where a case stands: the units of its pupil, which it follows.
PLACE = ("class_id", "school_id", "village_id", "commune_id", "province_id")
# The columns that work on a case can change.
CHANGING = (
    "state",
    "entry",
    "last_entry",
    "since",
    "level",
    "absent_since",
    "opened_at",
    "closed_at",
    "assignee_id",
    "offered_role",
    "offered_unit_id",
    "offered_at",
    "accepted_at",
    "due_at",
    "next_look_at",
    "flags",
    "unreached",
    "association_id",
    "workflow_version",
    "rules_version",
    "version",
    "last_hash",
    *PLACE,
    "grade",
)
changing: Callable[[Facts], tuple[Any, ...]] = attrgetter(*CHANGING)


class Fired(NamedTuple):
    """How often a rule fired in the present stay, when it fired last, and the number of that event in the history."""

    times: int
    last: dt.datetime
    seq: int


@dataclass(slots=True)
class Facts:
    """A case as it is now. The fields up to `last_hash` are the columns of its row, in their order."""

    id: int
    code: str
    pupil_id: int
    workflow: str
    workflow_version: int
    rules_version: int
    state: str
    entry: int
    last_entry: int
    since: dt.datetime
    level: int
    absent_since: dt.date
    opened_at: dt.datetime
    closed_at: dt.datetime | None
    assignee_id: int | None
    offered_role: str | None
    offered_unit_id: int | None
    offered_at: dt.datetime | None
    accepted_at: dt.datetime | None
    due_at: dt.datetime | None
    next_look_at: dt.datetime | None
    flags: Sequence[str]
    unreached: int
    grade: int | None
    class_id: int
    school_id: int
    village_id: int | None
    commune_id: int | None
    province_id: int | None
    association_id: int | None
    version: int
    last_hash: str
    # Read from other tables:
    causes: tuple[str, ...] = ()
    fired: dict[str, Fired] = field(default_factory=dict)  # by rule, in this entry
    answers: tuple[Answer, ...] = ()  # contacts and visits of this entry, the oldest first
    holds: tuple[tuple[dt.datetime, dt.datetime | None, str], ...] = ()
    marks: tuple[tuple[dt.date, str], ...] = ()  # absent sessions: (day, "e" excused or "u" unexcused)

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    @property
    def accepted(self) -> bool | None:
        """Returns whether the offer was accepted; None if nothing is or was on offer."""
        return None if self.offered_at is None else self.accepted_at is not None

    @property
    def waiting(self) -> bool:
        """Returns whether the case is on offer and nobody has accepted it yet."""
        return self.accepted is False
