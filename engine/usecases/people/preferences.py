"""What a person chooses for themselves about the pages: the language, and that first steps are put away."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from engine.store.people import greetings, signins
from engine.store.session import Store


def choose_language(store: Store, person_id: int, language: str) -> None:
    """Read on in this language everywhere."""
    with store.writing("choose a language") as session:
        signins.set_language(session, person_id, language)


def put_away_first_steps(store: Store, person_id: int, roles: Collection[str], now: dt.datetime) -> None:
    """The first steps of these roles are not shown to the person again."""
    with store.writing("first steps are put away") as session:
        greetings.greet(session, person_id, roles, now)
