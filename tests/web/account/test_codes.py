"""One-time codes: the administrator hands one over, it opens once, and nobody else makes or guesses one."""

import datetime as dt
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient
from sqlalchemy import select

from engine.core.people import passwords
from engine.core.refusals import NotFound
from engine.store import tables as t
from engine.store.session import Store, open_store
from engine.usecases.people import signin_codes
from engine.usecases.people.rate_limits import ALL_STRANGERS, Origin, TooManyTries
from engine.usecases.people.signin_codes import WrongCode
from tests.pages import PASSWORD, Site, post, site
from web.cli.main import main
from web.cli.user import drawn

HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)
LASTS = 72 * HOUR
NEW = {"new": "mưa rừng gánh củi", "again": "mưa rừng gánh củi"}


def open_site(store: Store) -> Site:
    here = site(store)
    here.appoint(here.person("quantri", "Quản trị"), "admin", "root", "vn")
    here.person("hanh", must_change=True)
    return here


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Site]:
    store = open_store(sqlite_url)
    yield open_site(store)
    store.close()


def made(here: Site, login: str = "hanh") -> str:
    return signin_codes.make(here.store, login, 1, LASTS, here.clock.now()).code


def enter(client: FlaskClient, code: str, login: str = "hanh", **more: str) -> tuple[int, str]:
    """Sign in with a code; the status, and where it leads or what was said."""
    page = post(client, "/login/code", login=login, code=code, **more)
    return page.status_code, page.headers.get("Location") or page.text


def test_the_administrator_makes_a_code_and_its_slip_opens_once(store: Store) -> None:
    here = open_site(store)
    slip = post(here.signed_in("quantri"), "/admin/codes", login="HANH").text
    found = re.search(r"\d{4} \d{4} \d{4}", slip)
    assert found
    assert "Y Hạnh" in slip
    assert "08:00 05/03/2026" in slip or "05/03/2026" in slip
    assert "<svg" in slip
    phone = here.client()
    assert enter(phone, found[0], next="/notices") == (303, "/password?next=/notices")
    page = phone.get("/password?next=/notices").text
    assert "Bạn vừa vào bằng mã dùng một lần." in page
    assert 'href="/notices"' in page
    assert enter(here.client(), found[0])[0] == 422


@pytest.mark.parametrize("written", ["{0} {1} {2}", "{0}{1}{2}", " {0}-{1}-{2} ", "{0}.{1}.{2}"])
def test_a_code_is_taken_however_its_groups_are_written(here: Site, written: str) -> None:
    code = made(here)
    assert enter(here.client(), written.format(*code.split()))[0] == 303


def test_opening_the_page_of_the_link_uses_nothing_up_and_the_server_never_sees_the_digits(here: Site) -> None:
    code = made(here)
    for _ in range(3):
        page = here.client().get("/login/code?login=hanh")  # what stands behind the # stays in the browser
        assert page.status_code == 200
        assert 'value="hanh"' in page.text
    assert enter(here.client(), code)[0] == 303


def test_whoever_came_with_a_code_chooses_a_password_without_the_one_they_never_knew(here: Site) -> None:
    phone = here.client()
    enter(phone, made(here))
    assert 'name="old"' not in phone.get("/password").text
    assert post(phone, "/password", **NEW, next="/notices").headers["Location"] == "/notices"
    assert here.signed_in("hanh", NEW["new"])


def test_whoever_came_with_a_code_may_go_on_without_choosing(here: Site) -> None:
    phone = here.client()
    enter(phone, made(here))
    assert phone.get("/notices").status_code == 200


def test_a_phone_found_open_later_does_not_give_its_finder_a_new_password(here: Site) -> None:
    phone = here.client()
    enter(phone, made(here))
    here.clock.advance(11 * MINUTE)
    page = post(phone, "/password", **NEW)
    assert page.status_code == 422
    assert "Mật khẩu hiện tại không đúng." in page.text


def test_a_code_runs_out(here: Site) -> None:
    code = made(here)
    here.clock.advance(LASTS)
    assert enter(here.client(), code)[0] == 422


def test_a_new_code_ends_the_one_before(store: Store) -> None:
    here = open_site(store)
    first, second = made(here), made(here)
    assert enter(here.client(), first)[0] == 422
    assert enter(here.client(), second)[0] == 303


def test_a_code_of_one_person_opens_nobody_elses_account(here: Site) -> None:
    code = made(here)
    assert enter(here.client(), code, "quantri")[0] == 422
    assert enter(here.client(), code, "nobody")[0] == 422
    assert enter(here.client(), code)[0] == 303


def test_wrong_codes_are_counted_like_wrong_passwords(here: Site) -> None:
    code, guesser = made(here), here.client()
    assert [enter(guesser, "0000 0000 0000")[0] for _ in range(6)] == [422] * 5 + [429]
    assert enter(guesser, code)[0] == 429
    assert post(guesser, "/login", login="hanh", password=PASSWORD).status_code == 429
    here.clock.advance(31 * dt.timedelta(seconds=1))
    assert enter(guesser, code)[0] == 303


