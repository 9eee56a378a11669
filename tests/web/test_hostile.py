"""Every route with what nobody should send: refused or answered, and never a failure of ours, on both databases."""

import contextlib
import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
import xlsxwriter  # type: ignore[import-untyped]
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from engine.channels.excel97 import read_excel97
from engine.core.files.sheets import read_sheets
from engine.store import tables as t
from engine.usecases.attendance.import_jobs import work
from engine.usecases.people.passkeys import WRONG, _answer
from engine.usecases.people.signin_settings import SignInSettings
from tests.cast import Cast
from tests.pages import site as pages_on

MEMBERS = ("teacher", "commune_leader", "admin")
NAMES = [
    "q",
    "page",
    "before",
    "after",
    "day",
    "session",
    "which",
    "unit",
    "pupil",
    "month",
    "first",
    "last",
    "from",
    "to",
    "over",
    "state",
    "level",
    "next",
    "case",
    "one",
    "person",
    "key",
    "version",
    "back",
    "name",
    "login",
    "password",
    "on",
    "table",
    "moves",
    "code",
    "note",
    "reason",
    "answer",
    "endpoint",
    "kind",
    "role",
    "delivery",
    "rules",
    "text",
    "urge",
    "last_day",
    "confirm",
    "end_anyway",
    "language",
    "school",
    "absent_since",
    "causes",
    "quantity",
    "phone",
    "email",
    "sort",
    "due",
    "cause",
    "mode",
    "year",
    "done",
    "token",
]
VALUES = (
    "9" * 400,
    "-1",
    "2147483648",
    "0",
    "0001-01-01",
    "9999-12-31",
    "31/12/9999",
    "9999-12-31~9",
    "1/1",
    "٣",
    "🦬" * 300,
    "'\"<%00>",
    "{}[]",
    "x" * 3_000,
    "\u202e",
    "\x01\x1f\x7f",
    "9/99999",
    "RL-2026-000001:99999999999",
)
PARTS = ("9" * 30, "0", "1", "-1", "x" * 3_000, "🦬", "..", "%ff%fe", "a:b", "RL-2026-000001", "\x01")
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"


def address(rule: Rule, part: str = "1") -> str:
    """An address of the rule with `part` in each of its places."""
    found = rule.rule
    for name in rule.arguments:
        for converter in ("", "int:", "path:"):
            found = found.replace(f"<{converter}{name}>", part if part.startswith("%") else quote(part, safe=""))
    return found


def ask(browser: FlaskClient, rule: Rule, at: str, **more: Any) -> TestResponse:
    """Ask for a page, or send a form to it, as the rule has it."""
    if "POST" in (rule.methods or ()):
        return browser.post(at, **more)
    more.pop("data", None)
    return browser.get(at, **more)


@pytest.fixture
def site(cast: Cast) -> Cast:
    """The cast, whose forms are taken without a token: what is sent shall reach the views."""
    cast.site.app.config["WTF_CSRF_ENABLED"] = False
    cast.to_association()
    return cast


def walk(cast: Cast, member: str, *, posts: bool = False) -> Iterator[tuple[FlaskClient, Rule]]:
    """Every route with a browser to go there; nobody is signed out on the way."""
    for rule in cast.site.app.url_map.iter_rules():
        if rule.rule != "/healthz" and (not posts or "POST" in (rule.methods or ())):  # no worker: it says so
            away = rule.rule.startswith(("/login", "/logout", "/password"))
            yield cast.site.client() if away else cast.browser(member), rule


@pytest.mark.parametrize("turn", range(6))
def test_no_strange_value_in_a_form_or_a_query_fails(site: Cast, turn: int) -> None:
    fields = {name: VALUES[(at + 3 * turn) % len(VALUES)] for at, name in enumerate(NAMES)}
    for browser, rule in walk(site, MEMBERS[turn % 3]):
        answer = ask(browser, rule, address(rule), query_string=fields, data=fields)
        assert answer.status_code < 500, (rule.rule, fields)


