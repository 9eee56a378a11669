"""Signing in behind a proxy: one that the settings name, and one that they do not."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from engine.core.refusals import Refused
from engine.store.ops.proxies import RECENT, undeclared
from engine.store.session import Store, open_store
from engine.usecases.ops.clock import set_clock
from engine.usecases.ops.proxies import forget_undeclared, note_undeclared
from engine.usecases.people import signin
from engine.usecases.people.rate_limits import ALL_STRANGERS, ONE_ADDRESS, Origin, TooManyTries
from engine.usecases.people.signin import WrongPassword
from tests.cast import Cast
from tests.pages import PASSWORD, Site, csrf, post, sign_in, site
from web.account.signin import origin
from web.cli.status import status
from web.site.proxies import MARKS, NOTED

GUESSER, SCHOOL = "203.0.113.9", "198.51.100.7"
ON_THE_INTERNET = "8.8.4.4"  # `ipaddress` counts the addresses of examples as private


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Site]:
    store = open_store(sqlite_url)
    yield site(store)
    store.close()


def browser(here: Site, client: str = SCHOOL, peer: str = "127.0.0.1") -> FlaskClient:
    """A browser whose requests come by a proxy at `peer`, which tells of the client."""
    made = here.client(peer)
    made.environ_base["HTTP_X_FORWARDED_FOR"] = client
    return made


def guess(here: Site, times: int, address: str, *logins: str) -> None:
    """Wrong passwords, each heard or held up."""
    for _ in range(times):
        for login in logins:
            with pytest.raises(Refused):
                signin.sign_in(here.store, login, "matkhau", Origin(address), here.clock.now())


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred hashes take long: here a password is right if it is ours."""
    monkeypatch.setattr("engine.core.people.passwords.verify", lambda kept, given: given == PASSWORD)


STRANGERS = [f"khach{number}" for number in range(ONE_ADDRESS.free + 1)]


def test_a_hundred_wrong_passwords_behind_a_proxy_that_is_not_declared_hold_nobody_else_up(
    here: Site, quick: None
) -> None:
    here.person("hanh")
    bad = browser(here)
    form = {"csrf_token": csrf(bad.get("/login")), "password": "matkhau"}
    for login in STRANGERS:
        assert bad.post("/login", data={**form, "login": login}).status_code == 422
    assert sign_in(browser(here), "hanh").status_code == 303


@pytest.mark.parametrize(
    ("peer", "told", "address"),
    [
        ("127.0.0.1", {"X-Forwarded-For": SCHOOL}, ""),
        ("::1", {"X-Forwarded-For": SCHOOL}, ""),
        ("10.0.0.2", {"Forwarded": f"for={SCHOOL}"}, ""),
        ("10.0.0.2", {"X-Real-IP": SCHOOL}, ""),
        ("10.0.0.2", {"X-Forwarded-Proto": "https"}, ""),
        ("fd00::2", {"X-Forwarded-For": SCHOOL}, ""),
        ("::ffff:10.0.0.2", {"X-Forwarded-For": SCHOOL}, ""),
        ("", {"X-Forwarded-For": SCHOOL}, ""),
        ("127.0.0.1", {}, ""),  # a proxy on this machine that tells nothing
        ("10.0.0.2", {}, "10.0.0.2"),
    ],
)
def test_an_address_that_may_be_everybodys_is_nobodys(
    here: Site, peer: str, told: dict[str, str], address: str
) -> None:
    with here.app.test_request_context("/login", headers=told, environ_base={"REMOTE_ADDR": peer}):
        assert origin("hanh").address == address


@pytest.mark.parametrize("peer", [ON_THE_INTERNET, "2a00:1450:4001:80b::200e", f"::ffff:{ON_THE_INTERNET}"])
@pytest.mark.parametrize("mark", MARKS)
def test_nobody_on_the_internet_is_uncounted_by_a_header_of_a_proxy(here: Site, peer: str, mark: str) -> None:
    with here.app.test_request_context("/login", headers={mark: SCHOOL}, environ_base={"REMOTE_ADDR": peer}):
        assert origin("hanh").address == peer


def test_who_guesses_from_the_internet_waits_whatever_headers_they_write(here: Site, quick: None) -> None:
    here.person("hanh")
    guess(here, 1, ON_THE_INTERNET, *STRANGERS)
    assert sign_in(browser(here, peer=ON_THE_INTERNET), "hanh").status_code == 429
    assert sign_in(browser(here), "hanh").status_code == 303


