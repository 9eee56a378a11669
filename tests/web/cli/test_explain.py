"""`ralop explain CASE`, as an operator types it."""

import datetime as dt
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from engine.core.scenario.cast import PEOPLE
from engine.store.session import Store
from engine.store.simulation import seed
from tests.playing import at, playing
from web.cli.explain import explain, explained


def run(store: Store, tmp_path: Path, *arguments: str) -> Result:
    url = store.url.render_as_string(hide_password=False)
    environment = {"RALOP_INSTANCE": str(tmp_path / "instance"), "RALOP_DATABASE_URL": url}
    return CliRunner().invoke(explain, [*arguments], env=environment)


def test_it_tells_the_deadline_what_happened_and_what_comes(store: Store) -> None:
    here = playing(store)
    here.vacate("teacher", "2026-03-01")
    code = here.open("2026-03-05 08:00", "head")
    here.pass_to("2026-03-06 18:00")
    lines = [f"{'  ' * depth}{line.in_('en')}" for depth, line in explained(here.context, code, at("2026-03-06 18:00"))]
    assert lines == [
        "RL-2026-000001: Absent",
        "It is the turn of: Head – contact the family",
        "If not, at 17:00 10/03/2026 the case goes to “Commune visit”: Commune officer",
        "Deadline: 17:00 06/03/2026",
        "  No contact with the family within 1 school day",
        "  Rule contact-overdue, version 3 of the rules.",
        "  Counted 1 school day from 08:00 05/03/2026: until 17:00 06/03/2026.",
        "  06/03/2026: counted",
        "What happened:",
        "  08:00 05/03/2026  Head: opened the case",
        "    Responsible here: Homeroom teacher. The nearest post on the way up that is filled has it.",
        "    Passed over: Homeroom teacher, the post is vacant.",
        "  17:00 06/03/2026  Rule contact-overdue",
        "    No contact with the family within 1 school day",
        "    Rule contact-overdue, version 3 of the rules.",
        "    Counted 1 school day from 08:00 05/03/2026: until 17:00 06/03/2026.",
        "    06/03/2026: counted",
        "What comes next if nobody acts:",
        "  17:00 10/03/2026  contact-missing: No contact with the family within 3 school days: the commune is asked",
    ]


@pytest.mark.parametrize(("language", "word"), [("vi", "Hạn xử lý"), ("en", "Deadline")])
def test_it_speaks_both_languages(store: Store, tmp_path: Path, language: str, word: str) -> None:
    code = playing(store).open("2026-03-05 08:00")
    found = run(store, tmp_path, code.lower(), "--language", language)
    assert found.exit_code == 0, found.output
    assert word in found.output
    assert "A Thử" not in found.output


def test_a_case_that_is_not_there_is_said_to_be_missing(store: Store, tmp_path: Path) -> None:
    found = run(store, tmp_path, "RL-2026-000009", "--language", "en")
    assert (found.exit_code, found.output) == (1, "Error: There is no case RL-2026-000009.\n")


def test_it_names_who_acted_in_whose_place(store: Store) -> None:
    here = playing(store)
    with store.writing("test") as session:
        people, day = here.installed.people, dt.date(2026, 3, 5)
        seed.send_away(session, people["teacher"], day, day, people["volunteer"])
    code = here.open("2026-03-05 08:00", "volunteer")
    lines = [f"{'  ' * depth}{line.in_('en')}" for depth, line in explained(here.context, code, at("2026-03-05 09:00"))]
    opened = lines.index("  08:00 05/03/2026  Homeroom teacher: opened the case")
    assert lines[opened + 1] == "    {}, for Y Lan Thử".format(PEOPLE["volunteer"])
