"""Reads the settings of an installation from the environment (RALOP_…), else from `settings.toml` in the instance
folder.

What can change while the program runs is not here, but in a row of the database.
"""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from engine.core.cases.corrections import Limits
from engine.core.notices.settings import OutboxSettings, read_outbox
from engine.core.people.key_strength import weakness
from engine.core.toml_reader import Reader, read_toml
from engine.core.words import LANGUAGES, Fault, Faulty, Sentence
from engine.usecases.ops.instance_files import DATABASE
from engine.usecases.people.signin_settings import SignInSettings, read_signin
from web.site.files import read_text

FILE = "settings.toml"
KEY_FILE = "secret_key"
MOST_PROXIES = 5
LANGUAGE = Sentence("language")
FLAGS = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False, "": False}


@dataclass(frozen=True, slots=True)
class Settings:
    """What the program needs before it can open its database.

    `instance` is the folder of this installation; `secret_key` signs cookies; `trusted_proxies` is the number of own
    proxies in front that name the client's address; `demo`: every page says that its people are invented; `outbox`: the
    channels that send notices; `metrics_token`: what another machine must send to read `/metrics` (empty: only this
    machine may); `sign_in`: passkeys, codes, proofs; `limits`: how long people put right what they did.
    """

    database_url: str
    instance: Path
    secret_key: str
    trusted_proxies: int = 0
    demo: bool = False
    default_language: str = "vi"
    outbox: OutboxSettings = field(default_factory=OutboxSettings)
    metrics_token: str = ""
    sign_in: SignInSettings = field(default_factory=SignInSettings)
    limits: Limits = field(default_factory=Limits)


def load_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Reads the settings of this installation. Raises Faulty with everything that is wrong with them.

    The environment comes before the file: RALOP_INSTANCE (default: `instance`), RALOP_DATABASE_URL (default: SQLite in
    the instance folder), RALOP_SECRET_KEY (default: one made once and stored in the instance folder),
    RALOP_TRUSTED_PROXIES, RALOP_DEMO, RALOP_LANGUAGE, RALOP_METRICS_TOKEN; and RALOP_MAIL_PASSWORD for the tables that
    `engine.channels.outbox` reads; `engine.usecases.people.signin_settings` has the one about signing in.
    """
    settings, faults = read_settings(environment)
    if faults:
        raise Faulty(faults)
    return settings


def instance_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Returns the folder of this installation: the value of RALOP_INSTANCE, unchanged, or `instance`."""
    return Path(environment.get("RALOP_INSTANCE") or "instance")


def read_settings(environment: Mapping[str, str] = os.environ) -> tuple[Settings, list[Fault]]:
    """Returns the settings, as far as they can be read, and everything that is wrong with them."""
    instance = instance_folder(environment).absolute()
    reader = _file(instance / FILE)
    given = _SettingsReader(environment, reader)
    outbox = read_outbox(reader, environment)
    settings = Settings(
        database_url=given.text("database_url", f"sqlite:///{instance / DATABASE}"),
        instance=instance,
        secret_key=given.secret(instance),
        trusted_proxies=given.proxies(),
        demo=given.flag("demo"),
        default_language=given.language(),
        outbox=outbox,
        metrics_token=given.text("metrics_token", ""),
        sign_in=read_signin(reader, outbox.url),
        limits=_limits(reader.table("corrections")),
    )
    reader.close()
    return settings, reader.faults


def _limits(reader: Reader) -> Limits:
    """How long people put right what they did: the table [corrections]."""
    usual = Limits()
    return Limits(
        days=reader.whole("days", default=usual.days, least=0),
        minutes=reader.whole("undo_minutes", default=usual.minutes, least=0),
    )


def _file(path: Path) -> Reader:
    """Reads the file; returns an empty one with a fault if it cannot be read."""
    try:
        return read_toml(read_text(path, FILE) if path.exists() else "", FILE)
    except Faulty as error:
        return _empty(*error.faults)


def _empty(*faults: Fault) -> Reader:
    reader = read_toml("", FILE)
    reader.faults.extend(faults)
    return reader


class _SettingsReader:
    """Reads each setting from the first place that has it; notes what is wrong in the reader's faults."""

    def __init__(self, environment: Mapping[str, str], reader: Reader) -> None:
        self.environment, self.reader = environment, reader

    def _fault(self, name: str, sentence: Sentence) -> None:
        self.reader.faults.append(Fault(f"RALOP_{name.upper()}", "", sentence))

    def named(self, name: str) -> str | None:
        return self.environment.get(f"RALOP_{name.upper()}")

    def text(self, name: str, default: str) -> str:
        from_file = self.reader.text(name, default)
        return self.named(name) or from_file

    def flag(self, name: str) -> bool:
        from_file = self.reader.flag(name)
        if (given := self.named(name)) is None:
            return bool(from_file)
        if given.lower() not in FLAGS:
            self._fault(name, Sentence("This must be 1 or 0, not {found}.", found=given))
        return FLAGS.get(given.lower(), False)

    def proxies(self) -> int:
        number = self.reader.whole("trusted_proxies", default=0, least=0)
        if given := self.named("trusted_proxies"):
            number = int(given) if given.isascii() and given.isdigit() else -1
        if not 0 <= number <= MOST_PROXIES:
            self._fault("trusted_proxies", Sentence("This must be a number from 0 to {most}.", most=MOST_PROXIES))
        return number

    def language(self) -> str:
        from_file = self.reader.one_of("language", LANGUAGES, LANGUAGE, default="vi")
        given = self.named("language") or from_file
        if given not in LANGUAGES:
            self._fault("language", Sentence("This must be one of: {known}.", known=list(LANGUAGES)))
        return given

    def secret(self, instance: Path) -> str:
        key = self.text("secret_key", "")
        if self.named("secret_key"):
            file, name = "RALOP_SECRET_KEY", ""
        else:
            file, name = (FILE, "secret_key") if key else (str(instance / KEY_FILE), "")
        key = key or _kept_key(instance)
        if (sentence := weakness(key)) is not None:
            self.reader.faults.append(Fault(file, name, sentence))
        return key


def _kept_key(instance: Path) -> str:
    """Returns the key in the instance folder; creates it the first time, readable only by its owner."""
    path = instance / KEY_FILE
    if not path.exists():
        instance.mkdir(parents=True, exist_ok=True, mode=0o700)
        with tempfile.NamedTemporaryFile("w", dir=instance, encoding="ascii") as new:  # mode 0600
            new.write(secrets.token_urlsafe(48))
            new.flush()
            with suppress(FileExistsError):  # another process was faster: its key counts
                path.hardlink_to(new.name)
    return path.read_bytes().decode("ascii", errors="replace").strip()
