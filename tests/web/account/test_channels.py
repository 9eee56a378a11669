"""How I am told, as a page: what is kept, what is refused and loses nothing typed, what only the operator sees."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from sqlalchemy import select, update

from engine.channels import Channel, Message, NotSent, Send
from engine.channels.email import EmailChannel
from engine.channels.outbox import Outbox
from engine.channels.push import PushChannel, kept_key
from engine.core.notices.planning import ChosenChannel
from engine.core.words import Label
from engine.jobs.deliver import deliver
from engine.store import tables as t
from engine.store.notices import deliveries
from engine.store.session import open_store
from engine.usecases.context import Context
from tests.mailbox import Mailbox, serving
from tests.pages import PASSWORD, Site, csrf, post, site
from web.site.request_context import EXTENSION

ENDPOINT = "https://fcm.googleapis.com/fcm/send/abc"
KEYS = {"p256dh": "B" * 87, "auth": "A" * 22}


class Zalo:
    """A service that takes or refuses, as it is told."""

    name, label, ask = "zalo", Label("Zalo", "Zalo"), Label("Mã trò chuyện", "Chat id")

    def __init__(self) -> None:
        self.taken: list[tuple[str, str]] = []
        self.broken = False

    @contextmanager
    def connect(self) -> Iterator[Send]:
        def send(address: str, message: Message) -> None:
            if self.broken:
                raise NotSent("the service refused it: HTTP 401", final=True)
            self.taken.append((address, message.subject))

        yield send


@pytest.fixture
def zalo() -> Zalo:
    return Zalo()


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with serving(Mailbox()) as mailbox:
        yield mailbox


@pytest.fixture
def here(sqlite_url: str, zalo: Zalo, mailbox: Mailbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    store = open_store(sqlite_url)
    made = site(store)
    push = PushChannel(kept_key(tmp_path_factory.mktemp("keys")), "mailto:it@example.vn")
    shell = made.app.extensions[EXTENSION]
    channels: dict[str, Channel] = {"email": EmailChannel(mailbox.settings), "push": push, "zalo": zalo}
    shell.context = replace(shell.context, outbox=Outbox("https://ralop.example.vn", channels))
    made.person("hanh", email="hanh@example.vn")
    yield made
    store.close()


def context(here: Site) -> Context:
    found: Context = here.app.extensions[EXTENSION].context
    return found


def chosen(here: Site) -> list[ChosenChannel]:
    with here.store.reading("test") as session:
        rows = session.scalars(select(t.ChannelChoice).order_by(t.ChannelChoice.channel))
        return [ChosenChannel(row.channel, row.enabled, row.digest, row.address or "") for row in rows]


WISHES = {
    "email_way": "digest",
    "email_address": "",
    "push_way": "off",
    "zalo_way": "at_once",
    "zalo_address": "6ede9afa",
    "quiet_from": "21h30",
    "quiet_to": "5 giờ",
    "digest_at": "6:45",
}


def test_what_i_choose_is_kept_and_shown_again(here: Site) -> None:
    client = here.signed_in("hanh")
    assert post(client, "/me/notices", **WISHES).status_code == 303
    assert chosen(here) == [
        ChosenChannel("email", enabled=True, digest=True),
        ChosenChannel("push", enabled=False, digest=False),
        ChosenChannel("zalo", enabled=True, digest=False, address="6ede9afa"),
    ]
    page = client.get("/me/notices").text
    for shown in ('value="21:30"', 'value="05:00"', 'value="06:45"', 'value="6ede9afa"', "hanh@example.vn"):
        assert shown in page
    assert "Đã lưu lựa chọn của anh/chị." in page


def test_another_address_wants_a_proof_and_other_hours_do_not(here: Site) -> None:
    """Whoever finds a device open must not lead away what tells its owner of the next change."""
    client = here.signed_in("hanh")
    assert post(client, "/me/notices", **WISHES).status_code == 303
    here.clock.advance(dt.timedelta(minutes=11))
    assert post(client, "/me/notices", **{**WISHES, "digest_at": "7:15"}).status_code == 303
    away = {**WISHES, "zalo_address": "ffffffff"}
    before = chosen(here)
    asked = post(client, "/me/notices", **away)
    assert (asked.status_code, "Có đúng vẫn là bạn?" in asked.text) == (403, True)
    assert chosen(here) == before
    assert post(client, "/me/notices", **away, proof_password=PASSWORD).status_code == 303
    assert "ffffffff" in [choice.address for choice in chosen(here)]


def test_who_never_chose_sees_the_digest_by_email_chosen(here: Site) -> None:
    page = here.signed_in("hanh").get("/me/notices").text
    assert 'name="email_way" type="radio" value="digest" checked' in page
    assert 'name="zalo_way" type="radio" value="off" checked' in page


def test_everything_that_is_wrong_is_said_at_once_and_nothing_typed_is_lost(here: Site) -> None:
    client = here.signed_in("hanh")
    wrong = {"email_address": "hanh at example", "zalo_address": "", "quiet_from": "25:00", "digest_at": "sáng"}
    answer = post(client, "/me/notices", **{**WISHES, **wrong})
    assert answer.status_code == 422
    assert answer.text.count("Ghi giờ trong ngày, ví dụ 06:30.") == 4  # in the summary and at the field, twice
    assert "Địa chỉ không đúng" in answer.text
    assert "Thiếu thông tin này" in answer.text
    for kept in ('value="25:00"', 'value="sáng"', 'value="hanh at example"'):
        assert kept in answer.text
    assert chosen(here) == []


@pytest.mark.parametrize("address", ["a@b", "a@b.vn,c@d.vn", "<a@b.vn>", "@b.vn", "a\u2028@b.vn", "a" * 201])
def test_an_address_that_is_none_is_not_kept(here: Site, address: str) -> None:
    answer = post(here.signed_in("hanh"), "/me/notices", **{**WISHES, "email_address": address})
    assert answer.status_code == 422


def test_a_forged_way_is_refused(here: Site) -> None:
    assert post(here.signed_in("hanh"), "/me/notices", **{**WISHES, "email_way": "loudly"}).status_code == 422


def test_a_test_message_arrives_and_the_page_says_so(here: Site, zalo: Zalo, mailbox: Mailbox) -> None:
    client = here.signed_in("hanh")
    post(client, "/me/notices", **WISHES)
    page = post(client, "/me/notices/trial", "/me/notices").headers["Location"]
    assert "chờ gửi" in client.get(page).text
    deliver(context(here), here.clock.now())
    assert zalo.taken == [("6ede9afa", "[Ra Lớp] Tin thử")]
    assert [str(mail["To"]) for mail in mailbox.mails] == ["hanh@example.vn"]
    assert client.get(page).text.count("đã gửi") == 2


def test_a_test_message_to_nowhere_says_that_nothing_was_sent(here: Site) -> None:
    client = here.signed_in("hanh")
    post(client, "/me/notices", **{**WISHES, "email_way": "off", "zalo_way": "off"})
    post(client, "/me/notices/trial", "/me/notices")
    assert "Chưa gửi tin nào" in client.get("/me/notices").text


# --- push -------------------------------------------------------------------------------------------------------------


def browsers(here: Site) -> list[tuple[int, str]]:
    with here.store.reading("test") as session:
        query = select(t.PushSubscription.person_id, t.PushSubscription.endpoint)
        return [(person, endpoint) for person, endpoint in session.execute(query)]


def test_a_browser_that_says_yes_takes_messages_until_it_says_no(here: Site) -> None:
    client = here.signed_in("hanh")
    assert post(client, "/me/notices/browsers", "/me/notices", endpoint=ENDPOINT, **KEYS).status_code == 204
    assert [endpoint for _, endpoint in browsers(here)] == [ENDPOINT]
    assert chosen(here) == [ChosenChannel("push", enabled=True, digest=False)]
    assert "1 trình duyệt đang nhận tin" in client.get("/me/notices").text
    assert post(client, "/me/notices/browsers/forget", "/me/notices", endpoint=ENDPOINT).status_code == 204
    assert browsers(here) == []


def test_a_shared_browser_serves_who_said_yes_last_and_nobody_can_silence_anothers(here: Site) -> None:
    other = here.person("lan")
    first, second = here.signed_in("hanh"), here.signed_in("lan")
    for client in (first, second):
        post(client, "/me/notices/browsers", "/me/notices", endpoint=ENDPOINT, **KEYS)
    assert browsers(here) == [(other, ENDPOINT)]
    post(first, "/me/notices/browsers/forget", "/me/notices", endpoint=ENDPOINT)
    assert browsers(here) == [(other, ENDPOINT)]


@pytest.mark.parametrize(
    "endpoint", ["http://127.0.0.1:8080/", "https://169.254.169.254/latest", "https://evil.example/", "", "x" * 1001]
)
def test_the_server_is_never_made_to_call_another_address(here: Site, endpoint: str) -> None:
    answer = post(here.signed_in("hanh"), "/me/notices/browsers", "/me/notices", endpoint=endpoint, **KEYS)
    assert (answer.status_code, browsers(here)) == (422, [])


# --- the operator -----------------------------------------------------------------------------------------------------


def dead_letter(here: Site, zalo: Zalo) -> None:
    client = here.signed_in("hanh")
    post(client, "/me/notices", **{**WISHES, "email_way": "off"})
    post(client, "/me/notices/trial", "/me/notices")
    zalo.broken = True
    deliver(context(here), here.clock.now())


def administrator(here: Site) -> None:
    here.appoint(here.person("boss", "Quản trị"), "admin", "root", "root")


def test_the_operator_sees_dead_letters_with_their_reason_and_has_them_tried_again(here: Site, zalo: Zalo) -> None:
    administrator(here)
    dead_letter(here, zalo)
    client = here.signed_in("boss")
    page = client.get("/admin/deliveries?state=dead").text
    assert "Y Hạnh" in page
    assert "the service refused it: HTTP 401" in page
    assert "không gửi được (1)" in page
    zalo.broken = False
    assert post(client, "/admin/deliveries/retry", "/admin/deliveries", all="1").status_code == 303
    assert "1 tin sẽ được gửi lại." in client.get("/admin/deliveries").text
    deliver(context(here), here.clock.now())
    assert len(zalo.taken) == 1


def test_one_dead_letter_can_be_tried_again_and_a_forged_number_harms_nothing(here: Site, zalo: Zalo) -> None:
    administrator(here)
    dead_letter(here, zalo)
    client = here.signed_in("boss")
    for forged in ("999", "-1", "x", ""):
        post(client, "/admin/deliveries/retry", "/admin/deliveries", delivery=forged)
        assert "đã gửi" not in client.get("/admin/deliveries?state=dead").text.split("<table", 1)[1]
    with here.store.reading("test") as session:
        (dead,) = deliveries.log_of(session, state="dead")
    post(client, "/admin/deliveries/retry", "/admin/deliveries", delivery=str(dead.id))
    assert "<table" not in client.get("/admin/deliveries?state=dead").text


@pytest.mark.parametrize("role", ["teacher", "commune_leader", "education_office"])
def test_nobody_but_the_administrator_sees_the_log(here: Site, role: str) -> None:
    here.appoint(here.person("lan"), role, "commune", "x")
    client = here.signed_in("lan")
    assert client.get("/admin/deliveries").status_code == 403
    token = csrf(client.get("/me/notices"))
    assert client.post("/admin/deliveries/retry", data={"all": "1", "csrf_token": token}).status_code == 403


def test_the_log_goes_on_where_a_page_ended(here: Site) -> None:
    administrator(here)
    with here.store.writing("test") as session:
        person = session.scalars(select(t.Person.id)).first()
        now = here.clock.now()
        for number in range(120):
            session.add(
                t.Delivery(
                    key=f"x{number}",
                    person_id=person,
                    channel="zalo",
                    kind="notice",
                    urgent=False,
                    state="sent",
                    attempts=1,
                    made_at=now,
                    next_try_at=now,
                    sent_at=now - dt.timedelta(minutes=number),
                )
            )
    client, address, seen = here.signed_in("boss"), "/admin/deliveries", 0
    for _ in range(3):
        page = client.get(address).text
        seen += page.count('<th scope="row">')
        address = page.split('rel="next" href="')[-1].split('"')[0].replace("&amp;", "&")
    assert seen == 120


def test_without_any_channel_the_page_says_who_can_switch_one_on(here: Site) -> None:
    shell = here.app.extensions[EXTENSION]
    shell.context = replace(shell.context, outbox=Outbox())
    page = here.signed_in("hanh").get("/me/notices").text
    assert "Hiện chỉ có thông báo trong Ra Lớp" in page
    assert "push.js" not in page


def test_the_page_is_there_in_english(here: Site) -> None:
    with here.store.writing("test") as session:
        session.execute(update(t.Person).values(language="en"))
    assert "How do you want to be told this way?" in here.signed_in("hanh").get("/me/notices").text
