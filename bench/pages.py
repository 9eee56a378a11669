"""“My work” and a case's page among 100,000 cases, for people of four posts, against the page's own queries alone.

The time is the server's: from the request's coming in to the page's last byte, in this process, without a network. The
floor is what the page said to the database, said again by the raw driver, rows fetched. What is told is the post for
which ours takes longest.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from flask.testing import FlaskClient
from sqlalchemy import update

from bench import DATABASES, Database, Measurement, measured, typical
from bench.country import NOW
from bench.data import HAMLETS, PROVINCES, CountrySize, Filled, filled
from bench.replay import heard, replay
from engine.core.people import passwords
from engine.core.time_source import Frozen
from engine.store import tables as t
from engine.store.cases.surroundings import cases
from engine.usecases.context import Context
from tests.pages import KEY, PASSWORD, browser, sign_in
from web.app import create_app
from web.ops import logs
from web.site.settings import Settings

BENCHES = ("work_list", "case_page")


class Size(NamedTuple):
    """The country, and how often a page is opened."""

    country: CountrySize = PROVINCES
    times: int = 31


FULL, SMALL = Size(), Size(HAMLETS, 2)
POSTS = {
    "teacher": cases.c.class_id,
    "commune_officer": cases.c.village_id,
    "commune_leader": cases.c.commune_id,
    "education_office": cases.c.province_id,
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """Someone who is signed in, and a case of theirs."""

    post: str
    client: FlaskClient
    code: str


def run(size: Size = FULL) -> Iterator[Measurement]:
    """The median time of a page, in milliseconds."""
    for database in DATABASES:
        data = filled(database, size.country)
        with data.context() as context:
            visitors = list(_visitors(context, data))
            yield _measure("work_list", database, data, context, visitors, lambda _visitor: "/work", size.times)
            yield _measure("case_page", database, data, context, visitors, lambda it: f"/cases/{it.code}", size.times)


def _measure(
    bench: str,
    database: Database,
    data: Filled,
    context: Context,
    visitors: list[Visitor],
    page: Callable[[Visitor], str],
    times: int,
) -> Measurement:
    took: dict[str, tuple[float, float]] = {}
    with closing(replay(data.url)) as raw:
        for visitor in visitors:
            address = page(visitor)
            _open(visitor.client, address)
            with heard(context.store) as said:
                _open(visitor.client, address)
            ours = typical(lambda: _open(visitor.client, address), times)  # noqa: B023 - called at once
            floor = typical(lambda: raw.say(said), times)
            took[visitor.post] = ours * 1e3, floor * 1e3
    told = ", ".join(f"{post} {ours:.1f} ms ({floor:.1f} of it the database)" for post, (ours, floor) in took.items())
    print(f"{bench} on {database}: {told}", file=sys.stderr, flush=True)
    value, floor = max(took.values())
    return measured(bench, database, n=data.country.cases, value=value, unit="ms", floor=floor)


def _open(client: FlaskClient, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    response.close()


def _visitors(context: Context, data: Filled) -> Iterator[Visitor]:
    settings = Settings(database_url=data.url, instance=Path("instance"), secret_key=KEY)
    with redirect_stderr(Path(os.devnull).open("w")):
        logs.configure()  # a line for each request, as in use, but for nobody to read
    app = create_app(settings, context=context, clock=Frozen(NOW))
    hashed = passwords.hash(PASSWORD)
    with context.store.reading("bench") as session:
        query = (
            cases.select().with_only_columns(cases.c.code, *POSTS.values()).where(cases.c.id == data.country.cases // 2)
        )
        code, *units = session.connection().execute(query).one()
    for post, unit in zip(POSTS, units, strict=True):
        login = f"{post}-{unit}"
        with context.store.writing("bench") as session:
            session.execute(update(t.Person).where(t.Person.login == login).values(password_hash=hashed))
        client = browser(app)
        assert sign_in(client, login).status_code == 303, login
        yield Visitor(post, client, code)
