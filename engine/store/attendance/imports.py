"""Statements for imports: jobs and their progress, pupils by code and by name, new and changed rows."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, distinct, func, insert, select, update
from sqlalchemy.orm import Session

from engine.core.files.options import Options
from engine.core.files.places import PlaceUnit
from engine.core.text import fold
from engine.store import tables as t
from engine.store.attendance.marks import Counts
from engine.store.bulk import among
from engine.store.cases.surroundings import chunks
from engine.store.session import now_utc

_TABLES = t.Base.metadata.tables
jobs, job_files, wrong, pupils, units, class_days, decided = (
    _TABLES[name]
    for name in ("import_jobs", "import_files", "import_wrong", "pupils", "units", "class_days", "pupil_changes")
)
CODES = 5_000  # in one statement
ENDED = ("done", "cancelled", "refused", "failed")
DEAD_AFTER = dt.timedelta(seconds=60)  # after this time without a sign of life another worker may take the job
MOST_WRONG = 5_000  # rows kept to be given back; the count includes all


class PupilRef(NamedTuple):
    """What an import needs to know of a pupil."""

    id: int
    class_id: int
    school_id: int


@dataclass(frozen=True, slots=True)
class ImportJobRow:
    """One file on its way in, as it is stored; the fields are the columns, in their order.

    `state`: checking, checked, waiting, running, or one of ENDED. `next_row` is where the next piece begins. `begun`
    says how often it was begun since it last got any further. `seen_at` is the last sign of life of its worker.
    """

    id: int
    kind: str
    state: str
    file_name: str
    digest: str
    options: Options
    person_id: int | None
    made_at: dt.datetime
    finished_at: dt.datetime | None = None
    cancelled_at: dt.datetime | None = None
    seen_at: dt.datetime | None = None
    total: int | None = None
    next_row: int = 0
    begun: int = 0
    new: int = 0
    changed: int = 0
    unchanged: int = 0
    wrong: int = 0
    noted: int = 0
    cases: int = 0
    report: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WrongRow:
    """A row of a file that was not taken, as it stood there; `why` are sentences in both languages."""

    sheet: str
    row: int
    names: Sequence[str]
    cells: Sequence[str]
    why: Sequence[Mapping[str, str]]


# --- pupils -----------------------------------------------------------------------------------------------------------


def _pieces(codes: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(set(codes))
    return (ordered[at : at + CODES] for at in range(0, len(ordered), CODES))


def pupils_by_code(
    session: Session, codes: Iterable[str], schools: Collection[int] | None = None, classes: Collection[int] = ()
) -> dict[str, list[PupilRef]]:
    """Returns the pupils with these codes in some schools and classes (`schools` None: in all).

    Several may share a code.
    """
    found: dict[str, list[PupilRef]] = defaultdict(list)
    within = () if schools is None else (pupils.c.school_id.in_(schools) | pupils.c.class_id.in_(classes),)
    columns = select(pupils.c.code, pupils.c.id, pupils.c.class_id, pupils.c.school_id)
    for piece in _pieces(codes):
        for code, *rest in session.connection().execute(columns.where(pupils.c.code.in_(piece), *within)):
            found[code].append(PupilRef(*rest))
    return found


def pupils_by_name(session: Session, class_ids: Collection[int]) -> dict[tuple[int, str], list[PupilRef]]:
    """The enrolled pupils of some classes by class and folded name."""
    found: dict[tuple[int, str], list[PupilRef]] = defaultdict(list)
    for chunk in chunks(class_ids):
        query = select(pupils.c.name, pupils.c.id, pupils.c.class_id, pupils.c.school_id).where(
            pupils.c.class_id.in_(chunk), pupils.c.status == "enrolled"
        )
        for name, *rest in session.connection().execute(query):
            ref = PupilRef(*rest)
            found[ref.class_id, fold(name)].append(ref)
    return found


def whole_pupils(
    session: Session, codes: Iterable[str], schools: Collection[int]
) -> dict[tuple[int, str], dict[str, Any]]:
    """The pupils of some schools with these codes by school and code, all columns."""
    found: dict[tuple[int, str], dict[str, Any]] = {}
    for piece in _pieces(codes):
        for chunk in chunks(schools):
            query = select(pupils).where(pupils.c.code.in_(piece), pupils.c.school_id.in_(chunk))
            rows = session.connection().execute(query).mappings()
            found.update(((row["school_id"], row["code"]), dict(row)) for row in rows)
    return found


Alike = tuple[int, str, dt.date | None, int | None]  # school, folded name, birth date, village


def namesakes(session: Session, schools: Collection[int]) -> dict[Alike, list[tuple[str, str]]]:
    """Returns the code and name of the pupils of some schools, grouped by what makes two of them alike."""
    found: dict[Alike, list[tuple[str, str]]] = defaultdict(list)
    alike = pupils.c.school_id, pupils.c.search_key, pupils.c.birth_date, pupils.c.village_id
    for chunk in chunks(schools):
        query = select(*alike, pupils.c.code, pupils.c.name).where(
            pupils.c.school_id.in_(chunk), pupils.c.birth_date.is_not(None)
        )
        for *key, code, name in session.connection().execute(query.order_by(pupils.c.id)):
            found[tuple(key)].append((code, name))
    return found


def enrolled_in(session: Session, class_ids: Collection[int]) -> list[tuple[int, str]]:
    """School and code of the enrolled pupils of some classes, in order of the codes."""
    found: list[tuple[int, str]] = []
    for chunk in chunks(class_ids):
        query = select(pupils.c.school_id, pupils.c.code).where(
            pupils.c.class_id.in_(chunk), pupils.c.status == "enrolled"
        )
        found += [(school, code) for school, code in session.connection().execute(query)]
    return sorted(found, key=lambda one: (one[1], one[0]))


def add_pupils(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Add pupils; each row has the same keys."""
    if rows:
        session.connection().execute(insert(pupils), list(rows))


