"""`engine.core.people.access` in SQL: what a scoped session adds to every query, entity by entity. Deny by default.

A statement is narrowed once for all viewers of one shape: those who hold posts of the same kinds. Which units are
theirs is given with each execution, under the names in `values`; a statement that lacks them is refused.
"""

from __future__ import annotations

import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Boolean,
    Column,
    ColumnClause,
    ColumnElement,
    CompoundSelect,
    Executable,
    Select,
    Table,
    TableClause,
    TextClause,
    and_,
    bindparam,
    exists,
    false,
    literal_column,
    or_,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import with_loader_criteria
from sqlalchemy.sql import visitors
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import Function, FunctionElement
from sqlalchemy.sql.selectable import AliasedReturnsRows

from engine.core.people.access import Viewer
from engine.core.people.roles import AREAS, CLASS, COLUMNS, INVITED, KNOWING, SCHOOL
from engine.store import tables as t

# Probed by key for each row at hand, never listed: the cost of a page must not grow with the number of cases.
_cases = t.Base.metadata.tables["cases"].alias("reached_case")
_pupils = t.Base.metadata.tables["pupils"].alias("reached_pupil")
_accounts = t.Base.metadata.tables["ledger_accounts"].alias("reached_account")
# What belongs to one person only.
_OWN: tuple[Any, ...] = (t.Notice, t.NoticeHours, t.ChannelChoice, t.PushSubscription, t.Delivery, t.SavedFilter)
_ASKED, _PERSON = "asked", "scope_person"  # the associations of a viewer; the viewer

Shape = frozenset[tuple[str, bool]]  # for each kind of units that a viewer has: its name, and whether it is one alone


def places(viewer: Viewer) -> dict[str, frozenset[int]]:
    """A viewer's units, by the names that `KNOWING` and `_ASKED` give them: by seat and sight, not by role."""
    found = {name: viewer.area(name) if name in AREAS else viewer.seated(name) for name in KNOWING}
    found[INVITED] = viewer.invited if found[INVITED] else frozenset()
    found[_ASKED] = viewer.asked
    return {name: ids for name, ids in found.items() if ids}


def shape_of(viewer: Viewer) -> Shape:
    """What decides how a statement is narrowed for a viewer."""
    return frozenset((name, len(ids) == 1) for name, ids in places(viewer).items())


def values(viewer: Viewer) -> dict[str, Any]:
    """What a narrowed statement is executed with."""
    return {_PERSON: viewer.person_id} | {
        f"scope_{name}": next(iter(ids)) if len(ids) == 1 else sorted(ids) for name, ids in places(viewer).items()
    }


class _Given(FunctionElement[bool]):
    """`column` is among the ids given under a name at execution.

    The parameter comes into being when the statement is compiled. One that stood in the criteria would be copied with
    them, and SQLAlchemy would compare all copies at each execution, which takes longer than the execution.
    """

    type = Boolean()
    inherit_cache = True

    def __init__(self, column: Any, name: str, *, one: bool) -> None:
        super().__init__(column, literal_column(name), literal_column(str(one)))

    def self_group(self, against: object = None) -> _Given:
        """As it is: SQLAlchemy would make it `… = 1` in SQLite, and SQLite would no longer see an index."""
        return self


@compiles(_Given)
def _parameter(element: _Given, compiler: SQLCompiler, **options: Any) -> str:
    column, name, one = element.clauses
    if str(one) == "True":  # lets the database walk the index in the list's order
        return compiler.process(column == bindparam(str(name)), **options)
    return compiler.process(column.in_(bindparam(str(name), expanding=True)), **options)


_SECRET = f"narrows-{secrets.token_hex(8)}"  # no text of SQL from elsewhere has this mark
_REACHED = re.compile(r"\b(cases|pupils|ledger_accounts) AS reached_")


class _Narrowed(FunctionElement[bool]):
    """A condition that narrows a table, with a mark in the SQL; `unnarrowed` counts the marks before anything runs."""

    type = Boolean()
    inherit_cache = True

    def __init__(self, condition: ColumnElement[bool], table: str) -> None:
        super().__init__(condition, literal_column(table))

    def self_group(self, against: object = None) -> _Narrowed:
        """As it is: SQLAlchemy would make it `… = 1` in SQLite."""
        return self


