"""Sends web push messages, which a device shows on its screen; each is encrypted for its browser (RFC 8291)."""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import requests
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02  # type: ignore[import-untyped]
from pywebpush import WebPushException, webpush  # type: ignore[import-untyped]

from engine.channels import Gone, Message, NotSent, Send
from engine.core.invariants import given
from engine.core.notices.planning import PUSH
from engine.core.words import Label

KEY_FILE = "vapid.pem"
TIMEOUT_S = 10.0
DAY_S = 86_400  # how long the push service keeps a message for a phone that is switched off
MOST_BODY = 1_000  # characters; a push message holds 4096 bytes
# The push services of the known browsers. A browser names its own service; we call no other host.
HOSTS = ("fcm.googleapis.com", "updates.push.services.mozilla.com", "web.push.apple.com", ".notify.windows.com")


class PushChannel:
    """Sends to every browser in which the person agreed. `contact` tells a push service how to reach the operator."""

    name = PUSH
    label = Label("Thông báo trên thiết bị", "Push messages on this device")
    ask = None

    def __init__(self, key: Vapid02, contact: str, hosts: tuple[str, ...] = HOSTS) -> None:
        self.key, self.contact, self.hosts = key, contact, hosts

    @property
    def public_key(self) -> str:
        """The key by which a browser recognises this installation, in the form that `pushManager.subscribe` needs."""
        public = given(self.key.public_key, "a key that was made or read has its public half")
        point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        return base64.urlsafe_b64encode(point).rstrip(b"=").decode()

    def accepts(self, endpoint: str) -> bool:
        """Returns whether the address that a browser named belongs to a known push service."""
        try:
            host = urlsplit(endpoint).hostname or ""
        except ValueError:
            return False
        return endpoint.startswith("https://") and any(
            host.endswith(known) if known.startswith(".") else host == known for known in self.hosts
        )

    @contextmanager
    def connect(self) -> Iterator[Send]:
        with requests.Session() as session:

            def send(address: str, message: Message) -> None:
                self._send(json.loads(address), message, session)

            yield send

    def _send(self, subscription: dict[str, object], message: Message, session: requests.Session) -> None:
        data = {"title": message.subject, "body": message.body[:MOST_BODY], "url": message.url, "tag": message.key}
        try:
            webpush(
                subscription,
                json.dumps(data, ensure_ascii=False),
                vapid_private_key=self.key,
                vapid_claims={"sub": self.contact},
                ttl=DAY_S,
                timeout=TIMEOUT_S,
                requests_session=session,
                headers={"Urgency": "high" if message.urgent else "normal"},
            )
        except WebPushException as error:
            if error.status_code in {404, 410}:
                raise Gone("the browser takes no more messages") from error
            if error.status_code is None:
                raise Gone("the browser's key is not valid") from error
            raise NotSent(f"the push service refused it: HTTP {error.status_code}") from error
        except requests.RequestException as error:
            raise NotSent(f"the push service does not answer: {type(error).__name__}") from error
        except ValueError as error:  # a key that is not a point of the curve
            raise Gone("the browser's key is not valid") from error


def kept_key(instance: Path) -> Vapid02:
    """Returns the installation's key; creates it in the instance folder the first time, readable only by its owner."""
    path = instance / KEY_FILE
    if not path.exists():
        instance.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = Vapid02()
        key.generate_keys()
        with tempfile.NamedTemporaryFile("wb", dir=instance) as new:  # mode 0600
            new.write(key.private_pem())
            new.flush()
            with suppress(FileExistsError):  # another process was faster: its key counts
                path.hardlink_to(new.name)
    return Vapid02.from_pem(path.read_bytes())
