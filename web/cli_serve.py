"""`ralop serve`: the pages, and the worker beside them, on one small machine; `ralop worker`: the jobs alone."""

from __future__ import annotations

import datetime as dt
import signal
from contextlib import ExitStack

import click
from flask import Flask

from engine.clock import ShiftedClock, set_clock
from engine.house import House
from engine.memory import keep_what_is_loaded
from engine.queue import worker_for
from engine.store.proxies import forget_undeclared
from engine.store.schema import upgrade
from engine.store.session import open_store
from engine.words import Faulty, Sentence
from web import logs
from web.app import create_app
from web.cli_check import language_here
from web.house import build_house
from web.server import Server
from web.settings import KEY_FILE, Settings, load_settings
from web.shell import EXTENSION

REAL = "real"


def opened_house() -> tuple[Settings, House, ShiftedClock]:
    """The installation, its database migrated and its files checked; all faults at once if there are any."""
    try:
        settings = load_settings()
        store = open_store(settings.database_url)
        upgrade(store)
        store.settle([settings.instance], [settings.instance / KEY_FILE])
        clock = ShiftedClock(store)
        return settings, build_house(settings, clock.now(), store), clock
    except Faulty as error:
        lines = "\n".join(fault.in_(language_here()) for fault in error.faults)
        raise click.ClickException(lines) from error


def _moment(text: str, house: House) -> dt.datetime | None:
    """A local date-time, or None for the machine's own."""
    if text == REAL:
        return None
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        sentence = Sentence("{text} is not a date-time; write for example 2026-03-02T16:00.", text=text)
        raise click.ClickException(sentence.in_(language_here())) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=house.handbook.calendar("").zone)


def _server(app: Flask, host: str, port: int) -> Server:
    try:
        return Server(app, host, port)
    except OSError as error:
        sentence = Sentence("Nobody can listen at {host}, port {port}: {error}. Choose another with --host or --port.",
                            host=host, port=port, error=error.strerror)  # fmt: skip
        raise click.ClickException(sentence.in_(language_here())) from error


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", default=5000, show_default=True, help="The port to listen on.")
@click.option("--now", "moment", help='Let it be this local date-time, or "real" again; kept in the database.')
@click.option("--no-worker", is_flag=True, help="Serve the pages only; the jobs run elsewhere (ralop worker).")
def serve(host: str, port: int, moment: str | None, no_worker: bool) -> None:
    """Serve the pages and run the worker; the database is brought up to date first."""
    logs.configure()
    settings, house, clock = opened_house()
    if moment:
        set_clock(house.store, _moment(moment, house))
        clock.forget()
    app = create_app(settings, house=house, clock=clock)
    server = _server(app, host, port)
    if settings.trusted_proxies:
        forget_undeclared(house.store)
    keep_what_is_loaded()
    with ExitStack() as running:
        running.callback(house.store.close)
        if not no_worker:
            worker = app.extensions[EXTENSION].worker = worker_for(house, clock)
            running.callback(worker.stop)
            worker.start()
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
