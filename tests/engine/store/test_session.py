"""What is read for one page: on one line, of one moment until something is written; and the line is given back."""

import pytest
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from engine.core.people.access import Viewer
from engine.core.refusals import NotFound
from engine.core.words import Sentence
from engine.store import tables as t
from engine.store.session import Compiled, Store, open_store
from tests.cast import Cast


def line_of(session: Session) -> object:
    """The connection itself, as the database's driver gave it."""
    return session.connection().connection.dbapi_connection


def name_of(session: Session) -> str | None:
    return session.scalar(select(t.Person.name).where(t.Person.login == "teacher"))


def rename(store: Store, name: str) -> None:
    with store.writing("test") as session:
        session.scalars(select(t.Person).where(t.Person.login == "teacher")).one().name = name


def lines_out(store: Store) -> int:
    return int(store.engine.pool.checkedout())  # type: ignore[attr-defined]  # a pool that counts


def test_all_that_is_read_for_a_page_is_read_on_one_line(cast: Cast) -> None:
    store = cast.store
    with store.one_line():
        with store.reading("test") as first:
            line = line_of(first)
            with store.scoped(Viewer(1)) as inner:
                assert line_of(inner) is line
        with store.scoped(Viewer(1)) as second:
            assert line_of(second) is line
        assert lines_out(store) == 1
    assert lines_out(store) == 0


def test_what_is_read_after_something_was_written_knows_of_it(cast: Cast) -> None:
    store = cast.store
    with store.one_line():
        with store.reading("test") as session:
            before = name_of(session)
        rename(store, "Y Mới")
        with store.reading("test") as session:
            assert name_of(session) == "Y Mới" != before


def test_what_was_read_while_something_was_written_is_not_the_last_word(cast: Cast) -> None:
    store = cast.store
    with store.one_line():
        with store.writing("test") as session:
            session.scalars(select(t.Person).where(t.Person.login == "teacher")).one().name = "Y Mới"
            with store.reading("test") as meanwhile:
                assert name_of(meanwhile) != "Y Mới"
        with store.reading("test") as session:
            assert name_of(session) == "Y Mới"


def test_who_reads_on_while_something_is_written_keeps_the_line_and_others_get_a_new_one(cast: Cast) -> None:
    store = cast.store
    with store.one_line():
        with store.reading("test") as outer:
            assert name_of(outer)
            rename(store, "Y Mới")
            with store.reading("test") as inner:
                assert line_of(inner) is not line_of(outer)
                assert name_of(inner) == "Y Mới"
            assert name_of(outer)
            assert lines_out(store) == 2
        assert lines_out(store) == 1
    assert lines_out(store) == 0


def test_a_page_is_of_one_moment_whatever_others_write_meanwhile(cast: Cast) -> None:
    page, others = cast.store, open_store(cast.store.url)
    with page.one_line(), page.scoped(cast.viewer("teacher")) as session:
        before = name_of(session)
        rename(others, "Y Mới")
        assert name_of(session) == before != "Y Mới"
        session.rollback()
        assert name_of(session) == "Y Mới"
    others.close()


def test_nothing_can_be_written_where_a_page_is_read_nor_after_what_was_read_was_given_up(cast: Cast) -> None:
    store = cast.store
    with store.one_line(), store.scoped(cast.viewer("teacher")) as session:
        for _given_up in range(2):
            session.rollback()
            if store.is_sqlite:  # which lets one write, but forgets it when the line is given back
                session.connection().exec_driver_sql("UPDATE people SET name = 'Y Mới'")
            else:
                with pytest.raises(DBAPIError, match="read-only transaction"):
                    session.connection().exec_driver_sql("UPDATE people SET name = 'Y Mới'")
    with store.reading("test") as session:
        assert name_of(session) != "Y Mới"


def test_postgresql_plans_what_a_page_reads_once_and_other_work_for_the_values_at_hand(postgresql_url: str) -> None:
    store = open_store(postgresql_url)
    with store.one_line(), store.reading("test") as session:
        assert session.connection().exec_driver_sql("SHOW plan_cache_mode").scalar() == "force_generic_plan"
    with store.reading("test") as session:
        assert session.connection().exec_driver_sql("SHOW plan_cache_mode").scalar() == "auto"
    store.close()


def test_after_a_statement_that_failed_the_rest_of_the_page_can_be_read(cast: Cast) -> None:
    store = cast.store
    with store.one_line():
        with pytest.raises(DBAPIError), store.reading("test") as session:
            session.connection().exec_driver_sql("SELECT no_such_column FROM people")
        with store.scoped(Viewer(1)), store.reading("test") as session:
            assert name_of(session)
    assert lines_out(store) == 0


