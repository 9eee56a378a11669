"""What an installation says about signing in, from the table `[sign_in]` of `instance/settings.toml`.

[sign_in]
origin = "https://ralop.example.vn"   # as the browser's address bar shows it; else `url` of [notices]
rp_id = "example.vn"                  # whose passkeys are: the origin's host (if it is left out) or a domain above it
code_hours = 72                       # how long a one-time code holds
proof_minutes = 10                    # how long after a proof nobody is asked again before an export
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.core.notices.settings import URL
from engine.core.toml_reader import Reader
from engine.core.words import Sentence

LOCAL = "localhost"  # the only host where browsers know passkeys without https
CODE_HOURS, MOST_CODE_HOURS = 72, 24 * 14
PROOF_MINUTES, MOST_PROOF_MINUTES = 10, 24 * 60


@dataclass(frozen=True, slots=True)
class Party:
    """Whom browsers take these pages for (WebAuthn's relying party): the address of the pages, and the domain."""

    origin: str
    rp_id: str


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """What `[sign_in]` says. `rp_id` is empty where browsers know no passkeys: without https, or at a bare number."""

    origin: str = URL
    rp_id: str = ""
    code_lasts: dt.timedelta = dt.timedelta(hours=CODE_HOURS)
    proof_lasts: dt.timedelta = dt.timedelta(minutes=PROOF_MINUTES)

    @property
    def party(self) -> Party | None:
        """Whom passkeys are made for; None where there can be none."""
        return Party(self.origin, self.rp_id) if self.rp_id else None


def read_signin(reader: Reader, url: str) -> SignInSettings:
    """The table `[sign_in]` of a settings file; faults go to the reader. `url`: where people open the pages."""
    table = reader.table("sign_in")
    parts = _parts(table, table.text("origin", url).rstrip("/"))
    host = parts[1]
    rp_id = table.text("rp_id", host)
    if rp_id != host and not host.endswith(f".{rp_id}"):
        table.fault("rp_id", Sentence("This must be {host} or a domain above it.", host=host))
    possible = parts[0].startswith("https://") or host == LOCAL
    return SignInSettings(
        parts[0],
        rp_id if possible and not _is_number(host) else "",
        dt.timedelta(hours=_limited(table, "code_hours", CODE_HOURS, MOST_CODE_HOURS)),
        dt.timedelta(minutes=_limited(table, "proof_minutes", PROOF_MINUTES, MOST_PROOF_MINUTES)),
    )


def _parts(table: Reader, address: str) -> tuple[str, str]:
    """The origin of an address, and its host."""
    try:
        parts = urlsplit(address)
        host, origin = parts.hostname or "", f"{parts.scheme}://{parts.netloc}"
    except ValueError:  # brackets that are no address
        host, origin = "", ""
    known = origin.startswith(("https://", "http://"))
    if "origin" in table and not (known and host and address == origin):
        table.fault("origin", Sentence("Write the address as people open it: https://…"))
    return origin, host


def _limited(table: Reader, key: str, default: int, most: int) -> int:
    value = table.whole(key, default=default, least=1)
    if value > most:
        table.fault(key, Sentence("This must be a number from {least} to {most}.", least=1, most=most))
    return value


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
