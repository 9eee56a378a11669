"""Tells a phone that somebody was faster: who, the state of the case now, and what was written since."""

from __future__ import annotations

from flask import g

from engine.core.cases.timeline import TimelineEntry, tell
from engine.core.refusals import Conflict
from engine.usecases.people.note_access import note_reading
from web.cases.page import names_in, read_case
from web.site.languages import said
from web.site.queued import queued
from web.site.request_context import deployment, now
from web.site.template_filters import due, moment

MOST_TOLD = 5  # entries of the history in the answer


def overtaken(code: str, version: int | None, why: Conflict) -> None:
    """Tells that somebody was faster: who, the state of the case now, and what was written since the version the person
    saw.
    """
    if not queued():
        return
    reading = read_case(code)
    facts = reading.facts
    pupil_id = facts.pupil_id if reading.known else None
    note_reading(deployment().context.store, g.viewer.person_id, facts.id, pupil_id, now())
    names = names_in(reading)
    events = [
        tell(deployment().context.definitions, facts, reading.situation.surroundings, event, names)
        for event in reading.beside.events
        if event.seq > (version or 0)
    ]
    g.queued_told = {
        "why": said(why.sentence),
        "code": code,
        "version": facts.version,
        "case": said(reading.workflow.states[facts.state].label),
        "due": said(due(facts.due_at).words),
        "since": [_line(told) for told in events[:MOST_TOLD]],
    }


def _line(told: TimelineEntry) -> str:
    """Returns an entry of the history in one line."""
    answers = [f"{said(label)}: {said(answer)}" for label, answer in (*told.answers, *told.says)]
    who = f" – {said(told.who)}" if told.who else ""
    return f"{said(told.what)}{who}, {moment(told.at)}" + "".join(f"; {answer}" for answer in answers)
