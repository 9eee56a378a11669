"""Changes accounts and posts: who exists, who answers for what and until when.

These are the acts of the people who run the installation; they decide nothing about pupils. The first and the last day
of a post are included. `by` is the administrator who acts, or the operator at the command line. Each act on an account
or a post is noted, and the people concerned are told (`engine.core.people.account_events`). Nobody gives power to
themselves, and an administrator always remains: all functions raise `NotAllowed` as `engine.usecases.people.powers`
says.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import replace

from engine.core.cases.casework import Actor, Casework
from engine.core.cases.facts import Facts
from engine.core.people import account_events, passwords
from engine.core.people.access import Viewer, reach
from engine.core.people.account_events import By
from engine.core.people.roles import RoleBook
from engine.core.refusals import Conflict, Invalid, NotAllowed, NotFound
from engine.core.text import tidy
from engine.core.toml_reader import unknown
from engine.core.units.kinds import KINDS
from engine.core.words import LANGUAGES, Sentence
from engine.store.cases import writer
from engine.store.cases.surroundings import caseworks_of
from engine.store.people import signins, staffing
from engine.store.people.account_events import PostHeld, note, note_absence
from engine.store.people.staff import viewer_of
from engine.store.people.staffing import Member
from engine.store.session import Session, Store
from engine.store.units.units import UnitHere, unit_at
from engine.usecases.cases import reseat as reseating
from engine.usecases.cases.reseat import Going, Reseated
from engine.usecases.context import Context
from engine.usecases.people.powers import changing, not_for_oneself

LONGEST = {"name": 120, "phone": 32, "email": 200}
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._@-]{1,63}")


# --- accounts ---------------------------------------------------------------------------------------------------------


def add_person(
    store: Store,
    login: str,
    name: str,
    now: dt.datetime,
    *,
    phone: str = "",
    email: str = "",
    language: str = "vi",
    password: str | None = None,
    by: By = None,
) -> str:
    """Makes an account and returns its password, for one use: it must be changed at the first sign-in.

    `password` sets one that need not be changed: for demos and tests only. Raises `Invalid` by field, or `Conflict` if
    the login is taken.
    """
    login, name = login.strip().lower(), tidy(name)
    _check(login, name, {"phone": phone, "email": email}, language)
    chosen = password or passwords.one_time()
    with changing(store, "add a person", by, now) as session:
        if staffing.person_id(session, login) is not None:
            raise Conflict(Sentence("There is somebody with the login “{login}” already.", login=login))
        person = staffing.add_person(
            session,
            login,
            name,
            now,
            phone=tidy(phone) or None,
            email=email.strip() or None,
            language=language,
            password_hash=passwords.hash(chosen),
            must_change=password is None,
        )
        note(session, account_events.MADE, person, by, now)
    return chosen


def _check(login: str, name: str, others: Mapping[str, str], language: str) -> None:
    wrong = {}
    if not _LOGIN.fullmatch(login):
        wrong["login"] = Sentence("A login has 2 to 64 small letters a-z, digits, or . _ @ - between them.")
    if not name:
        wrong["name"] = Sentence("Give the person's name.")
    for key, text in {"name": name, **others}.items():
        if len(text) > LONGEST[key]:
            wrong[key] = _too_long(key, text)
    if language not in LANGUAGES:
        wrong["language"] = Sentence("This must be one of: {known}.", known=list(LANGUAGES))
    if wrong:
        raise Invalid(wrong)


def _too_long(key: str, text: str) -> Sentence:
    return Sentence("This is {length} characters long; {most} is the most.", length=len(text), most=LONGEST[key])


def reset_password(store: Store, login: str, now: dt.datetime, by: By = None) -> str:
    """Sets a new one-time password; every device must sign in again. Raises `NotFound`; `NotAllowed` to oneself."""
    chosen = passwords.one_time()
    with changing(store, "reset a password", by, now) as session:
        person = _person(session, login)
        not_for_oneself(person, by)
        staffing.set_one_time(session, person, passwords.hash(chosen))
        signins.revoke(session, person, now, signins.ADMIN)
        note(session, account_events.PASSWORD, person, by, now)
    return chosen


def disable(context: Context, login: str, now: dt.datetime, by: By = None) -> Going:
    """Disables an account at once and ends its sign-ins. Returns where the person's open cases have gone.

    The posts become vacant at once; what the person had goes to whoever answers for it now. Raises `NotFound`.
    """
    with changing(context.store, "disable an account", by, now) as session:
        person = _person(session, login)
        watched = reseating.watch(session, [person], context, now)
        if staffing.set_disabled(session, person, now):
            note(session, account_events.SHUT, person, by, now)
        signins.revoke(session, person, now, signins.ADMIN)
        return watched.after(reseating.reseat_people(session, context, [person], now))


def enable(context: Context, login: str, now: dt.datetime, by: By = None) -> Reseated:
    """Enables a disabled account again; what passed over the person's posts meanwhile comes back. Raises `NotFound`."""
    with changing(context.store, "enable an account", by, now) as session:
        person = _person(session, login)
        if staffing.set_disabled(session, person, None):
            note(session, account_events.OPENED, person, by, now)
        return reseating.reseat_people(session, context, [person], now)


