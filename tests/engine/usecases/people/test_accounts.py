"""Accounts, posts and absences: made, changed and ended by whoever runs the installation."""

import datetime as dt
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, select

from engine.core.calendar import load_calendar
from engine.core.cases.act import Act
from engine.core.cases.definitions import Definitions
from engine.core.people import passwords
from engine.core.people.access import Viewer
from engine.core.refusals import Conflict, Invalid, NotAllowed, NotFound
from engine.core.rules.reader import load_ruleset
from engine.core.workflow.reader import load_workflow
from engine.store import tables as t
from engine.store.cases.verify import breaks
from engine.store.people import account_events, signins
from engine.store.people.staff import viewer_of
from engine.store.session import Store
from engine.store.simulation import seed
from engine.usecases.cases import case_acts
from engine.usecases.context import Context
from engine.usecases.people import absences, accounts, signin_codes
from engine.usecases.people.accounts import leave
from engine.usecases.people.rate_limits import Origin
from engine.usecases.people.signin import WrongPassword, sign_in, who
from tests.shipped_roles import ROLES
from web.cli.user import ZONE, user

ROOT = Path(__file__).parents[4]
NOW = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)  # 8 o'clock on a Monday morning
TODAY = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)


@pytest.fixture
def on_stage(store: Store) -> seed.Seeded:
    with store.writing("test") as session:
        return seed.add_cast(session, NOW)


@pytest.fixture
def context(store: Store) -> Context:
    def text(path: str) -> str:
        return (ROOT / path).read_text(encoding="utf-8")

    workflow = load_workflow(text("workflows/dropout.toml"), "workflow", ROLES)
    rules = load_ruleset(text("rules/dropout.toml"), "rules", workflow)
    calendar = load_calendar(text("rules/calendars/quang-ngai-2025-26.toml"), "calendar")
    key = (workflow.name, workflow.version)
    definitions = Definitions(
        {key: workflow},
        {(workflow.name, rules.version): rules},
        {"": calendar},
        {workflow.name: (workflow.version, rules.version)},
        ROLES,
    )
    return Context(store, definitions)


def units_of(store: Store, person: int, today: dt.date = TODAY) -> dict[str, frozenset[int]]:
    with store.reading("test") as session:
        return dict(viewer_of(session, person, today, ROLES).units)


def new_person(store: Store, login: str = "lan") -> int:
    accounts.add_person(store, login, "Y  Lan", NOW)
    with store.reading("test") as session:
        return session.execute(select(t.Person.id).where(t.Person.login == login)).scalar_one()


# --- accounts --------------------------------------------------------------------------------------------------------


def test_a_new_account_opens_with_its_one_time_password_and_must_change_it(store: Store) -> None:
    password = accounts.add_person(store, " Lan.Y ", "Y  Lan", NOW, phone="0912 345 678")
    signed_in = who(store, sign_in(store, "lan.y", password, Origin("10.0.0.1"), NOW), NOW, TODAY, ROLES)
    assert signed_in is not None
    assert (signed_in.account.name, signed_in.account.must_change) == ("Y Lan", True)
    with store.reading("test") as session:
        kept = session.execute(select(t.Person)).scalar_one()
        assert (kept.phone, kept.email, kept.language, password in (kept.password_hash or "")) == (
            "0912 345 678",
            None,
            "vi",
            False,
        )


def test_a_login_is_given_once(store: Store) -> None:
    new_person(store)
    with pytest.raises(Conflict, match="somebody with the login “lan” already"):
        accounts.add_person(store, "LAN", "Y Lan", NOW)


def test_every_field_that_is_wrong_is_named(store: Store) -> None:
    with pytest.raises(Invalid) as invalid:
        accounts.add_person(store, "y lan!", " ", NOW, phone="0" * 33, email="a" * 201, language="fr")
    assert sorted(invalid.value.fields) == ["email", "language", "login", "name", "phone"]


