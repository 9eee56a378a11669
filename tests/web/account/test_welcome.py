"""The first steps: three things a role, shown at the first sign-in and until they are put away; then never again."""

from __future__ import annotations

import re

from sqlalchemy import update

from engine.core.scenario.cast import POSTS
from engine.store import tables as t
from engine.store.simulation import seed
from tests.cast import Cast
from tests.pages import PASSWORD, post, sign_in
from tests.web.calendar.test_closures import counted

REMINDER = 'href="/welcome"'


def test_the_first_password_of_ones_own_leads_to_the_first_steps(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        session.execute(update(t.Person).where(t.Person.login == "teacher").values(must_change=True))
    client = cast.site.client()
    sign_in(client, "teacher", PASSWORD)
    new = "mưa rừng gánh củi"
    answer = post(client, "/password", old=PASSWORD, new=new, again=new)
    assert answer.location == "/welcome"
    assert client.get("/welcome").status_code == 200


def test_every_role_has_three_things_that_lead_to_pages_it_may_open(cast: Cast) -> None:
    for role in POSTS:
        page = cast.get(role, "/welcome").text
        steps = re.findall(r'<a class="card" href="([^"]+)"', page)
        assert len(steps) == 3, role
        for address in steps:
            assert cast.get(role, address).status_code == 200, (role, address)


def test_they_are_offered_below_ones_work_until_they_are_put_away_and_then_on_no_device(cast: Cast) -> None:
    assert REMINDER in cast.get("head", "/work").text
    assert REMINDER in cast.get("head", "/work").text
    assert cast.send("head", "/welcome").location == "/work"
    assert REMINDER not in cast.get("head", "/work").text
    assert REMINDER not in cast.site.signed_in("head").get("/work").text
    assert REMINDER in cast.get("teacher", "/work").text
    assert cast.send("head", "/welcome").status_code == 303  # twice does no harm


def test_a_new_role_brings_its_own_first_steps(cast: Cast) -> None:
    cast.send("head", "/welcome")
    with cast.store.writing("test") as session:
        post_ = ("commune_leader", cast.installed.units["commune"])
        seed.appoint(session, cast.installed.people["head"], [post_], seed.ALWAYS)
    assert REMINDER in cast.get("head", "/work").text
    assert "Lãnh đạo UBND xã" in cast.get("head", "/welcome").text


def test_the_database_is_asked_once_a_day_whether_they_were_put_away(cast: Cast) -> None:
    def statements() -> int:
        with counted(cast) as seen:
            cast.get("head", "/work")
        return sum("greetings" in statement for statement in seen)

    cast.browser("head")
    assert [statements(), statements()] == [1, 0]
    cast.send("head", "/welcome")
    assert statements() == 0
    cast.go_to("2026-03-03 08:00")
    assert statements() == 0


def test_they_stand_under_help_for_who_is_signed_in(cast: Cast) -> None:
    assert REMINDER in cast.get("volunteer", "/help").text
    assert REMINDER not in cast.site.client().get("/help").text
