"""Where `now` comes from."""

import datetime as dt
from typing import Any

import pytest

from engine.core.refusals import Invalid
from engine.core.time_source import Frozen
from engine.store.ops.settings import get_setting, put_setting
from engine.store.ops.time_source import SETTING, ShiftedClock
from engine.store.session import Store, now_utc
from engine.usecases.ops.clock import mend_clock, set_clock

NOW = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def test_a_frozen_clock_stands_still_until_it_is_told() -> None:
    frozen = Frozen(NOW)
    frozen.advance(SECOND)
    assert frozen.now() == frozen.now() == NOW + SECOND


def test_a_clock_that_nobody_shifted_is_the_machines(store: Store) -> None:
    shifted = ShiftedClock(store)
    assert shifted.offset == dt.timedelta()
    assert abs(shifted.now() - now_utc()) < 5 * SECOND


def test_all_clocks_on_a_database_are_shifted_together_and_back(store: Store) -> None:
    pages, worker = ShiftedClock(store, kept_s=0), ShiftedClock(store, kept_s=0)
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


UTC = dt.UTC


MOMENTS = [dt.datetime(year, 1, 1, tzinfo=UTC) for year in (1, 1999, 2090, 9999)]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_moment_outside_the_years_that_the_program_knows_is_refused_and_the_clock_stays(
    store: Store, moment: dt.datetime
) -> None:
    set_clock(store, NOW)
    with pytest.raises(Invalid, match="it works in the years 2000 to 2089"):
        set_clock(store, moment)
    assert abs(ShiftedClock(store).now() - NOW) < 5 * SECOND


@pytest.mark.parametrize("seconds", [-63_000_000_000, 250_000_000_000, 10**40, -(10**40), "soon", None, [1], 5e300])
def test_a_distance_that_an_earlier_version_kept_and_that_bricks_all_counts_as_none_and_is_mended(
    store: Store, seconds: Any
) -> None:
    with store.writing("as an earlier version did") as session:
        put_setting(session, SETTING, {"offset_seconds": seconds})
    assert ShiftedClock(store).offset == dt.timedelta()
    assert mend_clock(store) is bool(seconds)
    with store.reading("test") as session:
        assert get_setting(session, SETTING).get("offset_seconds") in {0, None}
    set_clock(store, NOW)
    assert mend_clock(store) is False
    assert abs(ShiftedClock(store).now() - NOW) < 5 * SECOND
