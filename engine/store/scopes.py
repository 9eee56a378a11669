"""`engine.access` in SQL: what a scoped session adds to every query, entity by entity. Deny by default."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import ColumnElement, Executable, and_, exists, false, or_
from sqlalchemy.orm import with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.schema import Table

from engine.access import SEATS, Viewer
from engine.store import tables as t

# Probed by key for each row at hand, never listed: the cost of a page must not grow with the number of cases.
_cases = t.Base.metadata.tables["cases"].alias("reached_case")
_pupils = t.Base.metadata.tables["pupils"].alias("reached_pupil")
# What belongs to one person only.
_OWN: tuple[Any, ...] = (t.Notice, t.NoticeHours, t.ChannelChoice, t.PushSubscription, t.Delivery, t.SavedFilter)
_KNOWING = {role: column for role, column in SEATS.items() if column != "association_id"}


def _within(column: Any, ids: frozenset[int]) -> Iterator[ColumnElement[bool]]:
    if len(ids) == 1:
        yield column == next(iter(ids))  # lets the database walk the index in the list's order
    elif ids:
        yield column.in_(sorted(ids))


def _any(arms: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(*arms) if arms else false()


def _known(viewer: Viewer, columns: Mapping[str, Any]) -> ColumnElement[bool]:
    """Cases the viewer may know by the pupil's name."""
    arms = [arm for role, column in _KNOWING.items() for arm in _within(columns[column], viewer.of(role))]
    arms += _within(columns["commune_id"], viewer.office_communes)
    arms += _within(columns["province_id"], viewer.office_provinces)
    arms += _within(columns["school_id"], viewer.office_schools)
    return _any(arms)


def _referred(viewer: Viewer, column: Any) -> ColumnElement[bool]:
    """Cases the viewer's association was asked to help with."""
    return _any(list(_within(column, viewer.of("volunteer") | viewer.of("association"))))


