"""`/metrics`, as Prometheus reads it, and who may."""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from engine.store.session import open_store
from tests.pages import Site, site
from tests.playing import playing
from web.site.request_context import EXTENSION

TOKEN = "a-token-for-tests-only"


@pytest.fixture
def here(database_url: str) -> Iterator[Site]:
    store = open_store(database_url)
    yield site(store)
    store.close()


def give_token(here: Site, token: str) -> None:
    shell = here.app.extensions[EXTENSION]
    shell.settings = replace(shell.settings, metrics_token=token)


def test_requests_cases_and_health_are_counted(here: Site) -> None:
    playing(here.store).open("2026-03-09 08:00")
    here.client().get("/login")
    found = here.client("127.0.0.1").get("/metrics")
    assert found.status_code == 200
    assert found.content_type.startswith("text/plain")
    assert re.search(r'ralop_requests_total\{method="GET",route="/login",status="200"\} \d+', found.text)
    assert 'ralop_open_cases{state="absent"} 1.0' in found.text
    assert "ralop_healthy 0.0" in found.text  # no worker is at work here


def test_addresses_and_odd_methods_make_no_new_series(here: Site) -> None:
    here.client().get("/nowhere/A-Thu")
    here.client().open("/login", method="BREW")
    text = here.client("127.0.0.1").get("/metrics").text
    assert "A-Thu" not in text
    assert "BREW" not in text


@pytest.mark.parametrize(
    ("environment", "headers", "token", "status"),
    [
        ({"REMOTE_ADDR": "127.0.0.1"}, {}, "", 200),
        ({"REMOTE_ADDR": "::1"}, {}, "", 200),
        ({"REMOTE_ADDR": "10.0.0.7"}, {}, "", 404),
        ({"REMOTE_ADDR": ""}, {}, "", 404),
        ({"REMOTE_ADDR": "127.0.0.1"}, {"X-Forwarded-For": "10.0.0.7"}, "", 404),  # through a proxy on this machine
        ({"REMOTE_ADDR": "10.0.0.7"}, {"Authorization": f"Bearer {TOKEN}"}, TOKEN, 200),
        ({"REMOTE_ADDR": "10.0.0.7"}, {"Authorization": "Bearer wrong"}, TOKEN, 404),
        ({"REMOTE_ADDR": "10.0.0.7"}, {"Authorization": "Bearer "}, "", 404),
    ],
)
def test_only_this_machine_or_the_token_may(
    here: Site, environment: dict[str, str], headers: dict[str, str], token: str, status: int
) -> None:
    give_token(here, token)
    assert here.client().get("/metrics", environ_overrides=environment, headers=headers).status_code == status


def test_many_processes_count_into_one_folder(here: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "counts").mkdir()
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path / "counts"))
    found = here.client("127.0.0.1").get("/metrics")
    assert found.status_code == 200
    assert "ralop_healthy" in found.text
