"""Signing in, being slowed down, the devices, the password: what works, what is refused, and what nobody can do."""

import datetime as dt
from collections.abc import Callable, Iterator

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from engine.core.people import passwords
from engine.core.refusals import NotFound
from engine.store import tables as t
from engine.store.session import Store, open_store
from engine.usecases.context import Context
from engine.usecases.people import accounts, signin
from engine.usecases.people.rate_limits import ALL_STRANGERS, ONE_SOURCE, Origin, TooManyTries
from engine.usecases.people.signin import WrongPassword
from tests.pages import PASSWORD, Site, csrf, post, shipped, sign_in, site

HOUR = dt.timedelta(hours=1)
AT_HOME = Origin("10.0.0.1", "Chrome, Android")
ELSEWHERE = Origin("203.0.113.9", "Firefox, Linux")


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Site]:
    store = open_store(sqlite_url)
    yield site(store)
    store.close()


def guess(here: Site, origin: Origin, times: int, login: str = "hanh") -> None:
    for _ in range(times):
        with pytest.raises(WrongPassword):
            signin.sign_in(here.store, login, "matkhau", origin, here.clock.now())


def test_a_person_signs_in_and_comes_to_the_page_they_wanted(here: Site) -> None:
    here.person("hanh")
    client = here.client()
    sent_away = client.get("/password")
    assert sent_away.status_code == 302
    assert sent_away.headers["Location"] == "/login?next=/password"
    assert sign_in(client, "  HANH ", next="/password").headers["Location"] == "/password"
    assert "Y Hạnh" in client.get("/password").text


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "/a\nb", "javascript:x"]
)
def test_a_sign_in_never_leads_to_another_site(here: Site, elsewhere: str) -> None:
    here.person("hanh")
    assert sign_in(here.client(), "hanh", next=elsewhere).headers["Location"] == "/"


def test_wrong_login_and_wrong_password_are_told_apart_by_nothing(here: Site) -> None:
    here.person("hanh")
    here.person("gone", disabled_at=here.clock.now())
    pages = {login: sign_in(here.client(), login, "sai mật khẩu") for login in ("hanh", "nobody", "gone")}
    assert {page.status_code for page in pages.values()} == {422}
    assert all("Sai tên đăng nhập hoặc mật khẩu." in page.text for page in pages.values())