def test_guesses_at_one_login_slow_its_strangers_for_minutes_and_never_its_own_phone(here: Site) -> None:
    here.person("hanh")
    phone = browser(here)
    assert sign_in(phone, "hanh").status_code == 303
    post(phone, "/logout", "/password")
    for _ in range(ALL_STRANGERS.free + 8):
        with pytest.raises(WrongPassword):
            signin.sign_in(here.store, "hanh", "matkhau", Origin(""), here.clock.now())
        here.clock.advance(ALL_STRANGERS.most)
    guess(here, 1, "", "hanh")
    with pytest.raises(TooManyTries) as held:
        signin.sign_in(here.store, "hanh", "matkhau", Origin(""), here.clock.now())
    assert held.value.wait <= ALL_STRANGERS.most
    assert sign_in(phone, "hanh").status_code == 303
    here.clock.advance(ALL_STRANGERS.most)
    assert sign_in(browser(here), "hanh").status_code == 303


def test_a_right_password_does_not_hand_a_guesser_new_tries(here: Site) -> None:
    here.person("hanh")
    guess(here, ALL_STRANGERS.free - 1, "", "hanh")
    assert sign_in(browser(here), "hanh").status_code == 303
    guess(here, 1, "", "hanh")
    with pytest.raises(TooManyTries):
        signin.sign_in(here.store, "hanh", "matkhau", Origin(""), here.clock.now())


def test_behind_a_declared_proxy_the_guesser_waits_and_the_school_does_not(sqlite_url: str, quick: None) -> None:
    store = open_store(sqlite_url)
    here = site(store, trusted_proxies=1)
    here.person("hanh")
    guess(here, 1, GUESSER, *STRANGERS)
    assert sign_in(browser(here, client=GUESSER), "hanh").status_code == 429
    # The proxy's word is the last; what the client wrote before it is nobody's.
    assert sign_in(browser(here, client=f"{SCHOOL}, {GUESSER}"), "hanh").status_code == 429
    assert sign_in(browser(here, client=SCHOOL), "hanh").status_code == 303
    with store.reading("test") as session:
        assert undeclared(session, here.clock.now()) is None
    store.close()


def test_who_comes_past_no_proxy_is_counted_by_address(here: Site, quick: None) -> None:
    here.person("hanh")
    guess(here, 1, GUESSER, *STRANGERS)
    assert sign_in(here.client(GUESSER), "hanh").status_code == 429
    assert sign_in(here.client(SCHOOL), "hanh").status_code == 303


def test_the_operator_is_told_of_a_proxy_that_is_not_declared_by_status_and_by_the_log(
    here: Site, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    environment = {"RALOP_INSTANCE": str(tmp_path), "RALOP_DATABASE_URL": str(here.store.url)}

    def said() -> str:
        return CliRunner().invoke(status, ["--language", "en"], env=environment).stdout

    set_clock(here.store, here.clock.now())
    assert "trusted_proxies" not in said()
    for _ in range(3):
        sign_in(browser(here), "hanh", "matkhau")
    written = capsys.readouterr()
    lines = [line for line in (written.out + written.err).splitlines() if "trusted_proxies" in line]
    assert len(lines) == 1
    assert "127.0.0.1" in lines[0]
    assert "A proxy at 127.0.0.1 stands in front, and the setting trusted_proxies does not count it" in said()
    here.clock.advance(NOTED)
    sign_in(browser(here, peer="10.0.0.2"), "hanh", "matkhau")
    assert "A proxy at 10.0.0.2" in said()


def test_an_administrator_is_told_of_a_proxy_that_is_not_declared(cast: Cast) -> None:
    told = "Có proxy tại 10.0.0.2 đứng phía trước mà cài đặt trusted_proxies chưa tính đến"
    assert told not in cast.get("admin", "/admin").text
    sign_in(browser(cast.site, peer="10.0.0.2"), "nobody", "matkhau")
    assert told in cast.get("admin", "/admin").text


def test_a_proxy_is_forgotten_when_it_is_declared_or_was_not_seen_for_a_day(store: Store) -> None:
    now = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)

    def known(at: dt.datetime) -> str | None:
        with store.reading("test") as session:
            return undeclared(session, at)

    assert known(now) is None
    assert note_undeclared(store, "10.0.0.2", now, NOTED)
    assert not note_undeclared(store, "10.0.0.3", now + NOTED / 2, NOTED)
    assert known(now + RECENT / 2) == "10.0.0.2"
    assert known(now + RECENT) is None
    forget_undeclared(store)
    assert known(now) is None
    assert note_undeclared(store, "10.0.0.3", now, NOTED)
