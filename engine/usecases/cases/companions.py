"""Adds companions, who help a pupil (D1.2, D1.3), to the list of a case, and takes them off; the history stays.

Most are adults who never sign in, so the program stores only what is needed to reach them. Somebody with an account
(a subject teacher, a mass organisation) is invited by it: they read the case and write notes until they are taken off.
Names are stored in one place: with the event that added them, where they can be erased by law (Luật 91/2025/QH15). A
viewer who may not know the pupil does not see the companions either.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from engine.core.cases.act import Act
from engine.core.cases.casework import Actor, Addressed, Casework
from engine.core.people.roles import INVITED
from engine.core.refusals import Invalid, NotAllowed, NotFound
from engine.core.words import Sentence
from engine.store.cases import companions as stored
from engine.store.session import Session
from engine.usecases.cases.case_acts import on_case
from engine.usecases.context import Context

DIGITS = range(3, 16)  # in a phone number: from 113 to the fifteen of E.164


def add(context: Context, act: Act, person_id: int | None = None) -> None:
    """Adds a companion to a case; `person_id` invites somebody by their account, who is told.

    Raises `Invalid`, also for somebody who holds no post near the pupil to which people are invited; `NotAllowed` for
    a referred role or an ended case.
    """

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        _may(work, actor)
        check_phone(filled.get("companion_phone"))
        row: dict[str, Any] = {"role": filled["companion_role"]}
        if person_id is None:
            work.write("companion_added", actor, filled, [("companions", row)])
            return
        today = work.situation.calendar.local(work.now).date()
        guests = {it.id: it for it in stored.invitable(session, work.facts, today, context.definitions.roles)}
        if person_id not in guests:
            raise Invalid({"person": Sentence("This person holds no post near the pupil to which people are invited.")})
        entry = work.write("companion_added", actor, filled, [("companions", {**row, "person_id": person_id})])
        entry.data["invited"] = person_id
        if person_id != actor.person_id:
            entry.told.append(Addressed(person_id, guests[person_id].role, INVITED))

    given = act if person_id is None else replace(act, values={**act.values, "person": person_id})
    on_case(context, given, "companion", do)


def take_off(context: Context, act: Act, seq: int) -> None:
    """Takes off the companion whom the event `seq` added, for a reason. Raises `NotFound` if there is none."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], session: Session) -> None:
        _may(work, actor)
        if not stored.on_list(session, work.facts.id, [seq]):
            raise NotFound(Sentence("This person is not on the list of the case."))
        work.write("companion_off", actor, filled, data={"companion": seq})
        stored.take_off(session, work.facts.id, seq, work.next_seq - 1)

    on_case(context, act, "companion_off", do, about=seq)


def _may(work: Casework, actor: Actor) -> None:
    if not work.roles.tends(actor.roles):
        raise NotAllowed(Sentence("Your role does not see the people around a pupil."))
    if not work.facts.is_open:
        raise NotAllowed(Sentence("This case has ended."))


def check_phone(text: str | None) -> None:
    """Raises `Invalid` for a text that is not a phone number."""
    if not text:
        return
    digits = [char for char in text if char.isdecimal()]
    if len(digits) not in DIGITS or not set(text) <= {*digits, *"+ .-()"}:
        raise Invalid({"companion_phone": Sentence("Write a phone number in digits, such as 0905 000 111.")})
