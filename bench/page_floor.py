"""The floor of the pages: a Flask application tuned by hand that says the same and can do nothing else.

It signs the reader in with flask-login, makes a CSRF token, reads Core rows by key without counting them, one statement
for each kind of thing that stands on the page, looks its labels up once a request, and sets everything down with one
flat Jinja template a page. The templates are cut from our own pages (bench/page_cut.py), so that the same bytes come
out; the bench makes sure that about as many do. What a hand would write is in here: the statements, and the words of a
row. It has no rules, no workflow, no scopes and no history that explains itself; only the days that count towards a
deadline come from our calendar, as no other knows them.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response, g, request
from flask_login import LoginManager, UserMixin, current_user
from flask_wtf.csrf import generate_csrf
from jinja2 import Environment, Template
from sqlalchemy import ColumnElement, Connection, bindparam, exists, func, make_url, or_, select, text, union_all
from sqlalchemy.engine import URL

from bench.country import NOW
from bench.page_cut import Cut, read
from engine.core.calendar import Calendar
from engine.core.calendar.clock import Clock
from engine.core.calendar.values import Circumstances, Duration
from engine.core.calendar.workdays import grace_end
from engine.store import tables as t
from engine.store.session import make_engine
from engine.store.tables.types import at_most
from web.site.request_context import user

DAY = NOW.date()
YESTERDAY = NOW - dt.timedelta(days=1)


# --- the statements ---------------------------------------------------------------------------------------------------

_tables = t.Base.metadata.tables
people, sign_ins, posts, away = (_tables[name] for name in ("people", "sign_ins", "appointments", "delegations"))
cases, pupils, events, notices = (_tables[name] for name in ("cases", "pupils", "events", "notices"))
marks, closures, saved, log = (_tables[name] for name in ("marks", "closures", "saved_filters", "access_log"))
proposals, difficulties, units = (_tables[name] for name in ("proposals", "difficulties", "units"))
classes, villages, communes, schools = (units.alias() for _ in range(4))
OPEN, FAR = text("cases.closed_at >= '9999-12-31'"), text("'9999-12-31'")
WAITING = text("cases.closed_at >= '9999-12-31' AND cases.offered_at IS NOT NULL AND cases.accepted_at IS NULL")
UNIT: Any = bindparam("unit")
PERSON: Any = bindparam("person")
GIVEN: Any = bindparam("case")
UNITS: Any = bindparam("units", expanding=True)

SIGNED_IN = (
    select(people.c.id, people.c.name, people.c.language, people.c.must_change)
    .join(sign_ins, sign_ins.c.person_id == people.c.id)
    .where(sign_ins.c.token_hash == bindparam("token"), sign_ins.c.revoked_at.is_(None))
    .where(sign_ins.c.seen_at > bindparam("after"), people.c.disabled_at.is_(None))
)
AWAY = select(away.c.person_id).where(away.c.delegate_id == PERSON, away.c.first_day <= DAY, away.c.last_day >= DAY)
POSTS = union_all(  # one probe each; an OR would read every post
    *(
        select(posts.c.role, posts.c.unit_id).where(whose, posts.c.valid_from <= DAY, posts.c.valid_to > DAY)
        for whose in (posts.c.person_id == PERSON, posts.c.person_id.in_(AWAY))
    )
)


def _listed(*where: ColumnElement[bool] | Any, limit: int) -> Any:
    """Cases with what a list tells of them, the next due first."""
    return (
        select(
            cases.c.id,
            cases.c.code,
            cases.c.state,
            cases.c.level,
            cases.c.due_at,
            cases.c.offered_at,
            cases.c.accepted_at,
            cases.c.absent_since,
            cases.c.version,
            pupils.c.name,
            classes.c.name.label("klass"),
            villages.c.name.label("village"),
            communes.c.name.label("commune"),
            people.c.name.label("assignee"),
        )
        .join(pupils, pupils.c.id == cases.c.pupil_id)
        .join(classes, classes.c.id == cases.c.class_id)
        .outerjoin(villages, villages.c.id == cases.c.village_id)
        .outerjoin(communes, communes.c.id == cases.c.commune_id)
        .outerjoin(people, people.c.id == cases.c.assignee_id)
        .where(*where)
        .order_by(cases.c.due_at, cases.c.id)
        .limit(at_most(limit))
    )


MINE = _listed(OPEN, cases.c.assignee_id == PERSON, limit=31)
OFFERED = _listed(WAITING, cases.c.offered_unit_id == UNIT, cases.c.offered_role == bindparam("role"), limit=31)
AREA = _listed(OPEN, cases.c.class_id == UNIT, limit=12)
PROVINCE = _listed(OPEN, cases.c.province_id == UNIT, limit=51)
NEWS = select(events.c.case_id, events.c.kind, events.c.at, events.c.person_id).where(
    events.c.case_id.in_(bindparam("cases", expanding=True)), events.c.at >= YESTERDAY, events.c.person_id != PERSON
)
SAVED = select(saved.c.name, saved.c.filters).where(saved.c.person_id == PERSON).order_by(saved.c.name)
PROPOSED = (
    select(proposals.c.id)
    .join(pupils, pupils.c.id == proposals.c.pupil_id)
    .where(pupils.c.class_id == UNIT, proposals.c.decided_at.is_(None))
)
TO_DECIDE = select(difficulties.c.id).where(
    difficulties.c.unit_id == UNIT, difficulties.c.role == bindparam("role"), difficulties.c.answer.is_(None)
)
UNREAD = select(notices.c.id).where(notices.c.person_id == PERSON, notices.c.read_at.is_(None)).limit(at_most(99))
ALSO = select(  # what is seldom there, asked for at once
    exists(PROPOSED),
    exists(TO_DECIDE),
    exists().where(saved.c.person_id == PERSON),
    select(func.count()).select_from(UNREAD.subquery()).scalar_subquery(),
)
BELOW = (
    select(units.c.id, units.c.name)
    .where(units.c.parent_id == UNIT, units.c.kind == "commune", units.c.valid_from <= DAY, units.c.valid_to > DAY)
    .order_by(units.c.name)
    .limit(at_most(200))
)
PUPILS = (
    select(
        pupils.c.name,
        pupils.c.birth_date,
        classes.c.name.label("klass"),
        villages.c.name.label("village"),
        cases.c.code,
    )
    .join(classes, classes.c.id == pupils.c.class_id)
    .outerjoin(villages, villages.c.id == pupils.c.village_id)
    .outerjoin(cases, (cases.c.pupil_id == pupils.c.id) & OPEN)
    .where(pupils.c.class_id == UNIT, pupils.c.status == "enrolled")
    .order_by(pupils.c.sort_key, pupils.c.id)
    .limit(at_most(31))
)
CLASSES = (
    select(units.c.id, units.c.name, func.count())
    .join(pupils, pupils.c.class_id == units.c.id)
    .where(units.c.id == UNIT, pupils.c.status == "enrolled")
    .group_by(units.c.id, units.c.name)
)
TAKEN = (
    select(marks.c.session, func.count())
    .join(pupils, pupils.c.id == marks.c.pupil_id)
    .where(pupils.c.class_id == UNIT, marks.c.day == DAY)
    .group_by(marks.c.session)
)
NOTICES = (
    select(notices.c.id, notices.c.kind, notices.c.urgent, notices.c.at, notices.c.read_at, cases.c.code)
    .join(cases, cases.c.id == notices.c.case_id)
    .where(notices.c.person_id == PERSON)
    .order_by(notices.c.id.desc())
    .limit(at_most(51))
)
CASE = (
    select(
        cases,
        pupils.c.name,
        pupils.c.birth_date,
        pupils.c.guardian,
        pupils.c.guardian_phone,
        pupils.c.address,
        classes.c.name.label("klass"),
        schools.c.name.label("school"),
        villages.c.name.label("village"),
        communes.c.name.label("commune"),
        communes.c.parent_id.label("province"),
    )
    .join(pupils, pupils.c.id == cases.c.pupil_id)
    .join(classes, classes.c.id == cases.c.class_id)
    .join(schools, schools.c.id == cases.c.school_id)
    .outerjoin(villages, villages.c.id == cases.c.village_id)
    .outerjoin(communes, communes.c.id == cases.c.commune_id)
    .where(cases.c.code == bindparam("code"))
)
EVENTS = (
    select(events.c.kind, events.c.at, events.c.role, events.c.data, people.c.name, _tables["event_texts"].c["values"])
    .outerjoin(people, people.c.id == events.c.person_id)
    .outerjoin(
        _tables["event_texts"],
        (_tables["event_texts"].c.case_id == events.c.case_id) & (_tables["event_texts"].c.seq == events.c.seq),
    )
    .where(events.c.case_id == GIVEN)
    .order_by(events.c.seq.desc())
    .limit(at_most(31))
)
BESIDE = [
    select(table).where(table.c.case_id == GIVEN)
    for table in map(
        _tables.__getitem__,
        ("needs", "support", "planned", "holds", "firings", "case_causes", "companions", "difficulties"),
    )
]
CLOSED = select(closures).where(or_(closures.c.unit_id.in_(UNITS), closures.c.pupil_id == bindparam("pupil")))
SIBLINGS = (
    select(cases.c.code, pupils.c.name)
    .join(cases, cases.c.pupil_id == pupils.c.id)
    .where(pupils.c.village_id == bindparam("village"), pupils.c.id != bindparam("pupil"), OPEN)
    .where(or_(pupils.c.guardian_phone == bindparam("phone"), pupils.c.address == bindparam("address")))
    .limit(at_most(10))
)
HOLDERS = (
    select(posts.c.role, posts.c.unit_id, people.c.name, people.c.phone)
    .join(people, people.c.id == posts.c.person_id)
    .where(posts.c.unit_id.in_(UNITS), posts.c.valid_from <= DAY, posts.c.valid_to > DAY)
    .order_by(people.c.name)
)
READ_LATELY = select(log.c.id).where(
    log.c.case_id == GIVEN, log.c.person_id == PERSON, log.c.at > NOW - dt.timedelta(minutes=10)
)
TOLD = select(notices.c.id).where(
    notices.c.case_id == GIVEN, notices.c.person_id == PERSON, notices.c.read_at.is_(None)
)


# --- the application --------------------------------------------------------------------------------------------------


class Reader(UserMixin):  # type: ignore[misc]
    """Who reads, and in which units they have which roles."""

    def __init__(self, id: int, language: str, units: Mapping[str, list[int]]) -> None:
        self.id, self.language, self.units = id, language, units

    def unit(self, role: str) -> int:
        return self.units[role][0]


@dataclass(frozen=True)
class Floor:
    """What a page is read with."""

    connection: Connection
    reader: Reader
    calendar: Calendar

    def all(self, statement: Any, **values: Any) -> list[Any]:
        return list(self.connection.execute(statement, {**values, "person": self.reader.id}))


Row = dict[str, Any]
Rows = dict[str, list[Row]]


def make(url: str, key: str, pages: Path, calendar: Calendar) -> Flask:
    """The floor's application on a database, for the pages that were cut into a file (bench/page_cut.py)."""
    app, environment = Flask("floor"), Environment(autoescape=True)
    app.secret_key = key
    engine = make_engine(_planned_once(url)).execution_options(writes=False)
    signing_in: Any = LoginManager(app)
    signing_in.session_protection = None
    signing_in.user_loader(_reader)
    for number, (address, page) in enumerate(read(pages.read_text("utf-8")).items()):
        view = _view(page, environment.from_string(page.template), engine.connect, calendar)
        app.add_url_rule(address, f"page{number}", view)
    return app