def _of_case(column: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The row's case meets the condition."""
    return exists().where(_cases.c.id == column, condition)


def _pupil(viewer: Viewer, columns: Mapping[str, Any]) -> ColumnElement[bool]:
    """Pupils: a school knows its own; everybody else has a duty only towards those with a case."""
    own = [*_within(columns["class_id"], viewer.of("teacher")), *_within(columns["school_id"], viewer.of("head"))]
    return _any([*own, exists().where(_cases.c.pupil_id == columns["id"], _known(viewer, dict(_cases.c)))])


def _of_pupil(viewer: Viewer, column: Any) -> ColumnElement[bool]:
    return exists().where(_pupils.c.id == column, _pupil(viewer, dict(_pupils.c)))


def _columns(entity: Any) -> dict[str, Any]:
    return {attribute.key: getattr(entity, attribute.key) for attribute in entity.__mapper__.column_attrs}


Rule = Callable[[], ColumnElement[bool]]


def _rules(viewer: Viewer) -> dict[Any, Rule]:
    """For each protected entity what narrows it; made only when a statement names it."""

    @cache
    def known() -> ColumnElement[bool]:
        return _known(viewer, dict(_cases.c))

    @cache
    def either() -> ColumnElement[bool]:
        return or_(known(), _referred(viewer, _cases.c.association_id))

    def texts() -> ColumnElement[bool]:
        own = and_(t.EventText.person_id == viewer.person_id, _of_case(t.EventText.case_id, either()))
        return or_(_of_case(t.EventText.case_id, known()), own)

    def difficulties() -> ColumnElement[bool]:
        own = and_(t.Difficulty.raised_by_id == viewer.person_id, _of_case(t.Difficulty.case_id, either()))
        return or_(_of_case(t.Difficulty.case_id, known()), own)

    def support() -> ColumnElement[bool]:
        # What an association gave stays in its books when the case has gone on; it tells neither who nor where.
        return or_(_of_case(t.Support.case_id, either()), _referred(viewer, t.Support.association_id))

    def of_case(entity: Any) -> Rule:
        return lambda: _of_case(entity.case_id, either())

    def of_pupil(entity: Any) -> Rule:
        return lambda: _of_pupil(viewer, entity.pupil_id)

    def own(entity: Any) -> Rule:
        return lambda: entity.person_id == viewer.person_id

    return {
        t.Case: lambda: _known(viewer, _columns(t.Case)),
        t.Referral: lambda: _referred(viewer, _columns(t.Referral)["association_id"]),
        t.Pupil: lambda: _pupil(viewer, _columns(t.Pupil)),
        t.Closure: lambda: or_(t.Closure.pupil_id.is_(None), _of_pupil(viewer, t.Closure.pupil_id)),
        t.CaseCause: lambda: _of_case(t.CaseCause.case_id, known()),
        t.EventText: texts,
        t.Companion: lambda: _of_case(t.Companion.case_id, known()),
        t.Difficulty: difficulties,
        **{entity: own(entity) for entity in (*_OWN, t.ImportJob)},
        **dict.fromkeys(
            (t.DeliveryItem, t.AccessLog, t.ImportFile, t.ImportWrong, t.DifficultyMove, t.StaffAct), false
        ),
        **{entity: of_pupil(entity) for entity in (t.Mark, t.MarkChange, t.Alarm, t.Proposal)},
        **{entity: of_case(entity) for entity in (t.Event, t.Firing, t.Offer, t.Hold, t.Planned, t.Need)},
        t.Support: support,
    }


_KNOWN_TABLES: WeakKeyDictionary[Executable, frozenset[str]] = WeakKeyDictionary()


def _tables(statement: Executable) -> frozenset[str]:
    """The names of all tables in a statement; remembered for statements that are made once and run often."""
    if (found := _KNOWN_TABLES.get(statement)) is None:
        elements = visitors.iterate(statement)  # type: ignore[arg-type]
        found = frozenset(element.name for element in elements if isinstance(element, Table))
        _KNOWN_TABLES[statement] = found
    return found


class Scope:
    """What one viewer may see, ready to be added to statements."""

    def __init__(self, viewer: Viewer) -> None:
        self._rules: dict[str, list[tuple[Any, Rule]]] = {}
        for entity, rule in _rules(viewer).items():
            self._rules.setdefault(entity.__table__.name, []).append((entity, rule))
        self._made: dict[str, list[Any]] = {}
        self._narrowed: WeakKeyDictionary[Executable, Executable] = WeakKeyDictionary()

    def narrowed(self, statement: Any) -> Any:
        """The statement with the criteria it needs; the same each time for one that is made once and run often."""
        if (found := self._narrowed.get(statement)) is None:
            found = self._narrowed[statement] = statement.options(*self.criteria(statement))
        return found

    def criteria(self, statement: Executable) -> list[Any]:
        """The loader criteria that a statement needs: those of every protected table it names."""
        return [criterion for name in _tables(statement) & self._rules.keys() for criterion in self._criteria(name)]

    def _criteria(self, name: str) -> list[Any]:
        if name not in self._made:
            self._made[name] = [
                with_loader_criteria(entity, rule(), include_aliases=True) for entity, rule in self._rules[name]
            ]
        return self._made[name]


def scope_of(viewer: Viewer) -> Scope:
    """The scope of a viewer; kept for those who were here last, as it depends on nothing but their posts."""
    posts = frozenset((role, units) for role, units in viewer.units.items())
    return _scope(viewer.person_id, posts, viewer.office_communes, viewer.office_provinces, viewer.office_schools)


@lru_cache(maxsize=256)
def _scope(
    person_id: int, posts: frozenset[tuple[str, frozenset[int]]], communes: frozenset[int], provinces: frozenset[int],
    schools: frozenset[int],
) -> Scope:  # fmt: skip
    return Scope(Viewer(person_id, dict(posts), communes, provinces, schools))


# What no statement may reach past the ORM in a scoped session.
PROTECTED = frozenset(entity.__table__.name for entity in _rules(Viewer(person_id=0)))


def protected(statement: Executable) -> list[str]:
    """The protected tables that a statement names."""
    return sorted(_tables(statement) & PROTECTED)
