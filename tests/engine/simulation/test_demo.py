"""The demo: invented people, a real register, and cases in every state, the same each time it is built."""

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from engine.core.people.access import Viewer
from engine.core.refusals import Conflict
from engine.core.scenario.cast import POSTS
from engine.simulation.demo import NOW, PASSWORD, DemoReport, build_demo
from engine.simulation.demo_names import Namer, read_namer, rows
from engine.simulation.demo_script import WorkingDaysBack, read_accounts, read_demo_cases, read_schools
from engine.store import tables as t
from engine.store.cases.verify import breaks
from engine.store.ops.settings import DEMO, get_setting
from engine.store.people.staff import viewer_of
from engine.store.session import Session, Store, open_store
from engine.usecases.context import Context
from engine.usecases.people.rate_limits import Origin
from engine.usecases.people.signin import sign_in
from tests import databases
from tests.shipped_roles import ROLES
from web.cli.demo import demo as command
from web.cli.demo import demo_files
from web.site.composition import build_context
from web.site.settings import Settings

TODAY = dt.date(2026, 11, 25)
HOLIDAY = dt.date(2026, 11, 24)  # Ngày Văn hóa Việt Nam


def context_on(store: Store, instance: Path) -> Context:
    settings = Settings(database_url=str(store.url), instance=instance, secret_key="s" * 32)
    return build_context(settings, NOW, store)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Context, DemoReport]]:
    folder = tmp_path_factory.mktemp("demo")
    databases.migrate(f"sqlite:///{folder / 'demo.db'}")
    store = open_store(f"sqlite:///{folder / 'demo.db'}")
    context = context_on(store, folder)
    yield context, build_demo(context, demo_files())
    store.close()


@pytest.fixture
def session(built: tuple[Context, DemoReport]) -> Iterator[Session]:
    with built[0].store.reading("test") as session:
        yield session


def viewer(session: Session, login: str) -> Viewer:
    person = session.execute(select(t.Person.id).where(t.Person.login == login)).scalar_one()
    return viewer_of(session, person, TODAY, ROLES)


def days() -> WorkingDaysBack:
    return WorkingDaysBack(TODAY, lambda day: day.weekday() < 5 and day != HOLIDAY)


# --- what there is ---------------------------------------------------------------------------------------------------


def test_there_is_a_case_in_every_state(built: tuple[Context, DemoReport]) -> None:
    context, report = built
    assert set(report.states) == set(context.definitions.workflow("dropout").states)
    assert report.cases >= 50


def test_some_are_overdue_some_were_raised_some_were_passed_upward(
    built: tuple[Context, DemoReport], session: Session
) -> None:
    _, report = built
    assert report.overdue >= 5
    assert report.raised >= 3
    fired = set(session.execute(select(t.Firing.rule)).scalars())
    assert fired >= {
        "contact-overdue",
        "contact-failed",
        "visit-not-accepted",
        "visit-overdue",
        "support-overdue",
        "return-held",
    }
    roles = {(offer.role, bool(offer.passed_over)) for offer in session.execute(select(t.Offer)).scalars()}
    assert ("commune_leader", True) in roles  # the officer's post is vacant
    assert ("association", True) in roles  # nobody volunteers in one commune
    kinds = set(session.execute(select(t.Event.kind)).scalars())
    assert kinds >= {"declined", "relapse", "reopen", "held", "checked_in", "support_given", "recounted"}


def test_all_histories_are_whole(built: tuple[Context, DemoReport]) -> None:
    assert list(breaks(built[0].store)) == []


def test_every_role_has_an_account_whose_password_is_told(built: tuple[Context, DemoReport], session: Session) -> None:
    context, report = built
    named = {account.login: account.role for account in report.accounts}
    assert {
        named[login]
        for login in ("gvcn", "hieutruong", "canbo", "chutich", "tinhnguyen", "hoikhuyenhoc", "giaoduc", "quantri")
    } == set(POSTS)
    assert all(viewer(session, account.login).units for account in report.accounts)
    assert sign_in(context.store, "gvcn", PASSWORD, Origin("127.0.0.1"), NOW)


@pytest.mark.parametrize("login", ["gvcn", "hieutruong", "canbo", "chutich", "giaoduc", "gvcn2", "canbo2", "so"])
def test_those_who_show_the_demo_have_cases_to_show(built: tuple[Context, DemoReport], login: str) -> None:
    with built[0].store.reading("test") as session:
        seen = viewer(session, login)
    with built[0].store.scoped(seen) as scoped:
        assert scoped.execute(select(func.count()).select_from(t.Case).where(t.OPEN)).scalar_one() >= 2


@pytest.mark.parametrize("login", ["tinhnguyen", "hoikhuyenhoc", "tinhnguyen2", "hoikhuyenhoc3"])
def test_volunteers_have_referrals(built: tuple[Context, DemoReport], login: str) -> None:
    with built[0].store.reading("test") as session:
        seen = viewer(session, login)
    with built[0].store.scoped(seen) as scoped:
        assert scoped.execute(select(func.count()).select_from(t.Referral)).scalar_one() >= 1
        assert scoped.execute(select(func.count()).select_from(t.Case)).scalar_one() == 0


