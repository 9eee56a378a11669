"""Shows the workflow and the rules in words and picture to everybody, because everybody must follow them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, render_template

from engine.core.people.roles import FIGURES, INVITED, KNOWS, NONE, REFERRED, Role, Roles
from engine.core.rules.describe import Line, anchor_words, then_words, when_words
from engine.core.rules.model import Rule
from engine.core.words import Label, Sentence
from engine.core.workflow.model import RULE, State, Transition, Workflow
from web.cases.diagram import draw
from web.site.definition_sources import file_of
from web.site.languages import language
from web.site.request_context import deployment, role_book, role_labels

pages = Blueprint("rulebook", __name__)

BY_ITSELF = Label("quy tắc (tự động)", "a rule (by itself)")


@dataclass(frozen=True, slots=True)
class RuleShown:
    """A rule and its words."""

    rule: Rule
    when: tuple[Line, ...]
    then: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class RoleShown:
    """A role in words: what its holder learns of a pupil, who is asked after it, who decides about its difficulties."""

    role: Role
    sees: Sentence
    above: tuple[Label, ...]
    decide: tuple[Label, ...]


SEES: Mapping[str, Sentence] = {
    KNOWS: Sentence("knows who the pupil is"),
    REFERRED: Sentence("knows what a pupil needs, not who it is"),
    FIGURES: Sentence("sees figures, and opens single cases"),
    NONE: Sentence("sees no pupil"),
}
ON_INVITATION = Sentence("sees the cases to which they are invited")


def _role(tree: Roles, role: Role) -> RoleShown:
    sees = ON_INVITATION if role.seat == INVITED else SEES[role.sight]
    above = tuple(tree[code].label for code in tree.ladder(role.code)[1:])
    return RoleShown(role, sees, above, tuple(tree[code].label for code in tree.climbs(role.code)))


@dataclass(frozen=True, slots=True)
class StateShown:
    """A state, the steps that lead on from it, and the rules that watch it."""

    state: State
    steps: tuple[Transition, ...]
    rules: tuple[RuleShown, ...]


@pages.get("/workflow")
def workflow() -> str:
    """Shows the states of a case and the steps between them."""
    context = deployment().context
    flow = context.definitions.workflow(context.workflow)
    return render_template(
        "workflow.html",
        flow=flow,
        states=[_place(flow, state) for state in flow.states.values()],
        roles={**role_labels(), RULE: BY_ITSELF},
        picture=draw(flow, "", (), language()),
        file=file_of("workflow", flow.name) or flow.name,
    )


def _place(flow: Workflow, state: State, rules: tuple[RuleShown, ...] = ()) -> StateShown:
    return StateShown(state, flow.leaving(state.name), rules)


@pages.get("/rules")
def rules() -> str:
    """Shows what happens when nobody acts, state by state, in the order in which rules fire."""
    context = deployment().context
    flow = context.definitions.workflow(context.workflow)
    ruleset = context.definitions.rules(context.workflow)
    told = [
        RuleShown(rule, when_words(rule, ruleset, flow), then_words(rule, flow, role_labels()))
        for rule in ruleset.rules
    ]
    places = [
        _place(flow, state, tuple(one for one in told if one.rule.when.state == state.name))
        for state in flow.states.values()
    ]
    seasons = [(it, anchor_words(it.between[0]), anchor_words(it.between[1])) for it in ruleset.seasons]
    return render_template(
        "rules.html",
        flow=flow,
        ruleset=ruleset,
        places=[place for place in places if place.rules],
        seasons=seasons,
        trees=[(tree, [_role(tree, role) for role in tree.roles.values()]) for tree in role_book().trees],
        file=file_of("rules", ruleset.workflow) or ruleset.workflow,
    )
