"""What a scoped session lets through is exactly what `engine.core.people.access.reach` says, whoever asks and whatever
is asked."""

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import (
    Connection,
    column,
    delete,
    exists,
    func,
    insert,
    literal_column,
    select,
    table,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import aliased

from engine.core.people.access import Viewer, reach
from engine.core.people.roles import AREA, AREAS, FIGURES, KNOWS, REFERRED, SIGHTS, Role, RoleBook
from engine.core.words import Label
from engine.store import tables as t
from engine.store.cases.cases import PupilPlace
from engine.store.scopes import Scope, shape_of
from engine.store.session import Store, open_store
from tests import databases
from tests.shipped_roles import ROLES

NOW = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
UNITS = range(1, 5)
referral: Any = t.Referral  # mapped from the columns of cases, which no type checker sees
COLUMNS = ("class_id", "school_id", "village_id", "commune_id", "province_id", "association_id")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def many(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Store, list[PupilPlace]]]:
    """A case for many combinations of four units in every column, some of them empty."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("scopes") / "scopes.db"
        url = databases.copy_sqlite(request.getfixturevalue("sqlite_template"), path)
        yield from _filled(url)
        return
    server, name = request.getfixturevalue("postgresql_server"), f"ralop_test_{uuid.uuid4().hex[:12]}"
    template = request.getfixturevalue("postgresql_template")
    yield from _filled(databases.create_postgresql(server, name, template=template))
    databases.drop_postgresql(server, name)


def _filled(url: str) -> Iterator[tuple[Store, list[PupilPlace]]]:
    store = open_store(url)
    places = [
        PupilPlace(
            n,
            1 + n % 4,
            1 + n // 4 % 4,
            n % 5 or None,
            n // 3 % 5 or None,
            n // 7 % 5 or None,
            6,
            None,
            n // 2 % 5 or None,
        )
        for n in range(1, 121)
    ]
    with store.writing("test") as session:
        session.execute(insert(t.Unit), [_unit(id) for id in UNITS])
        session.execute(insert(t.Pupil), [_pupil(place) for place in places])
        session.execute(insert(t.Case), [_case(place) for place in places])
        session.execute(insert(t.Event), [_event(place.id) for place in places])
        session.execute(insert(t.EventText), [_text(place.id) for place in places])
        session.execute(insert(t.CaseCause), [{"case_id": place.id, "cause": "harvest"} for place in places])
    yield store, places
    store.close()


def _unit(id: int) -> dict[str, object]:
    return {
        "id": id,
        "kind": "class",
        "code": str(id),
        "name": str(id),
        "search_key": str(id),
        "valid_from": dt.date(2020, 1, 1),
    }


def _place(place: PupilPlace) -> dict[str, object]:
    return {name: getattr(place, name) for name in COLUMNS}


def _pupil(place: PupilPlace) -> dict[str, object]:
    row = _place(place) | {
        "id": place.id,
        "code": f"p{place.id}",
        "name": "A Tiến",
        "search_key": "a tien",
        "sort_key": "tien a",
    }
    del row["association_id"]
    return row


def _case(place: PupilPlace) -> dict[str, object]:
    return _place(place) | {
        "id": place.id,
        "code": f"RL-{place.id}",
        "pupil_id": place.id,
        "workflow": "dropout",
        "workflow_version": 1,
        "rules_version": 1,
        "state": "absent",
        "entry": 1,
        "since": NOW,
        "request": "contact",
        "asked_role": "teacher",
        "asked_unit_id": place.class_id,
        "asked_at": NOW,
        "asked_from": NOW,
        "level": 0,
        "absent_since": NOW.date(),
        "opened_at": NOW,
        "flags": [],
        "unreached": 0,
        "version": 1,
        "last_hash": "",
    }


def _event(case: int) -> dict[str, object]:
    return {"case_id": case, "seq": 1, "kind": "opened", "at": NOW, "data": {}, "previous_hash": "", "hash": "x"}


def _text(case: int) -> dict[str, object]:
    return {"case_id": case, "seq": 1, "salt": "s", "values": {"note": "…"}}


sets_of_units = st.frozensets(st.sampled_from(UNITS), max_size=2)
NAMES = tuple(f"role_{number}" for number in range(6))


@st.composite
def viewers(draw: st.DrawFn) -> Viewer:
    """Somebody with some posts, in an installation whose role files say anything that files can say."""
    seats = [(seat, sight) for seat, sights in SIGHTS.items() for sight in sorted(sights)]
    kinds = {name: draw(st.sampled_from(seats)) for name in NAMES}
    roles = {name: Role(name, Label(name, name), seat, sight) for name, (seat, sight) in kinds.items()}
    units = draw(st.dictionaries(st.sampled_from(NAMES), sets_of_units, max_size=4))
    areas = {
        name: draw(st.fixed_dictionaries(dict.fromkeys(AREAS, sets_of_units)))
        for name in units
        if roles[name].seat == AREA and units[name]
    }
    invited = draw(st.frozensets(st.integers(1, 120), max_size=3))
    return Viewer(1, units, areas, invited, roles=RoleBook(roles=roles), opens=draw(st.booleans()))


def sights(viewer: Viewer, roles: frozenset[str]) -> set[str]:
    return {viewer.roles[role].sight for role in roles}


KNOWN = select(t.Case.id), select(t.CaseCause.case_id), select(t.EventText.case_id)
REFERRED_TO, EITHER, PUPILS = select(referral.id), select(t.Event.case_id), select(t.Pupil.id)


def _anew(statement: Any) -> Any:
    """A statement that says the same, and was never met."""
    return statement.where(true())


@given(viewer=viewers())
def test_a_scoped_session_shows_the_cases_that_reach_allows_and_no_other(
    many: tuple[Store, list[PupilPlace]], viewer: Viewer
) -> None:
    store, places = many
    reached = {place.id: reach(viewer, place, place.id) for place in places}
    reading = {KNOWS, FIGURES} if viewer.opens else {KNOWS}  # who sees figures reads a name only on the page of a case
    known = {id for id, roles in reached.items() if sights(viewer, roles) & reading}
    referred = {id for id, roles in reached.items() if REFERRED in sights(viewer, roles)}
    with store.scoped(viewer) as session:
        for statements, expected in ((KNOWN, known), ((REFERRED_TO,), referred), ((EITHER,), known | referred)):
            for statement in statements:
                assert set(session.scalars(statement)) == expected  # others have said it before
                assert set(session.scalars(_anew(statement))) == expected


@given(viewer=viewers())
def test_only_the_school_sees_pupils_without_a_case(many: tuple[Store, list[PupilPlace]], viewer: Viewer) -> None:
    store, places = many
    reading = {KNOWS, FIGURES} if viewer.opens else {KNOWS}
    seen = {place.id for place in places if sights(viewer, reach(viewer, place, place.id)) & reading}
    with store.scoped(viewer) as session:
        assert set(session.scalars(PUPILS)) == seen
        assert set(session.scalars(_anew(PUPILS))) == seen


def test_a_statement_met_before_shows_each_viewer_their_own(many: tuple[Store, list[PupilPlace]]) -> None:
    store, places = many
    teachers = [Viewer(unit, {"teacher": frozenset({unit})}, roles=ROLES) for unit in UNITS]
    for _round in range(3):
        for teacher in teachers:
            with store.scoped(teacher) as session:
                own = {place.id for place in places if place.class_id == teacher.person_id}
                assert set(session.execute(KNOWN[0]).scalars()) == own != set()


def test_a_narrowed_statement_is_refused_where_it_is_not_said_whose_units_are_meant(
    many: tuple[Store, list[PupilPlace]],
) -> None:
    store, _ = many
    narrowed = Scope(shape_of(Viewer(1, {"teacher": frozenset({1})}, roles=ROLES))).narrowed(KNOWN[0])
    with store.reading("test") as session, pytest.raises(StatementError, match="scope_class"):
        session.execute(narrowed)


def test_a_volunteer_finds_no_column_that_tells_who_or_where() -> None:
    told = {attribute.key for attribute in t.Referral.__mapper__.column_attrs}
    assert told.isdisjoint(
        {"pupil_id", "class_id", "school_id", "village_id", "commune_id", "province_id", "grade", "flags"}
    )


TABLE: Any = t.Pupil.__table__
PAST_THE_SCOPE: dict[str, Callable[[], Any]] = {
    "a table itself": lambda: select(TABLE.c.name),
    "a table beside a model": lambda: select(t.Unit.id, TABLE.c.name).join_from(t.Unit, TABLE, TABLE.c.id > 0),
    "a table beside a whole model": lambda: select(t.Unit, TABLE.c.name).join_from(t.Unit, TABLE, TABLE.c.id > 0),
    "a table that is only counted": lambda: select(func.count(t.Unit.id)).join_from(t.Unit, TABLE, true()),
    "a table in EXISTS": lambda: select(t.Unit.id).where(exists().where(TABLE.c.name != "")),
    "a table in a scalar subquery": lambda: select(t.Unit.id, select(TABLE.c.name).limit(1).scalar_subquery()),
    "a table in a CTE": lambda: select(select(TABLE.c.name).cte("known").c.name),
    "a table in a union": lambda: union_all(select(t.Pupil.name), select(TABLE.c.name)),
    "a table by another name": lambda: select(TABLE.alias("reached_pupil").c.name),
    "a table's sample": lambda: select(TABLE.tablesample(func.bernoulli(100)).c.name),
    "a model by another name": lambda: select(aliased(t.Pupil).name),
    "a model joined with itself": lambda: select(OTHER.id).select_from(t.Case).join(OTHER, OTHER.id > t.Case.id),
    "a model from a text": lambda: select(t.Pupil).from_statement(text("SELECT * FROM pupils")),
    "a text": lambda: text("SELECT name FROM pupils"),
    "a text with the mark": lambda: text("SELECT name FROM pupils /* narrows pupils */"),
    "a text in WHERE": lambda: select(t.Pupil.name).where(text("1=1 OR 1=1")),
    "a text in ORDER BY": lambda: select(t.Unit.id).order_by(text("(SELECT name FROM pupils)")),
    "a text as FROM": lambda: select(text("name")).select_from(text("pupils")),
    "a literal column": lambda: select(t.Unit.id, literal_column("(SELECT name FROM pupils LIMIT 1)")),
    "a table of no model": lambda: select(table("pupils", column("name")).c.name),
    "a table of a schema": lambda: select(t.Unit.name).prefix_with("(SELECT name FROM main.pupils),"),
    "a table of a schema in quotes": lambda: select(t.Unit.name).prefix_with('(SELECT name FROM "public"."pupils"),'),
    "the names for the search": lambda: select(t.Unit.name).prefix_with("(SELECT pupil_search FROM pupil_search),"),
    "our own alias": lambda: select(t.Unit.name).prefix_with("(SELECT name FROM pupils AS reached_pupil),"),
    "an operator and a schema": lambda: select(t.Unit.name.op("|| (SELECT name FROM main.pupils) ||")("")),
    "a function that reads by itself": lambda: select(func.query_to_xml("SELECT * FROM pupils", True, True, "")),
    "a suffix": lambda: select(t.Unit.name).suffix_with("UNION SELECT name FROM pupils"),
    "a prefix": lambda: select(t.Unit.name).prefix_with("name FROM pupils UNION SELECT"),
    "a hint": lambda: select(t.Unit.name).with_statement_hint("UNION SELECT name FROM pupils"),
    "an operator": lambda: select(t.Unit.name.op("|| (SELECT max(name) FROM pupils) ||")("")),
    "a function's name": lambda: select(getattr(func, "coalesce((SELECT max(name) FROM pupils), ")("")),
    "an INSERT": lambda: insert(t.Pupil).values(id=1),
    "an UPDATE": lambda: update(t.Pupil).values(name="Y Khác"),
    "a DELETE": lambda: delete(t.Pupil),
}
OTHER: Any = aliased(t.Case)


@pytest.mark.parametrize("way", PAST_THE_SCOPE)
def test_a_statement_that_nothing_would_narrow_is_refused(many: tuple[Store, list[PupilPlace]], way: str) -> None:
    store, _ = many
    for viewer in (Viewer(2), Viewer(1, {"teacher": frozenset({1})}, roles=ROLES)):
        with store.scoped(viewer) as session, pytest.raises(PermissionError):
            session.execute(PAST_THE_SCOPE[way]())


NARROWED: dict[str, Callable[[], Any]] = {
    "a subquery": lambda: select(select(t.Pupil.name).subquery().c.name),
    "a CTE": lambda: select(select(t.Pupil.name).cte("known").c.name),
    "a union": lambda: union_all(select(t.Pupil.name), select(t.Pupil.name)),
    "a scalar subquery": lambda: select(select(t.Pupil.name).limit(1).scalar_subquery()),
    "EXISTS": lambda: select(t.Unit.name).where(exists().where(t.Pupil.name != "")),
    "a whole model": lambda: select(t.Pupil),
    "a model on a subquery": lambda: select(aliased(t.Pupil, select(t.Pupil).subquery()).name),
    "a join": lambda: select(t.Case.code).join(t.Pupil, t.Pupil.id == t.Case.pupil_id),
}


@pytest.mark.parametrize("way", NARROWED)
def test_a_model_is_narrowed_wherever_it_stands_in_a_statement(many: tuple[Store, list[PupilPlace]], way: str) -> None:
    store, _ = many
    with store.scoped(Viewer(2)) as session:
        try:
            rows = session.execute(NARROWED[way]()).all()
        except PermissionError:  # what the mark in the SQL does not show is refused
            rows = []
    assert [row for row in rows if row[0] is not None] == []


@pytest.mark.parametrize(
    "sql", ["SELECT name FROM pupils", 'SELECT "name" FROM "Pupils"', "SELECT 1 FROM units, pupils"]
)
def test_a_scoped_sessions_connection_lets_no_other_statement_through(
    many: tuple[Store, list[PupilPlace]], sql: str
) -> None:
    store, _ = many
    with store.scoped(Viewer(2)) as session:
        with pytest.raises(PermissionError, match="gives nobody its connection"):
            session.connection()
        bound = session.get_bind()
        assert isinstance(bound, Connection)
        with pytest.raises(PermissionError, match="nothing else"):
            bound.execute(text(sql))
        with pytest.raises(PermissionError, match="nothing else"):
            bound.exec_driver_sql(sql)
        with pytest.raises(PermissionError, match="pupils"):
            bound.execute(select(TABLE.c.name))


def test_a_row_is_found_by_its_key_only_within_the_scope(many: tuple[Store, list[PupilPlace]]) -> None:
    store, places = many
    mine = next(place for place in places if place.class_id == 1)
    other = next(place for place in places if place.class_id == 2)
    with store.scoped(Viewer(1, {"teacher": frozenset({1})}, roles=ROLES)) as session:
        assert session.get(t.Pupil, mine.id)
        assert session.get(t.Pupil, other.id) is None


def test_nobody_gives_the_values_of_a_scope_themselves(many: tuple[Store, list[PupilPlace]]) -> None:
    store, places = many
    with store.scoped(Viewer(1, {"teacher": frozenset({1})}, roles=ROLES)) as session:
        own = {place.id for place in places if place.class_id == 1}
        for _round in range(3):
            assert set(session.execute(KNOWN[0], {"scope_class": 3}).scalars()) == own
        with pytest.raises(PermissionError, match="one set"):
            session.execute(KNOWN[0], [{"scope_class": 3}])


def test_an_administrator_and_an_outsider_see_no_case(many: tuple[Store, list[PupilPlace]]) -> None:
    store, _ = many
    for viewer in (Viewer(1, {"admin": frozenset(UNITS)}, roles=ROLES), Viewer(2)):
        with store.scoped(viewer) as session:
            assert not session.scalars(select(t.Case.id)).all()
            assert not session.scalars(select(t.Pupil.id)).all()
            assert not session.scalars(select(t.Event.case_id)).all()
