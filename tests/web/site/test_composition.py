"""The composition root: reads what people write, keeps it by version, and refuses to start on what is wrong."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.core.words import Faulty
from engine.store import tables as t
from engine.store.session import Store, open_store
from engine.usecases.context import Context
from tests.pages import KEY
from web.site.composition import build_context
from web.site.settings import Settings

NOW = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)

WORKFLOW = """
format  = 1
name    = "own"
version = 1
initial = "away"
[states.away]
label = { vi = "Vắng", en = "Away" }
owner = "teacher"
[states.back]
label = { vi = "Có mặt", en = "Back" }
final = true
[transitions.come]
from = ["away"]
to   = "back"
by   = ["teacher", "rule"]
"""
RULES = """
format = 1
workflow = "own"
version = 1
[[rule]]
id   = "remind"
why  = { vi = "Quá 1 ngày học", en = "1 school day is over" }
when = { state = "away", for = "1 school day" }
then = [{ notify = ["teacher"] }]
"""
CALENDAR = """
format = 1
name = "here"
time_zone = "Asia/Ho_Chi_Minh"
holidays = "VN"
[opening]
mon = ["07:00-17:00"]
[[school_year]]
first = 2025-09-06
last = 2026-05-25
"""


class Installation:
    """An instance folder and its database."""

    def __init__(self, folder: Path, store: Store) -> None:
        self.folder, self.store = folder, store

    def write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def build(self) -> Context:
        return build_context(Settings(str(self.store.url), self.folder, KEY), NOW, self.store)

    def faults(self) -> list[str]:
        with pytest.raises(Faulty) as caught:
            self.build()
        return [str(fault) for fault in caught.value.faults]

    def kept(self) -> set[tuple[str, str, int]]:
        with self.store.reading("test") as session:
            return {(row.kind, row.name, row.version) for row in session.scalars(select(t.Definition))}


@pytest.fixture
def here(sqlite_url: str, tmp_path: Path) -> Iterator[Installation]:
    store = open_store(sqlite_url)
    yield Installation(tmp_path / "instance", store)
    store.close()


def test_what_ships_is_enough(here: Installation) -> None:
    context = here.build()
    assert context.definitions.workflow("dropout").initial == "absent"
    assert context.definitions.rules("dropout").rules
    assert context.definitions.calendar("51").province == "51"
    assert context.definitions.calendar("01") is context.definitions.calendar("")


def test_every_text_is_kept_once_on_both_databases(store: Store, tmp_path: Path) -> None:
    here = Installation(tmp_path / "instance", store)
    here.build()
    kept = here.kept()
    assert {("workflow", "dropout", 2), ("rules", "dropout", 3), ("calendar", "quang-ngai-2025-26", 1)} <= kept
    here.build()
    assert here.kept() == kept


def test_an_installation_adds_its_own(here: Installation) -> None:
    here.write("workflows/own.toml", WORKFLOW)
    here.write("rules/own.toml", RULES)
    definitions = here.build().definitions
    assert definitions.current["own"] == (1, 1)
    assert "dropout" in definitions.current


def test_an_own_file_stands_in_for_the_shipped_one_of_that_name(here: Installation) -> None:
    shipped = (Path(__file__).parents[3] / "rules" / "dropout.toml").read_text(encoding="utf-8")
    here.write("rules/dropout.toml", shipped.replace("version  = 3", "version  = 7"))
    assert here.build().definitions.rules("dropout").version == 7


def test_a_database_that_ran_the_first_shipped_rules_keeps_them_beside_those_that_ship_now(here: Installation) -> None:
    first = (Path(__file__).parents[2] / "scenarios" / "rules" / "dropout-1.toml").read_text(encoding="utf-8")
    here.write("rules/dropout.toml", first)
    here.build()
    (here.folder / "rules" / "dropout.toml").unlink()
    definitions = here.build().definitions
    kept, new = (
        definitions.rules("dropout", 1).rule("visit-overdue"),
        definitions.rules("dropout").rule("visit-overdue"),
    )
    assert (kept and kept.when.since, new and new.when.since) == ("", "request")


def test_cases_go_on_with_the_version_they_began_with(here: Installation) -> None:
    here.write("workflows/own.toml", WORKFLOW)
    here.write("rules/own.toml", RULES)
    here.build()
    here.write("workflows/own.toml", WORKFLOW.replace("version = 1", "version = 2").replace("away", "absent"))
    here.write("rules/own.toml", RULES.replace("version = 1", "version = 2").replace("away", "absent"))
    definitions = here.build().definitions
    assert definitions.current["own"] == (2, 2)
    assert definitions.workflow("own").initial == "absent"
    assert definitions.workflow("own", 1).initial == "away"
    assert definitions.rules("own", 1).rules[0].when.state == "away"


def test_a_version_whose_text_changed_is_refused_and_nothing_kept(here: Installation) -> None:
    here.write("workflows/own.toml", WORKFLOW)
    here.write("rules/own.toml", RULES)
    here.build()
    kept = here.kept()
    here.write("workflows/own.toml", WORKFLOW.replace("Vắng", "Nghỉ"))
    here.write("rules/own.toml", RULES.replace("version = 1", "version = 2"))
    assert here.faults() == [
        (
            "instance/workflows/own.toml: version: Version 1 of “own” was in use with another text: "
            "give the file a new version number."
        )
    ]
    assert here.kept() == kept


def test_a_mended_calendar_is_kept_beside_the_one_before(here: Installation) -> None:
    here.write("rules/calendars/here.toml", CALENDAR)
    here.build()
    here.write("rules/calendars/here.toml", CALENDAR.replace("2026-05-25", "2026-05-30"))
    here.build()
    here.build()
    assert {("calendar", "here", 1), ("calendar", "here", 2)} <= here.kept()
    assert ("calendar", "here", 3) not in here.kept()


def test_a_calendar_of_no_province_is_for_those_without_one(here: Installation) -> None:
    here.write("rules/calendars/here.toml", CALENDAR)
    definitions = here.build().definitions
    assert definitions.calendar("01").name == "here"
    assert definitions.calendar("51").province == "51"


def test_all_faults_of_all_files_are_told_at_once(here: Installation) -> None:
    here.write("workflows/own.toml", WORKFLOW.replace('"away"', '"nowhere"', 1))
    here.write("rules/other.toml", RULES.replace('"own"', '"unknown"'))
    here.write("rules/calendars/here.toml", CALENDAR.replace("Asia/Ho_Chi_Minh", "Asia/Nowhere"))
    here.write("workflows/broken.toml", "name = ")
    told = "\n".join(here.faults())
    for file in ("workflows/own.toml", "rules/other.toml", "rules/calendars/here.toml", "workflows/broken.toml"):
        assert f"instance/{file}" in told
    assert here.kept() == set()


def test_a_name_stands_in_one_file(here: Installation) -> None:
    here.write("workflows/a.toml", WORKFLOW)
    here.write("workflows/b.toml", WORKFLOW)
    here.write("rules/own.toml", RULES)
    assert here.faults() == ["instance/workflows/b.toml: “own” stands in instance/workflows/a.toml already."]


def test_a_workflow_without_rules_is_refused(here: Installation) -> None:
    here.write("workflows/own.toml", WORKFLOW)
    assert here.faults() == ["instance/workflows/own.toml: name: There are no rules for the workflow “own”."]


def test_a_file_that_is_not_text_is_refused(here: Installation) -> None:
    here.write("workflows/own.toml", "")
    (here.folder / "workflows" / "own.toml").write_bytes(b"name = '\xff'")
    assert here.faults() == ["instance/workflows/own.toml: This is not text in UTF-8, from byte 8 on."]


def keep(here: Installation, text: str) -> None:
    with here.store.writing("test") as session:
        session.add(t.Definition(kind="workflow", name="old", version=1, digest="", text=text, loaded_at=NOW))


def test_an_old_version_that_cannot_be_read_any_more_matters_only_while_a_case_runs_on_it(
    here: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(here, "format = 0")
    here.build()
    monkeypatch.setattr("web.site.composition.definition_texts.in_use", lambda _store, _definition: True)
    assert any(fault.startswith("workflow old, version 1") for fault in here.faults())


def test_a_version_is_in_use_while_an_open_case_runs_on_it(here: Installation) -> None:
    from engine.store.ops.definition_texts import DefinitionText, in_use

    assert not in_use(here.store, DefinitionText("workflow", "dropout", 1, ""))


ROLES = (Path(__file__).parents[3] / "rules" / "roles" / "2026.toml").read_text(encoding="utf-8")
CLERK = """
[roles.clerk]
label = { vi = "Văn thư", en = "Clerk" }
seat  = "school"
sight = "none"
"""


def test_an_own_role_file_takes_the_place_of_the_shipped_one_with_the_same_name(here: Installation) -> None:
    here.write("rules/roles/2026.toml", ROLES + CLERK)
    roles = here.build().definitions.roles
    assert roles.labels["clerk"].en == "Clerk"
    assert "clerk" in roles.tree(district=False).roles
    assert "clerk" not in roles.tree(district=True).roles


def test_a_role_file_that_was_in_use_changes_only_under_a_new_version(here: Installation) -> None:
    here.build()
    here.write("rules/roles/2026.toml", ROLES + CLERK)
    with pytest.raises(Faulty, match="Version 1 of “2026” was in use with another text"):
        here.build()
    here.write("rules/roles/2026.toml", ROLES.replace("version  = 1", "version  = 2") + CLERK)
    assert "clerk" in here.build().definitions.roles.held_in


def test_a_role_that_was_taken_out_keeps_its_name_and_nobody_is_appointed_to_it(here: Installation) -> None:
    here.write("rules/roles/2026.toml", ROLES + CLERK)
    here.build()
    here.write("rules/roles/2026.toml", ROLES.replace("version  = 1", "version  = 2"))
    roles = here.build().definitions.roles
    assert (roles.labels["clerk"].en, "clerk" in roles.held_in) == ("Clerk", False)


def test_faults_of_role_files_are_told_before_the_program_runs(here: Installation) -> None:
    here.write("rules/roles/2026.toml", ROLES.replace('sight      = "referred"', 'sight      = "knows"'))
    with pytest.raises(Faulty) as raised:
        here.build()
    assert [fault.key for fault in raised.value.faults] == ["roles.volunteer.sight", "roles.association.sight"]
