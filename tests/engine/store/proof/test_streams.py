"""A stream whose formula changes: old checkpoints are checked by the old one, new rows are held by the new one."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from engine.store.cases.verify import breaks
from engine.store.proof import checkpoints
from engine.store.proof.streams import BY_NAME, STREAMS
from engine.store.tables import Base
from engine.usecases.people.accounts import disable, enable
from tests.installation import CastInstallation, at, installed

__all__ = ["installed"]  # a fixture


def test_every_stream_names_columns_that_are_there_and_a_number_that_grows() -> None:
    for stream in STREAMS:
        table = Base.metadata.tables[stream.name]
        assert [column.name for column in table.primary_key] == ["id"]
        assert {name for columns in stream.forms.values() for name in columns} <= set(table.c.keys())


def test_old_rows_are_checked_by_the_old_form_and_new_ones_by_the_new(
    installed: CastInstallation, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = replace(BY_NAME["staff_acts"], forms={1: ("kind", "at", "person_id")})
    after = replace(before, forms={**before.forms, 2: ("kind", "at", "person_id", "operator")})
    monkeypatch.setattr(checkpoints, "STREAMS", (before,))
    disable(installed.context, "head", at("2026-03-02 08:00"), "may-chu")
    assert checkpoints.make(installed.store, at("2026-03-02 09:00")) is not None
    monkeypatch.setattr(checkpoints, "STREAMS", (after,))
    enable(installed.context, "head", at("2026-03-03 08:00"), "may-chu")
    assert checkpoints.make(installed.store, at("2026-03-03 09:00")) is not None
    assert list(breaks(installed.store)) == []
    with installed.store.engine.connect() as connection:
        for name in ("staff_acts_no_update", "staff_acts_append_only ON staff_acts"):
            if ("ON" in name) != installed.store.is_sqlite:
                connection.execute(text(f"DROP TRIGGER {name}"))
        connection.execute(text("UPDATE staff_acts SET operator = 'x'"))
        said = [sentence.in_("en") for sentence in checkpoints.wrong(connection)]
        connection.rollback()
    assert said == ["staff_acts: a row among numbers 2 to 2 is no longer as it was at checkpoint 2."]
