"""What a scoped session lets through is exactly what `engine.core.people.access.reach` says, whoever asks and whatever
is asked."""

import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, select, text, true
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import aliased

from engine.core.people.access import REFERRED, SEATS, Viewer, knows, reach
from engine.store import tables as t
from engine.store.cases.cases import PupilPlace
from engine.store.scopes import Scope, shape_of
from engine.store.session import Store, open_store
from tests import databases

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
viewers = st.builds(
    Viewer,
    person_id=st.just(1),
    units=st.dictionaries(st.sampled_from([*SEATS, "admin"]), sets_of_units, max_size=3),
    office_communes=sets_of_units,
    office_provinces=sets_of_units,
    office_schools=sets_of_units,
)


KNOWN = select(t.Case.id), select(t.CaseCause.case_id), select(t.EventText.case_id)
REFERRED_TO, EITHER, PUPILS = select(referral.id), select(t.Event.case_id), select(t.Pupil.id)


def _anew(statement: Any) -> Any:
    """A statement that says the same, and was never met."""
    return statement.where(true())


@given(viewer=viewers)
def test_a_scoped_session_shows_the_cases_that_reach_allows_and_no_other(
    many: tuple[Store, list[PupilPlace]], viewer: Viewer
) -> None:
    store, places = many
    reached = {place.id: reach(viewer, place) for place in places}
    known = {id for id, roles in reached.items() if knows(roles)}
    referred = {id for id, roles in reached.items() if roles & REFERRED}
    with store.scoped(viewer) as session:
        for statements, expected in ((KNOWN, known), ((REFERRED_TO,), referred), ((EITHER,), known | referred)):
            for statement in statements:
                assert set(session.scalars(statement)) == expected  # others have said it before
                assert set(session.scalars(_anew(statement))) == expected


@given(viewer=viewers)
def test_only_the_school_sees_pupils_without_a_case(many: tuple[Store, list[PupilPlace]], viewer: Viewer) -> None:
    store, places = many
    seen = {place.id for place in places if knows(reach(viewer, place))}
    with store.scoped(viewer) as session:
        assert set(session.scalars(PUPILS)) == seen
        assert set(session.scalars(_anew(PUPILS))) == seen


def test_a_statement_met_before_shows_each_viewer_their_own(many: tuple[Store, list[PupilPlace]]) -> None:
    store, places = many
    teachers = [Viewer(unit, {"teacher": frozenset({unit})}) for unit in UNITS]
    for _round in range(3):
        for teacher in teachers:
            with store.scoped(teacher) as session:
                own = {place.id for place in places if place.class_id == teacher.person_id}
                assert set(session.execute(KNOWN[0]).scalars()) == own != set()


def test_a_narrowed_statement_is_refused_where_it_is_not_said_whose_units_are_meant(
    many: tuple[Store, list[PupilPlace]],
) -> None:
    store, _ = many
    narrowed = Scope(shape_of(Viewer(1, {"teacher": frozenset({1})}))).narrowed(KNOWN[0])
    with store.reading("test") as session, pytest.raises(StatementError, match="scope_teacher"):
        session.execute(narrowed)


def test_a_volunteer_finds_no_column_that_tells_who_or_where() -> None:
    told = {attribute.key for attribute in t.Referral.__mapper__.column_attrs}
    assert told.isdisjoint(
        {"pupil_id", "class_id", "school_id", "village_id", "commune_id", "province_id", "grade", "flags"}
    )


def test_going_past_the_orm_in_a_scoped_session_is_refused(many: tuple[Store, list[PupilPlace]]) -> None:
    store, _ = many
    with store.scoped(Viewer(1, {"teacher": frozenset({1})})) as session:
        with pytest.raises(PermissionError, match="cases"):
            session.execute(select(t.Case.__table__))
        with pytest.raises(PermissionError, match="pupils"):
            session.execute(select(t.Pupil.__table__.c.name).where(t.Pupil.__table__.c.id == 1))


def test_a_protected_table_by_another_name_or_in_a_text_is_refused(many: tuple[Store, list[PupilPlace]]) -> None:
    store, _ = many
    other, pupil = aliased(t.Case), aliased(t.Pupil)
    with store.scoped(Viewer(1, {"teacher": frozenset({1})})) as session:
        for statement in (
            select(other.id).select_from(t.Case).join(other, other.school_id == t.Case.school_id),
            select(pupil.id).select_from(t.Pupil).outerjoin(pupil, pupil.school_id == t.Pupil.school_id),
            select(t.Case).from_statement(text("SELECT * FROM cases")),
        ):
            with pytest.raises(PermissionError, match="nothing narrows it"):
                session.execute(statement)


def test_nobody_gives_the_values_of_a_scope_themselves(many: tuple[Store, list[PupilPlace]]) -> None:
    store, places = many
    with store.scoped(Viewer(1, {"teacher": frozenset({1})})) as session:
        own = {place.id for place in places if place.class_id == 1}
        for _round in range(3):
            assert set(session.execute(KNOWN[0], {"scope_teacher": 3}).scalars()) == own
        with pytest.raises(PermissionError, match="one set"):
            session.execute(KNOWN[0], [{"scope_teacher": 3}])


def test_an_administrator_and_an_outsider_see_no_case(many: tuple[Store, list[PupilPlace]]) -> None:
    store, _ = many
    for viewer in (Viewer(1, {"admin": frozenset(UNITS)}), Viewer(2)):
        with store.scoped(viewer) as session:
            assert not session.scalars(select(t.Case.id)).all()
            assert not session.scalars(select(t.Pupil.id)).all()
            assert not session.scalars(select(t.Event.case_id)).all()
