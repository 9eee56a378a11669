"""Proves at start-up that scopes narrow: a viewer without posts sees nothing, in whatever way a statement is run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import ColumnElement, select

from engine.core.people.access import Viewer
from engine.core.words import Fault, Faulty, Sentence
from engine.store import tables as t
from engine.store.scopes import PROTECTED_MODELS, Scope, shape_of, unnarrowed
from engine.store.session import Store


def check_scopes(store: Store) -> None:
    """Reads each protected table as a viewer without any post, by its columns and as rows of its model.

    Raises Faulty, with a fault for each table that shows a row or that nothing narrows.
    """
    faults = []
    nobody = Viewer(0)
    with store.scoped(nobody) as session:
        for model in sorted(PROTECTED_MODELS, key=lambda it: str(it.__name__)):
            try:
                narrowed = Scope(shape_of(nobody)).narrowed(select(model))
                left = unnarrowed(str(narrowed.compile(store.engine)))
                first = next(iter(model.__mapper__.column_attrs)).key
                columns = session.execute(select(getattr(model, first)).where(*_of_somebody(model)).limit(1)).all()
                rows = session.execute(select(model).where(*_of_somebody(model)).limit(1)).all()
            except PermissionError:
                columns, rows, left = [], [], [model.__table__.name]
            if columns or rows or left:
                name = model.__table__.name
                sentence = Sentence(
                    "A person without any post would see rows of {table}: the program does not start.", table=name
                )
                faults.append(Fault("engine/store/scopes.py", name, sentence))
    if faults:
        raise Faulty(faults)


def _of_somebody(model: Any) -> Iterator[ColumnElement[bool]]:
    """Days without class of a unit are for everybody to read; those of one pupil are not."""
    if model is t.Closure:
        yield t.Closure.pupil_id.is_not(None)
