"""Brings lists of pupils in: adds, changes, moves; never deletes. Who may be twice is held back for a decision."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from engine.fields import Misread
from engine.handbook import Handbook
from engine.import_reach import ADD, NOT_YOURS, SAME, Options, Reach
from engine.imports.aliases import Aliases
from engine.imports.lines import Notes, Wrong
from engine.imports.places import Places
from engine.imports.pupils import PupilRow, read_pupils
from engine.imports.sheets import read_sheets
from engine.store import imports as stored
from engine.store.marks import Counts
from engine.store.placing import PLACE, follow_pupils
from engine.store.session import Session
from engine.text import fold, sort_key
from engine.words import Sentence

PIECE = 2_000  # rows in one transaction
Row = PupilRow | Wrong


@dataclass(slots=True)
class Placed:
    """A row with the columns it fills, and the class and school it names."""

    row: PupilRow
    values: dict[str, Any] = field(default_factory=dict)


class PupilImport:
    """One list of pupils; `put` its pieces in order."""

    def __init__(self, handbook: Handbook, aliases: Aliases, options: Options, reach: Reach, today: dt.date) -> None:
        self.handbook, self.aliases, self.options, self.reach, self.today = handbook, aliases, options, reach, today
        self.notes = Notes()
        self.duplicates: list[dict[str, Any]] = []
        self._rows: list[Row] = []
        self._codes: set[str] = set()
        self._same: set[str] = set()  # codes that give way to another one in the file
        self._classes: set[int] = set()
        self._places: Places | None = None
        self._alike: dict[Any, list[tuple[str, str]]] = {}
        self._school: int | None = None

    def pieces(self, data: bytes) -> Iterator[list[Row]]:
        """The file's rows in pieces; it is read as a whole first, to know all codes. Raises `Unreadable`."""
        self._rows = list(read_pupils(read_sheets(data), self.aliases, self.today, self.notes))
        self._codes = {row.code for row in self._rows if isinstance(row, PupilRow)}
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
        """Bring a piece in (`dry`: only count), and say which rows are wrong."""
        placed, bad = self._resolve(session, piece)
        there = stored.whole_pupils(session, {one.row.code for one in placed} | self._renamed(placed))
        new: list[dict[str, Any]] = []
        changed: list[tuple[int, dict[str, Any]]] = []
        known = 0
        for one in placed:
            old, why = self._known(one, there)
            if why is not None:
                bad.append(one.row.as_given([why]))
            elif old is None:
                new.append({**_BLANK, **one.values, "code": one.row.code})
            else:
                known += 1
                if changes := _changes(old, {**one.values, "code": one.row.code}):
                    changed.append((old["id"], changes))
        if not dry:
            self._write(session, new, changed, at, by_id)
        return Counts(len(new), len(changed), known - len(changed)), bad

    def _write(
        self, session: Session, new: list[dict[str, Any]], changed: list[tuple[int, dict[str, Any]]], at: dt.datetime,
        by_id: int | None,
    ) -> None:  # fmt: skip
        stored.add_pupils(session, new)
        for pupil_id, changes in changed:
            stored.change_pupil(session, pupil_id, changes)
        moved = [pupil_id for pupil_id, changes in changed if changes.keys() & set(PLACE)]
        follow_pupils(session, self.handbook, moved, at, by_id)

    def _known(self, one: Placed, there: dict[str, dict[str, Any]]) -> tuple[dict[str, Any] | None, Sentence | None]:
        """The pupil a row is about, if it is there already; or why that cannot be said."""
        old = there.get(one.row.code)
        if old is None and (twin := self._twin(one)) is not None:
            decision = (self.options.decisions or {}).get(one.row.code, self.options.duplicates)
            if decision == SAME:
                self._same.add(twin)
                return there.get(twin), None
            if decision != ADD:
                return None, Sentence(
                    "This may be the pupil with the code {code}: same name, birth date and village. Decide.",
                    code=twin,
                )
        if old is not None and _another(old, one.values):
            return None, Sentence("This code is of another pupil, in another school.")
        return old, None

    def resolve(self, session: Session, piece: Sequence[Row]) -> None:
        """Remember what a piece names that was brought in before."""
        self._resolve(session, piece)

    def vanished(self, session: Session) -> list[str]:
        """The codes of pupils who are enrolled in the classes of the file, but are not in the file."""
        there = self._codes | self._same
        return [code for code in stored.enrolled_in(session, self._classes) if code not in there]

    # --- what a row means -----------------------------------------------------------------------------------------

    def _resolve(self, session: Session, piece: Sequence[Row]) -> tuple[list[Placed], list[Wrong]]:
        if self._places is None:
            self._prepare(session)
        placed: list[Placed] = []
        bad: list[Wrong] = []
        for row in piece:
            if isinstance(row, Wrong):
                bad.append(row)
                continue
            try:
                placed.append(self._place(row))
            except Misread as misread:
                bad.append(row.as_given([misread.sentence]))
        return placed, bad

    def _prepare(self, session: Session) -> None:
        self._places = Places(stored.place_units(session, self.today))
        self._school = self._default_school()
        homes, schools = set[int](), set[int]()
        for row in self._rows:
            if isinstance(row, PupilRow):
                try:
                    values = self._place(row).values
                except Misread:
                    continue
                homes.add(values.get("village_id") or 0)
                schools.add(values["school_id"])
        self._alike = stored.namesakes(session, homes - {0}, schools)

    def _default_school(self) -> int | None:
        assert self._places is not None
        if self.options.school_code:
            return self._places.school_of(self.options.school_code)
        return next(iter(self.reach.schools)) if len(self.reach.schools) == 1 else None

    def _place(self, row: PupilRow) -> Placed:
        assert self._places is not None
        places = row.places
        class_name = places["class"] or self.options.class_code
        class_id, school_id = self._places.class_of(class_name, places["school"], self._school)
        if not self.reach.holds(class_id, school_id):
            raise Misread(NOT_YOURS)
        self._classes.add(class_id)
        values = {**row.values, "class_id": class_id, "school_id": school_id}
        name = values["name"]
        values |= {"search_key": fold(name)[:120], "sort_key": sort_key(name)[:240]}
        if places["village"] or places["commune"]:
            home, whole = self._places.home_of(places["village"], places["commune"], class_id)
            if not whole:
                named = ", ".join(filter(None, (places["village"], places["commune"])))
                self.notes.say(
                    Sentence("The home “{place}” is not known here; pupils there have no village.", place=named)
                )
            columns = zip(("village_id", "commune_id", "province_id"), home, strict=True)
            values |= {key: unit for key, unit in columns if unit is not None}  # what is not known takes nothing away
        return Placed(row, values)

    def _twin(self, one: Placed) -> str | None:
        """The code of a pupil with the same name, birth date and village, who is not in the file under that code."""
        found = [twin for twin in self._alike.get(_key(one), ()) if twin[0] not in self._codes]
        if not found:
            return None
        code, name = found[0]
        self.duplicates.append({"code": one.row.code, "like": code, "name": name})
        return code

    def _renamed(self, placed: Sequence[Placed]) -> set[str]:
        """The codes under which those are known that stand in the file with a new one."""
        return {code for one in placed for code, _ in self._alike.get(_key(one), ()) if code not in self._codes}


def _key(one: Placed) -> tuple[str, dt.date | None, int | None]:
    return one.values["search_key"], one.values.get("birth_date"), one.values.get("village_id")


_BLANK: dict[str, Any] = {"status": "enrolled"} | dict.fromkeys(
    ("birth_date", "sex", "ethnicity", "disability", "guardian", "guardian_phone", "address",
     "village_id", "commune_id", "province_id")
)  # fmt: skip


def _changes(old: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    changes = {key: value for key, value in values.items() if old[key] != value}
    if "commune_id" in changes and "village_id" not in values and old["village_id"]:
        changes["village_id"] = None  # the old village lies in the old commune
    return changes


def _another(old: dict[str, Any], values: dict[str, Any]) -> bool:
    """Whether a code that two schools gave out means two pupils: another name, another birth date, another school."""
    born = values.get("birth_date")
    return bool(
        old["school_id"] != values["school_id"]
        and fold(old["name"]) != fold(values["name"])
        and (born is None or old["birth_date"] != born)
    )
