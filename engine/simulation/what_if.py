"""Plays the cases of a past period again under other rules, and compares with what really happened. Stores nothing.

If the new rules would have moved a case elsewhere before a person changed it, it cannot be followed further. It is
compared up to that moment and named.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from engine.core.cases.definitions import Definitions
from engine.core.cases.facts import Facts
from engine.core.cases.past import PastEvent
from engine.core.cases.replay import TRIAL, Lost, Replay, Run
from engine.core.people.access import Viewer
from engine.core.refusals import Invalid
from engine.core.rules.model import RuleSet
from engine.core.words import Sentence
from engine.store.cases import history
from engine.store.cases.surroundings import SurroundingsReader
from engine.store.session import Session
from engine.usecases.context import Context

BATCH = 500
ABSENCES = frozenset({"absences", "unexcused"})
BEFORE = dt.timedelta(days=120)  # marks this long before the period still count as absences

Fired = tuple[str, dt.datetime]


@dataclass(frozen=True, slots=True)
class Changed:
    """A case on which other rules would have fired, or on other days."""

    code: str
    did: tuple[Fired, ...]
    would: tuple[Fired, ...]


@dataclass
class Outcome:
    """The comparison: `did_*` is what happened, `would_*` what would have happened.

    Rules and people by id, names in `names`.
    """

    cases: int = 0
    did_fire: Counter[str] = field(default_factory=Counter)
    would_fire: Counter[str] = field(default_factory=Counter)
    did_tell: Counter[int] = field(default_factory=Counter)
    would_tell: Counter[int] = field(default_factory=Counter)
    changed: list[Changed] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)
    names: dict[int, str] = field(default_factory=dict)

    def rules(self) -> list[tuple[str, int, int]]:
        """Returns each rule that fired or would have fired: id, real number of times, number in the trial."""
        ids = sorted({*self.did_fire, *self.would_fire})
        return [(id, self.did_fire[id], self.would_fire[id]) for id in ids]

    def people(self) -> list[tuple[str, int, int]]:
        """Returns each person who was told or would have been: name, real number of notices, number in the trial.

        The greatest change comes first.
        """
        rows = [
            (self.names.get(id, str(id)), self.did_tell[id], self.would_tell[id])
            for id in {*self.did_tell, *self.would_tell}
        ]
        return sorted(rows, key=lambda row: (-abs(row[2] - row[1]), row[0]))


def simulate(
    context: Context,
    rules: RuleSet,
    first: dt.datetime,
    end: dt.datetime,
    *,
    viewer: Viewer | None = None,
    most: int | None = None,
    batch: int = BATCH,
    progress: Callable[[Outcome], object] = lambda _outcome: None,
) -> Outcome:
    """Plays the cases that were open from `first` to `end` again under `rules`.

    Args:
        context: where the cases are; only read.
        rules: the rule set on trial, checked against its workflow.
        first, end: the period, aware UTC moments; `end` is not part of it.
        viewer: only cases that this person may know; None: all.
        most: refuse more cases than this; None: as many as there are.
        batch: cases read at once.
        progress: called after each batch.

    Raises:
        Invalid: the period is empty, or there are too many cases in it.
    """
    if end <= first:
        raise Invalid({"over": Sentence("The period must end after it begins.")})
    outcome, after = Outcome(), 0
    trial = replace(context.definitions, rulesets=_with_trial(context.definitions, rules))
    with context.store.reading("simulate rules") as session:
        reader = SurroundingsReader(session, trial, end)
        while found := history.cases_between(session, rules.workflow, first, end, viewer, after, batch):
            after = found[-1].id
            if most is not None and outcome.cases + len(found) > most:
                raise Invalid(
                    {
                        "over": Sentence(
                            "There are more than {most} cases in this period: take a shorter one, or use the command "
                            "line.",
                            most=most,
                        )
                    }
                )
            _play(session, reader, trial, found, rules, (first, end), outcome)
            progress(outcome)
        outcome.names = history.people_named(session, {*outcome.did_tell, *outcome.would_tell})
    return outcome


def _with_trial(definitions: Definitions, rules: RuleSet) -> dict[tuple[str, int], RuleSet]:
    return {**definitions.rulesets, (rules.workflow, TRIAL): rules}


def _play(
    session: Session,
    reader: SurroundingsReader,
    trial: Definitions,
    found: Sequence[Facts],
    rules: RuleSet,
    period: tuple[dt.datetime, dt.datetime],
    outcome: Outcome,
) -> None:
    first, end = period
    reader.fetch(found)
    events = history.events_of(session, [facts.id for facts in found], end)
    told: dict[int, list[tuple[int, dt.datetime]]] = {facts.id: [] for facts in found}
    for case, person, at in history.told_between(session, list(told), first, end):
        told[case].append((person, at))
    marks = _marks(session, found, rules, first, end)
    for facts in found:
        if not events[facts.id]:
            continue
        outcome.cases += 1
        replay = Replay(
            facts, events[facts.id], marks.get(facts.pupil_id, ()), trial, reader.surroundings(facts), reader
        )
        run = replay.run(first, end)
        _compare(outcome, facts.code, run, [past for past in events[facts.id] if past.at >= first], told[facts.id])


def _marks(
    session: Session, found: Sequence[Facts], rules: RuleSet, first: dt.datetime, end: dt.datetime
) -> dict[int, list[tuple[dt.date, str]]]:
    if not any(condition.name in ABSENCES for rule in rules.rules for condition in rule.when.conditions):
        return {}
    since = min(first.date() - BEFORE, *(facts.absent_since for facts in found))
    return history.absences(session, [facts.pupil_id for facts in found], since, end.date())


def _compare(
    outcome: Outcome, code: str, run: Run, events: Iterable[PastEvent], told: Iterable[tuple[int, dt.datetime]]
) -> None:
    """Adds one case to the comparison; a case that was lost is compared up to that moment."""
    until = run.lost.at if run.lost else None
    did = tuple((past.kind, past.at) for past in events if "rule" in past.data and (until is None or past.at < until))
    would = tuple((entry.kind, entry.at) for entry in run.entries if entry.firing)
    outcome.did_fire.update(rule for rule, _ in did)
    outcome.would_fire.update(rule for rule, _ in would)
    outcome.did_tell.update(person for person, at in told if until is None or at < until)
    outcome.would_tell.update(item.person_id for entry in run.entries for item in entry.told)
    if run.lost:
        outcome.lost.append(run.lost)
    if [(rule, at.date()) for rule, at in did] != [(rule, at.date()) for rule, at in would]:
        outcome.changed.append(Changed(code, did, would))
