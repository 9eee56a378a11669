"""`ralop deadline`, as an operator types it."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from web.cli.deadline import deadline

MONDAY = ("--from", "2026-03-02T16:00")


def run(*arguments: str) -> Result:
    return CliRunner().invoke(deadline, [*arguments, "--language", "en"])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("3 working days", *MONDAY), "2026-03-05T17:00:00"),
        (("3 working days", *MONDAY, "--calendar", "quang-ngai-2025-26"), "2026-03-05T17:00:00"),
        (("3 working days", *MONDAY, "--calendar", "rules/calendars/quang-ngai-2025-26.toml"), "2026-03-05T17:00:00"),
        (("3 working days", *MONDAY, "--pause", "2026-03-03T08:00/2026-03-04T09:00"), "2026-03-06T17:00:00"),
        (("1 working hour", *MONDAY, "--pause", "2026-03-02T16:30/2026-03-02T16:45"), "2026-03-03T07:15:00"),
        (
            ("3 school days", *MONDAY, "--closed", "2026-03-03", "--closed", "2026-03-04/2026-03-05"),
            "2026-03-10T17:00:00",
        ),
        (("5 school days", *MONDAY, "--school-days", "mon-sat"), "2026-03-07T17:00:00"),
        (("1 day", "--from", "2026-03-02T22:00Z"), "2026-03-04T17:00:00"),  # already the 3rd in Việt Nam
        (("3 working days", *MONDAY, "--pause", "2026-03-03T08:00/"), "There is no deadline while the clock is held."),
    ],
)
def test_the_local_time_is_printed(arguments: tuple[str, ...], expected: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parents[3])
    found = run(*arguments)
    assert (found.exit_code, found.output) == (0, f"{expected}\n")


def test_the_days_are_told_when_asked_why() -> None:
    assert run("2 working days", "--from", "2026-03-05T16:00", "--why").output.splitlines() == [
        "2026-03-09T17:00:00",
        "06/03/2026: counted",
        "07/03/2026 to 08/03/2026: not counted, weekend",
        "09/03/2026: counted",
    ]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("0 days", *MONDAY), "A duration is 1 to 9999"),
        (("soon", *MONDAY), "soon is not a duration"),
        (("1 day", "--from", "yesterday"), "yesterday is not a date-time"),
        (("1 day", *MONDAY, "--pause", "2026-03-03T08:00"), "is not a pause"),
        (("1 day", *MONDAY, "--pause", "2026-03-03T08:00/2026-03-03T08:00"), "is not a pause"),
        (("1 day", *MONDAY, "--closed", "2026-03-05/2026-03-03"), "are not days"),
        (("1 day", *MONDAY, "--closed", "x"), "are not days"),
        (("1 day", *MONDAY, "--school-days", "x"), "x is not a weekday"),
        (("1 day", *MONDAY, "--calendar", "atlantis"), "There is no calendar atlantis; there are: quang-ngai-2025-26"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_sentence(arguments: tuple[str, ...], sentence: str) -> None:
    found = run(*arguments)
    assert found.exit_code == 1
    assert sentence in found.output


def test_a_faulty_calendar_file_shows_its_faults(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('format = 1\nname = "x"\ntime_zone = "Asia/Hanoi"\ncolour = 1', encoding="utf-8")
    found = run("1 day", *MONDAY, "--calendar", str(file))
    assert found.exit_code == 1
    assert "mine.toml: time_zone: " in found.output
    assert "mine.toml: colour: " in found.output


def test_an_operators_own_calendar_goes_before_the_shipped_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = tmp_path / "instance" / "rules" / "calendars"
    own.mkdir(parents=True)
    text = 'format = 1\nname = "x"\ntime_zone = "Asia/Ho_Chi_Minh"\nclosing = "16:00"'
    (own / "quang-ngai-2025-26.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run("6 days", *MONDAY, "--calendar", "quang-ngai-2025-26").output == "2026-03-08T16:00:00\n"
    monkeypatch.chdir("/")
    monkeypatch.setenv("RALOP_INSTANCE", str(tmp_path / "instance"))
    assert run("6 days", *MONDAY, "--calendar", "quang-ngai-2025-26").output == "2026-03-08T16:00:00\n"


@pytest.mark.parametrize("year", ["0001", "1900", "2100", "9999"])
@pytest.mark.parametrize("option", ["--from", "--pause"])
def test_a_year_beyond_the_calendar_is_told_so(year: str, option: str) -> None:
    moments = {"--from": f"{year}-01-01T08:00", "--pause": f"{year}-01-01T08:00/"}
    given = MONDAY if option == "--pause" else ()
    found = run("3 working days", *given, option, moments[option])
    assert (found.exit_code, "it covers the years 1901 to 2099." in found.output) == (1, True)
