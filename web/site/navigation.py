"""The menus on every page: all entries, and those that this person has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from flask import Flask, current_app, request
from markupsafe import Markup

from engine.core.cases.act_vocabulary import OPENERS
from engine.core.people.access import ADMIN, OFFICE
from engine.core.words import Sentence
from web.site.addresses import url_for
from web.site.languages import language
from web.site.request_context import user

REMEMBERED = 1024  # menus: by roles, language and page


@dataclass(frozen=True, slots=True)
class Way:
    """An entry of the main menu. `roles`: who has it (empty: everybody); `icon`: its name in static/icons.svg."""

    endpoint: str
    words: Sentence
    icon: str
    roles: frozenset[str] = frozenset()

    @property
    def address(self) -> str:
        return url_for(self.endpoint)


# At most five: on a phone they are side by side at the bottom, each as wide as a thumb.
MAIN = (
    Way("work.index", Sentence("My work"), "work"),
    Way("cases.index", Sentence("Cases"), "cases"),
    Way("cases.new", Sentence("Open a case"), "new", OPENERS),
    Way("notices.index", Sentence("Notices"), "bell"),
    Way("help.index", Sentence("Help"), "help"),
)
MOST = 5
# The overviews of the roles: the first that a person has is in the main menu if there is room.
OVERVIEWS = (
    Way("overviews.area", Sentence("My area"), "search", frozenset({"commune_officer", "commune_leader", OFFICE})),
    Way("overviews.school", Sentence("My school"), "done", frozenset({"head"})),
    Way("overviews.klass", Sentence("My class"), "done", frozenset({"teacher"})),
    Way("needs.index", Sentence("Needs and gifts"), "new", frozenset({"volunteer", "association"})),
    Way("admin.index", Sentence("Admin"), "person", frozenset({ADMIN})),
)
# Set-up and the like: in the menu beside the person's name.
MORE: tuple[Way, ...] = (
    *OVERVIEWS,
    Way("rollcall.index", Sentence("Attendance"), "done", OPENERS),
    Way("funds.index", Sentence("Funds and stocks"), "done", frozenset({"volunteer", "association"})),
    Way("statements.index", Sentence("Statements"), "cases", frozenset({"volunteer", "association"})),
    Way("difficulties.index", Sentence("Difficulties"), "bell"),
    Way("gaps.index", Sentence("Gaps in posts"), "soon", frozenset({"head", "commune_leader", OFFICE, ADMIN})),
    Way("doubles.index", Sentence("Perhaps at two schools"), "person", frozenset({OFFICE})),
    Way("closures.index", Sentence("Days without class"), "soon"),
    Way("imports.index", Sentence("Bring in a file"), "new", frozenset({"teacher", "head", ADMIN})),
    Way("away.index", Sentence("When I am away"), "person"),
    Way("channels.mine", Sentence("How I am told"), "bell"),
    Way("offline.index", Sentence("On this device"), "phone"),
    Way("rulebook.rules", Sentence("Rules in words"), "help"),
    Way("risk.show", Sentence("Risk watch"), "soon", frozenset({"head", ADMIN, OFFICE})),
    Way("simulate.index", Sentence("Try out rules"), "cases", frozenset({ADMIN, OFFICE})),
)


def ways(of: tuple[Way, ...], roles: frozenset[str]) -> list[Way]:
    """Returns the entries that have a page and that somebody in these roles may use."""
    return [way for way in of if way.endpoint in current_app.view_functions and (not way.roles or way.roles & roles)]


def main_ways(roles: frozenset[str]) -> list[Way]:
    """Returns the entries of the main menu; if they are fewer than MOST, the first overview is among them."""
    found = ways(MAIN, roles)
    return [*found[:2], *ways(OVERVIEWS, roles)[:1], *found[2:]] if len(found) < MOST else found


def init_app(app: Flask) -> None:
    """Adds to templates: `main_menu()`, empty for a person who may not open any page yet, and `more_menu()`.

    They are made once for each role and language, because every page has both, with twenty entries.
    """

    @lru_cache(maxsize=REMEMBERED)
    def set_down(name: str, _root: str, _language: str, roles: frozenset[str], here: str | None) -> Markup:
        entries = main_ways(roles) if name == "main" else ways(MORE, roles)
        said: Markup = getattr(app.jinja_env.get_template("macros/ways.html").module, name)(entries, here)
        return said

    def menu(name: str, here: str | None) -> Markup:
        return set_down(name, request.script_root, language(), frozenset(user().viewer.units), here)

    def main_menu() -> Markup:
        person = user()
        goes = person.is_authenticated and not person.must_change
        return menu("main", request.endpoint) if goes else Markup()

    app.jinja_env.globals.update(main_menu=main_menu, more_menu=lambda: menu("more", None))