def test_an_unknown_login_costs_as_much_work_as_a_known_one(here: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    here.person("hanh")
    looked_at: list[str] = []

    def verify(kept: str, _password: str) -> bool:
        looked_at.append(kept[:9])
        return False

    monkeypatch.setattr(passwords, "verify", verify)
    for login in ("hanh", "nobody"):
        guess(here, AT_HOME, 1, login)
    assert looked_at == ["$argon2id", "$argon2id"]


def test_the_page_keeps_the_login_but_never_the_password(here: Site) -> None:
    here.person("hanh")
    page = sign_in(here.client(), "hanh", "bi-mat-cua-toi").text
    assert 'value="hanh"' in page
    assert "bi-mat-cua-toi" not in page


def test_the_database_holds_the_hash_of_a_token_and_not_the_token(here: Site) -> None:
    here.person("hanh")
    token = signin.sign_in(here.store, "hanh", PASSWORD, AT_HOME, here.clock.now())
    with here.store.reading("test") as session:
        assert session.scalars(select(t.SignIn.token_hash)).one() not in {token, ""}


def test_a_sign_in_takes_nothing_along_from_before(here: Site) -> None:
    here.person("hanh")
    client = here.client()
    with client.session_transaction() as before:
        before["planted"] = "1"
    sign_in(client, "hanh")
    with client.session_transaction() as after:
        assert "planted" not in after


def test_five_wrong_passwords_make_a_source_wait_and_the_wait_ends(here: Site) -> None:
    here.person("hanh")
    guess(here, AT_HOME, 5)
    page = sign_in(here.client(AT_HOME.address), "hanh")
    assert page.status_code == 429
    assert int(page.headers["Retry-After"]) <= 31
    assert "Hãy thử lại sau 1 phút." in page.text
    here.clock.advance(dt.timedelta(seconds=31))
    assert sign_in(here.client(AT_HOME.address), "hanh").status_code == 303


def test_the_wait_doubles_up_to_a_quarter_of_an_hour(here: Site) -> None:
    now = here.clock.now()
    waits = [ONE_SOURCE.wait(count, now, now).total_seconds() for count in (4, 5, 6, 7, 8, 9, 10, 10_000)]
    assert waits == [0, 30, 60, 120, 240, 480, 900, 900]
    assert ONE_SOURCE.wait(10_000, now, now + 25 * HOUR) == dt.timedelta()


def test_tries_while_waiting_do_not_make_the_wait_longer(here: Site) -> None:
    here.person("hanh")
    guess(here, AT_HOME, 5)
    for _ in range(20):
        with pytest.raises(TooManyTries):
            signin.sign_in(here.store, "hanh", PASSWORD, AT_HOME, here.clock.now())
    here.clock.advance(dt.timedelta(seconds=31))
    assert signin.sign_in(here.store, "hanh", PASSWORD, AT_HOME, here.clock.now())


def test_a_guesser_elsewhere_does_not_lock_the_person_out(here: Site) -> None:
    here.person("hanh")
    guess(here, ELSEWHERE, 5)
    assert sign_in(here.client(AT_HOME.address), "hanh").status_code == 303


def test_guesses_from_everywhere_slow_down_strangers_but_not_a_known_device(here: Site) -> None:
    here.person("hanh")
    phone = here.signed_in("hanh")
    post(phone, "/logout", "/password")
    for number in range(ALL_STRANGERS.free + 8):
        with pytest.raises(WrongPassword):
            signin.sign_in(here.store, "hanh", "x", Origin(f"198.51.100.{number}"), here.clock.now())
        here.clock.advance(dt.timedelta(minutes=6))
    guess(here, Origin("198.51.100.200"), 1)
    assert sign_in(here.client("198.51.100.201"), "hanh").status_code == 429
    assert sign_in(phone, "hanh").status_code == 303


def test_a_mark_of_one_login_makes_the_device_known_to_no_other(here: Site) -> None:
    here.person("hanh")
    here.person("minh")
    phone = here.signed_in("hanh")
    post(phone, "/logout", "/password")
    guess(here, AT_HOME, 5, "minh")
    assert sign_in(phone, "minh").status_code == 429


def test_a_right_password_clears_what_was_counted(here: Site) -> None:
    here.person("hanh")
    for _ in range(3):
        guess(here, AT_HOME, 4)
        signin.sign_in(here.store, "hanh", PASSWORD, AT_HOME, here.clock.now())
    with here.store.reading("test") as session:
        assert {row.source: row.count for row in session.scalars(select(t.SignInFailure))} == {
            "*": 12,
            "address:10.0.0.1": 12,
        }


def test_what_was_counted_is_forgotten_after_a_day(here: Site) -> None:
    guess(here, AT_HOME, 3)
    here.clock.advance(25 * HOUR)
    guess(here, ELSEWHERE, 1, "minh")
    with here.store.reading("test") as session:
        assert {row.login for row in session.scalars(select(t.SignInFailure))} == {"minh", "*"}


def test_counting_and_signing_in_work_on_both_databases(store: Store) -> None:
    here = site(store)
    here.person("hanh")
    guess(here, AT_HOME, 5)
    with pytest.raises(TooManyTries):
        signin.sign_in(store, "hanh", PASSWORD, AT_HOME, here.clock.now())
    token = signin.sign_in(store, "hanh", PASSWORD, ELSEWHERE, here.clock.now())
    found = signin.who(store, token, here.clock.now(), dt.date(2026, 3, 2))
    assert found is not None
    assert found.device.device == "Firefox, Linux"


def test_the_first_sign_in_leads_to_a_new_password_and_nowhere_else(here: Site) -> None:
    here.person("moi", must_change=True)
    client = here.signed_in("moi")
    assert client.get("/").headers["Location"] == "/password"
    assert "Chọn mật khẩu" in client.get("/password").text
    page = post(client, "/password", old=PASSWORD, new="mưa rừng gánh củi", again="mưa rừng gánh củi")
    assert page.status_code == 303
    assert here.signed_in("moi", "mưa rừng gánh củi")


@pytest.mark.parametrize(
    ("old", "new", "again", "said"),
    [
        ("sai", "mưa rừng gánh củi", "mưa rừng gánh củi", "Mật khẩu hiện tại không đúng."),
        (PASSWORD, "mưa rừng gánh củi", "mưa rừng", "Hai lần nhập mật khẩu mới không giống nhau."),
        (PASSWORD, PASSWORD, PASSWORD, "Hãy chọn mật khẩu khác với mật khẩu đang dùng."),
        (PASSWORD, "x" * 300, "x" * 300, "Mật khẩu có tối đa 256 ký tự."),
        (PASSWORD, "matkhau123", "matkhau123", 'href="#new"'),
    ],
)
def test_a_password_that_will_not_do_is_refused_in_words(here: Site, old: str, new: str, again: str, said: str) -> None:
    here.person("hanh")
    page = post(here.signed_in("hanh"), "/password", old=old, new=new, again=again)
    assert page.status_code == 422
    assert said in page.text
    assert here.signed_in("hanh", PASSWORD)


@pytest.mark.parametrize("new", ["Bờ Y 2026", "boy-quang-ngai", "quangngai2025"])
def test_a_password_of_ones_own_commune_or_province_is_refused(store: Store, new: str) -> None:
    here = site(store)
    village = here.appoint(here.person("hanh"), "commune_officer", "village", "Thôn Bờ Y")
    with store.writing("test") as session:
        day = dt.date(2020, 1, 1)
        commune = t.Unit(kind="commune", code="23400", name="Xã Bờ Y", search_key="xa bo y", valid_from=day)
        session.add(commune)
        session.flush()
        session.add(t.UnitLink(ancestor_id=commune.id, descendant_id=village, depth=1))
    page = post(here.signed_in("hanh"), "/password", old=PASSWORD, new=new, again=new)
    assert page.status_code == 422
    assert "ghép từ tên địa phương" in page.text


def test_the_old_password_cannot_be_guessed_from_a_stolen_session(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    pages = [post(client, "/password", old="sai", new="a", again="a").status_code for _ in range(6)]
    assert pages == [422, 422, 422, 422, 422, 429]


def test_a_new_password_signs_the_other_devices_out(here: Site) -> None:
    here.person("hanh")
    phone, office = here.signed_in("hanh"), here.signed_in("hanh")
    post(office, "/password", old=PASSWORD, new="mưa rừng gánh củi", again="mưa rừng gánh củi")
    assert office.get("/password").status_code == 200
    assert phone.get("/password").status_code == 302


def test_a_lost_phone_is_signed_out_from_the_list_of_devices(here: Site) -> None:
    here.person("hanh")
    phone, office = here.signed_in("hanh"), here.signed_in("hanh")
    assert post(office, "/password/devices/1/end", "/password").status_code == 303
    assert phone.get("/password").status_code == 302
    assert "Đã đăng xuất thiết bị." in office.get("/password").text


def state(client: FlaskClient, path: str = "/password") -> tuple[str | None, str | None]:
    """What a device that asks for a page is told: how it stands with its sign-in, and what to wipe."""
    headers = client.get(path).headers
    return headers.get("X-Session"), headers.get("Clear-Site-Data")


ENDED, OUT, IN = ("ended", '"cache", "storage"'), ("none", None), (None, None)


def test_a_device_that_was_ended_from_another_is_told_to_wipe_itself(here: Site) -> None:
    here.person("hanh")
    phone, office = here.signed_in("hanh"), here.signed_in("hanh")
    token = csrf(phone.get("/password"))
    assert (state(phone), state(office)) == (IN, IN)
    post(office, "/password/devices/1/end", "/password")
    assert state(phone) == ENDED
    sent = phone.post("/password", data={"csrf_token": token})
    assert (sent.status_code, sent.headers["X-Session"]) == (401, "ended")
    assert state(phone, "/login") == ENDED
    assert state(office) == IN


def test_a_device_whose_sign_in_ran_out_keeps_what_it_has(here: Site) -> None:
    here.person("hanh")
    phone = here.signed_in("hanh")
    here.clock.advance(dt.timedelta(days=15))
    assert state(phone) == OUT
    assert state(here.client()) == OUT


def test_a_device_that_was_signed_out_in_the_hand_is_not_wiped_twice(here: Site) -> None:
    here.person("hanh")
    phone = here.signed_in("hanh")
    kept = phone.get_cookie("session")
    post(phone, "/logout", "/password")
    assert kept is not None
    phone.set_cookie("session", kept.value)
    assert state(phone) == OUT


def test_a_new_password_asks_the_phone_to_sign_in_again_but_not_to_lose_what_it_has_not_sent(here: Site) -> None:
    here.person("hanh")
    phone, office = here.signed_in("hanh"), here.signed_in("hanh")
    post(office, "/password", old=PASSWORD, new="mưa rừng gánh củi", again="mưa rừng gánh củi")
    assert state(phone) == OUT


@pytest.mark.parametrize(
    "act",
    [
        lambda here: accounts.disable(Context(here.store, shipped()), "hanh", here.clock.now()),
        lambda here: accounts.reset_password(here.store, "hanh", here.clock.now()),
    ],
    ids=["disable", "reset_password"],
)
def test_an_administrator_who_shuts_an_account_or_resets_it_wipes_its_devices(
    here: Site, act: Callable[[Site], object]
) -> None:
    here.person("hanh")
    phone = here.signed_in("hanh")
    act(here)
    assert state(phone) == ENDED


def test_a_device_without_a_token_of_ours_is_told_nothing_of_others(here: Site) -> None:
    here.person("hanh")
    client = here.client()
    with client.session_transaction() as planted:
        planted["_user_id"] = "not-a-token"
    assert state(client) == OUT


def test_who_ended_a_sign_in_is_known_on_both_databases(store: Store) -> None:
    here = site(store)
    here.person("hanh")
    moment = here.clock.now()
    phone, office = (signin.sign_in(store, "hanh", PASSWORD, AT_HOME, moment) for _ in range(2))
    signed_in = signin.who(store, office, moment, dt.date(2026, 3, 2))
    assert signed_in is not None
    signin.end_device(store, signed_in, 1, moment)
    assert (signin.was_given_up(store, phone), signin.was_given_up(store, office)) == (True, False)
    with pytest.raises(NotFound):
        signin.end_device(store, signed_in, 1, moment)


def test_nobody_signs_out_the_device_of_another_person(here: Site) -> None:
    here.person("hanh")
    here.person("minh")
    hanh, minh = here.signed_in("hanh"), here.signed_in("minh")
    assert post(minh, "/password/devices/1/end", "/password").status_code == 404
    assert hanh.get("/password").status_code == 200


def test_signing_out_ends_the_token_itself(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    stolen = client.get_cookie("session")
    gone = post(client, "/logout", "/password")
    assert gone.headers["Clear-Site-Data"] == '"cache", "storage"'
    assert stolen is not None
    client.set_cookie("session", stolen.value)
    assert client.get("/password").status_code == 302


def test_signing_in_over_somebody_elses_session_ends_it(here: Site) -> None:
    here.person("hanh")
    here.person("minh")
    client = here.signed_in("hanh")
    token = csrf(client.get("/password"))
    client.post("/login", data={"csrf_token": token, "login": "minh", "password": PASSWORD})
    with here.store.reading("test") as session:
        assert [row.revoked_at is not None for row in session.scalars(select(t.SignIn).order_by(t.SignIn.id))] == [
            True,
            False,
        ]


def test_a_device_that_was_not_used_for_two_weeks_signs_in_again(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    here.clock.advance(dt.timedelta(days=13))
    assert client.get("/password").status_code == 200
    here.clock.advance(dt.timedelta(days=13))
    assert client.get("/password").status_code == 200
    here.clock.advance(dt.timedelta(days=15))
    assert client.get("/password").status_code == 302


def test_a_disabled_person_is_out_at_once(here: Site) -> None:
    person = here.person("hanh")
    client = here.signed_in("hanh")
    with here.store.writing("test") as session:
        found = session.get(t.Person, person)
        assert found is not None
        found.disabled_at = here.clock.now()
    assert client.get("/password").status_code == 302


def test_the_last_use_is_kept_to_the_minute_only(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")

    def seen() -> dt.datetime:
        client.get("/password")
        with here.store.reading("test") as session:
            return session.scalars(select(t.SignIn.seen_at)).one()

    first = here.clock.now()
    here.clock.advance(dt.timedelta(seconds=59))
    assert seen() == first
    here.clock.advance(dt.timedelta(seconds=2))
    assert seen() == here.clock.now()


def test_a_form_sent_without_a_sign_in_says_how_not_to_lose_it(here: Site) -> None:
    client = here.client()
    page = client.post("/password", data={"csrf_token": csrf(client.get("/login"))})
    assert page.status_code == 401
    assert "sao chép" in page.text


def test_session_cookies_are_out_of_reach_of_scripts_and_other_sites(here: Site) -> None:
    here.person("hanh")
    client = here.client()
    token = csrf(client.get("/login"))
    cookies = client.post("/login", data={"csrf_token": token, "login": "hanh", "password": PASSWORD}).headers.getlist(
        "Set-Cookie"
    )
    assert len(cookies) == 2
    assert all("HttpOnly" in cookie and "SameSite=Lax" in cookie and "Secure" not in cookie for cookie in cookies)


def test_session_cookies_keep_to_https_where_the_page_came_that_way(here: Site) -> None:
    page = here.client().get("/login", base_url="https://ralop.example")
    assert "Secure" in page.headers["Set-Cookie"]


# What anybody may ask for; each new one is looked at before it is named here. metrics.metrics asks for a token itself.
PUBLIC = {
    "static",
    "signin.sign_in",
    "signin.sign_out",
    "languages.choose",
    "health.healthz",
    "offline.worker",
    "offline.left",
    "metrics.metrics",
    "help.index",
    "passkeys.ask",
    "passkeys.sign_in",
    "codes.sign_in",
}


def test_every_page_but_the_public_ones_asks_for_a_sign_in(here: Site) -> None:
    views = here.app.view_functions.items()
    assert {name for name, view in views if getattr(view, "is_public", False)} <= PUBLIC
    plain = [rule for rule in here.app.url_map.iter_rules() if not rule.arguments and "GET" in (rule.methods or ())]
    answers = {rule.endpoint: here.client().get(rule.rule) for rule in plain if rule.endpoint not in PUBLIC}
    assert {"signin.home", "signin.password"} <= answers.keys()
    assert {name for name, page in answers.items() if page.status_code == 401} == {"offline.me", "offline.kept"}
    seen = [page for page in answers.values() if page.status_code != 401]
    assert {page.headers.get("Location", "")[:12] for page in seen} == {"/login?next="}
