"""Reads rules files. engine/core/rules/model.py says what a rule set is; its names can be imported from here too."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import replace

from engine.core.calendar.season import Anchor
from engine.core.calendar.values import Duration, UnreadableValue
from engine.core.rules.check import check, warnings
from engine.core.rules.model import (
    NEXT_UP,
    OWN,
    Action,
    Ask,
    AskCheckIn,
    Condition,
    Fire,
    Notify,
    OfferTo,
    RaiseLevel,
    Repeat,
    Rule,
    RuleSet,
    Season,
    SetFlag,
    When,
)
from engine.core.rules.own_rules import unanswered
from engine.core.rules.read_then import actions_of
from engine.core.rules.read_when import DURATION, when_of
from engine.core.toml_reader import Reader, digest_of, format_of, in_words, read_toml
from engine.core.words import Fault, Faulty, Sentence
from engine.core.workflow.model import Workflow

__all__ = [
    "NEXT_UP",
    "OWN",
    "Action",
    "Ask",
    "AskCheckIn",
    "Condition",
    "Fire",
    "Notify",
    "OfferTo",
    "RaiseLevel",
    "Repeat",
    "Rule",
    "RuleSet",
    "Season",
    "SetFlag",
    "When",
    "load_ruleset",
]

ID = re.compile(r"[a-z0-9]+([-_][a-z0-9]+)*")
ANCHORS = Sentence('two dates such as ["tet + 0 days", "tet + 14 days"]')


def load_ruleset(text: str, file: str, workflow: Workflow) -> RuleSet:
    """Returns the rule set of a TOML text, checked against its workflow.

    Args:
        text: the file's content.
        file: its name, for the faults.
        workflow: the workflow whose cases the rules watch.

    Raises:
        Faulty: lists every fault of the file.
    """
    reader = read_toml(text, file)
    format_of(reader)
    ruleset = _ruleset(reader, text, workflow)
    check(ruleset, workflow, reader)
    reader.close()
    if reader.faults:
        raise Faulty(reader.faults)
    hints = tuple(Fault(file, key, sentence) for key, sentence in warnings(ruleset, workflow))
    return replace(ruleset, warnings=hints)


def _ruleset(reader: Reader, text: str, workflow: Workflow) -> RuleSet:
    name = reader.text("workflow")
    if name and name != workflow.name:
        reader.fault(
            "workflow",
            Sentence(
                "These rules are for “{name}”, not for the workflow “{workflow}”.", name=name, workflow=workflow.name
            ),
        )
    seasons = tuple(_season(table) for table in reader.tables("season"))
    ids = tuple(season.id for season in seasons)
    return RuleSet(
        workflow=name,
        version=reader.whole("version", least=1),
        rules=tuple(_rule(table, workflow, ids) for table in reader.tables("rule")),
        seasons=seasons,
        text=text,
        digest=digest_of(text),
        unanswered=tuple(unanswered(workflow)),
    )


def _rule(reader: Reader, workflow: Workflow, seasons: tuple[str, ...]) -> Rule:
    id = _id(reader)
    when = when_of(reader.table("when", required=True), workflow, seasons)
    return Rule(
        id=id,
        why=reader.label("why", in_words(id)),
        when=when,
        then=actions_of(reader, workflow, when.state),
        repeat=_repeat(reader.table("repeat")) if "repeat" in reader else None,
        urgent=reader.flag("urgent"),
        season=reader.flag("season", default=True),
    )


def _id(reader: Reader, default: str | None = None) -> str:
    id = reader.text("id", default)
    if "id" in reader and id and not ID.fullmatch(id):
        reader.fault(
            "id", Sentence("Write ids with small letters a-z, digits and - only, for example contact-overdue.")
        )
    return id


def _repeat(reader: Reader) -> Repeat | None:
    every = reader.parsed("every", Duration.parse, DURATION, required=True)
    at_most = reader.whole("at_most", least=1) if "at_most" in reader else None
    reader.raw("at_most")
    return Repeat(every, at_most) if every else None


def _season(reader: Reader) -> Season:
    name = reader.label("name")
    factor = reader.number("factor", required=True)
    if factor is not None and factor <= 0:
        reader.fault("factor", Sentence("The factor of a season must be above 0, for example 0.5."))
    if factor is not None and factor > 1:
        reader.fault("factor", Sentence("A season never makes a time longer: the factor is at most 1."))
    return Season(
        id=_id(reader, _slug(name.en)),
        name=name,
        between=_between(reader),
        factor=float(factor or 1),
        units=reader.texts("units"),
    )


def _between(reader: Reader) -> tuple[str, str]:
    texts = reader.texts("between", required=True)
    if len(texts) != 2:
        if texts:
            reader.wrong("between", ANCHORS)
        return "", ""
    try:
        first, end = map(Anchor.parse, texts)
    except UnreadableValue as error:
        reader.fault("between", error.sentence)
    else:
        if (first.kind, first.value) == (end.kind, end.value) and end.days <= first.days:
            reader.fault("between", Sentence("The season must end after it begins."))
    return texts[0], texts[1]


def _slug(words: str) -> str:
    """Makes an id of words: "After Tết" becomes after-tet."""
    plain = "".join(mark for mark in unicodedata.normalize("NFD", words.lower()) if not unicodedata.combining(mark))
    return "-".join(re.findall(r"[a-z0-9]+", plain.replace("đ", "d"))) or "season"
