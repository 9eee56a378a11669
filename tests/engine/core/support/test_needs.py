"""A need is met by what is given after it, the oldest first; what is not met stays open."""

import pytest

from engine.core.support.needs import Counted, met

TWO = [(3, "rice", 20), (5, "rice", 10)]


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([], [0, 0]),
        ([(4, "rice", 5)], [5, 0]),
        ([(6, "rice", 25)], [20, 5]),
        ([(6, "rice", 100)], [20, 10]),
        ([(2, "rice", 100)], [0, 0]),
        ([(4, "rice", 100)], [20, 0]),
        ([(6, "coat", 100)], [0, 0]),
        ([(6, "rice", 25), (None, "rice", -7)], [18, 0]),
        ([(6, "rice", 25), (None, "rice", -7), (7, "rice", 3)], [20, 1]),
    ],
)
def test_what_was_given_meets_the_needs(given: list[tuple[int | None, str, int]], expected: list[int]) -> None:
    needs: list[Counted] = TWO
    assert met(needs, given) == expected
