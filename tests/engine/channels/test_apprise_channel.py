"""Zalo and the others: apprise speaks real HTTP to the service that the operator named, and to no other."""

import datetime as dt
import json
from collections.abc import Iterator

import pytest
from apprise.plugins.zalo import NotifyZalo

from engine.channels import Message, NotSent
from engine.channels.apprise_channel import AppriseChannel, service_of
from engine.core.words import Label
from tests.webhook import Webhook, listening

MESSAGE = Message(
    "n7:zalo",
    "[Ra Lớp] RL-1: Quá hạn",
    "Hồ sơ: RL-1\nhttps://x.vn/cases/RL-1",
    "https://x.vn/cases/RL-1",
    dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC),
)
ZALO = "zalo://123456789:abcDEF_g-h/{address}"
WORDS = Label("Zalo", "Zalo")


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with listening() as webhook:
        yield webhook


def channel(url: str) -> AppriseChannel:
    return AppriseChannel("zalo", WORDS, WORDS, url)


def send(url: str, address: str) -> None:
    with channel(url).connect() as line:
        line(address, MESSAGE)


def zalo_at(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    """Zalo's own address leads to our server; all else is apprise's."""
    monkeypatch.setattr(NotifyZalo, "notify_url", webhook.url + "/bot{token}/sendMessage")
    monkeypatch.setattr(NotifyZalo, "request_rate_per_sec", 0)


def test_a_zalo_bot_gets_the_chat_and_the_words(webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> None:
    zalo_at(webhook, monkeypatch)
    webhook.answer = b'{"ok": true}'
    send(ZALO, "6ede9afa66b88fe6d6a9")
    (posted,) = webhook.posted
    assert posted.path == "/bot123456789:abcDEF_g-h/sendMessage"
    said = json.loads(posted.body)
    assert said["chat_id"] == "6ede9afa66b88fe6d6a9"
    assert "RL-1" in said["text"]
    assert "https://x.vn/cases/RL-1" in said["text"]


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_refusal_is_told_by_its_status_without_the_token(
    status: int, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    zalo_at(webhook, monkeypatch)
    webhook.status = status
    with pytest.raises(NotSent, match=f"the service refused it: HTTP {status}") as refused:
        send(ZALO, "42")
    assert not refused.value.final


def test_another_service_of_apprise_takes_the_address_where_the_operator_put_it(webhook: Webhook) -> None:
    send(webhook.url.replace("http://", "json://") + "/to/{address}", "lan")
    (posted,) = webhook.posted
    assert posted.path == "/to/lan"
    assert json.loads(posted.body)["title"] == MESSAGE.subject


def test_a_service_that_is_not_there_is_tried_again_later() -> None:
    with pytest.raises(NotSent, match="did not take it") as refused:
        send("json://127.0.0.1:9/{address}", "lan")
    assert not refused.value.final


@pytest.mark.parametrize("address", ["x@evil.example/", "a/../b", "?to=all", "#", "a b", "%2f"])
def test_an_address_stays_within_its_place_in_the_url(address: str, webhook: Webhook) -> None:
    send(webhook.url.replace("http://", "json://") + "/to/{address}", address)
    (posted,) = webhook.posted
    assert posted.path.startswith("/to/")


def test_a_template_that_apprise_does_not_know_is_final() -> None:
    assert service_of("nonsense://token/{address}", "42") is None
    with pytest.raises(NotSent) as refused:
        send("nonsense://token/{address}", "42")
    assert refused.value.final
