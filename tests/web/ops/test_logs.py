"""One line a request: found by its id, and telling nobody's name."""

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from engine.store.session import open_store
from tests.pages import Site, site
from web.ops import logs
from web.site.security import public


@pytest.fixture
def here(sqlite_url: str) -> Iterator[Site]:
    store = open_store(sqlite_url)
    yield site(store)
    store.close()


@pytest.fixture
def lines(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """What goes to stderr once logging is set up as the commands set it up."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    written = io.StringIO()
    monkeypatch.setattr("sys.stderr", written)
    monkeypatch.setattr(logs, "log", structlog.get_logger())  # one that has not settled yet
    logs.configure()
    yield written
    structlog.reset_defaults()
    root.handlers[:], root.level = before[0], before[1]


def read(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_request_is_one_json_line_with_route_status_and_time(here: Site, lines: io.StringIO) -> None:
    here.client().get("/login")
    (line,) = read(lines)
    assert {line["event"], line["method"], line["route"], line["level"]} == {"request", "GET", "/login", "info"}
    assert line["logger"] == "ralop.web"
    assert (line["status"], line["person"], line["ms"] > 0) == (200, None, True)


def test_a_sane_request_id_is_taken_over_and_given_back(here: Site, lines: io.StringIO) -> None:
    answer = here.client().get("/login", headers={"X-Request-ID": "proxy-0001"})
    assert (answer.headers["X-Request-ID"], read(lines)[0]["request"]) == ("proxy-0001", "proxy-0001")


@pytest.mark.parametrize("given", ["short", "a b c d e f g h", "x" * 65, "<script>alert(1)"])
def test_any_other_is_replaced_by_one_of_our_own(here: Site, given: str) -> None:
    answer = here.client().get("/login", headers={"X-Request-ID": given})
    assert len(answer.headers["X-Request-ID"]) == 32


def test_what_was_typed_is_in_no_line(here: Site, lines: io.StringIO) -> None:
    here.client().get("/login?q=Y+Hanh", headers={"User-Agent": "Y Hạnh"})
    here.client().get("/nowhere/Y-Hanh")
    here.client().post("/login", data={"login": "Y Hạnh"})
    assert "Hanh" not in lines.getvalue()
    assert "Hạnh" not in lines.getvalue()


def test_of_a_fault_the_kind_and_the_place_are_kept_and_not_the_message(here: Site, lines: io.StringIO) -> None:
    def fail() -> str:
        raise ValueError("A Thử is absent")

    here.app.add_url_rule("/fail", "fail", public(fail))
    here.app.config["PROPAGATE_EXCEPTIONS"] = False
    assert here.client().get("/fail").status_code == 500
    fault = next(line for line in read(lines) if line["level"] == "error")
    assert fault["exception"] == "ValueError"
    assert fault["stack"][-1].endswith(" fail")
    assert "A Thử" not in lines.getvalue()


def test_lines_of_other_loggers_carry_the_id_of_the_request(here: Site, lines: io.StringIO) -> None:
    def note() -> str:
        logging.getLogger("ralop.other").warning("a line")
        return ""

    here.app.add_url_rule("/note", "note", public(note))
    here.client().get("/note", headers={"X-Request-ID": "proxy-0002"})
    assert [(line["event"], line["request"]) for line in read(lines)] == [
        ("a line", "proxy-0002"),
        ("request", "proxy-0002"),
    ]
