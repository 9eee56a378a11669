"""What the program relies on is looked at in production too, when Python leaves out every `assert`."""

import subprocess
import sys

import pytest

from engine.core.invariants import Broken, given, hold


def test_what_holds_goes_on() -> None:
    hold(True, "so it is")
    assert given(0, "a number") == 0


def test_what_does_not_hold_raises_and_says_what_was_relied_on() -> None:
    with pytest.raises(Broken, match="it was stored before"):
        given(None, "it was stored before")
    with pytest.raises(Broken, match="roles are in order"):
        hold(False, "roles are in order")


def test_it_raises_where_asserts_are_left_out() -> None:
    lines = "assert False; from engine.core.invariants import hold; hold(False, 'still looked at')"
    ended = subprocess.run([sys.executable, "-O", "-c", lines], capture_output=True, text=True, check=False)
    assert "Broken: still looked at" in ended.stderr
