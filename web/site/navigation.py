"""The menus on every page: all entries, and those that this person has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from flask import Flask, current_app, request
from markupsafe import Markup

from engine.core.people.roles import (
    ADMIN,
    ADMINISTER,
    AREA,
    CLASS,
    COMMUNE,
    FIGURES,
    HOLD,
    KNOWS,
    OFFICE,
    OPEN,
    REGISTER,
    SCHOOL,
    VILLAGE,
    RoleBook,
)
from engine.core.words import Sentence
from web.site.addresses import url_for
from web.site.languages import language
from web.site.request_context import role_book, user

REMEMBERED = 1024  # menus: by roles, language and page


@dataclass(frozen=True, slots=True)
class Way:
    """An entry of the main menu. `roles`: who has it (None: everybody); `icon`: its name in static/icons.svg."""

    endpoint: str
    words: Sentence
    icon: str
    roles: Callable[[RoleBook], frozenset[str]] | None = None

    @property
    def address(self) -> str:
        return url_for(self.endpoint)


def _openers(book: RoleBook) -> frozenset[str]:
    return book.able(OPEN)


def _registers(book: RoleBook) -> frozenset[str]:
    return book.able(REGISTER)


def _seated(*kinds: str, sights: tuple[str, ...] = (KNOWS,)) -> Callable[[RoleBook], frozenset[str]]:
    return lambda book: frozenset(role for sight in sights for role in book.seated(*kinds, sight=sight))


def _named(*roles: str, school: bool = False) -> Callable[[RoleBook], frozenset[str]]:
    """These roles, which have pages of their own; `school`: and who knows a whole school."""
    return lambda book: frozenset(roles) | (frozenset(book.seated(SCHOOL, sight=KNOWS)) if school else frozenset())


# At most five: on a phone they are side by side at the bottom, each as wide as a thumb.
MAIN = (
    Way("work.index", Sentence("My work"), "work"),
    Way("cases.index", Sentence("Cases"), "cases"),
    Way("cases.new", Sentence("Open a case"), "new", _openers),
    Way("notices.index", Sentence("Notices"), "bell"),
    Way("help.index", Sentence("Help"), "help"),
)
MOST = 5
# The overviews of the roles: the first that a person has is in the main menu if there is room.
OVERVIEWS = (
    Way("overviews.area", Sentence("My area"), "search", _seated(VILLAGE, COMMUNE, AREA, sights=(KNOWS, FIGURES))),
    Way("overviews.school", Sentence("My school"), "done", _seated(SCHOOL)),
    Way("overviews.klass", Sentence("My class"), "done", _seated(CLASS)),
    Way("needs.index", Sentence("Needs and gifts"), "new", lambda book: book.referred),
    Way("admin.index", Sentence("Admin"), "person", _named(ADMIN)),
)
# Set-up and the like: in the menu beside the person's name.
MORE: tuple[Way, ...] = (
    *OVERVIEWS,
    Way("rollcall.index", Sentence("Attendance"), "done", _registers),
    Way("funds.index", Sentence("Funds and stocks"), "done", lambda book: book.referred),
    Way("statements.index", Sentence("Statements"), "cases", lambda book: book.referred),
    Way("difficulties.index", Sentence("Difficulties"), "bell"),
    Way("gaps.index", Sentence("Gaps in posts"), "soon", lambda book: book.able(HOLD) | book.able(ADMINISTER)),
    Way("doubles.index", Sentence("Perhaps at two schools"), "person", _named(OFFICE)),
    Way("closures.index", Sentence("Days without class"), "soon"),
    Way("imports.index", Sentence("Bring in a file"), "new", lambda book: book.able(REGISTER) | {ADMIN}),
    Way("away.index", Sentence("When I am away"), "person"),
    Way("channels.mine", Sentence("How I am told"), "bell"),
    Way("offline.index", Sentence("On this device"), "phone"),
    Way("rulebook.rules", Sentence("Rules in words"), "help"),
    Way("risk.show", Sentence("Risk watch"), "soon", _named(ADMIN, OFFICE, school=True)),
    Way("simulate.index", Sentence("Try out rules"), "cases", _named(ADMIN, OFFICE)),
)


def ways(of: tuple[Way, ...], roles: frozenset[str]) -> list[Way]:
    """Returns the entries that have a page and that somebody in these roles may use."""
    known, book = current_app.view_functions, role_book()
    return [way for way in of if way.endpoint in known and (way.roles is None or way.roles(book) & roles)]


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
