"""Undoes a merger with the file that it wrote: units, pupils, cases and posts are as before.

Later changes stay: a column is restored only if it still has the value from the merger. What came later to a unit that
the merger began goes to the unit that it replaced. If that is not clear, nothing is undone. The history of the cases
only grows.
"""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.core.people.account_events import APPOINTED, ENDED, MOVED, By
from engine.core.refusals import Invalid
from engine.core.words import Sentence
from engine.store.cases import batches, writer
from engine.store.cases.surroundings import SurroundingsReader, cases
from engine.store.people.account_events import PostHeld, note
from engine.store.session import Session
from engine.store.units import merger_undo as stored
from engine.store.units import mergers as merging
from engine.store.units.merger_undo import ChangedRow, Key, MergerDifference
from engine.usecases.context import Context
from engine.usecases.people.powers import guarded, sees_no_more

KIND, FORMAT = "ralop merge-units: undo", 1


@dataclass(frozen=True, slots=True)
class Undone:
    """What was restored; `left` says what a person must do."""

    units: int
    pupils: int
    cases: int
    posts: int
    left: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class _Posts:
    """Rows of appointments: those that the merger made, and those that are held again."""

    removed: list[dict[str, Any]]
    held: list[dict[str, Any]]


# --- the file ---------------------------------------------------------------------------------------------------------


def is_undo(text: str) -> bool:
    """Returns whether this is a file that undoes a merger."""
    return text.lstrip("\ufeff \r\n\t").startswith('{"undoes"')


def write(found: MergerDifference) -> str:
    """Returns the file that undoes a merger."""

    def row(values: Mapping[str, object]) -> dict[str, Any]:
        return {name: stored.plain(value) for name, value in values.items()}

    return json.dumps(
        {
            "undoes": KIND,
            "format": FORMAT,
            "made": {name: [[list(key), row(values)] for key, values in rows] for name, rows in found.made.items()},
            "changed": {
                name: [[list(it.key), row(it.before), row(it.after)] for it in rows]
                for name, rows in found.changed.items()
            },
        },
        ensure_ascii=False,
    )


def read(text: str) -> MergerDifference:
    """Returns what a merger did, from its file. Raises `Invalid` for a damaged or different file."""
    try:
        data = json.loads(text.lstrip("\ufeff"))
        _check_kind(data)
        made: dict[str, list[tuple[Key, Mapping[str, Any]]]] = {
            name: [(_key(key), _row(name, row)) for key, row in rows] for name, rows in data["made"].items()
        }
        changed = {
            name: [ChangedRow(_key(key), _row(name, old), _row(name, new)) for key, old, new in rows]
            for name, rows in data["changed"].items()
        }
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Invalid({"file": Sentence("This is no whole file that undoes a merger.")}) from error
    return MergerDifference(changed, made)


def _check_kind(data: Mapping[str, Any]) -> None:
    if data["undoes"] != KIND or data["format"] != FORMAT:
        raise ValueError("of something else")


def _key(values: Any) -> Key:
    if not values or not all(type(value) is int and 0 <= value < 2**63 for value in values):
        raise ValueError("no key")
    return tuple(values)


def _row(name: str, values: Any) -> dict[str, Any]:
    if not stored.known(name, values):
        raise ValueError("no row of a table of ours")
    return {column: stored.read_value(value) for column, value in values.items()}


# --- undoing ----------------------------------------------------------------------------------------------------------


def undo(context: Context, text: str, now: dt.datetime, *, by: By = None, dry_run: bool = False) -> Undone:
    """Restores what a merger changed, from its file. Raises `Invalid` or `NotAllowed`, without changes.

    Args:
        context: where the units and cases are.
        text: the text of the file.
        now: the moment.
        by: who does it: an administrator, or the operator at the command line.
        dry_run: do it, return the result, store nothing.

    Raises:
        Invalid: the text is damaged or of something else, or later changes do not allow it.
        NotAllowed: the person would see more pupils than before, or no administrator would be left.
    """
    did = read(text)
    with context.store.writing("undo a merger") as session:
        _check(session, did)
        with guarded(session, None, now), sees_no_more(context, session, by, now):
            done = _undo(context, session, did, now, by)
        if dry_run:
            session.rollback()
    return done


def _check(session: Session, did: MergerDifference) -> None:
    """Checks that the units are as the merger left them."""
    made, changed = dict(did.made.get("units", ())), did.changed.get("units", [])
    there = stored.rows_of(session, "units", [*made, *(it.key for it in changed)])
    gone = [row["code"] for key, row in made.items() if there.get(key, {}).get("code") != row["code"]]
    gone += [str(it.key[0]) for it in changed if it.key not in there]
    if gone:
        raise Invalid(
            {
                "file": Sentence(
                    "This merger was undone already, or it is of another database: there are no units {codes}.",
                    codes=gone[:10],
                )
            }
        )
    others = [
        there[it.key]["name"] for it in changed if any(there[it.key][name] != was for name, was in it.after.items())
    ]
    ended = [row["name"] for key, row in made.items() if there[key]["successor_id"] is not None]
    ended += _that_ended_above(session, changed, there)
    if others or ended:
        raise Invalid(
            {
                "file": Sentence(
                    "These units were changed since the merger; undo first what came after it: {names}.",
                    names=[*others, *ended][:10],
                )
            }
        )