def test_guessing_a_code_from_everywhere_is_slowed_down_too(here: Site) -> None:
    for number in range(ALL_STRANGERS.free):
        with pytest.raises(WrongCode):
            signin_codes.sign_in(here.store, "hanh", "1", Origin(f"198.51.100.{number}"), here.clock.now())
    with pytest.raises(TooManyTries):
        signin_codes.sign_in(here.store, "hanh", "1", Origin("198.51.100.200"), here.clock.now())


def test_a_wrong_code_and_an_unknown_login_are_told_apart_by_nothing(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(here)
    looked_at: list[str] = []

    def verify(kept: str, _given: str) -> bool:
        looked_at.append(kept[:9])
        return False

    monkeypatch.setattr(passwords, "verify", verify)
    said = {enter(here.client(), "1", login)[1].split("<li>")[1].split("</li>")[0] for login in ("hanh", "nobody")}
    assert len(said) == 1
    assert enter(here.client(), "1", "quantri")[0] == 422  # there is such a login, but no code
    assert looked_at == ["$argon2id"] * 3


def test_of_two_who_come_with_one_code_at_once_one_gets_in(store: Store) -> None:
    here = open_site(store)
    code = made(here)

    def come(number: int) -> bool:
        try:
            return bool(signin_codes.sign_in(store, "hanh", code, Origin(f"10.0.0.{number}"), here.clock.now()))
        except WrongCode:
            return False

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(come, range(4))) == [False, False, False, True]


def test_the_database_holds_no_code(here: Site) -> None:
    code = made(here)
    with here.store.reading("test") as session:
        kept = session.scalars(select(t.SignInCode.code_hash)).one()
    assert kept.startswith("$argon2id$")
    assert signin_codes.tidy(code) not in kept


def test_a_code_is_twelve_digits_and_no_two_are_alike(here: Site) -> None:
    drawn_codes = {made(here) for _ in range(20)}
    assert len(drawn_codes) == 20
    assert all(re.fullmatch(r"\d{4} \d{4} \d{4}", code) for code in drawn_codes)


def test_who_made_a_code_for_whom_and_who_used_it_is_in_the_access_log(here: Site) -> None:
    enter(here.client(), made(here))
    signin_codes.make(here.store, "hanh", None, LASTS, here.clock.now())
    with here.store.reading("test") as session:
        log = session.execute(select(t.AccessLog.person_id, t.AccessLog.what).order_by(t.AccessLog.id)).all()
    assert [tuple(row) for row in log] == [
        (1, "sign-in code for person 2"),
        (2, "sign-in code used"),
        (2, "sign-in code: command line"),
    ]


def test_nobody_but_the_administrator_makes_a_code(here: Site) -> None:
    here.person("minh", "A Minh")
    teacher = here.signed_in("minh")
    assert teacher.get("/admin/codes").status_code == 403
    assert post(teacher, "/admin/codes", "/password", login="quantri").status_code == 403
    with here.store.reading("test") as session:
        assert session.scalars(select(t.SignInCode)).all() == []


def test_an_administrator_at_an_open_desk_must_show_who_they_are_before_making_a_code(here: Site) -> None:
    office = here.signed_in("quantri")
    here.clock.advance(11 * MINUTE)
    assert office.get("/admin/codes").headers["Location"] == "/prove?next=/admin/codes"
    assert '<svg class="segno' not in post(office, "/admin/codes", "/password", login="hanh").text
    with here.store.reading("test") as session:
        assert session.scalars(select(t.SignInCode)).all() == []


@pytest.mark.parametrize("login", ["nobody", "", "x" * 300])
def test_a_code_for_nobody_is_refused_in_words(here: Site, login: str) -> None:
    page = post(here.signed_in("quantri"), "/admin/codes", login=login)
    assert page.status_code == 422
    assert f"Không có ai có tên đăng nhập “{login}”." in unescape(page.text)


def test_nobody_gets_a_code_for_a_shut_account(here: Site) -> None:
    here.person("gone", disabled_at=here.clock.now())
    with pytest.raises(NotFound):
        made(here, "gone")


def test_a_code_made_before_an_account_was_shut_opens_nothing(here: Site) -> None:
    code = made(here)
    with here.store.writing("test") as session:
        person = session.get(t.Person, 2)
        assert person is not None
        person.disabled_at = here.clock.now()
    assert enter(here.client(), code)[0] == 422


def test_the_command_line_makes_a_code_with_a_picture_to_point_a_phone_at(
    here: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RALOP_LANGUAGE", "en")
    monkeypatch.setenv("LANG", "en_US.UTF-8")
    done = CliRunner().invoke(main, ["user", "code", "hanh", "--database", str(here.store.url)])
    assert done.exit_code == 0, done.output
    found = re.search(r"\d{4} \d{4} \d{4}", done.output)
    assert found
    assert "/login/code" in done.output
    picture = drawn(f"http://127.0.0.1:5000/login/code?login=hanh#{signin_codes.tidy(found[0])}")
    assert picture.strip() in done.output
    assert "▄" in picture


def test_the_command_line_says_who_is_not_there(here: Site) -> None:
    done = CliRunner().invoke(main, ["user", "code", "nobody", "--database", str(here.store.url)])
    assert done.exit_code == 1
    assert "nobody" in done.output
