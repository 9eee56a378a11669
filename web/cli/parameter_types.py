"""Types of arguments: files, days, months, ports. A wrong value is refused before anything begins.

Click's own types refuse in English only; the types of this module use the language of the terminal.
"""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path
from typing import Any, NoReturn

import click

from engine.core import time_source
from engine.core.calendar.span import is_known, outside
from engine.core.words import Sentence
from engine.core.workflow.form_values import read_date
from web.cli.check import language_here

REAL = "real"
_MONTH = re.compile(r"(\d{4})-(\d{1,2})")


class Unusable(click.ClickException):
    """The command cannot begin: an argument does not work here."""

    exit_code = 2

    def __init__(self, sentence: Sentence) -> None:
        super().__init__(sentence.in_(language_here()))


class Typed(click.ParamType[Any]):
    """A type that refuses in the language of the terminal."""

    def refuse(self, sentence: Sentence, param: click.Parameter | None, ctx: click.Context | None) -> NoReturn:
        """Raises click's refusal with this sentence."""
        self.fail(sentence.in_(language_here()), param, ctx)


class FilePath(Typed):
    """The path of an existing, readable file."""

    name = "file"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, or click's failure."""
        path = Path(value)
        if path.is_dir():
            self.refuse(Sentence("{path} is a folder, not a file.", path=path), param, ctx)
        try:
            with path.open("rb"):
                return path
        except OSError:
            self.refuse(Sentence("There is no file {path}, or it cannot be read.", path=path), param, ctx)


class NewFile(Typed):
    """The path of a file that can be written."""

    name = "file"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path, or click's failure."""
        path = Path(value)
        if path.is_dir() or not path.parent.is_dir():
            self.refuse(Sentence("No file can be written at {path}.", path=path), param, ctx)
        return path


class Day(Typed):
    """A day as people write it: 2026-11-25 or 25/11/2026."""

    name = "day"

    def convert(self, value: str | dt.date, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        """The day, or click's failure."""
        day = read_date(value)
        if day is None:
            sentence = Sentence("{text} is no day; write 2026-11-25 or 25/11/2026.", text=value)
            self.refuse(sentence, param, ctx)
        if not is_known(day):
            self.refuse(outside(str(value)), param, ctx)
        return day


class MonthType(Typed):
    """A month: 2026-09."""

    name = "month"

    def convert(self, value: str | dt.date, param: click.Parameter | None, ctx: click.Context | None) -> dt.date:
        """Its first day, or click's failure."""
        if isinstance(value, dt.date):
            return value
        found = _MONTH.fullmatch(value.strip())
        if found is None or not 1 <= int(found[2]) <= 12:
            self.refuse(Sentence("{text} is no month; write for example 2026-09.", text=value), param, ctx)
        first = dt.date(max(int(found[1]), 1), int(found[2]), 1)
        if not is_known(first):
            self.refuse(outside(value), param, ctx)
        return first


class Moment(Typed):
    """A date-time for the clock, or "real" for the machine's own."""

    name = "moment"

    def convert(
        self, value: str | dt.datetime, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.datetime | str:
        """The moment, or REAL; else click's failure."""
        if value == REAL or isinstance(value, dt.datetime):
            return value
        try:
            moment = dt.datetime.fromisoformat(value)
        except ValueError:
            sentence = Sentence("{text} is not a date-time; write for example 2026-03-02T16:00.", text=value)
            self.refuse(sentence, param, ctx)
        if not time_source.is_lived_in(moment):
            self.refuse(time_source.not_lived_in(moment), param, ctx)
        return moment


class Port(Typed):
    """The number of a port to listen on."""

    name = "port"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number, or click's failure."""
        text = str(value).strip()
        if not (text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= 65_535):
            self.refuse(Sentence("{text} is no port: write a number from 1 to 65535.", text=value), param, ctx)
        return int(text)


FILE, NEW_FILE, DAY, MONTH, MOMENT, PORT = FilePath(), NewFile(), Day(), MonthType(), Moment(), Port()
