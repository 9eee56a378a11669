"""Registers that come in are watched at once and for sure; killed, asked again, two at a time: nothing doubles."""

import datetime as dt
from collections import Counter
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import func, insert, select

from engine.core.attendance import signals
from engine.core.files.options import Options
from engine.jobs import risk_watch_asked as asked
from engine.jobs.risk_watch import watch
from engine.jobs.risk_watch_asked import watch_asked
from engine.store import tables as t
from engine.store.attendance import watch_asked as stored
from engine.store.cases import verify
from engine.store.session import Store, open_store
from engine.store.simulation import seed
from engine.usecases.attendance import importing, rollcall
from engine.usecases.context import Context
from tests.engine.jobs.test_risk_watch import MON, RULES, TUE, WED, mark
from tests.engine.usecases.attendance.test_importing import ALIASES
from tests.installation import CastInstallation, at, definitions, installed

__all__ = ["installed"]

NOON = at("2026-03-10 12:00")


@pytest.fixture
def watched(installed: CastInstallation) -> CastInstallation:
    """The stage, with the shipped signals and names of columns."""
    return CastInstallation(replace(installed.context, risk=RULES, aliases=ALIASES), installed.cast)


def bring_in(installed: CastInstallation, *rows: str, now: dt.datetime = NOON) -> None:
    text = "pupil_code,date,session,mark\n" + "\n".join(rows)
    importing.run(installed.context, "attendance", text.encode(), Options(), now)


def count(store: Store, table: type[t.Base]) -> int:
    with store.reading("test") as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


ABSENT = [f"pupil,2026-03-{day:02},{half},u" for day in (9, 10) for half in "ma"]


def test_an_import_is_watched_as_soon_as_it_is_in(watched: CastInstallation) -> None:
    bring_in(watched, *ABSENT)
    assert count(watched.store, t.Case) == 0
    assert watch_asked(watched.context, NOON) == 2  # two days of a class
    assert count(watched.store, t.Case) == 1
    assert watch_asked(watched.context, NOON) == 0


def test_a_file_that_brings_nothing_new_asks_for_nothing(watched: CastInstallation) -> None:
    bring_in(watched, *ABSENT)
    watch_asked(watched.context, NOON)
    bring_in(watched, *ABSENT)
    assert watch_asked(watched.context, NOON) == 0


def test_a_roll_call_is_watched_once_however_often_it_is_sent(watched: CastInstallation) -> None:
    mark(watched, "u", MON)
    said = {watched.cast.pupils["pupil"]: "u"}
    for _ in range(2):
        teacher, of = watched.viewer("teacher"), watched.cast.units["class"]
        rollcall.send(watched.context, teacher, of, TUE, "m", said, NOON, key="the same")
    assert [watch_asked(watched.context, NOON) for _ in range(2)] == [1, 0]
    assert count(watched.store, t.Case) == 1


def test_history_is_not_watched(watched: CastInstallation) -> None:
    bring_in(watched, *(f"pupil,2026-01-{day:02},m,u" for day in range(5, 10)))
    assert count(watched.store, t.WatchAsked) == 0


def test_who_is_back_since_needs_nobody_to_go_out(watched: CastInstallation) -> None:
    bring_in(watched, *ABSENT, "pupil,2026-03-11,m,p", now=at("2026-03-11 12:00"))
    watch_asked(watched.context, at("2026-03-11 12:05"))
    assert count(watched.store, t.Case) == 0


def test_killed_before_it_was_noted_it_is_watched_again_and_nothing_doubles(
    watched: CastInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in(watched, *ABSENT)
    with monkeypatch.context() as patched:
        patched.setattr(stored, "answered", killed)
        with pytest.raises(KeyboardInterrupt):
            watch_asked(watched.context, NOON)
    assert watch_asked(watched.context, NOON) == 2
    assert (count(watched.store, t.Case), count(watched.store, t.WatchAsked)) == (1, 0)
    assert list(verify.breaks(watched.store)) == []


def killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_comes_in_while_the_watch_runs_is_not_lost(
    watched: CastInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    bring_in(watched, "pupil,2026-03-10,m,u")

    def meanwhile(context: Context, day: dt.date, now: dt.datetime, **options: object) -> None:
        monkeypatch.setattr(asked, "watch", watch)
        bring_in(watched, "pupil,2026-03-10,a,u")

    monkeypatch.setattr(asked, "watch", meanwhile)
    assert watch_asked(watched.context, NOON) == 2


PUPILS = 120


def many(installed: CastInstallation) -> list[int]:
    """So many more pupils of the class, absent for two days."""
    with installed.store.writing("test") as session:
        like = session.get_one(t.Pupil, installed.cast.pupils["pupil"])
        same = {
            name: getattr(like, name) for name in ("class_id", "school_id", "village_id", "commune_id", "province_id")
        }
        rows = [
            {"code": f"x{n}", "name": "A Thử", "search_key": "a thu", "sort_key": "thu a", **same}
            for n in range(PUPILS)
        ]
        ids = list(session.scalars(insert(t.Pupil).returning(t.Pupil.id), rows))
        for pupil in ids:
            for day in (MON, TUE):
                seed.mark(session, pupil, day, "ma", "u", at("2026-03-01 08:00"))
    return ids


def watch_together(url: str, mode: str, together: Barrier) -> None:
    """What another process does: watch two days, beginning when all do."""
    context = Context(open_store(url), definitions(), risk=replace(RULES, mode=mode))
    together.wait()
    for day in (TUE, WED):
        watch(context, day, NOON + dt.timedelta(days=1))


@pytest.mark.parametrize("mode", signals.MODES)
def test_two_watches_at_once_open_propose_and_add_everything_once(watched: CastInstallation, mode: str) -> None:
    ids = many(watched)
    with watched.store.writing("test") as session:
        for pupil in ids:
            seed.mark(session, pupil, WED, "m", "u", at("2026-03-01 08:00"))
    spawn = get_context("spawn")
    together = spawn.Barrier(2)
    url = watched.store.url.render_as_string(hide_password=False)
    processes = [spawn.Process(target=watch_together, args=(url, mode, together)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    with watched.store.reading("test") as session:
        each = Counter(session.scalars(select(t.Event.kind)))
    cases, proposals = (PUPILS, 0) if mode == signals.OPEN else (0, PUPILS)
    assert (count(watched.store, t.Case), count(watched.store, t.Proposal)) == (cases, proposals)
    assert each == ({"opened": PUPILS, "signal": PUPILS} if cases else {})
    assert list(verify.breaks(watched.store)) == []
