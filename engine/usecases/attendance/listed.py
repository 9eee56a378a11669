"""Says what a list means for those whom it names without a mark: in a session that the class took they were present.

A monthly sheet lists pupils and days. A session is taken if the sheet has a mark or a total in its column, or if the
class took it before. Where the list names the whole class, it is enough to store the session. Where it names some only,
each of them gets a mark of presence. A blank never changes an absence that is stored; it is taken note of.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from engine.core.files.marks import Listing
from engine.core.files.options import NOT_TAKEN
from engine.store.attendance import registers, taken
from engine.store.attendance.marks import Counts, Mark
from engine.store.attendance.registers import Member
from engine.store.attendance.taken import Key, Taken
from engine.store.session import Session

Half = tuple[dt.date, str]  # day and session
ClassOn = Callable[[int, dt.date], int | None]  # the class of a pupil on a day


@dataclass(slots=True)
class ListedPupils:
    """What one listing, or a whole long list (`listing` None), says in a piece of a file."""

    listing: Listing | None
    said: dict[int, set[Half]] = field(default_factory=dict)  # what is marked, by pupil
    doubtful: set[tuple[int, dt.date, str]] = field(default_factory=set)  # cells that could not be read

    def add(self, pupil: int, marks: Iterable[tuple[dt.date, str, str]]) -> None:
        """Notes a pupil of the list, with the sessions that have a mark."""
        self.said.setdefault(pupil, set()).update((day, half) for day, half, _ in marks)


@dataclass(slots=True)
class Settled:
    """What is to be stored: marks of the file, marks of presence for those whom no list implies, sessions; what that
    means for the counts; and whether older lists may imply presence that marks of the file correct.
    """

    marks: list[Mark]
    present: list[Mark] = field(default_factory=list)
    sessions: list[Taken] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    blanks_over_absences: int = 0
    on_lists: bool = False


class ListReader:
    """Settles the lists of one piece of a file."""

    def __init__(self, session: Session, class_on: ClassOn, at: dt.datetime, blank: str) -> None:
        self.session, self.class_on, self.at, self.blank = session, class_on, at, blank

    def settle(self, lists: Sequence[ListedPupils], marks: list[Mark]) -> Settled:
        """Returns what to store of marks and lists."""
        settled = Settled(marks)
        days = [mark[1] for mark in marks]
        days += [day for one in lists if one.listing for day, _ in one.listing.columns]
        pupils = {mark[0] for mark in marks} | {pupil for one in lists for pupil in one.said}
        if not days or not pupils:
            return settled
        first, last = min(days), max(days)
        classes = {found for pupil in pupils for day in (first, last) if (found := self.class_on(pupil, day))}
        if lists:
            classes |= {found for pupil, day, *_ in marks if (found := self.class_on(pupil, day))}
        settled.on_lists = taken.any_list(self.session, classes, first, last)
        if not lists:
            return settled
        self.there = taken.stored(self.session, classes, first, last)
        keys = [self._keys(one) for one in lists]
        if self.blank == NOT_TAKEN:
            settled.sessions = [Taken(*key, None, taken.SHEET) for key in sorted(set[Key]().union(*keys))]
            return settled
        self.members: dict[int, list[Member]] = defaultdict(list)
        for member in registers.members_in(self.session, classes, first, last):
            self.members[member.class_id].append(member)
        self.stored = registers.own_marks(self.session, {p for one in lists for p in one.said}, first, last)
        made: dict[Key, dt.datetime | None] = {}
        for one, named in zip(lists, keys, strict=True):
            self._made(one, named, made)
        for one, named in zip(lists, keys, strict=True):
            self._blanks(one, named, made, settled)
        self._drop_plain(lists, made, settled)
        new = {key: moment for key, moment in made.items() if key not in self.there or self.there[key] != moment}
        source = taken.SHEET if all(one.listing for one in lists) else taken.LIST
        settled.sessions = [Taken(*key, new[key], source) for key in sorted(new)]
        return settled

    def _keys(self, one: ListedPupils) -> set[Key]:
        """Returns the sessions that a list says were taken: those with a mark, and those with a total."""
        found = {
            (klass, day, half)
            for pupil, said in one.said.items()
            for day, half in said
            if (klass := self.class_on(pupil, day)) is not None
        }
        if one.listing is not None and one.said:
            for day, half in one.listing.summed:
                classes = Counter(filter(None, (self.class_on(pupil, day) for pupil in one.said)))
                found |= {(klass, day, half) for klass, _ in classes.most_common(1)}
        return found

    def _made(self, one: ListedPupils, keys: Collection[Key], made: dict[Key, dt.datetime | None]) -> None:
        """Notes since when the sessions of a list name their class as a whole."""
        whole: dict[int, bool] = {}
        doubtful = {(day, half) for _, day, half in one.doubtful}
        for key in keys:
            klass, day, half = key
            if one.listing is None:
                found: dt.datetime | None = self.at  # a long list speaks of the whole class, if it is read so
            else:
                if klass not in whole:
                    whole[klass] = all(member.pupil in one.said for member in self.members[klass])
                if whole[klass] and (day, half) not in doubtful:
                    found = self.at
                else:
                    listed = {pupil for pupil in one.said if (pupil, day, half) not in one.doubtful}
                    found = taken.as_of(self.members[klass], day, listed, self.at)
            made[key] = taken.later({key: made.get(key) or self.there.get(key)}, key, found)

    def _blanks(
        self, one: ListedPupils, keys: Collection[Key], made: Mapping[Key, dt.datetime | None], settled: Settled
    ) -> None:
        """Finds the blanks: over an absence they are noted; where no list implies presence they get a mark."""
        if one.listing is None:
            return
        before = {key for key in self.there if (key[1], key[2]) in one.listing.columns}
        recorded = {(m.class_id, m.pupil): m.recorded_at for members in self.members.values() for m in members}
        bare = [key for key in {*keys, *before} if (made.get(key) or self.there.get(key)) != self.at]
        for pupil, said in one.said.items():
            own = {(day, half): mark for day, half, mark in self.stored.get(pupil, ())}
            for (day, half), mark in own.items():
                key = (self.class_on(pupil, day) or 0, day, half)
                if mark in "eu" and (day, half) not in said and (key in made or key in before):
                    settled.blanks_over_absences += 1
            for klass, day, half in bare:
                if (day, half) in said or (day, half) in own or self.class_on(pupil, day) != klass:
                    continue
                moment = made.get((klass, day, half)) or self.there.get((klass, day, half))
                implied = moment is not None and recorded.get((klass, pupil), self.at) <= moment
                if not implied and (pupil, day, half) not in one.doubtful:
                    settled.present.append((pupil, day, half, "p", None))

    def _drop_plain(
        self, lists: Sequence[ListedPupils], made: Mapping[Key, dt.datetime | None], settled: Settled
    ) -> None:
        """Leaves out marks of presence that a session implies."""
        listed = {pupil for one in lists for pupil in one.said}
        recorded = {(m.class_id, m.pupil): m.recorded_at for members in self.members.values() for m in members}
        own = {(pupil, day, half) for pupil, several in self.stored.items() for day, half, _ in several}
        kept: list[Mark] = []
        for mark in settled.marks:
            pupil, day, half, what, reason = mark
            key = (self.class_on(pupil, day) or 0, day, half)
            known = recorded.get((key[0], pupil), self.at)
            moment = made.get(key)
            plain = what == "p" and reason is None and pupil in listed and (pupil, day, half) not in own
            if not plain or moment is None or known > moment:
                kept.append(mark)
            elif (old := self.there.get(key)) is not None and known <= old:
                settled.counts.unchanged += 1
            else:
                settled.counts.new += 1
        settled.marks = kept