def test_a_reset_ends_every_sign_in_and_every_wait(store: Store) -> None:
    old = accounts.add_person(store, "lan", "Y Lan", NOW)
    token = sign_in(store, "lan", old, Origin("10.0.0.1"), NOW)
    for _ in range(5):
        with pytest.raises(WrongPassword):
            sign_in(store, "lan", "wrong", Origin("10.0.0.1"), NOW)
    new = accounts.reset_password(store, "lan", NOW)
    assert who(store, token, NOW, TODAY, ROLES) is None
    assert sign_in(store, "lan", new, Origin("10.0.0.1"), NOW)
    with pytest.raises(WrongPassword):
        sign_in(store, "lan", old, Origin("10.0.0.1"), NOW)


def test_a_shut_account_opens_nothing_until_it_is_opened_again(store: Store, context: Context) -> None:
    password = accounts.add_person(store, "lan", "Y Lan", NOW)
    token = sign_in(store, "lan", password, Origin("10.0.0.1"), NOW)
    assert accounts.disable(context, "lan", NOW).total == 0
    assert who(store, token, NOW, TODAY, ROLES) is None
    with pytest.raises(WrongPassword):
        sign_in(store, "lan", password, Origin("10.0.0.1"), NOW)
    accounts.enable(context, "lan", NOW)
    assert sign_in(store, "lan", password, Origin("10.0.0.1"), NOW)


def test_nobody_is_found_under_a_wrong_login(store: Store, context: Context) -> None:
    with pytest.raises(NotFound, match="nobody with the login “nobody”"):
        accounts.reset_password(store, "nobody", NOW)
    with pytest.raises(NotFound, match="nobody with the login “nobody”"):
        accounts.disable(context, "nobody", NOW)


# --- posts -----------------------------------------------------------------------------------------------------------


def test_a_post_is_held_from_its_first_day_to_its_last(store: Store, context: Context, on_stage: seed.Seeded) -> None:
    lan = new_person(store)
    accounts.appoint(context, "lan", "head", "school", TODAY, TODAY + 2 * DAY, now=NOW)
    held = [bool(units_of(store, lan, TODAY + days * DAY)) for days in (-1, 0, 2, 3)]
    assert held == [False, True, True, False]
    assert units_of(store, lan) == {"head": frozenset({on_stage.units["school"]})}


def test_one_person_may_hold_several_posts_but_each_once(store: Store, context: Context, on_stage: seed.Seeded) -> None:
    lan = new_person(store)
    accounts.appoint(context, "lan", "commune_officer", "village", TODAY, now=NOW)
    accounts.appoint(context, "lan", "education_office", "commune", TODAY, now=NOW)
    assert set(units_of(store, lan)) == {"commune_officer", "education_office"}
    with pytest.raises(Conflict, match="holds that post already"):
        accounts.appoint(context, "lan", "commune_officer", "village", TODAY + 9 * DAY, now=NOW)


@pytest.mark.parametrize(
    ("role", "unit", "refused", "said"),
    [
        ("head", "class", Invalid, "“class” is Class; the role Head is held in: School."),
        ("teacher", "nowhere", NotFound, "There is no unit “nowhere” on 02/03/2026."),
        ("boss", "school", Invalid, "There is no role “boss”"),
    ],
)
def test_a_role_is_held_in_its_kind_of_unit(
    store: Store, context: Context, on_stage: seed.Seeded, role: str, unit: str, refused: type[Exception], said: str
) -> None:
    new_person(store)
    with pytest.raises(refused, match=said.replace("(", r"\(")):
        accounts.appoint(context, "lan", role, unit, TODAY, now=NOW)


def test_days_go_forward(store: Store, context: Context, on_stage: seed.Seeded) -> None:
    new_person(store)
    with pytest.raises(Invalid, match="last day is before the first"):
        accounts.appoint(context, "lan", "head", "school", TODAY, TODAY - DAY, now=NOW)


