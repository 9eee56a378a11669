"""Reads TOML that a person wrote: returns typed values, and collects every fault with its key and what would be right.

A getter that finds a fault notes it and returns a harmless value. So reading goes on, and all faults of a file can be
shown at once. Keys that nobody read are faults too: `close()` finds them.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import json
import math
import re
import tomllib
import unicodedata
from collections.abc import Callable, Collection, Iterator, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from engine.core.words import Fault, Faulty, Label, Sentence

T = TypeVar("T")

TEXT = Sentence("text in quotes")
WHOLE = Sentence("a whole number")
NUMBER = Sentence("a number")
YES_NO = Sentence("true or false")
TEXTS = Sentence("a list of texts")
TABLE = Sentence("a table")
TABLES = Sentence("a list of tables")
DAY = Sentence("a day without quotes, for example 2026-02-17")
LABEL = Sentence('a label in two languages: {{ vi = "…", en = "…" }}')
KEY = Sentence("key")
LANGUAGE_NAMES = {"vi": Sentence("Vietnamese"), "en": Sentence("English")}

FORMAT = 1
NAME = re.compile(r"[a-z][a-z0-9_]*")
_PLACE = re.compile(r"^(.*) \(at (?:line (\d+), column (\d+)|end of document)\)$", re.DOTALL)


class Reader:
    """One table of a TOML file. `path` is its dotted name. All readers of one file share their list of faults."""

    def __init__(self, data: Mapping[str, Any], file: str, path: str = "", faults: list[Fault] | None = None) -> None:
        self.data, self.file, self.path = data, file, path
        self.faults: list[Fault] = [] if faults is None else faults
        self._asked: dict[str, None] = {}
        self._below: list[Reader] = []

    def __contains__(self, key: str) -> bool:
        return key in self.data

    def fault(self, key: str, sentence: Sentence) -> None:
        """Note that something is wrong with `key` of this table ("" is the table itself)."""
        self.faults.append(Fault(self.file, self._at(key), sentence))

    def _at(self, key: str) -> str:
        return ".".join(part for part in (self.path, key) if part)

    def _take(self, key: str, kind: Sentence, fits: Callable[[Any], bool], required: bool) -> Any:
        """Returns the value of `key` if it exists and fits; else None, with a fault noted if one is due."""
        self._asked[key] = None
        if key not in self.data:
            if required:
                self.fault(key, Sentence("This is missing; it must be {kind}.", kind=kind))
            return None
        value = self.data[key]
        if fits(value):
            return value
        self.wrong(key, kind)
        return None

    def wrong(self, key: str, kind: Sentence) -> None:
        """Note that the value of `key` is not of the `kind` it must be."""
        self.fault(key, Sentence("This must be {kind}, not {found}.", kind=kind, found=shown(self.data[key])))

    def text(self, key: str, default: str | None = None) -> str:
        """Returns a text that is not empty; required unless there is a default."""
        value = self._take(key, TEXT, _is_text, default is None)
        return (default or "") if value is None else clean(value)

    def flag(self, key: str, default: bool | None = False) -> bool:
        """true or false."""
        value = self._take(key, YES_NO, lambda value: isinstance(value, bool), default is None)
        return bool(default) if value is None else bool(value)

    def whole(self, key: str, default: int | None = None, least: int | None = None) -> int:
        """A whole number, of at least `least`; required unless there is a default."""
        value = self._take(key, WHOLE, is_whole, default is None)
        if value is None:
            return least or 0 if default is None else default
        if least is not None and value < least:
            self.fault(key, Sentence("This must be at least {least}, not {found}.", least=least, found=value))
            return least
        return int(value)

    def number(self, key: str, required: bool = False) -> Decimal | None:
        """A number that is neither infinite nor `nan`; None if it is not there."""
        value = self._take(key, NUMBER, _is_number, required)
        return None if value is None else Decimal(str(value))

    def day(self, key: str, required: bool = False) -> dt.date | None:
        """A TOML date without a time; None if it is not there."""
        value = self._take(key, DAY, lambda value: type(value) is dt.date, required)
        return value if isinstance(value, dt.date) else None

    def texts(self, key: str, required: bool = False) -> tuple[str, ...]:
        """A list of texts, none of them twice; a required one holds at least one."""
        values = self._take(key, TEXTS, lambda value: _is_texts(value) and (bool(value) or not required), required)
        texts = tuple(map(clean, values or ()))
        for text in sorted({text for text in texts if texts.count(text) > 1}):
            self.fault(key, Sentence("{name} stands here twice.", name=text))
        return tuple(dict.fromkeys(texts))

    def label(self, key: str, default: Label | None = None) -> Label:
        """Words in both languages; required unless there is a default."""
        value = self._take(key, LABEL, lambda value: isinstance(value, dict), default is None)
        if value is None:
            return default or Label("", "")
        inner = self._inner(key, value)
        words = {language: inner.words(language) for language in LANGUAGE_NAMES}
        return Label(**words)

    def words(self, language: str) -> str:
        """The words of a label, this table, in one language ("vi", "en")."""
        value = self._take(language, TEXT, _is_text, False)
        if value is None and language not in self.data:
            name = LANGUAGE_NAMES[language]
            self.fault(language, Sentence("The words in {language} are missing.", language=name))
        return clean(value or "")

    def maybe_label(self, key: str) -> Label | None:
        """Words in both languages, or None if the key is not there."""
        if key in self.data:
            return self.label(key)
        self._asked[key] = None
        return None

    def parsed(self, key: str, parse: Callable[[str], T], kind: Sentence, required: bool = False) -> T | None:
        """A text that `parse` understands, or None. Its ValueError may carry a `sentence` that says what is wrong."""
        value = self._take(key, kind, _is_text, required)
        if value is None:
            return None
        try:
            return parse(clean(value))
        except ValueError as error:
            sentence = getattr(error, "sentence", None)
            self.fault(key, sentence) if isinstance(sentence, Sentence) else self.wrong(key, kind)
            return None

    def raw(self, key: str) -> Any:
        """The value of `key` unchanged, for a caller that takes several kinds; None if it is missing."""
        self._asked[key] = None
        return self.data.get(key)

    def one_of(self, key: str, names: Collection[str], kind: Sentence, default: str | None = None) -> str:
        """One of `names`; required unless there is a default."""
        name = self.text(key, default)
        known = key not in self.data or not name or self.known(key, name, names, kind)
        return name if known else default or ""

    def some_of(self, key: str, names: Collection[str], kind: Sentence, required: bool = False) -> tuple[str, ...]:
        """Several of `names`; those that are unknown are noted and left out."""
        return tuple(name for name in self.texts(key, required) if self.known(key, name, names, kind))

    def known(self, key: str, name: str, names: Collection[str], kind: Sentence) -> bool:
        """Whether `name` is one of `names`; notes a fault with the nearest one if it is not."""
        if name not in names:
            self.fault(key, unknown(name, names, kind))
        return name in names

    def table(self, key: str, required: bool = False) -> Reader:
        """The table under `key`; an empty one if it is not there."""
        return self._inner(key, self._take(key, TABLE, lambda value: isinstance(value, dict), required) or {})

    def named(self, key: str, pattern: re.Pattern[str] = NAME, required: bool = False) -> dict[str, Reader]:
        """The tables under `key` by their names, in file order."""
        outer = self.table(key, required)
        for name in outer.data:
            if not pattern.fullmatch(name):
                outer.fault(name, Sentence("Write names with small letters a-z, digits and _ only."))
        return {name: outer.table(name) for name in outer.data}

    def tables(self, key: str, name_key: str = "id") -> list[Reader]:
        """The list of tables under `key`; each is called by its `name_key` in faults, or by its number."""
        values = self._take(key, TABLES, _is_tables, False) or []
        return [self._inner(_called(key, number, value, name_key), value) for number, value in enumerate(values, 1)]

    def _inner(self, key: str, data: Mapping[str, Any]) -> Reader:
        reader = Reader(data, self.file, self._at(key), self.faults)
        self._below.append(reader)
        return reader

    def close(self) -> None:
        """Notes every key that nobody read, here and in all tables below."""
        for key in self.data:
            if key not in self._asked:
                self.fault(key, unknown(key, self._asked, KEY))
        for reader in self._below:
            reader.close()


def read_toml(text: str, file: str) -> Reader:
    """The whole file as a Reader, in NFC; raises Faulty with the line if it is not TOML."""
    try:
        return Reader(tomllib.loads(unicodedata.normalize("NFC", text.removeprefix("\ufeff"))), file)
    except RecursionError:
        sentence = Sentence("This is nested too deeply.")
    except ValueError as error:
        sentence = _syntax(str(error))
    raise Faulty([Fault(file, "", sentence)])


def _syntax(message: str) -> Sentence:
    found = _PLACE.match(message)
    if not found:
        return Sentence("This is not TOML: {detail}.", detail=message)
    detail, line, column = found.groups()
    if line is None:
        return Sentence("This is not TOML: {detail} (at the end of the file).", detail=detail)
    place = {"line": line, "column": column}
    return Sentence("This is not TOML: {detail} (line {line}, column {column}).", detail=detail, **place)


def unknown(name: str, names: Collection[str], kind: Sentence) -> Sentence:
    """Says that a name is unknown, with the name that was probably meant, or with all known names."""
    near = difflib.get_close_matches(name, list(names), 1)
    if near:
        return Sentence("There is no {kind} “{name}”; did you mean “{near}”?", kind=kind, name=name, near=near[0])
    if not names:
        return Sentence("There is no {kind} “{name}”.", kind=kind, name=name)
    return Sentence("There is no {kind} “{name}”; there are: {known}.", kind=kind, name=name, known=list(names))


def shown(value: object) -> str:
    """Returns a value as in the file, cut to 60 characters."""
    try:
        text = json.dumps(value, ensure_ascii=False, default=str)
    except (ValueError, RecursionError):  # an integer with thousands of digits, a table nested thousands deep
        return "…"
    return text if len(text) <= 60 else text[:59] + "…"


def clean(text: str) -> str:
    """A text without blanks at either end."""
    return text.strip()


def is_whole(value: object) -> bool:
    """Returns whether a TOML value is a whole number of 64 bits (true and false are not)."""
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def _is_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _is_number(value: object) -> bool:
    return is_whole(value) or (isinstance(value, float) and math.isfinite(value))


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _is_tables(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)


def _called(key: str, number: int, value: Mapping[str, Any], name_key: str) -> str:
    name = value.get(name_key)
    return f"{key} “{name}”" if isinstance(name, str) and name else f"{key} {number}"


def duplicates(names: Iterator[str]) -> tuple[str, ...]:
    """The names that come up more than once, each once, in order."""
    seen: dict[str, int] = {}
    for name in names:
        seen[name] = seen.get(name, 0) + 1
    return tuple(name for name, times in seen.items() if times > 1)


def format_of(reader: Reader, newest: int = FORMAT) -> int:
    """Returns the format of a file; notes a fault unless this program reads it: any up to `newest`."""
    found = reader.whole("format")
    if not FORMAT <= found <= newest and "format" in reader:
        if newest > FORMAT:
            known = list(range(FORMAT, newest + 1))
            reader.fault("format", Sentence("This program reads the formats {known}.", known=known))
        else:
            reader.fault("format", Sentence("This program reads format {format}.", format=FORMAT))
    return found


def digest_of(text: str) -> str:
    """The SHA-256 of a file's text, in hex."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def in_words(name: str) -> Label:
    """Returns the words for a thing that has none in its file: its name, written as words."""
    words = name.replace("_", " ").replace("-", " ").capitalize()
    return Label(words, words)