def change_pupil(session: Session, pupil_id: int, values: Mapping[str, object]) -> None:
    """Change some columns of a pupil."""
    session.connection().execute(update(pupils).where(pupils.c.id == pupil_id).values(**values))


def note_decisions(session: Session, rows: Sequence[Mapping[str, object]]) -> None:
    """Stores what a person decided about names, birth dates and codes; all rows have the same keys."""
    if rows:
        session.connection().execute(insert(decided), list(rows))


def place_units(session: Session, today: dt.date) -> list[PlaceUnit]:
    """Returns the units that a file can name, and those above them, today's and former ones."""
    query = select(
        units.c.id,
        units.c.kind,
        units.c.code,
        units.c.name,
        units.c.parent_id,
        units.c.successor_id,
        (units.c.valid_from <= today) & (units.c.valid_to > today),
    )
    rows = session.connection().execute(query)
    return [PlaceUnit(row[0], row[1], row[2], row[3], row[4], row[5], bool(row[6])) for row in rows]


# --- daily summaries --------------------------------------------------------------------------------------------------


def put_class_days(session: Session, rows: Sequence[Mapping[str, Any]], at: dt.datetime, *, dry: bool) -> Counts:
    """Stores what summaries say of classes; the rows contain each class and day at most once."""
    there: dict[tuple[int, dt.date], dict[str, Any]] = {}
    for chunk in chunks(row["class_id"] for row in rows):
        days = sorted({row["day"] for row in rows})
        query = select(class_days).where(class_days.c.class_id.in_(chunk), class_days.c.day.between(days[0], days[-1]))
        there |= {(row["class_id"], row["day"]): dict(row) for row in session.connection().execute(query).mappings()}
    counts = Counts()
    for row in rows:
        old = there.get((row["class_id"], row["day"]))
        if old is None:
            counts.new += 1
            statement: Any = insert(class_days).values(**row, at=at)
        elif all(old[key] == value for key, value in row.items()):
            counts.unchanged += 1
            continue
        else:
            counts.changed += 1
            same = (class_days.c.class_id == row["class_id"]) & (class_days.c.day == row["day"])
            statement = update(class_days).where(same).values(**row, at=at)
        if not dry:
            session.connection().execute(statement)
    return counts


