"""Imports files: first a dry run, then pieces. An import can be cancelled, or killed and continued.

Each piece is one transaction that also notes the progress of the job. After a kill the job goes on with the first piece
that was not done, and nothing is doubled. Importing the same file again changes nothing.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from engine.core.files.lines import Notes, Wrong
from engine.core.files.options import ALL, Options, Reach
from engine.core.files.sheets import Unreadable
from engine.core.refusals import NotFound
from engine.core.words import Label, Sentence
from engine.store.attendance import imports as stored
from engine.store.attendance.imports import ImportJobRow, WrongRow
from engine.store.attendance.marks import Counts
from engine.store.session import Session, now_utc
from engine.usecases.attendance.corrected_marks import judge_again
from engine.usecases.attendance.import_marks import PIECE, MarkImport
from engine.usecases.attendance.import_pupils import PupilImport
from engine.usecases.context import Context

Progress = Callable[[int, int | None], object]  # rows done, rows in all if known
MOST_LISTED = 500  # vanished pupils, likely duplicates, other names and birth dates in a report


class Import(Protocol):
    """A kind of file: how it is cut into pieces, and how a piece is imported."""

    notes: Notes

    def pieces(self, data: bytes) -> Iterator[list[Any]]: ...

    def resolve(self, session: Session, piece: list[Any]) -> object: ...

    def put(
        self, session: Session, piece: list[Any], at: dt.datetime, by_id: int | None, job_id: int | None, *, dry: bool
    ) -> tuple[Counts, list[Wrong]]: ...


@dataclass
class ImportOutcome:
    """What a file changed, or would change."""

    state: str = "done"  # done, cancelled, refused, failed
    rows: int = 0
    counts: Counts = field(default_factory=Counts)
    wrong: int = 0
    wrong_rows: list[Wrong] = field(default_factory=list)
    report: Mapping[str, Any] = field(default_factory=dict)

    def summary(self) -> dict[str, int]:
        """Returns the numbers of an import."""
        return {
            "new": self.counts.new,
            "changed": self.counts.changed,
            "unchanged": self.counts.unchanged,
            "wrong": self.wrong,
            "noted": self.counts.noted,
            "cases": self.counts.cases,
        }


def said(sentence: Sentence) -> dict[str, str]:
    """Returns a sentence in both languages, as it is stored with a job."""
    return {"vi": sentence.in_("vi"), "en": sentence.in_("en")}


def label(kept: Mapping[str, str]) -> Label:
    """Returns the words of a stored sentence."""
    return Label(kept["vi"], kept["en"])


def _silent(_done: int, _total: int | None) -> None:
    return


def _import(context: Context, kind: str, options: Options, reach: Reach, now: dt.datetime, piece: int) -> Import:
    today = context.definitions.calendar("").local(now).date()
    aliases = context.aliases
    if kind == "pupils":
        return PupilImport(context.definitions, aliases, options, reach, today)
    return MarkImport(context.definitions.calendar(""), aliases, options, reach, today, piece)


# --- dry run ----------------------------------------------------------------------------------------------------------


def dry_run(
    context: Context,
    kind: str,
    data: bytes,
    options: Options,
    now: dt.datetime,
    *,
    reach: Reach = ALL,
    progress: Progress = _silent,
    stop: Callable[[], bool] = lambda: False,
    piece: int = PIECE,
) -> ImportOutcome:
    """Returns what a file would change, and what is wrong with it; stores nothing. Raises `Unreadable`."""
    work, outcome = _import(context, kind, options, reach, now, piece), ImportOutcome()
    with context.store.trying("import: dry run") as session:
        for rows in work.pieces(data):
            counts, bad = work.put(session, rows, now, None, None, dry=True)
            _add(outcome, len(rows), counts, bad)
            progress(outcome.rows, None)
            if stop():
                outcome.state = "cancelled"
                return outcome
        outcome.report = _report(work, session)
    return outcome


def _add(outcome: ImportOutcome, rows: int, counts: Counts, bad: list[Wrong]) -> None:
    outcome.rows += rows
    outcome.counts.add(counts)
    outcome.wrong += len(bad)
    outcome.wrong_rows += bad[: stored.MOST_WRONG - len(outcome.wrong_rows)]


def _report(work: Import, session: Session) -> dict[str, Any]:
    report: dict[str, Any] = {"notes": [said(sentence) for sentence in work.notes.sentences]}
    if isinstance(work, PupilImport):
        vanished = work.vanished(session)
        report |= {"vanished": vanished[:MOST_LISTED], "vanished_count": len(vanished)}
        report |= {"duplicates": work.duplicates[:MOST_LISTED], "held": work.held[:MOST_LISTED]}
    return report


# --- the run ----------------------------------------------------------------------------------------------------------


def run(
    context: Context,
    kind: str,
    data: bytes,
    options: Options,
    now: dt.datetime,
    *,
    file_name: str = "",
    progress: Progress = _silent,
    piece: int = PIECE,
) -> ImportOutcome:
    """Imports a file from the command line, or goes on where an earlier run was killed.

    Raises `Unreadable`. With `options.strict` nothing is imported if one row is wrong: the outcome is "refused".
    """
    if options.strict and (checked := dry_run(context, kind, data, options, now)).wrong:
        checked.state, checked.counts = "refused", Counts()
        return checked
    digest = digest_of(kind, data, options)
    with context.store.writing("import: begin") as session:
        begun = stored.unfinished(session, kind, digest)
        new = new_job(kind, "running", file_name, digest, options, None, now)
        job_id = begun or stored.add_job(session, new)
    try:
        return bring_in(context, job_id, data, ALL, now, progress=progress, piece=piece)
    except Unreadable as refused:
        end(context, job_id, "refused", now, {"refused": said(refused.sentence)})
        raise


def digest_of(kind: str, data: bytes, options: Options) -> str:
    """Returns a digest of a file with its options."""
    asked = json.dumps([kind, options.as_json()], sort_keys=True).encode()
    return hashlib.sha256(asked + b"\0" + data).hexdigest()


def new_job(
    kind: str, state: str, file_name: str, digest: str, options: Options, person_id: int | None, now: dt.datetime
) -> ImportJobRow:
    """A new job, which has no id yet."""
    return ImportJobRow(0, kind, state, file_name[-200:], digest, options, person_id, now)


def bring_in(
    context: Context,
    job_id: int,
    data: bytes,
    reach: Reach,
    now: dt.datetime,
    *,
    progress: Progress = _silent,
    stop: Callable[[], bool] = lambda: False,
    piece: int = PIECE,
) -> ImportOutcome:
    """Imports the rest of a job's file, piece by piece; between pieces it asks `stop`. Raises `Unreadable`."""
    with context.store.reading("import: job") as session:
        job = job_row(session, job_id)
    work = _import(context, job.kind, job.options, reach, now, piece)
    row = 0
    try:
        for whole in work.pieces(data):
            known, row = max(0, job.next_row - row), row + len(whole)
            if known:
                with context.store.reading("import: what was brought in before") as session:
                    work.resolve(session, whole[:known])
            if not (left := whole[known:]):
                continue
            _piece(context, job_id, work, left, row - len(left), now, job.person_id)
            progress(row, job.total)
            if stop():
                with context.store.writing("import: let go") as session:
                    stored.set_job(session, job_id, seen_at=None, begun=0)  # another worker may go on at once
                return outcome_of(context, job_id)
    except _TakenAway:
        _stopped(context, job_id, now)
        return outcome_of(context, job_id)
    with context.store.reading("import: report") as session:
        report = _report(work, session)
    end(context, job_id, "done", now, report)
    return outcome_of(context, job_id)


