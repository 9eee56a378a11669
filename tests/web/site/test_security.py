"""What every answer carries, and what is refused before any page is asked."""

import base64
import hashlib
import io
import re
from collections.abc import Iterator

import pytest
from flask import render_template_string

from engine.store.session import open_store
from tests.pages import Site, csrf, post, site
from web.site.security import public, takes_up_to


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Site]:
    store = open_store(sqlite_url)
    yield site(store)
    store.close()


def policy(header: str) -> dict[str, str]:
    return {name: rest for name, _, rest in (part.strip().partition(" ") for part in header.split(";"))}


def test_a_page_may_load_only_what_is_ours_and_nothing_inline(here: Site) -> None:
    rules = policy(here.client().get("/login").headers["Content-Security-Policy"])
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["form-action"] == "'self'"
    assert rules["frame-ancestors"] == rules["base-uri"] == "'none'"


def test_a_browser_without_the_style_sheet_gets_it_with_its_first_page_and_then_never_again(here: Site) -> None:
    client = here.app.test_client()
    first = client.get("/login")
    along = first.text.split("<style", 1)[1].split(">", 1)[1].split("</style>")[0]
    allowed = policy(first.headers["Content-Security-Policy"])["style-src"]
    assert allowed == f"'self' 'sha256-{base64.b64encode(hashlib.sha256(along.encode()).digest()).decode()}'"
    address = re.search(r'href="(/static/[^"]+/app.css)"', first.text)
    assert address
    assert client.get(address[1]).text == along
    assert "<style" not in client.get("/login").text
    client.set_cookie("sheet", "of-an-older-version")
    assert "<style" in client.get("/login").text


@pytest.mark.parametrize("path", ["/login", "/nothing", "/healthz", "/password", "/static/x/app.css"])
def test_every_answer_has_the_headers(here: Site, path: str) -> None:
    headers = here.client().get(path).headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert "Content-Security-Policy" in headers
    assert "Strict-Transport-Security" not in headers


def test_pages_are_kept_by_nobody_and_static_files_for_good(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    assert client.get("/password").headers["Cache-Control"] == "no-store"
    sheet = re.search(r'href="(/static/\w+/app\.css)"', client.get("/password").text)
    assert sheet
    assert "immutable" in client.get(sheet[1]).headers["Cache-Control"]
    assert client.get("/static/0123456789/app.css").headers["Cache-Control"] == "no-cache"


def test_a_static_file_is_the_same_whoever_is_signed_in_and_a_page_is_not(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    page = client.get("/password")
    file = re.search(r'src="(/static/\w+/app\.js)"', page.text)
    assert file
    assert "Cookie" in page.headers["Vary"]
    assert client.get(file[1]).headers["Vary"] == "Accept-Encoding"


def test_a_script_of_the_page_itself_runs_under_a_mark_that_changes(here: Site) -> None:
    @public
    def scripted() -> str:
        return render_template_string('<script nonce="{{ csp_nonce() }}"></script>')

    here.app.add_url_rule("/scripted", "scripted", scripted)
    answers = [here.client().get("/scripted") for _ in range(2)]
    marks = [re.findall(r'nonce="([^"]+)"', answer.text)[0] for answer in answers]
    assert marks[0] != marks[1]
    assert f"'nonce-{marks[0]}'" in answers[0].headers["Content-Security-Policy"]


def test_over_https_the_browser_is_told_to_stay_there(here: Site) -> None:
    answer = here.client().get("/login", base_url="https://ralop.example")
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.parametrize(
    "token", [None, "", "forged", "IjZjNTY0YmE0ZGZlZTVjN2UzNzUxMjU3MmY0NGQwMjlkZDM0MjMzOGEi.awURJw.x"]
)
def test_a_form_without_our_token_is_refused_with_headers_and_help(here: Site, token: str | None) -> None:
    here.person("hanh")
    data = {"login": "hanh", "password": "x"} | ({"csrf_token": token} if token is not None else {})
    page = here.client().post("/login", data=data)
    assert page.status_code == 400
    assert "tải lại trang" in page.text
    assert "Content-Security-Policy" in page.headers


def test_a_token_of_another_session_is_no_token(here: Site) -> None:
    here.person("hanh")
    foreign = csrf(here.client().get("/login"))
    client = here.client()
    client.get("/login")
    assert client.post("/login", data={"csrf_token": foreign, "login": "hanh"}).status_code == 400


@pytest.mark.parametrize("path", ["/%00", "/login?next=%00", "/a%00b?x=1"])
def test_a_zero_byte_is_refused_and_not_looked_up(here: Site, path: str) -> None:
    assert here.client().get(path).status_code in {400, 404}


def test_a_zero_byte_in_a_form_is_refused(here: Site) -> None:
    assert post(here.client(), "/login", login="a\x00b", password="x").status_code == 400


def test_it_is_refused_too_in_a_form_that_does_not_say_how_long_it_is(here: Site) -> None:
    client = here.client()
    form = f"csrf_token={csrf(client.get('/login'))}&login=a%00b&password=x"
    answer = client.post(
        "/login",
        input_stream=io.BytesIO(form.encode()),
        content_type="application/x-www-form-urlencoded",
        environ_overrides={"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True},
    )
    assert answer.status_code == 400


@pytest.mark.parametrize("number", ["0", "2147483648", "99999999999999999999999999", "-1", "1.5"])
def test_a_number_that_no_row_can_have_is_no_page(here: Site, number: str) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    assert post(client, f"/password/devices/{number}/end", "/password").status_code == 404


def test_a_request_that_is_too_large_is_refused_in_words(here: Site) -> None:
    page = post(here.client(), "/login", login="a" * 3_000_000)
    assert page.status_code == 413
    assert "quá lớn" in page.text


def test_a_page_for_files_may_take_more(here: Site) -> None:
    @public
    @takes_up_to(4_000)
    def upload() -> str:
        return "taken"

    here.app.config["MAX_CONTENT_LENGTH"] = 1_000
    here.app.add_url_rule("/upload", "upload", upload, methods=["POST"])
    client = here.client()
    token = csrf(client.get("/login"))
    for size, status in ((3_000, 200), (5_000, 413)):
        file = (io.BytesIO(bytes(size)), "register.xlsx")
        assert client.post("/upload", data={"csrf_token": token, "file": file}).status_code == status


def test_the_first_load_fits_into_25_kilobytes(here: Site) -> None:
    client, squeezed = here.client(), {"Accept-Encoding": "gzip"}
    page = client.get("/login")
    parts = ["/login", *re.findall(r'(?:href|src)="(/static/[^"#]+)', page.text)]
    sizes = {part: len(client.get(part, headers=squeezed).data) for part in parts}
    assert sum(sizes.values()) < 25 * 1024, sizes
