"""Units come in from a file: all faults told at once, all or nothing, the same whenever it is done again."""

import contextlib
import datetime as dt
from dataclasses import replace
from itertools import permutations
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from engine.core.units.kinds import KINDS, PARENTS
from engine.core.units.reader import COLUMNS, parse_days
from engine.core.units.tree import load_units
from engine.core.words import Faulty
from engine.store import tables as t
from engine.store.session import Store
from engine.store.units import units as stored
from engine.store.units.units import Imported
from engine.usecases.units.import_units import import_units
from web.cli.units import units as command

TREES = Path(__file__).parents[4] / "rules" / "units"
BEFORE, AFTER = dt.date(2025, 6, 30), dt.date(2025, 7, 1)

SMALL = """
kind;code;name;parent;valid_from;valid_to;successor;grade;teaching_days;contact
# a remark
root;VN;Việt Nam;;01/01/2000
province;51;Tỉnh Quảng Ngãi;VN;1/7/2025
commune;23377;Xã Bờ Y;51;2025-07-01

school;S1;Trường Mẫu;23377;2025-07-01;;;;mon-sat
class;S1.6A;Lớp 6A;S1;2026-08-01;2027-08-01;;6
"""

SMALL_TOML = """
format = 1
[[unit]]
kind = "root"
code = "VN"
name = "Việt Nam"
valid_from = 2000-01-01
[[unit]]
kind = "province"
code = "51"
name = "Tỉnh Quảng Ngãi"
parent = "VN"
valid_from = 2025-07-01
[[unit]]
kind = "commune"
code = "23377"
name = "Xã Bờ Y"
parent = "51@2025-07-01"
valid_from = 2025-07-01
[[unit]]
kind = "school"
code = "S1"
name = "Trường Mẫu"
parent = "23377"
valid_from = 2025-07-01
teaching_days = "mon-sat"
[[unit]]
kind = "class"
code = "S1.6A"
name = "Lớp 6A"
parent = "S1"
valid_from = 2026-08-01
valid_to = 2027-08-01
grade = 6
"""


def faults(text: str, file: str = "u.csv") -> list[str]:
    with pytest.raises(Faulty) as faulty:
        load_units(text, file, {})
    return [str(fault).removeprefix(f"{file}: ") for fault in faulty.value.faults]


def with_line(*lines: str) -> str:
    return "\n".join((SMALL.strip(), *lines))


def links(store: Store) -> set[tuple[str, str, int]]:
    with store.reading("test") as session:
        names = {
            id: f"{code}@{first.year}"
            for id, code, first in session.execute(select(t.Unit.id, t.Unit.code, t.Unit.valid_from))
        }
        rows = session.execute(select(t.UnitLink.ancestor_id, t.UnitLink.descendant_id, t.UnitLink.depth))
        return {(names[above], names[below], depth) for above, below, depth in rows}


def test_csv_and_toml_say_the_same() -> None:
    plain, toml = load_units(SMALL, "u.csv"), load_units(SMALL_TOML, "u.toml")
    assert [replace(unit.row, place="", parent="") for unit in plain] == [
        replace(unit.row, place="", parent="") for unit in toml
    ]
    assert [unit.parent for unit in plain] == [unit.parent for unit in toml]
    last = plain[-1]
    assert (last.row.key, last.row.name, last.row.grade) == (("S1.6A", dt.date(2026, 8, 1)), "Lớp 6A", 6)
    assert last.parent == ("S1", dt.date(2025, 7, 1))


def test_a_tree_is_stored_with_every_unit_linked_to_all_above_it(store: Store) -> None:
    assert import_units(store, SMALL, "u.csv") == Imported(5, 0, 0)
    assert {(above, depth) for above, below, depth in links(store) if below == "S1.6A@2026"} == {
        ("S1.6A@2026", 0),
        ("S1@2025", 1),
        ("23377@2025", 2),
        ("51@2025", 3),
        ("VN@2000", 4),
    }
    with store.reading("test") as session:
        school = stored.unit_at(session, "S1", AFTER)
        assert school is not None
        assert [unit.name for unit in stored.units_below(session, school.id, "class", dt.date(2026, 9, 7))] == [
            "Lớp 6A"
        ]
        assert stored.units_below(session, school.id, "class", AFTER) == []
        assert stored.unit_at(session, "S1", BEFORE) is None
        assert session.execute(select(t.Unit.search_key).where(t.Unit.code == "23377")).scalar() == "xa bo y"


