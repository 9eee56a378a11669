"""Takes the roll call of a class: a mark for each pupil on the list of the page; sending it again keeps the old marks.

The class has then taken the session, and of its list only who was not there keeps a mark. Until it is sent the session
is "not taken", which is neither absence nor presence. It stays so for a pupil who was not on the list: one who came to
the class after the phone copied the list.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Collection, Mapping, Sequence

from engine.core.people.access import Viewer
from engine.core.people.roles import CLASS, SCHOOL
from engine.core.refusals import Conflict, Invalid, NoAccess, NotFound
from engine.core.words import Label, Sentence
from engine.store.attendance import rollcall as stored
from engine.store.attendance import taken
from engine.store.attendance.marks import Counts, put_marks
from engine.store.attendance.registers import Member
from engine.store.attendance.taken import Key
from engine.store.session import Session
from engine.usecases import idempotency
from engine.usecases.attendance.ask_risk_watch import ask
from engine.usecases.attendance.corrected_marks import judge_again
from engine.usecases.context import Context

SESSIONS: Mapping[str, Label] = {"m": Label("Sáng", "Morning"), "a": Label("Chiều", "Afternoon")}
MARKS: Mapping[str, Label] = {
    "p": Label("Có mặt", "Present"),
    "e": Label("Vắng có phép", "Excused"),
    "u": Label("Vắng không phép", "Unexcused"),
    "l": Label("Trễ", "Late"),
}
EARLIEST = dt.timedelta(days=31)  # how far back a page can take or correct a register
NOT_TAKEN = "0"  # the version of a session without marks


def version_of(marks: Mapping[int, str]) -> str:
    """Returns a short text for the state of a session's register by pupil, to compare two states."""
    said = " ".join(f"{pupil}{mark}" for pupil, mark in sorted(marks.items()))
    return hashlib.sha256(said.encode()).hexdigest()[:16] if said else NOT_TAKEN


def check(session: Session, viewer: Viewer, class_id: int) -> None:
    """Checks that the viewer takes this class's register: its teacher or the head. Raises `NotFound` or `NoAccess`."""
    school = stored.school_of(session, class_id)
    if school is None:
        raise NotFound(Sentence("There is no such class."))
    if class_id not in viewer.seated(CLASS) and school not in viewer.seated(SCHOOL):
        raise NoAccess(Sentence("Attendance is taken by the homeroom teacher of the class or the head of the school."))


def send(
    context: Context,
    viewer: Viewer,
    class_id: int,
    day: dt.date,
    half: str,
    said: Mapping[int, str],
    now: dt.datetime,
    *,
    key: str,
    version: str | None = None,
) -> Counts:
    """Takes the register of a session: `said` has the mark of each pupil on the list.

    A present pupil who has left the class since gets no mark. The worker watches the class at once
    (`engine.jobs.risk_watch_asked`). Sent twice with the same key, it is done once; this also holds if the post ended
    in between. `version` is the version of the marks that the person saw (`version_of`); None: any.

    Raises:
        NotFound, NoAccess: see `check`.
        Invalid: for a day that cannot be taken, or a mark or pupil that does not belong here.
        Conflict: if other marks than these were written since `version`, or somebody else has sent this key;
            `SentBefore`, a kind of it, if other marks were sent with the key.
    """
    sent = idempotency.digest(key, "roll call", {"class": class_id, "day": day, "session": half, "marks": said})
    with context.store.writing("roll call") as session:
        if stored.sender(session, key) == viewer.person_id:
            idempotency.check(session, key, sent)
            return Counts()
        check(session, viewer, class_id)
        _check_day(context, day, now)
        members = stored.list_of(session, class_id, day)
        _check_said(half, said, [one.pupil for one in members])
        if not stored.note_sent(session, key, class_id, day, half, now, viewer.person_id):
            return _sent_by_now(session, key, viewer, sent)
        idempotency.note(session, key, sent, now)
        if version is not None:
            _check_unseen(session, context, class_id, day, half, said, version)
        counts = _take(session, members, (class_id, day, half), said, now, viewer.person_id)
        if counts.changed:
            judge_again(session, context, said.keys(), now)
        ask(session, [(class_id, day)], context.definitions.calendar("").local(now).date())
    return counts


def _take(
    session: Session, members: Sequence[Member], key: Key, said: Mapping[int, str], now: dt.datetime, by_id: int
) -> Counts:
    """Notes that the class took the session, and stores the marks that differ from what this says of its list."""
    class_id, day, half = key
    there = taken.stored(session, [class_id], day, day)
    listed = [one for one in members if one.pupil in said]
    made = taken.later(there, key, taken.as_of(members, day, said.keys(), now))
    had = {one.pupil for one in listed if (before := there.get(key)) is not None and one.recorded_at <= before}
    marked = stored.marked(session, [one.pupil for one in listed], day, half)
    plain = {
        one.pupil
        for one in listed
        if said[one.pupil] == "p" and one.pupil not in marked and made is not None and one.recorded_at <= made
    }
    marks = [(one.pupil, day, half, said[one.pupil], None) for one in listed if one.pupil not in plain]
    counts = put_marks(session, marks, now, by_id, on_lists=bool(had))
    taken.put(session, [taken.Taken(class_id, day, half, made, taken.ROLL)], now, by_id)
    counts.add(Counts(len(plain - had), 0, len(plain & had)))
    return counts


def _sent_by_now(session: Session, key: str, viewer: Viewer, sent: str) -> Counts:
    """Handles a key that exists: the same request came a moment before, or it is not this person's."""
    if stored.sender(session, key) != viewer.person_id:
        raise Conflict(Sentence("This form was sent by somebody else already."))
    idempotency.check(session, key, sent)
    return Counts()


def _check_said(half: str, said: Mapping[int, str], known: Collection[int]) -> None:
    strangers = [pupil for pupil in said.keys() - set(known) if said[pupil] != "p"]
    if half not in SESSIONS or strangers or not said.keys() & set(known) or not set(said.values()) <= MARKS.keys():
        raise Invalid({"": Sentence("The class has changed meanwhile. Look at the list again.")})


def _check_day(context: Context, day: dt.date, now: dt.datetime) -> None:
    today = context.definitions.calendar("").local(now).date()
    if not today - EARLIEST <= day <= today:
        raise Invalid({"day": Sentence("Attendance is taken for today or for a day of the last month.")})


def _check_unseen(
    session: Session, context: Context, class_id: int, day: dt.date, half: str, said: Mapping[int, str], version: str
) -> None:
    stored.hold(session, class_id)
    there = {pupil: mark for pupil, (mark, _reason) in stored.marks(session, class_id, day, half).items()}
    others = [pupil for pupil, mark in there.items() if said.get(pupil, mark) != mark]
    if not others or version_of(there) == version:
        return
    name, at = stored.last_marked(session, class_id, others, day, half)
    who = name or Label("Tệp nhập vào", "A file that was brought in")
    local = context.definitions.calendar("").local(at)
    raise Conflict(Sentence("{who} has taken attendance of this session, {at}; it differs.", who=who, at=local))
