"""The command `ralop`. Each subject has a module in `web/cli`; this module lists them."""

from __future__ import annotations

import os

import click

from web.cli.backup import backup
from web.cli.books import write_books
from web.cli.check import check
from web.cli.command_line import Program
from web.cli.deadline import deadline, recounted
from web.cli.demo import demo
from web.cli.explain import explain
from web.cli.imports import attendance, gifts, pupils
from web.cli.merge import merge
from web.cli.migrate import migrate
from web.cli.play import play_scenarios
from web.cli.restore import restore_backup
from web.cli.serve import serve, worker
from web.cli.simulate import simulate_rules
from web.cli.status import status
from web.cli.units import units
from web.cli.user import user
from web.cli.verify import verify_chains
from web.cli.watch import watch_day

COMMANDS: tuple[click.Command, ...] = (
    backup,
    check,
    deadline,
    demo,
    explain,
    merge,
    migrate,
    play_scenarios,
    restore_backup,
    serve,
    simulate_rules,
    status,
    user,
    verify_chains,
    watch_day,
    worker,
    write_books,
)
PRIVATE = 0o077
"""What the commands leave out of the mode of new files: they hold children's data, and are for their owner alone."""
IMPORTS: tuple[click.Command, ...] = (units, pupils, attendance, gifts)
"""What `ralop import` takes in: each a file of its own kind."""
RECOUNTS: tuple[click.Command, ...] = (recounted,)
"""What `ralop recount` counts again."""


@click.group(cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ralop")
@click.pass_context
def main(context: click.Context) -> None:
    """Ra Lớp: keeps pupils in school. Serve the pages, run the worker, check files, play scenarios."""
    before = os.umask(PRIVATE)
    context.call_on_close(lambda: os.umask(before))


@main.group("import")
def imports() -> None:
    """Take in units, pupils, attendance or gifts from a file."""


@main.group("recount")
def recounts() -> None:
    """Count again what follows the calendar."""


for _command in COMMANDS:
    main.add_command(_command)
for _command in IMPORTS:
    imports.add_command(_command)
for _command in RECOUNTS:
    recounts.add_command(_command)
