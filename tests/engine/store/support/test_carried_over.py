"""What was logged before there was a ledger is carried over: none lost, none rounded; down and up again, the same."""

import datetime as dt

import pytest
from sqlalchemy import insert, inspect, text
from sqlalchemy.exc import DBAPIError

from engine.store import tables as t
from engine.store.ops import schema
from engine.store.support import verify
from tests.engine.store.ops.test_schema import go_back
from tests.installation import CastInstallation, installed

__all__ = ["installed"]  # a fixture

BEFORE = "0027"
GUARDS = {
    True: "SELECT name || ' ' || sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name LIKE 'ledger_%' ORDER BY 1",
    False: "SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid::regclass::text "
    "LIKE 'ledger_%' UNION ALL SELECT tgname || ' ' || pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal "
    "AND tgrelid::regclass::text LIKE 'ledger_%' UNION ALL SELECT proname || ' ' || prosrc FROM pg_proc "
    "WHERE proname LIKE 'ledger_%' ORDER BY 1",
}


def guards(installed: CastInstallation) -> list[str]:
    with installed.store.reading("test") as session:
        return list(session.execute(text(GUARDS[installed.store.is_sqlite])).scalars())


def test_old_support_stands_in_the_ledger_as_it_was_given(installed: CastInstallation) -> None:
    fresh, code = guards(installed), installed.open()
    case = installed.case(code)
    assert len(fresh) >= 19  # checks of SQLite stand in their table
    go_back(installed, BEFORE)
    given = [
        ("rice", "7.5"),
        ("notebooks", "10"),
        ("notebooks", "2.25"),
        ("cash", "150000"),
        ("umbrella", "1"),
        ("rice", "0.0001"),
    ]
    with installed.store.writing("test") as session:
        for number, (kind, quantity) in enumerate(given, 2):
            event = {"case_id": case.id, "seq": number, "kind": "support_given", "at": case.opened_at, "data": {}}
            session.execute(insert(t.Event).values(**event, previous_hash="", hash=f"x{number}"))
            row = {"case": case.id, "seq": number, "kind": kind, "quantity": quantity, "day": dt.date(2026, 3, 2)}
            row["association"] = installed.cast.units["association"] if number % 2 else None
            row["replaced"] = 8 if quantity == "0.0001" else None  # it was withdrawn: nothing of it is carried over
            columns = "case_id, seq, kind, quantity, unit, given_on, association_id, replaced_seq"
            places = ":case, :seq, :kind, :quantity, '', :day, :association, :replaced"
            session.execute(text(f"INSERT INTO support ({columns}) VALUES ({places})"), row)
    schema.upgrade(installed.store)
    with installed.store.reading("test") as session:
        rows = session.execute(
            text(
                "SELECT e.commodity, e.quantity, c.steps, e.case_seq FROM ledger_entries e "
                "JOIN ledger_commodities c ON c.code = e.commodity ORDER BY e.case_seq"
            )
        ).all()
    assert [tuple(row) for row in rows] == [
        ("rice", 7500, 1000, 2),
        ("notebooks", 1000, 100, 3),  # somebody had logged quarters: this database counts notebooks in hundredths
        ("notebooks", 225, 100, 4),
        ("cash", 150_000, 1, 5),
        ("umbrella", 1, 1, 6),
    ]
    assert [str(it) for it in verify.breaks(installed.store)] == []
    assert guards(installed) == fresh
    with pytest.raises(DBAPIError), installed.store.writing("test") as session:
        session.execute(text("UPDATE ledger_entries SET quantity = 1"))
    go_back(installed, BEFORE)
    assert not [name for name in inspect(installed.store.engine).get_table_names() if name.startswith("ledger_")]
    schema.upgrade(installed.store)
    assert guards(installed) == fresh
    assert [str(it) for it in verify.breaks(installed.store)] == []


def test_the_models_and_the_migrated_tables_have_the_same_columns_and_checks(installed: CastInstallation) -> None:
    found = inspect(installed.store.engine)
    for name, table in t.Base.metadata.tables.items():
        if name.startswith("ledger_") or name in {"needs", "support"}:
            columns = {it["name"]: it["nullable"] for it in found.get_columns(name)}
            assert columns == {column.name: column.nullable for column in table.c}, name
            checks = {str(it.name) for it in table.constraints if type(it).__name__ == "CheckConstraint"}
            assert {it["name"] for it in found.get_check_constraints(name)} == checks, name
            assert {it["name"] for it in found.get_indexes(name)} >= {str(it.name) for it in table.indexes}, name
