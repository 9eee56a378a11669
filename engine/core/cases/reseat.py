"""Decides whose turn a case is when people come and go: the duty is with somebody who is there.

`reseat` looks at one case at one moment and moves it if it has to:

- what waits for a seat in which nobody acts goes to the next one up, and back when somebody acts there again;
- what somebody had who has left is asked anew of who answers now;
- of one who is away with nobody to stand in, the next one up is asked beside them. The holder keeps the case. The one
  asked has a working day; then it is the turn of the next one up from there;
- what another seat is asked (the return, a move) goes the same ways.

The use case (`engine.usecases.cases.reseat`) finds the cases that a change concerns, and tells people.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from engine.core.cases.casework import SYSTEM, Actor, Casework
from engine.core.people.responsibility import Found, acting, answers_for, find, find_from, seats_of
from engine.core.people.roles import ADMIN

Seat = tuple[str, int | None]
_RULE = Actor(None, SYSTEM)


@dataclass(frozen=True, slots=True)
class Sought:
    """What the history of a case says about its seat.

    `first` is the seat that the present offer was meant for, before posts were passed over; `declined` have returned
    it; `chosen`: a person gave the case to whoever has it.
    """

    first: Seat | None = None
    declined: Collection[tuple[str, int]] = ()
    chosen: bool = False


NOTHING = Sought()


def reseat(work: Casework, sought: Sought = NOTHING) -> bool:
    """Moves a case to a seat in which somebody acts; returns whether it had to."""
    facts = work.facts
    if not facts.is_open:
        return False
    if facts.waiting:
        return _offered_anew(work, sought)
    if not has_left(work):
        return _turn(work, sought)
    if not work.asks_another:
        if facts.assignee_id is None and find(work.owner, facts, work.directory).role == ADMIN:
            return False
        work.hand_on(_RULE, _answers_now(work, sought))
        return True
    return _other_asked(work) or _let_go(work)


def _offered_anew(work: Casework, sought: Sought) -> bool:
    facts = work.facts
    found = find_from(_meant_for(work, sought), facts, work.directory, sought.declined)
    here = facts.offered_role, facts.offered_unit_id
    if found.role == ADMIN == here[0] or (found.role, found.unit_id) == here:
        return False
    work.reroute(found, _RULE)
    return True


def _meant_for(work: Casework, sought: Sought) -> Seat:
    facts = work.facts
    own: Seat = facts.offered_role or ADMIN, facts.offered_unit_id
    if own[0] == ADMIN:  # nobody's: whoever answers for it now gets it
        own = work.owner, None
    if sought.first is None or sought.first[0] == ADMIN:
        return own
    return sought.first


def _answers_now(work: Casework, sought: Sought) -> Found:
    facts, owner = work.facts, work.owner
    if sought.first is not None and sought.first[0] != ADMIN and work.state.offered:
        return find_from(sought.first, facts, work.directory, sought.declined)
    return find(owner, facts, work.directory)


def has_left(work: Casework) -> bool:
    """Returns whether nobody has the case any more: no post of its holder answers for it, and they stand in for nobody
    whose post does.
    """
    facts, directory = work.facts, work.directory
    if facts.assignee_id is None:
        return not work.state.offered or not work.asks_another
    return not answers_for(facts.assignee_id, work.owner, facts, directory)


def _turn(work: Casework, sought: Sought) -> bool:
    """The holder still answers for the case: another one is asked beside them, or instead, only if need be."""
    facts, directory = work.facts, work.directory
    if work.asks_another:
        return _other_asked(work)
    if facts.assignee_id is None:
        return False
    if not work.state.offered and not sought.chosen:
        nearest = find(work.owner, facts, directory)
        own = seats_of(facts.assignee_id, work.owner, facts, directory)
        if nearest.role != ADMIN and facts.assignee_id not in nearest.people and not _below(own, nearest):
            work.hand_on(_RULE, nearest)
            return True
    return work.ask_beside() or _from_another_post(work)


def _from_another_post(work: Casework) -> bool:
    """The seat by which the holder had the case is empty, but another post of theirs answers for it as well."""
    facts, directory = work.facts, work.directory
    if facts.beside_until is not None or facts.asked_role in (None, ADMIN) or facts.asked_unit_id is None:
        return False
    if acting(directory.holders(facts.asked_role or "", facts.asked_unit_id)):
        return False
    seats = seats_of(facts.assignee_id or 0, work.owner, facts, directory)
    if not seats:
        return False
    work.ask_seat(Found(*seats[0], ()))
    return True


def _below(own: tuple[tuple[str, int], ...], found: Found) -> bool:
    """Returns whether one of these seats comes before the one found, on the way up."""
    passed = {(role, unit) for role, unit, _ in found.passed_over}
    return (found.role, found.unit_id) in own or any(seat in passed for seat in own)


def _other_asked(work: Casework) -> bool:
    """Another seat than the holder's is asked: it, or the next one up from it in which somebody acts."""
    facts = work.facts
    asked = work.state.requests[facts.request or ""]
    found = find(asked.of, facts, work.directory)
    if (found.role, found.unit_id) == (facts.asked_role, facts.asked_unit_id):
        return False
    work.ask_seat(found)
    return True


def _let_go(work: Casework) -> bool:
    if work.facts.assignee_id is None:
        return False
    work.let_go()
    return True
