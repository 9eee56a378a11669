"""Many rows through one statement of the raw driver.

SQLAlchemy handles parameters row by row and value by value, which costs more than the rules take to decide. Here rows
are tuples; what a database cannot take as it is, is turned into what it can by one function a column.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import Any

from psycopg import sql
from sqlalchemy import JSON, BigInteger, ColumnElement, Connection, Dialect, Table, any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from engine import ledger

MANY = 50  # rows from which on COPY is cheaper than an INSERT for each
Row = tuple[Any, ...]
Turn = Callable[[Any], Any]


def insert_rows(connection: Connection, table: Table, names: Sequence[str], rows: Sequence[Row]) -> None:
    """Add rows that give the columns `names`; JSON as values or as text in canonical form."""
    statement, turns = _insert(table, tuple(names), connection.dialect)
    if len(rows) >= MANY and connection.dialect.name == "postgresql":
        _copy(connection, table, names, _turned(rows, turns))
    elif rows:
        connection.exec_driver_sql(statement, _turned(rows, turns))


def _copy(connection: Connection, table: Table, names: Sequence[str], rows: Iterable[Row]) -> None:
    """PostgreSQL's way to take many rows; what it refuses comes as the driver's own error."""
    columns = sql.SQL(", ").join(map(sql.Identifier, names))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table.name), columns)
    driver: Any = connection.connection.driver_connection
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def update_rows(
    connection: Connection, table: Table, names: Sequence[str], keys: Sequence[str], rows: Sequence[Row]
) -> int:
    """Set the columns `names` of the rows found by `keys`, whose values come last; how many rows were found."""
    statement, turns = _update(table, tuple(names), tuple(keys), connection.dialect)
    return connection.exec_driver_sql(statement, _turned(rows, turns)).rowcount


def among(connection: Connection, column: ColumnElement[int], ids: Iterable[int]) -> ColumnElement[bool]:
    """`column IN ids` with all ids in one parameter, so that the statement is the same for any number of them."""
    if connection.dialect.name == "sqlite":
        values = func.json_each(ledger.canonical(list(ids))).table_valued("value")
        return column.in_(select(values.c.value))
    return column == any_(bindparam(None, list(ids), type_=ARRAY(BigInteger)))


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
    return value if value is None or isinstance(value, str) else ledger.canonical(value)


def _turned(rows: Sequence[Row], turns: tuple[tuple[int, Turn], ...]) -> list[Row]:
    """Column by column, because that is the way in which Python has the least to do."""
    columns = list(zip(*rows, strict=True))
    for at, turn in turns:
        columns[at] = tuple(map(turn, columns[at]))
    return list(zip(*columns, strict=True))