def summed_up(session: Session, touched: Collection[tuple[int, dt.date]]) -> dict[tuple[int, dt.date], bool]:
    """Returns the classes and days of which a summary says that attendance was taken.

    With each comes whether the register has as many absences as the summary: then who has no mark was there.
    """
    if not touched:
        return {}
    connection, c = session.connection(), class_days.c
    classes, days = {klass for klass, _ in touched}, [day for _, day in touched]
    between = (min(days), max(days))
    query = select(c.class_id, c.day, c.excused, c.unexcused).where(
        among(c.class_id, classes), c.day.between(*between), c.taken
    )
    rows = (tuple(row) for row in connection.execute(query))
    said = {row[:2]: row[2:] for row in rows if row[:2] in touched}
    if not said:
        return {}
    m = _TABLES["marks"].c
    counted = (
        select(pupils.c.class_id, m.day, func.count(distinct(m.pupil_id)))
        .join(pupils, pupils.c.id == m.pupil_id)
        .where(among(pupils.c.class_id, classes), m.day.between(*between), t.ABSENT)
        .group_by(pupils.c.class_id, m.day)
    )
    absent = {(klass, day): number for klass, day, number in connection.execute(counted)}
    return {key: None not in counts and sum(counts) == absent.get(key, 0) for key, counts in said.items()}


def taught(session: Session, class_ids: Collection[int]) -> dict[int, frozenset[int]]:
    """Returns the weekdays (0 = Monday) of those classes that have their own, or whose school has."""
    links = _TABLES["unit_links"].c
    query = (
        select(links.descendant_id, units.c.teaching_days)
        .join(units, units.c.id == links.ancestor_id)
        .where(among(links.descendant_id, class_ids), units.c.teaching_days.is_not(None))
        .order_by(links.depth.desc())
    )
    found = session.connection().execute(query)
    return {klass: frozenset(int(day) - 1 for day in days) for klass, days in found if days}


# --- jobs -------------------------------------------------------------------------------------------------------------


OPTIONS = [it.name for it in fields(ImportJobRow)].index("options")
_JOB = select(*(jobs.c[it.name] for it in fields(ImportJobRow)))


def _job(row: Sequence[Any]) -> ImportJobRow:
    found = ImportJobRow(*row)
    return replace(found, options=Options.from_json(row[OPTIONS]))


def add_job(session: Session, new: ImportJobRow, data: bytes | None = None) -> int:
    """A new job and, if it is to be worked on later, its file; the job's id, which is not yet in `new`."""
    values = {it.name: getattr(new, it.name) for it in fields(new) if it.name != "id"}
    values["options"] = new.options.as_json()
    job_id = int(session.connection().execute(insert(jobs).values(**values).returning(jobs.c.id)).scalar_one())
    if data is not None:
        session.connection().execute(insert(job_files).values(job_id=job_id, data=data))
    return job_id


def job(session: Session, job_id: int) -> ImportJobRow | None:
    """A job."""
    row = session.connection().execute(_JOB.where(jobs.c.id == job_id)).one_or_none()
    return _job(row) if row else None


def jobs_of(session: Session, person_id: int, limit: int = 20) -> list[ImportJobRow]:
    """Returns the latest jobs of a person."""
    query = _JOB.where(jobs.c.person_id == person_id).order_by(jobs.c.id.desc()).limit(limit)
    return [_job(row) for row in session.connection().execute(query)]


def unfinished(session: Session, kind: str, digest: str) -> int | None:
    """The job for this very file that was begun from the command line and not ended: its id."""
    query = select(jobs.c.id).where(
        jobs.c.kind == kind, jobs.c.digest == digest, jobs.c.state == "running", jobs.c.person_id.is_(None)
    )
    return session.connection().execute(query.order_by(jobs.c.id.desc()).limit(1)).scalar()


