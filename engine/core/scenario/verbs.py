"""The verbs of a scenario: what a step can do (`do`, `with`) and what it can expect (`expect`)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from engine.core.calendar.announced import ANNOUNCED, KIND_OF_DAYS, NO_CLASS
from engine.core.cases.corrections import FORMS
from engine.core.cases.dates import CONFIRM
from engine.core.cases.study_modes import STUDY_MODES
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotEnough, NotFound
from engine.core.rules.model import RuleSet
from engine.core.scenario.cast import EVERYBODY
from engine.core.scenario.ledger_verbs import LEDGER_VERBS, balance_of
from engine.core.toml_reader import TEXTS, Reader, is_whole
from engine.core.words import Sentence
from engine.core.workflow.builtin_forms import DOUBT, END_ANYWAY, FIELDS, form_named
from engine.core.workflow.model import FORM_NAMES, Transition, Workflow
from engine.core.workflow.requests import REQUESTS

MOMENT = Sentence("a date and time without quotes, for example 2026-03-02T08:00:00")
RULE = Sentence("rule")
ENTRY = Sentence("entry")
STATE, REQUEST = Sentence("state"), Sentence("request")
PROPOSALS = ("mark_error",)
CODES = tuple(refused.code for refused in (NoAccess, NotAllowed, NotFound, Invalid, Conflict, NotEnough))

# The forms of the program itself, the same for every workflow.
OWN_VERBS = (
    "companion",
    "difficulty",
    "difficulty_answer",
    "lesson",
    "raise_need",
    "correct",
    "withdraw",
    "undo",
    DOUBT,
)
# These are about an earlier entry of the case: its number in the history, or its kind, for the last of that kind.
ABOUT_ENTRIES = ("correct", "withdraw")

SCOPES = ("pupil", "class", "site", "village", "school", "commune", "province")
SESSIONS: Mapping[str, str] = {"morning": "m", "afternoon": "a"}
MARKS: Mapping[str, str] = {"present": "p", "excused": "e", "unexcused": "u", "late": "l"}


@dataclass(frozen=True, slots=True)
class _NamesUsed:
    names: tuple[str, ...]
    kind: Sentence


MEMBER = _NamesUsed(EVERYBODY, Sentence("member of the cast"))


@dataclass(frozen=True, slots=True)
class KnownNames:
    """The names against which a scenario is checked; None for a file that was not found or has faults."""

    workflow: Workflow | None
    rules: RuleSet | None
    zone: ZoneInfo


def moment_of(reader: Reader, key: str, zone: ZoneInfo, *, required: bool = False) -> dt.datetime:
    """Returns a local date and time in UTC; notes a fault and returns the year 1 if it is not one."""
    value = reader.raw(key)
    if isinstance(value, dt.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(dt.UTC)
    if key in reader:
        reader.wrong(key, MOMENT)
    elif required:
        reader.fault(key, Sentence("This is missing; it must be {kind}.", kind=MOMENT))
    return dt.datetime(1, 1, 2, tzinfo=dt.UTC)


# --- what happens by itself -------------------------------------------------------------------------------------------


def _attendance(reader: Reader, at: dt.date) -> dict[str, Any]:
    session = reader.one_of("session", SESSIONS, Sentence("session"), default="")
    return {
        "day": reader.day("day") or at,
        "sessions": (SESSIONS[session],) if session else tuple(SESSIONS.values()),
        "mark": MARKS.get(reader.one_of("mark", MARKS, Sentence("mark")), ""),
    }


def _watch(reader: Reader, at: dt.date) -> dict[str, Any]:
    return {"day": reader.day("day") or at}


def _closure(reader: Reader, at: dt.date) -> dict[str, Any]:
    first = reader.day("first", required=True) or at
    last = reader.day("last") or first
    if last < first:
        reader.fault("last", Sentence("This day is before the first one."))
    return {
        "scope": reader.one_of("scope", SCOPES, Sentence("scope")),
        "first_day": first,
        "last_day": last,
        "reason": reader.text("reason", "Tạm nghỉ học"),
        "what": reader.one_of("what", ANNOUNCED, KIND_OF_DAYS, default=NO_CLASS),
        "study_mode": reader.one_of("study_mode", STUDY_MODES, Sentence("study mode"), default="") or None,
    }


def _calendar(reader: Reader, at: dt.date) -> dict[str, Any]:
    first = reader.day("first", required=True) or at
    last = reader.day("last") or first
    if last < first:
        reader.fault("last", Sentence("This day is before the first one."))
    return {"first": first, "last": last}


def _lift(reader: Reader, _at: dt.date) -> dict[str, Any]:
    return {"last_day": reader.day("last", required=True)}


def _vacant(reader: Reader, _at: dt.date) -> dict[str, Any]:
    return {"post": _member(reader, "post")}


def _appoint(reader: Reader, _at: dt.date) -> dict[str, Any]:
    return {"who": _member(reader, "who"), "post": _member(reader, "post")}


def _away(reader: Reader, at: dt.date) -> dict[str, Any]:
    until = reader.day("until", required=True) or at
    if until < at:
        reader.fault("until", Sentence("This day is before the first one."))
    delegate = reader.one_of("delegate", MEMBER.names, MEMBER.kind, default="") or None
    return {"who": _member(reader, "who"), "until": until, "delegate": delegate}


def _who(reader: Reader, _at: dt.date) -> dict[str, Any]:
    return {"who": _member(reader, "who")}


def _nothing(_reader: Reader, _at: dt.date) -> dict[str, Any]:
    return {}


# Events around a case, not acts on it. `by` may say who enters a closure; the others need nobody.
BY_ITSELF: Mapping[str, Callable[[Reader, dt.date], dict[str, Any]]] = {
    "attendance": _attendance,
    "correct_mark": _attendance,
    "watch": _watch,
    "calendar": _calendar,
    "closure": _closure,
    "lift": _lift,
    "vacant": _vacant,
    "appoint": _appoint,
    "away": _away,
    "back": _who,
    "disable": _who,
    "enable": _who,
    "worker_down": _nothing,
    "worker_up": _nothing,
}


def _member(reader: Reader, key: str) -> str:
    return reader.one_of(key, MEMBER.names, MEMBER.kind)


def values_of(reader: Reader, do: str | None, known: KnownNames, at: dt.datetime) -> dict[str, Any]:
    """Returns the values under `with`: with types for the verbs of the system, unchanged for what people fill in."""
    if do is not None and do in BY_ITSELF:
        return BY_ITSELF[do](reader, at.astimezone(known.zone).date())
    if is_of_ledger(do, known):
        return LEDGER_VERBS[do or ""](reader, at.astimezone(known.zone).date())
    if not do or known.workflow is None:
        return {key: reader.raw(key) for key in reader.data}
    values: dict[str, Any] = {"to": _member(reader, "to")} if do == "assign" else {}
    if do == "companion" and "invites" in reader:
        values["invites"] = _member(reader, "invites")
    if do in ABOUT_ENTRIES:
        return {key: reader.raw(key) for key in reader.data if key in {*known.workflow.fields, *FIELDS}}
    own = do in FORM_NAMES or do in OWN_VERBS
    form = form_named(known.workflow, do) if own else known.workflow.transitions.get(do)
    for key in (*form.needs, *form.may, CONFIRM) if form else ():
        value = reader.raw(key)
        if key in reader:
            values[key] = value
    if isinstance(form, Transition) and END_ANYWAY in reader:
        values[END_ANYWAY] = reader.flag(END_ANYWAY)
    return values


def entry_of(readers: Sequence[Reader], known: KnownNames) -> int | str:
    """Returns which entry a step is about: a number, or a kind of event. The key is next to `do`, or under `with`."""
    for reader in readers:
        if "entry" not in reader:
            continue
        value = reader.raw("entry")
        if is_whole(value):
            return int(value)
        kinds = {form: kind for kind, form in FORMS.items()}
        steps = known.workflow.transitions if known.workflow else {}
        name = reader.one_of("entry", (*steps, *kinds, *FORMS), ENTRY)
        return kinds.get(name, name)
    readers[0].fault("entry", Sentence("This is missing; it must be {kind}.", kind=Sentence("a number or a name")))
    return 0


def is_of_ledger(do: str | None, known: KnownNames) -> bool:
    """Returns whether a verb is about the ledger: the workflow has no transition of that name."""
    return do in LEDGER_VERBS and not (known.workflow and do in known.workflow.transitions)


def _balance(reader: Reader, key: str, _known: KnownNames) -> dict[str, Any]:
    return balance_of(reader, key)


# --- what can be expected ---------------------------------------------------------------------------------------------


def _state(reader: Reader, key: str, known: KnownNames) -> str:
    return reader.one_of(key, known.workflow.states, STATE) if known.workflow else reader.text(key)


def _request(reader: Reader, key: str, known: KnownNames) -> str:
    """Returns what the case asks; "" for one that has ended."""
    if reader.raw(key) == "":
        return ""
    states = known.workflow.states.values() if known.workflow else ()
    asked = {*REQUESTS, *(name for state in states for name in (state.asks, *state.requests) if name)}
    return reader.one_of(key, sorted(asked), REQUEST)


def _member_or_none(reader: Reader, key: str, _known: KnownNames) -> str:
    return "" if reader.raw(key) == "" else _member(reader, key)


def _due(reader: Reader, key: str, known: KnownNames) -> dt.datetime | None:
    return None if reader.raw(key) == "" else moment_of(reader, key, known.zone).astimezone(known.zone)


def _fired(reader: Reader, key: str, known: KnownNames) -> tuple[str, ...]:
    """Returns rule ids in order; a rule that repeats comes twice, so duplicates are allowed."""
    value = reader.raw(key)
    if not isinstance(value, list) or not all(isinstance(id, str) for id in value):
        reader.wrong(key, TEXTS)
        return ()
    ids = tuple(rule.id for rule in known.rules.all) if known.rules else ()
    for id in dict.fromkeys(value) if known.rules else ():
        reader.known(key, id, ids, RULE)
    return tuple(value)


def _notified(reader: Reader, key: str, _known: KnownNames) -> tuple[str, ...]:
    return tuple(sorted(reader.some_of(key, MEMBER.names, MEMBER.kind)))


def _names(reader: Reader, key: str, _known: KnownNames) -> tuple[str, ...]:
    return tuple(sorted(reader.texts(key)))


def _flag(reader: Reader, key: str, _known: KnownNames) -> bool:
    return reader.flag(key)


def _whole(reader: Reader, key: str, _known: KnownNames) -> int:
    return reader.whole(key, 0, least=0)


def _code(reader: Reader, key: str, _known: KnownNames) -> str:
    return reader.one_of(key, CODES, Sentence("refusal"))


def _proposed(reader: Reader, key: str, _known: KnownNames) -> str:
    return "" if reader.raw(key) == "" else reader.one_of(key, PROPOSALS, Sentence("step"))


EXPECTED: Mapping[str, Callable[[Reader, str, KnownNames], Any]] = {
    "state": _state,
    "assignee": _member_or_none,
    "offered_to": _member_or_none,
    "accepted": _flag,
    "overdue": _flag,
    "due": _due,
    "level": _whole,
    "fired": _fired,
    "notified": _notified,
    "refused": _code,
    "count": _whole,
    "unreached": _whole,
    "doubts": _whole,
    "flags": _names,
    "given": _names,
    "asked": _member_or_none,
    "request": _request,
    "requested_of": _member_or_none,
    "held": _flag,
    "proposed": _proposed,
    "balance": _balance,
}
