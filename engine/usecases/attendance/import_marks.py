"""Imports registers: finds the pupil of each row, rejects contradictions in the file, stores the marks.

It looks only for pupils whose marks the person may import. A child of another school and an unknown child give the same
wrong row.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any

from engine.channels.excel97 import read_excel97
from engine.core.calendar import Calendar
from engine.core.files.aliases import Aliases
from engine.core.files.attendance import read_attendance
from engine.core.files.lines import Notes, Wrong
from engine.core.files.marks import Listing, Marked
from engine.core.files.options import NOT_YOURS, PRESENT, Options, Reach
from engine.core.files.places import Places
from engine.core.files.sheets import Unreadable, read_sheets
from engine.core.files.summary import COUNTS, DayOfClass
from engine.core.invariants import given
from engine.core.text import fold
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread
from engine.store.attendance import imports as stored
from engine.store.attendance import registers, taken
from engine.store.attendance.imports import PupilRef
from engine.store.attendance.marks import Counts, Mark, count_marks, put_marks
from engine.store.attendance.registers import Member
from engine.store.attendance.taken import Taken
from engine.store.session import Session
from engine.usecases.attendance.ask_risk_watch import BACK, ask
from engine.usecases.attendance.listed import ListedPupils, ListReader

PIECE = 50_000  # rows in one transaction
SLOTS, MOST_SLOTS = 64, 4_000  # days and sessions: room added at a time, and the most in one file
_BYTES = {"p": 1, "e": 2, "u": 3, "l": 4}
Row = Marked | DayOfClass | Wrong
MOST_DAYS = 10  # named in a sentence
OVER_ABSENCE = Sentence("{count} empty cells stand over an absence that is stored. The absence stays.")
ON_DAYS_OFF = Sentence("{count} marks are on days without class here: {days}. They count for nothing.")
NOT_THERE = Sentence(
    "On {day} the pupil was not yet, or no longer, on the list of a class here. Check the day of the mark, or since "
    "when the pupil is in the class."
)
UNKNOWN = Sentence("There is no pupil with this code.")
SEVERAL = Sentence(
    "Several schools gave out this code: name the class by its code, or bring in each school's register by itself."
)
PLACES_READ = "the places are read before a row is looked at"


class MarkImport:
    """One file of marks; `put` its pieces in order. Between pieces it remembers pupils, and what the file said."""

    def __init__(
        self, calendar: Calendar, aliases: Aliases, options: Options, reach: Reach, today: dt.date, piece: int = PIECE
    ) -> None:
        self.calendar, self.aliases, self.options, self.reach, self.today = calendar, aliases, options, reach, today
        self._piece = piece  # rows
        self.notes = Notes()
        self._known: dict[str, PupilRef | Sentence | list[PupilRef]] = {}
        # What the file has said so far: one byte for each pupil, day and session, which stays small for a million
        # marks.
        self._said: dict[int, bytearray] = {}
        self._class_of: dict[int, int] = {}
        self._slots: dict[tuple[dt.date, str], int] = {}
        self._places: Places | None = None
        self._in_class: dict[int, dict[tuple[int, str], list[PupilRef]]] = {}
        self._only: tuple[int, int] | None = None
        self._held: dict[int, list[Member]] = {}  # of pupils who came or went in the course of a year
        self.touched: set[int] = set()  # pupils with marks in the present piece
        self._looked: set[int] = set()  # pupils whose memberships were looked up
        self._lists: dict[Listing | None, ListedPupils] = {}  # of the present piece
        self._taught: dict[int, frozenset[int] | None] = {}  # weekdays of a class, if it has its own
        self._school: int | None = None

    def pieces(self, data: bytes) -> Iterator[list[Row]]:
        """Yields the rows of the file in pieces. Raises `Unreadable`."""
        piece: list[Row] = []
        for row in read_attendance(
            read_sheets(data, read_excel97), self.aliases, self.options.asked(self.today), self.notes
        ):
            piece.append(row)
            if len(piece) >= self._piece:
                yield piece
                piece = []
        if piece:
            yield piece

    def put(
        self,
        session: Session,
        piece: Sequence[Row],
        at: dt.datetime,
        by_id: int | None,
        job_id: int | None,
        *,
        dry: bool,
    ) -> tuple[Counts, list[Wrong]]:
        """Imports a piece (`dry`: only counts), and returns the wrong rows."""
        before = self.notes.noted
        marks, days, bad = self.resolve(session, piece)
        self.touched = {mark[0] for mark in marks}
        listed = ListReader(session, self._class_on, at, self.options.blank)
        settled = listed.settle(list(self._lists.values()), marks)
        if dry:
            counts = count_marks(session, settled.marks, on_lists=settled.on_lists)
        else:
            counts = put_marks(session, settled.marks, at, by_id, job_id, on_lists=settled.on_lists)
            put_marks(session, settled.present, at, by_id, job_id)
            taken.put(session, settled.sessions, at, by_id, job_id)
        counts.add(settled.counts)
        if not dry and (counts.new or counts.changed or settled.sessions):
            self._ask(session, marks, settled.sessions)
        if days:
            counts.add(stored.put_class_days(session, days, at, dry=dry))
        if not dry:
            self._sum_up(session, marks, days, at, by_id, job_id)
        if settled.blanks_over_absences:
            self.notes.note(
                Sentence(OVER_ABSENCE.msgid, count=settled.blanks_over_absences), settled.blanks_over_absences
            )
        self._note_days(session, marks)
        counts.noted += self.notes.noted - before
        counts.unchanged += sum(len(row.marks) for row in piece if isinstance(row, Marked)) - len(marks) - self._lost
        return counts, bad

    def _ask(self, session: Session, marks: Sequence[Mark], sessions: Sequence[Taken]) -> None:
        since = self.today - BACK
        days = {(self._class_of[mark[0]], mark[1]) for mark in marks if mark[1] >= since}
        ask(session, days | {(one.class_id, one.day) for one in sessions if one.day >= since}, self.today)

    def _sum_up(
        self,
        session: Session,
        marks: Sequence[Mark],
        days: Sequence[dict[str, Any]],
        at: dt.datetime,
        by_id: int | None,
        job_id: int | None,
    ) -> None:
        """Notes the sessions of daily summaries: who has no mark was there, if all who were absent have one."""
        touched = {(self._class_of[mark[0]], mark[1]) for mark in marks}
        touched |= {(row["class_id"], row["day"]) for row in days}
        half = self.options.session[0]
        rows = [
            Taken(klass, day, half, at if complete else None, taken.SUMMARY)
            for (klass, day), complete in stored.summed_up(session, touched).items()
        ]
        taken.put(session, rows, at, by_id, job_id)

    def _note_days(self, session: Session, marks: Sequence[Mark]) -> None:
        """Counts and tells the marks on days without class."""
        classes = {self._class_of[mark[0]] for mark in marks} - self._taught.keys()
        self._taught |= dict.fromkeys(classes) | stored.taught(session, classes)
        without: Counter[dt.date] = Counter()
        known: dict[tuple[dt.date, frozenset[int] | None], bool] = {}
        for pupil, day, *_ in marks:
            key = (day, self._taught[self._class_of[pupil]])
            if key not in known:
                known[key] = self.calendar.why_no_school(*key) is not None
            if known[key]:
                without[day] += 1
        if without:
            named = ", ".join(day.strftime("%d/%m/%Y") for day in sorted(without)[:MOST_DAYS])
            more = ", …" if len(without) > MOST_DAYS else ""
            count = without.total()
            self.notes.note(Sentence(ON_DAYS_OFF.msgid, count=count, days=named + more), count)

    def resolve(self, session: Session, piece: Sequence[Row]) -> tuple[list[Mark], list[dict[str, Any]], list[Wrong]]:
        """Returns the marks of a piece with the pupils' ids, the summaries with the classes' ids, and the wrong
        rows.
        """
        self._lost = 0  # marks in wrong rows
        self._lists = {}
        if self._places is None:
            self._prepare(session)
        self._learn(session, piece)
        marks: list[Mark] = []
        days: dict[tuple[int, dt.date], dict[str, Any]] = {}
        bad: list[Wrong] = []
        for row in piece:
            if type(row) is Marked:
                self._take(session, row, marks, bad)
            elif isinstance(row, DayOfClass):
                try:
                    found = self._day(row)
                    days[found["class_id"], row.day] = found
                except Misread as misread:
                    bad.append(_why(row.given, misread.sentence))
            elif isinstance(row, Wrong):
                bad.append(row)
        return marks, list(days.values()), bad

    def _prepare(self, session: Session) -> None:
        """Finds the class and school of rows that name none: those that the person named, or the only one they have."""
        self._places = places = Places(stored.place_units(session, self.today))
        asked = self.options.school_code
        self._school = places.school_of(asked) if asked else self.reach.one_school(places.above)
        if self.options.class_code:
            self._only = self._class(self.options.class_code)

    def _learn(self, session: Session, piece: Sequence[Row]) -> None:
        """Looks up the new codes of a piece."""
        codes = {row.code for row in piece if type(row) is Marked and row.code} - self._known.keys()
        if not codes:
            return
        found = self._within(session, codes)
        self._look(session, [ref.id for refs in found.values() for ref in refs])
        lost = codes - found.keys()
        padded = {code: [code.zfill(length) for length in range(len(code) + 1, 13)] for code in lost if code.isdigit()}
        there = self._within(session, [one for several in padded.values() for one in several])
        for code in codes:
            refs = found[code] if code in found else [ref for one in padded.get(code, ()) for ref in there.get(one, ())]
            self._known[code] = self._meant(refs)

    def _within(self, session: Session, codes: Iterable[str]) -> dict[str, list[PupilRef]]:
        """Returns the pupils with these codes among those whose marks may be imported."""
        if self.options.school_code and self._school is not None:
            found = stored.pupils_by_code(session, codes, {self._school})
        elif self.reach.everywhere:
            return stored.pupils_by_code(session, codes)
        else:
            found = stored.pupils_by_code(session, codes, self.reach.schools, self.reach.classes)
        held = {code: [ref for ref in refs if self._holds(ref)] for code, refs in found.items()}
        return {code: refs for code, refs in held.items() if refs}

    def _holds(self, ref: PupilRef) -> bool:
        return self.reach.holds(ref.class_id, ref.school_id)

    def _meant(self, refs: Sequence[PupilRef]) -> PupilRef | Sentence | list[PupilRef]:
        """Returns the one pupil of a code, or why there is none; several if the rows must say which one they mean."""
        if not refs:
            return UNKNOWN
        if self._only is not None:
            refs = [ref for ref in refs if ref.class_id == self._only[0]]
            if not refs:
                return Sentence("The pupil is not of the class {name}.", name=self.options.class_code)
        return refs[0] if len(refs) == 1 else list(refs)

    def _one_of(self, refs: list[PupilRef], row: Marked) -> PupilRef | Sentence:
        """Returns the pupil that a row means, of several schools' pupils with one code: the one in the school of its
        class.
        """
        if not row.class_name:
            return SEVERAL
        try:
            _class_id, school_id = self._class(row.class_name)
        except Misread as misread:
            return misread.sentence
        found = [ref for ref in refs if ref.school_id == school_id]
        return found[0] if len(found) == 1 else SEVERAL if found else UNKNOWN

    def _take(self, session: Session, row: Marked, marks: list[Mark], bad: list[Wrong]) -> None:
        ref = self._known[row.code] if row.code else self._by_name(session, row)
        if isinstance(ref, list):
            ref = self._one_of(ref, row)
        if isinstance(ref, Sentence):
            bad += row.as_wrong(ref) if row.marks else []  # a row of a monthly sheet without a mark may be no pupil's
            self._lost += len(row.marks)
            return
        pupil, reason = ref.id, row.reason
        row = self._there(session, row, pupil, bad)
        said = self._said.get(pupil)
        if said is None:
            said = self._said[pupil] = bytearray(SLOTS)
            self._class_of[pupil] = ref.class_id
        for day, half, mark in row.marks:
            slot = self._slots.get((day, half))
            if slot is None:
                slot = self._slot(day, half)
            if slot >= len(said):
                said.extend(bytes(slot + SLOTS - len(said)))
            code = _BYTES[mark]
            before = said[slot]
            if not before:
                said[slot] = code
                marks.append((pupil, day, half, mark, reason))
            elif before != code:
                why = Sentence("The file says something else of this pupil on {day} further up.", day=day)
                bad += row._replace(marks=[(day, half, mark)]).as_wrong(why)
                self._lost += 1

    def _look(self, session: Session, pupils: Collection[int]) -> None:
        """Looks up since when pupils are on their lists, where that is not since always."""
        self._looked.update(pupils)
        for member in registers.dated_members(session, pupils):
            self._held.setdefault(member.pupil, []).append(member)

    def _class_on(self, pupil: int, day: dt.date) -> int | None:
        """Returns the class of a pupil on a day; None before the pupil came and after the pupil left."""
        held = self._held.get(pupil)
        if held is None:
            return self._class_of.get(pupil)
        return next((member.class_id for member in held if member.on(day)), None)

    def _there(self, session: Session, row: Marked, pupil: int, bad: list[Wrong]) -> Marked:
        """Returns a row with the marks of days on which the pupil was on a list; those of other days are wrong."""
        if pupil not in self._looked:
            self._look(session, [pupil])
        if pupil in self._held:
            beyond = [mark for mark in row.marks if self._class_on(pupil, mark[0]) is None]
            for mark in beyond:
                bad += row._replace(marks=[mark]).as_wrong(Sentence(NOT_THERE.msgid, day=mark[0]))
            self._lost += len(beyond)
            row = row._replace(marks=[mark for mark in row.marks if mark not in beyond])
        self._list(row, pupil)
        return row

    def _list(self, row: Marked, pupil: int) -> None:
        """Notes that a list names a pupil."""
        if row.listing is None and self.options.blank != PRESENT:
            return
        found = self._lists.get(row.listing)
        if found is None:
            found = self._lists[row.listing] = ListedPupils(row.listing)
        found.add(pupil, row.marks)
        if row.listing is not None:
            found.doubtful |= {(pupil, *place) for place in row.listing.doubtful.get(row.row, ())}

    def _slot(self, day: dt.date, half: str) -> int:
        if len(self._slots) >= MOST_SLOTS:
            raise Unreadable(Sentence("The register is of more than {most} days. Split it.", most=MOST_SLOTS // 2))
        return self._slots.setdefault((day, half), len(self._slots))

    def _by_name(self, session: Session, row: Marked) -> PupilRef | Sentence:
        try:
            class_id, school_id = self._only or self._class(row.class_name)
        except Misread as misread:
            return misread.sentence
        if not self.reach.holds(class_id, school_id):
            return NOT_YOURS  # before the search for a pupil: who is in a class of others stays secret
        if class_id not in self._in_class:
            self._in_class[class_id] = stored.pupils_by_name(session, [class_id])
        found = self._in_class[class_id].get((class_id, fold(row.name)), [])
        if len(found) != 1:
            return Sentence("The class has no pupil of this name, or several: give the pupil's code.")
        return found[0]

    def _class(self, name: str) -> tuple[int, int]:
        known = given(self._places, PLACES_READ)
        return known.class_of(name, "", self._school)

    def _day(self, row: DayOfClass) -> dict[str, Any]:
        class_id, school_id = self._class(row.class_name)
        if not self.reach.holds(class_id, school_id):
            raise Misread(NOT_YOURS)
        return {"class_id": class_id, "day": row.day, "taken": row.taken, **dict(zip(COUNTS, row.counts, strict=True))}


def _why(row: Wrong, sentence: Sentence) -> Wrong:
    return Wrong(row.sheet, row.row, row.names, row.cells, (sentence,))
