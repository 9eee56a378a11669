"""Reads everything that a case page shows; each part takes one look into an index.

`engine.core.people.access.reach` decides from the facts of the case whether the viewer may open it. The scoped session
then narrows what the viewer sees, as everywhere.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sqlalchemy import BindParameter, ColumnElement, Executable, and_, bindparam, exists, or_, select
from sqlalchemy.orm import Session, aliased

from engine.core.cases.casework import FOR
from engine.core.cases.facts import Facts, Fired
from engine.core.cases.timeline_filters import Only
from engine.core.people.access import REFERRED, SEATS, Viewer, reach
from engine.core.refusals import NoAccess, NotFound
from engine.core.words import Sentence
from engine.store import tables as t
from engine.store.bulk import among
from engine.store.cases.cases import find_case
from engine.store.cases.companions import CompanionRow, companions
from engine.store.cases.difficulties import Shown, of_case
from engine.store.scopes import beyond_scope

EVENTS = 30  # of the timeline on one page
NEVER = 2**31 - 1  # larger than the number of any event


@dataclass(frozen=True, slots=True)
class Who:
    """The pupil, for viewers who may know."""

    pupil_id: int
    name: str
    birth_date: dt.date | None
    guardian: str | None
    guardian_phone: str | None
    address: str | None
    klass: str
    school: str
    village: str | None
    commune: str | None


@dataclass(frozen=True, slots=True)
class Happened:
    """An event with who did it and, if the viewer may read it, what they wrote."""

    seq: int
    kind: str
    at: dt.datetime
    person_id: int | None
    person: str | None
    role: str | None
    data: Mapping[str, Any]
    text: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Given:
    """Support that was given."""

    seq: int
    kind: str
    quantity: str
    unit: str
    value: int | None
    giver: str | None
    programme: str | None
    given_on: dt.date
    received_by: str | None


@dataclass(frozen=True, slots=True)
class Contact:
    """A person with a duty towards the pupil, and how to call them."""

    role: str
    name: str
    phone: str | None


@dataclass(frozen=True, slots=True)
class Beside:
    """What a case page shows beside the case."""

    events: tuple[Happened, ...] = ()
    older: bool = False
    causes: tuple[str, ...] = ()
    needs: tuple[tuple[str, str | None], ...] = ()
    support: tuple[Given, ...] = ()
    planned: tuple[tuple[str, dt.datetime], ...] = ()
    holds: tuple[tuple[dt.datetime, dt.datetime | None, str], ...] = ()  # times in which the clock stands still
    # The rules that fired since the case entered its state: how often, and when last.
    fired: Mapping[str, Fired] = field(default_factory=dict)
    companions: tuple[CompanionRow, ...] = ()  # including those who were taken off the list
    difficulties: tuple[Shown, ...] = ()  # those that wait for an answer
    newest: tuple[Happened, ...] = ()  # the newest events, without the filter of the page
    contacts: tuple[Contact, ...] = ()
    siblings: tuple[tuple[str, str], ...] = ()  # code and name
    units: Mapping[int, str] = field(default_factory=dict)
    people: Mapping[int, str] = field(default_factory=dict)

    def totals(self) -> list[tuple[str, Decimal, str]]:
        """Returns the amount given of each kind of support, in the unit of the kind."""
        sums: dict[tuple[str, str], Decimal] = {}
        for given in self.support:
            sums[given.kind, given.unit] = sums.get((given.kind, given.unit), Decimal()) + Decimal(given.quantity)
        return [(kind, total, unit) for (kind, unit), total in sums.items()]

    @property
    def value(self) -> int:
        """Returns the estimated value of all support in đồng, as far as it is known."""
        return sum(given.value or 0 for given in self.support)


def reached(session: Session, viewer: Viewer, code: str) -> tuple[Facts, frozenset[str]]:
    """Returns a case, and the roles in which the viewer reaches it. Raises `NotFound` or `NoAccess`."""
    facts = find_case(session, code)
    if facts is None:
        raise NotFound(Sentence("There is no case {code}.", code=code))
    roles = reach(viewer, facts)
    if not roles:
        raise NoAccess(Sentence("You have no access to this case: none of your posts has a duty towards this pupil."))
    return facts, roles


_class, _school, _village, _commune = (aliased(t.Unit) for _ in range(4))
_WHO = (
    select(
        t.Pupil.id,
        t.Pupil.name,
        t.Pupil.birth_date,
        t.Pupil.guardian,
        t.Pupil.guardian_phone,
        t.Pupil.address,
        _class.name,
        _school.name,
        _village.name,
        _commune.name,
    )
    .join(_class, _class.id == t.Pupil.class_id)
    .join(_school, _school.id == t.Pupil.school_id)
    .outerjoin(_village, _village.id == t.Pupil.village_id)
    .outerjoin(_commune, _commune.id == t.Pupil.commune_id)
    .where(t.Pupil.id == bindparam("pupil"))
)


def who(session: Session, pupil_id: int) -> Who | None:
    """Returns the pupil; None for a viewer who may not know."""
    row: Any = session.execute(_WHO, {"pupil": pupil_id}).one_or_none()
    return Who(*row) if row else None


def beside(
    session: Session, facts: Facts, today: dt.date, *, known: bool, before: int | None = None, only: Only | None = None
) -> Beside:
    """Returns all that a page shows beside a case.

    Viewers who may not know the pupil see only what happened since help was asked for.

    `before` and `only` narrow the history: to events before one, to events of some kinds.
    """
    parts = _Parts(session, facts.id)
    needs = parts.read("needs")
    since = 0 if known else min((row.seq for row in needs), default=facts.version)
    events = _events(session, facts.id, since, before, only, known=known)
    older = len(events) > EVENTS
    shown = events[:EVENTS]
    newest = _events(session, facts.id, since, None, None, known=known)[:EVENTS] if before or only else shown
    if len(newest) == EVENTS:  # the event that brought the case here may be older
        newest = [*newest, *_events(session, facts.id, since, newest[-1].seq, _moved(facts), known=known)]
    told = [*shown, *newest]
    named = _named(told, "unit") | {facts.offered_unit_id}
    holders = _holders(session, facts, _SEATS_KNOWN if known else _SEATS_REFERRED, today)
    people = {id: name for _role, id, name, _phone in holders}  # the assignee is mostly one of them
    return Beside(
        tuple(shown),
        older,
        causes=tuple(cause for (cause,) in parts.read("case_causes")) if known else (),
        needs=tuple((need, handover) for _seq, need, handover in needs),
        support=tuple(Given(*row) for row in parts.read("support")),
        planned=tuple((kind, due) for kind, due in parts.read("planned")),
        holds=tuple((start, end, reason) for start, end, reason in parts.read("holds")),
        fired=_fired(parts.read("firings", entry=facts.entry)),
        companions=companions(session, facts.id) if known and "companions" in parts else (),
        difficulties=tuple(of_case(session, facts.id, known=known)) if "difficulties" in parts else (),
        newest=tuple(newest),
        contacts=tuple(Contact(role, name, phone) for role, _id, name, phone in holders),
        siblings=_siblings(session, facts) if known else (),
        units=names_of(session, t.Unit, named if known else named & {facts.association_id}),
        people=people | names_of(session, t.Person, (_people(told) | {facts.assignee_id}) - people.keys()),
    )


# Made once: a page has a dozen statements, and half their time went into making them.
_case: BindParameter[int] = bindparam("case")
_PARTS: Mapping[str, Executable] = {
    "needs": select(t.Need.seq, t.Need.need, t.Need.handover).where(t.Need.case_id == _case).order_by(t.Need.seq),
    "case_causes": select(t.CaseCause.cause).where(t.CaseCause.case_id == _case),
    "support": select(
        t.Support.seq,
        t.Support.kind,
        t.Support.quantity,
        t.Support.unit,
        t.Support.value,
        t.Support.giver,
        t.Support.programme,
        t.Support.given_on,
        t.Support.received_by,
    )
    .where(t.Support.case_id == _case, t.Support.reversed_seq.is_(None))
    .order_by(t.Support.seq),
    "planned": select(t.Planned.kind, t.Planned.due_at)
    .where(t.Planned.case_id == _case, t.Planned.done_seq.is_(None))
    .order_by(t.Planned.due_at),
    "holds": select(t.Hold.starts_at, t.Hold.ends_at, t.Hold.reason)
    .where(t.Hold.case_id == _case)
    .order_by(t.Hold.seq),
    "firings": select(t.Firing.rule, t.Firing.at, t.Firing.seq)
    .where(t.Firing.case_id == _case, t.Firing.entry == bindparam("entry"))
    .order_by(t.Firing.repetition),
}
_tables = t.Base.metadata.tables
_BESIDE = (*_PARTS, "companions", "difficulties")
_THERE = beyond_scope(
    select(*(exists().where(_tables[name].c.case_id == _case).label(name) for name in _BESIDE)),
    _BESIDE,
    "whether a case that was reached has rows in its small tables; the rows themselves are read narrowed",
)


class _Parts:
    """The small tables beside a case.

    Few cases have rows in all of them, so one statement asks first which have some.
    """

    def __init__(self, session: Session, case_id: int) -> None:
        self._session, self._case = session, {"case": case_id}
        asked = session.execute(_THERE, self._case).mappings().one()
        self._there = {name for name, there in asked.items() if there}

    def __contains__(self, name: str) -> bool:
        return name in self._there

    def read(self, name: str, **values: object) -> Sequence[Any]:
        """The rows of one of `_PARTS` that the viewer may see."""
        return self._session.execute(_PARTS[name], self._case | values).all() if name in self._there else ()


def _fired(rows: Sequence[Any]) -> dict[str, Fired]:
    found: dict[str, Fired] = {}
    for rule, at, seq in rows:
        found[rule] = Fired(found[rule].times + 1 if rule in found else 1, at, seq)
    return found


_EVENTS = (
    select(
        t.Event.seq,
        t.Event.kind,
        t.Event.at,
        t.Event.person_id,
        t.Person.name,
        t.Event.role,
        t.Event.data,
        t.EventText.values,
    )
    .outerjoin(t.Person, t.Person.id == t.Event.person_id)
    .outerjoin(t.EventText, and_(t.EventText.case_id == t.Event.case_id, t.EventText.seq == t.Event.seq))
    .where(t.Event.case_id == _case, t.Event.seq >= bindparam("since"), t.Event.seq < bindparam("before"))
    .order_by(t.Event.seq.desc())
    .limit(EVENTS + 1)
)
_OWN_DIFFICULTIES = select(t.Difficulty.seq).where(t.Difficulty.case_id == _case)


def _moved(facts: Facts) -> Only:
    """Returns the events at which the case entered its state, was offered last, and was accepted."""
    return Only(moments=tuple(moment for moment in (facts.since, facts.offered_at, facts.accepted_at) if moment))


def _narrowed(only: Only | None) -> Executable:
    """Returns the statement for the events of a case, narrowed to some of them."""
    if only is None:
        return _EVENTS
    if only.moments:
        return _EVENTS.where(t.Event.at.in_(only.moments))
    arms: list[ColumnElement[bool]] = [t.Event.kind.in_(sorted(only.kinds))]
    wanted = [entity for entity, asked in ((t.Offer, only.offers), (t.Firing, only.firings)) if asked]
    arms += [exists().where(one.case_id == t.Event.case_id, one.seq == t.Event.seq) for one in wanted]
    return _EVENTS.where(or_(*arms))


def _events(
    session: Session, case_id: int, since: int, before: int | None, only: Only | None, *, known: bool
) -> list[Happened]:
    """Returns the events, the newest first.

    Flags follow from causes, and so may the reason of a rule. So a viewer who may not know the pupil sees no flags, and
    only those rules that turned to the association.
    """
    rows: Any = session.execute(_narrowed(only), {"case": case_id, "since": since, "before": before or NEVER})
    own = set() if known else set(session.execute(_OWN_DIFFICULTIES, {"case": case_id}).scalars())
    return [
        Happened(seq, kind, at, person_id, person, role, data if known else data | {"flag": None}, text or {})
        for seq, kind, at, person_id, person, role, data, text in rows
        if known or _for_referred(kind, data, own)
    ]


def _for_referred(kind: str, data: Mapping[str, Any], own: Collection[int]) -> bool:
    """Returns whether an event concerns the association that was asked to help."""
    if "difficulty" in data:
        return data["difficulty"] in own
    if kind in {"companion_added", "companion_off"}:
        return False
    return "rule" not in data or bool(REFERRED & {data.get("offered_to"), *data.get("told", ())})


def _named(events: Sequence[Happened], key: str, kind: str | None = None) -> set[int | None]:
    return {event.data.get(key) for event in events if kind is None or event.kind == kind}


def _people(events: Sequence[Happened]) -> set[int | None]:
    """Returns the people whom events name by number: who was given the case, for whom somebody acted."""
    return _named(events, "to", "assigned") | _named(events, FOR)


_NAMES: Mapping[type[t.Unit | t.Person], Executable] = {
    entity: select(entity.id, entity.name).where(among(entity.id, name="ids")) for entity in (t.Unit, t.Person)
}


def names_of(session: Session, entity: type[t.Unit | t.Person], ids: Collection[Any]) -> dict[int, str]:
    """The names of some units or people by id."""
    wanted = sorted(id for id in ids if isinstance(id, int))
    if not wanted:
        return {}
    rows: Any = session.execute(_NAMES[entity], {"ids": wanted}).all()
    return dict(rows)


_SEATS_KNOWN = ("teacher", "head", "commune_officer", "commune_leader", "association")
# The people whom a volunteer calls; the others would show where the pupil lives.
_SEATS_REFERRED = ("teacher", "head", "association")


_HOLDERS = (
    select(t.Appointment.role, t.Appointment.unit_id, t.Person.id, t.Person.name, t.Person.phone)
    .join(t.Person, t.Person.id == t.Appointment.person_id)
    .where(
        among(t.Appointment.unit_id, name="units"),
        t.Appointment.valid_from <= bindparam("day"),
        t.Appointment.valid_to > bindparam("day"),
        t.Person.disabled_at.is_(None),
    )
    .order_by(t.Person.name, t.Appointment.id)
)


def _holders(
    session: Session, facts: Facts, roles: Sequence[str], today: dt.date
) -> list[tuple[str, int, str, str | None]]:
    """Returns who (role, id, name, phone) holds the posts of these roles for a case today, in the order of the
    roles.
    """
    seats = {role: unit for role in roles if role in SEATS and (unit := getattr(facts, SEATS[role]))}
    found: Any = session.execute(_HOLDERS, {"units": sorted(set(seats.values())), "day": today})
    here = [(role, id, name, phone) for role, unit, id, name, phone in found if seats.get(role) == unit]
    return sorted(here, key=lambda one: roles.index(one[0]))


def eligible(session: Session, facts: Facts, roles: Sequence[str], today: dt.date) -> list[tuple[int, str, str]]:
    """Returns the people (id, name, role) in the posts of these roles for this case, to choose an assignee from."""
    found: dict[int, tuple[int, str, str]] = {}
    for role, id, name, _phone in _holders(session, facts, roles, today):
        found.setdefault(id, (id, name, role))
    return list(found.values())


_own = select(t.Pupil.guardian_phone, t.Pupil.address).where(t.Pupil.id == bindparam("pupil"))
_SIBLINGS = (
    select(t.Case.code, t.Pupil.name)
    .join(t.Pupil, t.Pupil.id == t.Case.pupil_id)
    .where(
        t.Pupil.village_id == bindparam("village"),
        t.Pupil.id != bindparam("pupil"),
        t.OPEN,
        or_(t.Pupil.guardian_phone == bindparam("phone"), t.Pupil.address == bindparam("address")),
    )
    .order_by(t.Case.id)
    .limit(10)
)


def _siblings(session: Session, facts: Facts) -> tuple[tuple[str, str], ...]:
    """Returns open cases of other pupils with the same guardian's phone, or the same address in the same village."""
    if facts.village_id is None:
        return ()
    own = session.execute(_own, {"pupil": facts.pupil_id}).one_or_none()
    if own is None or not any(own):
        return ()
    asked = {"pupil": facts.pupil_id, "village": facts.village_id, "phone": own[0], "address": own[1]}
    found = session.execute(_SIBLINGS, asked)
    return tuple((code, name) for code, name in found)
