"""Passkeys: one is made, signs in and proves who holds it; and everything that is not quite one is refused."""

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as some
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine.store import tables as t
from engine.store.session import Store, open_store
from engine.usecases.context import Context
from engine.usecases.people import accounts, passkeys
from engine.usecases.people.passkeys import ANSWERED_WITHIN, PasskeyRefused
from engine.usecases.people.signin_settings import Party, SignInSettings
from tests.authenticator import Authenticator
from tests.pages import Site, post, shipped, site

WE = SignInSettings(origin="https://ralop.example", rp_id="ralop.example")
MINUTE = dt.timedelta(minutes=1)


def open_site(store: Store) -> Site:
    here = site(store, sign_in=WE)
    here.person("hanh")
    here.person("minh", "A Minh")
    return here


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Site]:
    store = open_store(sqlite_url)
    yield open_site(store)
    store.close()


def ask(client: FlaskClient, address: str, page: str) -> dict[str, Any]:
    """What the browser is told to ask of a key."""
    answer = post(client, address, page)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = json.loads(answer.text)
    return found


def make(client: FlaskClient, device: Authenticator, name: str = "Điện thoại xanh") -> TestResponse:
    """Make a key on a device, as the page does."""
    page = "/password/passkeys/new"
    options = ask(client, "/password/passkeys/ask", page)
    return post(client, "/password/passkeys", page, answer=device.create(options), name=name)


def with_key(here: Site, login: str = "hanh", **device: Any) -> Authenticator:
    """A device that holds a key of somebody's."""
    made = Authenticator(**device)
    assert make(here.signed_in(login), made).status_code == 303
    return made


def sign_in(client: FlaskClient, device: Authenticator, **more: str) -> TestResponse:
    """Sign in with a key, as the page does."""
    options = ask(client, "/login/passkey/ask", "/login")
    return post(client, "/login/passkey", "/login", answer=device.get(options), **more)


def is_in(client: FlaskClient) -> bool:
    return client.get("/password").status_code == 200


def test_a_passkey_is_made_and_signs_in_without_a_login_or_a_password(store: Store) -> None:
    here = open_site(store)
    phone = with_key(here)
    client = here.client()
    assert sign_in(client, phone, next="/notices").headers["Location"] == "/notices"
    page = client.get("/password").text
    assert "Y Hạnh" in page
    assert "Điện thoại xanh" in page
    assert "bằng khóa truy cập" in page
    assert sign_in(here.client(), phone).status_code == 303


def test_whose_key_it_is_hears_of_it_when_one_is_added_and_when_it_is_removed(store: Store) -> None:
    here = open_site(store)
    here.appoint(here.person("quantri", "Quản trị"), "admin", "root", "vn")
    client = here.signed_in("hanh")
    assert make(client, Authenticator()).status_code == 303
    assert post(client, "/password/passkeys/1/remove", "/password").status_code == 303
    with store.reading("test") as session:
        told = session.execute(
            select(t.Person.login, t.Notice.kind, t.Notice.urgent).join(t.Person, t.Person.id == t.Notice.person_id)
        ).all()
        acts = session.execute(select(t.StaffAct.kind, t.StaffAct.by_id, t.StaffAct.person_id)).all()
    assert sorted(map(tuple, told)) == [
        ("hanh", "passkey_added", True),
        ("hanh", "passkey_removed", False),
        ("quantri", "beside:passkey_added", False),
        ("quantri", "beside:passkey_removed", False),
    ]
    assert [tuple(act) for act in acts] == [("passkey_added", 1, 1), ("passkey_removed", 1, 1)]
    page = client.get("/notices").text
    assert "Tài khoản của anh/chị có thêm khóa truy cập" in page


def test_the_browser_asks_for_any_key_of_this_site_and_names_nobody(here: Site) -> None:
    options = ask(here.client(), "/login/passkey/ask", "/login")
    assert (options["rpId"], options["userVerification"], options["allowCredentials"]) == (
        "ralop.example",
        "preferred",
        [],
    )


def test_a_new_key_is_asked_to_be_found_without_a_name_and_known_keys_are_left_out(here: Site) -> None:
    client, phone = here.signed_in("hanh"), Authenticator()
    make(client, phone)
    options = ask(client, "/password/passkeys/ask", "/password/passkeys/new")
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["user"]["id"] == phone.handle
    assert len(options["excludeCredentials"]) == 1
    other = ask(here.signed_in("minh"), "/password/passkeys/ask", "/password/passkeys/new")
    assert other["user"]["id"] != phone.handle
    assert other["excludeCredentials"] == []


@pytest.mark.parametrize(
    "origin",
    ["https://ralop.example.evil", "http://ralop.example", "https://www.ralop.example", "https://rаlop.example"],
)
def test_a_key_that_signed_on_a_false_page_opens_nothing(here: Site, origin: str) -> None:
    phone = with_key(here)
    phone.origin = origin
    client = here.client()
    page = sign_in(client, phone)
    assert page.status_code == 422
    assert "Khóa truy cập này không được chấp nhận." in page.text
    assert not is_in(client)


