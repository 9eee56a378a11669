"""The ways through the site that stand on every page: which there are, and which of them this person has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from flask import Flask, current_app, request, url_for
from flask_login import current_user

from engine.access import ADMIN, OFFICE
from engine.cases import OPENERS
from engine.words import Sentence


@dataclass(frozen=True, slots=True)
class Way:
    """An entry of the main menu. `roles`: who has it (none: everybody); `icon`: its name in static/icons.svg."""

    endpoint: str
    words: Sentence
    icon: str
    roles: frozenset[str] = frozenset()

    @property
    def address(self) -> str:
        return url_for(self.endpoint)

    @property
    def here(self) -> bool:
        """Whether this page is the entry's own."""
        return request.endpoint == self.endpoint


# At most five: on a phone they stand side by side at the bottom, each as wide as a thumb.
MAIN = (
    Way("work.index", Sentence("My work"), "work"),
    Way("cases.index", Sentence("Cases"), "cases"),
    Way("cases.new", Sentence("Open a case"), "new", OPENERS),
    Way("notices.index", Sentence("Notices"), "bell"),
    Way("help.index", Sentence("Help"), "help"),
)
MOST = 5
REMEMBERED = 4096  # addresses; a page has dozens, nearly the same ones each time
# The roles' own rooms: the first that a person has stands in the main menu where there is a place left.
ROOMS = (
    Way("rooms.area", Sentence("My area"), "search", frozenset({"commune_officer", "commune_leader", OFFICE})),
    Way("rooms.school", Sentence("My school"), "done", frozenset({"head"})),
    Way("rooms.klass", Sentence("My class"), "done", frozenset({"teacher"})),
    Way("rooms.needs", Sentence("Needs and gifts"), "new", frozenset({"volunteer", "association"})),
    Way("admin.index", Sentence("Admin"), "person", frozenset({ADMIN})),
)
# Set-up and the like: in the menu beside the person's name.
MORE: tuple[Way, ...] = (
    *ROOMS,
    Way("rollcall.index", Sentence("Attendance"), "done", OPENERS),
    Way("difficulties.index", Sentence("Difficulties"), "bell"),
    Way("closures.index", Sentence("Days without class"), "soon"),
    Way("imports.index", Sentence("Bring in a file"), "new", frozenset({"teacher", "head", ADMIN})),
    Way("away.index", Sentence("When I am away"), "person"),
    Way("channels.mine", Sentence("How I am told"), "bell"),
    Way("offline.index", Sentence("On this device"), "phone"),
    Way("rulebook.rules", Sentence("Rules in words"), "help"),
    Way("risk.show", Sentence("Risk watch"), "soon", frozenset({"head", ADMIN, OFFICE})),
    Way("simulate.index", Sentence("Try out rules"), "cases", frozenset({ADMIN, OFFICE})),
)


def ways(of: tuple[Way, ...]) -> list[Way]:
    """Those entries that have a page and that the person on this page may use."""
    roles = current_user.viewer.units if current_user.is_authenticated else {}
    return [
        way for way in of if way.endpoint in current_app.view_functions and (not way.roles or way.roles & roles.keys())
    ]


def main_ways() -> list[Way]:
    """The entries of the main menu; where fewer than MOST are the person's, the first of their rooms among them."""
    found = ways(MAIN)
    return [*found[:2], *ways(ROOMS)[:1], *found[2:]] if len(found) < MOST else found


def init_app(app: Flask) -> None:
    """In templates: `main_ways()`, `more_ways()`, and a `url_for` that remembers what it has put together."""

    @lru_cache(maxsize=REMEMBERED)
    def built(_root: str, endpoint: str, values: tuple[tuple[str, Any], ...]) -> str:
        return url_for(endpoint, **dict(values))

    def address(endpoint: str, **values: Any) -> str:
        plain = tuple((name, value) for name, value in values.items() if type(value) in {str, int})
        if len(plain) < len(values):
            return url_for(endpoint, **values)
        return built(request.script_root, endpoint, plain)

    app.jinja_env.globals.update(url_for=address, main_ways=main_ways, more_ways=lambda: ways(MORE))
