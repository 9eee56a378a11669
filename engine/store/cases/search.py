"""Finds pupils and villages by name and cases by code, as people type them.

Both databases find words by their first letters in a special index: FTS5 in SQLite, a GIN index over the words in
PostgreSQL. A word of one letter matches only the whole word ("A Tiến", "Y Thoa"); otherwise it would find half of all
pupils.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import column, func, literal, select, table, text
from sqlalchemy.orm import Session

from engine.core.text import fold
from engine.store import tables as t
from engine.store.scopes import beyond_scope
from engine.store.tables.types import at_most

MOST_WORDS = 8
FOUND_BY_NAME = "ids of pupils by their names; the statement around it is narrowed"
MOST_VILLAGES = 500  # of one name: every commune has a “Thôn 1”
_CODE = re.compile(r"\s*(?:rl\W?)?(?:(\d{4})\W)?(\d{1,6})\s*", re.IGNORECASE)
_search = table("pupil_search", column("rowid"), column("pupil_search"))
_pupils = t.Base.metadata.tables["pupils"]


def words(query: str) -> list[str]:
    """Returns the words of a query in the form of search keys; the first few, each once."""
    return list(dict.fromkeys(fold(query).split()))[:MOST_WORDS]


def case_code(query: str, year: int) -> str | None:
    """Returns the case code that somebody typed, whole or only its number ("42": the 42nd of `year`); else None."""
    found = _CODE.fullmatch(query)
    return f"RL-{found[1] or year}-{int(found[2]):06}" if found else None


def pupils_named(session: Session, found: list[str]) -> Any:
    """The ids of all pupils whose names have words beginning like these, in any order; never a page by itself.

    It knows no scope, so use it only inside a narrowed statement.
    """
    if session.get_bind().dialect.name == "sqlite":
        match = " ".join(f'"{word}"{"*" if len(word) > 1 else ""}' for word in found)
        return beyond_scope(
            select(_search.c.rowid).where(_search.c.pupil_search.op("MATCH")(match)),
            ("pupil_search",) * 2,
            FOUND_BY_NAME,
        )
    match = " & ".join(f"{word}:*" if len(word) > 1 else word for word in found)
    simple: Any = text("'simple'")  # a literal, or the index is not recognised
    words = func.to_tsvector(simple, _pupils.c.search_key)
    return beyond_scope(
        select(_pupils.c.id).where(words.op("@@")(func.to_tsquery(simple, literal(match)))), ("pupils",), FOUND_BY_NAME
    )


def villages_named(session: Session, found: list[str]) -> list[int]:
    """Returns the ids of villages whose names have words that begin like all of these; they are few enough to read."""
    words = [(" " + t.Unit.search_key).like(f"% {word}%") for word in found]
    return list(
        session.execute(
            select(t.Unit.id).where(t.Unit.kind == "village", *words).limit(at_most(MOST_VILLAGES))
        ).scalars()
    )