def test_a_post_ends_after_its_last_day(store: Store, context: Context, on_stage: seed.Seeded) -> None:
    lan = new_person(store)
    accounts.appoint(context, "lan", "head", "school", TODAY, now=NOW)
    accounts.end_appointment(context, "lan", "head", "school", TODAY + DAY, now=NOW)
    assert [bool(units_of(store, lan, TODAY + days * DAY)) for days in (1, 2)] == [True, False]
    with pytest.raises(NotFound, match="does not hold that post after"):
        accounts.end_appointment(context, "lan", "head", "school", TODAY + 5 * DAY, now=NOW)


def test_while_somebody_is_away_the_delegate_acts_and_no_longer(
    store: Store, context: Context, on_stage: seed.Seeded
) -> None:
    lan, head = new_person(store), on_stage.people["head"]
    absences.enter(context, head, lan, TODAY, TODAY + DAY, "Đi họp", NOW, by="root")
    held = [units_of(store, lan, TODAY + days * DAY).get("head") for days in (0, 1, 2)]
    assert held == [frozenset({on_stage.units["school"]})] * 2 + [None]
    with pytest.raises(Invalid, match="Nobody stands in for themselves"):
        absences.enter(context, lan, lan, TODAY, TODAY, "", NOW, by="root")
    with pytest.raises(Invalid, match="characters long"):
        absences.enter(context, lan, None, TODAY, TODAY, "x" * 201, NOW, by="root")


# --- handing over ----------------------------------------------------------------------------------------------------


def case_with_the_officer(context: Context, on_stage: seed.Seeded) -> str:
    def viewer(member: str) -> Viewer:
        with context.store.reading("test") as session:
            return viewer_of(session, on_stage.people[member], TODAY, ROLES)

    values = {"absent_since": "2026-02-27", "causes": ["harvest"]}
    code = case_acts.open_case(context, viewer("teacher"), on_stage.pupils["pupil"], values, NOW)
    case_acts.step(context, Act(viewer("teacher"), code, {}, NOW), "ask_commune")
    case_acts.accept(context, Act(viewer("commune_officer"), code, {}, NOW))
    return code


def test_an_officer_who_leaves_hands_over_every_post_and_case_at_once(
    store: Store, context: Context, on_stage: seed.Seeded
) -> None:
    code = case_with_the_officer(context, on_stage)
    lan = new_person(store)
    assert accounts.hand_over(context, "commune_officer", "lan", NOW) == [code]
    with store.reading("test") as session:
        assert session.execute(select(t.Case.assignee_id)).scalar() == lan
        assert session.execute(select(t.Event.kind).order_by(t.Event.seq.desc())).scalars().first() == "assigned"
        assert [
            notice.kind for notice in session.execute(select(t.Notice).where(t.Notice.person_id == lan)).scalars()
        ] == ["account_made", "appointed", "assigned"]
    assert units_of(store, lan) == {"commune_officer": frozenset({on_stage.units["village"]})}
    assert units_of(store, on_stage.people["commune_officer"]) == {}
    assert list(breaks(store)) == []


def test_what_is_on_offer_to_the_post_waits_for_the_new_officer(
    store: Store, context: Context, on_stage: seed.Seeded
) -> None:
    lan = new_person(store)
    with store.reading("test") as session:
        teacher = viewer_of(session, on_stage.people["teacher"], TODAY, ROLES)
    code = case_acts.open_case(
        context, teacher, on_stage.pupils["pupil"], {"absent_since": "2026-02-27", "causes": ["far"]}, NOW
    )
    case_acts.step(context, Act(teacher, code, {}, NOW), "ask_commune")
    assert accounts.hand_over(context, "commune_officer", "lan", NOW) == []
    with store.reading("test") as session:
        cases_of_lan = viewer_of(session, lan, TODAY, ROLES)
    case_acts.accept(context, Act(cases_of_lan, code, {}, NOW))


def test_a_case_that_cannot_be_the_others_keeps_everything_as_it_was(
    store: Store, context: Context, on_stage: seed.Seeded
) -> None:
    code = case_with_the_officer(context, on_stage)
    new_person(store)
    with store.writing("test") as session:  # the officer's post had ended already, the case was left behind
        session.execute(delete(t.Appointment).where(t.Appointment.role == "commune_officer"))
    with pytest.raises(NotAllowed, match=f"No post of that person answers for the case {code}"):
        accounts.hand_over(context, "commune_officer", "lan", NOW)
    with pytest.raises(Invalid, match="Nobody stands in"):
        accounts.hand_over(context, "lan", "lan", NOW)


