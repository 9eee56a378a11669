"""Proving again who one is before a list is taken away: who is asked, how, and where it leads back to."""

import datetime as dt
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from engine.store import tables as t
from engine.store.session import Store, open_store
from engine.usecases.people import signin_codes
from engine.usecases.people.signin_settings import SignInSettings
from tests.pages import PASSWORD, Site, csrf, post, site

MINUTE = dt.timedelta(minutes=1)
LIST = "/cases.xlsx?q=%C4%91%E1%BA%AFk"


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Site]:
    store = open_store(sqlite_url)
    yield site(store)
    store.close()


def test_a_list_is_taken_away_at_once_by_who_has_just_signed_in(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    here.clock.advance(10 * MINUTE)
    assert client.get(LIST).status_code == 200


def test_after_ten_minutes_the_password_is_asked_for_and_the_list_comes_by_itself(store: Store) -> None:
    here = site(store)
    here.person("hanh")
    client = here.signed_in("hanh")
    here.clock.advance(11 * MINUTE)
    sent = client.get(LIST, headers={"Referer": "http://localhost/cases?q=%C4%91%E1%BA%AFk"})
    assert sent.status_code == 303
    page = client.get(sent.headers["Location"])
    assert "Có đúng vẫn là bạn?" in page.text
    fields = {"next": LIST, "back": "/cases?q=%C4%91%E1%BA%AFk"}
    assert all(f'name="{name}" value="{value}"' in page.text for name, value in fields.items())
    done = client.post("/prove", data={"csrf_token": csrf(page), "proof_password": PASSWORD, **fields})
    assert done.status_code == 303
    assert done.headers["Location"] == "/cases?q=%C4%91%E1%BA%AFk"
    back = client.get(done.headers["Location"])
    assert back.headers["Refresh"] == f"0; url={LIST}"
    assert "Tệp sẽ tự tải về" in back.text
    assert client.get(LIST).status_code == 200
    assert "Refresh" not in client.get("/cases").headers


def test_nothing_is_noted_as_taken_away_before_the_proof(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    here.clock.advance(11 * MINUTE)
    assert client.get("/cases.csv").status_code == 303
    with here.store.reading("test") as session:
        assert session.scalars(select(t.AccessLog)).all() == []


def test_how_long_a_proof_lasts_is_a_setting(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    here = site(store, sign_in=SignInSettings(proof_lasts=2 * MINUTE))
    here.person("hanh")
    client = here.signed_in("hanh")
    here.clock.advance(3 * MINUTE)
    assert client.get("/cases.csv").status_code == 303
    store.close()


def test_a_wrong_password_leads_nowhere_keeps_the_way_and_is_counted(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    here.clock.advance(11 * MINUTE)
    page = post(client, "/prove", proof_password="sai", next="/cases.csv", back="/cases")
    assert page.status_code == 422
    assert "Mật khẩu hiện tại không đúng." in page.text
    assert 'name="next" value="/cases.csv"' in page.text
    assert client.get("/cases.csv").status_code == 303
    assert [post(client, "/prove", proof_password="sai").status_code for _ in range(5)] == [422] * 4 + [429]
    assert post(client, "/prove", proof_password=PASSWORD).status_code == 429
    here.clock.advance(MINUTE)
    assert post(client, "/prove", proof_password=PASSWORD).status_code == 303
    assert client.get("/cases.csv").status_code == 200


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_a_proof_never_leads_to_another_site(here: Site, elsewhere: str) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    page = client.get("/prove", query_string={"next": elsewhere, "back": elsewhere}).text
    assert f'href="{elsewhere}"' not in page
    assert post(client, "/prove", proof_password=PASSWORD, next=elsewhere, back=elsewhere).headers["Location"] == "/"
    here.clock.advance(11 * MINUTE)
    sent = client.get("/cases.csv", headers={"Referer": elsewhere}).headers["Location"]
    assert "evil" not in sent


def test_who_came_with_a_code_proves_it_with_a_fresh_one_or_with_the_password(here: Site) -> None:
    here.person("hanh")
    codes_of_hanh = [signin_codes.make(here.store, "hanh", None, 72 * 60 * MINUTE, here.clock.now()).code]
    client = here.client()
    post(client, "/login/code", login="hanh", code=codes_of_hanh[0])
    here.clock.advance(11 * MINUTE)
    assert "Hoặc mã dùng một lần mới" in client.get("/prove").text
    assert post(client, "/prove", proof_code=codes_of_hanh[0]).status_code == 422
    fresh = signin_codes.make(here.store, "hanh", None, 72 * 60 * MINUTE, here.clock.now()).code
    assert post(client, "/prove", proof_code=fresh, next="/notices").headers["Location"] == "/notices"
    assert client.get("/cases.csv").status_code == 200
    here.clock.advance(11 * MINUTE)
    assert post(client, "/prove", proof_code=fresh).status_code == 422
    assert post(client, "/prove", proof_password=PASSWORD).status_code == 303


def test_who_came_with_a_password_is_not_asked_for_a_code(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    code = signin_codes.make(here.store, "hanh", None, 72 * 60 * MINUTE, here.clock.now()).code
    assert 'name="proof_code"' not in client.get("/prove").text
    assert post(client, "/prove", proof_code=code).status_code == 422


def test_a_code_of_somebody_else_proves_nothing(here: Site) -> None:
    for login in ("hanh", "minh"):
        here.person(login)
    own, other = (
        signin_codes.make(here.store, login, None, 60 * MINUTE, here.clock.now()).code for login in ("hanh", "minh")
    )
    client = here.client()
    post(client, "/login/code", login="hanh", code=own)
    here.clock.advance(11 * MINUTE)
    assert post(client, "/prove", proof_code=other).status_code == 422


def test_a_proof_on_one_device_is_none_on_another(here: Site) -> None:
    here.person("hanh")
    phone, office = here.signed_in("hanh"), here.signed_in("hanh")
    here.clock.advance(11 * MINUTE)
    post(office, "/prove", proof_password=PASSWORD)
    assert office.get("/cases.csv").status_code == 200
    assert phone.get("/cases.csv").status_code == 303


def test_a_file_is_fetched_by_the_next_page_only_and_by_no_script(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    post(client, "/prove", proof_password=PASSWORD, next="/cases.csv", back="/cases")
    assert "Refresh" not in client.get("/static/x/app.css").headers
    assert client.get("/cases").headers["Refresh"] == "0; url=/cases.csv"


def test_a_form_that_was_sent_is_not_lost_but_sent_again_with_the_proof(store: Store) -> None:
    here = site(store)
    here.appoint(here.person("quantri"), "admin", "root", "vn")
    here.person("hanh")
    client = here.signed_in("quantri")
    here.clock.advance(11 * MINUTE)
    asked = post(client, "/admin/codes", "/password", login="hanh")
    assert asked.status_code == 403
    assert 'action="/admin/codes"' in asked.text
    assert 'name="login" value="hanh"' in asked.text
    token = csrf(asked)
    wrong = client.post("/admin/codes", data={"csrf_token": token, "login": "hanh", "proof_password": "sai"})
    assert wrong.status_code == 422
    assert 'name="login" value="hanh"' in wrong.text
    assert "sai" not in wrong.text.split("proof_password")[1][:60]
    done = client.post("/admin/codes", data={"csrf_token": token, "login": "hanh", "proof_password": PASSWORD})
    assert done.status_code == 200
    assert "Y Hạnh" in done.text


def test_a_proof_that_comes_along_is_counted_like_any_other(here: Site) -> None:
    here.person("hanh")
    client = here.signed_in("hanh")
    here.clock.advance(11 * MINUTE)
    tries = [post(client, "/password/passkeys/1/remove", "/password", proof_password="x") for _ in range(6)]
    assert [page.status_code for page in tries] == [422] * 5 + [429]
