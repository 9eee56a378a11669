"""The floor of the pages: a Flask application tuned by hand that says the same and can do nothing else.

It signs the reader in by two statements, makes a CSRF token, reads Core rows by key without counting them, looks its
labels up once a request, and sets everything down with one flat Jinja template a page. The templates are cut from our
own pages: each text becomes a label, each row of a list the body of a loop, so that the same bytes come out, and the
bench makes sure that about as many do. What a hand would write is in here: the statements, and the words of a row.
"""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import html
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response, request, session
from flask_wtf.csrf import generate_csrf
from jinja2 import Environment, Template
from sqlalchemy import ColumnElement, Connection, bindparam, select, text

from bench.land import NOW
from engine.calendar import Calendar
from engine.store import tables as t
from engine.store.session import make_engine

TAGS = re.compile(r"(<[^>]+>)")
ROWS = re.compile(r'<li class="card[^"]*">.*?</li>|<tr>\s*<th scope="row">.*?</tr>', re.DOTALL)
CODE = re.compile(r"RL-\d{4}-\d{6}")
TOKEN = re.compile(r'(name="csrf_token" value=")[^"]*')
# What stands after a tag like this in a row is the row's own.
SLOTS = {"<strong>": "name", '<span class="where">': "where", '<span class="status': "state"}


@dataclass(frozen=True)
class Cut:
    """A page of ours cut into a template and its labels; `kind` says which statements it is made from."""

    kind: str
    template: str
    labels: list[str]


def cut(kind: str, page: str) -> Cut:
    """Cut a page of ours."""
    labels: list[str] = []
    rows = list(ROWS.finditer(page)) if kind in LISTS else []
    if not rows:
        return Cut(kind, _frame(page, labels), labels)
    before, after = page[: rows[0].start()], page[rows[-1].end() :]
    body = "{% for r in rows %}" + _row(rows[0][0], labels) + "{% endfor %}"
    return Cut(kind, _frame(before, labels) + body + _frame(after, labels), labels)


def _frame(page: str, labels: list[str]) -> str:
    return "".join(_label(part, labels) for part in TAGS.split(TOKEN.sub(r"\1{{ token }}", page)))


def _label(part: str, labels: list[str]) -> str:
    if part.startswith("<") or not part.strip():
        return part
    labels.append(html.unescape(part))
    return f"{{{{ L[{len(labels) - 1}] }}}}"


def _row(row: str, labels: list[str]) -> str:
    out, slot, due = [], "", False
    for part in TAGS.split(CODE.sub("{{ r.code }}", row)):
        if part.startswith("<"):
            due = due or part.startswith('<span class="due')
            slot = next((name for tag, name in SLOTS.items() if part.startswith(tag)), "")
            slot, due = ("due", False) if due and slot == "name" else (slot, due)
            out.append(part)
        elif "{{" in part or not part.strip():
            out.append(part)
        else:
            out.append(f"{{{{ r.{slot} }}}}" if slot else _label(part, labels))
            slot = ""
    return "".join(out)


# --- the statements ---------------------------------------------------------------------------------------------------

_tables = t.Base.metadata.tables
people, sign_ins, posts = _tables["people"], _tables["sign_ins"], _tables["appointments"]
cases, pupils, notices, events = _tables["cases"], _tables["pupils"], _tables["notices"], _tables["events"]
classes, villages, communes = (_tables["units"].alias() for _ in range(3))
OPEN = text("cases.closed_at >= '9999-12-31'")
WAITING = text(
    "cases.closed_at >= '9999-12-31' AND cases.offered_at IS NOT NULL AND cases.accepted_at IS NULL"
)  # fmt: skip

SIGNED_IN = (
    select(people.c.id, people.c.name, people.c.language)
    .join(sign_ins, sign_ins.c.person_id == people.c.id)
    .where(sign_ins.c.token_hash == bindparam("token"), sign_ins.c.revoked_at.is_(None))
    .where(sign_ins.c.seen_at > bindparam("after"), people.c.disabled_at.is_(None))
)
POSTS = select(posts.c.role, posts.c.unit_id).where(
    posts.c.person_id == bindparam("person"),
    posts.c.valid_from <= bindparam("day"),
    posts.c.valid_to > bindparam("day"),
)
UNIT: Any = bindparam("unit")
PERSON: Any = bindparam("person")
CODE_GIVEN: Any = bindparam("code")


