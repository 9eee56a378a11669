"""`ralop user …`: accounts, posts and absences, for the people who run the installation."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager
from zoneinfo import ZoneInfo

import click
import segno

from engine.core.people.roles import RoleBook
from engine.core.refusals import Invalid, Refused
from engine.core.words import Faulty, Label, Sentence
from engine.store.ops.schema import upgrade
from engine.store.ops.time_source import ShiftedClock
from engine.store.session import Store
from engine.usecases.cases.reseat import Going, Reseated
from engine.usecases.context import Context
from engine.usecases.people import absences, accounts, signin_codes
from web.account.codes import address_of
from web.account.going import alone_words, going_words
from web.cli.console import language_here, opened, operator
from web.cli.parameter_types import DAY
from web.site.composition import build_context
from web.site.read_roles import read_roles
from web.site.settings import load_settings

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


LOGIN = click.argument("login")
ROLE = click.argument("role")
UNIT = click.argument("unit")
DATABASE = click.option("--database", help="Another database than the installation's, as a URL.")
DRY_RUN = click.option("--dry-run", is_flag=True, help="Only say where the open cases would go today.")


@contextmanager
def _desk(database: str | None) -> Iterator[tuple[Store, dt.datetime, dt.date]]:
    """Gives a command the database, the moment and the day; a refusal is printed and ends with 1."""
    store = opened(database, make=True)
    upgrade(store)
    now = ShiftedClock(store).now()
    try:
        yield store, now, now.astimezone(ZONE).date()
    except Invalid as invalid:
        raise SystemExit(
            "\n".join(f"{name}: {sentence.in_(language_here())}" for name, sentence in invalid.fields.items())
        ) from invalid
    except Refused as refused:
        raise SystemExit(refused.sentence.in_(language_here())) from refused
    finally:
        store.close()


def _say(sentence: Sentence) -> None:
    click.echo(sentence.in_(language_here()))


def _say_password(login: str, password: str) -> None:
    _say(Sentence("One-time password of {login}: {password}", login=login, password=password))
    _say(Sentence("It is shown this once; it must be changed at the first sign-in."))


@click.group("user")
def user() -> None:
    """Accounts, posts and absences."""


@user.command("add")
@LOGIN
@click.argument("name")
@click.option("--phone", default="")
@click.option("--email", default="")
@click.option("--language", type=click.Choice(["vi", "en"]), default="vi")
@DATABASE
def add(login: str, name: str, phone: str, email: str, language: str, database: str | None) -> None:
    """Make an account for NAME; prints a password that works once."""
    with _desk(database) as (store, now, _today):
        password = accounts.add_person(
            store, login, name, now, phone=phone, email=email, language=language, by=operator()
        )
        _say_password(login, password)


@user.command("reset")
@LOGIN
@DATABASE
def reset(login: str, database: str | None) -> None:
    """Give a new password that works once, and sign the person out everywhere."""
    with _desk(database) as (store, now, _today):
        _say_password(login, accounts.reset_password(store, login, now, operator()))


@user.command("code")
@LOGIN
@DATABASE
def code(login: str, database: str | None) -> None:
    """Make a code with which the person signs in once, as digits and as a QR code."""
    settings = load_settings().sign_in
    with _desk(database) as (store, now, _today):
        slip = signin_codes.make(store, login, operator(), settings.code_lasts, now)
    until = f"{slip.expires_at.astimezone(ZONE):%H:%M %d/%m/%Y}"
    page = f"{settings.origin}/login/code"
    _say(Sentence("One-time code of {login}: {code}", login=slip.login, code=slip.code))
    _say(Sentence("It opens once, until {when}, on the page {page}. It is shown this once.", when=until, page=page))
    click.echo(drawn(address_of(slip, page)))


def drawn(address: str) -> str:
    """Draws the QR code of an address for a terminal with light letters on a dark ground."""
    picture = io.StringIO()
    segno.make_qr(address).terminal(out=picture, border=2, compact=True)
    return picture.getvalue()


@user.command("disable")
@LOGIN
@DRY_RUN
@DATABASE
def disable(login: str, database: str | None, *, dry_run: bool) -> None:
    """Shut an account at once; its history stays, and its open cases go to whoever answers for them."""
    with _desk(database) as (store, now, _today):
        context = _context(store, now)
        if dry_run:
            _say_going(login, accounts.going(context, login, now))
            return
        going = accounts.disable(context, login, now, operator())
        _say(Sentence("{login} can no longer sign in.", login=login))
        _say_going(login, going)


def _say_going(login: str, going: Going) -> None:
    """Says how many open cases somebody leaves, and where they go."""
    for sentence in going_words(login, going):
        _say(sentence)


@user.command("enable")
@LOGIN
@DATABASE
def enable(login: str, database: str | None) -> None:
    """Open a shut account again."""
    with _desk(database) as (store, now, _today):
        moved = accounts.enable(_context(store, now), login, now, operator())
        _say(Sentence("{login} can sign in again.", login=login))
        _say_came(moved)


def _context(store: Store, now: dt.datetime) -> Context:
    try:
        return build_context(load_settings(), now, store)
    except Faulty as faulty:
        raise SystemExit("\n".join(fault.in_(language_here()) for fault in faulty.faults)) from faulty


def _roles() -> RoleBook:
    """Returns the roles of the installation; ends with 1 if a file has faults."""
    try:
        return read_roles(load_settings().instance)
    except Faulty as faulty:
        raise SystemExit("\n".join(fault.in_(language_here()) for fault in faulty.faults)) from faulty


@user.command("appoint")
@LOGIN
@ROLE
@UNIT
@click.option("--from", "first", type=DAY, help="The first day; today if not said.")
@click.option("--to", "last", type=DAY, help="The last day; without an end if not said.")
@DATABASE
def appoint(
    login: str, role: str, unit: str, first: dt.date | None, last: dt.date | None, database: str | None
) -> None:
    """Let a person hold ROLE in the unit with this code."""
    with _desk(database) as (store, now, today):
        context, by = _context(store, now), operator()
        moved = accounts.appoint(context, login, role, unit, first or today, last, now=now, by=by)
        _say(
            Sentence(
                "{login} is {role}, {unit}, from {first} on.",
                login=login,
                role=context.definitions.roles.labels[role],
                unit=unit,
                first=first or today,
            )
        )
        _say_came(moved)


def _say_came(moved: Reseated) -> None:
    if moved.codes:
        count = len(moved.codes)
        _say(Sentence("{count} cases that waited elsewhere have come to a post that is filled again.", count=count))


@user.command("dismiss")
@LOGIN
@ROLE
@UNIT
@click.option("--to", "last", type=DAY, help="The last day; today if not said.")
@DRY_RUN
@DATABASE
def dismiss(login: str, role: str, unit: str, last: dt.date | None, database: str | None, *, dry_run: bool) -> None:
    """Let a post end; open cases go to whoever answers for them then."""
    with _desk(database) as (store, now, today):
        context, by = _context(store, now), operator()
        if dry_run:
            _say_going(login, accounts.going(context, login, now))
            return
        going = accounts.end_appointment(context, login, role, unit, last or today, now=now, by=by)
        _say(
            Sentence(
                "{login} is {role}, {unit}, until {last}.",
                login=login,
                role=context.definitions.roles.labels.get(role, Label(role, role)),
                unit=unit,
                last=last or today,
            )
        )
        _say_going(login, going)


@user.command("delegate")
@LOGIN
@click.option("--by", "stand_in", metavar="LOGIN", help="Who acts meanwhile; the next one up if nobody does.")
@click.option("--from", "first", type=DAY, help="The first day away; today if not said.")
@click.option("--to", "last", type=DAY, required=True, help="The last day away.")
@click.option("--reason", default="")
@DRY_RUN
@DATABASE
def delegate(
    login: str,
    stand_in: str | None,
    first: dt.date | None,
    last: dt.date,
    reason: str,
    database: str | None,
    *,
    dry_run: bool,
) -> None:
    """A person is away: somebody acts for them."""
    with _desk(database) as (store, now, today):
        context = _context(store, now)
        person = accounts.person_of(store, login)
        other = accounts.person_of(store, stand_in) if stand_in else None
        if dry_run:
            _say_going(login, absences.going(context, person, other, now))
            return
        entered = absences.enter(context, person, other, first or today, last, reason, now, by=operator())
        _say(Sentence("{login} is away from {first} to {last}.", login=login, first=first or today, last=last))
        if entered.alone:
            _say(alone_words(entered.alone))
        _say_going(login, entered.going)


@user.command("hand-over")
@LOGIN
@click.argument("to")
@DATABASE
def hand_over(login: str, to: str, database: str | None) -> None:
    """All posts and open cases of a person who leaves go to TO, at once."""
    with _desk(database) as (store, now, _today):
        case_codes = accounts.hand_over(_context(store, now), login, to, now, operator())
        _say(
            Sentence(
                "{to} has the posts of {login} now, and {count} open cases.",
                to=to,
                login=login,
                count=len(case_codes),
            )
        )


@user.command("list")
@DATABASE
def list_people(database: str | None) -> None:
    """Everybody, with the posts they hold today."""
    language = language_here()
    with _desk(database) as (store, _now, today):
        labels = _roles().labels
        for member in accounts.members(store, today):
            held = [
                f"{labels.get(role, Label(role, role)).in_(language)}: {name} ({code})"
                for role, code, name in member.posts
            ]
            if member.disabled:
                held.append(Sentence("account shut").in_(language))
            if member.away_until:
                held.append(Sentence("away until {day}", day=member.away_until).in_(language))
            click.echo(f"{member.login}\t{member.name}\t{'; '.join(held)}")
