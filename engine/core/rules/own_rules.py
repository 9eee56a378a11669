"""The rules that a workflow itself brings: a request with a time goes on by itself when nobody answers it."""

from __future__ import annotations

from collections.abc import Iterator

from engine.core.rules.model import Ask, Rule, When
from engine.core.words import Label
from engine.core.workflow.answers import REQUEST
from engine.core.workflow.model import Workflow

MOST = 40  # characters of a kind of event, as the database keeps it


def unanswered(workflow: Workflow) -> Iterator[Rule]:
    """Returns a rule for each request with `within` and `else`, after those of the file."""
    for state in workflow.states.values():
        for request in state.requests.values():
            if request.within is None or not request.else_:
                continue
            said = request.label
            yield Rule(
                id=f"{state.name}-{request.name}-silent"[-MOST:],
                why=Label(f"Đến hạn mà chưa có trả lời: {said.vi}", f"No answer in time: {said.en}"),
                when=When(state.name, for_=request.within, since=REQUEST, requests=(request.name,)),
                then=(Ask(request.else_),),
            )
