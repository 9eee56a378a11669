"""One short line stands for everything: whatever is changed, left out, added or put elsewhere changes it."""

import datetime as dt
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.proof import beside
from engine.core.proof.merkle import NOTHING, Head, Part, hashed, merkle, read_head, root

LEAVES = st.lists(st.text(max_size=3), max_size=9)
NOON = dt.datetime(2026, 3, 2, 5, tzinfo=dt.UTC)
PART = Part("notices", 1, 1, 100, 100, NOTHING)


def test_the_tree_is_the_one_of_rfc_6962() -> None:
    one, two, three = (hashlib.sha256(b"\x00" + leaf).digest() for leaf in (b"a", b"b", b"c"))
    knot = hashlib.sha256(b"\x01" + one + two).digest()
    assert merkle(map(hashed, "abc")) == hashlib.sha256(b"\x01" + knot + three).hexdigest()
    assert merkle([hashed("a")]) == one.hex()
    assert merkle([]) == hashlib.sha256(b"").hexdigest()


@given(LEAVES, LEAVES)
def test_other_leaves_have_another_root(some: list[str], others: list[str]) -> None:
    same = merkle(map(hashed, some)) == merkle(map(hashed, others))
    assert same == (some == others)


@pytest.mark.parametrize("change", [{"form": 2}, {"first": 2}, {"last": 99}, {"rows": 99}, {"stream": "events"}])
def test_a_root_holds_everything_that_a_part_says(change: dict[str, Any]) -> None:
    other = PART._replace(**change)
    assert root("", 1, NOON, [PART]) != root("", 1, NOON, [other])


def test_a_root_holds_its_number_its_moment_and_the_root_before() -> None:
    roots = {
        root("", 1, NOON, [PART]),
        root("", 2, NOON, [PART]),
        root("", 1, NOON + dt.timedelta(seconds=1), [PART]),
        root(NOTHING, 1, NOON, [PART]),
    }
    assert len(roots) == 4


@pytest.mark.parametrize("text", ["", "17", "17-", f"17-{'g' * 32}", f"17-{'a' * 31}", f"-1-{'a' * 32}"])
def test_what_is_no_head_is_not_read(text: str) -> None:
    assert read_head(text) is None


def test_a_head_is_read_as_it_was_copied() -> None:
    head = Head(17, hashed("a"))
    assert read_head(f" {str(head).upper()}\n") == Head(17, head.root[:32])


def test_the_digest_of_rows_takes_them_in_any_order_but_none_twice() -> None:
    one, two = (1, "teacher", NOON), (2, None, NOON)
    assert beside.digest([one, two]) == beside.digest([two, one])
    assert beside.digest([one, two]) != beside.digest([one, two, two])
    assert beside.number_of(beside.digest([one, two])) == 2
