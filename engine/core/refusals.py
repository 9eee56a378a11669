"""The reasons for refusing what a person asked for. Each has a code (for scenarios and HTTP) and a sentence."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.words import Sentence


class Refused(Exception):
    """Nothing was done; `sentence` says why."""

    code = "invalid"

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        super().__init__(str(sentence))


class NoAccess(Refused):
    """The person has no duty towards this pupil."""

    code = "no_access"


class NotAllowed(Refused):
    """The person may see the case, but this step is not theirs, or not possible now."""

    code = "not_allowed"


class NotFound(Refused):
    """The thing does not exist."""

    code = "not_found"


class Conflict(Refused):
    """Somebody else was faster; the sentence says who did what and when."""

    code = "conflict"


class NotEnough(Refused):
    """A fund, a stock or a pledge holds less than what was to be taken from it."""

    code = "insufficient"


class Invalid(Refused):
    """A value is missing or wrong; `fields` has a sentence for each field."""

    code = "invalid"

    def __init__(self, fields: Mapping[str, Sentence]) -> None:
        self.fields = dict(fields)
        super().__init__(next(iter(self.fields.values())))


class Questioned(Invalid):
    """A value is unlikely, but can be: asked about once. The same form with `confirm` is taken."""
