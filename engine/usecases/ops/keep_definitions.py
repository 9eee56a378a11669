"""The workflows, rules and calendars of an installation are kept: a case goes on under the version it began with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from engine.store.ops import definition_texts
from engine.store.ops.definition_texts import DefinitionText
from engine.store.session import Store


def keep_definitions(
    store: Store, versions: Sequence[DefinitionText], calendars: Sequence[DefinitionText], now: dt.datetime
) -> list[DefinitionText]:
    """Keep what is new. Returns the versions that were in use with another text before: then nothing is kept."""
    with store.writing("keep definitions") as session:
        changed = definition_texts.changed(session, versions)
        if not changed:
            definition_texts.keep(session, versions, now)
            definition_texts.keep_calendars(session, calendars, now)
        return changed
