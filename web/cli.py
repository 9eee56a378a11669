"""The command `ralop`. Each subject's commands live in a module of their own, `web/cli_*.py`."""

from __future__ import annotations

import click

from web.cli_check import check
from web.cli_deadline import deadline
from web.cli_serve import serve
from web.cli_verify import verify_chains

COMMANDS: tuple[click.Command, ...] = (check, deadline, serve, verify_chains)
"""Every command; a new one is added here."""


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="ralop")
def main() -> None:
    """Ra Lớp: keeps pupils in school. Serve the pages, run the worker, check files, play scenarios."""


for _command in COMMANDS:
    main.add_command(_command)
