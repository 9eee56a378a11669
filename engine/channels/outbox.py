"""The outbox: the channels of this installation, and the address with which its links begin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from engine.channels import Channel
from engine.channels.email import EmailChannel
from engine.core.notices.settings import (
    KEEP_DAYS,
    URL,
    OutboxSettings,
)


@dataclass(frozen=True)
class Outbox:
    """The channels by name (without the app itself), and the address of the pages (without a slash at the end).

    `keep_days`: after so many days a message that was sent or given up is deleted.
    """

    url: str = URL
    channels: Mapping[str, Channel] = field(default_factory=lambda: MappingProxyType({}))
    keep_days: int = KEEP_DAYS


def make_outbox(settings: OutboxSettings, instance: Path) -> Outbox:
    """Makes the channels that the settings turn on; add a new channel here.

    Libraries are loaded only for what is turned on: apprise alone takes half a second.
    """
    channels: list[Channel] = []
    if settings.mail:
        channels.append(EmailChannel(settings.mail))
    if settings.push_contact:
        from engine.channels.push import PushChannel, kept_key  # noqa: PLC0415 - loaded only where it is used

        channels.append(PushChannel(kept_key(instance), settings.push_contact))
    if settings.services:
        from engine.channels.apprise_channel import AppriseChannel  # noqa: PLC0415 - loaded only where it is used

        channels += [AppriseChannel(name, it.label, it.ask, it.url) for name, it in settings.services.items()]
    named = MappingProxyType({channel.name: channel for channel in channels})
    return Outbox(settings.url, named, settings.keep_days)
