"""Sends through Zalo bots and all other services that apprise knows.

The operator gives the URL. A person never writes a URL, because it could make this server call any other one. They
write one quoted part of the operator's template, such as the chat id in `zalo://BOT_TOKEN/{address}`.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import apprise

from engine.channels import Message, NotSent, Send
from engine.core.words import Label

ADDRESS = "{address}"
_STATUS = re.compile(r"error=(\d{3})")


class AppriseChannel:
    """One service, with an apprise URL in which `{address}` is the person's own address."""

    def __init__(self, name: str, label: Label, ask: Label, url: str) -> None:
        self.name, self.label, self.ask, self.url = name, label, ask, url

    @contextmanager
    def connect(self) -> Iterator[Send]:
        yield self._send

    def _send(self, address: str, message: Message) -> None:
        service = service_of(self.url, address)
        if service is None:
            raise NotSent("apprise does not take this address", final=True)
        with apprise.LogCapture(level=logging.WARNING) as log:  # type: ignore[no-untyped-call]
            taken = service.notify(
                title=message.subject,
                body=message.body,
                body_format=apprise.NotifyFormat.TEXT,
                notify_type=apprise.NotifyType.WARNING if message.urgent else apprise.NotifyType.INFO,
            )
            found = _STATUS.search(log.getvalue())  # pyright: ignore[reportAttributeAccessIssue]
        if not taken:
            # Only the status: the log may contain the token.
            raise NotSent(f"the service refused it: HTTP {found[1]}" if found else "the service did not take it")


def service_of(url: str, address: str) -> apprise.NotifyBase | None:
    """Returns the service of a template with the address filled in; None if apprise cannot make one."""
    made = apprise.Apprise.instantiate(url.replace(ADDRESS, quote(address, safe="")), suppress_exceptions=True)
    return made if isinstance(made, apprise.NotifyBase) else None
