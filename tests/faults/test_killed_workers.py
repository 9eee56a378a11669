"""Workers are killed while they sweep, and their clocks jump: no firing is lost, none happens twice."""

import random
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from bench.data import Postgresql, Sqlite, fill, handbook
from bench.land import NOW, Land, Waves
from engine.store import tables as t
from engine.store import verify
from engine.store.session import Session, Store, open_store
from tests.faults import FULL
from tests.faults.processes import Herd, sweep_for_ever

DUE, CASES, KILLS, WORKERS, BATCH = (20_000, 40_000, 1_000, 4, 50) if FULL else (600, 1_200, 40, 4, 10)
SECONDS = 1_500 if FULL else 90


@pytest.fixture
def swept_land(database_url: str) -> Iterator[Store]:
    """A land in which DUE cases are overdue because contact brought no return."""
    filler = (Sqlite if database_url.startswith("sqlite") else Postgresql)(database_url)
    fill(filler, Land(CASES, Waves(DUE, 1), handbook()))
    filler.close()
    store = open_store(database_url)
    yield store
    store.close()


def test_killed_workers_with_jumping_clocks_lose_no_firing_and_double_none(
    swept_land: Store, database_url: str
) -> None:
    chance = random.Random(2026)
    herd = Herd(WORKERS, sweep_for_ever, lambda number: (database_url, NOW + 0.5 * _HOUR, number, BATCH))
    begun = time.monotonic()
    try:
        while herd.kills < KILLS or _left(swept_land):
            assert time.monotonic() - begun < SECONDS, "the workers do not get on"
            time.sleep(chance.uniform(0.005, 0.12))
            if herd.kills < KILLS:
                herd.kill_one(chance)
    finally:
        herd.stop()

    with swept_land.reading("test") as session:
        assert session.scalar(select(func.count()).select_from(t.Firing)) == DUE
        assert session.scalar(select(func.count(t.Firing.case_id.distinct()))) == DUE
        assert session.scalar(select(func.count()).select_from(t.Event)) == CASES + DUE
        assert session.scalar(select(func.count()).where(t.Case.state == "commune_visit", t.Case.version == 2)) == DUE
        assert session.scalar(select(func.count()).where(t.Offer.seq == 2)) == DUE
        assert _told_twice(session) == []
        assert session.scalar(select(func.count()).select_from(t.Notice)) == 2 * DUE  # the officer and the head
    assert [sentence.in_("en") for sentence in verify.breaks(swept_land)] == []


_HOUR = NOW.replace(hour=3) - NOW.replace(hour=2)


def _left(store: Store) -> int:
    with store.reading("test") as session:
        return (
            session.scalar(
                select(func.count()).where(t.Case.state == "teacher_contact", t.Case.since < NOW - 48 * _HOUR)
            )
            or 0
        )


def _told_twice(session: Session) -> list[int]:
    query = select(t.Notice.case_id).group_by(t.Notice.case_id, t.Notice.person_id, t.Notice.kind)
    return list(session.scalars(query.having(func.count() > 1)))
