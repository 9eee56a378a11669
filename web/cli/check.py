"""`ralop check [FILE...]`: every fault and warning of the files that people write, before the program runs on them."""

from __future__ import annotations

import locale
from pathlib import Path

import click

from engine.core.words import Sentence
from web.site.definition_files import FOLDERS, NOTHING, ROOT, check_files, expanded, files_below
from web.site.settings import instance_folder


def language_here() -> str:
    """Returns the language of this terminal: Vietnamese if its locale says so, else English."""
    return "vi" if (locale.getlocale()[0] or "").lower().startswith("vi") else "en"


@click.command("check")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--instance", type=click.Path(path_type=Path), default=instance_folder, help="The installation's folder.")
@click.option(
    "--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of what is said."
)
def check(files: tuple[Path, ...], instance: Path, language: str) -> None:
    """Say what is wrong with FILES, or with every file that is shipped or in the instance folder.

    Workflows, rules, calendars and roles are told apart by their content. Ends with 1 if there is a fault, with 2 if
    FILES are folders without any; warnings are no faults.
    """
    own, shipped = (
        files_below(instance / folder for folder in FOLDERS),
        files_below(ROOT / folder for folder in FOLDERS),
    )
    if files:
        found = expanded(files)
        if not found:
            click.echo(
                Sentence("There is no file here: a folder is looked through for files that end in .toml.").in_(language)
            )
            raise SystemExit(NOTHING)
        report = check_files(found, beside=[own, shipped], instance=instance)
    else:
        report = check_files(own, beside=[shipped], instance=instance) + check_files(shipped)
    for fault in report.faults:
        click.echo(fault.in_(language))
    for warning in report.warnings:
        click.echo(Sentence("Warning: {warning}", warning=warning.in_(language)).in_(language))
    count = {"files": report.files, "faults": len(report.faults), "warnings": len(report.warnings)}
    click.echo(Sentence("Files: {files}. Faults: {faults}. Warnings: {warnings}.", **count).in_(language))
    if report.faults:
        raise SystemExit(1)
