"""`ralop user …` goes through the same door as the pages: the same refusals, the same lines, the same notices."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import select

from engine.store import tables as t
from engine.store.people.staff import viewer_of
from engine.store.session import Store
from engine.store.simulation import seed
from engine.usecases.ops.clock import set_clock
from tests.playing import Playing, at, playing
from tests.shipped_roles import ROLES
from web.cli.console import operator
from web.cli.main import main

NOW = at("2026-03-02 08:00")
TODAY = dt.date(2026, 3, 2)


@pytest.fixture
def here(store: Store, monkeypatch: pytest.MonkeyPatch) -> Playing:
    monkeypatch.setenv("SUDO_USER", "hanh")
    found = playing(store, "2026-03-02 08:00")
    set_clock(store, NOW)
    return found


def run(store: Store, tmp_path: Path, *words: str) -> Result:
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url, "LANG": "en_US.UTF-8"}
    return CliRunner().invoke(main, ["user", *words], env=environment)


# Each command that changes powers, what is written down of it with whom, and who is told beside them.
COMMANDS = {
    ("add", "lan", "Y Lan"): {("account_made", "lan")},
    ("reset", "teacher"): {("password_reset", "teacher")},
    ("code", "teacher"): {("code_made", "teacher")},
    ("disable", "teacher"): {("account_shut", "teacher")},
    ("appoint", "teacher", "volunteer", "association"): {("appointed", "teacher")},
    ("dismiss", "teacher", "teacher", "class"): {("post_ended", "teacher")},
    ("delegate", "teacher", "--by", "head", "--to", "6/3/2026"): {
        ("absence_entered", "teacher"),
        ("stands_in", "head"),
    },
    ("hand-over", "head", "teacher"): {("post_ended", "head"), ("appointed", "teacher")},
}


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: words[0])
def test_what_is_done_by_command_is_written_down_with_who_sat_there_and_told(
    here: Playing, tmp_path: Path, words: tuple[str, ...]
) -> None:
    store = here.context.store
    result = run(store, tmp_path, *words)
    assert result.exit_code == 0, result.output
    with store.reading("test") as session:
        logins = dict(session.execute(select(t.Person.id, t.Person.login)).all())
        acts = session.scalars(select(t.StaffAct)).all()
        notices = session.scalars(select(t.Notice).where(t.Notice.act_id.is_not(None))).all()
        assert {(act.kind, logins[act.person_id]) for act in acts} == COMMANDS[words]
        assert {(act.by_id, act.operator) for act in acts} == {(None, operator())}
        assert "(hanh)" in operator()
        told = {(notice.act_id, notice.person_id) for notice in notices}
        assert {(act.id, act.person_id) for act in acts} <= told
        over = {logins[notice.person_id] for notice in notices if notice.role}
    assert over == {"admin" if words[0] == "add" else "education_office"}


def test_an_account_that_is_opened_again_is_written_down_too(here: Playing, tmp_path: Path) -> None:
    store = here.context.store
    run(store, tmp_path, "disable", "teacher")
    assert run(store, tmp_path, "enable", "teacher").exit_code == 0
    with store.reading("test") as session:
        assert list(session.scalars(select(t.StaffAct.kind).order_by(t.StaffAct.id)))[-1] == "account_opened"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("delegate", "teacher", "--by", "teacher", "--to", "6/3/2026"), "Nobody stands in for themselves"),
        (("delegate", "teacher", "--by", "head", "--from", "1/3/2026", "--to", "6/3/2026"), "begins today, 02/03/2026"),
        (("delegate", "teacher", "--by", "head", "--to", "6/3/2029"), "of more than 366 days"),
        (("delegate", "teacher", "--by", "nobody", "--to", "6/3/2026"), "nobody with the login “nobody”"),
        (("delegate", "teacher", "--to", "1/3/2026"), "last day is before the first"),
        (("disable", "admin"), "From 02/03/2026 on there would be no administrator"),
        (("dismiss", "admin", "admin", "root"), "From 03/03/2026 on there would be no administrator"),
        (("dismiss", "admin", "admin", "root", "--to", "31/5/2026"), "From 01/06/2026 on there would be no"),
    ],
)
def test_what_pages_refuse_commands_refuse(here: Playing, tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    store = here.context.store
    result = run(store, tmp_path, *words)
    assert (result.exit_code, why in result.output) == (1, True), result.output
    with store.reading("test") as session:
        assert not session.scalars(select(t.StaffAct)).all()
        assert not session.scalars(select(t.Delegation)).all()


def test_an_absence_that_stands_already_is_refused_and_the_same_again_changes_nothing(
    here: Playing, tmp_path: Path
) -> None:
    words = ("delegate", "teacher", "--by", "head", "--to", "6/3/2026")
    for _ in range(2):
        assert run(here.context.store, tmp_path, *words).exit_code == 0
    other = run(here.context.store, tmp_path, "delegate", "teacher", "--to", "4/3/2026")
    assert (other.exit_code, "an absence stands here already" in other.output) == (1, True)
    with here.context.store.reading("test") as session:
        assert len(session.scalars(select(t.Delegation)).all()) == 1
        assert len(session.scalars(select(t.StaffAct)).all()) == 2


def test_the_first_administrator_is_made_where_there_is_none(store: Store, tmp_path: Path) -> None:
    set_clock(store, NOW)
    with store.writing("test") as session:
        session.add(t.Unit(kind="root", code="VN", name="Việt Nam", search_key="viet nam", valid_from=seed.ALWAYS))
    assert run(store, tmp_path, "add", "quantri", "Quản trị").exit_code == 0
    assert run(store, tmp_path, "appoint", "quantri", "admin", "VN").exit_code == 0
    with store.reading("test") as session:
        person = session.scalars(select(t.Person.id)).one()
        assert viewer_of(session, person, TODAY, ROLES).holds("admin")
    ended = run(store, tmp_path, "dismiss", "quantri", "admin", "VN")
    assert (ended.exit_code, "no administrator" in ended.output) == (1, True)
