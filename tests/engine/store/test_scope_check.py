"""The program does not start where a person without any post would see a row."""

import datetime as dt

import pytest
from sqlalchemy import true

from engine.core.words import Faulty
from engine.store import scopes, session
from engine.store import tables as t
from engine.store.scope_check import check_scopes
from tests.cast import Cast
from tests.installation import at


def test_as_it_is_nothing_is_shown_to_a_person_without_a_post(cast: Cast) -> None:
    check_scopes(cast.store)


def test_days_without_class_of_a_unit_are_for_everybody(cast: Cast) -> None:
    school, day = cast.installed.units["school"], dt.date(2026, 3, 2)
    with cast.store.writing("test") as opened:
        opened.add(
            t.Closure(unit_id=school, first_day=day, last_day=day, reason="Lũ", announced_at=at("2026-03-01T08:00"))
        )
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