def test_while_an_officer_is_away_the_delegate_reaches_the_villages(session: Session) -> None:
    assert viewer(session, "canbo3").of("commune_officer") <= viewer(session, "canbo2").of("commune_officer")


def test_the_pages_can_tell_that_it_is_a_demo(session: Session) -> None:
    assert get_setting(session, DEMO) == {"on": True}


# --- pupils and registers --------------------------------------------------------------------------------------------


def test_no_pupil_can_be_taken_for_a_real_one(session: Session) -> None:
    pupils = session.execute(select(t.Pupil)).scalars().all()
    assert len(pupils) == 866
    assert len({pupil.name for pupil in pupils}) == len(pupils)
    assert all(pupil.code.startswith("DEMO") and (pupil.guardian_phone or "").startswith("0000") for pupil in pupils)
    assert not any("Ð" in pupil.name for pupil in pupils)
    local = [pupil for pupil in pupils if pupil.name.split()[0] in {"A", "Y"}]
    assert 0.6 < len(local) / len(pupils) < 0.8
    assert {(pupil.sex, pupil.name[0]) for pupil in local} == {("m", "A"), ("f", "Y")}


def test_most_live_near_their_school_and_some_in_another_commune(session: Session) -> None:
    school = select(t.UnitLink.ancestor_id, t.UnitLink.descendant_id).where(t.UnitLink.depth == 1).subquery()
    commune_of = dict(session.execute(select(school.c.descendant_id, school.c.ancestor_id)).all())
    pupils = session.execute(select(t.Pupil)).scalars().all()
    away = sum(commune_of[pupil.school_id] != pupil.commune_id for pupil in pupils)
    assert 0.01 < away / len(pupils) < 0.08


def test_the_visits_lie_on_five_school_days_and_blanks_stay_blank() -> None:
    (cut,) = [school for school in read_schools(demo_files(), TODAY, days()) if school.code == "NH-CS1"]
    taken = sorted({day for learner in cut.learners for day in learner.marks})
    # realdate 162, 242, 407, 553, 610: modulo 5 a Wednesday, Wednesday, Wednesday, Thursday, Monday
    assert taken == [
        dt.date(2026, 10, 21),
        dt.date(2026, 10, 28),
        dt.date(2026, 11, 4),
        dt.date(2026, 11, 12),
        dt.date(2026, 11, 16),
    ]
    marks = [mark for learner in cut.learners for mark in learner.marks.values()]
    assert (len(cut.learners), marks.count("p"), marks.count("u"), len(cut.learners) * 5 - len(marks)) == (
        111,
        326,
        172,
        57,
    )


def test_a_visit_that_would_fall_on_a_holiday_is_laid_on_the_next_school_day() -> None:
    later = TODAY + dt.timedelta(weeks=1)
    counted = WorkingDaysBack(later, lambda day: day.weekday() < 5 and day != HOLIDAY)
    taken = {
        day for school in read_schools(demo_files(), later, counted) for one in school.learners for day in one.marks
    }
    assert HOLIDAY not in taken
    assert TODAY in taken


def test_a_pupil_with_a_case_is_marked_absent_from_the_first_missed_day_to_the_return(session: Session) -> None:
    returned = session.execute(select(t.Case).where(t.Case.state == "returned")).scalars().all()
    for case in returned:
        first = session.get_one(t.Mark, (case.pupil_id, case.absent_since, "m"))
        assert first.mark == "u"
    absent = session.execute(select(t.Case).where(t.Case.state == "absent")).scalars().first()
    assert absent is not None
    marks = session.execute(
        select(t.Mark.mark).where(t.Mark.pupil_id == absent.pupil_id, t.Mark.day >= absent.absent_since)
    )
    assert set(marks.scalars()) == {"u"}


# --- again, and elsewhere --------------------------------------------------------------------------------------------


def picture(session: Session) -> list[tuple[Any, ...]]:
    query = (
        select(t.Case.code, t.Pupil.name, t.Case.state, t.Case.level, t.Case.due_at, t.Case.version, t.Person.login)
        .join(t.Pupil, t.Pupil.id == t.Case.pupil_id)
        .outerjoin(t.Person, t.Person.id == t.Case.assignee_id)
        .order_by(t.Case.code)
    )
    return [tuple(row) for row in session.execute(query)]


def test_it_is_the_same_demo_on_postgresql(
    built: tuple[Context, DemoReport], postgresql_url: str, tmp_path: Path
) -> None:
    store = open_store(postgresql_url)
    again = build_demo(context_on(store, tmp_path), demo_files())
    assert again == built[1]
    with store.reading("test") as there, built[0].store.reading("test") as here:
        assert picture(there) == picture(here)
    store.close()


def test_it_is_built_in_an_empty_database_only(built: tuple[Context, DemoReport]) -> None:
    with pytest.raises(Conflict, match="a demo wants an empty one"):
        build_demo(built[0], demo_files())