@pytest.mark.parametrize("part", PARTS, ids=range(len(PARTS)))
def test_no_strange_part_of_an_address_fails(site: Cast, part: str) -> None:
    for browser, rule in walk(site, MEMBERS[len(part) % 3]):
        if rule.arguments:
            assert ask(browser, rule, address(rule, part)).status_code < 500, (rule.rule, part)


@pytest.mark.parametrize(
    "more",
    [
        {"query_string": "a=1&q=x&q=%00"},
        {"query_string": "%00=1"},
        {"headers": {"X-Anything": "a\x00b"}},
        {"headers": {"User-Agent": "\x00"}},
    ],
    ids=str,
)
def test_a_zero_byte_anywhere_is_a_bad_request(site: Cast, more: dict[str, Any]) -> None:
    for browser, rule in walk(site, "teacher"):
        assert ask(browser, rule, address(rule), **more).status_code in {400, 404}, rule.rule


@pytest.mark.parametrize("body", ["note=a&note=%00", "%00=1", "key=1&key=2&version=3&version=%00"])
def test_a_zero_byte_in_any_value_of_a_form_is_a_bad_request(site: Cast, body: str) -> None:
    for browser, rule in walk(site, "teacher", posts=True):
        assert browser.post(address(rule), data=body, content_type=FORM).status_code in {400, 404}, rule.rule


def upload(name: bytes) -> dict[str, Any]:
    """A form with a file, its name as it stands on the wire."""
    lines = [
        b"--x",
        b'Content-Disposition: form-data; name="file"; ' + name,
        b"Content-Type: text/csv",
        b"",
        b"a,b\n1,2\n",
        b"--x",
        b'Content-Disposition: form-data; name="kind"',
        b"",
        b"pupils",
        b"--x--",
        b"",
    ]
    return {"data": b"\r\n".join(lines), "content_type": MULTIPART}


@pytest.mark.parametrize(
    "name",
    [
        b'filename="a\x00.csv"',
        b"filename*=UTF-8''%00.csv",
        b"filename*=UTF-8''%ED%A0%80.csv",
        b'filename="' + b"x" * 5_000 + b'.csv"',
        b'filename="\xff\xfe.csv"',
        b'filename="../../x.csv"',
    ],
)
def test_no_name_of_a_file_fails(site: Cast, name: bytes) -> None:
    for member in ("head", "admin"):
        assert site.browser(member).post("/imports", **upload(name)).status_code < 500
    for browser, rule in walk(site, "teacher", posts=True):
        assert browser.post(address(rule), **upload(name)).status_code < 500, rule.rule
    assert site.browser("head").post("/imports", **upload(b'filename="a\x00.csv"')).status_code == 400


PART = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"[" * 200_000, "application/json"),
        (b'{"a": "\\u0000\\ud800"}', "application/json"),
        (b"a=\xff\xfe&%ff=%fe&%ED%A0%80=%ED%A0%80&=&=&&&===&%&%%&%u0000", FORM),
        (b"&".join(b"a%d=1" % number for number in range(20_000)), FORM),
        (b"--x\r\n\r\n", MULTIPART),
        (b"--x--", "multipart/form-data"),
        (b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--", MULTIPART),
        (PART * 3_000 + b"--x--", MULTIPART),
        (b"a=b", f"{FORM}; charset=utf-7"),
    ],
    ids=range(9),
)
def test_no_body_of_a_strange_kind_fails(site: Cast, body: bytes, kind: str) -> None:
    for browser, rule in walk(site, "teacher", posts=True):
        assert browser.post(address(rule), data=body, content_type=kind).status_code < 500, (rule.rule, kind)


BUFFALO = "🦬".encode().decode("latin-1")  # as it comes in a header


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "a:b:c"},
        {"Host": BUFFALO},
        {"X-Queued": BUFFALO, "Accept-Language": "q=;q=;,;;" + "x" * 5_000},
        {"Cookie": "=;;=session=x.y.z; language=" + "x" * 3_000, "Accept-Encoding": ";q=nan", "Referer": "http://[::"},
        {"Authorization": "Bearer \xff", "X-Forwarded-For": "x, y", "X-Forwarded-Proto": ",", "Range": "bytes=9-1,z"},
        {"Content-Length": "-5", "If-None-Match": '"' * 99, "If-Modified-Since": "never", "User-Agent": BUFFALO * 999},
    ],
    ids=range(6),
)
def test_no_strange_header_fails(site: Cast, headers: dict[str, str]) -> None:
    for browser, rule in walk(site, "teacher"):
        assert ask(browser, rule, address(rule), headers=headers).status_code < 500, (rule.rule, headers)


