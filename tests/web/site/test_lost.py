"""What people and phones are told while the database or the folder of the installation is not there."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.store.ops import leases
from engine.store.session import open_store
from tests.cast import Cast, hidden, make_cast
from web.site.request_context import EXTENSION

MINUTE = dt.timedelta(minutes=1)
OURS = ("/static/", "/sw.js", "/offline/left", "/healthz", "/metrics", "/help", "/demo")  # not of the database


class Losing:
    """Takes the database away and gives it back as it was."""

    def __init__(self, cast: Cast, folder: Path) -> None:
        self.cast, self.folder = cast, folder

    def lose(self) -> None:
        self._path().rename(self._away())

    def give_back(self) -> None:
        self._away().rename(self._path())

    def _path(self) -> Path:
        return Path(str(self.cast.store.url.database)) if self.cast.store.is_sqlite else self.folder

    def _away(self) -> Path:
        return self._path().with_name("away")


@pytest.fixture
def losing(cast: Cast, tmp_path: Path) -> Losing:
    folder = tmp_path / "instance"
    folder.mkdir()
    cast.store.settle([folder])
    return Losing(cast, folder)


def test_a_note_is_not_taken_while_the_database_or_the_folder_is_away_and_goes_through_when_it_is_back(
    cast: Cast, losing: Losing
) -> None:
    code = cast.open_case()
    form = {**hidden(cast.get("teacher", f"/cases/{code}/note")), "note": "Đã gọi cho gia đình"}
    losing.lose()
    answer = cast.browser("teacher").post(f"/cases/{code}/note", data=form)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert "nội dung đã nhập vẫn còn đó" in answer.text
    losing.give_back()
    assert cast.browser("teacher").post(f"/cases/{code}/note", data=form).status_code == 303
    assert "Đã gọi cho gia đình" in cast.get("teacher", f"/cases/{code}").text


def test_what_waited_on_a_phone_is_told_to_wait_on(cast: Cast, losing: Losing) -> None:
    code = cast.open_case()
    form = {**hidden(cast.get("teacher", f"/cases/{code}/note")), "note": "Đã gọi cho gia đình"}
    me = cast.get("teacher", "/offline/me").get_json()["me"]
    losing.lose()
    answer = cast.browser("teacher").post(f"/cases/{code}/note", data=form, headers={"X-Queued": me})
    assert (answer.status_code, answer.get_json()) == (503, {"state": "wait"})
    assert "X-Session" not in answer.headers
    assert "Clear-Site-Data" not in answer.headers
    losing.give_back()
    answer = cast.browser("teacher").post(f"/cases/{code}/note", data=form, headers={"X-Queued": me})
    assert (answer.status_code, answer.get_json()["state"]) == (200, "sent")


@pytest.fixture
def gone(sqlite_url: str, tmp_path: Path) -> Iterator[Cast]:
    """The cast, all signed in, and their database taken away."""
    store = open_store(sqlite_url)
    cast = make_cast(store)
    for member in ("teacher", "commune_officer", "admin"):
        cast.browser(member)
    store.settle()
    Path(str(store.url.database)).rename(tmp_path / "away.db")
    yield cast
    store.close()


def test_no_page_that_needs_the_database_pretends_to_have_one(gone: Cast) -> None:
    rules = [rule.rule for rule in gone.site.app.url_map.iter_rules() if "GET" in (rule.methods or ())]
    paths = [rule for rule in rules if "<" not in rule and not rule.startswith(OURS)]
    assert len(paths) > 30
    for member in ("teacher", "commune_officer", "admin"):
        found = {path: gone.browser(member).get(path) for path in paths}
        assert {path: it.status_code for path, it in found.items() if it.status_code != 503} == {}
        assert {it.headers.get("Retry-After") for it in found.values()} == {"10"}


def test_it_is_said_first_in_the_language_that_was_chosen_on_the_device(gone: Cast) -> None:
    browser = gone.browser("teacher")
    assert '<html lang="vi">' in browser.get("/work").text
    browser.set_cookie("language", "en")
    assert '<html lang="en">' in browser.get("/work").text


def test_health_and_status_say_that_the_database_is_gone(gone: Cast) -> None:
    answer = gone.site.client().get("/healthz")
    assert (answer.status_code, answer.get_json()["database"]) == (503, "gone")


def test_health_says_that_the_worker_of_this_process_is_dead(cast: Cast) -> None:
    """However lately it was seen."""
    leases.hold(cast.store, "machine:1", MINUTE)
    assert cast.site.client().get("/healthz").get_json()["worker"] == "ok"

    class Dead:
        def is_alive(self) -> bool:
            return False

    cast.site.app.extensions[EXTENSION].worker = Dead()
    answer = cast.site.client().get("/healthz")
    assert (answer.status_code, answer.get_json()["worker"]) == (503, "dead")
