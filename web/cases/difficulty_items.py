"""Puts difficulties into words, and finds those that wait for the person on this page."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from flask import g

from engine.core.cases.timeline import Line, choice_label, waits_for
from engine.core.words import Label
from engine.core.workflow.builtin_forms import FIELDS
from engine.store.cases import difficulties as stored
from engine.store.cases.difficulties import Shown
from engine.store.session import Session
from engine.usecases.cases.difficulties import may_answer
from web.site.request_context import deployment, role_labels


@dataclass(frozen=True, slots=True)
class DifficultyItem:
    """A difficulty in words. `mine`: the reader has to decide about it."""

    it: Shown
    kind: Label
    where: Line
    answer: Label | None
    mine: bool


def items(found: Iterable[Shown]) -> list[DifficultyItem]:
    """Returns difficulties in the form that the macro `difficulty` shows."""
    return [
        DifficultyItem(
            it,
            choice_label(FIELDS["difficulty_kind"], it.kind),
            waits_for(role_labels()[it.role], it.unit if it.pupil else ""),
            choice_label(FIELDS["difficulty_answer"], it.answer) if it.answer else None,
            may_answer(g.viewer, it),
        )
        for it in found
    ]


def to_decide(session: Session) -> tuple[DifficultyItem, ...]:
    """Returns the difficulties that the person on this page has to decide about."""
    found = stored.waiting_for(session, g.viewer)
    if g.viewer.opens_only:  # a list tells them the case, and not who it is about
        with deployment().context.store.scoped(g.viewer.opening) as opened:
            waiting, mine = stored.waiting_for(opened, g.viewer), {it.id for it in found}
        others = (it for it in waiting if it.id not in mine)
        found += [replace(it, pupil=None, klass=None, village=None, words="") for it in others]
    return tuple(items(found))