def test_the_same_file_again_changes_nothing(store: Store) -> None:
    import_units(store, SMALL, "u.csv")
    before = links(store)
    assert import_units(store, SMALL, "u.csv") == Imported(0, 0, 5)
    assert links(store) == before


def test_a_changed_file_changes_what_differs_and_deletes_nothing(store: Store) -> None:
    import_units(store, SMALL, "u.csv")
    moved = with_line("site;S1.D1;Điểm trường Suối;S1;2025-07-01").replace(";S1;2026", ";S1.D1;2026")
    only = "\n".join(line for line in moved.splitlines() if not line.startswith("commune"))  # referred to, not repeated
    assert import_units(store, only, "u.csv") == Imported(1, 1, 3)
    assert {(above, depth) for above, below, depth in links(store) if below == "S1.6A@2026"} >= {
        ("S1.D1@2025", 1),
        ("S1@2025", 2),
        ("23377@2025", 3),
    }


def test_a_dry_run_tells_and_keeps_nothing(store: Store) -> None:
    assert import_units(store, SMALL, "u.csv", dry_run=True) == Imported(5, 0, 0)
    assert links(store) == set()


def test_a_faulty_file_leaves_everything_as_it_was(store: Store) -> None:
    import_units(store, SMALL, "u.csv")
    before = links(store)
    with pytest.raises(Faulty):
        import_units(
            store, with_line("commune;23383;Xã Dục Nông;51;2025-07-01", "village;V;Làng;nowhere;2025-07-01"), "u.csv"
        )
    assert links(store) == before


def test_every_fault_is_told_at_once_with_its_line() -> None:
    assert faults(
        with_line(
            "hamlet;H1;Làng;23377;2025-07-01",
            "village;V1;Làng;23399;2025-07-01",
            "class;S1.7A;Lớp 7A;23377;2026-08-01;;;7",
            "village;V2;Làng;23377;31/2/2026",
            "village;V3;Làng;23377;2026-01-01;2025-01-01",
            "village;V4;;23377;2025-07-01",
            "village;V5;Làng;;2025-07-01",
            "commune;23377;Xã Khác;51;2025-07-01",
            "school;S 2;Trường;23377;2025-07-01;;;6;monday",
            "class;S1.9A;Lớp;S1;2026-08-01;2027-08-01;;13",
        )
    ) == [
        "line 9.kind: There is no kind of unit “hamlet”; there are: " + ", ".join(KINDS) + ".",
        "line 10.parent: There is no unit “23399”.",
        "line 11.parent: “Xã Bờ Y” is Commune; a unit of this kind lies in one of: School, Satellite site.",
        'line 12.valid_from: This must be a day without quotes, for example 2026-02-17, not "31/2/2026".',
        "line 13.valid_to: This is not after the first day, 01/01/2026.",
        "line 14.name: This is missing; it must be text in quotes.",
        "line 15.parent: This is missing: a unit of this kind lies in one of: Commune.",
        "line 16.code: “23377” from 01/07/2025 on stands here twice: see line 5.",
        'line 17.code: This must be a code of letters, digits and . - _ /, not "S 2".',
        "line 17.grade: Only a class has a grade.",
        'line 17.teaching_days: This must be weekdays such as mon-fri or mon,wed,fri, not "monday".',
        "line 18.grade: There are grades up to 12; 0 is before school.",
    ]


@pytest.mark.parametrize(
    ("line", "key", "said"),
    [
        ("root;X;Khác;;2000-01-01", "kind", "There is one root only, and it is “Việt Nam”."),
        ("commune;2;Xã;51;2020-01-01", "parent", "“51” does not hold on 01/01/2020; there are those from: 01/07/2025."),
        ("commune;2;Xã;51@2025-07-01;2020-01-01", "parent", "begins on 01/07/2025, after this unit."),
        ("commune;2;Xã;51@2025-13-01;2025-07-01", "parent", "“51@2025-13-01” names a day that does not exist."),
        ("commune;23377;Xã Mới;51;2026-07-01", "valid_from", "the one from 01/07/2025 on still holds: end that one."),
        ("commune;2;Xã;51;2025-07-01;2026-07-01;51", "successor", "is Province: a successor is of the same kind."),
        ("commune;2;Xã;51;2025-07-01;;23377", "valid_to", "A unit with a successor has an end"),
        ("class;S1.7A;Lớp 7A;S1.6A;2026-09-01", "parent", "is Class; a unit of this kind lies in one of: School,"),
        ("village;V1;Làng;V1;2025-07-01", "parent", "is Village; a unit of this kind lies in one of: Commune."),
    ],
)
def test_a_reference_must_fit(line: str, key: str, said: str) -> None:
    (fault,) = [fault for fault in faults(with_line(line)) if fault.startswith(f"line 9.{key}: ")]
    assert said in fault


