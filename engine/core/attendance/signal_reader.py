"""Reads `rules/risk.toml`: the signals of the risk watch, each with its words.

engine/core/attendance/signals.py says what the signals mean.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from engine.core.attendance.signals import ABSENT, COUNTS, MODES, RiskRules, Signal
from engine.core.toml_reader import Reader, duplicates, format_of, in_words, read_toml
from engine.core.words import Faulty, Sentence

KEYS = frozenset(
    {
        "mode",
        "count",
        "signal",
        "return_confirmed",
        "return_watched",
        "relapse_after",
        "excused_limit",
        "untaken_bridged",
    }
)
"""What tells such a file from others."""
ID = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
WITHIN = re.compile(r"(\d{1,3}) school days?")
NUMBERS = Sentence("a whole number from 1, or a list of such numbers, the smallest first")


def load_risk(text: str, file: str) -> RiskRules:
    """Returns the signals that the text of a TOML file declares.

    Raises:
        Faulty: lists every fault of the file.
    """
    reader = read_toml(text, file)
    format_of(reader)
    rules = RiskRules(
        version=reader.whole("version", least=1),
        mode=reader.one_of("mode", MODES, Sentence("mode")),
        count=reader.one_of("count", COUNTS, Sentence("count rule")),
        return_confirmed=reader.whole("return_confirmed", 5, least=1),
        return_watched=reader.whole("return_watched", 20, least=1),
        relapse_after=reader.whole("relapse_after", 2, least=1),
        excused_limit=reader.whole("excused_limit", 0, least=0),
        untaken_bridged=reader.whole("untaken_bridged", 3, least=0),
        signals=tuple(_signal(table) for table in reader.tables("signal")),
    )
    for id in duplicates(iter(signal.id for signal in rules.signals)):
        reader.fault("signal", Sentence("The id “{id}” is given twice.", id=id))
    reader.close()
    if reader.faults:
        raise Faulty(reader.faults)
    return rules


def _signal(reader: Reader) -> Signal:
    id = reader.text("id")
    if "id" in reader and id and not ID.fullmatch(id):
        reader.fault(
            "id", Sentence("Write ids with small letters a-z, digits and - only, for example contact-overdue.")
        )
    why = reader.label("why", in_words(id))
    when = reader.table("when", required=True)
    names = [name for name in KINDS if name in when]
    if len(names) != 1:
        if "when" in reader:
            reader.fault("when", Sentence("Give exactly one condition: {names}.", names=list(KINDS)))
        return Signal(id, why, "", (1,))
    return KINDS[names[0]](id, why, names[0], when)


def _plain(id: str, why: object, kind: str, when: Reader) -> Signal:
    return Signal(id, why, kind, _numbers(when, kind))  # type: ignore[arg-type]


def _detailed(id: str, why: object, kind: str, when: Reader) -> Signal:
    inner = when.table(kind)
    least = _percent(inner) if kind == "share" else _numbers(inner, "at_least")
    within = 0
    if kind == "absent_days":
        within = inner.parsed("within", _school_days, Sentence("a time such as “10 school days”"), required=True) or 1
    if kind == "same_weekday":
        within = inner.whole("within_weeks", least=1)
    kinds = kind in {"absent_days", "after_break"}
    absence = inner.one_of("kind", ABSENT, Sentence("kind of absence"), default="unexcused") if kinds else "any"
    after = inner.whole("after_days", 20, least=1) if kind == "share" else 0
    return Signal(id, why, kind, least, within, absence, after)  # type: ignore[arg-type]


KINDS: Mapping[str, Callable[..., Signal]] = {
    "unexcused_in_a_row": _plain,
    "excused_in_a_row": _plain,
    "sibling_case": _plain,
    "earlier_case": _plain,
    "absent_days": _detailed,
    "same_weekday": _detailed,
    "after_break": _detailed,
    "share": _detailed,
    "year_sessions": _detailed,
}
"""The conditions that a signal may have."""


def _numbers(reader: Reader, key: str) -> tuple[int, ...]:
    value = reader.raw(key)
    numbers = tuple(value) if isinstance(value, list) else (value,)
    sound = all(type(number) is int and number > 0 for number in numbers)
    if not numbers or not sound or list(numbers) != sorted(set(numbers)):
        reader.wrong(key, NUMBERS) if key in reader else reader.fault(
            key, Sentence("This is missing; it must be {kind}.", kind=NUMBERS)
        )
        return (1,)
    return numbers


def _percent(reader: Reader) -> tuple[int, ...]:
    share = reader.number("at_least", required=True)
    if share is not None and not 0 < share <= 1:
        reader.fault("at_least", Sentence("A share is above 0 and at most 1: 0.10 is ten percent."))
    return (max(1, round(float(share or 1) * 100)),)


def _school_days(text: str) -> int:
    found = WITHIN.fullmatch(text)
    if not found or not int(found[1]):
        raise ValueError(text)
    return int(found[1])
