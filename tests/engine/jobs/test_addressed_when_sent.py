"""A notice goes to who has the duty when it is sent, not to who had it when it was written."""

import datetime as dt
from dataclasses import replace

from sqlalchemy import select

from engine.channels.outbox import Outbox
from engine.core.cases.act import Act
from engine.jobs.deliver import deliver
from engine.store import tables as t
from engine.store.cases.reseating import concern
from engine.store.notices.deliveries import VOID
from engine.store.simulation import seed
from engine.usecases.cases import case_acts
from engine.usecases.cases.reseat import reseat
from engine.usecases.context import Context
from engine.usecases.people import absences, accounts
from tests.engine.jobs.test_deliver import AT_ONCE, MONDAY_16, THURSDAY_17, URL, Fake, choose, logged, offered
from tests.installation import CastInstallation, at, installed

__all__ = ["installed"]

SAME_EVENING = at("2026-03-05 18:00")


def told_through(installed: CastInstallation, *members: str) -> tuple[Context, Fake]:
    fake = Fake()
    for member in members:
        choose(installed, member, replace(AT_ONCE, address=member))
    return replace(installed.context, outbox=Outbox(URL, {"fake": fake})), fake


def test_a_notice_to_a_head_who_has_left_goes_to_the_head_there_is(installed: CastInstallation) -> None:
    context, fake = told_through(installed, "head", "outsider_head")
    offered(installed)
    with installed.store.writing("test") as session:
        people, seats = installed.cast.people, installed.cast.seats("head")
        seed.vacate(session, seats, THURSDAY_17.date())
        seed.appoint(session, people["outsider_head"], seats, THURSDAY_17.date())
    deliver(context, SAME_EVENING)
    assert fake.given == []
    assert [(it.state, it.last_error) for it in logged(installed)] == [
        (VOID, "the person has no duty there any more; passed on: 1")
    ]
    deliver(context, SAME_EVENING)
    assert [address for address, _ in fake.given] == ["outsider_head"]


def test_who_is_away_gets_nothing_and_the_stand_in_hears_it_once(installed: CastInstallation) -> None:
    context, fake = told_through(installed, "commune_officer", "outsider_commune_officer")
    offered(installed)
    offered(installed, "classmate")
    officer, other = (installed.cast.people[who] for who in ("commune_officer", "outsider_commune_officer"))
    friday = THURSDAY_17.date() + dt.timedelta(days=1)
    entered = absences.enter(context, officer, other, THURSDAY_17.date(), friday, "", SAME_EVENING, by="root")
    assert (entered.going.total, entered.going.to, entered.alone) == (2, ((("A Núi Thử",), 2),), ())
    deliver(context, SAME_EVENING)
    deliver(context, SAME_EVENING)
    of_cases = [(address, message) for address, message in fake.given if message.url != f"{URL}/notices"]
    assert [address for address, _ in of_cases] == ["outsider_commune_officer"]
    assert ("Có 2 hồ sơ" in of_cases[0][1].body, of_cases[0][1].url) == (True, f"{URL}/work")


def test_a_dismissed_officer_hears_nothing_more_of_the_cases(installed: CastInstallation) -> None:
    context, fake = told_through(installed, "commune_officer", "commune_leader")
    code = installed.open()
    case_acts.step(context, Act(installed.viewer("teacher"), code, {}, MONDAY_16), "ask_commune")
    today = MONDAY_16.date()
    gone = accounts.end_appointment(
        context, "commune_officer", "commune_officer", "village", today - dt.timedelta(days=1), now=MONDAY_16, by="root"
    )
    assert gone.to == ((("Lê Thị Mẫu",), 1),)
    deliver(context, MONDAY_16)
    told = [(address, message.url) for address, message in fake.given]
    assert (f"{URL}/cases/{code}" in dict(told)["commune_leader"], len(told)) == (True, 2)
    assert dict(told)["commune_officer"] == f"{URL}/notices"  # that the post has ended


def test_many_cases_are_one_notice_and_the_rest_is_the_workers(installed: CastInstallation) -> None:
    from engine.usecases.cases import reseat as module

    for pupil in ("pupil", "classmate", "saturday_pupil"):
        offered(installed, pupil)
    before = module.MOST_AT_ONCE
    module.MOST_AT_ONCE = 1
    try:
        with installed.store.writing("test") as session:
            officer = installed.cast.people["commune_officer"]
            seed.vacate(session, installed.cast.seats("commune_officer"), THURSDAY_17.date())
            done = reseat(session, installed.context, concern(session, [officer]), SAME_EVENING)
        assert (len(done.codes), done.last is not None) == (1, True)
        assert module.work_on_rest(installed.context, SAME_EVENING) == 2
    finally:
        module.MOST_AT_ONCE = before
    with installed.store.reading("test") as session:
        leader = installed.cast.people["commune_leader"]
        told = select(t.Notice.kind, t.Notice.cases).where(t.Notice.person_id == leader, t.Notice.at == SAME_EVENING)
        assert session.execute(told).all() == [("offered", 1), ("came_many", 2)]
        assert not session.execute(select(t.Reseat.id)).all()
