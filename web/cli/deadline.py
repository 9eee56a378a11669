"""`ralop deadline`: says when a duration is up under a calendar, and which days counted, to try out a calendar file.
`ralop recount deadlines`: counts all open deadlines again, as the calendar files have it now.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import click

import rules
from engine.core.calendar import (
    Calendar,
    ClosedDays,
    Duration,
    Pause,
    UnreadableValue,
    clock_of,
    load_calendar,
    merge,
    parse_weekdays,
)
from engine.core.calendar.span import is_known, outside
from engine.core.words import Faulty, Sentence
from engine.usecases.calendar.recount import Recounted, recount_deadlines
from web.cli.console import language_here, with_context
from web.site.files import read_text
from web.site.settings import instance_folder

SHIPPED = Path(rules.__file__).parent / "calendars"
# The program knows the days of Tết between these: its lunar calendar ends there.


def calendar_named(name: str | None) -> Calendar:
    """Returns a calendar by its name or path; without one, all shipped ones, as one calendar.

    Raises Faulty for a file with faults and Unreadable for a missing file.
    """
    paths = [_path(name)] if name else sorted(SHIPPED.glob("*.toml"))
    return merge([load_calendar(read_text(path), path.name) for path in paths])


def _path(name: str) -> Path:
    own = (
        instance_folder() / "rules" / "calendars"
    )  # an operator's own versions come before the shipped ones with the same name
    for path in (own / f"{name}.toml", SHIPPED / f"{name}.toml", Path(name)):
        if path.is_file():
            return path
    known = sorted({path.stem for folder in (own, SHIPPED) for path in folder.glob("*.toml")})
    raise UnreadableValue(Sentence("There is no calendar {name}; there are: {known}.", name=name, known=known))


def _moment(text: str, calendar: Calendar) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(text)
    except ValueError:
        raise UnreadableValue(
            Sentence("{text} is not a date-time; write for example 2026-03-02T16:00.", text=text)
        ) from None
    if not is_known(moment):
        raise UnreadableValue(outside(text))
    return (moment if moment.tzinfo else moment.replace(tzinfo=calendar.zone)).astimezone(dt.UTC)


def _pause(text: str, calendar: Calendar) -> Pause:
    start, slash, end = text.partition("/")
    pause = Pause(_moment(start, calendar), _moment(end, calendar) if end else None)
    if not slash or (pause.end and pause.end <= pause.start):
        raise UnreadableValue(
            Sentence(
                "{text} is not a pause; write FROM/TO, or FROM/ if it has no end, for example "
                "2026-03-03T08:00/2026-03-04T17:00.",
                text=text,
            )
        )
    return pause


def _closure(text: str) -> ClosedDays:
    first, _, last = text.partition("/")
    try:
        closure = ClosedDays(dt.date.fromisoformat(first), dt.date.fromisoformat(last or first), "", "")
    except ValueError:
        closure = None
    if closure is None or closure.last < closure.first:
        raise UnreadableValue(
            Sentence("{text} are not days; write DAY or FIRST/LAST, for example 2026-03-03/2026-03-05.", text=text)
        )
    return closure


@click.command("deadline")
@click.argument("duration")
@click.option("--from", "start", required=True, help="When it begins: a local date-time such as 2026-03-02T16:00.")
@click.option("--calendar", "name", help="A calendar file, or the name of one; without it, all that ship.")
@click.option("--school-days", "weekdays", help='The weekdays the class is taught, such as "mon-sat".')
@click.option("--closed", multiple=True, help="Days without class: DAY or FIRST/LAST. May be given again.")
@click.option(
    "--pause", multiple=True, help="When the clock is held: FROM/TO, or FROM/ without end. May be given again."
)
@click.option("--why", is_flag=True, help="Also say which days were counted and which were not.")
@click.option(
    "--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of what is said."
)
def deadline(
    duration: str,
    *,
    start: str,
    name: str | None,
    weekdays: str | None,
    closed: tuple[str, ...],
    pause: tuple[str, ...],
    why: bool,
    language: str,
) -> None:
    """Print when DURATION, such as "3 working days", is up: the local date-time."""
    try:
        calendar = calendar_named(name)
        clock = clock_of(
            calendar,
            weekdays=parse_weekdays(weekdays) if weekdays else None,
            closures=map(_closure, closed),
            pauses=[_pause(text, calendar) for text in pause],
        )
        found = clock.explain(_moment(start, calendar), Duration.parse(duration))
    except Faulty as error:
        raise click.ClickException("\n".join(fault.in_(language) for fault in error.faults)) from error
    except UnreadableValue as error:
        raise click.ClickException(error.sentence.in_(language)) from error
    never = Sentence("There is no deadline while the clock is held.")
    if not any(text.endswith("/") for text in pause):
        never = Sentence("There is no deadline: no day counts in the next hundred years.")
    moment = calendar.local(found.at).replace(tzinfo=None).isoformat(timespec="seconds") if found.at else None
    click.echo(moment or never.in_(language))
    for line in found.words() if why else ():
        click.echo(line.in_(language))


@click.command("deadlines")
@click.option("--database", help="Another database than the installation's, as a URL.")
@click.option("--language", type=click.Choice(["vi", "en"]), default=language_here, help="The language of the answer.")
def recounted(*, database: str | None, language: str) -> None:
    """Count the deadlines of all open cases again, as the calendar files have it now.

    The worker does this by itself when a file has changed. Can be stopped at any time and run again: it goes on from
    there. What rules have fired stays fired.
    """

    def progress(counted: Recounted) -> None:
        click.echo(Sentence("{count} cases looked at", count=counted.looked).in_(language), err=True)

    with with_context(database, language) as (context, now):
        counted = recount_deadlines(context, now, progress=progress)
    said = Sentence("{looked} open cases: {moved} deadlines moved.", looked=counted.looked, moved=counted.moved)
    click.echo(said.in_(language))
