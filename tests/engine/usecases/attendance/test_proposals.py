"""What the risk watch proposes where it may not open cases: taken up once, or left aside for a reason that is kept."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

import rules
from engine.core.attendance.signal_reader import load_risk
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound
from engine.jobs.risk_watch import watch
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.ops.settings import put_setting
from engine.store.simulation import seed
from engine.usecases.attendance import proposals
from tests.installation import CastInstallation, at, installed

__all__ = ["installed"]

RULES = load_risk((Path(str(rules.__file__)).parent / "risk.toml").read_text(encoding="utf-8"), "risk.toml")
MON, TUE, WED = (dt.date(2026, 3, day) for day in (9, 10, 11))
EVENING = at("2026-03-10 18:00")


@pytest.fixture
def watched(installed: CastInstallation) -> CastInstallation:
    """The stage with the shipped signals, and the watch set to propose."""
    with installed.store.writing("test") as session:
        put_setting(session, "risk", {"mode": "propose"})
    return CastInstallation(replace(installed.context, risk=RULES), installed.cast)


@pytest.fixture
def proposed(watched: CastInstallation) -> int:
    """A proposal for the pupil, who was absent on Monday and Tuesday; its id."""
    mark(watched, MON, TUE)
    result = watch(watched.context, TUE, EVENING)
    assert (result.proposed, result.opened) == (1, 0)
    with watched.store.reading("test") as session:
        return session.scalars(select(t.Proposal.id)).one()


def mark(installed: CastInstallation, *days: dt.date, pupil: str = "pupil") -> None:
    with installed.store.writing("test") as session:
        for day in days:
            seed.mark(session, installed.cast.pupils[pupil], day, "ma", "u", at("2026-03-01 08:00"))


def shown(installed: CastInstallation, member: str) -> list[str]:
    """The pupils whose proposals this member finds."""
    viewer = installed.viewer(member, EVENING)
    with installed.store.scoped(viewer) as session:
        return [row.pupil for row in proposals.open_proposals(session, viewer)]


def row_of(installed: CastInstallation, id: int) -> t.Proposal:
    with installed.store.reading("test") as session:
        return session.get_one(t.Proposal, id)


def test_taken_up_it_becomes_a_case_with_what_was_found(watched: CastInstallation, proposed: int) -> None:
    code = proposals.take_up(watched.context, watched.viewer("teacher"), proposed, EVENING)
    case = watched.case(code)
    assert (case.absent_since, case.assignee_id, watched.kinds(code)) == (
        MON,
        watched.cast.people["teacher"],
        ["opened"],
    )
    with watched.store.reading("test") as session:
        data = session.scalars(select(t.Event.data)).one()
        assert (data["signals"], data["proposal"]) == ([["unexcused-in-a-row", 3, 4]], proposed)
        assert session.execute(select(t.Alarm.case_id, t.Alarm.opened)).all() == [(case.id, True)]
    assert row_of(watched, proposed).case_id == case.id
    assert list(verify.breaks(watched.store)) == []


def test_two_clicks_open_one_case_and_who_comes_later_is_told(watched: CastInstallation, proposed: int) -> None:
    teacher = watched.viewer("teacher")
    codes = [proposals.take_up(watched.context, teacher, proposed, EVENING) for _ in range(2)]
    assert codes[0] == codes[1]
    with pytest.raises(Conflict):
        proposals.take_up(watched.context, watched.viewer("head"), proposed, EVENING)
    with pytest.raises(Conflict):
        proposals.dismiss(watched.context, teacher, proposed, "Nhầm", EVENING)
    with watched.store.reading("test") as session:
        assert len(session.scalars(select(t.Case.id)).all()) == 1


def test_it_is_left_aside_only_for_a_reason_and_the_same_absence_does_not_bring_it_back(
    watched: CastInstallation, proposed: int
) -> None:
    teacher = watched.viewer("teacher")
    for nothing in (" ", "x" * 301):
        with pytest.raises(Invalid):
            proposals.dismiss(watched.context, teacher, proposed, nothing, EVENING)
    for _twice in range(2):
        proposals.dismiss(watched.context, teacher, proposed, " Cả nhà đi đám cưới ", EVENING)
    row = row_of(watched, proposed)
    assert (row.reason, row.decided_by_id) == ("Cả nhà đi đám cưới", watched.cast.people["teacher"])
    assert watch(watched.context, TUE, EVENING).proposed == 0
    assert shown(watched, "teacher") == []
    with pytest.raises(Conflict):
        proposals.take_up(watched.context, teacher, proposed, EVENING)


@pytest.mark.parametrize(
    ("member", "refusal"),
    [
        ("commune_officer", NotAllowed),
        ("education_office", NotAllowed),
        ("outsider_teacher", NoAccess),
        ("outsider_head", NoAccess),
        ("volunteer", NoAccess),
        ("admin", NoAccess),
    ],
)
def test_others_see_and_decide_nothing(
    watched: CastInstallation, proposed: int, member: str, refusal: type[Exception]
) -> None:
    assert shown(watched, member) == []
    viewer = watched.viewer(member)
    with pytest.raises(refusal):
        proposals.take_up(watched.context, viewer, proposed, EVENING)
    with pytest.raises(refusal):
        proposals.dismiss(watched.context, viewer, proposed, "Không cần", EVENING)
    with pytest.raises(refusal):
        proposals.proposal(watched.context, viewer, proposed)


def test_teacher_and_head_see_it_until_the_pupil_has_a_case(watched: CastInstallation, proposed: int) -> None:
    assert shown(watched, "teacher") == shown(watched, "head") == ["A Thử"]
    assert proposals.proposal(watched.context, watched.viewer("head"), proposed).absent_since == MON
    watched.open(EVENING)
    assert shown(watched, "teacher") == []
    for ask in (proposals.proposal, proposals.take_up):
        with pytest.raises(Conflict):
            ask(watched.context, watched.viewer("teacher"), proposed, *([EVENING] if ask is proposals.take_up else []))


def test_one_that_waits_says_what_was_found_last(watched: CastInstallation, proposed: int) -> None:
    mark(watched, WED)
    assert watch(watched.context, WED, at("2026-03-11 18:00")).proposed == 1
    row = row_of(watched, proposed)
    assert (row.day, row.signals) == (TUE, [["unexcused-in-a-row", 5, 6]])


def test_the_reasons_are_words_with_what_was_counted() -> None:
    signals = [["unexcused-in-a-row", 3, 4], ["unexcused-days", 5, 6], ["tenth-of-the-year", 10, 12], ["gone", 1, 1]]
    assert [it.in_("en") for it in proposals.reasons(RULES, signals)] == [
        "Several sessions missed in a row without excuse: 4 sessions in a row",
        "Missed 5 of 10 school days without excuse: 6 of the last 10 school days",
        "Missed a tenth of the sessions, excused or not: 12% of the sessions",
        "gone",
    ]
    assert {signal.kind for signal in RULES.signals} <= proposals.MEASURES.keys()


def test_there_is_no_proposal_of_that_number(watched: CastInstallation) -> None:
    with pytest.raises(NotFound):
        proposals.take_up(watched.context, watched.viewer("teacher"), 999, EVENING)
