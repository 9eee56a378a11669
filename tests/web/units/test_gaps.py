"""Who can fill a post sees in which of the coming days nobody acts in it, and whom no message reaches."""

import datetime as dt

from sqlalchemy import event, update

from engine.store import tables as t
from engine.store.people.gaps import unreached
from engine.store.simulation import seed
from engine.store.units.unit_lists import sought
from tests.cast import Cast
from tests.shipped_roles import ROLES

MONDAY = dt.date(2026, 3, 2)
DAY = dt.timedelta(days=1)


def away(cast: Cast, who: str, first: int, last: int, delegate: str | None = None) -> None:
    with cast.store.writing("test") as session:
        people = cast.installed.people
        seed.send_away(
            session, people[who], MONDAY + first * DAY, MONDAY + last * DAY, people[delegate] if delegate else None
        )


def test_each_sees_the_gaps_that_they_can_fill_with_the_days(cast: Cast) -> None:
    away(cast, "commune_officer", 2, 4, "outsider_commune_officer")
    away(cast, "outsider_commune_officer", 3, 3)
    with cast.store.writing("test") as session:
        seed.vacate(session, cast.installed.seats("teacher"), MONDAY + 9 * DAY)
    leader, head = cast.get("commune_leader", "/gaps").text, cast.get("head", "/gaps").text
    assert "05/03/2026: đang vắng, chưa ủy quyền" in leader
    assert "11/03/2026 – 15/03/2026: chưa có người" not in leader
    assert "11/03/2026 – 15/03/2026: chưa có người" in head
    assert "05/03/2026: đang vắng" not in head
    for all_of_it in ("education_office", "admin"):
        page = cast.get(all_of_it, "/gaps").text
        assert "05/03/2026: đang vắng" in page
        assert "11/03/2026 – 15/03/2026: chưa có người" in page
    assert "05/03/2026: đang vắng" in cast.get("outsider_commune_leader", "/gaps").text  # whose officer is away as well
    assert "11/03/2026" not in cast.get("outsider_commune_leader", "/gaps").text


def test_a_closed_account_fills_no_post(cast: Cast) -> None:
    with cast.store.writing("test") as session:
        seed.set_disabled(session, cast.installed.people["commune_officer"], cast.now)
    assert "02/03/2026 – 15/03/2026: chưa có người" in cast.get("commune_leader", "/gaps").text


def test_it_costs_the_same_with_more_gaps(cast: Cast) -> None:
    said: list[str] = []

    def counted() -> int:
        said.clear()
        cast.get("education_office", "/gaps")
        return len(said)

    away(cast, "commune_leader", 1, 3)
    cast.get("education_office", "/gaps")
    event.listen(cast.store.engine, "before_cursor_execute", lambda *args: said.append(args[2]))
    few = counted()
    for who in ("teacher", "head", "commune_officer", "volunteer", "association"):
        away(cast, who, 1, 3)
    assert counted() == few


def test_people_whom_no_message_reaches_are_named(cast: Cast) -> None:
    roots = {
        "teacher": frozenset({cast.installed.units["school"]}),
        "head": frozenset({cast.installed.units["school"]}),
    }
    with cast.store.writing("test") as session:
        session.execute(update(t.Person).where(t.Person.login == "teacher").values(email="lan@example.vn"))
        found = [(it.name, it.role, it.unit) for it in unreached(session, sought(ROLES), roots, {"email"}, MONDAY)]
        assert found == [("Trần Văn Mẫu", "head", "school")]
        session.add(
            t.ChannelChoice(person_id=cast.installed.people["teacher"], channel="email", enabled=False, digest=True)
        )
        session.flush()
        assert [it.name for it in unreached(session, sought(ROLES), roots, {"email"}, MONDAY)] == [
            "Trần Văn Mẫu",
            "Y Lan Thử",
        ]
        assert len(unreached(session, sought(ROLES), None, {"email"}, MONDAY)) == 12  # everybody to whom cases go
    assert "Cài đặt này không gửi tin nhắn" in cast.get("head", "/gaps").text
