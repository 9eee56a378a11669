"""Judges a case of the risk watch again when the marks that opened it are corrected.

If no signal is left, the case is proposed as opened in error: its history says so, whoever has it is told, and its
clocks stand still until somebody decides. Ending it as an error decides it; so does any other act that goes on with it
(`engine.usecases.cases.decided`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from engine.core.attendance.signals import History, Rhythm, Taken, alarms
from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.cases.facts import Facts
from engine.store.attendance import corrected as stored
from engine.store.attendance import registers, watch
from engine.store.cases import writer
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.session import Session
from engine.usecases.attendance.histories import SchoolDays, first_day, season_factor
from engine.usecases.attendance.risk_settings import chosen_in
from engine.usecases.context import Context

RULE = Actor(None, SYSTEM)
CORRECTED, PROPOSED = "marks_corrected", "error_proposed"  # kinds of events


def judge_again(session: Session, context: Context, pupil_ids: Collection[int], now: dt.datetime) -> int:
    """Judges the open cases of pupils whose absences were corrected at this moment; returns how many there are.

    Call it in the transaction of the correction, after the marks are stored.
    """
    name = context.workflow
    corrected = stored.corrected(session, pupil_ids, now)
    facts = [one for one in stored.opened_by_watch(session, name, corrected) if not stored.is_held(session, one.id)]
    if not facts:
        return 0
    reader = SurroundingsReader(session, context.definitions, now)
    reader.fetch(facts)
    today = context.definitions.calendar("").local(now).date()
    judge = _Judge(context, session, reader, facts, today)
    works = []
    for one in facts:
        work = reader.casework(one)
        if judge.stands(one):
            work.write(CORRECTED, RULE, {}, data={"day": today.isoformat()})
            work.tell_assignee(CORRECTED)
        else:
            _propose(context, work, today, now)
        works.append(work)
    writer.store(session, works)
    return len(works)


def _propose(context: Context, work: Casework, today: dt.date, now: dt.datetime) -> None:
    entry = work.write(PROPOSED, RULE, {}, data={"day": today.isoformat(), "proposed": stored.MARK_ERROR})
    entry.rows.append(("holds", {"starts_at": now, "ends_at": None, "reason": stored.REASON}))
    work.tell_assignee(PROPOSED)
    work.facts.holds += ((now, None, stored.REASON),)
    work.situation = context.definitions.situation(work.facts, work.situation.surroundings)
    work.recount("recounted", RULE, {"because": "hold"})


class _Judge:
    """Looks whether a signal is left in the registers of some cases."""

    def __init__(
        self, context: Context, session: Session, reader: SurroundingsReader, facts: Collection[Facts], today: dt.date
    ) -> None:
        self.reader, self.rules, first = reader, chosen_in(session).rules(context.risk), first_day(context, today)
        pupils, name = [one.pupil_id for one in facts], context.workflow
        self.registers = registers.registers(session, pupils, first, today)
        self.rhythms: dict[int, Rhythm] = registers.rhythms(session, {one.class_id for one in facts}, first, today)
        self.days = SchoolDays(first, today)
        self.siblings = watch.with_sibling_case(session, name, pupils)
        self.earlier = watch.with_earlier_case(session, name, pupils)

    def stands(self, facts: Facts) -> bool:
        """Returns whether the last absence of the pupil, as it is now known, reaches a signal."""
        situation = self.reader.situation(facts)
        days, taught = self.days.of(situation.clock)
        taken: list[Taken] = [one for one in self.registers.get(facts.pupil_id, ()) if one[0] in taught]
        day = next((day for day, _, mark in reversed(taken) if mark in "eu"), None)
        if day is None:
            return False
        history = History(
            day,
            [one for one in taken if one[0] <= day],
            [one for one in days if one <= day],
            season_factor(situation, day),
            facts.pupil_id in self.siblings,
            facts.pupil_id in self.earlier,
            self.rhythms.get(facts.class_id),
        )
        return bool(alarms(self.rules, history))
