"""Push messages: encrypted for one browser, signed by our key, sent to known push services only."""

import base64
import datetime as dt
import json
import stat
from collections.abc import Iterator
from pathlib import Path

import http_ece  # type: ignore[import-untyped]
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02  # type: ignore[import-untyped]

from engine.channels import Gone, Message, NotSent
from engine.channels.push import PushChannel, kept_key
from tests.webhook import Webhook, listening

MESSAGE = Message(
    "n7:push",
    "[Ra Lớp] RL-1: Quá hạn",
    "Hồ sơ: RL-1",
    "https://x.vn/cases/RL-1",
    dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC),
    urgent=True,
)
AUTH = b"0123456789abcdef"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with listening() as webhook:
        webhook.status = 201
        yield webhook


@pytest.fixture
def channel(tmp_path: Path) -> PushChannel:
    return PushChannel(kept_key(tmp_path), "mailto:it@example.vn")


def text64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def address(key: ec.EllipticCurvePrivateKey, endpoint: str) -> str:
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    return json.dumps({"endpoint": endpoint, "keys": {"p256dh": text64(point), "auth": text64(AUTH)}})


def test_only_the_browser_can_read_it_and_it_replaces_an_earlier_copy(channel: PushChannel, webhook: Webhook) -> None:
    browser = ec.generate_private_key(ec.SECP256R1())
    with channel.connect() as send:
        send(address(browser, webhook.url + "/for/lan"), MESSAGE)
    (posted,) = webhook.posted
    read = http_ece.decrypt(posted.body, private_key=browser, auth_secret=AUTH, version="aes128gcm")
    assert json.loads(read) == {
        "title": "[Ra Lớp] RL-1: Quá hạn",
        "body": "Hồ sơ: RL-1",
        "url": "https://x.vn/cases/RL-1",
        "tag": "n7:push",
    }
    assert (posted.headers["ttl"], posted.headers["urgency"]) == ("86400", "high")
    assert Vapid02.verify(posted.headers["authorization"])
    assert posted.headers["authorization"].endswith("k=" + channel.public_key)


@pytest.mark.parametrize(("status", "kind"), [(404, Gone), (410, Gone), (429, NotSent), (500, NotSent)])
def test_a_browser_that_is_gone_is_told_from_a_service_that_is_busy(
    status: int, kind: type[NotSent], channel: PushChannel, webhook: Webhook
) -> None:
    webhook.status = status
    with channel.connect() as send, pytest.raises(NotSent) as refused:
        send(address(ec.generate_private_key(ec.SECP256R1()), webhook.url), MESSAGE)
    assert (type(refused.value), refused.value.final) == (kind, kind is Gone)


def test_a_service_that_is_not_there_is_tried_again_and_a_broken_key_is_forgotten(channel: PushChannel) -> None:
    with channel.connect() as send:
        with pytest.raises(NotSent, match="ConnectionError"):
            send(address(ec.generate_private_key(ec.SECP256R1()), "http://127.0.0.1:9/"), MESSAGE)
        broken = json.dumps({"endpoint": "http://127.0.0.1:9/", "keys": {"p256dh": "AAAA", "auth": "AAAA"}})
        with pytest.raises(Gone):
            send(broken, MESSAGE)


@pytest.mark.parametrize(
    ("endpoint", "known"),
    [
        ("https://fcm.googleapis.com/fcm/send/abc", True),
        ("https://updates.push.services.mozilla.com/wpush/v2/abc", True),
        ("https://wns2-sg2p.notify.windows.com/w/?token=abc", True),
        ("http://fcm.googleapis.com/fcm/send/abc", False),
        ("https://fcm.googleapis.com.evil.example/abc", False),
        ("https://evil.example/?https://fcm.googleapis.com/", False),
        ("https://user@127.0.0.1/", False),
        ("https://fcm.googleapis.com@127.0.0.1/", False),
        ("file:///etc/passwd", False),
        ("https://[::1", False),
        ("", False),
    ],
)
def test_nothing_is_sent_to_a_host_that_is_no_push_service(channel: PushChannel, endpoint: str, known: bool) -> None:
    assert channel.accepts(endpoint) is known


def test_the_key_is_made_once_and_is_its_owners_only(tmp_path: Path) -> None:
    first, second = PushChannel(kept_key(tmp_path), "mailto:a@b.vn"), PushChannel(kept_key(tmp_path), "mailto:a@b.vn")
    assert first.public_key == second.public_key
    assert len(base64.urlsafe_b64decode(first.public_key + "=")) == 65
    assert stat.S_IMODE((tmp_path / "vapid.pem").stat().st_mode) == 0o600
