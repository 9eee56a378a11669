"""The fixed cast for tests of pages: the people and pupils of `engine.cast` on a database, and a browser for each.

`Stage.browser("teacher")` is a Flask test client that is signed in; `outsider_teacher` is the same role elsewhere.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.test import TestResponse

from engine import cases, sweep
from engine.access import Viewer
from engine.cast import PUPILS
from engine.clock import Frozen
from engine.house import House
from engine.names import fold, sort_key
from engine.store import stage as stages
from engine.store import tables as t
from engine.store.cases import earliest_look
from engine.store.session import Store
from engine.store.staff import viewer_of
from web.app import create_app
from web.house import build_house
from web.settings import Settings

START = dt.datetime(2026, 3, 2, 1, 0, tzinfo=dt.UTC)  # Monday, 08:00 in Kon Tum and Quảng Ngãi
HERE = dt.timezone(dt.timedelta(hours=7))
PASSWORD = "ba con voi xanh"


def at(text: str) -> dt.datetime:
    """A local moment such as "2026-03-06 08:00"."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=HERE).astimezone(dt.UTC)


@dataclass
class Cast:
    """Everybody and everything a test of pages needs."""

    store: Store
    house: House
    clock: Frozen
    app: Flask
    stage: stages.Stage
    _browsers: dict[str, FlaskClient] = field(default_factory=dict)

    def viewer(self, member: str) -> Viewer:
        """What a member of the cast may see today."""
        with self.store.reading("a viewer of the cast") as session:
            return viewer_of(session, self.stage.people[member], self.clock.now().astimezone(HERE).date())

    def browser(self, member: str) -> FlaskClient:
        """A browser in which this member has signed in; always the same."""
        if member not in self._browsers:
            self._browsers[member] = self.new_browser(member)
        return self._browsers[member]

    def new_browser(self, member: str | None = None) -> FlaskClient:
        """A browser of its own, signed in as a member, or as nobody."""
        browser = self.app.test_client()
        if member:
            answer = send(browser, "/login", {"login": member, "password": PASSWORD})
            assert answer.status_code == 303, answer.text
        return browser

    def open_case(self, pupil: str = "pupil", by: str = "teacher", **values: Any) -> str:
        """A case for one of the pupils, by a member of the cast; its code."""
        filled = {"absent_since": "2026-02-27", "causes": ["harvest"]} | values
        return cases.open_case(self.house, self.viewer(by), self.stage.pupils[pupil], filled, self.clock.now())

    def step(self, code: str, name: str, by: str, **values: Any) -> None:
        """A step of the workflow."""
        cases.step(self.house, self.viewer(by), code, name, values, self.clock.now())

    def accept(self, code: str, by: str) -> None:
        """An offer is accepted."""
        cases.accept(self.house, self.viewer(by), code, {}, self.clock.now())

    def go_to(self, moment: str) -> None:
        """Time passes, the worker having run at every moment that was due."""
        until = at(moment)
        while True:
            with self.store.reading("the next moment of a test") as session:
                due = earliest_look(session)
            if due is None or due > until:
                break
            sweep.run_due(self.house, max(due, self.clock.moment))
        self.clock.moment = until

    def to_commune(self, pupil: str = "pupil") -> str:
        """A case that waits for the commune officer."""
        code = self.open_case(pupil)
        self.step(code, "ask_commune", "teacher", note="Nhà xa, nhờ xã đến nhà")
        return code

    def to_association(self, pupil: str = "pupil") -> str:
        """A case that waits for a volunteer of the association."""
        code = self.to_commune(pupil)
        self.accept(code, "commune_officer")
        self.step(code, "refer_support", "commune_officer", need="Áo ấm cỡ 130, 1 chiếc", hand_over_at="Văn phòng trường")
        return code


@lru_cache(maxsize=1)
def _password_hash() -> str:
    return PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)  # quick: nobody attacks a test


def make_cast(store: Store, instance: Path) -> Cast:
    """The cast on an empty, migrated database, on a Monday morning."""
    settings = Settings("sqlite://", instance, "k" * 40)
    clock = Frozen(START)
    with store.writing("set the stage") as session:
        stage = stages.set_stage(session, START)
        session.execute(update(t.Person).values(password_hash=_password_hash(), must_change=False, phone="0905 000 111"))
        for code, learner in PUPILS.items():
            keys = {"search_key": fold(learner.name), "sort_key": sort_key(learner.name)}
            more = {"guardian": "Y Mẹ Thử", "guardian_phone": "0905 222 333", "birth_date": dt.date(2013, 5, 6)}
            session.execute(update(t.Pupil).where(t.Pupil.code == code).values(**keys, **more))
    house = build_house(settings, START, store)
    app = create_app(settings, house=house, clock=clock)
    app.testing = True
    return Cast(store, house, clock, app, stage)


def send(browser: FlaskClient, address: str, form: Mapping[str, Any] | None = None, *, page: str | None = None) -> TestResponse:
    """Send a form as a browser does: with the token, key and version that stand on the page it is on."""
    found = browser.get(page or address.partition("?")[0])
    hidden = {}
    if found.status_code == 200:
        for name in ("csrf_token", "key", "version"):
            if value := re.search(rf'name="{name}" value="([^"]*)"', found.text):
                hidden[name] = value[1]
    if "csrf_token" not in hidden:
        hidden["csrf_token"] = token(browser)
    return browser.post(address, data=hidden | dict(form or {}))


def token(browser: FlaskClient) -> str:
    """A CSRF token of this browser."""
    for address in ("/login", "/password"):
        if found := re.search(r'name="csrf_token" value="([^"]*)"', browser.get(address).text):
            return found[1]
    raise AssertionError("no page gave a token")
