"""Imports lists of pupils: adds, changes, moves within a school; never deletes. Doubtful rows wait for a person.

It compares a row only with the pupils of its own school. A child of another school is imported like an unknown one,
with the same statements and the same words. So a file never shows a school a child of another school, and never takes
one away. Only the office sees that two records may be one child (`engine.store.attendance.doubles`).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from engine.channels.excel97 import read_excel97
from engine.core.cases.definitions import Definitions
from engine.core.cases.facts import PLACE
from engine.core.files.aliases import Aliases
from engine.core.files.identity import CODE, Difference, differences, reasons, whole, without
from engine.core.files.lines import Notes, Wrong
from engine.core.files.options import ADD, KEEP, NOT_YOURS, SAME, TAKE, Options, Reach
from engine.core.files.places import Places
from engine.core.files.pupils import ENROLLED, PupilRow, read_pupils
from engine.core.files.sheets import read_sheets
from engine.core.invariants import given
from engine.core.text import fold, sort_key
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread
from engine.store.attendance import imports as stored
from engine.store.attendance import memberships
from engine.store.attendance.marks import Counts
from engine.store.session import Session
from engine.usecases.units.follow_pupils import follow_pupils

PIECE = 2_000  # rows in one transaction
Row = PupilRow | Wrong
Known = dict[tuple[int, str], dict[str, Any]]  # pupils by school and code


@dataclass(slots=True)
class PlacedRow:
    """A row with the columns it fills, and its class and school."""

    row: PupilRow
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def school(self) -> int:
        return int(self.values["school_id"])

    @property
    def key(self) -> tuple[int, str]:
        """Returns the key of the pupil: a code is unique only within a school."""
        return self.school, self.row.code

    @property
    def alike(self) -> stored.Alike:
        """Returns what makes two pupils of a school alike."""
        return self.school, self.values["search_key"], self.values.get("birth_date"), self.values.get("village_id")


@dataclass(slots=True)
class ImportWork:
    """The work of a piece: new pupils, changes, and what a person decided about which pupil."""

    new: list[dict[str, Any]] = field(default_factory=list)
    arrived: list[tuple[int, str]] = field(default_factory=list)
    moves: dict[int, int | None] = field(default_factory=dict)  # pupil → class, or None for one who left
    changed: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    decided: list[tuple[int, Difference, bool]] = field(default_factory=list)
    unchanged: int = 0

    @property
    def counts(self) -> Counts:
        return Counts(len(self.new), len(self.changed), self.unchanged)


PLACES_READ = "the places are read before a row is looked at"


class PupilImport:
    """One list of pupils; `put` its pieces in order."""

    def __init__(
        self, definitions: Definitions, aliases: Aliases, options: Options, reach: Reach, today: dt.date
    ) -> None:
        self.definitions, self.aliases, self.options, self.reach, self.today = (
            definitions,
            aliases,
            options,
            reach,
            today,
        )
        self.notes = Notes()
        self._noted = 0  # what earlier pieces counted
        self.duplicates: list[dict[str, Any]] = []
        self.held: list[dict[str, Any]] = []
        self._rows: list[Row] = []
        self._first: dict[tuple[int, str], PupilRow] = {}  # for a school and a code, the first row in the file
        self._nowhere: set[str] = set()  # codes in rows whose school is unknown
        self._same: set[tuple[int, str]] = set()  # codes that another code in the file replaces
        self._classes: set[int] = set()
        self._places: Places | None = None
        self._alike: dict[stored.Alike, list[tuple[str, str]]] = {}
        self._in_rows: dict[stored.Alike, PlacedRow] = {}  # the first row of the file for what makes two pupils alike
        self._school: int | None = None
        self._schools: set[int] = set()

    def pieces(self, data: bytes) -> Iterator[list[Row]]:
        """Yields the rows of the file in pieces; reads all of it first, to know all codes. Raises `Unreadable`."""
        self._rows = list(read_pupils(read_sheets(data, read_excel97), self.aliases, self.today, self.notes))
        for at in range(0, len(self._rows), PIECE):
            yield self._rows[at : at + PIECE]

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
        placed, bad = self._resolve(session, piece)
        codes = {one.row.code for one in placed} | self._renamed(placed)
        there, work = stored.whole_pupils(session, codes, {one.school for one in placed}), ImportWork()
        for one in placed:
            if why := self._take(one, there, work):
                bad.append(one.row.as_given(why))
        if not dry:
            self._write(session, work, at, by_id, job_id)
        counts = work.counts
        counts.noted, self._noted = self.notes.noted - self._noted, self.notes.noted
        return counts, bad

    def _write(
        self, session: Session, work: ImportWork, at: dt.datetime, by_id: int | None, job_id: int | None
    ) -> None:
        who = memberships.Who(at, by_id, job_id)
        stored.add_pupils(session, work.new)
        enrolled = [(row["school_id"], row["code"]) for row in work.new if row["status"] == ENROLLED]
        memberships.begin(session, enrolled, work.arrived, self.today, who)
        memberships.move(session, work.moves, self.today, who)
        for pupil_id, changes in work.changed:
            stored.change_pupil(session, pupil_id, changes)
        rows = [
            {**asdict(it), "pupil_id": pupil_id, "taken": taken, **asdict(who)} for pupil_id, it, taken in work.decided
        ]
        stored.note_decisions(session, rows)
        moved = [pupil_id for pupil_id, changes in work.changed if changes.keys() & set(PLACE)]
        follow_pupils(session, self.definitions, moved, at, by_id)

    def _take(self, one: PlacedRow, there: Known, work: ImportWork) -> list[Sentence]:
        """Adds the effect of a row to the work; returns why the row, or part of it, is held, if it is."""
        old = there.get(one.key)
        if old is None and (twin := self._twin(one)) is not None:
            decision = self._decision(one) or self.options.duplicates
            if decision == SAME and (old := there.get((one.school, twin))) is not None:
                self._same.add((one.school, twin))
                work.decided.append((old["id"], Difference(CODE, twin, one.row.code), True))
            elif decision != ADD:
                return [
                    Sentence(
                        "This may be the pupil with the code {code}: same name, birth date and village. Decide.",
                        code=twin,
                    )
                ]
        if old is not None:
            return self._take_known(one, old, work)
        row = {**_BLANK, **one.values, "code": one.row.code}
        work.new.append(row)
        if one.row.arrived and row["status"] == ENROLLED:
            work.arrived.append(one.key)
        return []

    def _take_known(self, one: PlacedRow, old: dict[str, Any], work: ImportWork) -> list[Sentence]:
        """Adds the changes to a known pupil; another name or birth date is held until a person decides."""
        found, values = differences(old, one.values), {**one.values, "code": one.row.code}
        decision = self._decision(one) if found else None
        if decision in {TAKE, KEEP}:
            work.decided += [(old["id"], it, decision == TAKE) for it in found]
        if decision != TAKE:
            values = {} if whole(found) else without(values, found)
        held = bool(found) and decision not in {TAKE, KEEP}
        if changes := _changes(old, values):
            work.changed.append((old["id"], changes))
            if changes.keys() & {"class_id", "status"}:
                now = old | changes
                work.moves[old["id"]] = now["class_id"] if now["status"] == ENROLLED else None
        else:
            work.unchanged += not held
        if not held:
            return []
        changed = [asdict(it) for it in found]
        self.held.append({"key": self._called(one), "code": old["code"], "name": old["name"], "changes": changed})
        return reasons(found)

    def _called(self, one: PlacedRow) -> str:
        """Returns the key of a decision about a row: its code, with the school's code if the file has several
        schools.
        """
        known = given(self._places, PLACES_READ)
        return one.row.code if len(self._schools) < 2 else f"{one.row.code}@{known.code(one.school)}"

    def _decision(self, one: PlacedRow) -> str | None:
        return (self.options.decisions or {}).get(self._called(one))

    def resolve(self, session: Session, piece: Sequence[Row]) -> None:
        """Remembers what an earlier run has already imported from a piece."""
        self._resolve(session, piece)
        self._noted = self.notes.noted

    def vanished(self, session: Session) -> list[str]:
        """Returns the codes of pupils who are enrolled in the classes of the file, but are not in the file."""
        return [code for school, code in stored.enrolled_in(session, self._classes) if not self._in_file(school, code)]

    def _in_file(self, school: int, code: str) -> bool:
        """Returns whether the file names a pupil, by this code or by one that replaces it."""
        return (school, code) in self._first or code in self._nowhere or (school, code) in self._same

    # --- what a row means -----------------------------------------------------------------------------------------

    def _resolve(self, session: Session, piece: Sequence[Row]) -> tuple[list[PlacedRow], list[Wrong]]:
        if self._places is None:
            self._prepare(session)
        placed: list[PlacedRow] = []
        bad: list[Wrong] = []
        for row in piece:
            if isinstance(row, Wrong):
                bad.append(row)
                continue
            try:
                one = self._place(row)
            except Misread as misread:
                bad.append(row.as_given([misread.sentence]))
                continue
            first = self._first[one.key]
            if first is row:
                placed.append(one)
            else:
                why = Sentence("This pupil stands in the file already, in row {row}.", row=first.at)
                bad.append(row.as_given([why]))
        return placed, bad

    def _prepare(self, session: Session) -> None:
        self._places = Places(stored.place_units(session, self.today))
        self._school = self._default_school()
        for row in self._rows:
            if isinstance(row, PupilRow):
                try:
                    one = self._place(row)
                    self._first.setdefault(one.key, row)
                    if one.values.get("birth_date") is not None:
                        self._in_rows.setdefault(one.alike, one)
                except Misread:
                    self._nowhere.add(row.code)
        self._schools = {school for school, _code in self._first}
        self._alike = stored.namesakes(session, self._schools)

    def _default_school(self) -> int | None:
        known = given(self._places, PLACES_READ)
        if self.options.school_code:
            return known.school_of(self.options.school_code)
        return self.reach.one_school(known.above)

    def _place(self, row: PupilRow) -> PlacedRow:
        known = given(self._places, PLACES_READ)
        places = row.places
        class_name = places["class"] or self.options.class_code
        class_id, school_id = known.class_of(class_name, places["school"], self._school)
        if not self.reach.holds(class_id, school_id):
            raise Misread(NOT_YOURS)
        self._classes.add(class_id)
        values = {**row.values, "class_id": class_id, "school_id": school_id}
        name = values["name"]
        values |= {"search_key": fold(name)[:120], "sort_key": sort_key(name)[:240]}
        if places["village"] or places["commune"]:
            home, found = known.home_of(places["village"], places["commune"], class_id)
            if not found:
                named = ", ".join(filter(None, (places["village"], places["commune"])))
                self.notes.say(
                    Sentence("The home “{place}” is not known here; pupils there have no village.", place=named)
                )
            columns = zip(("village_id", "commune_id", "province_id"), home, strict=True)
            values |= {key: unit for key, unit in columns if unit is not None}  # an unknown unit deletes nothing
        return PlacedRow(row, values)

    def _twin(self, one: PlacedRow) -> str | None:
        """Returns the code of a pupil with the same name, birth date and village: one of the school whom the file does
        not name, or one further up in the file.
        """
        found = self._candidates(one)
        if not found:
            other = self._in_rows.get(one.alike)
            found = [(other.row.code, other.values["name"])] if other and other.row.code != one.row.code else []
        if not found:
            return None
        code, name = found[0]
        self.duplicates.append({"key": self._called(one), "code": one.row.code, "like": code, "name": name})
        return code

    def _candidates(self, one: PlacedRow) -> list[tuple[str, str]]:
        """Returns code and name of pupils who are like a row and whom the file does not name."""
        alike = self._alike.get(one.alike, ())
        return [(code, name) for code, name in alike if not self._in_file(one.school, code)]

    def _renamed(self, placed: Sequence[PlacedRow]) -> set[str]:
        """Returns the known codes of those who have a new code in the file."""
        return {code for one in placed for code, _name in self._candidates(one)}


_BLANK: dict[str, Any] = {"status": "enrolled"} | dict.fromkeys(
    (
        "birth_date",
        "birth_year",
        "sex",
        "ethnicity",
        "disability",
        "guardian",
        "guardian_phone",
        "address",
        "village_id",
        "commune_id",
        "province_id",
    )
)


def _changes(old: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    changes = {key: value for key, value in values.items() if old[key] != value}
    if "commune_id" in changes and "village_id" not in values and old["village_id"]:
        changes["village_id"] = None  # the old village belongs to the old commune
    return changes
