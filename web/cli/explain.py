"""`ralop explain CASE`: why each thing happened to a case, how its deadline was counted, what the rules do next."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator

import click

from engine.core.cases.act_vocabulary import act_label
from engine.core.cases.casework import FOR
from engine.core.cases.definitions import Situation
from engine.core.cases.explain import Line, Next, what_comes, why_of_deadline, why_of_event
from engine.core.cases.facts import Facts
from engine.core.cases.levels import level_words
from engine.core.cases.past import PastEvent
from engine.core.cases.turn import afterwards, turn
from engine.core.people.responsibility import acted
from engine.core.refusals import NotFound
from engine.core.words import Label, Sentence
from engine.store.cases.cases import find_case
from engine.store.cases.history import events_of, people_named
from engine.store.cases.surroundings import SurroundingsReader
from engine.usecases.context import Context
from web.cli.console import language_here, with_context


@click.command("explain")
@click.argument("code", metavar="CASE")
@click.option("--database", help="Another database than the installation's, as a URL.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def explain(code: str, database: str | None, language: str) -> None:
    """Say why the rules did what they did to CASE, how its deadline was counted, and what comes next.

    Names no pupil: what people wrote is not shown.
    """
    with with_context(database, language) as (context, now):
        for depth, line in explained(context, code, now):
            click.echo("  " * depth + line.in_(language))


def explained(context: Context, code: str, now: dt.datetime) -> Iterator[tuple[int, Line]]:
    """Returns the lines of the answer, each with its depth. Raises `NotFound`."""
    with context.store.reading("explain a case") as session:
        facts = find_case(session, code.upper())
        if facts is None:
            raise NotFound(Sentence("There is no case {code}.", code=code))
        reader = SurroundingsReader(session, context.definitions, now)
        reader.fetch([facts])
        situation, events = reader.situation(facts), events_of(session, [facts.id])[facts.id]
        acting = {person for it in events if FOR in it.data for person in (it.person_id, it.data[FOR]) if person}
        names = people_named(session, acting)
    yield 0, _standing(situation, facts)
    if facts.is_open:
        labels = context.definitions.role_labels(situation.surroundings)
        lines = turn(situation.workflow, facts, labels), afterwards(situation, facts, now, labels)
        yield from ((0, line) for line in lines if line is not None)
    yield from _deadline(situation, facts)
    yield 0, Sentence("What happened:")
    for event in events:
        yield from _event(context, situation, facts, event)
        if FOR in event.data:
            yield 2, acted(names.get(event.person_id or 0, ""), names.get(event.data[FOR]))
    if facts.is_open:
        yield 0, Sentence("What comes next if nobody acts:")
        yield from _coming(situation, what_comes(situation, facts, now))


def _standing(situation: Situation, facts: Facts) -> Line:
    state = situation.workflow.states[facts.state].label
    if not facts.level:
        return Sentence("{code}: {state}", code=facts.code, state=state)
    return Sentence("{code}: {state}. {level}", code=facts.code, state=state, level=level_words(facts.level))


def _deadline(situation: Situation, facts: Facts) -> Iterator[tuple[int, Line]]:
    why = why_of_deadline(situation, facts)
    if why is None:
        yield 0, Sentence("There is no deadline in this state.")
        return
    if facts.due_at is not None:
        yield 0, Sentence("Deadline: {due}", due=situation.calendar.local(facts.due_at))
    yield from _indented(1, why.lines())


def _event(context: Context, situation: Situation, facts: Facts, event: PastEvent) -> Iterator[tuple[int, Line]]:
    why = why_of_event(context.definitions, facts, situation.surroundings, event.data, event.values)
    at, labels = situation.calendar.local(event.at), context.definitions.role_labels(situation.surroundings)
    what = Label("", "") if "rule" in event.data else act_label(situation.workflow, event.kind)
    if "rule" in event.data:
        yield 1, Sentence("{at}  Rule {rule}", at=at, rule=event.kind)
    elif event.role is None or event.role not in labels:
        yield 1, Sentence("{at}  {what}", at=at, what=what)
    else:
        yield 1, Sentence("{at}  {role}: {what}", at=at, role=labels[event.role], what=what)
    yield from _indented(2, why.lines() if why else ())


def _coming(situation: Situation, coming: tuple[Next, ...]) -> Iterator[tuple[int, Line]]:
    if not coming:
        yield 1, Sentence("Nothing: no rule waits for anything here.")
    for item in coming:
        at = situation.calendar.local(item.at)
        yield 1, Sentence("{at}  {rule}: {why}", at=at, rule=item.rule.id, why=item.rule.why)
        if item.perhaps:
            yield 2, Sentence("Only if its conditions hold by then.")


def _indented(depth: int, lines: Iterable[Line]) -> Iterator[tuple[int, Line]]:
    return ((depth, line) for line in lines)