def _listed(*where: ColumnElement[bool] | Any, limit: int) -> Any:
    """Cases with what a list tells of them, the next due first."""
    return (
        select(
            cases.c.code, cases.c.state, cases.c.level, cases.c.due_at, cases.c.offered_at, cases.c.accepted_at,
            cases.c.version, pupils.c.name, classes.c.name.label("klass"), villages.c.name.label("village"),
            communes.c.name.label("commune"), people.c.name.label("assignee"),
        )
        .join(pupils, pupils.c.id == cases.c.pupil_id)
        .join(classes, classes.c.id == cases.c.class_id)
        .outerjoin(villages, villages.c.id == cases.c.village_id)
        .outerjoin(communes, communes.c.id == cases.c.commune_id)
        .outerjoin(people, people.c.id == cases.c.assignee_id)
        .where(*where)
        .order_by(cases.c.due_at, cases.c.id)
        .limit(limit)
    )  # fmt: skip


MINE = _listed(OPEN, cases.c.assignee_id == PERSON, limit=31)
OFFERED = _listed(WAITING, cases.c.offered_unit_id == UNIT, cases.c.offered_role == bindparam("role"), limit=31)
AREA = _listed(OPEN, cases.c.class_id == UNIT, limit=12)
PROVINCE = _listed(OPEN, cases.c.province_id == UNIT, limit=51)
UNREAD = select(notices.c.id).where(notices.c.person_id == PERSON, notices.c.read_at.is_(None)).limit(99)
BELOW = (
    select(classes.c.id, classes.c.name)
    .where(classes.c.parent_id == UNIT, classes.c.kind == "commune")
    .order_by(classes.c.name)
    .limit(200)
)
PUPILS = (
    select(pupils.c.id, pupils.c.name, pupils.c.birth_date, classes.c.name, villages.c.name, cases.c.code)
    .join(classes, classes.c.id == pupils.c.class_id)
    .outerjoin(villages, villages.c.id == pupils.c.village_id)
    .outerjoin(cases, (cases.c.pupil_id == pupils.c.id) & OPEN)
    .where(pupils.c.class_id == UNIT, pupils.c.status == "enrolled")
    .order_by(pupils.c.sort_key, pupils.c.id)
    .limit(31)
)
NOTICES = (
    select(notices.c.id, notices.c.kind, notices.c.urgent, notices.c.at, notices.c.read_at, cases.c.code)
    .join(cases, cases.c.id == notices.c.case_id)
    .where(notices.c.person_id == PERSON)
    .order_by(notices.c.id.desc())
    .limit(51)
)
CASE = (
    select(cases, pupils, classes.c.name, villages.c.name, communes.c.name)
    .join(pupils, pupils.c.id == cases.c.pupil_id)
    .join(classes, classes.c.id == cases.c.class_id)
    .outerjoin(villages, villages.c.id == cases.c.village_id)
    .outerjoin(communes, communes.c.id == cases.c.commune_id)
    .where(cases.c.code == CODE_GIVEN)
)
EVENTS = (
    select(events, people.c.name)
    .outerjoin(people, people.c.id == events.c.person_id)
    .where(events.c.case_id == bindparam("case"))
    .order_by(events.c.seq.desc())
    .limit(31)
)
BESIDE = [
    select(table).where(table.c.case_id == bindparam("case"))
    for table in (_tables[name] for name in ("needs", "support", "planned", "holds", "firings", "case_causes"))
]
HOLDERS = (
    select(posts.c.role, people.c.name, people.c.phone)
    .join(people, people.c.id == posts.c.person_id)
    .where(posts.c.unit_id.in_(bindparam("units", expanding=True)))
    .where(posts.c.valid_from <= bindparam("day"), posts.c.valid_to > bindparam("day"))
)


# --- the application --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Reader:
    """Who reads, and in which units they have which roles."""

    id: int
    units: Mapping[str, Sequence[int]]

    def unit(self, role: str) -> int:
        return self.units[role][0]


Rows = list[dict[str, Any]]


def make(url: str, key: str, pages: Path, calendar: Calendar) -> Flask:
    """The floor's application on a database, for the pages that were cut (address: page) into a JSON file."""
    app, engine, environment = Flask("floor"), make_engine(url), Environment(autoescape=True)
    app.secret_key = key
    reading = engine.execution_options(writes=False)
    for number, (address, page) in enumerate(json.loads(pages.read_text("utf-8")).items()):
        known = Cut(**page)
        view = _view(known, environment.from_string(known.template), reading.connect, calendar)
        app.add_url_rule(address, f"page{number}", view)
    return app


