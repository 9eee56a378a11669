"""Messages are forgotten after their time, once a day and in small steps; what is young or still on its way stays."""

import datetime as dt
from dataclasses import replace

from sqlalchemy import func, insert, select

from engine.channels.outbox import Outbox
from engine.jobs import forget_messages
from engine.jobs.forget_messages import forget_daily
from engine.store import tables as t
from engine.store.ops.settings import get_setting
from tests.installation import CastInstallation, at, installed

__all__ = ["installed"]

NOW = at("2026-03-09 08:00")
OLD = NOW - dt.timedelta(days=401)


def messages(installed: CastInstallation, *made: tuple[str, dt.datetime]) -> None:
    """Messages in a state, each with the notice that it tells."""
    person, code = installed.cast.people["head"], installed.open()
    with installed.store.writing("test") as session:
        case = session.scalars(select(t.Case.id).where(t.Case.code == code)).one()
        for number, (state, moment) in enumerate(made, start=1):
            notice = {
                "id": 100 + number,
                "case_id": case,
                "person_id": person,
                "role": "head",
                "kind": "assigned",
                "seq": 100 + number,
                "urgent": False,
                "at": moment,
                "planned_at": moment,
            }
            row = {
                "id": number,
                "key": f"k{number}",
                "person_id": person,
                "channel": "email",
                "kind": "notice",
                "urgent": False,
                "state": state,
                "attempts": 1,
                "made_at": moment,
                "next_try_at": moment,
            }
            session.execute(insert(t.Notice).values(notice))
            session.execute(insert(t.Delivery).values(row))
            session.execute(insert(t.DeliveryItem).values(delivery_id=number, notice_id=100 + number))


def left(installed: CastInstallation) -> list[int]:
    with installed.store.reading("test") as session:
        return list(session.scalars(select(t.Delivery.id).order_by(t.Delivery.id)))


def test_what_was_sent_or_given_up_long_ago_is_forgotten_and_its_notice_stays(installed: CastInstallation) -> None:
    young = NOW - dt.timedelta(days=399)
    messages(installed, ("sent", OLD), ("dead", OLD), ("void", OLD), ("pending", OLD), ("failed", OLD), ("sent", young))
    assert forget_daily(installed.context, NOW) == 3
    assert left(installed) == [4, 5, 6]
    with installed.store.reading("test") as session:
        assert set(session.scalars(select(t.DeliveryItem.delivery_id))) == {4, 5, 6}
        assert session.scalar(select(func.count()).select_from(t.Notice)) == 6
        done = {"day": "2026-03-09", "count": 3, "before": "2025-02-02"}
        assert get_setting(session, forget_messages.SETTING) == done


def test_once_a_day(installed: CastInstallation) -> None:
    forget_daily(installed.context, NOW)
    messages(installed, ("sent", OLD))
    assert forget_daily(installed.context, NOW + dt.timedelta(hours=9)) == 0
    assert forget_daily(installed.context, NOW + dt.timedelta(days=1)) == 1


def test_the_setting_says_how_long(installed: CastInstallation) -> None:
    messages(installed, ("sent", NOW - dt.timedelta(days=31)))
    assert forget_daily(replace(installed.context, outbox=Outbox(keep_days=30)), NOW) == 1


def test_stopped_in_the_middle_it_goes_on_the_next_time(installed: CastInstallation) -> None:
    messages(installed, *[("sent", OLD)] * 5)
    asked = iter([False, True, True, True, True])
    assert forget_daily(installed.context, NOW, lambda: next(asked), batch=2) == 2
    assert left(installed) == [3, 4, 5]
    assert forget_daily(installed.context, NOW) == 3
