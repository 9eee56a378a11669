"""Copies a PostgreSQL database with its own programs, `pg_dump` and `pg_restore`, found on PATH."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from sqlalchemy import make_url

from engine.core.refusals import Refused
from engine.core.words import Sentence

WAIT_S = 15
LAST_LINES = 3  # lines kept of the error of a program
_TABLES = """
    SELECT count(*) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind IN ('r', 'p', 'v', 'm') AND nspname <> 'information_schema' AND nspname !~ '^pg_'
"""
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def dump(url: str, target: Path) -> tuple[int, str]:
    """Writes the database into `target`; returns the server's major version and the schema. Raises Refused."""
    with _line(url) as line:
        server = line.info.server_version // 10_000
        revision = _revision(line)
    program = _program("pg_dump", server)
    _run([program, "--format=custom", "--compress=0", f"--file={target}"], url)
    return server, revision


def check_target(url: str, dumped: int) -> None:
    """Checks that the database can take a dump of a server of this major version. Raises Refused if not."""
    with _line(url) as line:
        server = line.info.server_version // 10_000
        tables, others = (line.execute(query).fetchone() for query in (_TABLES, _OTHERS))
        name = line.info.dbname
    _program("pg_restore", max(dumped, server))
    if server < dumped:
        raise Refused(
            Sentence(
                "The copy comes from PostgreSQL {dumped}; this server is {server}: take one that is as new.",
                dumped=dumped,
                server=server,
            )
        )
    if others and others[0]:
        raise Refused(
            Sentence(
                "{count} other connections are open to the database {name}: end the programs that use it first.",
                count=others[0],
                name=name,
            )
        )
    if tables and tables[0]:
        raise Refused(
            Sentence(
                "The database {name} is not empty, it has {count} tables: make an empty one (createdb) and name that.",
                name=name,
                count=tables[0],
            )
        )


def restore(copied: Path, url: str) -> None:
    """Loads a dump into the database in one transaction. Raises Refused."""
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges"]
    _run([_program("pg_restore", 0), *options, str(copied)], url)


@contextmanager
def _line(url: str) -> Iterator[psycopg.Connection]:
    try:
        with psycopg.connect(_named(url), connect_timeout=WAIT_S) as line:
            yield line
    except psycopg.Error as error:
        place = make_url(url).render_as_string(hide_password=True)
        why = str(error).strip()
        raise Refused(Sentence("The database {place} does not answer: {why}", place=place, why=why)) from error


def _named(url: str) -> str:
    """Returns the database in the form that PostgreSQL's programs take."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _revision(line: psycopg.Connection) -> str:
    row = line.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else ""


def _program(name: str, least: int) -> str:
    """Returns the path of a PostgreSQL program with at least this major version. Raises Refused."""
    path = shutil.which(name)
    if path is None:
        raise Refused(
            Sentence(
                "{program} is not on PATH: install PostgreSQL's client programs (Debian: apt install "
                "postgresql-client).",
                program=name,
            )
        )
    told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False).stdout  # noqa: S603
    found = re.search(r"\d+", told)
    if least and (found is None or int(found[0]) < least):
        raise Refused(
            Sentence(
                "{program} ({path}) is version {found}, the server is {least}: install postgresql-client-{least} "
                "and put it first on PATH.",
                program=name,
                path=path,
                found=found[0] if found else "?",
                least=least,
            )
        )
    return path


def _run(command: list[str], url: str) -> None:
    """Runs a program on the database.

    The password goes through the environment, so that no list of processes shows it.
    """
    parts = conninfo_to_dict(_named(url))
    password = parts.pop("password", None)
    environment = {**os.environ, "PGPASSWORD": str(password)} if password else dict(os.environ)
    command = [command[0], f"--dbname={make_conninfo('', **parts)}", "--no-password", *command[1:]]
    done = subprocess.run(  # noqa: S603 - found on PATH by its fixed name
        command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        why = " ".join(done.stderr.strip().splitlines()[-LAST_LINES:])
        raise Refused(Sentence("{program} did not end well: {why}", program=Path(command[0]).name, why=why))