def members(store: Store, today: dt.date) -> list[Member]:
    """Returns everybody, by login, with the posts they hold today."""
    with store.reading("list people") as session:
        return staffing.members(session, today)


def person_of(store: Store, login: str) -> int:
    """Returns the id of the person with this login. Raises `NotFound`."""
    with store.reading("who is meant") as session:
        return _person(session, login, locked=False)


# --- posts ------------------------------------------------------------------------------------------------------------


def appoint(
    context: Context,
    login: str,
    role: str,
    unit: str,
    first_day: dt.date,
    last_day: dt.date | None = None,
    *,
    now: dt.datetime,
    by: By = None,
) -> Reseated:
    """Gives a person a role in the unit that has this code on the first day; what passed over the post comes to it.

    Raises `NotFound`; `Invalid` for a role that does not exist in such a unit;
    `Conflict` if they already hold it.
    """
    _in_order(first_day, last_day)
    with changing(context.store, "appoint", by, now) as session:
        person, unit_id = _person(session, login), _unit_for(session, context.definitions.roles, role, unit, first_day)
        if staffing.has_post(session, person, role, unit_id, first_day, last_day):
            raise Conflict(Sentence("This person holds that post already in these days."))
        _appoint(session, person, PostHeld(role, unit_id, first_day, last_day), now, by)
        return reseating.reseat_people(session, context, [person], now)


def _appoint(session: Session, person: int, post: PostHeld, now: dt.datetime, by: By) -> None:
    staffing.add_post(session, person, post.role, post.unit_id, post.first, post.last)
    note(session, account_events.APPOINTED, person, by, now, post)


def end_appointment(
    context: Context, login: str, role: str, unit: str, last_day: dt.date, *, now: dt.datetime, by: By = None
) -> Going:
    """Ends a post of a person after `last_day`, also in a role that no file has any more.

    Returns where their open cases are then. Raises `NotFound` if they do not hold it then.
    """
    with changing(context.store, "end an appointment", by, now) as session:
        person, unit_id = _person(session, login), _unit(session, unit, last_day).id
        watched = reseating.watch(session, [person], context, now)
        ended = staffing.end_posts(session, person, last_day + staffing.DAY, role=role, unit=unit_id)
        if not ended:
            raise NotFound(Sentence("This person does not hold that post after {day}.", day=last_day))
        for post in ended:
            note(session, account_events.ENDED, person, by, now, post)
        return watched.after(reseating.reseat_people(session, context, [person], now))


def end_post(
    context: Context, person_id: int, appointment_id: int, last_day: dt.date, *, now: dt.datetime, by: By = None
) -> Going:
    """Ends one appointment of a person after `last_day`, even if its unit has ended; returns where their open cases are
    then.

    Raises `NotFound`; `Invalid` for a day on which it has already ended: that would be a new appointment.
    """
    with changing(context.store, "end a post", by, now) as session:
        watched = reseating.watch(session, [person_id], context, now)
        post = staffing.post_held(session, person_id, appointment_id)
        if post is None:
            raise NotFound(Sentence("This person does not hold that post."))
        if post.last is not None and last_day > post.last:
            raise Invalid(
                {"last_day": Sentence("The post ends with {day}: for later days appoint anew.", day=post.last)}
            )
        if post.last != last_day:
            staffing.end_post(session, appointment_id, last_day + staffing.DAY)
            note(session, account_events.ENDED, person_id, by, now, replace(post, last=last_day))
        return watched.after(reseating.reseat_people(session, context, [person_id], now))


def end_all(session: Session, person_id: int, today: dt.date, now: dt.datetime, by: By) -> None:
    """Ends all posts and stand-ins of a person who leaves, from today on."""
    for person, delegate, first, last in staffing.end_absences(session, person_id, today):
        note_absence(session, (account_events.BACK, account_events.STOOD_IN), person, delegate, (first, last), by, now)
    for post in staffing.end_posts(session, person_id, today):
        note(session, account_events.ENDED, person_id, by, now, post)