def test_a_line_with_more_cells_than_the_heading_is_not_guessed_at() -> None:
    told = faults(with_line("commune;23392;Xã Đăk Kan;51;2026-01-01;;;;;a;b"))
    assert told == ["line 9: This line has more cells than the heading."]


def test_a_unit_ends_with_the_one_it_lies_in() -> None:
    ended = with_line("site;S1.D1;Điểm;S1;2025-07-01").replace(
        "2025-07-01;;;;mon-sat", "2025-07-01;2026-12-31;;;mon-sat"
    )
    assert faults(ended) == [
        "line 8.valid_to: “Trường Mẫu”, in which this lies, ends on 31/12/2026: end this by then, with a successor.",
        "line 9.valid_to: “Trường Mẫu”, in which this lies, ends on 31/12/2026: end this by then, with a successor.",
    ]


def test_a_unit_is_not_ended_over_the_heads_of_those_in_it(store: Store) -> None:
    import_units(store, SMALL, "u.csv")
    text = "kind,code,name,parent,valid_from,valid_to\nschool,S1,Trường Mẫu,23377,2025-07-01,2026-09-01"
    with pytest.raises(Faulty, match="1 units in it would go on after its end, such as “Lớp 6A”"):
        import_units(store, text, "u.csv")


def test_a_unit_does_not_change_its_kind(store: Store) -> None:
    import_units(store, SMALL, "u.csv")
    with pytest.raises(Faulty, match="This unit is there as School; a unit does not change its kind"):
        import_units(store, "kind,code,name,parent,valid_from\nvillage,S1,Làng,23377,2025-07-01", "u.csv")


@pytest.mark.parametrize(
    ("text", "file", "said"),
    [
        ("", "u.csv", "There is no unit in this file."),
        ("format = 1", "u.toml", "There is no unit in this file."),
        ("format = 2\n[[unit]]", "u.toml", "This program reads format 1."),
        ("kind,code,nom,valid_from", "u.csv", "There is no column “nom”; there are: kind,"),
        ("kind,code,valid_from", "u.csv", "The column “name” is missing."),
        ("kind" * 40_000, "u.csv", "This is not csv: field larger than field limit"),
        ("<html>", "u.csv", "There is no column “<html>”"),
        ("[[unit]", "u.toml", "This is not TOML"),
        ('format = 1\n[[unit]]\nkind = 3\ncolour = "red"', "u.toml", "colour: There is no key “colour”"),
    ],
)
def test_a_file_of_another_kind_is_refused_with_words(text: str, file: str, said: str) -> None:
    assert said in "\n".join(faults(text, file))


def test_a_file_read_by_itself_may_refer_to_what_is_elsewhere() -> None:
    (unit,) = load_units("kind,code,name,parent,valid_from\nvillage,V,Làng,23377,2025-07-01", "u.csv")
    assert (unit.row.parent, unit.parent) == ("23377", None)


@given(
    st.lists(st.lists(st.text(max_size=8) | st.sampled_from(["class", "51", "2025-07-01"]), max_size=11), max_size=6)
)
def test_whatever_the_cells_hold_there_are_units_or_faults(rows: list[list[str]]) -> None:
    text = "\n".join([",".join(COLUMNS), *(",".join(row) for row in rows)])
    with contextlib.suppress(Faulty):
        assert load_units(text, "u.csv", {})


def test_weekdays_are_read_as_iso_numbers() -> None:
    assert [parse_days(text) for text in ("mon-fri", "mon-sat", "sat, mon,wed", "sun")] == [
        "12345",
        "123456",
        "136",
        "7",
    ]
    for wrong in ("fri-mon", "monday", "mon--fri"):
        with pytest.raises(ValueError, match=r"tuple|mon"):
            parse_days(wrong)


