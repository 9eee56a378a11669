"""Reads the settings about signing in, from the table `[sign_in]` of `instance/settings.toml`.

[sign_in]
origin = "https://ralop.example.vn"   # as the browser's address bar shows it; default: `url` of [notices]
rp_id = "example.vn"                  # domain of the passkeys: the origin's host (default) or a domain above it
code_hours = 72                       # how long a one-time code is valid
proof_minutes = 10                    # so long after a proof an export does not ask again
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from engine.core.notices.settings import URL
from engine.core.toml_reader import Reader
from engine.core.words import Sentence

LOCAL = "localhost"  # the only host on which browsers allow passkeys without https
CODE_HOURS, MOST_CODE_HOURS = 72, 24 * 14
PROOF_MINUTES, MOST_PROOF_MINUTES = 10, 24 * 60


@dataclass(frozen=True, slots=True)
class Party:
    """The pages as browsers know them (WebAuthn's relying party): their address, and the domain."""

    origin: str
    rp_id: str


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """The values of `[sign_in]`.

    `rp_id` is empty where browsers do not allow passkeys: without https, or with an IP address.
    """

    origin: str = URL
    rp_id: str = ""
    code_lasts: dt.timedelta = dt.timedelta(hours=CODE_HOURS)
    proof_lasts: dt.timedelta = dt.timedelta(minutes=PROOF_MINUTES)

    @property
    def party(self) -> Party | None:
        """Returns the party for which passkeys are made; None where they are impossible."""
        return Party(self.origin, self.rp_id) if self.rp_id else None


def read_signin(reader: Reader, url: str) -> SignInSettings:
    """Reads the table `[sign_in]` of a settings file; notes faults in the reader.

    `url`: where people open the pages.
    """
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
    """Returns the origin of an address, and its host."""
    try:
        parts = urlsplit(address)
        host, origin = parts.hostname or "", f"{parts.scheme}://{parts.netloc}"
    except ValueError:  # brackets that do not make an address
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
