"""Counts the deadline of a case anew. Closures and holds move deadlines, so events do not tell them."""

from __future__ import annotations

import datetime as dt

from engine.core.cases import escalation
from engine.core.cases.definitions import Situation
from engine.core.cases.facts import Facts
from engine.core.words import Sentence


def wrong_clock(facts: Facts, situation: Situation, now: dt.datetime) -> Sentence | None:
    """Returns how the stored deadline of an open case differs from the one counted at `now`; None if it does not.

    The next look may be earlier than needed, but not later than the next rule that waits for nothing but time.
    """
    local = situation.calendar.local
    due = escalation.evaluate(facts, situation, now).deadline
    if due != facts.due_at:
        return Sentence(
            "Case {code}: its deadline is {found}; counted anew it is {due}.",
            code=facts.code,
            found=local(facts.due_at) if facts.due_at else "–",
            due=local(due) if due else "–",
        )
    later = [it.at for it in escalation.coming(facts, situation) if it.at > now and not escalation.waits(it.rule)]
    soonest = min(later, default=None)
    if soonest is not None and (facts.next_look_at is None or facts.next_look_at > soonest):
        return Sentence(
            "Case {code}: a rule is due at {due}, and the worker would look only at {found}.",
            code=facts.code,
            due=local(soonest),
            found=local(facts.next_look_at) if facts.next_look_at else "–",
        )
    return None