def _planned_once(url: str) -> URL:
    """With PostgreSQL told, as we tell it, to plan a list once and not for each reader."""
    where = make_url(url)
    if where.get_backend_name() == "sqlite":
        return where
    return where.update_query_dict({"options": "-c plan_cache_mode=force_generic_plan"})


def _view(page: Cut, template: Template, connect: Callable[[], Connection], calendar: Calendar) -> Callable[[], Any]:
    reading, known = READ.get(page.kind), {label: label for label in page.labels}

    def view() -> Response | tuple[str, int]:
        rows: Rows = {}
        if page.kind != "login":
            with connect() as g.connection:
                if not current_user.is_authenticated:
                    return "", 401
                rows = reading(Floor(g.connection, user(), calendar)) if reading else {}
                g.connection.commit()  # a rollback would let psycopg forget what it has prepared
        labels = [known[label] for label in page.labels]  # in the reader's language, once a request
        said = template.render(token=generate_csrf(), L=labels, rows=rows)
        response = Response(gzip.compress(said.encode(), 6, mtime=0), mimetype="text/html")
        response.headers.update({"Content-Encoding": "gzip", "Cache-Control": "no-store"})
        return response

    return view


def _reader(token: str) -> Reader | None:
    values = {"token": hashlib.sha256(token.encode()).hexdigest(), "after": NOW - dt.timedelta(days=14)}
    found = g.connection.execute(SIGNED_IN, values).one_or_none()
    if found is None:
        return None
    held: dict[str, list[int]] = {}
    for role, unit in g.connection.execute(POSTS, {"person": found.id}):
        held.setdefault(role, []).append(unit)
    return Reader(found.id, found.language, held)


