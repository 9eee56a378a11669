"""Where `now` comes from."""

import datetime as dt

import pytest

from engine import clock
from engine.clock import Frozen, ShiftedClock, SystemClock, set_clock
from engine.store.session import Store, now_utc

NOW = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def test_a_frozen_clock_stands_still_until_it_is_told() -> None:
    frozen = Frozen(NOW)
    frozen.advance(SECOND)
    assert frozen.now() == frozen.now() == NOW + SECOND


def test_the_machines_clock_is_aware_and_utc() -> None:
    assert SystemClock().now().utcoffset() == dt.timedelta()


def test_a_clock_that_nobody_shifted_is_the_machines(store: Store) -> None:
    shifted = ShiftedClock(store)
    assert shifted.offset == dt.timedelta()
    assert abs(shifted.now() - now_utc()) < 5 * SECOND


def test_all_clocks_on_a_database_are_shifted_together_and_back(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "KEPT_S", 0)
    pages, worker = ShiftedClock(store), ShiftedClock(store)
    set_clock(store, NOW)
    assert abs(pages.now() - NOW) < 5 * SECOND
    assert abs(worker.now() - NOW) < 5 * SECOND
    set_clock(store, None)
    assert pages.offset == dt.timedelta()


def test_the_database_is_asked_once_a_second_at_most(store: Store) -> None:
    shifted = ShiftedClock(store)
    assert shifted.offset == dt.timedelta()
    set_clock(store, NOW)
    assert shifted.offset == dt.timedelta()
