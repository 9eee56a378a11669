"""Settings of the risk watch that people chose instead of its file: what a signal does, where, and how days count.

An office sets it for its own unit, an administrator for the whole installation. What nobody set comes from the file.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine.core.attendance.signals import COUNTS, DOES, MODES, OFF, OPEN, PROPOSE, RiskRules
from engine.core.people.access import Viewer
from engine.core.people.roles import ADMIN, OFFICE
from engine.core.refusals import Invalid, NotAllowed
from engine.core.words import Sentence
from engine.store.attendance import risk_trials as stored
from engine.store.ops.settings import get_setting, put_setting
from engine.store.session import Session
from engine.usecases.context import Context

SETTING = "risk"  # its name in the table of settings
READERS = ("head", OFFICE, ADMIN)


@dataclass(frozen=True, slots=True)
class Modes:
    """What the watch does at a school: as an office has set it, else as set for the signal, else as set for
    everywhere.
    """

    everywhere: str
    signals: Mapping[str, str] = field(default_factory=dict)
    schools: Mapping[int, str] = field(default_factory=dict)

    def of(self, school_id: int, signals: Sequence[str]) -> str:
        """Returns what happens at a school when these signals are reached: one that opens is enough to open."""
        if school_id in self.schools:
            return self.schools[school_id]
        found = {self.signals.get(signal, self.everywhere) for signal in signals}
        return OPEN if OPEN in found else PROPOSE


@dataclass(frozen=True, slots=True)
class Chosen:
    """The choices; "" and empty for what the file decides. `units`: mode by the id of a unit."""

    mode: str = ""
    count: str = ""
    signals: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[int, str] = field(default_factory=dict)
    by_id: int | None = None
    at: dt.datetime | None = None

    def rules(self, file: RiskRules) -> RiskRules:
        """Returns the rules of the file with the choices, without signals that are off."""
        kept = tuple(signal for signal in file.signals if self.signals.get(signal.id) != OFF)
        return replace(file, mode=self.mode or file.mode, count=self.count or file.count, signals=kept)

    def modes(self, session: Session, rules: RiskRules) -> Modes:
        """What the watch does where."""
        return Modes(rules.mode, self.signals, stored.nearest(session, self.units))


def chosen_in(session: Session) -> Chosen:
    """What was chosen in this installation."""
    found = get_setting(session, SETTING)
    at = found.get("at")
    return Chosen(
        found.get("mode", ""),
        found.get("count", ""),
        found.get("signals", {}),
        {int(unit): mode for unit, mode in found.get("units", {}).items()},
        found.get("by_id"),
        dt.datetime.fromisoformat(at) if at else None,
    )


def check(viewer: Viewer) -> None:
    """Checks that the viewer may see the settings of the watch. Raises `NotAllowed`."""
    if not any(viewer.holds(role) for role in READERS):
        raise NotAllowed(Sentence("The settings of the risk watch are for heads of schools and education offices."))


def choose(
    context: Context, viewer: Viewer, now: dt.datetime, *, mode: str, count: str, signals: Mapping[str, str]
) -> None:
    """Sets what holds everywhere; "" leaves it to the file. Raises `NotAllowed` or `Invalid`."""
    if not viewer.holds(ADMIN):
        raise NotAllowed(Sentence("What holds everywhere is set by an administrator."))
    known = {signal.id for signal in context.risk.signals}
    sound = mode in {"", *MODES} and count in {"", *COUNTS} and set(signals.values()) <= {"", *DOES}
    if not sound or not set(signals) <= known:
        raise Invalid({"": Sentence("The rules have changed meanwhile. Look at the page again.")})
    given = {signal: does for signal, does in signals.items() if does}
    _put(context, viewer, now, {"mode": mode, "count": count, "signals": given})


def choose_for(context: Context, viewer: Viewer, unit_id: int, mode: str, now: dt.datetime) -> None:
    """Sets what the watch does at the schools of an office's unit; "" as everywhere. Raises `NotAllowed`, `Invalid`."""
    if unit_id not in viewer.of(OFFICE):
        raise NotAllowed(Sentence("What the watch does in a place is set by its education office."))
    if mode not in {"", *MODES}:
        raise Invalid({"": Sentence("The rules have changed meanwhile. Look at the page again.")})
    with context.store.reading("settings of the risk watch") as session:
        units = {str(unit): kept for unit, kept in chosen_in(session).units.items() if unit != unit_id}
    _put(context, viewer, now, {"units": units | ({str(unit_id): mode} if mode else {})})


def _put(context: Context, viewer: Viewer, now: dt.datetime, values: Mapping[str, object]) -> None:
    with context.store.writing("settings of the risk watch") as session:
        before = get_setting(session, SETTING)
        put_setting(session, SETTING, {**before, **values, "by_id": viewer.person_id, "at": now.isoformat()})