# --- the pages --------------------------------------------------------------------------------------------------------


def _work(floor: Floor) -> Rows:
    unit = floor.reader.unit("teacher")
    mine = floor.all(MINE)
    offered = floor.all(OFFERED, unit=unit, role="teacher")
    once = {row.code: row for row in (*mine, *offered, *floor.all(AREA, unit=unit))}
    news = {row.case_id: row for row in floor.all(NEWS, cases=[row.id for row in once.values()])}
    floor.all(ALSO, unit=unit, role="teacher")
    return {"cases": [_card(row, floor.calendar, news) for row in once.values()]}


def _cases(floor: Floor) -> Rows:
    unit = floor.reader.unit("education_office")
    rows = floor.all(PROVINCE, unit=unit)
    floor.all(SAVED)
    return {
        "units": [{"id": id, "name": name} for id, name in floor.all(BELOW, unit=unit)],
        "cases": [_card(row, floor.calendar, {}) for row in rows[:50]],
    }


STATES = {
    "absent": "Vắng học",
    "teacher_contact": "Giáo viên liên hệ",
    "commune_visit": "Xã vận động",
    "support_referral": "Chuyển hỗ trợ",
    "returned": "Đã ra lớp",
}
ACTS = {
    "absent": "Ghi lần liên hệ",
    "teacher_contact": "Ghi thêm lần liên hệ",
    "commune_visit": "Ghi lần đến nhà",
    "support_referral": "Ghi hỗ trợ đã trao",
    "returned": "Ghi nhận theo dõi",
}
ROLES = {
    "teacher": "Giáo viên chủ nhiệm",
    "head": "Hiệu trưởng",
    "commune_officer": "Cán bộ, công chức xã phụ trách",
    "commune_leader": "Lãnh đạo UBND xã",
    "association": "Hội khuyến học",
}
SEATS = {
    "teacher": "class_id",
    "head": "school_id",
    "commune_officer": "village_id",
    "commune_leader": "commune_id",
    "association": "association_id",
}
SAID = {"opened": "Lập hồ sơ", "offered": "Một hồ sơ đang chờ tiếp nhận"}
DAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")


