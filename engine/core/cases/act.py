"""A person's act on a case as one value: who does it, on which case, with what they filled in, and when."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from engine.core.people.access import Viewer


@dataclass(frozen=True, slots=True)
class Act:
    """What a person does with a case. Which act it is, the use case says that takes it.

    `version` is the version of the case that the person was looking at; None: whichever it has. `key` is the
    idempotency key of the request: sent again, it does nothing more.
    """

    viewer: Viewer
    code: str
    values: Mapping[str, object]
    now: dt.datetime
    version: int | None = None
    key: str | None = None
