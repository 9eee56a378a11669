"""`ralop serve`: runs the pages, and a worker beside them, on one small machine; `ralop worker`: the jobs alone."""

from __future__ import annotations

import datetime as dt
import signal
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import click
from flask import Flask

from engine.core.refusals import Refused
from engine.core.words import Fault, Faulty, Sentence
from engine.jobs.gc_tuning import keep_what_is_loaded
from engine.jobs.procrastinate_queue import worker_for
from engine.store.ops.database_copies import file_of
from engine.store.ops.schema import upgrade
from engine.store.ops.time_source import ShiftedClock
from engine.store.scope_check import check_scopes
from engine.store.session import open_store
from engine.usecases.context import Context
from engine.usecases.ops.clock import mend_clock, set_clock
from engine.usecases.ops.instance_files import exposed
from engine.usecases.ops.proxies import forget_undeclared
from engine.usecases.ops.running import at_work
from web.app import create_app
from web.cli.check import language_here
from web.cli.command_line import OS_ERRORS
from web.cli.parameter_types import MOMENT, PORT, Unusable
from web.ops import logs
from web.serving.server import Server
from web.site.composition import build_context, read_files
from web.site.request_context import EXTENSION
from web.site.settings import KEY_FILE, Settings, instance_folder, read_settings

_CLOCK_MENDED = Sentence(
    "The clock of this installation was set to a moment in which nothing works. It tells the machine's own time again."
)


def opened_context() -> tuple[Settings, Context, ShiftedClock]:
    """Opens the installation, migrates its database and checks its files; raises all faults at once."""
    settings = _sound_settings()
    try:
        store = open_store(settings.database_url)
        upgrade(store)
        if mend_clock(store):
            click.echo(_CLOCK_MENDED.in_(language_here()), err=True)
        store.settle([settings.instance], [settings.instance / KEY_FILE])
        check_scopes(store)
        clock = ShiftedClock(store)
        return settings, build_context(settings, clock.now(), store), clock
    except Faulty as error:
        raise NotFit(error.faults) from error


def _sound_settings() -> Settings:
    """Reads the settings before the database is touched, and checks them, the files, and who may read what."""
    settings, faults = read_settings()
    try:
        faults += exposed(settings.instance, file_of(settings.database_url))
    except Refused as refused:
        faults.append(Fault("database_url", "", refused.sentence))
    if faults:
        raise NotFit([*faults, *read_files(settings.instance).faults])
    return settings


class NotFit(click.ClickException):
    """The installation is not fit to run: it lists every reason, and the command ends with 2."""

    exit_code = 2

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__("\n".join(fault.in_(language_here()) for fault in faults))


@contextmanager
def working_here(instance: Path) -> Iterator[None]:
    """Marks that the program works in this folder, so that no restore does."""
    with ExitStack() as held:
        try:
            held.enter_context(at_work(instance))
        except Refused as refused:
            raise NotFit([Fault(str(instance), "", refused.sentence)]) from refused
        except OSError as error:
            sentence = Sentence("The program cannot write here: {why}.", why=error.strerror or str(error))
            raise NotFit([Fault(str(error.filename or instance), "", sentence)]) from error
        yield


def _local(moment: dt.datetime, context: Context) -> dt.datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=context.definitions.calendar("").zone)


def listening(app: Flask, host: str, port: int) -> Server:
    """Opens the server at an address. Raises `Unusable` with the reason if nothing can listen there."""
    try:
        return Server(app, host, port)
    except (OSError, ValueError) as error:  # an impossible host name is a ValueError of the codec
        known = OS_ERRORS.get(error.errno or 0) if isinstance(error, OSError) else None
        raise Unusable(
            Sentence(
                "Nothing can listen at {host}, port {port}: {why}",
                host=host,
                port=port,
                why=known or Sentence("there is no such address on this machine."),
            )
        ) from error


@click.command("serve")
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=PORT, default=5000, show_default=True, help="The port to listen on.")
@click.option("--now", "moment", type=MOMENT, help='Let it be this local date-time, or "real" again; it is kept.')
@click.option("--no-worker", is_flag=True, help="Serve the pages only; the jobs run elsewhere (ralop worker).")
def serve(host: str, port: int, moment: dt.datetime | str | None, no_worker: bool) -> None:
    """Serve the pages and run the worker; the database is brought up to date first."""
    logs.configure()
    with working_here(instance_folder().absolute()):
        _serve(host, port, moment, no_worker=no_worker)


def _serve(host: str, port: int, moment: dt.datetime | str | None, *, no_worker: bool) -> None:
    settings, context, clock = opened_context()
    if moment:
        set_clock(context.store, _local(moment, context) if isinstance(moment, dt.datetime) else None)
        clock.forget()
    app = create_app(settings, context=context, clock=clock)
    server = listening(app, host, port)
    if settings.trusted_proxies:
        forget_undeclared(context.store)
    keep_what_is_loaded()
    with ExitStack() as running:
        running.callback(context.store.close)
        if not no_worker:
            worker = app.extensions[EXTENSION].worker = worker_for(context, clock)
            running.callback(worker.stop)
            worker.start()
        click.echo(Sentence("Ra Lớp is at {address}", address=f"http://{host}:{port}/").in_(language_here()))
        server.run()


@click.command("worker")
def worker() -> None:
    """Run the jobs without the pages, until the program is told to end."""
    logs.configure()
    with working_here(instance_folder().absolute()):
        _settings, context, clock = opened_context()
        working = worker_for(context, clock)
        keep_what_is_loaded()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda _signal, _frame: working.stop(0))
        working.run()
        context.store.close()
