"""Moves open cases to the workflow and rules that new cases begin with.

A case keeps its version until somebody moves it. Each move is an event with the deadline before and after. The moves
run in batches, each one transaction, so that they can be stopped and continued. A moved case is not touched again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from engine.core.cases.casework import Casework
from engine.core.cases.facts import Facts
from engine.core.refusals import Invalid
from engine.core.words import Sentence
from engine.core.workflow.model import Workflow
from engine.store.cases import writer
from engine.store.cases.batches import behind
from engine.store.cases.surroundings import SurroundingsReader
from engine.usecases.context import Context

BATCH = 500


@dataclass(frozen=True, slots=True)
class CaseMove:
    """What a migration does with one case: its state and deadline before and after, or why it stays behind."""

    code: str
    state: str
    to: str
    due_before: dt.datetime | None
    due: dt.datetime | None
    obstacle: Sentence | None = None


@dataclass
class Moved:
    """Everything that a migration did, or would do."""

    moves: list[CaseMove] = field(default_factory=list)

    @property
    def done(self) -> list[CaseMove]:
        return [move for move in self.moves if move.obstacle is None]

    @property
    def left_behind(self) -> list[CaseMove]:
        return [move for move in self.moves if move.obstacle is not None]


def migrate_cases(
    context: Context,
    now: dt.datetime,
    *,
    workflow: str | None = None,
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
    batch: int = BATCH,
    progress: Callable[[Moved], object] = lambda _moved: None,
) -> Moved:
    """Moves every open case that runs on earlier versions to the current ones.

    Args:
        context: its definitions say which versions are current.
        now: the moment of the move.
        workflow: only cases of this workflow; None: of all.
        mapping: for removed states, the states that replace them.
        dry_run: return what would happen and store nothing.
        batch: cases in one transaction.
        progress: called after each batch.

    Raises:
        NotFound: the workflow is unknown.
        Invalid: the mapping names a state that the workflow does not have.
    """
    names = [workflow] if workflow else sorted(context.definitions.current)
    mapping = dict(mapping or {})
    targets = {name: context.definitions.workflow(name) for name in names}
    _check(mapping, targets)
    moved = Moved()
    for target in targets.values():
        after: int | None = 0
        while after is not None:
            after = _batch(context, target, mapping, now, dry_run=dry_run, after=after, limit=batch, moved=moved)
            progress(moved)
    return moved


def _check(mapping: Mapping[str, str], targets: Mapping[str, Workflow]) -> None:
    known = {state for target in targets.values() for state in target.states}
    if wrong := sorted(set(mapping.values()) - known):
        raise Invalid({"map": Sentence("The workflow has no state {name}.", name=wrong[0])})


def _batch(
    context: Context,
    target: Workflow,
    mapping: Mapping[str, str],
    now: dt.datetime,
    *,
    dry_run: bool,
    after: int,
    limit: int,
    moved: Moved,
) -> int | None:
    """Moves one batch in one transaction; returns the id after which to go on, None at the end."""
    versions = target.version, context.definitions.rules(target.name).version
    opened = context.store.reading if dry_run else context.store.writing
    with opened("migrate cases") as session:
        found = behind(session, target.name, versions, after, limit, lock=not dry_run)
        world = SurroundingsReader(session, context.definitions, now)
        planned = {facts.id: _planned(facts, target, versions, mapping) for facts in found}
        world.fetch(list(planned.values()))  # what the new rules need, in the new state
        world.read_answers(found)  # and from when time counted under the old ones
        works = [work for facts in found if (work := _move(world, facts, planned[facts.id], target, moved))]
        if works and not dry_run:
            writer.store(session, works)
    return found[-1].id if len(found) == limit else None


def _planned(facts: Facts, target: Workflow, versions: tuple[int, int], mapping: Mapping[str, str]) -> Facts:
    state = facts.state if facts.state in target.states else mapping.get(facts.state, "")
    return replace(facts, workflow_version=versions[0], rules_version=versions[1], state=state)


def _move(world: SurroundingsReader, facts: Facts, planned: Facts, target: Workflow, moved: Moved) -> Casework | None:
    obstacle = _obstacle(facts, planned.state, target)
    if obstacle:
        moved.moves.append(CaseMove(facts.code, facts.state, "", facts.due_at, facts.due_at, obstacle))
        return None
    state, due = facts.state, facts.due_at
    facts.causes, facts.fired, facts.holds, facts.marks = planned.causes, planned.fired, planned.holds, planned.marks
    facts.answers = facts.answers or planned.answers
    work = world.casework(facts)
    work.migrate(world.situation(planned), planned.state)
    moved.moves.append(CaseMove(facts.code, state, facts.state, due, facts.due_at))
    return work


def _obstacle(facts: Facts, state: str, target: Workflow) -> Sentence | None:
    if not state:
        return Sentence(
            "The state {state} is gone; say with --map {state}=… which one takes its place.", state=facts.state
        )
    if target.states[state].final:
        return Sentence("{state} ends a case; a case is ended by a person or a rule, not by a move.", state=state)
    return None
