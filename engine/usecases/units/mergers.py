"""Merges communes on a day, with all that belongs to them: villages, schools, pupils, posts, cases, offers.

Resolution 1677/NQ-UBTVQH15 of 16 June 2025 merged the communes of Quảng Ngãi and Kon Tum on 1 July 2025; `read_table`
reads the table of the statistics office without changes. A merger is one transaction. Repeating it changes nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from engine.core.cases.casework import SYSTEM, Actor
from engine.core.people.access import reach
from engine.core.people.account_events import ENDED, MOVED, By
from engine.core.refusals import Invalid, NotFound
from engine.core.text import tidy
from engine.core.units.kinds import KINDS, PARENTS
from engine.core.words import Sentence
from engine.store.cases import batches, writer
from engine.store.cases.reseating import concern
from engine.store.cases.surroundings import SurroundingsReader, cases
from engine.store.people.account_events import PostHeld, note
from engine.store.people.staff import viewer_of
from engine.store.session import Session
from engine.store.units import merger_undo as undoing
from engine.store.units import mergers as stored
from engine.store.units.mergers import MergedUnit
from engine.usecases.cases.reseat import reseat
from engine.usecases.context import Context
from engine.usecases.people.powers import guarded, sees_no_more
from engine.usecases.units import merger_undo

WHOLE = ("nhập toàn bộ", "giữ nguyên")  # remarks in the table for a commune that is merged as a whole
COLUMNS = 8
MOST_CODES = 10  # in a sentence
_PROVINCE = re.compile(r"(.*\S)\s*\((\d{2})\)\s*")


@dataclass(frozen=True, slots=True)
class Merger:
    """A unit that continues in another one.

    `name` and `province` (code, name) describe the new unit if it does not exist.
    """

    old: str
    new: str
    name: str = ""
    province: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class UnitMove:
    """A village, school or association that gets another parent; a person decides this if a commune is divided."""

    unit: str
    into: str


@dataclass
class Merged:
    """What a merger did, or would do; `left` says what a person must do."""

    ended: list[str] = field(default_factory=list)
    came_over: list[str] = field(default_factory=list)
    pupils: int = 0
    cases: int = 0
    offers: int = 0
    posts: int = 0
    handed_on: int = 0
    closures: int = 0
    left: list[Sentence] = field(default_factory=list)


def read_table(text: str) -> tuple[list[Merger], list[Sentence]]:
    """Returns the mergers of the statistics office's table, and a sentence for each line that is not a whole merger.

    Its columns: new province, new name, new code, old name, old code, note, old district, old province. Raises
    `Invalid` (table) for a text that is not csv.
    """
    mergers, left = [], []
    for number, row in enumerate(_rows(text), 1):
        cells = [tidy(cell) for cell in row] + [""] * (COLUMNS - len(row))
        new_province = _PROVINCE.fullmatch(cells[0])
        if new_province is None or not (cells[2].isdigit() and cells[4].isdigit()):
            if number > 2 and any(cells):
                left.append(Sentence("Line {number}: no commune with an old and a new code.", number=number))
            continue
        if cells[5].lower() not in WHOLE:
            left.append(
                Sentence(
                    "Line {number}: {name} goes over only in part ({note}): say for each village in a "
                    "file with --moves.",
                    number=number,
                    name=cells[3],
                    note=cells[5],
                )
            )
            continue
        mergers.append(Merger(cells[4], cells[2], cells[1], (new_province[2], new_province[1])))
    return mergers, left


def _rows(text: str) -> list[list[str]]:
    try:
        return list(csv.reader(io.StringIO(text.lstrip("\ufeff"), newline="")))
    except csv.Error as error:
        raise Invalid({"table": Sentence("This is not csv: {detail}.", detail=str(error))}) from error


def read_moves(text: str) -> list[UnitMove]:
    """Reads decisions from a file: each line has the code of a unit and of its new parent; `#` begins a remark.

    Raises `Invalid` with every other line.
    """
    moves, wrong = [], []
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        cells = [tidy(cell) for cell in line.partition("#")[0].replace(";", ",").split(",")]
        if cells == [""]:
            continue
        if len(cells) == 2 and all(cells):
            moves.append(UnitMove(*cells))
        else:
            wrong.append(Sentence("Line {number}: write UNIT,INTO, the codes of two units.", number=number))
    if wrong:
        raise Invalid({f"line {number}": sentence for number, sentence in enumerate(wrong)})
    return moves


def merge_units(
    context: Context,
    mergers: Iterable[Merger],
    on: dt.date,
    now: dt.datetime,
    *,
    moves: Iterable[UnitMove] = (),
    by: By = None,
    dry_run: bool = False,
    keep_undo: Callable[[str], object] | None = None,
) -> Merged:
    """Merges units into others from `on` on, with everything that belongs to them.

    It also moves what belongs to units that an imported tree ended with a successor.

    Args:
        context: where the units and cases are.
        mergers: old and new units; a merger whose old unit is unknown is skipped.
        moves: the parts of a divided commune with their new parents; done first, so that the rest can move as a whole.
        on: the first day of the new units, today at the latest.
        now: the moment.
        by: who does it: an administrator, or the operator at the command line.
        dry_run: do it, return the result, store nothing.
        keep_undo: gets the text of the file that undoes it (`engine.usecases.units.merger_undo`), before the commit; if
            it fails, nothing is stored. Not called if nothing was changed.

    Raises:
        Invalid: the day is in the future; two units do not match (of different kinds, one in the other, ended); or
            schools that become one have pupils with the same code.
        NotFound: a new unit does not exist and the merger does not describe it, or a unit to move does not exist.
        NotAllowed: the person would see more pupils than before, or no administrator would be left.
    """
    if on > context.definitions.calendar("").local(now).date():
        raise Invalid({"on": Sentence("{day} is still to come; merge the units on the day itself.", day=on)})
    merged = Merged()
    with context.store.writing("merge units") as session:
        before = undoing.whole(session)
        with guarded(session, None, now), sees_no_more(context, session, by, now):
            _move_tree(session, moves, on, merged)
            _merge_tree(session, mergers, on, merged)
            placed = _follow(context, session, on, now, by, merged)
        if dry_run:
            session.rollback()
        elif keep_undo is not None:
            did = undoing.difference({**before, **placed}, {**undoing.whole(session), **undoing.again(session, placed)})
            if did:
                keep_undo(merger_undo.write(did))
    return merged


# --- the tree ---------------------------------------------------------------------------------------------------------


def _move_tree(session: Session, moves: Iterable[UnitMove], on: dt.date, merged: Merged) -> None:
    for move in moves:
        old, into = stored.open_unit(session, move.unit, on), stored.beginning(session, move.into, on)
        if into is None:
            raise NotFound(Sentence("There is no unit “{code}” on {day}.", code=move.into, day=on))
        if old is None and stored.lies_in(session, move.unit, into, on):
            continue  # already done
        if old is None or old.kind not in stored.GOES_ON:
            raise NotFound(
                Sentence("There is no village, school or association “{code}” before {day}.", code=move.unit, day=on)
            )
        _check_move(session, old, into)
        stored.end(session, old.id, on, None)  # before the new one begins, so that a code belongs to one unit at a time
        new = stored.begin(session, old, on, parent=into)
        stored.carry_below(session, old.id, new, on)
        stored.end(session, old.id, on, new)
        merged.came_over.append(old.name)
    if merged.came_over:
        stored.links_again(session)


def _merge_tree(session: Session, mergers: Iterable[Merger], on: dt.date, merged: Merged) -> None:
    parents: list[int] = []
    for merger in mergers:
        old = stored.open_unit(session, merger.old, on)
        if old is None:
            _check_done(session, merger, on)
            continue
        _check_equals(session, old, merger, on)
        stored.end(session, old.id, on, None)  # before the new one begins, so that a code belongs to one unit at a time
        new = stored.beginning(session, merger.new, on, old=old.id) or _begin(session, old, merger, on)
        stored.carry_below(session, old.id, new, on)
        stored.end(session, old.id, on, new)
        parents += [old.parent_id] if old.parent_id is not None else []
        merged.ended.append(old.name)
    merged.ended += stored.end_empty(session, parents, on)
    if merged.ended:
        stored.links_again(session)


def _begin(session: Session, old: MergedUnit, merger: Merger, on: dt.date) -> int:
    code, name = merger.province
    if not code or not merger.name:
        raise NotFound(Sentence("There is no unit “{code}” on {day}.", code=merger.new, day=on))
    province = stored.beginning(session, code, on)
    if province is None:
        raise NotFound(
            Sentence("There is no unit “{code}” on {day}: import {name} first.", code=code, day=on, name=name)
        )
    return stored.begin(session, old, on, parent=province, code=merger.new, name=merger.name)


# --- what may become what ---------------------------------------------------------------------------------------------


def _check_done(session: Session, merger: Merger, on: dt.date) -> None:
    """Accepts a missing unit if it was merged in this way before; a line of the table may be of another province."""
    if not merger.name and not stored.went_over(session, merger.old, merger.new, on):
        raise NotFound(Sentence("There is no unit “{code}” before {day} that could go over.", code=merger.old, day=on))


def _check_equals(session: Session, old: MergedUnit, merger: Merger, on: dt.date) -> None:
    """Raises `Invalid` unless the new unit is of the same kind, elsewhere in the tree, and does not end."""
    there = stored.beginning(session, merger.new, on, old=old.id)
    new = stored.unit(session, there) if there is not None else None
    if new is None:
        if merger.new == merger.old and not merger.name:
            raise Invalid({"table": Sentence("{name} cannot become part of itself.", name=old.name)})
        if merger.name and old.kind != "commune":
            raise Invalid({"table": _no_equals(old, "commune", merger.name)})
        return
    if new.kind != old.kind:
        raise Invalid({"table": _no_equals(old, new.kind, new.name)})
    if stored.is_below(session, new.id, old.id) or stored.is_below(session, old.id, new.id):
        raise Invalid(
            {
                "table": Sentence(
                    "{new} lies in {old}, or the other way round: neither can become part of the other.",
                    new=new.name,
                    old=old.name,
                )
            }
        )
    if new.successor_id is not None or new.valid_to is not None:
        raise Invalid(
            {"table": Sentence("{name} has ended or is about to: merge into the unit that goes on.", name=new.name)}
        )


def _no_equals(old: MergedUnit, kind: str, name: str) -> Sentence:
    return Sentence(
        "{old} ({kind}) cannot become part of {new} ({other}): only units of one kind merge.",
        old=old.name,
        kind=KINDS[old.kind],
        new=name,
        other=KINDS[kind],
    )


def _check_move(session: Session, old: MergedUnit, into: int) -> None:
    """Raises `Invalid` unless the unit may belong to the other one."""
    new = stored.unit(session, into)
    if new.kind not in PARENTS[old.kind] or stored.is_below(session, new.id, old.id):
        raise Invalid(
            {
                "moves": Sentence(
                    "{unit} ({kind}) cannot lie in {new} ({other}).",
                    unit=old.name,
                    kind=KINDS[old.kind],
                    new=new.name,
                    other=KINDS[new.kind],
                )
            }
        )


# --- what follows -----------------------------------------------------------------------------------------------------


def _follow(context: Context, session: Session, on: dt.date, now: dt.datetime, by: By, merged: Merged) -> undoing.Rows:
    """Moves what belongs to the ended units; returns how it was before."""
    ended = stored.ended_by(session, on)
    successors = {unit.id: unit.successor for unit in ended}
    if shared := stored.shared_codes(session, successors):
        raise Invalid(
            {
                "codes": Sentence(
                    "Schools that become one gave the same codes to different pupils: {codes}. Give these pupils other "
                    "codes first, {count} in all.",
                    codes=", ".join(shared[:MOST_CODES]),
                    count=len(shared),
                )
            }
        )
    placed = undoing.placed(session, {*successors, *successors.values()})
    before = stored.places_of(session, successors)
    merged.pupils, _ = stored.move(session, successors)
    stored.set_communes(session, {unit.successor for unit in ended if unit.kind == "village"})
    stored.set_provinces(session, {unit.successor for unit in ended if unit.kind == "commune"})
    gone = _posts(session, successors, on, now, by, merged)
    merged.closures = stored.move_closures(session, ended, successors)
    _place(context, session, before, successors, gone, now, merged)
    seats = {(role, unit) for unit in successors.values() for role in context.definitions.roles.held_in}
    reseat(session, context, concern(session, gone, seats), now)
    merged.left += [
        Sentence(
            "{login} still is {role} of {unit}, which has ended: appoint them elsewhere.",
            login=login,
            role=context.definitions.roles.labels[role],
            unit=unit,
        )
        for login, role, unit in stored.homeless(session, on)
    ]
    return placed


def _posts(
    session: Session, successors: Mapping[int, int], on: dt.date, now: dt.datetime, by: By, merged: Merged
) -> set[int]:
    """Moves the posts and notes it; returns the people whose post ended for good."""
    given = {(post.role, post.unit_id) for post in stored.posts_in(session, set(successors.values()), on)}
    posts = stored.posts_in(session, successors, on)
    kept, over = stored.move_posts(session, posts, successors, given, on)
    merged.posts = len(kept)
    for post in kept:
        last = post.valid_to - stored.DAY if post.valid_to else None
        note(session, MOVED, post.person_id, by, now, PostHeld(post.role, successors[post.unit_id], on, last))
    for post in over:
        note(
            session, ENDED, post.person_id, by, now, PostHeld(post.role, post.unit_id, post.valid_from, on - stored.DAY)
        )
    return {post.person_id for post in over}


def _place(
    context: Context,
    session: Session,
    before: Mapping[int, Mapping[str, int | None]],
    successors: Mapping[int, int],
    gone: set[int],
    now: dt.datetime,
    merged: Merged,
) -> None:
    surroundings_reader = SurroundingsReader(session, context.definitions, now)
    reaching = {
        person: viewer_of(session, person, surroundings_reader.today, context.definitions.roles) for person in gone
    }
    for found in batches.open_cases(session, cases.c.id.in_(sorted(before))) if before else ():
        works = surroundings_reader.caseworks(found)
        for work in works:
            facts = work.facts
            moved = _moved(before[facts.id], facts)
            # If only the village moved, the old commune's part in this case goes to the new one.
            became = {**successors, **{old: new for name, (old, new) in moved.items() if name == "commune_id"}}
            waiting = facts.waiting and facts.offered_unit_id in became
            work.place(moved, became)
            merged.offers += waiting
            if facts.assignee_id is not None and became != successors and facts.assignee_id not in reaching:
                reaching[facts.assignee_id] = viewer_of(
                    session, facts.assignee_id, surroundings_reader.today, context.definitions.roles
                )
            if facts.assignee_id in reaching and not reach(reaching[facts.assignee_id], facts, facts.id):
                work.hand_on(Actor(None, SYSTEM))
                merged.handed_on += 1
        merged.cases += len(works)
        writer.store(session, works)


def _moved(before: Mapping[str, int | None], facts: object) -> dict[str, list[int]]:
    now = {name: getattr(facts, name) for name in before}
    return {name: [old, now[name]] for name, old in before.items() if old is not None and old != now[name]}
