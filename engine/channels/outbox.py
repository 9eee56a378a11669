"""The post: the channels of this installation and the address its links begin with."""

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
    """The channels by name, beside the app itself, and the address of the pages (no slash at its end).

    `keep_days`: so long a message that was sent or given up is kept.
    """

    url: str = URL
    channels: Mapping[str, Channel] = field(default_factory=lambda: MappingProxyType({}))
    keep_days: int = KEEP_DAYS


def make_outbox(settings: OutboxSettings, instance: Path) -> Outbox:
    """The channels that the settings turn on; a new way to tell people is added here.

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