def test_no_kind_can_lie_in_itself_so_that_no_tree_is_a_ring() -> None:
    def reaches(kind: str, target: str) -> bool:
        return any(above == target or reaches(above, target) for above in PARENTS[kind])

    assert set(PARENTS) == set(KINDS)
    assert not any(reaches(kind, kind) for kind in KINDS)


# --- the two trees that are shipped ----------------------------------------------------------------------------------


def tree(name: str) -> str:
    return (TREES / f"{name}.csv").read_text(encoding="utf-8")


@pytest.mark.parametrize("order", list(permutations(("ngoc-hoi-2022", "quang-ngai-2026"))))
def test_both_shipped_trees_come_into_one_database_in_either_order(store: Store, order: tuple[str, str]) -> None:
    for name in order:
        import_units(store, tree(name), f"{name}.csv")
    for name in order:
        done = import_units(store, tree(name), f"{name}.csv")
        assert (done.added, done.changed) == (0, 0)
    with store.reading("test") as session:
        kan, loong = stored.unit_at(session, "23392", BEFORE), stored.unit_at(session, "23392", AFTER)
        assert kan is not None
        assert loong is not None
        assert (kan.name, loong.name) == ("Xã Đăk Kan", "Xã Sa Loong")  # one code, two meanings
        assert session.get_one(t.Unit, kan.id).successor_id == loong.id
        province = stored.unit_at(session, "51", AFTER)
        assert province is not None
        communes = stored.units_below(session, province.id, "commune", AFTER)
        assert [commune.name for commune in communes] == ["Xã Bờ Y", "Xã Dục Nông", "Xã Sa Loong"]
        village = stored.unit_at(session, "23395-01", AFTER)
        assert village is not None
        assert stored.unit_above(session, village.id, "commune") == communes[0].id


def test_every_old_commune_became_part_of_the_commune_the_official_table_names() -> None:
    units = load_units(tree("ngoc-hoi-2022"), "t.csv", {})
    communes = [unit for unit in units if unit.row.kind == "commune"]
    assert {unit.row.code: unit.successor[0] for unit in communes if unit.successor} == {
        "23377": "23377",
        "23389": "23377",
        "23395": "23377",
        "23380": "23383",
        "23383": "23383",
        "23386": "23383",
        "23392": "23392",
        "23398": "23392",
    }


# --- the command -----------------------------------------------------------------------------------------------------


def test_the_command_tells_what_it_did_and_lists_all_faults(sqlite_url: str, tmp_path: Path) -> None:
    good, bad, latin = tmp_path / "good.csv", tmp_path / "bad.csv", tmp_path / "latin.csv"
    good.write_text(SMALL, encoding="utf-8")
    bad.write_text(with_line("village;V1;Làng;1;2025-07-01", "village;V2;Làng;2;2025-07-01"), encoding="utf-8")
    latin.write_bytes("kind,code,name,valid_from\nroot,VN,Việt".encode("utf-16"))
    run = CliRunner().invoke
    dry = run(command, [str(good), "--dry-run", "--database", sqlite_url])
    assert (dry.exit_code, dry.output) == (
        0,
        "Units added: 5, changed: 0, unchanged: 0.\nA dry run: none of it was kept.\n",
    )
    assert "added: 5," in run(command, [str(good), "--database", sqlite_url]).output
    assert "unchanged: 5." in run(command, [str(good), "--database", sqlite_url]).output
    told = run(command, [str(bad), "--database", sqlite_url])
    assert told.exit_code == 1
    assert [line.split(": ", 1)[1] for line in told.output.splitlines()] == [
        "line 9.parent: There is no unit “1”.",
        "line 10.parent: There is no unit “2”.",
    ]
    assert "not text in UTF-8" in run(command, [str(latin), "--database", sqlite_url]).output


def test_the_first_command_of_an_installation_makes_its_database(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new.db'}"
    result = CliRunner().invoke(command, [str(TREES / "quang-ngai-2026.csv"), "--database", url])
    assert (result.exit_code, result.output) == (0, "Units added: 88, changed: 0, unchanged: 0.\n")
