"""Workers are killed while they sweep and send, and their clocks jump: every rule fires once, every notice is sent."""

import datetime as dt
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, insert, select, update

from bench.country import NOW, Country, Waves
from bench.data import Postgresql, Sqlite, definitions, fill
from engine.channels.outbox import Outbox
from engine.jobs.deliver import deliver
from engine.jobs.sweep import run_due
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.proof.adopting import adopt
from engine.store.session import Session, Store, open_store
from engine.usecases.context import Context
from tests.faults import FULL
from tests.faults.processes import FileOutbox, Herd

DUE, CASES, KILLS, WORKERS, BATCH = (20_000, 40_000, 1_000, 4, 50) if FULL else (600, 1_200, 40, 4, 10)
SECONDS = 1_800 if FULL else 90
NOTICES = 2 * DUE  # of each firing: the officer's and the head's
HOUR = dt.timedelta(hours=1)
FAST = 120 if FULL else 600  # what a killed worker had taken up to send, another may after 2.5 real seconds, not 300


def work_for_ever(url: str, outbox: Path, begun: float, seed: int) -> None:
    """A worker whose clock is fast, and jumps an hour ahead and back between its rounds."""
    post = Outbox("https://ralop.example.vn", {"email": FileOutbox(outbox)})
    chance, context = random.Random(seed), Context(open_store(url), definitions(), outbox=post)
    while True:
        now = NOW + HOUR / 2 + dt.timedelta(seconds=(time.time() - begun) * FAST)
        run_due(context, now + chance.choice((-HOUR, 0 * HOUR, HOUR)), batch=BATCH)
        deliver(context, now + chance.choice((-HOUR, 0 * HOUR, HOUR)))
        time.sleep(0.002)


@pytest.fixture
def swept_land(database_url: str) -> Iterator[Store]:
    """A land in which DUE cases are overdue because contact brought no return; all its people are told at once."""
    filler = (Sqlite if database_url.startswith("sqlite") else Postgresql)(database_url)
    fill(filler, Country(CASES, Waves(DUE, 1), definitions()))
    filler.close()
    store = open_store(database_url)
    with store.writing("test") as session:
        adopt(session.connection(), NOW)  # rows made by hand say nothing that `ralop verify` could add up
        session.execute(update(t.Person).values(email=t.Person.login + "@example.vn"))
        people = list(session.scalars(select(t.Person.id)))
        hours = {"quiet_from": 0, "quiet_to": 0, "digest_at": 0}
        session.execute(insert(t.NoticeHours), [{"person_id": person, **hours} for person in people])
        choice = {"channel": "email", "enabled": True, "digest": False}
        session.execute(insert(t.ChannelChoice), [{"person_id": person, **choice} for person in people])
    yield store
    store.close()


def test_killed_workers_with_jumping_clocks_lose_nothing_and_double_nothing(
    swept_land: Store, database_url: str, tmp_path: Path, figures: Callable[..., None]
) -> None:
    outbox, chance, begun = FileOutbox(tmp_path / "outbox"), random.Random(2026), time.time()
    herd = Herd(WORKERS, work_for_ever, lambda number: (database_url, outbox.path, begun, number))
    try:
        herd.keep_killing(KILLS, chance, lambda: _share(swept_land), SECONDS, f"workers, {_kind(database_url)}")
    finally:
        herd.stop()

    with swept_land.reading("test") as session:
        firings, cases = _count(session, t.Firing.case_id), _count(session, t.Firing.case_id.distinct())
        notices, shown_twice = set(session.scalars(select(t.Notice.id))), _told_twice(session)
    copies = Counter(outbox.keys())
    figures(
        kills=herd.kills,
        due=DUE,
        firings=firings,
        lost=DUE - cases,
        doubled=firings - cases,
        notices=len(notices),
        sent=len(copies),
        never_sent=len(notices) - len(copies),
        sent_again=copies.total() - len(copies),
        shown_twice=len(shown_twice),
        seconds=round(time.time() - begun),
    )
    assert (firings, cases) == (DUE, DUE)
    assert set(copies) == {f"n{notice}:email" for notice in notices}
    assert (len(notices), shown_twice) == (NOTICES, [])
    with swept_land.reading("test") as session:
        assert _count(session, t.Event.case_id) == 2 * CASES + DUE  # of each: opened, adopted
        assert session.scalar(select(func.count()).where(t.Case.state == "commune_visit", t.Case.version == 3)) == DUE
        assert session.scalar(select(func.count()).where(t.Offer.seq == 3)) == DUE
        assert set(session.scalars(select(t.Delivery.state))) == {"sent"}
    assert [sentence.in_("en") for sentence in verify.breaks(swept_land)] == []


def _kind(url: str) -> str:
    return url.partition(":")[0]


def _share(store: Store) -> float:
    """How much of the firing and sending is done."""
    with store.reading("test") as session:
        sent = session.scalar(select(func.count()).where(t.Delivery.state == "sent")) or 0
        return (_count(session, t.Firing.case_id) + sent) / (DUE + NOTICES)


def _count(session: Session, column: object) -> int:
    return session.scalar(select(func.count(column))) or 0  # type: ignore[arg-type]


def _told_twice(session: Session) -> list[int]:
    query = select(t.Notice.case_id).group_by(t.Notice.case_id, t.Notice.person_id, t.Notice.kind)
    return [case for case in session.scalars(query.having(func.count() > 1)) if case is not None]
