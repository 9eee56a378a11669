"""Words for people: labels in two languages, sentences that are translated, faults that name file and key.

Sentences are written in English in the code (`Sentence("There is no state {name}.", name="x")`) and translated through
one gettext catalogue, `engine/translations/vi/LC_MESSAGES/messages.po`, that the engine, the command line and the pages
share. The program reads the catalogue directly, without a compiled file that could be stale.
"""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

LANGUAGES = ("vi", "en")
TRANSLATIONS = Path(__file__).parents[1] / "translations"


@cache
def catalogue(language: str) -> NullTranslations:
    """The messages of one language; English is the source and translates to itself."""
    source = TRANSLATIONS / language / "LC_MESSAGES" / "messages.po"
    if not source.exists():
        return NullTranslations()
    compiled = io.BytesIO()
    with source.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)


def written(value: object, language: str) -> str:
    """A value as people write it: dd/mm/yyyy dates, HH:MM dd/mm/yyyy times, labels and sentences in the language."""
    if type(value) is str:  # most values are
        return value
    if isinstance(value, (Label, Sentence)):
        return value.in_(language)
    if isinstance(value, dt.datetime):
        return f"{value:%H:%M} {value.day:02}/{value.month:02}/{value.year:04}"
    if isinstance(value, dt.date):
        return f"{value.day:02}/{value.month:02}/{value.year:04}"
    if isinstance(value, list | tuple):
        return ", ".join(written(item, language) for item in value)
    return str(value)


@dataclass(frozen=True, slots=True)
class Label:
    """The words on screen for one thing of a workflow or rules file, in both languages."""

    vi: str
    en: str

    def in_(self, language: str) -> str:
        """The words in `language`; Vietnamese for any language that is not English."""
        return self.en if language == "en" else self.vi


@dataclass(frozen=True, slots=True)
class Sentence:
    """A message to a person: an English text with {named} fields.

    It is translated when it is shown, not when it is made.
    """

    msgid: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def __init__(self, msgid: str, /, **params: Any) -> None:
        object.__setattr__(self, "msgid", msgid)
        object.__setattr__(self, "params", params)

    def in_(self, language: str) -> str:
        """The sentence in `language`, its values written as people of that language write them."""
        text = catalogue(language).gettext(self.msgid) if self.msgid else ""
        return text.format(**{name: written(value, language) for name, value in self.params.items()})

    def __str__(self) -> str:
        return self.in_("en")


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a file that a person wrote: where it is, and what would be right."""

    file: str
    key: str
    sentence: Sentence

    def in_(self, language: str) -> str:
        """`file: key: sentence`, the form that `ralop check` prints."""
        return ": ".join(part for part in (self.file, self.key, self.sentence.in_(language)) if part)

    def __str__(self) -> str:
        return self.in_("en")


class Faulty(Exception):
    """A file has faults; `faults` lists all of them, so that a person can correct them in one go."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("\n".join(map(str, self.faults)))
