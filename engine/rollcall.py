"""The roll call of a class: all are present but those who are named; sent again with corrections, the old is kept.

Until it is sent the session is "not taken", which is neither absence nor presence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from engine.access import Viewer
from engine.house import House
from engine.refusals import Invalid, NoAccess, NotFound
from engine.store import rollcall as stored
from engine.store.marks import Counts, put_marks
from engine.store.session import Session
from engine.watch_asked import ask
from engine.words import Label, Sentence

SESSIONS: Mapping[str, Label] = {"m": Label("Sáng", "Morning"), "a": Label("Chiều", "Afternoon")}
MARKS: Mapping[str, Label] = {
    "p": Label("Có mặt", "Present"),
    "e": Label("Vắng có phép", "Excused"),
    "u": Label("Vắng không phép", "Unexcused"),
    "l": Label("Trễ", "Late"),
}
EARLIEST = dt.timedelta(days=31)  # how far back a register may be taken or corrected on the page


def check(session: Session, viewer: Viewer, class_id: int) -> None:
    """Whether the viewer takes this class's register: its teacher or the head. Raises `NotFound` or `NoAccess`."""
    school = stored.school_of(session, class_id)
    if school is None:
        raise NotFound(Sentence("There is no such class."))
    if class_id not in viewer.of("teacher") and school not in viewer.of("head"):
        raise NoAccess(Sentence("Attendance is taken by the homeroom teacher of the class or the head of the school."))


def send(
    house: House, viewer: Viewer, class_id: int, day: dt.date, half: str, said: Mapping[int, str], now: dt.datetime, *,
    key: str,
) -> Counts:  # fmt: skip
    """Take a session's register: `said` gives the mark of those who are not simply present.

    The worker watches the class at once (`engine.watch_asked`). Sent twice with the same key, it is done once.

    Raises:
        NotFound, NoAccess: see `check`.
        Invalid: for a day that cannot be taken, or a mark or pupil that does not belong here.
    """
    with house.store.writing("roll call") as session:
        check(session, viewer, class_id)
        _check_day(house, day, now)
        known = [pupil for pupil, _, _ in stored.pupils(session, class_id)]
        if half not in SESSIONS or not set(said) <= set(known) or not set(said.values()) <= MARKS.keys():
            raise Invalid({"": Sentence("The class has changed meanwhile. Look at the list again.")})
        if not stored.note_sent(session, key, class_id, day, half, now, viewer.person_id):
            return Counts()
        marks = [(pupil, day, half, said.get(pupil, "p"), None) for pupil in known]
        counts = put_marks(session, marks, now, viewer.person_id)
        ask(session, [(class_id, day)], house.handbook.calendar("").local(now).date())
    return counts


def _check_day(house: House, day: dt.date, now: dt.datetime) -> None:
    today = house.handbook.calendar("").local(now).date()
    if not today - EARLIEST <= day <= today:
        raise Invalid({"day": Sentence("Attendance is taken for today or for a day of the last month.")})
