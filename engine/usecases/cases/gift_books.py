"""Keeps the books in step with the case: a gift that is corrected on its case, or counts no more, is reversed in the
ledger, and what is right is entered, in the same transaction.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping
from typing import Any

from engine.core.cases.act import Act
from engine.core.cases.act_vocabulary import ACTS
from engine.core.cases.casework import Entry
from engine.core.people.access import Viewer
from engine.core.refusals import NotAllowed
from engine.core.support import ledger as core
from engine.core.support.catalogue import steps_of
from engine.core.support.ledger import GAVE, HELD, LEADER, OUTSIDE, Made, Transfer
from engine.core.words import Sentence
from engine.core.workflow.builtin_forms import WHY
from engine.store.session import Session
from engine.store.support import ledger as stored
from engine.usecases.context import Context


def take_back(
    context: Context, session: Session, act: Act, written: Entry, case_id: int, seqs: Collection[int]
) -> None:
    """Reverses the gift that the versions `seqs` of an entry gave, for the reason that `written` says.

    Raises `NotAllowed` for a gift from the books of others, or one that a second person had let happen.
    """
    made = stored.gift_of(session, case_id, seqs)
    if made is not None:
        _reverse(context, session, act, written, made)


def put_right(
    context: Context,
    session: Session,
    act: Act,
    written: Entry,
    place: tuple[int, int],
    seqs: Collection[int],
    row: Mapping[str, Any],
) -> None:
    """Enters what is right of a gift, as its new `row` on the case says, if the books have it otherwise.

    `place` is the case and the number of the correction. Raises what `take_back` raises, and `NotEnough`.
    """
    made = stored.gift_of(session, place[0], seqs)
    if made is None:
        return
    kind = stored.as_counted(session, context.support.kind(row["kind"]))
    quantity, day = steps_of(kind, row["quantity"]), row["given_on"]
    value = kind.worth(quantity) if row["value"] is None else row["value"]
    if (kind.id, quantity, day, value) == (made.kind_id, made.quantity, made.happened_on, made.value):
        return
    large = made.source.kind != OUTSIDE and context.support.needs_second(kind, quantity)
    if made.source.kind == HELD or large:
        raise NotAllowed(Sentence("This gift needs a second person: withdraw it, and log what is right anew."))
    _reverse(context, session, act, written, made)
    right = Transfer(GAVE, made.source, made.target, kind, quantity, day, case=place)
    held = stored.balance(session, made.source, kind.id) if made.source.bounded else 0
    core.enough(core.check(right, _today(context, act.now)), held)
    stored.write(session, [right], act.now, by=act.viewer.person_id, role=written.role, values=[value])


def _reverse(context: Context, session: Session, act: Act, written: Entry, made: Made) -> None:
    _may(act.viewer, made)
    kind = stored.as_counted(session, context.support.kind(made.kind_id))
    why = (written.text or {}).get(WHY) or ACTS[written.kind].vi
    today = _today(context, act.now)
    stored.take_back(session, made, kind, why, act.now, today, act.viewer.person_id, written.role)


def _may(viewer: Viewer, made: Made) -> None:
    """Checks that the gift came from no books, or from those of the viewer's association."""
    association = made.source.association_id
    if made.source.kind == OUTSIDE:
        return
    if association not in viewer.of(LEADER) | viewer.of("volunteer"):
        raise NotAllowed(Sentence("These are the books of an association that you do not belong to."))
    if made.source.kind == HELD and association not in viewer.of(LEADER):
        raise NotAllowed(Sentence("Only who leads the association does this."))


def _today(context: Context, now: dt.datetime) -> dt.date:
    return context.definitions.calendar("").local(now).date()
