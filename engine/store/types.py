"""Column types that mean the same in SQLite and PostgreSQL."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, DateTime, Dialect, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

FAR = dt.datetime(9999, 12, 31, tzinfo=dt.UTC)
FAR_DAY = dt.date(9999, 12, 31)

# SQLite gives row ids only to INTEGER keys; PostgreSQL wants room for a country.
Id = BigInteger().with_variant(Integer, "sqlite")
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")


class Instant(TypeDecorator[dt.datetime]):
    """A moment as an aware UTC datetime; `timestamptz` in PostgreSQL, sortable UTC text in SQLite."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None or dialect.name != "sqlite":
            return value
        return value.astimezone(dt.UTC).replace(tzinfo=None)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


class OpenInstant(Instant):
    """A moment or "never": `None` is stored as the far future, so that it sorts last and compares without NULLs."""

    cache_ok = True
    # None must reach process_bind_param in comparisons too, instead of becoming IS NULL.
    should_evaluate_none = True
    coerce_to_is_types: tuple[type, ...] = ()

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        return super().process_bind_param(FAR if value is None else value, dialect)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:
        moment = super().process_result_value(value, dialect)
        return None if moment is None or moment >= FAR else moment


class OpenDay(TypeDecorator[dt.date]):
    """A day or "no end": `None` is stored as 31/12/9999, so that ranges compare without NULLs."""

    impl = Date
    cache_ok = True
    should_evaluate_none = True
    coerce_to_is_types: tuple[type, ...] = ()

    def process_bind_param(self, value: dt.date | None, dialect: Dialect) -> dt.date:
        return FAR_DAY if value is None else value

    def process_result_value(self, value: Any, dialect: Dialect) -> dt.date | None:
        return None if value is None or value >= FAR_DAY else value
