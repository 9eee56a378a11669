"""What every page can use: the settings, the context, the clock, and the moment and day of this request."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from flask import current_app, g, request
from flask_login import current_user

from engine.core.people.roles import RoleBook
from engine.core.time_source import TimeSource
from engine.core.words import Label
from engine.store.ops.health import Looks
from engine.store.ops.settings import DEMO, get_setting
from engine.usecases.context import Context
from web.site.settings import Settings

EXTENSION = "ralop"
KEPT_S = 5.0  # seconds that the answer whether this is a demo is kept


class Living(Protocol):
    """Something that can stop running."""

    def is_alive(self) -> bool:
        """Returns whether it still runs."""
        ...


@dataclass
class Deployment:
    """The parts from which pages are made; one for each application, returned by `deployment()`."""

    settings: Settings
    context: Context
    clock: TimeSource
    worker: Living | None = None  # that of this process, if any
    looks: Looks = field(default_factory=Looks, repr=False)
    _demo: tuple[float, bool] | None = field(default=None, repr=False)

    @property
    def zone(self) -> ZoneInfo:
        """Returns the time zone of the installation."""
        return self.context.definitions.calendar("").zone

    @property
    def demo(self) -> bool:
        """Returns whether the people in the database are invented."""
        if self.settings.demo:
            return True
        tick = time.monotonic()
        if self._demo is None or tick - self._demo[0] > KEPT_S:
            with self.context.store.reading("is this a demo") as session:
                self._demo = (tick, bool(get_setting(session, DEMO).get("on")))
        return self._demo[1]


def deployment() -> Deployment:
    """Returns the parts of the application that answers this request."""
    found: Deployment = current_app.extensions[EXTENSION]
    return found


def role_book() -> RoleBook:
    """Returns the roles of the installation."""
    return deployment().context.definitions.roles


def role_labels() -> Mapping[str, Label]:
    """Returns what each role is called where no place is meant."""
    return role_book().labels


def copied() -> bool:
    """Returns whether a device fetches this page to store it: nobody looks at it now, so no notice counts as read."""
    return "X-Copy" in request.headers


def now() -> dt.datetime:
    """Returns the moment of this request, an aware UTC datetime; always the same in one request."""
    moment: dt.datetime | None = g.get("now")
    if moment is None:
        moment = g.now = deployment().clock.now()
    return moment


def user() -> Any:
    """Returns the person on this page, or flask-login's anonymous user.

    `current_user` would look for them at each use.
    """
    return current_user._get_current_object()  # noqa: SLF001 - werkzeug names it so, and documents it


def local(moment: dt.datetime) -> dt.datetime:
    """Returns a moment in local time."""
    return moment.astimezone(deployment().zone)


def today() -> dt.date:
    """Returns the local day of this request."""
    day: dt.date | None = g.get("today")
    if day is None:
        day = g.today = local(now()).date()
    return day


def whole_arg(name: str, most: int = 2**31 - 1) -> int | None:
    """Returns a number from the query string, 0 to `most`; None if it is missing or not such a number."""
    if name not in request.args:
        return None
    text = request.args[name]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most else None


def local_path(target: str | None) -> str | None:
    """Returns a path of this site; None if it is not one, so that nobody is sent to another site."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    return None if any(ord(char) < 0x20 or char == "\\" for char in target) else target


def page_before() -> str:
    """Returns the path of the page with the pressed button; only the path, so that a forged Referer leads to no other
    site.

    The answer to a form may not have an address for reading; then it returns the start page.
    """
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:  # not an address
        return "/"
    target = urlunsplit(("", "", parts.path, parts.query, ""))
    adapter = current_app.create_url_adapter(request)
    asked = adapter is not None and adapter.test(parts.path, "GET")
    return (local_path(target) if asked else None) or "/"
