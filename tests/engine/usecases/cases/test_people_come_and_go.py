"""Whoever comes and goes, in whatever order: each open case is with somebody who is there. On both databases."""

import datetime as dt

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from engine.core.cases.casework import Casework
from engine.core.people.access import reach
from engine.core.people.roles import ADMIN
from engine.store import tables as t
from engine.store.cases import reseating
from engine.store.cases.surroundings import SurroundingsReader, cases, read_facts
from engine.store.people.staff import viewer_of
from engine.store.session import Session, Store
from engine.store.simulation import seed
from engine.usecases.cases.reseat import reseat
from tests.playing import CALENDAR, Playing, at, playing
from tests.shipped_roles import ROLES

WHO = (
    "teacher",
    "head",
    "commune_officer",
    "commune_leader",
    "volunteer",
    "association",
    "education_office",
    "outsider_commune_officer",
    "outsider_teacher",
)
POSTS = WHO[:7]
DAY = dt.timedelta(days=1)
member, post = st.sampled_from(WHO), st.sampled_from(POSTS)
CHANGES = st.lists(
    st.one_of(
        st.tuples(st.just("away"), member, st.none() | member, st.integers(0, 2)),
        st.tuples(st.just("back"), member),
        st.tuples(st.just("vacant"), post),
        st.tuples(st.just("appoint"), member, post),
        st.tuples(st.just("disable"), member),
        st.tuples(st.just("enable"), member),
        st.tuples(st.just("day")),
    ),
    min_size=1,
    max_size=7,
)
EXAMPLES = 25


@pytest.fixture
def here(store: Store) -> Playing:
    """Four cases: with the teacher, on offer to the officer, accepted by the officer, accepted by the volunteer."""
    here = playing(store)
    here.open("2026-03-09 07:30")
    for pupil in ("classmate", "saturday_pupil", "boarder"):
        code = here.open("2026-03-09 07:30", pupil=pupil)
        here.step(code, "2026-03-09 08:00", "teacher", "ask_commune")
        if pupil == "classmate":
            continue
        officer = "outsider_commune_officer" if pupil == "boarder" else "commune_officer"
        here.accept(code, "2026-03-09 08:30", officer)
    return here


class _History:
    """Lets people come and go in one transaction, and looks at the cases after each change."""

    def __init__(self, here: Playing, session: Session) -> None:
        self.here, self.session, self.now = here, session, at("2026-03-09 10:00")

    @property
    def today(self) -> dt.date:
        return CALENDAR.local(self.now).date()

    def change(self, do: str, *values: object) -> None:
        session, people, today = self.session, self.here.installed.people, self.today
        names = [str(value) for value in values]
        concerned = set[int]()
        seats = self.here.installed.seats(names[-1]) if do in {"vacant", "appoint"} else ()
        if do == "day":
            self.now += DAY
            found = reseating.of_the_day(session, today, self.today)
        else:
            who = people[names[0]]
            if do == "away":
                delegate = people.get(names[1])
                if delegate == who:
                    return
                seed.send_away(session, who, today, today + int(names[2]) * DAY, delegate)
            elif do == "back":
                concerned |= seed.come_back(session, who, today)
            elif do == "vacant":
                concerned |= seed.vacate(session, seats, today)
            elif do == "appoint":
                seed.appoint(session, who, seats, today)
            else:
                seed.set_disabled(session, who, self.now if do == "disable" else None)
            found = reseating.concern(session, concerned | ({who} if do != "vacant" else set()), seats)
        event(do)  # `pytest --hypothesis-show-statistics` says how many histories had it
        reseat(session, self.here.context, found, self.now)

    def works(self) -> list[Casework]:
        facts = read_facts(self.session, t.OPEN, order=cases.c.id)
        return SurroundingsReader(self.session, self.here.context.definitions, self.now).caseworks(facts)


def test_each_open_case_is_with_somebody_who_is_there(here: Playing) -> None:
    @settings(max_examples=EXAMPLES)
    @given(CHANGES)
    def whoever_comes_and_goes(changes: list[tuple[object, ...]]) -> None:
        with here.context.store.writing("test") as session:
            history = _History(here, session)
            for change in changes:
                history.change(str(change[0]), *change[1:])
                _look_at(history)
            session.rollback()

    whoever_comes_and_goes()


def _look_at(history: _History) -> None:
    assert reseating.count_unseated(history.session, ROLES, history.today) == 0
    works = history.works()
    assert len(works) == 4
    for work in works:
        asked = work.asked()
        assert asked or work.facts.asked_role == ADMIN, work.facts
        for person, role in asked:
            viewer = viewer_of(history.session, person, history.today, ROLES)
            assert role == ADMIN or reach(viewer, work.facts), (person, work.facts)
            assert person in work.directory.person(person).acting