def hand_over(context: Context, login: str, to: str, now: dt.datetime, by: By = None) -> list[str]:
    """Gives all posts and open cases of a person who leaves to another; an offer to a post stays with the post.

    Returns the codes of the cases. The account stays; `disable` ends it. Raises `NotFound`; `Invalid` for the same
    person; `NotAllowed`, with nothing changed, if a case cannot be the other's.
    """
    today = context.definitions.calendar("").local(now).date()
    with changing(context.store, "hand over", by, now) as session:
        leaver, follower = _person(session, login), _person(session, to)
        if leaver == follower:
            raise Invalid({"to": Sentence("Nobody stands in for themselves.")})
        before = viewer_of(session, leaver, today, context.definitions.roles)
        _move_posts(session, leaver, follower, today, now, by)
        found = staffing.cases_of(session, leaver)
        works = caseworks_of(session, context.definitions, found, now)
        after = viewer_of(session, follower, today, context.definitions.roles)
        for work in works:
            _assign(work, before, after)
        writer.store(session, works)
        reseating.reseat_people(session, context, [leaver, follower], now)
        return [facts.code for facts in found]


def leave(context: Context, person_id: int, now: dt.datetime, by: By = None) -> Going:
    """Handles a person who leaves without a successor: posts end today, each open case goes to whoever is responsible.

    `hand_over` is for a named successor. `by`: the administrator. Returns where the cases have gone. Raises
    `NotAllowed` for the last administrator.
    """
    today = context.definitions.calendar("").local(now).date()
    with changing(context.store, "leave", by, now) as session:
        watched = reseating.watch(session, [person_id], context, now)
        end_all(session, person_id, today, now, by)
        return watched.after(reseating.reseat_people(session, context, [person_id], now))


def going(context: Context, login: str, now: dt.datetime) -> Going:
    """Returns where the open cases of a person would go if they left today. Raises `NotFound`."""
    with context.store.reading("where the cases of a person would go") as session:
        return reseating.suppose(session, context, _person(session, login, locked=False), None, now)


def _move_posts(session: Session, leaver: int, follower: int, today: dt.date, now: dt.datetime, by: By) -> None:
    for role, unit in staffing.posts(session, leaver, today):
        if not staffing.has_post(session, follower, role, unit, today, today):
            _appoint(session, follower, PostHeld(role, unit, today, None), now, by)
    end_all(session, leaver, today, now, by)


def _assign(work: Casework, before: Viewer, after: Viewer) -> None:
    facts = work.facts
    role = _role_for(work, after, facts)
    if role is None:
        raise NotAllowed(
            Sentence(
                "No post of that person answers for the case {code}: assign it to somebody first.", code=facts.code
            )
        )
    roles = reach(before, facts, facts.id) | {role}
    work.assign(Actor(before.person_id, roles), after.person_id, role, {})


def _role_for(work: Casework, viewer: Viewer, facts: Facts) -> str | None:
    owner = work.situation.workflow.states[facts.state].owner or ""
    roles = reach(viewer, facts, facts.id)
    return next((role for role in work.roles.ladder(owner) if role in roles), None)


# --- what they share --------------------------------------------------------------------------------------------------


def _person(session: Session, login: str, *, locked: bool = True) -> int:
    person = staffing.person_id(session, login.strip().lower(), locked=locked)
    if person is None:
        raise NotFound(Sentence("There is nobody with the login “{login}”.", login=login))
    return person


def _unit(session: Session, code: str, day: dt.date) -> UnitHere:
    unit = unit_at(session, code, day)
    if unit is None:
        raise NotFound(Sentence("There is no unit “{code}” on {day}.", code=code, day=day))
    return unit


def _unit_for(session: Session, roles: RoleBook, role: str, code: str, day: dt.date) -> int:
    held_in = roles.held_in
    if role not in held_in:
        raise Invalid({"role": unknown(role, held_in, Sentence("role"))})
    unit = _unit(session, code, day)
    if unit.kind not in held_in[role]:
        kinds = [KINDS[kind] for kind in held_in[role]]
        sentence = Sentence(
            "“{name}” is {kind}; the role {role} is held in: {kinds}.",
            name=unit.name,
            kind=KINDS[unit.kind],
            role=roles.labels[role],
            kinds=kinds,
        )
        raise Invalid({"unit": sentence})
    return unit.id


def _in_order(first: dt.date, last: dt.date | None) -> None:
    if last is not None and last < first:
        raise Invalid({"last_day": Sentence("The last day is before the first one.")})
