"""The post: the channels of this installation and the address its links begin with, made from `instance/settings.toml`.

[mail]                                  # e-mail; without it there is none
host = "mail.example.vn"
sender = "Ra Lớp <ralop@example.vn>"

[notices]
url = "https://ralop.example.vn"        # where people open the pages
push_contact = "mailto:it@example.vn"   # turns push messages on
keep_days = 400                         # so long a message that was sent or given up is kept

[notices.services.zalo]                 # any service of apprise, by a name of your own
url = "zalo://BOT_TOKEN/{address}"
label = { vi = "Zalo", en = "Zalo" }
ask = { vi = "Mã trò chuyện Zalo", en = "Zalo chat id" }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import parseaddr
from pathlib import Path
from types import MappingProxyType

from engine.channels import Channel
from engine.channels.email import SECURITIES, STARTTLS, EmailChannel, MailSettings
from engine.core.notices.planning import EMAIL, PUSH
from engine.core.toml_reader import Reader
from engine.core.words import Label, Sentence

ADDRESS = "{address}"
URL = "http://127.0.0.1:5000"
KEEP_DAYS = 400  # a school year, its summer, and time to answer questions about it
PORTS = {"starttls": 587, "tls": 465, "none": 25}
WAY = Sentence("way of encryption")


@dataclass(frozen=True, slots=True)
class Service:
    """A service of apprise: its URL with `{address}` in it, its words, what a person is asked for."""

    url: str
    label: Label
    ask: Label


@dataclass(frozen=True, slots=True)
class PostSettings:
    """What `[mail]` and `[notices]` say."""

    url: str = URL
    mail: MailSettings | None = None
    push_contact: str = ""
    services: Mapping[str, Service] = field(default_factory=dict)
    keep_days: int = KEEP_DAYS


@dataclass(frozen=True)
class Post:
    """The channels by name, beside the app itself, and the address of the pages (no slash at its end).

    `keep_days`: so long a message that was sent or given up is kept.
    """

    url: str = URL
    channels: Mapping[str, Channel] = field(default_factory=lambda: MappingProxyType({}))
    keep_days: int = KEEP_DAYS


def read_post(reader: Reader, environment: Mapping[str, str]) -> PostSettings:
    """The tables `[mail]` and `[notices]` of a settings file; faults go to the reader.

    The environment goes before the file for the one secret: RALOP_MAIL_PASSWORD.
    """
    notices = reader.table("notices")
    url = notices.text("url", URL).rstrip("/")
    if not url.startswith(("https://", "http://")):
        notices.fault("url", Sentence("Write the address as people open it: https://…"))
    contact = notices.text("push_contact", "")
    if contact and not contact.startswith(("mailto:", "https://")):
        notices.fault("push_contact", Sentence("Write mailto: and an address, or a page: https://…"))
    services = {name: _service(table) for name, table in notices.named("services").items() if _free(notices, name)}
    mail = _mail(reader.table("mail"), environment) if "mail" in reader else None
    return PostSettings(url, mail, contact, services, notices.whole("keep_days", default=KEEP_DAYS, least=30))


def _free(notices: Reader, name: str) -> bool:
    if name in {EMAIL, PUSH}:
        notices.fault(f"services.{name}", Sentence("This name is taken; choose another one."))
    return name not in {EMAIL, PUSH}


def _service(table: Reader) -> Service:
    service = Service(table.text("url"), table.label("label"), table.label("ask"))
    if service.url and ADDRESS not in service.url:
        table.fault("url", Sentence("The address of the person is missing: {place}.", place=ADDRESS))
    return service


def _mail(table: Reader, environment: Mapping[str, str]) -> MailSettings:
    security = table.one_of("security", SECURITIES, WAY, default=STARTTLS)
    settings = MailSettings(
        host=table.text("host"),
        sender=table.text("sender"),
        port=table.whole("port", default=PORTS[security], least=1),
        security=security,
        user=table.text("user", ""),
        password=table.text("password", ""),
        ca_file=table.text("ca_file", ""),
    )
    if settings.sender and "@" not in parseaddr(settings.sender)[1]:
        table.fault("sender", Sentence("Write a name and an address: {example}.", example="Ra Lớp <ralop@example.vn>"))
    secret = environment.get("RALOP_MAIL_PASSWORD")
    return replace(settings, password=secret) if secret else settings


def make_post(settings: PostSettings, instance: Path) -> Post:
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
    return Post(settings.url, named, settings.keep_days)
