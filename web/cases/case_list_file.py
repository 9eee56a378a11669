"""Cases as a file to download: what their cards say, and nothing more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from werkzeug.wrappers import Response

from engine.core.files.export import Value
from engine.core.words import Label, Sentence
from web.account.exports import download
from web.cases.cards import Card
from web.site.languages import said
from web.site.request_context import local

COLUMNS = (
    Sentence("Case code"),
    Sentence("Pupil"),
    Label("Lớp", "Class"),
    Label("Thôn / làng / tổ dân phố", "Village"),
    Label("Xã", "Commune"),
    Sentence("State"),
    Sentence("Assignee"),
    Sentence("Absent since"),
    Sentence("Deadline"),
    Sentence("Reported upward, times"),
    Sentence("Need"),
)


def case_file(form: str, name: str, cards: Iterable[Card], what: str) -> Response:
    """Returns cards as an xlsx or csv file; `what` names the list in the access log."""
    return download(form, name, [said(column) for column in COLUMNS], map(_row, cards), what)


def _row(card: Card) -> Sequence[Value]:
    row = card.row
    return (
        row.code,
        row.pupil,
        row.klass,
        row.village,
        row.commune,
        card.state,
        card.owner,
        row.absent_since,
        local(row.due_at) if row.due_at else None,
        row.level,
        card.need.need if card.need else None,
    )
