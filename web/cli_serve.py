"""`ralop serve`: the pages, and the worker beside them, on one small machine; `ralop worker`: the jobs alone."""

from __future__ import annotations

import datetime as dt
import signal
import socket
from contextlib import ExitStack
from types import FrameType
from typing import Any

import click
from flask import Flask
from waitress.server import create_server

from engine.clock import ShiftedClock, mend_clock, set_clock
from engine.house import House
from engine.memory import keep_what_is_loaded
from engine.queue import worker_for
from engine.store.schema import upgrade
from engine.store.session import open_store
from engine.words import Sentence
from web import logs
from web.app import create_app
from web.cli_check import language_here
from web.cli_types import MOMENT, PORT, Unusable
from web.command_line import OS_ERRORS
from web.house import build_house
from web.settings import Settings, load_settings

THREADS = 8
_CLOCK_MENDED = Sentence(
    "The clock of this installation was set to a moment in which nothing works. It tells the machine's own time again."
)


def opened_house() -> tuple[Settings, House, ShiftedClock]:
    """The installation, its database migrated and its files checked; all faults at once if there are any."""
    settings = load_settings()
    store = open_store(settings.database_url)
    upgrade(store)
    if mend_clock(store):
        click.echo(_CLOCK_MENDED.in_(language_here()), err=True)
    clock = ShiftedClock(store)
    return settings, build_house(settings, clock.now(), store), clock


def _local(moment: dt.datetime, house: House) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=house.handbook.calendar("").zone)


def _end(_signal: int, _frame: FrameType | None) -> None:
    raise SystemExit(0)


def _try_out(host: str, port: int) -> None:
    """Listen at each address of the host for a moment. Raises OSError, or ValueError for a name that is none."""
    for family, kind, protocol, _name, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen()


def listening(app: Flask, host: str, port: int) -> Any:
    """The server at an address. Raises `Unusable` if nothing can listen there, with the reason."""
    try:
        _try_out(host, port)  # waitress leaves its sockets open where it fails
        return create_server(app, host=host, port=port, threads=THREADS, ident=None)
    except (OSError, ValueError) as error:  # a name of a host that is none is a ValueError to waitress and to the codec
        known = OS_ERRORS.get(error.errno or 0) if isinstance(error, OSError) else None
        raise Unusable(
            Sentence("Nothing can listen at {host}, port {port}: {why}", host=host, port=port,
                     why=known or Sentence("there is no such address on this machine."))
        ) from error  # fmt: skip


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, default=5000, show_default=True, help="The port to listen on.")
@click.option("--now", "moment", type=MOMENT, help='Let it be this local date-time, or "real" again; it is kept.')
@click.option("--no-worker", is_flag=True, help="Serve the pages only; the jobs run elsewhere (ralop worker).")
def serve(host: str, port: int, moment: dt.datetime | str | None, no_worker: bool) -> None:
    """Serve the pages and run the worker; the database is brought up to date first."""
    logs.configure()
    settings, house, clock = opened_house()
    if moment:
        set_clock(house.store, _local(moment, house) if isinstance(moment, dt.datetime) else None)
        clock.forget()
    app = create_app(settings, house=house, clock=clock)
    keep_what_is_loaded()
    with ExitStack() as running:
        running.callback(house.store.close)
        server = listening(app, host, port)
        running.callback(server.close)
        if not no_worker:
            worker = worker_for(house, clock)
            running.callback(worker.stop)
            worker.start()
        signal.signal(signal.SIGTERM, _end)
        click.echo(Sentence("Ra Lớp is at {address}", address=f"http://{host}:{port}/").in_(language_here()))
        server.run()


@click.command("worker")
def worker() -> None:
    """Run the jobs without the pages, until the program is told to end."""
    logs.configure()
    _settings, house, clock = opened_house()
    working = worker_for(house, clock)
    keep_what_is_loaded()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda _signal, _frame: working.stop(0))
    working.run()
    house.store.close()