# --- the commands ----------------------------------------------------------------------------------------------------


def test_the_commands_do_and_tell(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.store.session import open_store

    monkeypatch.setenv("RALOP_INSTANCE", str(tmp_path / "instance"))
    store = open_store(sqlite_url)
    with store.writing("test") as session:
        seed.add_cast(session, NOW)

    def run(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(user, [*words, "--database", sqlite_url])
        return result.exit_code, result.output

    code, said = run("add", "lan", "Y Lan")
    assert code == 0
    with store.reading("test") as session:
        account = signins.account(session, "lan")
    assert account is not None
    assert account.password_hash is not None
    assert passwords.verify(account.password_hash, said.split("lan: ")[1].splitlines()[0])
    assert run("add", "lan", "Y Lan") == (1, "There is somebody with the login “lan” already.\n")
    assert run("add", "l", "")[1].splitlines()[0].startswith("login: A login has")
    assert "One-time password of lan" in run("reset", "lan")[1]
    assert (
        run("appoint", "lan", "head", "school", "--from", "1/3/2026")[1] == "lan is Head, school, from 01/03/2026 on.\n"
    )
    last = dt.datetime.now(ZONE).date() + 30 * DAY
    assert run("delegate", "head", "--by", "lan", "--to", last.isoformat())[0] == 0
    listed = dict(line.split("\t", 1) for line in run("list")[1].splitlines())
    assert listed["lan"] == "Y Lan\tHead: school (school)"
    assert f"away until {last:%d/%m/%Y}" in listed["head"]
    assert run("appoint", "lan", "head", "school", "--from", "32/1/2026")[0] == 2
    assert run("dismiss", "lan", "head", "school", "--to", "2026-03-05")[0] == 0
    assert (
        run("hand-over", "commune_officer", "lan")[1] == "lan has the posts of commune_officer now, and 0 open cases.\n"
    )
    assert run("disable", "lan")[1] == "lan can no longer sign in.\n"
    assert "account shut" in run("list")[1]
    assert run("enable", "lan")[0] == 0
    store.close()


# --- what was done is kept --------------------------------------------------------------------------------------------


def acts(store: Store, person: int) -> list[tuple[str, str | None, str | None, dt.date | None, dt.date | None]]:
    """The oldest first."""
    with store.reading("test") as session:
        return [
            (it.kind, it.by, it.role, it.first_day, it.last_day)
            for it in reversed(account_events.acts_on(session, person, limit=99))
        ]


def test_who_did_what_to_an_account_is_kept(store: Store, context: Context, on_stage: seed.Seeded) -> None:
    admin, by = on_stage.people["admin"], "Quản trị Thử"
    accounts.add_person(store, "lan", "Y Lan", NOW, by=admin)
    with store.reading("test") as session:
        lan = session.execute(select(t.Person.id).where(t.Person.login == "lan")).scalar_one()
    accounts.reset_password(store, "lan", NOW, admin)
    signin_codes.make(store, "lan", admin, DAY, NOW)
    signin_codes.make(store, "lan", None, DAY, NOW)
    for _ in range(2):  # what is so already is no act
        accounts.disable(context, "lan", NOW, admin)
    for _ in range(2):
        accounts.enable(context, "lan", NOW)
    assert [act[:2] for act in acts(store, lan)] == [
        ("account_made", by),
        ("password_reset", by),
        ("code_made", by),
        ("code_made", None),
        ("account_shut", by),
        ("account_opened", None),
    ]
    assert acts(store, admin) == []


def test_who_gave_and_ended_which_post_is_kept_with_its_days(
    store: Store, context: Context, on_stage: seed.Seeded
) -> None:
    lan, admin, by = new_person(store), on_stage.people["admin"], "Quản trị Thử"
    accounts.appoint(context, "lan", "head", "school", TODAY, now=NOW, by=admin)
    accounts.end_appointment(context, "lan", "head", "school", TODAY + 5 * DAY, now=NOW)
    with store.reading("test") as session:
        post = session.execute(select(t.Appointment.id).where(t.Appointment.person_id == lan)).scalar_one()
    for _ in range(2):
        accounts.end_post(context, lan, post, TODAY + DAY, now=NOW, by=admin)
    with pytest.raises(NotFound):
        accounts.end_post(context, on_stage.people["head"], post, TODAY, now=NOW, by=admin)
    assert acts(store, lan)[1:] == [
        ("appointed", by, "head", TODAY, None),
        ("post_ended", None, "head", TODAY, TODAY + 5 * DAY),
        ("post_ended", by, "head", TODAY, TODAY + DAY),
    ]


def test_posts_that_go_to_a_successor_and_those_that_end_with_a_leaver_are_kept(
    store: Store, on_stage: seed.Seeded, context: Context
) -> None:
    lan, leaver, admin = new_person(store), on_stage.people["commune_officer"], on_stage.people["admin"]
    accounts.hand_over(context, "commune_officer", "lan", NOW, admin)
    assert [act[:3] for act in acts(store, leaver)] == [("post_ended", "Quản trị Thử", "commune_officer")]
    assert [act[:3] for act in acts(store, lan)[1:]] == [("appointed", "Quản trị Thử", "commune_officer")]
    leave(context, lan, NOW, admin)
    assert acts(store, lan)[-1] == ("post_ended", "Quản trị Thử", "commune_officer", TODAY, TODAY - DAY)


def test_who_entered_and_ended_an_absence_is_kept_with_who_is_away_and_with_who_stands_in(
    context: Context, on_stage: seed.Seeded
) -> None:
    store = context.store
    teacher, head, admin = (on_stage.people[name] for name in ("teacher", "head", "admin"))
    days, alone = (TODAY, TODAY + 4 * DAY), (TODAY + 9 * DAY, TODAY + 9 * DAY)
    for _ in range(2):  # the same again is no act
        absences.enter(context, teacher, head, *days, "", NOW, by=admin)
    absences.go_away(context, Viewer(teacher), None, *alone, "", NOW)
    with store.reading("test") as session:
        first, second = session.scalars(select(t.Delegation.id).order_by(t.Delegation.id))
    absences.end(context, teacher, first, NOW, by=admin)
    absences.end(context, teacher, second, NOW, by=teacher)
    with pytest.raises(NotFound):
        absences.end(context, teacher, second, NOW, by=admin)
    with store.reading("test") as session:
        kept = {
            name: [
                (it.kind, it.by, it.other, it.first_day, it.last_day) for it in account_events.acts_on(session, person)
            ]
            for name, person in (("teacher", teacher), ("head", head))
        }
        names = dict(session.execute(select(t.Person.id, t.Person.name)).all())
    assert kept == {
        "teacher": [
            ("absence_ended", names[teacher], None, *alone),
            ("absence_ended", names[admin], names[head], *days),
            ("absence_entered", names[teacher], None, *alone),
            ("absence_entered", names[admin], names[head], *days),
        ],
        "head": [
            ("stood_in", names[admin], names[teacher], *days),
            ("stands_in", names[admin], names[teacher], *days),
        ],
    }


@pytest.mark.parametrize("statement", ["UPDATE staff_acts SET at = at", "DELETE FROM staff_acts"])
def test_nobody_changes_what_was_done(store: Store, statement: str) -> None:
    new_person(store)
    with pytest.raises(Exception, match="append-only"), store.writing("a mistake") as session:
        session.connection().exec_driver_sql(statement)


def test_a_refused_act_leaves_no_trace(store: Store, context: Context, on_stage: seed.Seeded) -> None:
    lan = new_person(store)
    with pytest.raises(Invalid):
        accounts.appoint(context, "lan", "head", "class", TODAY, now=NOW)
    assert len(acts(store, lan)) == 1
