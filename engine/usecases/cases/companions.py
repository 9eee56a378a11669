"""Adds companions, who help a pupil (D1.2, D1.3), to the list of a case, and takes them off; the history stays.

They are adults who never sign in, so the program stores only what is needed to reach them. It stores this in one place:
with the event that added them, where it can be erased by law (Luật 91/2025/QH15). A viewer who may not know the pupil
does not see the companions either.
"""

from __future__ import annotations

from typing import Any

from engine.core.cases.act import Act
from engine.core.cases.casework import Actor, Casework
from engine.core.people.access import knows
from engine.core.refusals import Invalid, NotAllowed, NotFound
from engine.core.words import Sentence
from engine.store.cases import companions as stored
from engine.store.session import Session
from engine.usecases.cases.case_acts import on_case
from engine.usecases.context import Context

DIGITS = range(3, 16)  # in a phone number: from 113 to the fifteen of E.164


def add(context: Context, act: Act) -> None:
    """Adds a companion to a case. Raises `Invalid`, or `NotAllowed` for a referred role or an ended case."""

    def do(work: Casework, actor: Actor, filled: dict[str, Any], _session: Session) -> None:
        _may(work, actor)
        check_phone(filled.get("companion_phone"))
        work.write("companion_added", actor, filled, [("companions", {"role": filled["companion_role"]})])

    on_case(context, act, "companion", do)


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
    if not knows(actor.roles):
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