def _card(row: Any, calendar: Calendar, news: Mapping[int, Any]) -> Row:
    urgency, due, exact = _due(row.due_at, calendar)
    return {
        "id": row.id,
        "code": row.code,
        "name": row.name,
        "where": ", ".join(filter(None, (row.klass, row.village))),
        "urgency": urgency,
        "due": due,
        "exact": exact,
        "state": STATES[row.state],
        "since": f"Vắng từ {row.absent_since:%d/%m/%Y}.",
        "act": ACTS[row.state],
        "of": f": {row.name}",
        "assignee": row.assignee or "",
        "new": row.id in news,
    }


def _due(at: dt.datetime, calendar: Calendar) -> tuple[str, str, str]:
    due, now = calendar.local(at), calendar.local(NOW)
    days = (due.date() - now.date()).days
    if due < now:
        if grace_end(calendar, at) < NOW:
            return "late", f"Quá hạn {-days} ngày", f"{due:%H:%M %d/%m/%Y}"
        return "grace", f"Vừa qua hạn ({-days} ngày trước, {due:%H:%M}), làm ngay hôm nay", ""
    return "later", f"Còn {days} ngày, {DAYS[due.weekday()]} {due:%d/%m/%Y}" if days else f"Hôm nay {due:%H:%M}", ""


