"""What a merger leaves undoes it: afterwards everything stands as before, but for what was added to the history."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from engine.core.cases.act import Act
from engine.core.refusals import Invalid, NotFound
from engine.jobs import sweep
from engine.store import tables as t
from engine.store.cases.verify import breaks
from engine.store.session import Store
from engine.usecases.cases import case_acts
from engine.usecases.cases.difficulties import raise_difficulty
from engine.usecases.units.merger_undo import is_undo, undo
from engine.usecases.units.mergers import Merger, UnitMove, merge_units, read_table
from tests.engine.usecases.units.test_mergers import (
    BEFORE,
    DAY,
    NOON,
    SHIPPED,
    TABLE,
    Country,
    _person,
    country,
    divided,
    not_yet_merged,
    with_cases,
)
from tests.playing import at

TABLES = (t.Unit, t.UnitLink, t.Pupil, t.Appointment, t.Closure, t.Difficulty)
# Of a case: how long its history is, its last hash, and the highest number of a request, which only grows.
HISTORY = {"version", "last_hash", "last_entry"}


def standing(here: Country) -> list[list[str]]:
    """Everything that a merger touches, history aside."""
    columns = [column for column in t.Case.__table__.c if column.name not in HISTORY]
    with here.context.store.reading("test") as session:
        rows = sorted(map(repr, session.connection().execute(select(*columns))))
        void = set(
            session.connection().execute(select(t.Unit.id).where(t.Unit.valid_to <= t.Unit.valid_from)).scalars()
        )
    found = [here.rows(table) for table in TABLES]
    found[0] = [row for row in found[0] if not row.startswith(tuple(f"({unit}, " for unit in void) or " ")]
    found[1] = [row for row in found[1] if not any(f"({unit}, " in row or f", {unit}, " in row for unit in void)]
    return [*found, rows]


def merge(here: Country, mergers: list[Merger], **more: Any) -> str:
    """Merge, and give the file that undoes it."""
    kept: list[str] = []
    merge_units(here.context, mergers, DAY, NOON, keep_undo=kept.append, **more)
    (text,) = kept
    assert is_undo(text)
    return text


def with_everything(store: Store, tree: str) -> Country:
    """Cases that wait, that are accepted and that have ended, a difficulty, a closure, a post that ends."""
    here = country(store, tree)
    codes = with_cases(here)
    officer = here.viewer("officer-23395", BEFORE)
    words = {"difficulty_kind": "road", "difficulty_words": "Cầu hỏng"}
    raise_difficulty(here.context, Act(officer, codes["23395"], words, at("2025-06-30 11:00")))
    case_acts.decline(
        here.context,
        Act(here.viewer("officer-23389", BEFORE), codes["23389"], {"reason": "Nhầm thôn"}, at("2025-06-30 11:00")),
    )
    row = {
        "unit_id": here.unit("23389", BEFORE),
        "first_day": BEFORE,
        "last_day": BEFORE,
        "reason": "Lũ",
        "announced_at": NOON,
    }
    with store.writing("test") as session:
        session.execute(insert(t.Closure).values(row))
    return here


def given_to_another(here: Country) -> None:
    """The post of an officer is given in the new village already: the case goes on to the new one."""
    _person(here.context.store, here, "new-officer", [("commune_officer", here.unit("23377-01", DAY))])


@pytest.mark.parametrize(
    ("tree", "prepare"),
    [
        (SHIPPED, lambda _here: None),
        (not_yet_merged(), lambda _here: None),
        (SHIPPED, given_to_another),
    ],
    ids=["recorded", "not recorded yet", "given to another"],
)
def test_afterwards_everything_stands_as_before(store: Store, tree: str, prepare: Callable[[Country], None]) -> None:
    here = with_everything(store, tree)
    prepare(here)
    before = standing(here)
    text = merge(here, read_table(TABLE)[0])
    merged = standing(here)
    assert merged != before
    dry = undo(here.context, text, NOON, dry_run=True)
    assert standing(here) == merged
    assert undo(here.context, text, NOON) == dry
    assert standing(here) == before
    assert list(breaks(store)) == []


def test_a_commune_into_another_one_and_a_divided_one_are_undone_the_last_first(store: Store) -> None:
    here, _codes = divided(store)
    first = standing(here)
    moved = merge(here, [], moves=[UnitMove("23389-01", "23383")])
    second = standing(here)
    rest = merge(here, [Merger("23389", "23395")])
    with pytest.raises(Invalid, match=r"no units|changed since the merger"):
        undo(here.context, moved, NOON)
    undo(here.context, rest, NOON)
    assert standing(here) == second
    undo(here.context, moved, NOON)
    assert standing(here) == first
    assert list(breaks(store)) == []


def test_undone_twice_it_is_refused_and_merged_again_it_is_as_the_first_time(store: Store) -> None:
    here = with_everything(store, not_yet_merged())
    text = merge(here, read_table(TABLE)[0])
    undo(here.context, text, NOON)
    before = standing(here)
    with pytest.raises(Invalid, match="undone already"):
        undo(here.context, text, NOON)
    assert standing(here) == before
    assert merge_units(here.context, read_table(TABLE)[0], DAY, NOON).cases == 3


def test_what_was_done_since_stays_and_what_came_since_goes_along(store: Store) -> None:
    here = country(store, not_yet_merged())
    codes = with_cases(here)
    text = merge(here, read_table(TABLE)[0])
    case_acts.accept(here.context, Act(here.viewer("officer-23395", DAY), codes["23395"], {}, NOON))
    sweep.run_due(here.context, at("2025-07-20 12:00"))  # the rules go on: offers to the new commune
    places = {
        "class_id": here.unit("NH-CS1.8A", DAY),
        "school_id": here.unit("NH-CS1", DAY),
        "village_id": here.unit("23389-01", DAY),
        "commune_id": here.unit("23377", DAY),
        "province_id": here.unit("51", DAY),
    }
    with store.writing("test") as session:
        new = {"code": "new", "name": "A Mới", "search_key": "a moi", "sort_key": "moi a", **places}
        pupil = session.execute(insert(t.Pupil).values(new).returning(t.Pupil.id)).scalar_one()
    undo(here.context, text, at("2025-07-21 08:00"))
    with store.reading("test") as session:
        found = session.get_one(t.Pupil, pupil)
        assert (found.class_id, found.village_id, found.commune_id, found.province_id) == (
            here.unit("NH-CS1.8A", BEFORE),
            here.unit("23389-01", BEFORE),
            here.unit("23389", BEFORE),
            here.unit("62", BEFORE),
        )
    accepted = here.case(codes["23395"])
    assert accepted.assignee_id == here.people["officer-23395"]
    assert accepted.commune_id == here.unit("23395", BEFORE)
    assert list(breaks(store)) == []


def test_a_unit_that_was_changed_since_is_named_and_nothing_is_undone(store: Store) -> None:
    here = with_everything(store, not_yet_merged())
    text = merge(here, read_table(TABLE)[0])
    with store.writing("test") as session:
        session.execute(update(t.Unit).where(t.Unit.name == "Xã Đăk Xú").values(successor_id=None))
    before = standing(here)
    with pytest.raises(Invalid, match=r"changed since the merger.*Xã Đăk Xú"):
        undo(here.context, text, NOON)
    assert standing(here) == before


@pytest.mark.parametrize(
    "spoilt",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"format": 1', '"format": 9'),
        lambda text: text.replace('"units"', '"people"'),
        lambda text: text.replace('"valid_to"', '"x"'),
        lambda text: text.replace("[[", '[["x",'),
        lambda _text: '{"undoes": "ralop merge-units: undo", "format": 1}',
        lambda _text: '{"undoes"' + ": [" * 50_000,
    ],
    ids=["half", "another format", "another table", "another column", "another key", "empty", "deep"],
)
def test_a_file_that_is_torn_or_of_something_else_is_refused(store: Store, spoilt: Callable[[str], str]) -> None:
    here = country(store, not_yet_merged())
    text = spoilt(merge(here, [Merger("23389", "23395")]))
    before = standing(here)
    with pytest.raises(Invalid):
        undo(here.context, text, NOON)
    assert standing(here) == before


def test_nothing_merged_leaves_no_file(store: Store) -> None:
    here = country(store, not_yet_merged())
    kept: list[str] = []
    merge_units(here.context, [], DAY, NOON, keep_undo=kept.append)
    assert kept == []


def test_if_the_file_cannot_be_kept_nothing_is_merged(store: Store) -> None:
    here = country(store, not_yet_merged())
    before = standing(here)

    def full(_text: str) -> None:
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        merge_units(here.context, [Merger("23389", "23395")], DAY, NOON, keep_undo=full)
    assert standing(here) == before


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("NH-CS1", "23395", "only units of one kind merge"),
        ("23395", "NH-CS1", "only units of one kind merge"),
        ("23389-01", "23395", "only units of one kind merge"),
        ("23395", "51", "only units of one kind merge"),
        ("23389", "23389", "cannot become part of itself"),
        ("99999", "23395", "no unit “99999”"),
        ("23389", "99999", "no unit “99999”"),
    ],
)
def test_units_that_are_no_equals_are_refused(store: Store, old: str, new: str, why: str) -> None:
    here = country(store, not_yet_merged())
    before = standing(here)
    with pytest.raises((Invalid, NotFound), match=why):
        merge_units(here.context, [Merger(old, new)], DAY, NOON)
    assert standing(here) == before


def test_a_line_of_the_table_with_the_code_of_a_school_is_refused(store: Store) -> None:
    here = country(store, not_yet_merged())
    with pytest.raises(Invalid, match="only units of one kind merge"):
        merge_units(here.context, [Merger("NH-CS1", "23377", "Xã Bờ Y", ("51", "x"))], DAY, NOON)


def test_an_ended_unit_is_not_merged_into_nor_merged_again(store: Store) -> None:
    here = country(store, not_yet_merged())
    merge_units(here.context, [Merger("23389", "23395")], DAY, NOON)
    merge_units(here.context, [Merger("23389", "23395")], DAY, NOON)  # the same again changes nothing
    with pytest.raises(NotFound):
        merge_units(here.context, [Merger("23377", "23389")], DAY, NOON)
    with pytest.raises(NotFound, match="no unit “23389” before"):
        merge_units(here.context, [Merger("23389", "23377")], DAY, NOON)


@pytest.mark.parametrize(("unit", "into"), [("NH-CS1", "23389-01"), ("23389-01", "NH-CS1"), ("23389-01", "51")])
def test_what_cannot_lie_in_a_unit_is_not_moved_there(store: Store, unit: str, into: str) -> None:
    here = country(store, not_yet_merged())
    with pytest.raises(Invalid, match="cannot lie in"):
        merge_units(here.context, [], DAY, NOON, moves=[UnitMove(unit, into)])


def test_the_file_holds_no_name_of_a_child(store: Store) -> None:
    here = with_everything(store, not_yet_merged())
    text = merge(here, read_table(TABLE)[0])
    assert "A Thử" not in text
    assert set(json.loads(text)["changed"]) == {
        "units",
        "appointments",
        "closures",
        "pupils",
        "cases",
        "difficulties",
        "ledger_accounts",
    }
