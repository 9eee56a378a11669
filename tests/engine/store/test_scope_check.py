"""The program does not start where a person without any post would see a row."""

import pytest
from sqlalchemy import true

from engine.core.words import Faulty
from engine.store import scopes, session
from engine.store import tables as t
from engine.store.scope_check import check_scopes
from tests.cast import Cast


def test_as_it_is_nothing_is_shown_to_a_person_without_a_post(cast: Cast) -> None:
    check_scopes(cast.store)


def test_a_table_that_shows_everything_keeps_the_program_from_starting(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = scopes._rules
    monkeypatch.setattr(scopes, "_rules", lambda shape: {**rules(shape), t.Pupil: true})
    session._narrowing.cache_clear()
    try:
        with pytest.raises(Faulty, match="pupils"):
            check_scopes(cast.store)
    finally:
        session._narrowing.cache_clear()


def test_a_table_that_nothing_narrows_keeps_the_program_from_starting(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scopes.Scope, "narrowed", lambda _self, statement: statement)
    session._narrowing.cache_clear()
    try:
        with pytest.raises(Faulty, match="cases"):
            check_scopes(cast.store)
    finally:
        session._narrowing.cache_clear()
