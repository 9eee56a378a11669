"""Lists are read from indexes, and show what access allows: the same as `reach` says, whoever asks."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event, insert, text

from engine.core.cases.facts import Facts
from engine.core.people.access import SCHOOLS, reach
from engine.core.scenario.cast import CAST
from engine.store import tables as t
from engine.store.cases import listing, search, work_list
from engine.store.cases.listing import Filters
from engine.store.cases.rows import known_arms
from engine.store.cases.surroundings import read_facts
from engine.store.simulation import seed
from engine.usecases.people import accounts
from tests.cast import Cast
from tests.shipped_roles import ROLES


@pytest.fixture
def busy(cast: Cast) -> Cast:
    """A cast with cases of both communes, in several states."""
    cast.to_association("pupil")
    cast.to_commune("classmate")
    cast.open_case("boarder")
    cast.open_case("outsider_pupil", by="outsider_teacher")
    code = cast.open_case("saturday_pupil")
    cast.step(code, "mark_error", "teacher", reason="Nhầm")
    return cast


@pytest.mark.parametrize("which", ["", "all", "closed"])
def test_a_list_has_exactly_the_cases_that_reach_allows(busy: Cast, which: str) -> None:
    with busy.store.reading("test") as session:
        everything = read_facts(session)
    kinds: dict[str, Callable[[Facts], bool]] = {
        "": lambda facts: facts.is_open,
        "closed": lambda facts: not facts.is_open,
        "all": lambda facts: True,
    }
    wanted = kinds[which]
    for member in CAST:
        viewer = busy.viewer(member)
        with busy.store.scoped(viewer) as session:
            found = {row.code: row for row in listing.list_cases(session, viewer, Filters(which=which), busy.now).rows}
        reached = {facts.code: reach(viewer, facts) for facts in everything if wanted(facts)}
        assert set(found) == {code for code, roles in reached.items() if roles}, member
        assert {code for code, row in found.items() if row.pupil} == {
            c for c, roles in reached.items() if ROLES.knows(roles)
        }


def test_what_waits_is_what_is_assigned_or_offered_to_ones_posts(busy: Cast) -> None:
    codes = {}
    for member in ("teacher", "commune_officer", "volunteer", "head", "education_office"):
        viewer = busy.viewer(member)
        with busy.store.scoped(viewer) as session:
            codes[member] = [row.code for row in work_list.my_work(session, viewer)]
    assert codes == {
        "teacher": ["RL-2026-000003"],
        "commune_officer": ["RL-2026-000002"],
        "volunteer": ["RL-2026-000001"],
        "head": [],
        "education_office": [],
    }


@pytest.mark.parametrize(("own", "others"), [(30, 11), (2, 20), (1, 30), (2, 2), (1, 1)])
def test_what_waits_and_what_others_have_are_the_same_read_at_once_or_apart(busy: Cast, own: int, others: int) -> None:
    for pupil in ("pupil-a", "pupil-b", "pupil-c"):
        busy.pupil(pupil)
        busy.to_commune(pupil) if pupil == "pupil-b" else busy.open_case(pupil)
    for member in CAST:
        viewer = busy.viewer(member)
        with busy.store.scoped(viewer) as session:
            mine, area = work_list.work_and_area(session, viewer, own, others)
            assert mine == work_list.my_work(session, viewer, own), member
            left = [row for row in work_list.area_work(session, viewer, own + others) if row not in mine]
            assert area == left[:others], member


def test_a_teachers_work_is_read_at_once_as_long_as_the_class_has_no_more_open_cases_than_the_page(busy: Cast) -> None:
    viewer, said = busy.viewer("teacher"), list[str]()
    event.listen(busy.store.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    for most, statements in ((11, 1), (1, 3)):
        said.clear()
        with busy.store.scoped(viewer) as session:
            mine, area = work_list.work_and_area(session, viewer, most, most)
        assert (mine[0].code, len(area) > 0) == ("RL-2026-000003", True)
        assert len([one for one in said if "absent_since" in one]) == statements


def test_a_unit_outside_ones_scope_finds_nothing(busy: Cast) -> None:
    viewer = busy.viewer("head")
    outside = Filters(unit=busy.installed.units["outsider_school"], which="all")
    with busy.store.scoped(viewer) as session:
        assert listing.list_cases(session, viewer, outside, busy.now).rows == ()


def test_units_to_filter_by_lie_below_ones_posts(busy: Cast) -> None:
    found = {}
    for member in ("teacher", "head", "commune_leader", "volunteer"):
        viewer = busy.viewer(member)
        with busy.store.scoped(viewer) as session:
            units = listing.filter_units(session, viewer, busy.now.date())
            found[member] = [name for _kind, _id, name in units]
    assert found == {
        "teacher": ["class", "saturday_class"],
        "head": ["class", "saturday_class"],
        "commune_leader": ["school", "village"],
        "volunteer": [],
    }


# --- words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("RL-2026-000042", "RL-2026-000042"),
        ("rl 2025 42", "RL-2025-000042"),
        ("42", "RL-2026-000042"),
        ("RL42", "RL-2026-000042"),
        ("An 42", None),
        ("", None),
    ],
)
def test_a_code_is_read_as_people_type_it(typed: str, code: str | None) -> None:
    assert search.case_code(typed, 2026) == code


@pytest.mark.parametrize("typed", ["tien", "TIẾN a", "a tiến", "ti", "krong ti"])
def test_pupils_are_found_by_the_beginnings_of_words(cast: Cast, typed: str) -> None:
    wanted = cast.pupil("A Krông Tiến")
    cast.pupil("Y Thoa")
    with cast.store.reading("test") as session:
        found = session.execute(search.pupils_named(session, search.words(typed))).scalars().all()
    assert found == [wanted]


@pytest.mark.parametrize("typed", ['"', "*", "a OR b", "NEAR(a b)", "a:*", "& | !", "-a", "'"])
def test_what_databases_take_for_operators_are_words_here(cast: Cast, typed: str) -> None:
    with cast.store.reading("test") as session:
        if found := search.words(typed):
            session.execute(search.pupils_named(session, found)).all()


# --- cost -------------------------------------------------------------------------------------------------------------


def test_lists_probe_indexes_and_never_scan_the_cases(sqlite_url: str) -> None:
    from engine.store.session import open_store
    from tests.cast import make_cast

    store = open_store(sqlite_url)
    cast = make_cast(store)
    cast.to_association("pupil")
    statements: list[tuple[str, object]] = []
    event.listen(store.engine, "before_cursor_execute", lambda *args: statements.append((args[2], args[3])))
    for member in CAST:
        viewer = cast.viewer(member)
        with store.scoped(viewer) as session:
            work_list.my_work(session, viewer)
            work_list.area_work(session, viewer)
            listing.list_cases(session, viewer, Filters(), cast.now)
            listing.list_cases(session, viewer, Filters(which="all"), cast.now)
            listing.list_cases(session, viewer, Filters(q="thu"), cast.now)
    with store.engine.connect() as connection:
        recorded: list[Any] = list(statements)
        for statement, values in recorded:
            if " cases" in statement:
                plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all()
                assert not [row[-1] for row in plan if row[-1].startswith("SCAN cases")], statement
        assert connection.execute(text("SELECT count(*) FROM cases")).scalar() == 1
    store.close()


def test_a_list_of_a_large_area_is_read_all_the_same(cast: Cast) -> None:
    """An office with more units than are walked side by side."""
    code = cast.open_case()
    viewer = cast.viewer("education_office")
    many = frozenset(range(1000, 1100)) | viewer.area(SCHOOLS)
    areas = {"education_office": {**viewer.areas["education_office"], SCHOOLS: many}}
    large = replace(viewer, areas=areas)
    assert len(known_arms(large)) > 100
    with cast.store.scoped(large) as session:
        assert [row.code for row in work_list.area_work(session, large)] == [code]


def test_a_stand_in_keeps_the_cases_of_somebody_whose_account_is_shut_while_they_are_away(cast: Cast) -> None:
    code = cast.open_case()
    people = cast.installed.people
    with cast.store.writing("test") as session:
        seed.send_away(session, people["teacher"], cast.now.date(), cast.now.date(), people["head"])
    for shut in (False, True):
        if shut:
            accounts.disable(cast.context, "teacher", cast.now)
        head = cast.viewer("head")
        assert set(head.people) == {people["head"], people["teacher"]}
        with cast.store.scoped(head) as session:
            assert [row.code for row in work_list.my_work(session, head)] == [code], shut
    assert not head.of("teacher")


def test_notices_beyond_the_most_are_not_counted(cast: Cast) -> None:
    code = cast.open_case()
    head = cast.viewer("head")
    row = {"case_id": cast.case(code).id, "person_id": head.person_id, "role": "head", "kind": "offered"}
    with cast.store.writing("test") as session:
        session.execute(insert(t.Notice), [row | {"seq": seq, "at": cast.now} for seq in range(100, 210)])
    with cast.store.scoped(head) as session:
        assert work_list.also_waiting(session, head).unread == work_list.MOST_UNREAD == 99


def test_lists_tell_the_database_beforehand_how_much_they_read(busy: Cast) -> None:
    said: list[str] = []

    @event.listens_for(busy.store.engine, "before_cursor_execute")
    def hear(_line: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        said.append(statement)

    head, office = busy.viewer("head"), busy.viewer("education_office")
    with busy.store.scoped(office) as session:
        listing.list_cases(session, office, Filters(), busy.now)
        listing.list_cases(session, office, Filters(which="all", q="thu"), busy.now)
        work_list.area_work(session, office)
    with busy.store.scoped(head) as session:
        work_list.my_work(session, head)
    lists = [statement for statement in said if "absent_since" in statement]
    assert len(lists) >= 4
    for statement in lists:
        limits = re.findall(r"LIMIT ([^\s)]+)", statement)
        assert limits, statement
        assert all(limit.isdigit() for limit in limits), limits
