"""SQL and the core say the same about who acts for whom, on both databases."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from engine.core.people.stand_ins import Absences
from engine.store import stand_ins
from engine.store import tables as t
from engine.store.session import Session, Store

PEOPLE = 6
NOW = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
TODAY, DAY = dt.date(2026, 3, 2), dt.timedelta(days=1)
# The absences of a day: who, with whom or nobody, and whether it holds today.
DRAWN = st.lists(
    st.tuples(st.integers(1, PEOPLE), st.none() | st.integers(1, PEOPLE), st.sampled_from((0, 0, 0, 1, -1))), max_size=7
)


def _set_up(session: Session, drawn: list[tuple[int, int | None, int]], closed: frozenset[int]) -> Absences:
    session.execute(delete(t.Delegation))
    session.execute(update(t.Person).values(disabled_at=None))
    session.execute(update(t.Person).where(t.Person.id.in_(closed)).values(disabled_at=NOW))
    away: dict[int, list[int]] = {}
    for absent, named, off in drawn:
        if absent == named:
            continue
        first, last = TODAY + off * DAY, TODAY + off * DAY
        row = {"person_id": absent, "delegate_id": named, "first_day": first, "last_day": last}
        session.execute(insert(t.Delegation), row)
        if not off:
            away.setdefault(absent, []).extend([named] if named else [])
    return Absences(away, closed)


def _acting(session: Session) -> Mapping[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {person: (person,) for person in range(1, PEOPLE + 1)}
    asked = {"ids": list(found), "today": TODAY}
    rows: Any = session.connection().execute(stand_ins.ACTING, asked).all()
    found |= {person: () for person, _ in rows}
    for person, acts in rows:
        found[person] += (acts,) if acts else ()
    return found


def _lending(session: Session, person: int) -> tuple[int, ...]:
    lends = stand_ins.lenders()
    rows = session.connection().execute(select(lends.c.id), {"person_id": person, "today": TODAY})
    return tuple(sorted(set(rows.scalars()) - {person}))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([(1, 2, 0), (2, 3, 0), (3, 1, 0), (4, 1, 0)], frozenset())
@example([(1, 2, 0), (2, 3, 0), (2, 4, 0), (3, None, 0)], frozenset())
@example([(1, 2, 0), (2, 3, 0)], frozenset({2}))
@example([(1, 2, 0), (2, 3, 1)], frozenset({1}))
@given(DRAWN, st.frozensets(st.integers(1, PEOPLE), max_size=2))
def test_the_statements_and_the_core_agree_on_who_acts_for_whom(
    store: Store, drawn: list[tuple[int, int | None, int]], closed: frozenset[int]
) -> None:
    with store.writing("test") as session:
        known = session.execute(select(t.Person.id)).scalars().all()
        if not known:
            rows = [{"id": id, "login": f"p{id}", "name": f"P {id}", "created_at": NOW} for id in range(1, PEOPLE + 1)]
            session.execute(insert(t.Person), rows)
        absences = _set_up(session, drawn, closed)
        assert _acting(session) == {person: absences.acting(person) for person in range(1, PEOPLE + 1)}
        for person in range(1, PEOPLE + 1):
            assert _lending(session, person) == absences.lending(person), person
