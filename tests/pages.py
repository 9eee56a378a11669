"""The pages on a database of a test's own, and people who sign in to them."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from engine.core.cases.definitions import Definitions
from engine.core.people import passwords
from engine.core.time_source import Frozen
from engine.store import tables as t
from engine.store.session import Store
from engine.usecases.context import Context
from tests.installation import kinds_of_support
from tests.playing import at, definitions
from web.app import create_app
from web.site.assets import FOLDER, HAS_SHEET, SHEET, read
from web.site.settings import Settings

PASSWORD = "ba con cá bơi ngược"
MORNING = at("2026-03-02 08:00")
KEY = "a-key-for-tests-that-signs-nothing-real"


@cache
def shipped() -> Definitions:
    return definitions()


@cache
def _hashed(password: str) -> str:
    return passwords.hash(password)


@dataclass
class Site:
    """An application, its clock and its database."""

    app: Flask
    clock: Frozen
    store: Store

    def person(self, login: str, name: str = "Y Hạnh", **more: Any) -> int:
        """Someone who can sign in with PASSWORD, who has chosen it already."""
        with self.store.writing("test") as session:
            values = {"password_hash": _hashed(PASSWORD), "must_change": False, "created_at": self.clock.now(), **more}
            person = t.Person(login=login, name=name, **values)
            session.add(person)
            session.flush()
            return person.id

    def appoint(self, person: int, role: str, kind: str, code: str) -> int:
        """Give the person a role in a new unit; the unit's id."""
        day = dt.date(2020, 1, 1)
        with self.store.writing("test") as session:
            unit = t.Unit(kind=kind, code=code, name=code, search_key=code, valid_from=day)
            session.add(unit)
            session.flush()
            session.add(t.Appointment(person_id=person, role=role, unit_id=unit.id, valid_from=day))
            return unit.id

    def client(self, address: str = "10.0.0.1") -> FlaskClient:
        """A browser at an address, in which nobody is signed in."""
        client = browser(self.app)
        client.environ_base["REMOTE_ADDR"] = address
        return client

    def signed_in(self, login: str, password: str = PASSWORD, address: str = "10.0.0.1") -> FlaskClient:
        """A browser in which this person is signed in."""
        client = self.client(address)
        assert sign_in(client, login, password).status_code == 303
        return client


def browser(app: Flask) -> FlaskClient:
    """A browser that has got the style sheet: pages do not bring it along."""
    client = app.test_client()
    client.set_cookie(HAS_SHEET, _sheet())
    return client


@cache
def _sheet() -> str:
    return read(FOLDER / SHEET).digest


def site(store: Store, **settings: Any) -> Site:
    """The pages on an empty, migrated database, on the morning of 2 March 2026."""
    clock = Frozen(MORNING)
    known = Settings(database_url=str(store.url), instance=Path("instance"), secret_key=KEY, **settings)
    app = create_app(known, context=Context(store, shipped(), support=kinds_of_support()), clock=clock)
    app.testing = True
    return Site(app, clock, store)


def csrf(response: TestResponse) -> str:
    """The CSRF token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', response.text)
    assert found, response.text
    return found[1]


def post(client: FlaskClient, address: str, page: str | None = None, **data: Any) -> TestResponse:
    """Send a form the way a browser does that has just opened `page` (the address itself, if none is named)."""
    return client.post(address, data={"csrf_token": csrf(client.get(page or address)), **data})


def sign_in(client: FlaskClient, login: str, password: str = PASSWORD, **more: Any) -> TestResponse:
    """Fill in the sign-in page."""
    return post(client, "/login", login=login, password=password, **more)
