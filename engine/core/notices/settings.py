"""Reads `[mail]` and `[notices]` of `instance/settings.toml`, and finds what is wrong with them.

[mail]                                  # without this table no e-mail is sent
host = "mail.example.vn"
sender = "Ra Lớp <ralop@example.vn>"

[notices]
url = "https://ralop.example.vn"        # where people open the pages
push_contact = "mailto:it@example.vn"   # turns push messages on
keep_days = 400                         # days; then a message that was sent or given up is deleted

[notices.services.zalo]                 # any service of apprise, under a name that you choose
url = "zalo://BOT_TOKEN/{address}"
label = { vi = "Zalo", en = "Zalo" }
ask = { vi = "Mã trò chuyện Zalo", en = "Zalo chat id" }
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import parseaddr

from engine.core.notices.planning import EMAIL, PUSH
from engine.core.toml_reader import Reader
from engine.core.words import Label, Sentence

STARTTLS, TLS, NONE = "starttls", "tls", "none"
SECURITIES = (STARTTLS, TLS, NONE)


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The mail server. `sender` is "Name <address>"; `ca_file` has the certificate of a server's own authority."""

    host: str
    sender: str
    port: int = 587
    security: str = STARTTLS
    user: str = ""
    password: str = ""
    ca_file: str = ""


ADDRESS = "{address}"
URL = "http://127.0.0.1:5000"
KEEP_DAYS = 400  # days: a school year, its summer, and time to answer questions about it
PORTS = {"starttls": 587, "tls": 465, "none": 25}
WAY = Sentence("way of encryption")


@dataclass(frozen=True, slots=True)
class Service:
    """A service of apprise: its URL with `{address}` in it, its words, what a person is asked for."""

    url: str
    label: Label
    ask: Label


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """The values of `[mail]` and `[notices]`."""

    url: str = URL
    mail: MailSettings | None = None
    push_contact: str = ""
    services: Mapping[str, Service] = field(default_factory=dict)
    keep_days: int = KEEP_DAYS


def read_outbox(reader: Reader, environment: Mapping[str, str]) -> OutboxSettings:
    """The tables `[mail]` and `[notices]` of a settings file; notes faults in the reader.

    For the one secret, RALOP_MAIL_PASSWORD, the environment comes before the file.
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
    return OutboxSettings(url, mail, contact, services, notices.whole("keep_days", default=KEEP_DAYS, least=30))


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
