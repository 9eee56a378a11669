"""Lists of pages as files to download: the same rows, and nothing that the page does not show its reader."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import TypeVar

from flask import Blueprint, g, request
from werkzeug.wrappers import Response

from engine.core.calendar.announced import SHORT
from engine.core.cases.study_modes import STUDY_MODES
from engine.core.cases.timeline import choice_label, unit_label
from engine.core.files.export import TYPES, Value
from engine.core.notices.planning import reason
from engine.core.people.roles import ADMIN
from engine.core.refusals import NotAllowed
from engine.core.units.kinds import KINDS
from engine.core.words import Label, Sentence
from engine.store.attendance import rollcall as registers
from engine.store.calendar import closure_lists
from engine.store.calendar.closure_lists import ClosureRow
from engine.store.cases import work_list
from engine.store.cases.work_list import NoticeRow
from engine.store.notices import deliveries
from engine.usecases.attendance import import_jobs, rollcall
from engine.usecases.attendance.rollcall import MARKS, SESSIONS
from web.account import channels
from web.account.exports import download
from web.attendance import imports
from web.cases.page import read_case
from web.site.languages import said
from web.site.request_context import deployment, local, today

CLOSED_FOR = {**KINDS, "pupil": Label("Học sinh", "Pupil")}
MOST = 2_000  # rows of a list that grows for ever: the newest

pages = Blueprint("lists", __name__)
View = TypeVar("View", bound=Callable[..., Response])


def _both(address: str) -> Callable[[View], View]:
    """Makes a view that answers at the address of a list with .xlsx and with .csv behind it."""

    def add(view: View) -> View:
        for form in TYPES:
            pages.add_url_rule(f"{address}.{form}", view_func=view, defaults={"form": form})
        return view

    return add


def _file(form: str, name: str, columns: Sequence[Label | Sentence], rows: Iterable[Sequence[Value]]) -> Response:
    return download(form, name, [said(column) for column in columns], rows, name)


def _at(moment: dt.datetime | None) -> dt.datetime | None:
    return local(moment) if moment else None


@_both("/notices")
def notices(form: str) -> Response:
    """Returns my notices."""
    columns = (Sentence("When"), Sentence("Case code"), Sentence("Notice"), Sentence("Urgent"), Sentence("Read at"))

    def row(it: NoticeRow) -> Sequence[Value]:
        why = reason(deployment().context.definitions, it.workflow or "", it.rules_version or 0, it.kind, it.cases)
        return _at(it.at), (it.code or "") if it.closure_id is None else "", why, it.urgent, _at(it.read_at)

    with deployment().context.store.reading(
        "one's own notices, with the codes of cases that went to others"
    ) as session:
        found = work_list.notices_of(session, g.viewer.person_id, limit=MOST)
    return _file(form, "notices", columns, map(row, found[:MOST]))


@_both("/imports")
def my_imports(form: str) -> Response:
    """Returns the files I imported, with their results."""
    columns = (
        Sentence("File"),
        Sentence("What"),
        Sentence("State"),
        Sentence("When"),
        Sentence("New"),
        Sentence("Changed"),
        Sentence("Unchanged"),
        Sentence("Wrong"),
    )
    jobs = import_jobs.jobs_of(deployment().context, g.viewer)
    rows = (
        (
            job.file_name,
            imports.NAMES[job.kind],
            imports.STATES[job.state],
            _at(job.made_at),
            job.new,
            job.changed,
            job.unchanged,
            job.wrong,
        )
        for job in jobs
    )
    return _file(form, "imports", columns, rows)


@_both("/attendance/<int:class_id>")
def class_list(class_id: int, form: str) -> Response:
    """Returns the pupils of a class, with their marks on a day."""
    day = _day(request.args.get("day"))
    with deployment().context.store.reading("is this class's register theirs to take") as session:
        rollcall.check(session, g.viewer, class_id)
    with deployment().context.store.scoped(g.viewer) as session:
        pupils = registers.pupils(session, class_id, day)
        taken = {half: registers.marks(session, class_id, day, half) for half in SESSIONS}
    columns: list[Label | Sentence] = [Sentence("Pupil"), Label("Thôn / làng / tổ dân phố", "Village"), Sentence("Day")]
    rows = (
        (name, village, day, *(MARKS[marks[id][0]] if id in marks else None for marks in taken.values()))
        for id, name, village in pupils
    )
    return _file(form, "class", [*columns, *SESSIONS.values()], rows)


def _day(text: str | None) -> dt.date:
    try:
        return dt.date.fromisoformat(text or "")
    except ValueError:
        return today()


@_both("/closures")
def days_without_class(form: str) -> Response:
    """Returns days without class in my area: present, coming and past ones."""
    columns = (
        Sentence("For whom"),
        Sentence("Kind"),
        Sentence("In"),
        Sentence("From"),
        Sentence("Up to and including"),
        Sentence("What"),
        Sentence("Reason"),
        Sentence("Study"),
        Sentence("Announced by"),
        Sentence("When"),
        Sentence("Lifted at"),
    )

    def row(it: ClosureRow) -> Sequence[Value]:
        mode = STUDY_MODES.get(it.study_mode or "")
        return (
            it.name,
            CLOSED_FOR[it.kind],
            it.inside,
            it.first_day,
            it.last_day,
            SHORT[it.what],
            it.reason,
            mode,
            it.by,
            _at(it.announced_at),
            _at(it.lifted_at),
        )

    with deployment().context.store.scoped(g.viewer) as session:
        found = closure_lists.lasting(session, g.viewer, today(), MOST)[:MOST]
        found += closure_lists.past(session, g.viewer, today(), limit=MOST)[:MOST]
    return _file(form, "closures", columns, map(row, found))


@_both("/admin/deliveries")
def messages(form: str) -> Response:
    """Returns what was sent, to whom and with what success; never the text."""
    if not g.viewer.holds(ADMIN):
        raise NotAllowed(Sentence("Only the administrator sees what was sent."))
    state = request.args.get("state", "")
    with deployment().context.store.reading("the operator's delivery log") as session:
        found = deliveries.log_of(session, state=state if state in deliveries.STATES else "", limit=MOST)
    columns = (
        Sentence("To"),
        Sentence("What"),
        Sentence("Way"),
        Sentence("State"),
        Sentence("Attempts"),
        Sentence("When"),
        Sentence("Sent at"),
        Sentence("Fault"),
    )
    rows = (
        (
            it.name,
            channels.KINDS[it.kind],
            it.channel,
            channels.STATE_WORDS[it.state],
            it.attempts,
            _at(it.made_at),
            _at(it.sent_at),
            it.last_error,
        )
        for it in found
    )
    return _file(form, "deliveries", columns, rows)


@_both("/cases/<code>/support")
def support(code: str, form: str) -> Response:
    """Returns the support given in a case; only readers who may know the pupil see who received it."""
    found = read_case(code)
    field = found.workflow.fields["support_kind"]
    columns = [
        Sentence("Case code"),
        Sentence("Given on"),
        Sentence("Support"),
        Sentence("Quantity"),
        Sentence("Unit"),
        Sentence("Estimated value (đồng)"),
        Sentence("Giver"),
        Sentence("Programme"),
    ]
    known = found.who is not None
    columns += [Sentence("Received by")] if known else []
    rows = (
        (
            found.facts.code,
            it.given_on,
            choice_label(field, it.kind),
            Decimal(it.quantity),
            unit_label(field, it.kind, it.unit),
            it.value,
            it.giver,
            it.programme,
            *([it.received_by] if known else []),
        )
        for it in found.beside.support
    )
    return _file(form, "support", columns, rows)
