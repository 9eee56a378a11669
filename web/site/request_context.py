"""What every page can ask for: the settings, the house, the clock, and the moment and day of this request."""

from __future__ import annotations

import datetime as dt
import time
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfo

from flask import current_app, g, request
from flask_login import current_user

from engine.core.time_source import TimeSource
from engine.store.ops.health import Looks
from engine.store.ops.settings import DEMO, get_setting
from engine.usecases.context import Context
from web.site.settings import Settings

EXTENSION = "ralop"
KEPT_S = 5.0  # how long it is believed that this is, or is not, a demo


class Living(Protocol):
    """Something that can die."""

    def is_alive(self) -> bool:
        """Whether it has not."""
        ...


@dataclass
class Deployment:
    """The parts that pages are made with; one an application, found by `shell()`."""

    settings: Settings
    context: Context
    clock: TimeSource
    worker: Living | None = None  # that of this process, if it has one
    looks: Looks = field(default_factory=Looks, repr=False)
    _demo: tuple[float, bool] | None = field(default=None, repr=False)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which people here live."""
        return self.context.definitions.calendar("").zone

    @property
    def demo(self) -> bool:
        """Whether the people in the database are invented."""
        if self.settings.demo:
            return True
        tick = time.monotonic()
        if self._demo is None or tick - self._demo[0] > KEPT_S:
            with self.context.store.reading("is this a demo") as session:
                self._demo = (tick, bool(get_setting(session, DEMO).get("on")))
        return self._demo[1]


def deployment() -> Deployment:
    """The parts of the application that answers this request."""
    found: Deployment = current_app.extensions[EXTENSION]
    return found


def copied() -> bool:
    """Whether a device fetches this page to keep it: nobody looks at it now, so nothing is told by it, and no
    notice read."""
    return "X-Copy" in request.headers


def now() -> dt.datetime:
    """The moment of this request, an aware UTC datetime: the same wherever in the request it is asked."""
    moment: dt.datetime | None = g.get("now")
    if moment is None:
        moment = g.now = deployment().clock.now()
    return moment


def user() -> Any:
    """The person on this page, or flask-login's nobody. `current_user` looks for them anew at each of their names."""
    return current_user._get_current_object()  # noqa: SLF001 - werkzeug names it so, and documents it


def local(moment: dt.datetime) -> dt.datetime:
    """A moment as clocks on the wall here show it."""
    return moment.astimezone(deployment().zone)


def today() -> dt.date:
    """The day of this request, here."""
    day: dt.date | None = g.get("today")
    if day is None:
        day = g.today = local(now()).date()
    return day


def whole_arg(name: str, most: int = 2**31 - 1) -> int | None:
    """A number from the query string, 0 to `most`; None where there is none, or none that can be."""
    if name not in request.args:
        return None
    text = request.args[name]
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 10 and int(text) <= most else None


def local_path(target: str | None) -> str | None:
    """A path of this site to go on to, or None if it is none: never a way to another site."""
    if not target or not target.startswith("/") or target.startswith(("//", "/\\")):
        return None
    return None if any(ord(char) < 0x20 or char == "\\" for char in target) else target


def page_before() -> str:
    """The page the button was pressed on: its path only, so that a forged Referer leads to no other site.

    A page that came in answer to a form may have no address to be asked for again; then to the beginning.
    """
    try:
        parts = urlsplit(request.referrer or "")
    except ValueError:  # an address that is none
        return "/"
    target = urlunsplit(("", "", parts.path, parts.query, ""))
    adapter = current_app.create_url_adapter(request)
    asked = adapter is not None and adapter.test(parts.path, "GET")
    return (local_path(target) if asked else None) or "/"
