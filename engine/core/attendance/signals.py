"""Decides which signals of risk a pupil's register gives on a day, without a database.

A register holds the sessions that were taken, one entry each: a pupil of the list without a mark was present. A session
that was not taken counts neither as absence nor as presence. It does not make a run longer, and absences on both sides
of it are in a row only if few school days without a register lie between them. Days on which the pupil has no class
(closures, study away from class, holidays) do not count.
"""

from __future__ import annotations

import datetime as dt
import math
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from operator import itemgetter
from typing import NamedTuple

from engine.core.words import Label

Taken = tuple[dt.date, str, str]  # day, session (m, a), mark (p present, l late, e excused, u unexcused)
Register = Sequence[Taken]  # in the order of the sessions

DAY, MAIN_SESSION, EVERY_SESSION = "day", "main_session", "every_session"
COUNTS = (DAY, MAIN_SESSION, EVERY_SESSION)
OPEN, PROPOSE = "open", "propose"
MODES = (OPEN, PROPOSE)
OFF = "off"
DOES = (*MODES, OFF)  # what one signal may do
UNEXCUSED, ANY = "unexcused", "any"
ABSENT = {UNEXCUSED: frozenset("u"), ANY: frozenset("eu")}
WEEKEND = 3  # at most so many days lie between two school days with a weekend between; more days are a break
AFTER = 3  # school days that are "just after" a break
LENIENT = frozenset({"unexcused_in_a_row", "excused_in_a_row", "absent_days", "same_weekday"})
"""Kinds of signals that a season makes more watchful; the others have a limit set by law, or a season of their own."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One signal that the watch looks for.

    `at_least` are its thresholds, the lowest first: sessions, days, or percent (`share`).

    `within` is a number of school days (`absent_days`) or weeks (`same_weekday`), `after_days` the number of days that
    must have been taken before the signal `share` is judged.
    """

    id: str
    why: Label
    kind: str
    at_least: tuple[int, ...]
    within: int = 0
    absence: str = UNEXCUSED
    after_days: int = 0


