"""Many rows go through the raw driver as they are, on both databases, however few or many there are."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import insert, select, text
from sqlalchemy.exc import DBAPIError

from engine.store import bulk
from engine.store import tables as t
from engine.store.cases import surroundings_sql
from engine.store.session import Store

NOW = dt.datetime(2026, 3, 2, 1, 2, 3, 45, tzinfo=dt.UTC)
PEOPLE, SETTINGS = t.Base.metadata.tables["people"], t.Base.metadata.tables["settings"]
AWKWARD = ('A "Tiến"', "dấu \\ gạch", "hai\ndòng", "{a,b}", "100 %", "NULL", "")


def _people(count: int) -> list[tuple[Any, ...]]:
    return [(n, f"người-{n}", AWKWARD[n % len(AWKWARD)], n % 2 == 0, NOW) for n in range(1, count + 1)]


@pytest.mark.parametrize("count", [1, bulk.MANY - 1, bulk.MANY, 3 * bulk.MANY])
def test_rows_come_back_as_they_were_written_and_changed(store: Store, count: int) -> None:
    rows = _people(count)
    with store.writing("test") as session:
        bulk.insert_rows(session.connection(), PEOPLE, ("id", "login", "name", "must_change", "created_at"), rows)
    changed = [(AWKWARD[id % 3], None if id % 2 else NOW, id, f"người-{id}") for id, *_ in rows]
    with store.writing("test") as session:
        connection = session.connection()
        found = bulk.update_rows(connection, PEOPLE, ("phone", "disabled_at"), ("id", "login"), changed)
    assert found == count
    people = t.Person
    with store.reading("test") as session:
        query = select(people.id, people.login, people.name, people.must_change, people.created_at)
        assert [tuple(row) for row in session.execute(query.order_by(people.id))] == rows
        query_of_changes = select(people.phone, people.disabled_at, people.id, people.login).order_by(people.id)
        assert [tuple(row) for row in session.execute(query_of_changes)] == changed


@pytest.mark.parametrize("count", [2, 2 * bulk.MANY])
def test_an_update_tells_how_many_rows_it_found(store: Store, count: int) -> None:
    with store.writing("test") as session:
        connection = session.connection()
        names = ("id", "login", "name", "must_change", "created_at")
        bulk.insert_rows(connection, PEOPLE, names, _people(count))
        somebody_else = [("090", id, "đã đổi" if id == 1 else f"người-{id}") for id in range(1, count + 1)]
        assert bulk.update_rows(connection, PEOPLE, ("phone",), ("id", "login"), somebody_else) == count - 1


@pytest.mark.parametrize("count", [1, bulk.MANY])
def test_json_is_taken_as_a_value_or_as_its_text(store: Store, count: int) -> None:
    value = {"chữ": 'nháy " và \\ gạch\n', "số": [1, None, True]}
    rows = [(f"{n}", value if n % 2 else '{"chữ":1}') for n in range(count)]
    with store.writing("test") as session:
        bulk.insert_rows(session.connection(), SETTINGS, ("name", "value"), rows)
        changed = [(value, name) for name, _ in rows]
        assert bulk.update_rows(session.connection(), SETTINGS, ("value",), ("name",), changed) == count
    with store.reading("test") as session:
        assert list(session.execute(select(t.Setting.value)).scalars()) == [value] * count


def test_any_number_of_ids_is_one_parameter(store: Store) -> None:
    with store.writing("test") as session:
        session.execute(insert(t.Unit), [_unit(id) for id in range(1, 9)])
        connection = session.connection()
        for ids in ([], [3], [3, 5, 99], range(100_000)):
            found = {row.id for row in connection.execute(surroundings_sql.UNITS, {"ids": ids})}
            assert found == set(ids) & set(range(1, 9))
            among = select(t.Unit.id).where(~bulk.among(t.Unit.__table__.c.id, ids))
            assert set(connection.execute(among).scalars()) == set(range(1, 9)) - set(ids)


def _unit(id: int) -> dict[str, object]:
    code = {"code": f"{id}", "name": f"Thôn {id}", "search_key": f"thon {id}"}
    return {"id": id, "kind": "village", "valid_from": dt.date(2020, 1, 1), **code}


def test_what_is_tried_out_is_not_kept(store: Store) -> None:
    with store.trying("test") as session:
        session.execute(insert(t.Unit), [_unit(1)])
        assert session.execute(select(t.Unit.code)).scalars().all() == ["1"]
    with store.reading("test") as session:
        assert session.execute(select(t.Unit.code)).scalars().all() == []


def test_a_session_that_reads_keeps_nothing(store: Store) -> None:
    with store.reading("test") as session:
        if store.is_sqlite:
            session.execute(insert(t.Unit), [_unit(1)])
        else:
            with pytest.raises(DBAPIError, match="read-only"):
                session.execute(insert(t.Unit), [_unit(1)])
            session.rollback()
    with store.reading("test") as session:
        assert session.execute(select(t.Unit.code)).scalars().all() == []


def test_postgresql_keeps_what_was_prepared_from_one_reader_to_the_next(postgresql_url: str) -> None:
    store = Store(postgresql_url.replace("postgresql://", "postgresql+psycopg://"))
    for _ in range(8):  # psycopg prepares what it has been asked five times
        with store.reading("test") as session:
            session.execute(select(t.Unit.code)).all()
    with store.reading("test") as session:
        assert session.execute(text("SELECT count(*) FROM pg_prepared_statements")).scalar_one() >= 1
    store.close()