def test_the_command_builds_it_once_and_tells_the_accounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RALOP_INSTANCE", str(tmp_path))
    first = CliRunner().invoke(command, ["--no-serve"])
    assert first.exit_code == 0
    assert "Pupils: 866." in first.output
    assert "gvcn           Nguyễn Thị Hạnh        Homeroom teacher, Lớp 6A" in first.output
    assert "gv.nh" not in first.output  # those who only fill posts are not listed
    assert PASSWORD in first.output
    second = CliRunner().invoke(command, ["--no-serve"])
    assert "The demo is there already" in second.output
    assert "hieutruong2" in second.output


# --- the pieces ------------------------------------------------------------------------------------------------------


def test_days_are_counted_back_and_forth_over_weekends_and_holidays() -> None:
    counted = days()
    assert [counted.back(number) for number in (0, 1, 2, 4, -1, -3)] == [
        TODAY,
        dt.date(2026, 11, 23),
        dt.date(2026, 11, 20),
        dt.date(2026, 11, 18),
        dt.date(2026, 11, 26),
        dt.date(2026, 11, 30),
    ]
    assert counted.read("@1") == dt.date(2026, 11, 23)
    assert counted.between(dt.date(2026, 11, 20), TODAY) == [dt.date(2026, 11, 20), dt.date(2026, 11, 23)]


def test_a_demo_case_is_played_once_for_each_class_it_names() -> None:
    text = """story,class,back,time,who,act,values
s,C1 C2@V1,3,08:00,teacher,open,absent_since=@4;causes=far+weak
s,,1,07:40,teacher,return_to_class,returned_on=@1
s,,1,09:00,teacher,relapse,absent_since=@1"""
    one, other = read_demo_cases(text, days())
    assert [(demo_case.class_code, demo_case.village) for demo_case in (one, other)] == [("C1", None), ("C2", "V1")]
    assert one.acts[0].values == {"absent_since": "2026-11-18", "causes": ["far", "weak"]}
    assert one.absent == ((dt.date(2026, 11, 18), dt.date(2026, 11, 23)), (dt.date(2026, 11, 23), None))


def test_accounts_say_who_is_away_and_which_posts_stay_vacant() -> None:
    text = """login,name,role,units,away_from,away_to,by
canbo3,Y Liên,commune_officer,V1 V2,@1,@-1,canbo2
,,volunteer,H,,,"""
    away, vacant = read_accounts(text, days())
    assert (away.units, away.away, away.by) == (("V1", "V2"), (dt.date(2026, 11, 23), dt.date(2026, 11, 26)), "canbo2")
    assert (vacant.login, vacant.role, vacant.away) == ("", "volunteer", None)


def namer() -> Namer:
    files = demo_files()
    return read_namer(random.Random(1), files.surnames, files.given, files.local, files.refused)


def test_names_are_made_up_the_same_each_time_and_none_twice() -> None:
    one, other = namer(), namer()
    made = [one.person("f", highland=bool(number % 2)).name for number in range(400)]
    assert made == [other.person("f", highland=bool(number % 2)).name for number in range(400)]
    assert len(set(made)) == len(made)


def test_nobody_is_called_after_a_lake_a_king_or_somebody_everybody_knows() -> None:
    refused = {row["name"] for row in rows(demo_files().refused)}
    made = [person.name for person in _lowland(namer(), 3000)]
    assert [name for name in made if name in refused or name.partition(" ")[2] in refused] == []
    assert len(set(made[:400])) == 400


def test_a_refused_name_gives_way_to_its_neighbour_and_everybody_else_is_called_as_before() -> None:
    files = demo_files()
    texts = files.surnames, files.given, files.local
    one, other = read_namer(random.Random(7), *texts), read_namer(random.Random(7), *texts, files.refused)
    pairs = [(one.person("m", highland=False).name, other.person("m", highland=False).name) for _ in range(500)]
    changed = [(before, after) for before, after in pairs if before != after]
    assert 0 < len(changed) < 50
    lake = Namer(random.Random(1), {"Hồ": 1}, {"m": ["Hoàn Kiếm", "Hoàng Giang"]}, {}, frozenset({"Hoàn Kiếm"}))
    assert lake.person("m", highland=False).name == "Hồ Hoàng Giang"
    whole = Namer(random.Random(1), {"Hồ": 1}, {"m": ["Chí Minh", "Chí Kiên"]}, {}, frozenset({"Hồ Chí Minh"}))
    assert whole.person("m", highland=False).name == "Hồ Chí Kiên"


def test_surnames_are_as_frequent_as_real_ones() -> None:
    made = [namer_.split()[0] for namer_ in (person.name for person in _lowland(namer(), 1000))]
    assert 0.2 < made.count("Nguyễn") / len(made) < 0.45


def _lowland(made: Namer, count: int) -> Iterator[Any]:
    for _ in range(count):
        yield made.person("m", highland=False)


def test_remarks_in_the_files_are_passed_over() -> None:
    assert list(rows("# a remark\n\nname\nA Bút\n# another\n")) == [{"name": "A Bút"}]
