"""The filters of the list of cases: as in the address, as understood, and as chips on the page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from engine.core.cases.levels import level_words
from engine.core.words import Label, Sentence
from engine.core.workflow.form_values import read_date
from engine.core.workflow.model import Workflow
from engine.store.cases.listing import Cursor, Filters
from web.site.request_context import deployment, whole_arg
from web.site.typed import whole

LONGEST = 80  # characters of a search
NAMES = ("q", "state", "which", "level", "unit", "from", "to")  # names in the address
WHICH: Mapping[str, Sentence] = {
    "overdue": Sentence("Overdue"),
    "mine": Sentence("Mine"),
    "offered": Sentence("Waiting for my acceptance"),
    "waiting": Sentence("Waiting for somebody's acceptance"),
    "closed": Sentence("Ended"),
    "all": Sentence("Open and ended"),
}


@dataclass(frozen=True, slots=True)
class TypedFilters:
    """The filters as typed, and as understood. `wrong` are the dates that could not be read."""

    typed: Mapping[str, str]
    filters: Filters
    wrong: tuple[str, ...]

    def address(self, without: str = "", **more: str) -> str:
        """Returns the address of this list with one filter removed, or something added."""
        kept: dict[str, Any] = {name: value for name, value in self.in_force.items() if name != without}
        return url_for("cases.index", **{**kept, **more})

    @property
    def in_force(self) -> dict[str, Any]:
        """Returns the filters in the address of this list."""
        return {name: value for name, value in self.typed.items() if value}


def asked(workflow: Workflow) -> TypedFilters:
    """Reads the filters from the address of this request."""
    typed = {name: request.args.get(name, "").strip()[:LONGEST] for name in NAMES}
    days = {name: read_date(typed[name]) if typed[name] else None for name in ("from", "to")}
    filters = Filters(
        q=typed["q"],
        state=typed["state"] if typed["state"] in workflow.states else "",
        which=_which(typed, workflow),
        level=whole_arg("level", 99),
        unit=whole_arg("unit"),
        opened_from=_midnight(days["from"]),
        opened_to=_midnight(days["to"], 1),
    )
    return TypedFilters(typed, filters, tuple(name for name, day in days.items() if typed[name] and day is None))


def _which(typed: Mapping[str, str], workflow: Workflow) -> str:
    """Returns which cases are meant; a final state means ended cases."""
    if typed["which"] in WHICH:
        return typed["which"]
    state = workflow.states.get(typed["state"])
    return "closed" if state and state.final else ""


def _midnight(day: dt.date | None, later: int = 0) -> dt.datetime | None:
    if day is None or not 1900 < day.year < 2200:
        return None
    return dt.datetime.combine(day + dt.timedelta(days=later), dt.time(), deployment().zone).astimezone(dt.UTC)


def chips(asked: TypedFilters, workflow: Workflow, units: Mapping[int, str]) -> Iterator[tuple[str, Sentence | Label]]:
    """Returns the present filters, each with its name in the address."""
    filters, typed = asked.filters, asked.typed
    if filters.q:
        yield "q", Sentence("Search: {words}", words=filters.q)
    if filters.state:
        yield "state", workflow.states[filters.state].label
    if typed["which"] in WHICH:
        yield "which", WHICH[typed["which"]]
    if filters.level is not None:
        yield "level", level_words(filters.level)
    if filters.unit is not None:
        name = units.get(filters.unit, "?")
        yield "unit", Label(name, name)
    if filters.opened_from:
        yield "from", Sentence("Opened from {day}", day=read_date(typed["from"]))
    if filters.opened_to:
        yield "to", Sentence("Opened until {day}", day=read_date(typed["to"]))


def written(cursor: Cursor) -> str:
    """Returns a place in the list in the form of the address."""
    due, id = cursor
    return f"{due.astimezone(dt.UTC):%Y%m%dT%H%M%S.%f}~{id}" if due else f"~{id}"


def after() -> Cursor | None:
    """Returns where this page begins; the first page if it cannot be read."""
    due, _mark, text = request.args.get("after", "").partition("~")
    id = whole(text)
    if id is None:
        return None
    try:
        moment = dt.datetime.strptime(due, "%Y%m%dT%H%M%S.%f").replace(tzinfo=dt.UTC) if due else None
    except ValueError:
        return None
    return moment, id