DEEP = {
    "list": "[" * 19_000,
    "object": '{"id":' * 3_000,
    "id": json.dumps({"id": "a\x00b", "response": {}}),
    "surrogate": '{"id": "\\ud800", "response": {}}',
    "number": '{"id": ' + "9" * 6_000 + "}",
    "types": json.dumps({"id": {"a": 1}, "rawId": 5, "type": [], "response": {"clientDataJSON": 7}}),
    "inside": '{"id": "YQ", "response": {"userHandle": ' + "[" * 5_000 + "]" * 5_000 + "}}",
    "torn": json.dumps(
        {
            "id": "YQ",
            "rawId": "YQ",
            "type": "public-key",
            "response": {
                "clientDataJSON": "e30",
                "attestationObject": "n" * 9_000,
                "authenticatorData": "AA",
                "signature": "AA",
            },
        }
    ),
}


@pytest.mark.parametrize("answer", DEEP.values(), ids=DEEP)
def test_no_answer_of_a_passkey_fails(cast: Cast, answer: str) -> None:
    here = pages_on(cast.store, sign_in=SignInSettings(origin="https://ralop.example", rp_id="ralop.example"))
    here.app.config["WTF_CSRF_ENABLED"] = False
    browser, secure = here.client(), {"base_url": "https://ralop.example"}
    assert browser.post("/login/passkey/ask", **secure).status_code == 200
    refused = browser.post("/login/passkey", data={"answer": answer}, **secure)
    assert 400 <= refused.status_code < 500
    with contextlib.suppress(*WRONG):  # nor when one is made
        assert isinstance(_answer(answer), dict)


def workbook(cells: list[str]) -> bytes:
    """An xlsx file of one row, its texts as they stand in its XML."""
    blank, made = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(blank) as book:
        book.add_worksheet().write_row(0, 0, [f"cell{at}" for at in range(len(cells))])
    with zipfile.ZipFile(blank) as parts, zipfile.ZipFile(made, "w") as archive:
        for name in parts.namelist():
            text = parts.read(name).decode()
            for at, cell in enumerate(cells):
                text = text.replace(f"cell{at}", cell)
            archive.writestr(name, text)
    return made.getvalue()


def test_what_no_database_takes_is_taken_out_of_the_cells_of_a_file() -> None:
    csv = b"a," * 3_000 + b"\nY H\x00\xe1\xba\xa1nh,x\n"
    assert [cells[0] for sheet in read_sheets(csv, read_excel97) for _, cells in sheet.rows][1] == "Y Hạnh"
    cells = [
        cells
        for sheet in read_sheets(workbook(["Y_x0000_ Hạnh", "_xD800_", "1"]), read_excel97)
        for _, cells in sheet.rows
    ]
    text = "".join(str(cell) for cell in cells[0])
    assert "\x00" not in text
    text.encode()  # no half characters


def test_a_list_of_pupils_with_zero_bytes_is_worked_on_to_the_end(site: Cast) -> None:
    heading = "Mã học sinh,Họ và tên,Ngày sinh,Lớp," + ",".join("x" * 40 for _ in range(120))
    rows = "".join(f"C{n}\x00,Y H\x00ạnh,01/02/2012\x00,\x006A\n" for n in range(3))
    sent = site.browser("head").post(
        "/imports", data={"kind": "pupils", "file": (io.BytesIO(f"{heading}\n{rows}".encode()), "a.csv")}
    )
    assert sent.status_code in {303, 422}
    work(site.context, site.now)
    with site.store.reading("test") as session:
        assert session.scalars(select(t.ImportJob.state)).all() != ["waiting"]