def next_job(session: Session) -> int | None:
    """Returns a job that waits for a worker, or whose worker has died."""
    dead = jobs.c.seen_at < now_utc() - DEAD_AFTER
    open_states = jobs.c.state.in_(("checking", "waiting", "running")) & jobs.c.person_id.is_not(None)
    query = select(jobs.c.id).where(open_states, jobs.c.seen_at.is_(None) | dead).order_by(jobs.c.id).limit(1)
    return session.connection().execute(query).scalar()


def claim(session: Session, job_id: int) -> int | None:
    """Takes a job unless another worker has it; returns how often it was begun since its last progress."""
    free = jobs.c.seen_at.is_(None) | (jobs.c.seen_at < now_utc() - DEAD_AFTER)
    statement = update(jobs).where(jobs.c.id == job_id, jobs.c.state.not_in(ENDED), free)
    taken = statement.values(seen_at=now_utc(), begun=jobs.c.begun + 1).returning(jobs.c.begun)
    return session.connection().execute(taken).scalar()


def advance(session: Session, job_id: int, before: int, after: int, counts: Counts, wrong_rows: int) -> bool:
    """Notes, in the transaction of a piece, that rows up to `after` are imported; False if somebody else was faster."""
    statement = (
        update(jobs)
        .where(jobs.c.id == job_id, jobs.c.next_row == before, jobs.c.state == "running", jobs.c.cancelled_at.is_(None))
        .values(
            next_row=after,
            seen_at=now_utc(),
            begun=0,
            new=jobs.c.new + counts.new,
            changed=jobs.c.changed + counts.changed,
            unchanged=jobs.c.unchanged + counts.unchanged,
            wrong=jobs.c.wrong + wrong_rows,
            noted=jobs.c.noted + counts.noted,
            cases=jobs.c.cases + counts.cases,
        )
    )
    return session.connection().execute(statement).rowcount == 1


def set_job(session: Session, job_id: int, *where: ColumnElement[bool], **values: object) -> bool:
    """Changes some columns of a job; returns whether it (still) met the conditions."""
    return session.connection().execute(update(jobs).where(jobs.c.id == job_id, *where).values(**values)).rowcount == 1


def file_of(session: Session, job_id: int) -> bytes | None:
    """Returns the file of a job, as long as it is kept."""
    return session.connection().execute(select(job_files.c.data).where(job_files.c.job_id == job_id)).scalar()


def drop_file(session: Session, job_id: int) -> None:
    """Deletes the file of a job."""
    session.connection().execute(delete(job_files).where(job_files.c.job_id == job_id))


def keep_wrong(session: Session, job_id: int, first: int, rows: Sequence[WrongRow]) -> None:
    """Stores wrong rows to be given back, numbered from `first` on, up to MOST_WRONG."""
    kept = [
        {"job_id": job_id, "number": number, **asdict(row)}
        for number, row in enumerate(rows, first)
        if number < MOST_WRONG
    ]
    if kept:
        session.connection().execute(insert(wrong), kept)


def wrong_rows(session: Session, job_id: int, limit: int = MOST_WRONG) -> list[WrongRow]:
    """The wrong rows of a job, in the file's order."""
    columns = (wrong.c[it.name] for it in fields(WrongRow))
    query = select(*columns).where(wrong.c.job_id == job_id).order_by(wrong.c.number).limit(limit)
    return [WrongRow(*row) for row in session.connection().execute(query)]


def forget_wrong(session: Session, job_id: int) -> None:
    """Deletes the wrong rows of a job, of a check or after their time."""
    session.connection().execute(delete(wrong).where(wrong.c.job_id == job_id))


def forget_before(session: Session, moment: dt.datetime) -> int:
    """Deletes files and wrong rows of jobs made before a moment; returns how many jobs had some."""
    old = select(jobs.c.id).where(jobs.c.made_at < moment)
    session.connection().execute(delete(job_files).where(job_files.c.job_id.in_(old)))
    return session.connection().execute(delete(wrong).where(wrong.c.job_id.in_(old))).rowcount