class _TakenAway(Exception):
    """The job was cancelled, or another worker has it: the present piece is rolled back."""


def _piece(
    context: Context, job_id: int, work: Import, piece: list[Any], before: int, at: dt.datetime, by_id: int | None
) -> None:
    """Imports one piece in one transaction."""
    with context.store.writing("import: a piece") as session:
        counts, bad = work.put(session, piece, at, by_id, job_id, dry=False)
        if isinstance(work, MarkImport) and counts.changed:
            counts.cases = judge_again(session, context, work.touched, at)
        job = job_row(session, job_id)
        if not stored.advance(session, job_id, before, before + len(piece), counts, len(bad)):
            raise _TakenAway
        stored.keep_wrong(session, job_id, job.wrong, [kept(row) for row in bad])


def kept(row: Wrong) -> WrongRow:
    """Returns a wrong row as it is stored with a job."""
    return WrongRow(
        row.sheet[:100], row.row, list(row.names), list(row.cells), [said(sentence) for sentence in row.why]
    )


def given_back(row: WrongRow) -> Wrong:
    """A wrong row that was kept, as it is given back in a file."""
    why = tuple(Sentence("{said}", said=label(words)) for words in row.why)
    return Wrong(row.sheet, row.row, tuple(row.names), tuple(row.cells), why)


def job_row(session: Session, job_id: int) -> ImportJobRow:
    """A job. Raises `NotFound`."""
    job = stored.job(session, job_id)
    if job is None:
        raise NotFound(Sentence("There is no such import."))
    return job


def end(context: Context, job_id: int, state: str, now: dt.datetime, report: dict[str, Any] | None = None) -> None:
    """Ends a job and deletes its file."""
    with context.store.writing("import: end") as session:
        values: dict[str, Any] = {"state": state, "finished_at": max(now, now_utc()), "seen_at": None}
        stored.set_job(session, job_id, **values, **({"report": report} if report is not None else {}))
        stored.drop_file(session, job_id)


def _stopped(context: Context, job_id: int, now: dt.datetime) -> None:
    with context.store.reading("import: why it stopped") as session:
        cancelled = job_row(session, job_id).cancelled_at is not None
    if cancelled:
        end(context, job_id, "cancelled", now)


def outcome_of(context: Context, job_id: int) -> ImportOutcome:
    """Returns the results of a job so far."""
    with context.store.reading("import: outcome") as session:
        job = job_row(session, job_id)
        rows = [given_back(row) for row in stored.wrong_rows(session, job_id)]
    counts = Counts(job.new, job.changed, job.unchanged, job.noted, job.cases)
    return ImportOutcome(job.state, job.next_row, counts, job.wrong, rows, job.report)
