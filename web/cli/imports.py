"""`ralop import pupils FILE`, `attendance FILE`, `gifts FILE`: lists of schools, registers, an association's gifts."""

from __future__ import annotations

import datetime as dt
import json
import sys
from pathlib import Path

import click

from engine.core.files.export import wrong_file
from engine.core.files.options import ADD, HOLD, KEEP, NOT_TAKEN, PRESENT, SAME, TAKE, Options
from engine.core.files.sheets import LIMITS
from engine.core.words import Sentence
from engine.usecases.attendance import importing
from engine.usecases.attendance.importing import ImportOutcome
from engine.usecases.support.import_gifts import bring_in
from web.cli.console import language_here, with_context
from web.cli.parameter_types import FILE as FILE_PATH
from web.cli.parameter_types import MONTH, NEW_FILE
from web.site.files import read_bytes

FILE = click.argument("file", type=FILE_PATH)
DRY = click.option("--dry-run", is_flag=True, help="Tell what would be done, and keep none of it.")
STRICT = click.option("--strict", is_flag=True, help="Bring in nothing at all if one row is wrong.")
WRONG = click.option("--wrong-rows", type=NEW_FILE, help="Write the wrong rows to this xlsx file.")
DATABASE = click.option("--database", help="Another database than the installation's, as a URL.")
SHOWN = 20  # wrong rows that are printed one by one


@click.command("pupils")
@FILE
@DRY
@STRICT
@WRONG
@click.option("--school", default="", help="The code of the school, where the file does not name it.")
@click.option("--class", "class_code", default="", help="The code of the class, where the file does not name it.")
@click.option(
    "--duplicates",
    type=click.Choice([HOLD, ADD, SAME]),
    default=HOLD,
    show_default=True,
    help="New codes of pupils who seem to be there already: hold them back, add them, or take them for the same.",
)
@click.option(
    "--take",
    "taken",
    multiple=True,
    metavar="CODE",
    help="Take another name or birth date of this pupil from the file. CODE@SCHOOL where it is of several schools.",
)
@click.option("--keep", "kept", multiple=True, metavar="CODE", help="Keep the name and birth date of this pupil.")
@DATABASE
def pupils(
    file: Path,
    dry_run: bool,
    strict: bool,
    wrong_rows: Path | None,
    school: str,
    class_code: str,
    duplicates: str,
    taken: tuple[str, ...],
    kept: tuple[str, ...],
    database: str | None,
) -> None:
    """Bring in the list of pupils in FILE (xlsx, xls, csv): add, change, move within a school; delete nobody.

    Another name or birth date under a known code is held back until you say which is right: --take or --keep.
    """
    if twice := sorted({*taken} & {*kept}):
        sentence = Sentence("Say either --take or --keep of {code}, not both.", code=twice[0])
        raise click.UsageError(sentence.in_(language_here()))
    decisions = dict.fromkeys(taken, TAKE) | dict.fromkeys(kept, KEEP)
    options = Options(
        class_code=class_code, school_code=school, duplicates=duplicates, decisions=decisions or None, strict=strict
    )
    _bring_in("pupils", file, options, dry_run, wrong_rows, database)


@click.command("attendance")
@FILE
@DRY
@STRICT
@WRONG
@click.option("--class", "class_code", default="", help="Take only rows of pupils in the class of this code.")
@click.option("--school", default="", help="The code of the school whose classes are named.")
@click.option("--month", type=MONTH, help="The month of a sheet that does not say it: 2026-09.")
@click.option(
    "--session",
    type=click.Choice(["m", "a", "ma"]),
    default="m",
    show_default=True,
    help="What a mark without a session stands for: morning, afternoon, both.",
)
@click.option(
    "--blank",
    type=click.Choice([PRESENT, NOT_TAKEN]),
    help="What no mark means in the file's sessions. Otherwise: present in a monthly sheet, not taken in a list.",
)
@DATABASE
def attendance(
    file: Path,
    dry_run: bool,
    strict: bool,
    wrong_rows: Path | None,
    class_code: str,
    school: str,
    month: dt.date | None,
    session: str,
    blank: str | None,
    database: str | None,
) -> None:
    """Bring in the register in FILE (xlsx, xls, csv): long lists, monthly sheets, daily summaries."""
    options = Options(
        class_code=class_code, school_code=school, month=month, session=session, strict=strict, blank=blank or ""
    )
    _bring_in("attendance", file, options, dry_run, wrong_rows, database)


@click.command("gifts")
@FILE
@DRY
@DATABASE
def gifts(file: Path, dry_run: bool, database: str | None) -> None:
    """Bring in receipts and gifts (csv, xlsx): all rows or, if one is wrong, none and all that is wrong.

    Columns: donor or case, fund or stock, kind, quantity, day; also reference, association, note. A row that is there
    already is left as it is, so the same file can be brought in again.
    """
    data = read_bytes(file, LIMITS.size)
    with with_context(database, language_here()) as (context, now):
        brought = bring_in(context, data, file.name, now, dry=dry_run)
    click.echo(json.dumps(brought.summary()))


def _bring_in(
    kind: str, file: Path, options: Options, dry: bool, wrong_rows: Path | None, database: str | None
) -> None:
    language, data = language_here(), read_bytes(file, LIMITS.size)
    with with_context(database, language) as (context, now):
        if dry:
            outcome = importing.dry_run(context, kind, data, options, now, progress=_progress)
        else:
            outcome = importing.run(context, kind, data, options, now, file_name=file.name, progress=_progress)
    click.echo(err=True)
    _tell(outcome, language)
    if wrong_rows is not None:
        wrong_rows.write_bytes(wrong_file(outcome.wrong_rows, language))
    click.echo(json.dumps(outcome.summary()))
    if outcome.state == "refused":
        raise SystemExit(1)


def _progress(done: int, total: int | None) -> None:
    """Prints one line that changes on a terminal, and one line for each piece elsewhere."""
    text = f"{done:,} / {total:,}" if total else f"{done:,}"
    click.echo(f"\r{text}" if sys.stderr.isatty() else text, err=True, nl=not sys.stderr.isatty())


def _tell(outcome: ImportOutcome, language: str) -> None:
    """Prints what there is beside the numbers. Only codes: a terminal's history must not contain children's names."""
    for note in outcome.report.get("notes", ()):
        click.echo(importing.label(note).in_(language), err=True)
    for row in outcome.wrong_rows[:SHOWN]:
        place = " ".join(part for part in (row.sheet, str(row.row)) if part)
        for why in row.why:
            click.echo(Sentence("Row {row}: {why}", row=place, why=why).in_(language), err=True)
    for twin in outcome.report.get("duplicates", ())[:SHOWN]:
        sentence = Sentence("{code} may be the same pupil as {like}.", code=twin["code"], like=twin["like"])
        click.echo(sentence.in_(language), err=True)
    for held in outcome.report.get("held", ())[:SHOWN]:
        sentence = Sentence("{code}: another name or birth date, held. Decide with --take or --keep.", code=held["key"])
        click.echo(sentence.in_(language), err=True)
    if count := outcome.report.get("vanished_count"):
        codes = ", ".join(outcome.report["vanished"][:SHOWN])
        click.echo(
            Sentence("Enrolled, but not in the file ({count}): {codes}", count=count, codes=codes).in_(language),
            err=True,
        )
    if outcome.state == "refused":
        click.echo(Sentence("Nothing was brought in, because rows are wrong.").in_(language), err=True)
