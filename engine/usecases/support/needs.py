"""Raises a need on a case: what kind, how much, by when, why; whoever may log support may raise one."""

from __future__ import annotations

from typing import Any

from engine.core.cases.act import Act
from engine.core.cases.casework import Actor, Casework
from engine.core.people.roles import GIVE
from engine.core.refusals import NotAllowed
from engine.core.words import Sentence
from engine.store.session import Session
from engine.store.support import needs
from engine.usecases.cases import case_acts
from engine.usecases.context import Context


def raise_need(context: Context, act: Act) -> None:
    """Adds a need to a case. Partly met it stays open with the rest."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        givers = work.roles.able(GIVE)
        if not actor.roles & givers:
            raise NotAllowed(Sentence("Your role does not raise needs."))
        entry = work.write("need_raised", actor.only(givers), filled)
        if not filled.get("need"):  # with words the case's own row is there already
            row = {"need": "", "handover": filled.get("hand_over_at"), "association_id": work.facts.association_id}
            entry.rows.append(("needs", row))
        needs.count(session, context.support, work.entries, filled)

    case_acts.on_case(context, act, "raise_need", do)
