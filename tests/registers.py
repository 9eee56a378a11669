"""The register as it is told in words: plain loops over memberships, sessions taken and marks, to compare with."""

import datetime as dt

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.store import tables as t

Register = dict[tuple[int, dt.date, str], str]


def register(session: Session) -> Register:
    """What is known of each pupil, day and session: the mark, or present where the class took it and knew the pupil."""
    found: Register = {}
    for taken in session.scalars(select(t.SessionTaken)):
        for member in session.scalars(select(t.ClassMembership)):
            if member.class_id != taken.class_id or member.voided_at is not None or taken.as_of is None:
                continue
            if member.valid_to is None and session.get_one(t.Pupil, member.pupil_id).status != "enrolled":
                continue
            there = member.valid_from <= taken.day and (member.valid_to is None or taken.day < member.valid_to)
            if there and member.recorded_at <= taken.as_of:
                found[member.pupil_id, taken.day, taken.session] = "p"
    for mark in session.scalars(select(t.Mark)):
        found[mark.pupil_id, mark.day, mark.session] = mark.mark
    return found
