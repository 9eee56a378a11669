"""What is read for one page: on one line, of one moment until something is written; and the line is given back."""

import pytest
from sqlalchemy import Connection, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from engine.core.people.access import Viewer
from engine.core.refusals import NotFound
from engine.core.words import Sentence
from engine.store import tables as t
from engine.store.session import Store, open_store
from tests.cast import Cast


def line_of(session: Session) -> object:
    """The connection itself, as the database's driver gave it."""
    bound = session.get_bind()
    assert isinstance(bound, Connection)
    return bound.connection.dbapi_connection


def name_of(session: Session) -> str | None:
    return session.scalar(select(t.Person.name).where(t.Person.login == "teacher"))


def rename(store: Store, name: str) -> None:
    with store.writing("test") as session:
        session.scalars(select(t.Person).where(t.Person.login == "teacher")).one().name = name


def lines_out(store: Store) -> int:
    return int(store.engine.pool.checkedout())  # type: ignore[attr-defined]  # a pool that counts


def test_a_page_reads_on_two_lines_one_narrowed_to_its_reader_and_one_not(cast: Cast) -> None:
    store = cast.store
    with store.one_page():
        with store.reading("test") as first:
            line = line_of(first)
            with store.scoped(Viewer(1)) as inner:
                narrowed = line_of(inner)
                assert narrowed is not line
        with store.reading("test") as second, store.scoped(Viewer(1)) as third:
            assert (line_of(second), line_of(third)) == (line, narrowed)
        assert lines_out(store) == 2
    assert lines_out(store) == 0


def test_what_is_read_after_something_was_written_knows_of_it(cast: Cast) -> None:
    store = cast.store
    with store.one_page():
        with store.reading("test") as session:
            before = name_of(session)
        rename(store, "Y Mới")
        with store.reading("test") as session:
            assert name_of(session) == "Y Mới" != before


def test_what_was_read_while_something_was_written_is_not_the_last_word(cast: Cast) -> None:
    store = cast.store
    with store.one_page():
        with store.writing("test") as session:
            session.scalars(select(t.Person).where(t.Person.login == "teacher")).one().name = "Y Mới"
            with store.reading("test") as meanwhile:
                assert name_of(meanwhile) != "Y Mới"
        with store.reading("test") as session:
            assert name_of(session) == "Y Mới"


def test_who_reads_on_while_something_is_written_keeps_the_line_and_others_get_a_new_one(cast: Cast) -> None:
    store = cast.store
    with store.one_page():
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
    with page.one_page(), page.scoped(cast.viewer("teacher")) as session:
        before = name_of(session)
        rename(others, "Y Mới")
        assert name_of(session) == before != "Y Mới"
        session.rollback()
        assert name_of(session) == "Y Mới"
    others.close()


def test_nothing_can_be_written_where_a_page_is_read_nor_after_what_was_read_was_given_up(cast: Cast) -> None:
    store = cast.store
    change = text("UPDATE people SET name = 'Y Mới'")
    with store.one_page(), store.reading("test") as session:
        for _given_up in range(2):
            session.rollback()
            if store.is_sqlite:  # which lets one write, but forgets it when the line is given back
                session.connection().execute(change)
            else:
                with pytest.raises(DBAPIError, match="read-only transaction"):
                    session.connection().execute(change)
    with store.reading("test") as session:
        assert name_of(session) != "Y Mới"


def test_postgresql_plans_what_a_page_reads_once_and_other_work_for_the_values_at_hand(postgresql_url: str) -> None:
    store = open_store(postgresql_url)
    with store.one_page(), store.reading("test") as session:
        assert session.connection().exec_driver_sql("SHOW plan_cache_mode").scalar() == "force_generic_plan"
    with store.reading("test") as session:
        assert session.connection().exec_driver_sql("SHOW plan_cache_mode").scalar() == "auto"
    store.close()


def test_after_a_statement_that_failed_the_rest_of_the_page_can_be_read(cast: Cast) -> None:
    store = cast.store
    with store.one_page():
        with pytest.raises(DBAPIError), store.reading("test") as session:
            session.connection().exec_driver_sql("SELECT no_such_column FROM people")
        with store.scoped(Viewer(1)), store.reading("test") as session:
            assert name_of(session)
    assert lines_out(store) == 0


def test_who_reads_on_after_another_has_given_up_still_reads_as_of_the_same_moment(cast: Cast) -> None:
    page, others = cast.store, open_store(cast.store.url)
    with page.one_page(), page.reading("test") as outer:
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
    with store.one_page(), store.reading("test") as session:
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
    with store.one_page(), store.reading("test") as outer:
        with store.one_page(), store.reading("test") as inner:
            assert line_of(inner) is not line_of(outer)
        with store.reading("test") as again:
            assert line_of(again) is line_of(outer)
    assert lines_out(store) == 0


def test_an_error_inside_a_page_leaves_no_line_behind(cast: Cast) -> None:
    store = cast.store
    with pytest.raises(RuntimeError), store.one_page(), store.reading("test"):
        raise RuntimeError
    assert lines_out(store) == 0


def test_without_a_page_each_reading_is_of_its_own_moment(cast: Cast) -> None:
    store = cast.store
    with store.reading("test") as outer, store.reading("test") as inner:
        assert line_of(outer) is not line_of(inner)
    assert lines_out(store) == 0
