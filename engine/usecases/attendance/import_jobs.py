"""Imports from the pages: a person hands a file in, a worker checks it, the person confirms, the worker imports it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from engine.core.files.options import KINDS, Options, Reach, reach_of
from engine.core.files.sheets import LIMITS, Unreadable
from engine.core.people.access import Viewer
from engine.core.refusals import NotAllowed, NotFound
from engine.core.words import Sentence
from engine.store.attendance import imports as stored
from engine.store.attendance.imports import ImportJobRow, WrongRow
from engine.store.people.staff import viewer_of
from engine.store.session import now_utc
from engine.usecases.attendance.import_marks import PIECE
from engine.usecases.attendance.importing import bring_in, digest_of, dry_run, end, job_row, kept, new_job, said
from engine.usecases.context import Context

KEPT = dt.timedelta(days=30)  # how long files and wrong rows are kept, because they hold children's data
MOST_BEGUN = 3  # times that a job may kill its worker without progress
BROKE_OFF = Sentence(
    "The work on this file broke off {times} times at the same place. What was brought in before stays. "
    "Split the file, or save it anew in Excel; if it breaks off again, tell whoever looks after Ra Lớp.",
    times=MOST_BEGUN,
)


def submit(
    context: Context, viewer: Viewer, kind: str, file_name: str, data: bytes, options: Options, now: dt.datetime
) -> int:
    """Hands in a file for a worker to check; returns the job's id. Raises `NotAllowed`, `Unreadable`."""
    if kind not in KINDS or reach_of(viewer, kind).nowhere:
        raise NotAllowed(Sentence("Your role does not bring in such files."))
    if len(data) > LIMITS.size:
        raise Unreadable(Sentence("The file is larger than {most} MB. Split it.", most=LIMITS.size // 2**20))
    digest = digest_of(kind, data, options)
    with context.store.writing("import: submit") as session:
        new = new_job(kind, "checking", file_name, digest, options, viewer.person_id, now)
        return stored.add_job(session, new, data)


def job_of(context: Context, viewer: Viewer, job_id: int) -> ImportJobRow:
    """Returns a job that the viewer made. Raises `NotFound`."""
    with context.store.reading("import: page") as session:
        job = job_row(session, job_id)
    if job.person_id != viewer.person_id:
        raise NotFound(Sentence("There is no such import."))
    return job


def jobs_of(context: Context, viewer: Viewer) -> list[ImportJobRow]:
    """The viewer's latest jobs."""
    with context.store.reading("import: page") as session:
        return stored.jobs_of(session, viewer.person_id)


def wrong_rows(context: Context, viewer: Viewer, job_id: int, limit: int = stored.MOST_WRONG) -> list[WrongRow]:
    """The wrong rows of the viewer's job."""
    job_of(context, viewer, job_id)
    with context.store.reading("import: wrong rows") as session:
        return stored.wrong_rows(session, job_id, limit)


def confirm(context: Context, viewer: Viewer, job_id: int, decisions: dict[str, str]) -> None:
    """Imports what was checked, with decisions (code → one of `DECISIONS`). Raises `NotFound`."""
    job = job_of(context, viewer, job_id)
    with context.store.writing("import: confirm") as session:
        options = replace(job.options, decisions=decisions).as_json()
        checked = stored.jobs.c.state == "checked"
        if stored.set_job(session, job_id, checked, state="waiting", options=options, seen_at=None):
            stored.forget_wrong(session, job_id)
            stored.set_job(session, job_id, new=0, changed=0, unchanged=0, wrong=0, noted=0, cases=0)


def cancel(context: Context, viewer: Viewer, job_id: int, now: dt.datetime) -> None:
    """Stops a job after the present piece; imported pieces stay. Raises `NotFound`."""
    job_of(context, viewer, job_id)
    with context.store.writing("import: cancel") as session:
        working = stored.jobs.c.seen_at.is_not(None)
        waits = stored.jobs.c.state.not_in(stored.ENDED) & ~working
        if stored.set_job(session, job_id, waits, state="cancelled", cancelled_at=now, finished_at=now):
            stored.drop_file(session, job_id)
        else:
            stored.set_job(session, job_id, stored.jobs.c.state.not_in(stored.ENDED), cancelled_at=now)


# --- the worker -------------------------------------------------------------------------------------------------------


def work(context: Context, now: dt.datetime, stop: Callable[[], bool] = lambda: False, *, piece: int = PIECE) -> int:
    """Checks and imports waiting files; returns how many jobs it took. Between pieces `stop` says whether to end."""
    taken = 0
    while not stop():
        with context.store.reading("import: look") as session:
            job_id = stored.next_job(session)
        if job_id is None:
            break
        with context.store.writing("import: claim") as session:
            begun = stored.claim(session, job_id)
        if begun is None:
            continue
        taken += 1
        if begun > MOST_BEGUN:
            end(context, job_id, "failed", now, {"refused": said(BROKE_OFF)})
        else:
            _work_on(context, job_id, now, stop, piece)
    if taken:
        forget(context, now)
    return taken


def _work_on(context: Context, job_id: int, now: dt.datetime, stop: Callable[[], bool], piece: int) -> None:
    with context.store.reading("import: file") as session:
        job, data = job_row(session, job_id), stored.file_of(session, job_id)
        today = context.definitions.calendar("").local(now).date()
        viewer = (
            viewer_of(session, job.person_id, today, context.definitions.roles) if job.person_id is not None else None
        )
    if data is None or viewer is None:  # the command line works on its own jobs itself
        end(context, job_id, "cancelled", now)
        return
    reach = reach_of(viewer, job.kind)
    try:
        if job.state == "checking":
            _check(context, job, data, reach, now, stop, piece)
        else:
            with context.store.writing("import: run") as session:
                stored.set_job(session, job_id, state="running")
            bring_in(context, job_id, data, reach, now, stop=stop, piece=piece)
    except Unreadable as refused:
        end(context, job_id, "refused", now, {"refused": said(refused.sentence)})


def _check(
    context: Context,
    job: ImportJobRow,
    data: bytes,
    reach: Reach,
    now: dt.datetime,
    stop: Callable[[], bool],
    piece: int,
) -> None:
    job_id = job.id
    free = stored.jobs.c.cancelled_at.is_(None)
    cancelled = False

    def alive(done: int, _total: int | None) -> None:
        nonlocal cancelled
        with context.store.writing("import: progress") as session:
            cancelled = not stored.set_job(session, job_id, free, seen_at=now_utc(), next_row=done)

    outcome = dry_run(
        context,
        job.kind,
        data,
        job.options,
        now,
        reach=reach,
        progress=alive,
        stop=lambda: cancelled or stop(),
        piece=piece,
    )
    values: dict[str, Any] = {"next_row": 0, "seen_at": None, "begun": 0}
    if outcome.state != "cancelled":  # otherwise the worker stops: another one begins again
        values |= {"state": "checked", **outcome.summary(), "total": outcome.rows, "report": outcome.report}
    with context.store.writing("import: checked") as session:
        if stored.set_job(session, job_id, free, **values):
            rows = outcome.wrong_rows if "state" in values else []
            stored.keep_wrong(session, job_id, 0, [kept(row) for row in rows])
            return
    end(context, job_id, "cancelled", now)


def forget(context: Context, now: dt.datetime) -> int:
    """Deletes files and wrong rows, which hold children's data, of jobs older than KEPT."""
    with context.store.writing("import: forget") as session:
        return stored.forget_before(session, now - KEPT)
