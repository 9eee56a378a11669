"""The button of a demo that lets time pass: it leads back to the page it stands on, and nowhere else."""

import pytest

from engine.store.ops.settings import DEMO, put_setting
from engine.store.session import open_store
from tests.cast import make_cast


@pytest.mark.parametrize(
    ("referrer", "target"),
    [
        ("http://localhost/cases?which=late", "/cases?which=late"),
        ("https://evil.example/cases", "/cases"),
        ("https://evil.example//evil.example/", "/"),
        ("http://localhost/work/accept", "/"),  # only a form is sent there
        ("http://[", "/"),
        ("", "/"),
    ],
)
def test_the_way_back_stays_on_this_site(sqlite_url: str, referrer: str, target: str) -> None:
    cast = make_cast(open_store(sqlite_url))
    with cast.store.writing("test") as session:
        put_setting(session, DEMO, {"on": True})
    browser = cast.browser("teacher")
    page = browser.get("/password").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    answer = browser.post("/demo/next-day", data={"csrf_token": token}, headers={"Referer": referrer})
    assert (answer.status_code, answer.location) == (303, target)