@dataclass(frozen=True, slots=True)
class RiskRules:
    """A whole, checked file of signals.

    Attributes:
        mode: whether the watch opens cases or proposes them to the teacher.
        count: what counts as one of the 45 sessions where there are two a day (TT 22/2021/TT-BGDĐT, Art. 12).
        return_confirmed: days attended in a row that confirm a return.
        return_watched: days attended during which a return counts as fresh.
        relapse_after: unexcused sessions in a row that undo a fresh return.
        excused_limit: excused sessions in a row up to which an illness counts towards no signal but the yearly ones.
        untaken_bridged: school days without a register over which absences are still in a row.
    """

    version: int
    mode: str
    count: str
    return_confirmed: int
    return_watched: int
    relapse_after: int
    excused_limit: int
    signals: tuple[Signal, ...]
    untaken_bridged: int = 3
    _asks: dict[float, list[tuple[Signal, int]]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def asks(self, factor: float) -> list[tuple[Signal, int]]:
        """Returns each signal with a number of sessions: the fewest missed in a school year that can reach it in this
        season.
        """
        if factor not in self._asks:
            self._asks[factor] = [(signal, _fewest(signal, factor)) for signal in self.signals]
        return self._asks[factor]

    def signal(self, id: str) -> Signal | None:
        """The signal with this id, or None."""
        return next((signal for signal in self.signals if signal.id == id), None)


class Rhythm(NamedTuple):
    """Which sessions a class has: its main one (m, a), and whether it has two a day."""

    main: str = "m"
    two: bool = False

    @classmethod
    def of(cls, mornings: int, afternoons: int) -> Rhythm:
        """Returns the rhythm of a class that took attendance on so many mornings and afternoons."""
        two = min(mornings, afternoons) * 2 >= max(mornings, afternoons) > 0
        return cls("a" if afternoons > mornings else "m", two)


@dataclass(frozen=True, slots=True)
class History:
    """What the watch knows of a pupil on a day: marks and days with class of this school year up to that day.

    `factor` is the factor of the season; below 1 it lowers the thresholds. `sibling` says whether a sibling has an open
    case, `earlier` whether the pupil had a case before. `rhythm` says which sessions the pupil's class has.
    """

    day: dt.date
    register: Register
    school_days: Sequence[dt.date]
    factor: float = 1
    sibling: bool = False
    earlier: bool = False
    rhythm: Rhythm | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A signal that was reached: its threshold as in the file, the value found, and the day since which it holds.

    An alarm of the same threshold on or after `since` is the same alarm; `absent_since` is the first day of absence.
    `untaken` are the school days without a register that a run goes over; `excused` says that all it counts is excused.
    """

    signal: str
    threshold: int
    value: int
    since: dt.date
    absent_since: dt.date
    untaken: int = 0
    excused: bool = False


NOTHING = RiskRules(1, OPEN, DAY, 5, 20, 2, 0, ())  # no signal: the watch looks for nothing


class Found(NamedTuple):
    """What a signal found; the fields are those of `Reached`."""

    value: int
    since: dt.date
    absent_since: dt.date
    untaken: int = 0
    excused: bool = False


_DAY, _MARK = itemgetter(0), itemgetter(2)


class _Missed(NamedTuple):
    """The sessions that a pupil missed: all of them, and those without the illnesses that are within the limit."""

    all: Register
    lenient: Register


def alarms(rules: RiskRules, history: History) -> list[Reached]:
    """Returns the signals that the day's absence reaches, in file order; an empty list if the pupil was not absent."""
    missed = [one for one in history.register if one[2] in "eu"]
    if not any(one[0] == history.day for one in missed):
        return []
    seen = _Missed(missed, _without_illness(history.register, missed, rules.excused_limit))
    found = []
    for signal, least in rules.asks(history.factor):
        if len(missed) < least:
            continue
        value = _measure(signal, rules, history, seen)
        if value and (reached := _reached(signal, value[0], history.factor)):
            found.append(Reached(signal.id, reached, *value))
    return found


def fewest(rules: RiskRules, factor: float) -> int:
    """Returns the fewest sessions missed in a school year that can reach any signal; a pupil who missed fewer reaches
    none.
    """
    return min((least for _, least in rules.asks(factor)), default=1)


def _fewest(signal: Signal, factor: float) -> int:
    """Returns the fewest missed sessions that can reach this signal.

    A signal counts missed sessions or days with one. A share needs at least as many sessions as days that were taken.
    """
    least = signal.at_least[0]
    if signal.kind == "share":
        return max(1, math.ceil(least * signal.after_days / 100))
    return math.ceil(least * factor) if signal.kind in LENIENT and factor < 1 else least


def _reached(signal: Signal, value: int, factor: float) -> int | None:
    """The highest threshold that is reached."""
    by = factor if signal.kind in LENIENT and factor < 1 else 1
    return next((least for least in reversed(signal.at_least) if value >= math.ceil(least * by)), None)


def _measure(signal: Signal, rules: RiskRules, history: History, seen: _Missed) -> Found | None:
    match signal.kind:
        case "excused_in_a_row":
            return _run(rules, history, "e")
        case "share":
            return _share(signal, rules, history, seen.all)
        case "year_sessions":
            return _year_sessions(rules, history, seen.all)
        case "absent_days" | "same_weekday" | "after_break":
            return LATELY[signal.kind](signal, history, seen.lenient)
    if (signal.kind == "sibling_case" and not history.sibling) or (
        signal.kind == "earlier_case" and not history.earlier
    ):
        return None
    return _run(rules, history, "u")


def _run(rules: RiskRules, history: History, mark: str) -> Found | None:
    by_day = history.rhythm is not None and history.rhythm.two
    return run_on(history.register, history.day, mark, history.school_days, rules.untaken_bridged, by_day=by_day)


def run_on(
    register: Register,
    day: dt.date,
    mark: str,
    school_days: Sequence[dt.date] = (),
    bridged: int = 0,
    *,
    by_day: bool = False,
) -> Found | None:
    """Returns the length and the first day of the run of sessions with this mark whose last session lies on `day`.

    Args:
        register: the sessions that were taken.
        day: the last day of the run.
        mark: e or u.
        school_days: the days with class, to know where a register is missing.
        bridged: the most school days without a register that may lie between two sessions of a run.
        by_day: count days, as for a class with two sessions a day; else sessions.
    """
    end = bisect_right(register, day, key=_DAY)
    while end and register[end - 1][0] == day and register[end - 1][2] != mark:
        end -= 1  # the pupil came in the afternoon: the run ends with the morning
    begin, untaken = end, 0
    while begin and register[begin - 1][2] == mark:
        gap = _between(school_days, register[begin - 1][0], register[begin][0]) if begin < end else 0
        if gap > bridged:
            break
        begin, untaken = begin - 1, untaken + gap
    if begin == end or register[end - 1][0] != day:
        return None
    first = register[begin][0]
    value = len({one[0] for one in register[begin:end]}) if by_day else end - begin
    return Found(value, first, first, untaken, mark == "e")


def _between(school_days: Sequence[dt.date], first: dt.date, last: dt.date) -> int:
    """Returns the number of school days between two neighbours of a register: on none of them it was taken."""
    return max(0, bisect_left(school_days, last) - bisect_right(school_days, first))


def _all_excused(missed: Iterable[Taken]) -> bool:
    return all(mark == "e" for _, _, mark in missed)


def _without_illness(register: Register, missed: Register, limit: int) -> Register:
    """The sessions missed, without runs of excused ones that are within the limit."""
    if not any(one[2] == "e" for one in missed):
        return missed
    kept: list[Taken] = []
    for mark, of_mark in groupby(register, key=_MARK):
        run = list(of_mark)
        if mark == "u" or (mark == "e" and len(run) > limit):
            kept += run
    return kept


def _days(missed: Iterable[Taken], marks: frozenset[str], first: dt.date, last: dt.date) -> list[dt.date]:
    return list(dict.fromkeys(day for day, _, mark in missed if first <= day <= last and mark in marks))


def _absent_days(signal: Signal, history: History, lenient: Register) -> Found | None:
    if not history.school_days:
        return None
    first = history.school_days[-signal.within :][0]
    days = _days(lenient, ABSENT[signal.absence], first, history.day)
    return Found(len(days), first, days[0], 0, _excused_on(days, lenient)) if days else None


def _excused_on(days: Collection[dt.date], missed: Register) -> bool:
    return _all_excused(one for one in missed if one[0] in days)


def _same_weekday(signal: Signal, history: History, lenient: Register) -> Found | None:
    """Returns the days missed on this weekday, if they are most of all missed days."""
    first = history.day - dt.timedelta(weeks=signal.within) + dt.timedelta(days=1)
    missed = _days(lenient, ABSENT[ANY], first, history.day)
    days = [day for day in missed if day.weekday() == history.day.weekday()]
    if 2 * len(days) <= len(missed):
        return None
    return Found(len(days), first, days[0], 0, _excused_on(days, lenient))


def _after_break(signal: Signal, history: History, lenient: Register) -> Found | None:
    """Returns the sessions missed in the first school days after a break (days without class, more than a weekend)."""
    days = history.school_days[-AFTER - 1 :]
    starts = [after for before, after in pairwise(days) if (after - before).days > WEEKEND]
    if not starts:
        return None
    missed = [day for day, _, mark in lenient if starts[-1] <= day <= history.day and mark in ABSENT[signal.absence]]
    return Found(len(missed), starts[-1], missed[0], 0, _excused_on(missed, lenient)) if missed else None


LATELY: Mapping[str, Callable[[Signal, History, Register], Found | None]] = {
    "absent_days": _absent_days,
    "same_weekday": _same_weekday,
    "after_break": _after_break,
}


def _share(signal: Signal, rules: RiskRules, history: History, missed: Register) -> Found | None:
    """Percent of the sessions taken this year that were missed, excused or not."""
    taken = history.register
    share = 100 * len(missed) // len(taken)
    if share < signal.at_least[0] or len({day for day, _, _ in taken}) < signal.after_days:
        return None
    return Found(share, taken[0][0], run_begin(history, rules.untaken_bridged), 0, _all_excused(missed))


def _year_sessions(rules: RiskRules, history: History, missed: Register) -> Found | None:
    """Sessions missed this school year, excused or not, by the count rule."""
    if rules.count == MAIN_SESSION:
        main = (history.rhythm or _own_rhythm(history.register)).main
        value = sum(session == main for _, session, _ in missed)
    else:
        value = len(missed) if rules.count == EVERY_SESSION else len({day for day, _, _ in missed})
    if not value:
        return None
    begin = run_begin(history, rules.untaken_bridged)
    return Found(value, history.register[0][0], begin, 0, _all_excused(missed))


def _own_rhythm(register: Register) -> Rhythm:
    """Returns the rhythm of a class whose sessions are not known: that of the pupil's own register."""
    mornings = sum(session == "m" for _, session, _ in register)
    return Rhythm.of(mornings, len(register) - mornings)


def run_begin(history: History, bridged: int) -> dt.date:
    """Returns the first day of the absence that still lasts on the day, excused or not."""
    begin = history.day
    for day, _, mark in reversed(history.register):
        if day < history.day and mark not in "eu":
            break
        if _between(history.school_days, day, begin) > bridged:
            break
        if mark in "eu":
            begin = day
    return begin


# --- after a return ---------------------------------------------------------------------------------------------------

CONFIRMED, RELAPSED = "confirmed", "relapsed"


def attended_in_a_row(register: Register, since: dt.date) -> int:
    """Returns how many days in a row, up to the newest, the pupil attended every session that was taken."""
    missed = {day for day, _, mark in register if mark in "eu"}
    days = sorted({day for day, _, _ in register if day >= since}, reverse=True)
    return next((number for number, day in enumerate(days) if day in missed), len(days))


def proof(
    rules: RiskRules,
    register: Register,
    day: dt.date,
    since: dt.date,
    school_days: Sequence[dt.date] = (),
    *,
    by_day: bool = False,
) -> tuple[str, dt.date] | None:
    """Returns what the register says of a return on `since`: confirmed; relapsed, with the first day missed; or None.

    A relapse counts while the return is fresh. After that the signals judge the pupil like any other pupil.
    `school_days` and `by_day` are as in `run_on`.
    """
    later = [one for one in register if one[0] > since]
    run = run_on(later, day, "u", school_days, rules.untaken_bridged, by_day=by_day)
    attended = len({one[0] for one in register if since <= one[0] <= day and one[2] in "pl"})
    if run and run[0] >= rules.relapse_after and attended < rules.return_watched:
        return RELAPSED, run[1]
    up_to = [one for one in register if one[0] <= day]
    return (CONFIRMED, day) if attended_in_a_row(up_to, since) >= rules.return_confirmed else None