def test_a_key_made_on_a_false_page_or_for_another_site_is_not_kept(here: Site) -> None:
    client = here.signed_in("hanh")
    assert make(client, Authenticator(origin="https://evil.example")).status_code == 422
    assert make(client, Authenticator(rp_id="evil.example")).status_code == 422
    with here.store.reading("test") as session:
        assert session.scalars(select(t.Passkey)).all() == []


def test_an_answer_opens_once_even_for_who_has_the_cookie_of_before(store: Store) -> None:
    here = open_site(store)
    phone, client = with_key(here), here.client()
    options = ask(client, "/login/passkey/ask", "/login")
    cookie, answer = client.get_cookie("session"), phone.get(options)
    assert cookie is not None
    assert post(client, "/login/passkey", "/login", answer=answer).status_code == 303
    thief = here.client()
    thief.set_cookie("session", cookie.value)
    assert post(thief, "/login/passkey", "/login", answer=answer).status_code == 422
    assert not is_in(thief)


def test_an_answer_in_another_browser_than_was_asked_opens_nothing(here: Site) -> None:
    phone, client, other = with_key(here), here.client(), here.client()
    answer = phone.get(ask(client, "/login/passkey/ask", "/login"))
    ask(other, "/login/passkey/ask", "/login")
    assert post(other, "/login/passkey", "/login", answer=answer).status_code == 422
    assert post(here.client(), "/login/passkey", "/login", answer=answer).status_code == 422


def test_a_question_that_is_five_minutes_old_is_not_answered_any_more(here: Site) -> None:
    phone, client = with_key(here), here.client()
    options = ask(client, "/login/passkey/ask", "/login")
    here.clock.advance(ANSWERED_WITHIN)
    assert post(client, "/login/passkey", "/login", answer=phone.get(options)).status_code == 422
    ask(client, "/login/passkey/ask", "/login")
    with here.store.reading("test") as session:
        assert len(session.scalars(select(t.PasskeyChallenge)).all()) == 1  # what ran out is dropped


def test_a_question_for_one_thing_is_no_question_for_another(here: Site) -> None:
    client, phone = here.signed_in("hanh"), Authenticator()
    make(client, phone)
    options = ask(client, "/prove/passkey/ask", "/prove")
    assert post(client, "/login/passkey", "/password", answer=phone.get(options)).status_code == 422
    options = ask(client, "/login/passkey/ask", "/password")
    assert post(client, "/prove", proof_answer=phone.get(options)).status_code == 422


def test_a_removed_key_opens_nothing_and_only_its_owner_removes_it(here: Site) -> None:
    phone, owner = with_key(here), here.signed_in("hanh")
    assert post(here.signed_in("minh"), "/password/passkeys/1/remove", "/password").status_code == 404
    assert sign_in(here.client(), phone).status_code == 303
    assert post(owner, "/password/passkeys/1/remove", "/password").status_code == 303
    assert sign_in(here.client(), phone).status_code == 422
    assert "Đã xóa khóa truy cập" in owner.get("/password").text
    with here.store.reading("test") as session:
        log = session.execute(select(t.AccessLog.person_id, t.AccessLog.what).order_by(t.AccessLog.id)).all()
        assert [tuple(row) for row in log] == [(1, "passkey added"), (1, "passkey removed")]


def test_the_key_of_a_disabled_person_opens_nothing(here: Site) -> None:
    phone = with_key(here)
    accounts.disable(Context(here.store, shipped()), "hanh", here.clock.now())
    assert sign_in(here.client(), phone).status_code == 422


def test_a_key_of_somebody_else_proves_nothing(here: Site) -> None:
    hers, his = with_key(here), with_key(here, "minh")
    client = here.signed_in("hanh")
    here.clock.advance(11 * MINUTE)
    options = ask(client, "/prove/passkey/ask", "/prove")
    assert post(client, "/prove", proof_answer=his.get(options), next="/admin").status_code == 422
    assert client.get("/password/passkeys/new").status_code == 303
    options = ask(client, "/prove/passkey/ask", "/prove")
    done = post(client, "/prove", proof_answer=hers.get(options), next="/password/passkeys/new")
    assert done.headers["Location"] == "/password/passkeys/new"
    assert client.get("/password/passkeys/new").status_code == 200


def test_a_key_that_calls_itself_somebody_elses_is_refused(here: Site) -> None:
    hers, his = with_key(here), with_key(here, "minh")
    his.handle = hers.handle
    assert sign_in(here.client(), his).status_code == 422
    his.handle = None
    assert sign_in(here.client(), his).status_code == 422


def test_the_name_of_a_key_with_the_signature_of_another_is_refused(here: Site) -> None:
    hers, his = with_key(here), with_key(here, "minh")
    his.credential, his.handle = hers.credential, hers.handle
    assert sign_in(here.client(), his).status_code == 422


