"""An invented country of any size, as rows for every table: units, people in posts, pupils, open cases.

A commune has ten villages, three schools with ten classes each and an association; a class has ten open cases. At a
million cases that is 3,334 communes, about as many as Việt Nam has. Names are invented and repeat. Each case has one
event, `opened`, with a right hash. `WAVES` say how many cases are overdue, and when the sweep is to see them.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from engine.core.cases import chain, escalation
from engine.core.cases.definitions import Definitions, Surroundings
from engine.core.cases.facts import Facts
from engine.store.cases.writer import CASE_COLUMNS

Row = tuple[object, ...]

VILLAGES, SCHOOLS, CLASSES, PER_CLASS = 10, 3, 10, 10
COMMUNES = 98  # in a province: 3,321 in 34

LONG_AGO, FOR_GOOD, NEVER = "2020-01-01", "9999-12-31", "9999-12-31 00:00:00.000000"
# A Friday morning. What was contacted on Monday has failed by Thursday's closing; what began today is due later.
NOW = dt.datetime(2026, 3, 6, 2, tzinfo=dt.UTC)
TODAY = dt.datetime(2026, 3, 6, 0, 30, tzinfo=dt.UTC)
CONTACTED = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
STATES = ("absent", "teacher_contact", "commune_visit", "support_referral", "returned")
NAMES = (("A Tiến", "a tien", "tien a"), ("Y Hương", "y huong", "huong y"), ("A Phúc", "a phuc", "phuc a"))

COLUMNS = {
    "units": "id kind code name search_key parent_id valid_from valid_to grade",
    "unit_links": "ancestor_id descendant_id depth",
    "people": "id login name must_change created_at",
    "appointments": "person_id role unit_id valid_from valid_to",
    "pupils": "id code name search_key sort_key class_id school_id village_id commune_id province_id",
    "cases": " ".join(CASE_COLUMNS),
    "case_causes": "case_id cause",
    "events": "case_id seq kind at person_id role data text_hash previous_hash hash",
    "offers": "case_id seq role unit_id made_at passed_over",
}


def moment(at: dt.datetime) -> str:
    """A moment as both databases take it from text."""
    return at.astimezone(dt.UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


@dataclass(frozen=True, slots=True)
class Waves:
    """`number` times `due` cases are overdue; the sweep is to see the n-th time from `at(n)` on, and not before."""

    due: int
    number: int

    def at(self, wave: int) -> dt.datetime:
        """The moment of a wave, the first being 0: ten seconds after the one before."""
        return NOW + dt.timedelta(seconds=10 * wave)

    def of(self, case: int, cases: int) -> int | None:
        """The wave of a case, counted from 0; None for one that is not overdue. They are spread over the country."""
        step = max(1, cases // max(1, self.due * self.number))
        turn, rest = divmod(case, step)
        return turn % self.number if rest == 0 and turn < self.due * self.number else None


@dataclass(frozen=True, slots=True)
class Home:
    """The units a case belongs to, and who has the posts there."""

    class_id: int
    school_id: int
    village_id: int
    commune_id: int
    province_id: int
    association_id: int
    teacher: int
    officer: int
    volunteer: int


class Country:
    """The rows of a country with so many open cases."""

    def __init__(self, cases: int, waves: Waves, definitions: Definitions, per_class: int = PER_CLASS) -> None:
        self.cases, self.waves, self.definitions = cases, waves, definitions
        self.per_class, self.per_commune = per_class, SCHOOLS * CLASSES * per_class
        self.rows: dict[str, list[Row]] = {name: [] for name in ("units", "unit_links", "people", "appointments")}
        self.homes: list[tuple[list[tuple[int, int, int]], list[tuple[int, int]], tuple[int, ...]]] = []
        self._ids, self._people = count(1), count(1)
        self._settle_land()

    def forget(self) -> None:
        """Let go of the rows, so that no garbage collection of a measured run goes through them."""
        self.rows.clear()
        self.homes.clear()

    # --- units and people -----------------------------------------------------------------------------------------

    def _settle_land(self) -> None:
        above: tuple[int, ...] = ()
        for number in range(-(-self.cases // self.per_commune)):
            if number % COMMUNES == 0:
                province = self._unit("province", ())
                self._post("admin", province)
                self._post("education_office", province)
                above = (province,)
            self._commune(above)

    def _commune(self, above: tuple[int, ...]) -> None:
        commune = self._unit("commune", above)
        surroundings = (commune, *above)
        self._post("commune_leader", commune)
        villages = [self._unit("village", surroundings) for _ in range(VILLAGES)]
        officers = [(village, self._post("commune_officer", village)) for village in villages]
        association = self._unit("association", surroundings)
        self._post("association", association)
        volunteer = self._post("volunteer", association)
        classes = []
        for _ in range(SCHOOLS):
            school = self._unit("school", surroundings)
            self._post("head", school)
            for grade in range(CLASSES):
                unit = self._unit("class", (school, *surroundings), grade=1 + grade // 2)
                classes.append((unit, school, self._post("teacher", unit)))
        self.homes.append((classes, officers, (commune, above[0], association, volunteer)))

    def _unit(self, kind: str, above: tuple[int, ...], grade: int | None = None) -> int:
        unit = next(self._ids)
        parent, name = above[0] if above else None, f"{kind} {unit}"
        self.rows["units"].append((unit, kind, f"{kind[0]}{unit}", name, name, parent, LONG_AGO, FOR_GOOD, grade))
        self.rows["unit_links"] += [(one, unit, depth) for depth, one in enumerate((unit, *above))]
        return unit

    def _post(self, role: str, unit: int) -> int:
        person = next(self._people)
        self.rows["people"].append((person, f"{role}-{unit}", f"{role} {unit}", 0, moment(CONTACTED)))
        self.rows["appointments"].append((person, role, unit, LONG_AGO, FOR_GOOD))
        return person

    # --- pupils and cases -----------------------------------------------------------------------------------------

    def home(self, case: int) -> Home:
        """Where the pupil of a case, counted from 0, learns and lives."""
        number, rest = divmod(case, self.per_commune)
        classes, villages, (commune, province, association, volunteer) = self.homes[number]
        unit, school, teacher = classes[rest // self.per_class]
        village, officer = villages[rest % VILLAGES]
        return Home(unit, school, village, commune, province, association, teacher, officer, volunteer)

    def pupils(self) -> Iterator[Row]:
        """The pupils: one for each case."""
        for case in range(self.cases):
            home, name = self.home(case), NAMES[case % len(NAMES)]
            places = home.class_id, home.school_id, home.village_id, home.commune_id, home.province_id
            yield (case + 1, f"p{case + 1}", *name, *places)

    @property
    def versions(self) -> tuple[int, int]:
        """The versions of the workflow and the rules with which new cases begin."""
        return self.definitions.current["dropout"]

    def case_rows(self) -> Iterator[tuple[Row, Row, Row, Row | None]]:
        """Of each case: its own row, its event's, its cause's, and its offer's if it has one."""
        stages = [self._stage(state) for state in STATES]
        failed = [self._overdue(self.waves.at(wave)) for wave in range(self.waves.number)]
        data = chain.canonical({"from": "absent", "to": "absent"})
        for case in range(self.cases):
            wave = self.waves.of(case, self.cases)
            stage = failed[wave] if wave is not None else stages[case % len(stages)]
            yield self._case(case, stage, data)

    def _case(self, case: int, stage: Stage, data: str) -> tuple[Row, Row, Row, Row | None]:
        id, home, role = case + 1, self.home(case), stage.role
        hashed = chain.hash_written(chain.START, id, 1, "opened", stage.began, home.teacher, "teacher", data, None)
        seat = {"commune_officer": home.village_id, "volunteer": home.association_id}.get(role or "")
        holder = home.teacher if role is None else home.volunteer if stage.accepted else None
        row = (
            id,
            f"RL-2026-{id:06}",
            id,
            "dropout",
            *self.versions,
            stage.state,
            1,
            1,
            stage.since,
            0,
            "2026-02-27",
            stage.since,
            NEVER,
            holder,
            role,
            seat,
            stage.since if role else None,
            stage.accepted,
            stage.due,
            stage.look,
            "[]",
            0,
            1 + case % 5,
            home.class_id,
            home.school_id,
            home.village_id,
            home.commune_id,
            home.province_id,
            home.association_id if role == "volunteer" else None,
            1,
            hashed,
        )
        event = (id, 1, "opened", stage.since, home.teacher, "teacher", data, None, chain.START, hashed)
        return row, event, (id, "harvest"), (id, 1, role, seat, stage.since, "[]") if role else None

    def _stage(self, state: str) -> Stage:
        role = {"commune_visit": "commune_officer", "support_referral": "volunteer"}.get(state)
        accepted = TODAY if state == "support_referral" else None
        facts = _facts(self.versions, state, TODAY, role, accepted)
        situation = self.definitions.situation(facts, Surroundings())
        due, look = escalation.deadline(facts, situation), escalation.next_look(facts, situation, NOW)
        assert due and look and look > NOW  # noqa: PT018 - one thing: the case is not due
        return Stage(state, TODAY, role, moment(accepted) if accepted else None, moment(due), moment(look))

    def _overdue(self, seen: dt.datetime) -> Stage:
        facts = _facts(self.versions, "teacher_contact", CONTACTED, None, None)
        due = escalation.deadline(facts, self.definitions.situation(facts, Surroundings()))
        assert due and due < NOW  # noqa: PT018 - one thing: the case is overdue
        return Stage("teacher_contact", CONTACTED, None, None, moment(due), moment(seen))


@dataclass(slots=True)
class Stage:
    """What all cases of one state have in common; `role` is the one it is offered to. Moments mostly as text."""

    state: str
    began: dt.datetime
    role: str | None
    accepted: str | None
    due: str
    look: str
    since: str = ""

    def __post_init__(self) -> None:
        self.since = moment(self.began)


def _facts(
    versions: tuple[int, int], state: str, since: dt.datetime, role: str | None, accepted: dt.datetime | None
) -> Facts:
    offered = since if role else None
    return Facts(
        0,
        "",
        0,
        "dropout",
        *versions,
        state,
        1,
        1,
        since,
        0,
        since.date(),
        since,
        None,
        None,
        role,
        None,
        offered,
        accepted,
        None,
        None,
        [],
        0,
        None,
        0,
        0,
        None,
        None,
        None,
        None,
        1,
        "",
    )


def names(table: str) -> Sequence[str]:
    """The columns that the rows of a table give."""
    return COLUMNS[table].split()