def _that_ended_above(session: Session, changed: list[ChangedRow], there: Mapping[Key, Mapping[str, Any]]) -> list[str]:
    """Returns units above the restored ones that have ended since: another merger came after this one."""
    keys = {it.key for it in changed}
    above = {(there[key]["parent_id"],) for key in keys if there[key]["parent_id"] is not None} - keys
    rows = stored.rows_of(session, "units", above)
    return [row["name"] for row in rows.values() if row["successor_id"] is not None]


def _undo(context: Context, session: Session, did: MergerDifference, now: dt.datetime, by: By) -> Undone:
    changed = did.changed
    back = _single_predecessors(did)
    made = {key[0] for key, _row in did.made.get("units", ())}
    left = _posts_that_changed(session, did)
    posts = _posts_back(context, session, did, now, by)
    stored.remove(session, "closures", [key for key, _row in did.made.get("closures", ())])
    pupils = stored.revert(session, "pupils", changed.get("pupils", ()))
    stored.revert(session, "cases", changed.get("cases", ()), merging.PLACES)
    stored.revert(session, "difficulties", changed.get("difficulties", ()))
    units = stored.revert(session, "units", changed.get("units", ()))
    _cases_back(context, session, changed.get("cases", []), back, now)
    stored.follow(session, back)
    merging.links_again(session)
    _note_held(session, posts, now, by)  # the offices over the restored units are told
    merging.set_communes(session, set(back.values()))
    merging.set_provinces(session, {key[0] for key in (it.key for it in changed.get("units", ()))})
    stored.to_own_communes(session, made - back.keys())
    if named := stored.still_named(session, made):
        raise Invalid(
            {
                "file": Sentence(
                    "It cannot be told where what came since the merger belongs: {what}. Move it to other units first.",
                    what=[f"{name}: {number}" for name, number in named.items()],
                )
            }
        )
    stored.remove_units(session, made)
    return Undone(units + len(made), pupils, len(changed.get("cases", ())), len(posts.held), left)


def _single_predecessors(did: MergerDifference) -> dict[int, int]:
    """Returns those of the merger's new units that replaced exactly one unit."""
    made = {key[0] for key, _row in did.made.get("units", ())}
    successors = {
        it.key[0]: it.after["successor_id"]
        for it in did.changed.get("units", ())
        if it.after.get("successor_id") in made
    }
    often = Counter(successors.values())
    return {new: old for old, new in successors.items() if often[new] == 1}


def _posts_back(context: Context, session: Session, did: MergerDifference, now: dt.datetime, by: By) -> _Posts:
    """Removes the merger's posts and restores those that it ended; notes a post that ends and is not held elsewhere."""
    made, changed = [key for key, _row in did.made.get("appointments", ())], did.changed.get("appointments", ())
    before = stored.rows_of(session, "appointments", [*made, *(it.key for it in changed)])
    removed = [before[key] for key in made if key in before]
    stored.revert(session, "appointments", changed)
    after = stored.rows_of(session, "appointments", [it.key for it in changed])
    posts = _Posts(removed, [row for key, row in after.items() if row != before[key]])
    _note_ended(session, posts, context.definitions.calendar("").local(now).date(), now, by)
    stored.remove(session, "appointments", made)
    return posts


def _note_ended(session: Session, posts: _Posts, today: dt.date, now: dt.datetime, by: By) -> None:
    held = {(row["person_id"], row["role"]) for row in posts.held}
    for row in posts.removed:
        if (row["person_id"], row["role"]) not in held:
            post = _post(row)
            yesterday = max(today - merging.DAY, post.first)
            last = min(post.last, yesterday) if post.last else yesterday
            note(session, ENDED, row["person_id"], by, now, replace(post, last=last))


def _note_held(session: Session, posts: _Posts, now: dt.datetime, by: By) -> None:
    """Notes each restored post: it came back from the merged unit, or it had ended for good."""
    removed = {(row["person_id"], row["role"]) for row in posts.removed}
    for row in posts.held:
        kind = MOVED if (row["person_id"], row["role"]) in removed else APPOINTED
        note(session, kind, row["person_id"], by, now, _post(row))


def _post(row: Mapping[str, Any]) -> PostHeld:
    end = row["valid_to"]
    return PostHeld(row["role"], row["unit_id"], row["valid_from"], end - merging.DAY if end else None)


def _posts_that_changed(session: Session, did: MergerDifference) -> tuple[Sentence, ...]:
    made = dict(did.made.get("appointments", ()))
    there = stored.rows_of(session, "appointments", made)
    others = sum(there.get(key, {}).get("valid_to") != row["valid_to"] for key, row in made.items())
    if not others:
        return ()
    return (
        Sentence(
            "Posts that were ended or changed since the merger, and are held again as before it: {count}.", count=others
        ),
    )


def _cases_back(
    context: Context, session: Session, changed: list[ChangedRow], back: Mapping[int, int], now: dt.datetime
) -> None:
    """Restores the open cases, each with an entry in its history; a case that went on keeps later acts."""
    by_id = {it.key[0]: it for it in changed if "version" in it.after}
    reader = SurroundingsReader(session, context.definitions, now)
    for found in batches.open_cases(session, cases.c.id.in_(sorted(by_id))) if by_id else ():
        works = reader.caseworks(found)
        for work in works:
            facts = work.facts
            it = by_id[facts.id]
            moved = {name: [it.after[name], it.before[name]] for name in merging.PLACES if name in it.before}
            if facts.version == it.after["version"]:
                work.put_back(moved, {name: value for name, value in it.before.items() if name in stored.WHOSE})
            else:
                work.place(moved, {new: old for new, old in moved.values() if new is not None} | dict(back))
        writer.store(session, works)
