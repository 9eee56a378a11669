"""`ralop status`, as an operator or a watching program asks."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from sqlalchemy import insert

from engine.jobs.procrastinate_queue import prepare
from engine.store import tables as t
from engine.store.database.refusals import DatabaseRefused
from engine.store.ops import leases
from engine.store.ops.settings import put_setting
from engine.store.session import Store, now_utc, open_store
from engine.usecases.ops.clock import set_clock
from tests.playing import CONTACT, at, playing
from web.cli.status import status

MINUTE = dt.timedelta(minutes=1)


def run(store: Store, tmp_path: Path, *arguments: str) -> Result:
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url}
    return CliRunner().invoke(status, [*arguments, "--language", "en"], env=environment)


def data(store: Store, tmp_path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(store, tmp_path, "--json").stdout)
    return found


def test_an_installation_with_a_worker_and_nothing_late_is_well(store: Store, tmp_path: Path) -> None:
    here = playing(store)
    here.open("2026-03-09 08:00")
    here.step(here.open("2026-03-09 08:00", pupil="classmate"), "2026-03-09 09:00", "teacher", "contact", **CONTACT)
    leases.hold(store, "machine:1", MINUTE)
    set_clock(store, at("2026-03-09 10:00"))
    found = run(store, tmp_path)
    assert (found.exit_code, found.stdout.splitlines()[-1]) == (0, "All is well.")
    assert "  absent: 1\n  teacher_contact: 1\n" in found.stdout
    assert "Workflow dropout, version 2, rules 3: 2 open cases" in found.stdout
    assert "Next look: 17:00 10/03/2026" in found.stdout


def test_no_worker_and_cases_that_wait_are_problems(store: Store, tmp_path: Path) -> None:
    playing(store).open("2026-03-09 08:00")
    set_clock(store, at("2026-03-10 18:00") + MINUTE / 2)
    found = run(store, tmp_path)
    assert found.exit_code == 1
    assert "No worker is at work." in found.stdout
    assert "Cases have been due for 60 minutes and nobody has looked at them." in found.stdout


def test_a_worker_that_was_not_seen_for_long_is_a_problem(store: Store, tmp_path: Path) -> None:
    row = {"name": "worker", "holder": "machine:1", "until": now_utc(), "seen_at": now_utc() - 10 * MINUTE}
    with store.writing("test") as session:
        session.execute(insert(t.Lease).values(row))
    assert data(store, tmp_path)["problems"] == ["No worker was seen for 10 minutes."]


def test_programs_get_one_object(store: Store, tmp_path: Path) -> None:
    here = playing(store)
    here.open("2026-03-09 08:00")
    leases.hold(store, "machine:1", MINUTE)
    set_clock(store, at("2026-03-09 10:00"))
    found = data(store, tmp_path)
    assert found["healthy"] is True
    assert found["revision"] == found["newest_revision"]
    assert (found["open_cases"], found["due_now"]) == ({"absent": 1}, 0)
    assert found["next_look"] == "2026-03-10T10:00:00+00:00"
    assert list(found["workers"]) == ["machine:1"]


def test_messages_that_were_given_up_are_counted(store: Store, tmp_path: Path) -> None:
    here = playing(store)
    moment = at("2026-03-09 08:00")
    row = {
        "key": "k",
        "person_id": here.installed.people["head"],
        "channel": "email",
        "kind": "notice",
        "urgent": False,
        "state": "dead",
        "attempts": 9,
        "made_at": moment,
        "next_try_at": moment,
    }
    with store.writing("test") as session:
        session.execute(insert(t.Delivery).values(row))
        put_setting(session, "messages_forgotten", {"day": "2026-03-09", "count": 7, "before": "2025-02-02"})
    assert data(store, tmp_path)["deliveries"] == {"pending": 0, "failed": 0, "dead": 1}
    said = run(store, tmp_path).stdout
    assert "Messages given up (dead letters): 1; why, and “try again”: /admin/deliveries" in said
    assert "Old messages were deleted last on 09/03/2026: 7, made before 02/02/2025" in said


def test_a_database_that_was_never_made_is_a_problem(tmp_path: Path) -> None:
    environment = {"RALOP_INSTANCE": str(tmp_path), "RALOP_DATABASE_URL": f"sqlite:///{tmp_path / 'new.db'}"}
    found = CliRunner().invoke(status, ["--json"], env=environment)
    assert isinstance(found.exception, DatabaseRefused)
    assert "There is no database" in str(found.exception.sentence)
    assert not (tmp_path / "new.db").exists()


def test_jobs_of_the_queue_are_counted_by_state(postgresql_url: str, tmp_path: Path) -> None:
    store = open_store(postgresql_url)
    try:
        prepare(store)
        with store.engine.begin() as connection:
            connection.exec_driver_sql(
                "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('default', 'sweep')"
            )
        assert data(store, tmp_path)["queue"] == {"todo": 1}
    finally:
        store.close()