@compiles(_Narrowed)
def _marked(element: _Narrowed, compiler: SQLCompiler, **options: Any) -> str:
    condition, table = element.clauses
    text = compiler.process(condition, **options)
    names = [str(table), *_REACHED.findall(text)]  # the condition itself looks at cases and pupils
    return f"({text} {' '.join(f'/* {_SECRET} {name} */' for name in names)})"


def _within(shape: Shape, name: str, column: Any) -> Iterator[ColumnElement[bool]]:
    for one in (True, False):
        if (name, one) in shape:
            yield _Given(column, f"scope_{name}", one=one)


def _of_viewer(column: Any) -> ColumnElement[bool]:
    return _Given(column, _PERSON, one=True)


def _any(arms: list[ColumnElement[bool]]) -> ColumnElement[bool]:
    return or_(*arms) if arms else false()


def _known(shape: Shape, columns: Mapping[str, Any]) -> ColumnElement[bool]:
    """Cases the viewer may know by the pupil's name."""
    return _any([arm for name, column in KNOWING.items() for arm in _within(shape, name, columns[column])])


def _referred(shape: Shape, column: Any) -> ColumnElement[bool]:
    """Cases the viewer's association was asked to help with."""
    return _any(list(_within(shape, _ASKED, column)))


def _of_case(column: Any, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    """The row's case meets the condition."""
    return exists().where(_cases.c.id == column, condition)


def _pupil(shape: Shape, columns: Mapping[str, Any]) -> ColumnElement[bool]:
    """Pupils: a school knows its own; everybody else has a duty only towards those with a case."""
    own = [arm for kind in (CLASS, SCHOOL) for arm in _within(shape, kind, columns[COLUMNS[kind]])]
    return _any([*own, exists().where(_cases.c.pupil_id == columns["id"], _known(shape, dict(_cases.c)))])


def _of_pupil(shape: Shape, column: Any) -> ColumnElement[bool]:
    return exists().where(_pupils.c.id == column, _pupil(shape, dict(_pupils.c)))


def _columns(entity: Any) -> dict[str, Any]:
    return {attribute.key: getattr(entity, attribute.key) for attribute in entity.__mapper__.column_attrs}


Rule = Callable[[], ColumnElement[bool]]


def _rules(shape: Shape) -> dict[Any, Rule]:
    """For each protected entity what narrows it; made only when a statement names it."""

    def known() -> ColumnElement[bool]:
        return _known(shape, dict(_cases.c))

    def either() -> ColumnElement[bool]:
        return or_(known(), _referred(shape, _cases.c.association_id))

    def own_or_known(person: Any, case: Any) -> ColumnElement[bool]:
        """What concerns a case that the viewer knows, or was written by them about one they were asked to help with."""
        return or_(_of_case(case, known()), and_(_of_viewer(person), _of_case(case, either())))

    def support() -> ColumnElement[bool]:
        # What an association gave stays in its books when the case has gone on; it tells neither who nor where.
        return or_(_of_case(t.Support.case_id, either()), _referred(shape, t.Support.association_id))

    def books(account: Any) -> ColumnElement[bool]:
        # The books of one's own associations: none of another's donors, amounts or names.
        return exists().where(_accounts.c.id == account, _referred(shape, _accounts.c.association_id))

    def of_case(entity: Any) -> Rule:
        return lambda: _of_case(entity.case_id, either())

    def of_pupil(entity: Any) -> Rule:
        return lambda: _of_pupil(shape, entity.pupil_id)

    def own(entity: Any) -> Rule:
        return lambda: _of_viewer(entity.person_id)

    return {
        t.Case: lambda: _known(shape, _columns(t.Case)),
        t.Referral: lambda: _referred(shape, _columns(t.Referral)["association_id"]),
        t.Pupil: lambda: _pupil(shape, _columns(t.Pupil)),
        t.Closure: lambda: or_(t.Closure.pupil_id.is_(None), _of_pupil(shape, t.Closure.pupil_id)),
        t.CaseCause: lambda: _of_case(t.CaseCause.case_id, known()),
        t.EventText: lambda: own_or_known(t.EventText.person_id, t.EventText.case_id),
        t.Companion: lambda: _of_case(t.Companion.case_id, known()),
        t.Difficulty: lambda: own_or_known(t.Difficulty.raised_by_id, t.Difficulty.case_id),
        **{entity: own(entity) for entity in (*_OWN, t.ImportJob)},
        **dict.fromkeys(
            (t.DeliveryItem, t.AccessLog, t.ImportFile, t.ImportWrong, t.DifficultyMove, t.StaffAct), false
        ),
        **{entity: of_pupil(entity) for entity in (t.Mark, t.MarkChange, t.PupilChange, t.Alarm, t.Proposal)},
        t.ClassMembership: of_pupil(t.ClassMembership),
        **{entity: of_case(entity) for entity in (t.Event, t.Firing, t.Offer, t.Hold, t.Planned, t.Need, t.Correction)},
        t.Doubt: lambda: _of_case(t.Doubt.case_id, known()),
        t.Support: support,
        t.LedgerAccount: lambda: _referred(shape, t.LedgerAccount.association_id),
        t.LedgerBalance: lambda: books(t.LedgerBalance.account_id),
        t.LedgerEntry: lambda: or_(books(t.LedgerEntry.from_id), books(t.LedgerEntry.to_id)),
    }


_KNOWN_TABLES: WeakKeyDictionary[Executable, frozenset[str]] = WeakKeyDictionary()


def _tables(statement: Executable) -> frozenset[str]:
    """The names of all tables in a statement; remembered for statements that are made once and run often."""
    if (found := _KNOWN_TABLES.get(statement)) is None:
        elements = visitors.iterate(statement)  # type: ignore[arg-type]
        found = frozenset(element.name for element in elements if isinstance(element, Table))
        _KNOWN_TABLES[statement] = found
    return found


# What pages count and compare with. Others, such as `query_to_xml`, can read a table that no statement names.
_FUNCTIONS = frozenset({"count", "max", "min", "sum", "coalesce", "lower", "length", "abs", "row_number"})
# The conditions of partial indexes, which a statement repeats to the letter. They name columns of one table, no table.
_CONDITIONS = frozenset(it.text for it in vars(t).values() if isinstance(it, TextClause))


class _Beyond(_Narrowed):
    """The mark of a SELECT that a scoped session takes as it is."""

    inherit_cache = True


def beyond_scope(statement: Any, tables: Iterable[str], why: str) -> Any:
    """A SELECT that a scoped session takes as it is, alone or inside another.

    `tables` are the protected tables that it names, once for each time; `why` says what keeps it from telling more than
    its reader may know. A test lists every place that calls this.
    """
    if not why:
        raise ValueError("A statement beyond the scope needs a reason.")
    return statement.where(*(_Beyond(true(), name) for name in (*tables, "nothing")))


def _is_beyond(element: Any) -> bool:
    if not isinstance(element, Select) or (where := element.whereclause) is None:
        return False
    return any(isinstance(it, _Beyond) for it in (where, *where.get_children()))


def _elements(statement: Any) -> Iterator[Any]:
    """The parts of a statement, but for those that are beyond the scope."""
    waiting = [statement]
    while waiting:
        element = waiting.pop()
        if not _is_beyond(element):
            yield element
            waiting.extend(element.get_children())


def _past_the_orm(statement: Any) -> str | None:
    """What in a statement no criteria could narrow: text, a table by another name, a protected table itself."""
    return next((why for element in _elements(statement) if (why := _hidden(element) or _bare(element))), None)


def _hidden(element: Any) -> str | None:
    """What an element hides: a text, or a function that can read by itself."""
    if isinstance(element, TextClause) and element.text not in _CONDITIONS:
        return f"text ({element.text})"
    if isinstance(element, ColumnClause) and element.is_literal and not (element.name == "*" or element.name.isdigit()):
        return f"text ({element.name})"
    if isinstance(element, Function) and element.name.lower() not in _FUNCTIONS:
        return f"the function {element.name}"
    return None


def _bare(element: Any) -> str | None:
    """Which table an element names past its model."""
    if isinstance(element, TableClause) and not isinstance(element, Table):
        return "a table that is none of the models"
    if isinstance(element, AliasedReturnsRows) and (name := getattr(element.element, "name", "")) in PROTECTED:
        return f"{name} by another name"
    if isinstance(element, Column) and id(element) in _OWN_COLUMNS:
        return f"{element.table.name} past its model"
    return None


class Scope:
    """What viewers of one shape may see, ready to be added to statements."""

    def __init__(self, shape: Shape) -> None:
        self._rules: dict[str, list[tuple[Any, Rule]]] = {}
        for entity, rule in _rules(shape).items():
            self._rules.setdefault(entity.__table__.name, []).append((entity, rule))
        self._made: dict[str, list[Any]] = {}

    def narrowed(self, statement: Any) -> Any:
        """The statement with the loader criteria it needs: those of every protected table it names.

        Raises PermissionError for what is not a SELECT, for text, and for a protected table by another name or past its
        model: nothing would narrow it.
        """
        if not isinstance(statement, Select | CompoundSelect):
            raise PermissionError("A scoped session takes a SELECT of models, and nothing else.")
        if _is_beyond(statement):
            return statement
        if why := _past_the_orm(statement):
            raise PermissionError(f"A scoped session was asked for {why}, where nothing narrows it.")
        criteria = [criterion for name in _tables(statement) & self._rules.keys() for criterion in self._criteria(name)]
        return statement.options(*criteria)

    def _criteria(self, name: str) -> list[Any]:
        if name not in self._made:
            self._made[name] = [
                with_loader_criteria(entity, _Narrowed(rule(), name), include_aliases=True)
                for entity, rule in self._rules[name]
            ]
        return self._made[name]


# What no statement may reach past its model in a scoped session.
PROTECTED_MODELS = frozenset(_rules(frozenset()))
PROTECTED = frozenset(entity.__table__.name for entity in PROTECTED_MODELS)
_OWN_COLUMNS = frozenset(id(column) for entity in PROTECTED_MODELS for column in entity.__table__.c)


# --- the SQL itself ---------------------------------------------------------------------------------------------------

_MARK = re.compile(rf"/\* {_SECRET} (\w+) \*/")
_NAMES = "|".join(sorted({*PROTECTED, "pupil_search"}))  # the last holds the names of pupils, folded
_NAMED = re.compile(rf'(?<!\bAS )(?<!%\()(?<![\w:])(?:("?\w+"?)\.)?"?\b({_NAMES})\b"?(?![\w.])', re.IGNORECASE)
_COLUMNS = {
    (table.name, column.name)
    for table in t.Base.metadata.tables.values()
    for column in table.c
    if column.name in PROTECTED
}
_ALIAS = re.compile(r"\w+_\d+")  # as SQLAlchemy names what has no name


@lru_cache(maxsize=4096)
def unnarrowed(sql: str) -> list[str]:
    """Returns the protected tables that a text of SQL names more often than something narrows them.

    A scoped connection asks this of all that goes to the database, whoever made it and by whatever way.
    """
    marks = Counter(_MARK.findall(sql))
    named = Counter(table for prefix, table in _tables_named(sql) if not _is_column(prefix, table))
    return sorted(name for name, count in named.items() if count > marks[name])


def _tables_named(sql: str) -> Iterator[tuple[str, str]]:
    for prefix, name in _NAMED.findall(_MARK.sub("", sql)):
        yield prefix.strip('"').lower(), name.lower()


def _is_column(prefix: str, name: str) -> bool:
    """Whether `prefix.name` is a column that is called as a table is, and not a table of a schema."""
    return (prefix, name) in _COLUMNS or (bool(_ALIAS.fullmatch(prefix)) and any(name == it for _, it in _COLUMNS))


def is_select(statement: object) -> bool:
    """Whether a statement is a SELECT made of models and nothing that hides one in a text."""
    return isinstance(statement, Select | CompoundSelect)