def _view(page: Cut, template: Template, connect: Callable[[], Connection], calendar: Calendar) -> Callable[[], Any]:
    read = LISTS.get(page.kind) or READ.get(page.kind)

    def view() -> Response | tuple[str, int]:
        rows: Rows = []
        if page.kind != "login":
            with connect() as connection:
                reader = _reader(connection)
                if reader is None:
                    return "", 401
                rows = read(connection, reader, calendar) if read else []
        labels = list(page.labels)  # in the reader's language, once a request
        said = template.render(token=generate_csrf(), L=labels, rows=rows)
        response = Response(gzip.compress(said.encode(), 6, mtime=0), mimetype="text/html")
        response.headers.update({"Content-Encoding": "gzip", "Cache-Control": "no-store"})
        return response

    return view


def _reader(connection: Connection) -> Reader | None:
    token = hashlib.sha256(session.get("_user_id", "").encode()).hexdigest()
    found = connection.execute(SIGNED_IN, {"token": token, "after": NOW - dt.timedelta(days=14)}).one_or_none()
    if found is None:
        return None
    units: dict[str, list[int]] = {}
    for role, unit in connection.execute(POSTS, {"person": found.id, "day": NOW.date()}):
        units.setdefault(role, []).append(unit)
    return Reader(found.id, units)


def _work(connection: Connection, reader: Reader, calendar: Calendar) -> Rows:
    unit = reader.unit("teacher")
    mine = connection.execute(MINE, {"person": reader.id}).all()
    offered = connection.execute(OFFERED, {"unit": unit, "role": "teacher"}).all()
    others = connection.execute(AREA, {"unit": unit}).all()
    connection.execute(UNREAD, {"person": reader.id}).all()
    once = {row.code: row for row in (*mine, *offered, *others)}
    return [_said(row, calendar) for row in once.values()]


def _cases(connection: Connection, reader: Reader, calendar: Calendar) -> Rows:
    unit = reader.unit("education_office")
    rows = connection.execute(PROVINCE, {"unit": unit}).all()
    connection.execute(BELOW, {"unit": unit}).all()
    return [_said(row, calendar) for row in rows[:50]]


STATES = {"absent": "Vắng học", "teacher_contact": "GVCN liên hệ", "commune_visit": "Xã vận động",
          "support_referral": "Hội hỗ trợ", "returned": "Đã ra lớp"}  # fmt: skip
DAYS = ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật")


def _said(row: Any, calendar: Calendar) -> dict[str, Any]:
    due, now = calendar.local(row.due_at), calendar.local(NOW)
    days = (due.date() - now.date()).days
    if due < now:
        words = f"Quá hạn {-days} ngày"
    else:
        words = f"Còn {days} ngày, {DAYS[due.weekday()]} {due:%d/%m/%Y}" if days else f"Hạn hôm nay lúc {due:%H:%M}"
    where = f"{row.klass}, {row.village}" if row.village else row.klass
    return {"code": row.code, "name": row.name, "where": where, "due": words, "state": STATES[row.state]}


def _notices(connection: Connection, reader: Reader, calendar: Calendar) -> Rows:
    rows = connection.execute(NOTICES, {"person": reader.id}).all()
    return [{"code": row.code, "where": f"· {calendar.local(row.at):%H:%M %d/%m/%Y}", "state": row.kind}
            for row in rows[:50]]  # fmt: skip


def _case(connection: Connection, _reader: Reader, calendar: Calendar) -> Rows:
    case = connection.execute(CASE, {"code": request.path.rsplit("/", 1)[1]}).one()
    for statement in (EVENTS, *BESIDE):
        connection.execute(statement, {"case": case.id}).all()
    units = [case.class_id, case.school_id, case.village_id, case.commune_id]
    connection.execute(HOLDERS, {"units": units, "day": NOW.date()}).all()
    return [_said_case(case, calendar)]


def _said_case(case: Any, calendar: Calendar) -> dict[str, Any]:
    return {"due": f"{calendar.local(case.due_at):%H:%M %d/%m/%Y}", "state": STATES[case.state]}


def _new(connection: Connection, reader: Reader, _calendar: Calendar) -> Rows:
    connection.execute(PUPILS, {"unit": reader.unit("teacher")}).all()
    return []


LISTS = {"work": _work, "cases": _cases, "notices": _notices}
READ = {"case": _case, "case_new": _new}


def written(pages: Mapping[str, Cut]) -> str:
    """Pages that were cut, as `make` reads them."""
    return json.dumps({address: asdict(page) for address, page in pages.items()})
