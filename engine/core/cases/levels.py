"""Says how urgent a case is: how often it was reported upward because nobody acted in time."""

from __future__ import annotations

from engine.core.words import Sentence


def level_words(level: int) -> Sentence:
    """Returns the level of a case as a phrase. Each step up was a report to those above who has the case."""
    if level == 1:
        return Sentence("Reported upward")
    return Sentence("Reported upward {times} times", times=level) if level else Sentence("Not reported upward")