def _notices(floor: Floor) -> Rows:
    return {
        "notices": [
            {
                "code": row.code,
                "named": f"Hồ sơ {row.code}",
                "why": SAID.get(row.kind, ""),
                "at": f"· {floor.calendar.local(row.at):%H:%M %d/%m/%Y}",
            }
            for row in floor.all(NOTICES)[:50]
        ]
    }


def _case(floor: Floor) -> Rows:
    case = floor.all(CASE, code=request.path.rsplit("/", 1)[1])[0]
    if case.class_id not in floor.reader.units["teacher"]:
        return {}
    beside = [floor.all(statement, case=case.id) for statement in BESIDE]
    places = {case.class_id, case.school_id, case.village_id, case.commune_id}
    closed = floor.all(CLOSED, units=sorted({*places, case.province}), pupil=case.pupil_id)
    floor.all(SIBLINGS, village=case.village_id, pupil=case.pupil_id, phone=case.guardian_phone, address=case.address)
    holders = floor.all(HOLDERS, units=sorted(places))
    floor.all(READ_LATELY, case=case.id)
    floor.all(TOLD, case=case.id)
    return {
        "days": list(_days(case.since, floor.calendar)) if not (closed or beside[3]) else [],
        "holders": [
            {"name": row.name, "role": ROLES[row.role]}
            for row in holders
            if row.role in SEATS and getattr(case, SEATS[row.role]) == row.unit_id
        ],
        "events": [
            {
                "what": SAID.get(row.kind, row.kind),
                "by": f"{row.name}, {ROLES[row.role]} · ",
                "at": f"{floor.calendar.local(row.at):%H:%M %d/%m/%Y}",
            }
            for row in floor.all(EVENTS, case=case.id)
        ],
    }


RETURNED = Duration(20, "school days")  # of the rule by which a case like the one that is looked at ends


def _days(since: dt.datetime, calendar: Calendar) -> Iterator[Row]:
    found = Clock(calendar, Circumstances()).explain(since, RETURNED)
    skipped = {day: why for day, _kind, why in found.skipped}
    for day, why in sorted({**{day: None for day, _ in found.counted}, **skipped}.items()):
        yield {"words": f"{day:%d/%m/%Y}: {f'không tính, {why.vi}' if why else 'có tính'}"}


def _new(floor: Floor) -> Rows:
    return {
        "pupils": [
            {
                "code": row.code or "",
                "name": row.name,
                "where": f"{row.klass}, {row.village}",
                "open": f"Đang có hồ sơ: {row.code}" if row.code else "",
            }
            for row in floor.all(PUPILS, unit=floor.reader.unit("teacher"))
        ]
    }


def _attendance(floor: Floor) -> Rows:
    unit = floor.reader.unit("teacher")
    taken = dict(floor.all(TAKEN, unit=unit))
    return {
        "classes": [
            {"id": id, "name": name, **{half: f"{taken.get(half, 0)} / {count}" for half in "ma"}}
            for id, name, count in floor.all(CLASSES, unit=unit)
        ]
    }


READ = {"work": _work, "cases": _cases, "notices": _notices, "case": _case, "case_new": _new, "attendance": _attendance}
