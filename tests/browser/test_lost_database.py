"""The server has lost its database: a phone keeps what is sent, shows what it has, and sends it when all is back."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_offline import (
    CODE,
    RECORD,
    VISIT,
    address,
    all_sent,
    cast,
    entries,
    holds,
    kept,
    line,
    officer,
    record,
)
from tests.cast import Cast

__all__ = ["address", "cast", "line", "officer"]


@pytest.fixture
def lose(cast: Cast, tmp_path: Path) -> Callable[[bool], object]:
    """Takes the database away, or gives it back."""
    cast.store.settle()
    path, away = Path(str(cast.store.url.database)), tmp_path / "away.db"
    return lambda lost: path.rename(away) if lost else away.rename(path)


def test_what_is_sent_to_a_server_without_a_database_waits_on_the_phone_and_arrives_once(
    cast: Cast, address: str, officer: Page, lose: Callable[[bool], object]
) -> None:
    officer.goto(f"{address}/cases/{CODE}/visit")
    lose(True)
    record(officer, f"{address}/cases/{CODE}/visit", VISIT, RECORD)
    kept(officer)
    assert holds(officer)["queue"] == 1
    officer.goto(f"{address}/work")
    expect(officer.locator("#saved")).to_be_visible()  # the copy, which says so
    lose(False)
    officer.goto(f"{address}/work")
    all_sent(officer)
    assert len(entries(cast, "visit")) == 1


def test_where_nothing_is_kept_the_server_itself_says_that_it_cannot_work(
    address: str, officer: Page, lose: Callable[[bool], object]
) -> None:
    officer.evaluate("caches.delete('pages')")  # as on a phone that has come here for the first time
    lose(True)
    officer.goto(f"{address}/work")
    expect(officer.get_by_role("heading", level=1)).to_have_text("Hệ thống tạm thời chưa làm việc được")
    lose(False)
    officer.goto(f"{address}/work")
    expect(officer.get_by_role("heading", level=1)).to_have_text("Việc của tôi")
