"""Cases that the risk watch proposes where it may not open them: the teacher opens one, or says why not."""

from __future__ import annotations

import datetime as dt
from typing import Any

from engine import cases
from engine.access import Viewer, reach
from engine.house import House
from engine.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound
from engine.store import watch as stored
from engine.store.cases import pupil_place
from engine.store.session import Session
from engine.words import Sentence

LONGEST = 300  # characters of a reason


def take_up(house: House, viewer: Viewer, proposal_id: int, now: dt.datetime) -> str:
    """Open the proposed case; its code. Raises `NotFound`, `NoAccess`, `NotAllowed` or `Conflict`."""
    with house.store.reading("a proposal") as session:
        row = _proposal(session, viewer, proposal_id, lock=False)
    values = {"absent_since": row.absent_since, "causes": ["unknown"]}
    code = cases.open_case(house, viewer, row.pupil_id, values, now, key=f"proposal:{proposal_id}")
    with house.store.writing("a proposal was taken up") as session:
        stored.decide(session, proposal_id, viewer.person_id, None, now)
    return code


def dismiss(house: House, viewer: Viewer, proposal_id: int, reason: str, now: dt.datetime) -> None:
    """Leave a proposal aside, for a reason. Raises what `take_up` raises, or `Invalid`."""
    reason = reason.strip()
    if not reason or len(reason) > LONGEST:
        raise Invalid({"reason": Sentence("Say why in at most {most} characters.", most=LONGEST)})
    with house.store.writing("a proposal was dismissed") as session:
        _proposal(session, viewer, proposal_id, lock=True)
        stored.decide(session, proposal_id, viewer.person_id, reason, now)


def _proposal(session: Session, viewer: Viewer, proposal_id: int, *, lock: bool) -> Any:
    row = stored.proposal(session, proposal_id, lock=lock)
    if row is None:
        raise NotFound(Sentence("There is no such proposal."))
    place = pupil_place(session, row.pupil_id)
    roles = reach(viewer, place) if place else frozenset()
    if not roles:
        raise NoAccess(Sentence("You have no access here: none of your posts answers for this unit or pupil."))
    if not roles & cases.OPENERS:
        raise NotAllowed(Sentence("A case is opened by the homeroom teacher or the head of the pupil's school."))
    if row.decided_at is not None:
        raise Conflict(Sentence("This proposal was decided already."))
    return row
