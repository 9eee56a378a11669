"""What a case page says of corrections: which entries were put right, which the reader may correct, and doubts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from flask import g

from engine.core.cases.corrections import why_not, why_not_undone
from engine.core.cases.past import PastEvent
from engine.core.cases.timeline import CORRECTED_LATER, WITHDRAWN_LATER, Line, TimelineEntry
from engine.core.people.roles import HOLD
from engine.core.words import Label
from engine.store.cases.case_page import Happened
from engine.store.cases.corrections import to_decide
from engine.store.session import Session
from web.site.request_context import deployment, now

if TYPE_CHECKING:
    from web.cases.page import Reading


@dataclass(frozen=True, slots=True)
class DoubtItem:
    """Something that a rule did because of an entry that was corrected since. `mine`: the reader decides about it."""

    code: str
    version: int
    seq: int
    why: Line
    mine: bool
    at: object = None
    pupil: str = ""
    where: str = ""


def past(case_id: int, event: Happened) -> PastEvent:
    """Returns an event of the page in the form that the core judges."""
    return PastEvent(case_id, event.seq, event.kind, event.at, event.person_id, event.role, event.data, event.text)


def with_corrections(reading: Reading, event: Happened, told: TimelineEntry) -> TimelineEntry:
    """Adds to an entry whether it was put right since, and whether the reader may correct it."""
    void = reading.beside.corrected.get(event.seq)
    later = None if void is None else WITHDRAWN_LATER if void else CORRECTED_LATER
    refusal = why_not(
        reading.workflow,
        past(reading.facts.id, event),
        reading.roles,
        reading.tree,
        g.viewer.person_id,
        now(),
        deployment().context.limits,
    )
    return replace(told, seq=event.seq, later=later, fix=refusal is None and not void)


def can_undo(reading: Reading) -> bool:
    """Returns whether the reader may take back the last act on the case."""
    if not reading.beside.newest:
        return False
    facts, last = reading.facts, past(reading.facts.id, reading.beside.newest[0])
    limits = deployment().context.limits
    return why_not_undone(reading.workflow, last, facts.version, g.viewer.person_id, now(), limits) is None


def doubts(reading: Reading) -> list[DoubtItem]:
    """Returns what was done because of an entry that was corrected since, and waits for a decision."""
    if not reading.beside.doubts:
        return []
    facts, mine = reading.facts, bool(reading.roles & reading.tree.able(HOLD))
    return [
        DoubtItem(facts.code, facts.version, seq, _why(facts.workflow, facts.rules_version, kind), mine)
        for seq, kind in reading.beside.doubts
    ]


def in_doubt(session: Session) -> tuple[DoubtItem, ...]:
    """Returns what the signed-in person has to decide about, with the pupils."""
    return tuple(
        DoubtItem(
            it.code, it.version, it.fired_seq, _why(it.workflow, it.rules, it.kind), True, it.at, it.pupil, it.klass
        )
        for it in to_decide(session, g.viewer)
    )


def _why(workflow: str, rules: int, kind: str) -> Line:
    rule = deployment().context.definitions.rules(workflow, rules).rule(kind)
    return rule.why if rule else Label(kind, kind)