def test_a_copied_key_is_found_out_by_its_count(here: Site) -> None:
    phone = with_key(here)
    assert sign_in(here.client(), phone).status_code == 303
    copy = Authenticator(key=phone.key, credential=phone.credential, handle=phone.handle)  # it has counted nothing yet
    assert sign_in(here.client(), copy).status_code == 422
    assert sign_in(here.client(), phone).status_code == 303


def test_a_device_that_counts_nothing_is_taken(here: Site) -> None:
    phone = with_key(here)
    for _ in range(2):
        phone.count = -1
        assert sign_in(here.client(), phone).status_code == 303


def test_a_key_that_is_known_is_not_taken_for_somebody_else_as_well(here: Site) -> None:
    phone = with_key(here)
    assert make(here.signed_in("minh"), phone).status_code == 422


@pytest.mark.parametrize("name", ["", "   ", "x" * 61])
def test_a_key_needs_a_name_to_be_known_by(here: Site, name: str) -> None:
    page = make(here.signed_in("hanh"), Authenticator(), name)
    assert page.status_code == 422
    assert "Hãy đặt tên cho thiết bị, tối đa 60 ký tự." in page.text


def test_a_new_key_is_made_only_by_who_has_just_shown_who_they_are(here: Site) -> None:
    client = here.signed_in("hanh")
    here.clock.advance(11 * MINUTE)
    asked = client.get("/password/passkeys/new")
    assert asked.headers["Location"] == "/prove?next=/password/passkeys/new"
    for address in ("/password/passkeys/ask", "/password/passkeys", "/password/passkeys/1/remove"):
        assert post(client, address, "/password").status_code == 403


def test_after_a_passkey_the_password_may_be_chosen_anew_without_the_old_one(here: Site) -> None:
    phone, client = with_key(here), here.client()
    sign_in(client, phone)
    new = {"new": "mưa rừng gánh củi", "again": "mưa rừng gánh củi"}
    here.clock.advance(11 * MINUTE)
    assert post(client, "/password", **new).status_code == 422
    assert sign_in(here.client(), phone).status_code == 303
    fresh = here.client()
    sign_in(fresh, phone)
    assert post(fresh, "/password", **new).status_code == 303
    assert here.signed_in("hanh", "mưa rừng gánh củi")


def test_without_https_nobody_is_offered_a_passkey(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    here = site(store)
    here.person("hanh")
    client = here.signed_in("hanh")
    assert "passkeys.js" not in here.client().get("/login").text
    assert "/password/passkeys/new" not in client.get("/password").text
    assert client.get("/password/passkeys/new").status_code == 404
    assert post(here.client(), "/login/passkey/ask", "/login").status_code == 404
    store.close()


def test_the_sign_in_page_offers_a_passkey_only_by_script(here: Site) -> None:
    page = here.client().get("/login").text
    assert "passkeys.js" in page
    assert page.split('id="passkey"')[1].split(">")[0].endswith(" hidden")


WRONG: list[Any] = [
    "",
    "{}",
    "[]",
    "null",
    "{",
    '"x"',
    "1",
    '{"response": {}}',
    '{"id": "x", "response": {}}',
    "x" * 30_000,
    '{"id": {"a": 1}, "rawId": [], "response": {"clientDataJSON": 5, "authenticatorData": [], "signature": {}}}',
]


@pytest.mark.parametrize("answer", WRONG)
def test_an_answer_that_is_none_is_refused_in_words(here: Site, answer: str) -> None:
    client = here.client()
    ask(client, "/login/passkey/ask", "/login")
    assert post(client, "/login/passkey", "/login", answer=answer).status_code == 422
    inside = here.signed_in("hanh")
    ask(inside, "/password/passkeys/ask", "/password/passkeys/new")
    page = post(inside, "/password/passkeys", "/password/passkeys/new", answer=answer, name="x")
    assert page.status_code == 422


@pytest.fixture(scope="module")
def lone(sqlite_template: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, Authenticator]]:
    from tests.databases import copy_sqlite

    store = open_store(copy_sqlite(sqlite_template, tmp_path_factory.mktemp("passkeys") / "ralop.db"))
    yield store, with_key(open_site(store))
    store.close()


@given(some.data())
def test_a_right_answer_with_anything_in_it_changed_is_refused(lone: tuple[Store, Authenticator], data: Any) -> None:
    store, phone = lone
    now = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
    party = Party(WE.origin, WE.rp_id)
    asked = passkeys.ask_whoever(store, party, now)
    answer = json.loads(phone.get(json.loads(asked.options)))
    place = data.draw(some.sampled_from(["clientDataJSON", "authenticatorData", "signature", "userHandle", "id"]))
    values = some.one_of(some.text("ABCabc012_-", max_size=120), some.none(), some.integers(), some.lists(some.text()))
    changed = data.draw(values)
    (answer if place == "id" else answer["response"])[place] = changed
    with pytest.raises(PasskeyRefused):
        passkeys.sign_in(store, party, json.dumps(answer), asked.challenge, "", now)
