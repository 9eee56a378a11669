"""Column types with the same meaning in SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from sqlalchemy import JSON, BigInteger, ColumnElement, Date, DateTime, Dialect, Integer, literal_column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

FAR = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
FAR_DAY = dt.date(9999, 12, 31)

# SQLite numbers rows only with INTEGER keys; PostgreSQL needs room for a whole country.
Id = BigInteger().with_variant(Integer, "sqlite")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


def at_most(rows: int) -> ColumnElement[int]:
    """Makes a LIMIT that the planner knows.

    PostgreSQL plans the list of a page once for everybody who reads it (see `engine.store.session`). It takes a limit
    given at execution for a tenth of the table, and would read a whole province to find fifty cases.
    """
    return literal_column(str(int(rows)), Integer)


def _aware(moment: dt.datetime) -> dt.datetime:
    if moment.tzinfo is dt.UTC:
        return moment
    return moment.replace(tzinfo=dt.UTC) if moment.tzinfo is None else moment.astimezone(dt.UTC)


def _aware_or_none(moment: dt.datetime | None) -> dt.datetime | None:
    return None if moment is None else _aware(moment)


def _aware_open(moment: dt.datetime | None) -> dt.datetime | None:
    return None if moment is None or moment >= FAR else _aware(moment)


@lru_cache(maxsize=8_192)  # cases of one day share most of their moments
def _read(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def _read_open(text: str | None) -> dt.datetime | None:
    moment = _read(text)
    return None if moment is None or moment >= FAR else moment


class Instant(TypeDecorator[dt.datetime]):
    """A moment as an aware UTC datetime: `timestamptz` in PostgreSQL, sortable UTC text in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return None if value is None else _aware(value)

    def result_processor(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], Any]:
        # Each case has nine moments: this makes one call for each value, a TypeDecorator makes three.
        return _read if dialect.name == "sqlite" else _aware_or_none


class OpenInstant(Instant):
    """A moment or "never": `None` is stored as the far future, so that it sorts last and compares without NULLs."""

    cache_ok = True
    # None must reach process_bind_param in comparisons too, and not become IS NULL.
    should_evaluate_none = True
    coerce_to_is_types = ()

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return super().process_bind_param(FAR if value is None else value, dialect)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        moment = super().process_result_value(value, dialect)
        return None if moment is None or moment >= FAR else moment

    def result_processor(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], Any]:
        return _read_open if dialect.name == "sqlite" else _aware_open


class OpenDay(TypeDecorator[dt.date]):
    """A day or "no end": `None` is stored as 31/12/9999, so that ranges compare without NULLs."""

    impl = Date
    cache_ok = True
    should_evaluate_none = True
    coerce_to_is_types = ()

    def process_bind_param(self, value: dt.date | None, dialect: Dialect) -> dt.date:
        return FAR_DAY if value is None else value

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.date | None:
        return None if value is None or value >= FAR_DAY else value
