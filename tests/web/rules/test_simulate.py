"""The page on which rules are tried out on a past period, and who may."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select

from engine.store import tables as t
from engine.store.session import open_store
from engine.store.simulation import seed
from engine.usecases.context import Context
from tests.pages import Site, post, site
from tests.playing import CONTACT, RULES, Playing, at, definitions

PAGE = "/simulate"
FASTER = RULES.replace('"confirm_return"], for = "3 school days"', '"confirm_return"], for = "1 school day"', 1)
assert FASTER != RULES


@pytest.fixture
def here(database_url: str) -> Iterator[Site]:
    store = open_store(database_url)
    found = site(store)
    with store.writing("test") as session:
        installed = seed.add_cast(session, at("2026-03-02 07:00"))
    playing = Playing(Context(store, definitions()), installed)
    code = playing.open("2026-03-09 08:00")
    playing.step(code, "2026-03-09 14:00", "teacher", "contact", **CONTACT)
    playing.pass_to("2026-03-12 18:00")
    found.clock.moment = at("2026-03-13 08:00")
    for login, member in (("vo", "education_office"), ("ngo", "outsider_education_office"), ("quan", "admin")):
        person = found.person(login)
        with store.writing("test") as session:
            seed.appoint(session, person, installed.seats(member), seed.ALWAYS)
    found.person("khac")
    yield found
    store.close()


def test_the_rules_in_force_stand_there_to_be_changed(here: Site) -> None:
    page = here.signed_in("vo").get(PAGE).text
    assert "contact-overdue" in page
    assert "13/03/2026" in page


def test_what_would_have_been_different_stands_side_by_side(here: Site) -> None:
    client = here.signed_in("vo")
    page = post(client, PAGE, rules=FASTER, first="09/03/2026", last="12/03/2026")
    assert page.status_code == 200
    assert "1 hồ sơ đang mở trong khoảng thời gian này" in page.text
    assert "visit-not-accepted" in page.text
    assert "RL-2026-000001" in page.text
    assert "Lê Thị Mẫu" in page.text
    assert "A Thử" not in page.text  # the pupil


def test_the_same_rules_change_nothing_and_nothing_is_stored(here: Site) -> None:
    client = here.signed_in("quan")
    with here.store.reading("test") as session:
        before = [session.execute(select(func.count()).select_from(table)).scalar() for table in (t.Event, t.Notice)]
    page = post(client, PAGE, rules=RULES, first="09/03/2026", last="12/03/2026")
    assert "Không có gì khác" in page.text
    with here.store.reading("test") as session:
        after = [session.execute(select(func.count()).select_from(table)).scalar() for table in (t.Event, t.Notice)]
    assert after == before


def test_an_office_sees_the_cases_of_its_own_area_only(here: Site) -> None:
    page = post(here.signed_in("ngo"), PAGE, rules=FASTER, first="09/03/2026", last="12/03/2026")
    assert "RL-2026-000001" not in page.text
    assert "0 hồ sơ đang mở" in page.text


def test_nobody_else_may(here: Site) -> None:
    assert here.signed_in("khac").get(PAGE).status_code == 403


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rules": FASTER.replace("notify", "tell", 1)}, "tell"),
        ({"rules": "nothing of the kind"}, "faults-title"),
        ({"first": "gestern"}, "Hãy ghi ngày như 25/11/2026."),
        ({"first": "12/03/2026", "last": "09/03/2026"}, "Khoảng thời gian phải kết thúc sau khi bắt đầu."),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_is_kept(here: Site, fields: dict[str, str], words: str) -> None:
    sent = {"rules": FASTER, "first": "09/03/2026", "last": "12/03/2026", **fields}
    page = post(here.signed_in("vo"), PAGE, **sent)
    assert page.status_code == 422
    assert words in page.text
    assert sent["first"] in page.text
