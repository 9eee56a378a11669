"""The disk is full: what cannot be stored is refused whole, and all goes on once there is room."""

import pytest
from sqlalchemy.exc import OperationalError

from engine.core.cases.act import Act
from engine.store.cases import verify
from engine.store.session import open_store
from engine.store.simulation import seed
from engine.usecases.cases import case_acts
from engine.usecases.context import Context
from tests.installation import CALLED, CastInstallation, at, definitions


def test_an_act_on_a_full_disk_keeps_nothing_and_goes_through_when_there_is_room(sqlite_url: str) -> None:
    store = open_store(sqlite_url)
    with store.writing("set the stage") as session:
        installed = CastInstallation(Context(store, definitions()), seed.add_cast(session, at("2026-03-01 08:00")))
    code, teacher = installed.open(), installed.viewer("teacher")
    with store.engine.connect() as connection:
        size = connection.exec_driver_sql("PRAGMA page_count").scalar()
    store.close()

    full = open_store(sqlite_url)
    with full.engine.connect() as connection:  # the pool hands this same connection out again
        connection.exec_driver_sql(f"PRAGMA max_page_count={size}")
    context = Context(full, definitions())
    with pytest.raises(OperationalError, match="full"):
        _write_for_ever(context, installed, code)
    kept = installed.kinds(code)
    assert list(verify.breaks(full)) == []
    full.close()

    roomy = Context(open_store(sqlite_url), definitions())
    case_acts.step(roomy, Act(teacher, code, CALLED, at("2026-03-02 17:00"), version=len(kept)), "contact")
    assert installed.kinds(code) == [*kept, "contact"]
    assert list(verify.breaks(roomy.store)) == []
    roomy.store.close()
    store.close()


def _write_for_ever(context: Context, installed: CastInstallation, code: str) -> None:
    for number in range(10_000):
        note = {"note": "Đã đến nhà. " * 100}
        case_acts.note(context, Act(installed.viewer("teacher"), code, note, at("2026-03-02 16:00"), key=str(number)))
