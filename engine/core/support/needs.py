"""Needs of a case: how much of each is met, the oldest first; the rest stays open."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Counted = tuple[int, str, int]  # the number of the event on the case, the kind, the steps


def met(needs: Sequence[Counted], given: Iterable[tuple[int | None, str, int]]) -> list[int]:
    """Returns how much of each need is met.

    A gift meets the needs of its kind that were raised before it, the oldest first. What came back opens the newest of
    them again.

    Args:
        needs: of one case, the oldest first.
        given: what the case was given, in order; less than zero for what came back, whose number is None.
    """
    found = [0] * len(needs)
    for seq, kind, steps in given:
        left, order = steps, range(len(needs))
        for at in order if steps > 0 else reversed(order):
            raised, its_kind, wanted = needs[at]
            if its_kind == kind and (seq is None or raised < seq):
                part = max(-found[at], min(wanted - found[at], left))
                found[at] += part
                left -= part
    return found
