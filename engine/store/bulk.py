"""Handles many rows through one statement of the raw driver.

SQLAlchemy handles parameters row by row and value by value, which costs more than the decisions of the rules. Here rows
are tuples. For each column that needs it, one function converts the values for the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import lru_cache
from typing import Any

from psycopg import sql
from sqlalchemy import JSON, Boolean, ColumnElement, Connection, Dialect, Select, Table, Text, TypeDecorator, bindparam
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from engine.core.cases import chain
from engine.core.invariants import given

MANY = 50  # from so many rows on, COPY is cheaper than single INSERTs
Row = tuple[Any, ...]
Turn = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Adds rows with the columns `names`; JSON as values or as text in canonical form."""
    statement, turns = _insert(table, tuple(names), connection.dialect)
    if len(rows) >= MANY and connection.dialect.name == "postgresql":
        _copy(connection, table, names, _turned(rows, turns))
    elif rows:
        connection.exec_driver_sql(statement, _turned(rows, turns))


def _copy(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
    """Copies many rows with PostgreSQL's COPY; refusals are errors of the driver."""
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def update_rows(
    connection: Connection, table: Table, names: Sequence[str], keys: Sequence[str], rows: Sequence[Row]
) -> int:
    """Sets the columns `names` of the rows with these `keys`, whose values come last; returns how many rows
    were found.
    """
    statement, turns = _update(table, tuple(names), tuple(keys), connection.dialect)
    if len(rows) >= MANY and connection.dialect.name == "postgresql":
        statement = _update_together(table, tuple(names), tuple(keys), connection.dialect)
        arrays = tuple(map(_array, zip(*_turned(rows, turns), strict=True)))
        return connection.exec_driver_sql(statement, arrays).rowcount
    return connection.exec_driver_sql(statement, _turned(rows, turns)).rowcount


def read_columns(connection: Connection, query: Select[Any]) -> list[Iterable[Any]]:
    """Returns the result column by column, with values converted to Python's; [] without rows."""
    with connection.execute(query) as result:
        cursor = given(result.cursor, "a SELECT has a cursor until its result is closed")
        columns: list[Iterable[Any]] = list(zip(*cursor.fetchall(), strict=True))
    if columns:
        for at, turn in _read_turns(tuple(column.type for column in query.selected_columns), connection.dialect):
            columns[at] = map(turn, columns[at])
    return columns


@lru_cache(maxsize=64)
def _read_turns(types: tuple[TypeEngine[Any], ...], dialect: Dialect) -> tuple[tuple[int, Turn], ...]:
    found = ((at, _read_turn(type_, dialect)) for at, type_ in enumerate(types))
    return tuple((at, turn) for at, turn in found if turn)


def _read_turn(type_: TypeEngine[Any], dialect: Dialect) -> Turn | None:
    if isinstance(type_, JSON) and dialect.name == "sqlite":
        return _from_text
    return type_.dialect_impl(dialect).result_processor(dialect, None)


def _from_text(text: str | None) -> Any:
    return [] if text == "[]" else None if text is None else json.loads(text)  # most lists of cases are empty


class Ids(TypeDecorator[Collection[int]]):
    """Any number of ids as one parameter, so that the statement is always the same."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Collection[int] | None, dialect: Dialect) -> str:
        listed = ",".join(map(str, value or ()))
        return f"[{listed}]" if dialect.name == "sqlite" else f"{{{listed}}}"


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True

    def self_group(self, against: object = None) -> _Among:
        """Keeps the expression: SQLAlchemy would make it `… = 1` in SQLite, which would then miss the index."""
        return self


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({ids}))"  # noqa: S608 - compiled, not pasted


@compiles(_Among, "postgresql")
def _among_postgresql(element: _Among, compiler: SQLCompiler, **options: Any) -> str:
    column, ids = (compiler.process(clause, **options) for clause in element.clauses)
    # A join, not `= ANY`: for a table that looks empty, the latter compares each id with each row.
    return f"{column} IN (SELECT unnest(CAST({ids} AS BIGINT[])))"


Column = ColumnElement[Any] | InstrumentedAttribute[Any]


def among(column: Column, ids: Collection[int] | None = None, name: str = "ids") -> ColumnElement[bool]:
    """Makes `column IN ids` with all ids in one parameter; without ids, the parameter `name` is given at execution."""
    given = bindparam(name, type_=Ids) if ids is None else bindparam(None, list(ids), type_=Ids)
    return _Among(column, given)


@lru_cache(maxsize=256)
def _insert(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[str, tuple[tuple[int, Turn], ...]]:
    marks = ", ".join(_mark(table, name, dialect) for name in names)
    listed = ", ".join(f'"{name}"' for name in names)
    statement = f"INSERT INTO {table.name} ({listed}) VALUES ({marks})"  # noqa: S608 - names are the models' own
    return statement, _turns(table, names, dialect)


@lru_cache(maxsize=256)
def _update(
    table: Table, names: tuple[str, ...], keys: tuple[str, ...], dialect: Dialect
) -> tuple[str, tuple[tuple[int, Turn], ...]]:
    values = ", ".join(f'"{name}" = {_mark(table, name, dialect)}' for name in names)
    where = " AND ".join(f'"{key}" = {_mark(table, key, dialect)}' for key in keys)
    statement = f"UPDATE {table.name} SET {values} WHERE {where}"  # noqa: S608 - names are the models' own
    return statement, _turns(table, (*names, *keys), dialect)


@lru_cache(maxsize=256)
def _update_together(table: Table, names: tuple[str, ...], keys: tuple[str, ...], dialect: Dialect) -> str:
    """Makes an UPDATE from arrays, one for each column; it takes a third less than one UPDATE for each row."""
    columns = {name: name for name in names} | {f"old_{key}": key for key in keys}
    given = ", ".join(
        f'unnest(%s::{table.c[name].type.compile(dialect)}[]) AS "{alias}"' for alias, name in columns.items()
    )
    values = ", ".join(f'"{name}" = given."{name}"' for name in names)
    where = " AND ".join(f'{table.name}."{key}" = given."old_{key}"' for key in keys)
    return f"UPDATE {table.name} SET {values} FROM (SELECT {given}) AS given WHERE {where}"  # noqa: S608 - as above


def _array(values: Iterable[Any]) -> str:
    """Returns an array in PostgreSQL's notation."""
    return "{" + ",".join(map(_element, values)) + "}"


def _element(value: Any) -> str:
    if value is None or isinstance(value, int):
        return "NULL" if value is None else str(value)
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _mark(table: Table, name: str, dialect: Dialect) -> str:
    if dialect.name == "sqlite":
        return "?"
    return "%s::jsonb" if _is_json(table, name) else "%s"


def _is_json(table: Table, name: str) -> bool:
    return isinstance(table.c[name].type, JSON)


def _turns(table: Table, names: tuple[str, ...], dialect: Dialect) -> tuple[tuple[int, Turn], ...]:
    found = ((at, _turn(table, name, dialect)) for at, name in enumerate(names))
    return tuple((at, turn) for at, turn in found if turn)


def _turn(table: Table, name: str, dialect: Dialect) -> Turn | None:
    if _is_json(table, name):
        return _as_text
    turn = table.c[name].type.dialect_impl(dialect).bind_processor(dialect)
    return lru_cache(maxsize=4096)(turn) if turn else None  # moments repeat: a batch has one `now`


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else chain.canonical(value)


def _turned(rows: Sequence[Row], turns: tuple[tuple[int, Turn], ...]) -> list[Row]:
    """Converts column by column, which is the least work for Python."""
    columns = list(zip(*rows, strict=True))
    for at, turn in turns:
        columns[at] = tuple(map(turn, columns[at]))
    return list(zip(*columns, strict=True))
