"""The numbers of the rooms: unit by unit, capped, the same cost with many cases as with few."""

from __future__ import annotations

import datetime as dt
from contextlib import closing

from sqlalchemy import event, insert, update

from engine.store import tables as t
from engine.store.session import open_store
from engine.store.support import waiting
from engine.store.units import overviews
from engine.store.units.overviews import Numbers
from tests.cast import Cast
from tests.pages import MORNING

TODAY = dt.date(2026, 3, 2)


def numbers(cast: Cast, *units: str, most: int = overviews.MOST) -> dict[str, Numbers]:
    ids = [cast.installed.units[unit] for unit in units]
    with cast.store.reading("test") as session:
        return {it.name: it.numbers for it in overviews.counted(session, ids, cast.now, TODAY, most=most)}


def test_cases_are_counted_where_they_lie(cast: Cast) -> None:
    cast.to_commune("pupil")
    cast.open_case("classmate")
    late = cast.open_case("saturday_pupil")
    with cast.store.writing("test") as session:
        session.execute(update(t.Case).where(t.Case.code == late).values(due_at=cast.now - dt.timedelta(1), level=1))
    assert numbers(cast, "commune", "outsider_commune") == {
        "commune": Numbers(3, 1, 1, 1),
        "outsider_commune": Numbers(0, 0, 0, 0),
    }
    assert numbers(cast, "class", "saturday_class") == {
        "class": Numbers(2, 0, 0, 1),
        "saturday_class": Numbers(1, 1, 1, 0),
    }
    assert numbers(cast, "village", "school", "province") == {
        "village": Numbers(3, 1, 1, 1),
        "school": Numbers(3, 1, 1, 1),
        "province": Numbers(3, 1, 1, 1),
    }


def test_ended_cases_are_not_counted(cast: Cast) -> None:
    code = cast.open_case()
    cast.step(code, "mark_error", "head", reason="Nhầm")
    assert numbers(cast, "commune")["commune"] == Numbers(0, 0, 0, 0)


def test_what_burns_most_comes_first(cast: Cast) -> None:
    cast.open_case("outsider_pupil", by="outsider_teacher")
    cast.open_case("pupil")
    cast.open_case("classmate")
    with cast.store.writing("test") as session:
        burning = t.Case.commune_id == cast.installed.units["outsider_commune"]
        session.execute(update(t.Case).where(burning).values(due_at=cast.now - dt.timedelta(1)))
    assert list(numbers(cast, "commune", "outsider_commune")) == ["outsider_commune", "commune"]


def test_nothing_is_counted_farther_than_the_cap(cast: Cast) -> None:
    for pupil in ("pupil", "classmate", "saturday_pupil"):
        cast.open_case(pupil)
    assert numbers(cast, "commune", most=1)["commune"].open == 2


def test_each_number_is_a_probe_of_an_index_that_begins_with_the_unit(sqlite_url: str) -> None:
    # PostgreSQL reads a table of few rows as a whole, rightly; SQLite's plan does not depend on that.
    with closing(open_store(sqlite_url)) as store, store.reading("test") as session:
        asked: list[str] = []
        event.listen(store.engine, "before_cursor_execute", lambda *it: asked.append(_filled(it[2], it[3])))
        session.execute(insert(t.Unit).values(kind="commune", code="1", name="1", search_key="1", valid_from=TODAY))
        for kind in ("commune", "province"):
            overviews._counted(session, kind, [1], MORNING, TODAY, overviews.MOST)
        plans = [
            [row[-1] for row in session.connection().exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
            for statement in [it for it in asked if "count(" in it]
        ]
    for plan in plans:
        walked = [line for line in plan if " cases " in line]
        assert len(walked) == 4, plan
        assert all("_id=?" in line for line in walked), plan
    assert sum("ix_cases_urgent (commune_id=?)" in line for plan in plans for line in plan) == 2
    assert sum("ix_cases_waiting_commune (commune_id=?)" in line for plan in plans for line in plan) == 2


def _filled(statement: str, values: tuple[object, ...]) -> str:
    """The statement with its values in their places."""
    return statement.replace("?", "{!r}").format(*map(str, values))


def test_a_class_list_has_the_open_case_and_the_days_absent(cast: Cast) -> None:
    code = cast.open_case("pupil")
    pupil = cast.installed.pupils["classmate"]
    with cast.store.writing("test") as session:
        for day, half, mark in ((2, "m", "u"), (2, "a", "u"), (3, "m", "e"), (4, "m", "p"), (20, "m", "u")):
            session.add(t.Mark(pupil_id=pupil, day=dt.date(2026, 2, day), session=half, mark=mark, at=cast.now))
    with cast.store.scoped(cast.viewer("teacher")) as session:
        rows = overviews.pupils_of(session, cast.installed.units["class"], dt.date(2026, 2, 1), dt.date(2026, 2, 19))
    found = {row.name: row for row in rows}
    assert (found["A Thử"].code, found["A Thử"].state) == (code, "absent")
    assert (found["Y Thử"].code, found["Y Thử"].excused, found["Y Thử"].unexcused) == (None, 1, 1)
    assert "A Khác" not in found


def test_a_stranger_reads_no_class_list(cast: Cast) -> None:
    with cast.store.scoped(cast.viewer("outsider_teacher")) as session:
        assert overviews.pupils_of(session, cast.installed.units["class"], TODAY, TODAY) == []


def test_needs_are_those_of_ones_own_association_without_who(cast: Cast) -> None:
    code = cast.to_association("pupil")

    def found(member: str) -> list[tuple[str, str | None, str | None, str | None]]:
        viewer = cast.viewer(member)
        with cast.store.scoped(viewer) as session:
            return [
                (row.code, row.pupil, need.need if need else None, need.handover if need else None)
                for row, need in waiting.needs(session, viewer, 10)
            ]

    assert found("volunteer") == [(code, None, "Áo ấm cỡ 130", "Văn phòng trường")]
    assert found("outsider_volunteer") == []
