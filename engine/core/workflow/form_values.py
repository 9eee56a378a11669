"""Reads what people fill in, field by field. It accepts many ways of writing, but only correct values.

It takes text typed on a phone and values of a scenario file, and returns what is stored (plain JSON: dates as ISO text,
decimals as text). Dates have the forms that people use here: 5/2/2026, 05-02-2026, 05.02.26, 2026-02-05.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.core.refusals import Invalid
from engine.core.words import Sentence
from engine.core.workflow.model import Field

YES = frozenset({"1", "true", "yes", "on", "co", "có", "y"})
NO = frozenset({"0", "false", "no", "off", "khong", "không", "n"})
LONGEST = {"line": 200, "text": 2000}


class Misread(ValueError):
    """A value that cannot be taken; its sentence says what would be right."""

    def __init__(self, sentence: Sentence) -> None:
        self.sentence = sentence
        super().__init__(str(sentence))


def read_form(
    needs: Iterable[Field], may: Iterable[Field], raw: Mapping[str, object], today: dt.date
) -> dict[str, Any]:
    """Returns all fields of a form, without empty optional ones. Raises `Invalid`, which names every wrong field."""
    values, wrong = {}, {}
    for required, fields in ((True, needs), (False, may)):
        for field in fields:
            try:
                value = read(field, raw.get(field.name), today)
            except Misread as misread:
                wrong[field.name] = misread.sentence
                continue
            if value is not None:
                values[field.name] = value
            elif required:
                wrong[field.name] = Sentence("Fill in: {label}.", label=field.label)
    if wrong:
        raise Invalid(wrong)
    return values


def read(field: Field, raw: object, today: dt.date) -> Any:
    """One field's value, or None if nothing was filled in. Raises `Misread`."""
    if isinstance(raw, str):
        raw = unicodedata.normalize("NFC", raw).strip()
    if raw is None or raw in ("", []):
        return None
    return _READERS[field.type](field, raw, today)


def _text(field: Field, raw: Any, _today: dt.date) -> str:
    most = field.max_length or LONGEST[field.type]
    text = str(raw).replace("\r\n", "\n")
    if any(unicodedata.category(char) in {"Cc", "Cs"} and char not in "\n\t" for char in text):
        raise Misread(Sentence("“{label}” holds characters that cannot be stored.", label=field.label))
    if len(text) > most:
        long = {"label": field.label, "length": len(text), "most": most}
        raise Misread(Sentence("“{label}” is {length} characters long; {most} is the most.", **long))
    return text if field.type == "text" else " ".join(text.split())


def read_date(raw: object) -> dt.date | None:
    """A date as people write it, or None if it is not one. Two-digit years are of this century."""
    if isinstance(raw, dt.datetime):
        return raw.date()
    if isinstance(raw, dt.date):
        return raw
    text = str(raw).strip()
    if found := re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text):
        year, month, day = map(int, found.groups())
    elif found := re.fullmatch(r"(\d{1,2})[/.\-\s](\d{1,2})[/.\-\s](\d{4}|\d{2})", text):
        day, month, year = map(int, found.groups())
        year += 2000 if len(found[3]) == 2 else 0
    else:
        return None
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def _date(field: Field, raw: Any, today: dt.date) -> str:
    date = read_date(raw)
    if date is None or not 1900 < date.year < 2200:
        said = {"label": field.label, "example": today}
        raise Misread(Sentence("“{label}”: write a date as day/month/year, such as {example}.", **said))
    if field.when == "past" and date > today:
        raise Misread(Sentence("“{label}” is {date}: that is after today, {today}.", **_both(field, date, today)))
    if field.when == "future" and date < today:
        raise Misread(Sentence("“{label}” is {date}: that is before today, {today}.", **_both(field, date, today)))
    return date.isoformat()


def _both(field: Field, date: dt.date, today: dt.date) -> dict[str, Any]:
    return {"label": field.label, "date": date, "today": today}


def _choice(field: Field, raw: Any, _today: dt.date) -> str:
    if isinstance(raw, list | tuple):
        raw = raw[0] if len(raw) == 1 else None
    if not isinstance(raw, str) or field.choice(raw) is None:
        raise Misread(Sentence("“{label}”: choose one of the list.", label=field.label))
    return raw


def _choices(field: Field, raw: Any, _today: dt.date) -> list[str]:
    given = [raw] if isinstance(raw, str) else list(raw) if isinstance(raw, list | tuple) else [None]
    codes = [code for code in given if isinstance(code, str) and field.choice(code)]
    if len(codes) != len(given):
        raise Misread(Sentence("“{label}”: choose from the list.", label=field.label))
    return list(dict.fromkeys(codes))


def _yes_no(field: Field, raw: Any, _today: dt.date) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw).lower()
    if text in YES or text in NO:
        return text in YES
    raise Misread(Sentence("“{label}”: answer yes or no.", label=field.label))


def _number(field: Field, raw: Any) -> Decimal:
    """Returns a number written as here or abroad: 1.000.000 or 1,5 or 1.5.

    A point before three digits groups thousands.
    """
    if isinstance(raw, bool) or not isinstance(raw, str | int | float | Decimal):
        raise Misread(Sentence("“{label}”: write a number.", label=field.label))
    text = str(raw).replace("\u00a0", "").replace(" ", "").removesuffix("đ")
    if isinstance(raw, str):
        if re.fullmatch(r"-?\d{1,3}(\.\d{3})+(,\d+)?", text):
            text = text.replace(".", "").replace(",", ".")
        elif re.fullmatch(r"-?\d{1,3}(,\d{3}){2,}(\.\d+)?", text):
            text = text.replace(",", "")
        else:
            text = text.replace(",", ".")
    if not re.fullmatch(r"-?\d{1,15}(\.\d{1,9})?", text):
        raise Misread(Sentence("“{label}”: write a number.", label=field.label))
    try:
        number = Decimal(text)
    except InvalidOperation:  # pragma: no cover - the pattern admits decimals only
        raise Misread(Sentence("“{label}”: write a number.", label=field.label)) from None
    if field.least is not None and number < field.least:
        raise Misread(Sentence("“{label}” must be at least {least}.", label=field.label, least=field.least))
    if field.most is not None and number > field.most:
        raise Misread(Sentence("“{label}” can be at most {most}.", label=field.label, most=field.most))
    return number


def _decimal(field: Field, raw: Any, _today: dt.date) -> str:
    return format(_number(field, raw).normalize(), "f")


def _whole(field: Field, raw: Any, _today: dt.date) -> int:
    number = _number(field, raw)
    if number != number.to_integral_value():
        raise Misread(Sentence("“{label}”: write a whole number.", label=field.label))
    return int(number)


_READERS: Mapping[str, Callable[[Field, Any, dt.date], Any]] = {
    "text": _text,
    "line": _text,
    "date": _date,
    "choice": _choice,
    "choices": _choices,
    "yes_no": _yes_no,
    "whole": _whole,
    "money": _whole,
    "decimal": _decimal,
}