def test_who_reads_on_after_another_has_given_up_still_reads_as_of_the_same_moment(cast: Cast) -> None:
    page, others = cast.store, open_store(cast.store.url)
    with page.one_line(), page.reading("test") as outer:
        before = name_of(outer)
        rename(others, "Y Mới")
        with pytest.raises(NotFound), page.reading("test"):
            raise NotFound(Sentence("There is no such page."))
        assert name_of(outer) == before != "Y Mới"
    others.close()


def test_a_line_that_is_lost_after_the_last_word_was_read_costs_neither_this_page_nor_the_next(
    postgresql_url: str,
) -> None:
    store, others = open_store(postgresql_url), open_store(postgresql_url)
    with store.one_line(), store.reading("test") as session:
        number = session.connection().exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        with others.writing("test") as admin:
            admin.connection().exec_driver_sql(f"SELECT pg_terminate_backend({number})")
    assert lines_out(store) == 0
    with store.reading("test") as first, store.reading("test") as second:  # none is shared: the page is over
        assert line_of(first) is not line_of(second)
    store.close()
    others.close()


def test_a_page_within_a_page_leaves_the_outer_one_its_line(cast: Cast) -> None:
    store = cast.store
    with store.one_line(), store.reading("test") as outer:
        with store.one_line(), store.reading("test") as inner:
            assert line_of(inner) is not line_of(outer)
        with store.reading("test") as again:
            assert line_of(again) is line_of(outer)
    assert lines_out(store) == 0


def test_an_error_inside_a_page_leaves_no_line_behind(cast: Cast) -> None:
    store = cast.store
    with pytest.raises(RuntimeError), store.one_line(), store.reading("test"):
        raise RuntimeError
    assert lines_out(store) == 0


def test_without_a_page_each_reading_is_of_its_own_moment(cast: Cast) -> None:
    store = cast.store
    with store.reading("test") as outer, store.reading("test") as inner:
        assert line_of(outer) is not line_of(inner)
    assert lines_out(store) == 0


def test_a_session_becomes_one_of_the_orm_when_it_first_has_to_be(cast: Cast) -> None:
    statement = select(t.Unit.name).where(t.Unit.id == cast.installed.units["school"])
    with cast.store.reading("the first time, a statement is narrowed by the ORM") as session:
        name = session.scalar(statement)
    with cast.store.reading("the second time, it goes straight to the database") as session:
        assert session.scalar(statement) == name
        assert "identity_map" not in vars(session)
        unit = session.get_one(t.Unit, cast.installed.units["school"])
        assert (unit.name, unit in session) == (name, True)
        with pytest.raises(AttributeError, match="no_such_thing"):
            _ = session.no_such_thing  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]


# --- what statements were compiled to ---------------------------------------------------------------------------------

ON, PARTS = "a dialect", ("select", "units")


def key(parts: object, *columns: str) -> tuple[object, ...]:
    return (ON, parts, columns, False, False)


def test_a_statement_that_was_met_before_is_found_by_itself_and_an_equal_one_by_its_parts() -> None:
    known = Compiled()
    assert known.get(key(PARTS)) is None
    known[key(PARTS)] = "SELECT"
    again = PARTS[:1] + PARTS[1:]
    assert again is not PARTS
    assert [known.get(key(parts)) for parts in (PARTS, PARTS, PARTS, again, again, again)] == ["SELECT"] * 6
    assert known.met == 2
    assert known.get(key(("select", "people"))) is None


def test_the_same_statement_with_other_columns_is_another_one() -> None:
    known = Compiled()
    known[key(PARTS)], known[key(PARTS, "name")] = "SELECT", "SELECT name"
    for _ in range(3):
        assert known.get(key(PARTS)) == known.get(key(PARTS)) == "SELECT"
        assert known.get(key(PARTS, "name")) == known.get(key(PARTS, "name")) == "SELECT name"
    assert known.get(("another dialect", *key(PARTS)[1:])) is None


def test_statements_that_are_made_anew_each_time_are_not_kept_for_good() -> None:
    known = Compiled()
    known[key(PARTS)] = "SELECT"
    for _ in range(3 * Compiled.LATELY):
        assert known.get(key(PARTS[:1] + PARTS[1:])) == "SELECT"
    assert known.met == 0


def test_however_many_statements_there_are_only_so_many_are_kept() -> None:
    known = Compiled()
    for number in range(Compiled.MOST + 10):
        parts = ("select", number)
        known[key(parts)] = number
        assert [known.get(key(parts)) for _ in range(3)] == [number] * 3
    assert 0 < known.met <= Compiled.MOST


def test_what_is_taken_out_is_found_no_more() -> None:
    known = Compiled()
    known[key(PARTS)] = "SELECT"
    assert [known.get(key(PARTS)) for _ in range(3)] == ["SELECT"] * 3
    known.clear()
    assert known.get(key(PARTS)) is None
