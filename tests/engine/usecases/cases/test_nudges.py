"""Who leads urges on who has the case: once a day, to whoever acts today, and never an outsider."""

import datetime as dt
from collections.abc import Callable

import pytest
from sqlalchemy import select

from engine.core.cases.act import Act
from engine.core.refusals import Conflict, NoAccess, NotAllowed, NotFound
from engine.jobs.sweep import run_due
from engine.store import tables as t
from engine.store.cases import verify
from engine.usecases.cases import case_acts
from engine.usecases.cases.nudges import ASKED, URGED, nudge
from tests.installation import CALLED, CastInstallation, at, installed

__all__ = ["installed"]

FRIDAY_9 = at("2026-03-06 09:00")


def offered(installed: CastInstallation) -> str:
    code = installed.open()
    case_acts.step(installed.context, Act(installed.viewer("teacher"), code, CALLED, at("2026-03-02 16:00")), "contact")
    run_due(installed.context, at("2026-03-05 17:00"))
    return code


def nudged(installed: CastInstallation) -> list[tuple[str, str]]:
    """Who was told so, in which role."""
    with installed.store.reading("test") as session:
        query = select(t.Notice.person_id, t.Notice.role).where(t.Notice.kind.in_((URGED, ASKED))).order_by(t.Notice.id)
        return [(installed.cast.member(person), role) for person, role in session.execute(query)]


def test_the_post_that_a_case_is_offered_to_is_urged_on_and_then_who_accepted_it(installed: CastInstallation) -> None:
    code = offered(installed)
    nudge(installed.context, Act(installed.viewer("commune_leader"), code, {}, FRIDAY_9))
    assert nudged(installed) == [("commune_officer", "commune_officer")]
    case_acts.accept(installed.context, Act(installed.viewer("commune_officer"), code, {}, at("2026-03-06 10:00")))
    nudge(installed.context, Act(installed.viewer("education_office"), code, {}, at("2026-03-06 11:00")))
    assert nudged(installed)[1:] == [("commune_officer", "assignee")]
    assert installed.kinds(code)[-3:] == ["nudged", "accepted", "attention_asked"]  # an office is no commune's superior


def in_school(installed: CastInstallation) -> str:
    return installed.open()


def in_the_commune(installed: CastInstallation) -> str:
    code = offered(installed)
    case_acts.accept(installed.context, Act(installed.viewer("commune_officer"), code, {}, at("2026-03-06 08:00")))
    return code


def with_the_leader(installed: CastInstallation) -> str:
    """The leader has taken a case himself that was offered to his officer."""
    code = offered(installed)
    case_acts.assign(
        installed.context,
        Act(installed.viewer("commune_leader"), code, {}, FRIDAY_9),
        installed.cast.people["commune_leader"],
    )
    return code


def with_the_association(installed: CastInstallation) -> str:
    code = in_the_commune(installed)
    case_acts.step(
        installed.context, Act(installed.viewer("commune_officer"), code, {"need": "Gạo"}, FRIDAY_9), "refer_support"
    )
    return code


@pytest.mark.parametrize(
    ("where", "member", "kind"),
    [
        (in_school, "head", URGED),
        (in_school, "education_office", URGED),
        (in_school, "commune_leader", ASKED),
        (offered, "commune_leader", URGED),
        (offered, "head", ASKED),
        (offered, "education_office", ASKED),
        (in_the_commune, "commune_leader", URGED),
        (in_the_commune, "head", ASKED),
        (with_the_leader, "head", ASKED),
        (with_the_leader, "education_office", ASKED),
        (with_the_association, "commune_leader", ASKED),
        (with_the_association, "head", ASKED),
    ],
)
def test_only_a_superior_urges_everybody_else_asks_for_attention(
    installed: CastInstallation, where: Callable[[CastInstallation], str], member: str, kind: str
) -> None:
    code = where(installed)
    assert nudge(installed.context, Act(installed.viewer(member), code, {}, at("2026-03-06 10:00"), key="1")) is (
        kind == URGED
    )
    assert installed.kinds(code)[-1] == kind
    with installed.store.reading("test") as session:
        assert session.scalars(select(t.Notice.kind).order_by(t.Notice.id.desc())).first() == kind
    assert nudge(installed.context, Act(installed.viewer(member), code, {}, at("2026-03-06 11:00"), key="1")) is (
        kind == URGED
    )


def test_who_reminded_today_in_one_tone_does_not_remind_again_in_the_other(installed: CastInstallation) -> None:
    code, leader = offered(installed), installed.viewer("commune_leader")
    nudge(installed.context, Act(leader, code, {}, FRIDAY_9))
    case_acts.assign(
        installed.context,
        Act(installed.viewer("education_office"), code, {}, FRIDAY_9),
        installed.cast.people["education_office"],
    )
    with pytest.raises(Conflict, match="today already"):
        nudge(installed.context, Act(leader, code, {}, at("2026-03-06 12:00")))


def test_it_neither_moves_the_case_nor_its_deadline(installed: CastInstallation) -> None:
    code = offered(installed)
    before = installed.case(code)
    nudge(installed.context, Act(installed.viewer("education_office"), code, {}, FRIDAY_9))
    after = installed.case(code)
    assert (after.state, after.due_at, after.offered_role) == (before.state, before.due_at, before.offered_role)
    assert list(verify.breaks(installed.store)) == []


def test_somebody_elses_key_is_not_taken_for_the_same_request(installed: CastInstallation) -> None:
    code = offered(installed)
    nudge(installed.context, Act(installed.viewer("commune_leader"), code, {}, FRIDAY_9, key="1"))
    nudge(installed.context, Act(installed.viewer("commune_leader"), code, {}, FRIDAY_9, key="1"))
    with pytest.raises(Conflict, match="somebody else"):
        nudge(installed.context, Act(installed.viewer("education_office"), code, {}, FRIDAY_9, key="1"))
    assert len(nudged(installed)) == 1


def test_once_a_day_for_each_case_and_leader(installed: CastInstallation) -> None:
    code, leader = offered(installed), installed.viewer("commune_leader")
    nudge(installed.context, Act(leader, code, {}, FRIDAY_9))
    with pytest.raises(Conflict, match="today already"):
        nudge(installed.context, Act(leader, code, {}, at("2026-03-06 23:59")))
    nudge(installed.context, Act(installed.viewer("education_office"), code, {}, FRIDAY_9))
    nudge(installed.context, Act(leader, code, {}, at("2026-03-07 00:00")))
    assert len(nudged(installed)) == 3


def test_the_same_request_sent_twice_is_done_once(installed: CastInstallation) -> None:
    code = offered(installed)
    for _ in range(2):
        nudge(installed.context, Act(installed.viewer("commune_leader"), code, {}, FRIDAY_9, key="a"))
    assert len(nudged(installed)) == 1


def test_while_the_assignee_is_away_the_delegate_is_urged_on(installed: CastInstallation) -> None:
    code = installed.open()
    with installed.store.writing("test") as session:
        days = {"first_day": dt.date(2026, 3, 2), "last_day": dt.date(2026, 3, 6)}
        people = installed.cast.people
        session.add(t.Delegation(person_id=people["teacher"], delegate_id=people["head"], **days))
    nudge(installed.context, Act(installed.viewer("education_office"), code, {}, at("2026-03-03 09:00")))
    assert nudged(installed) == [("head", "assignee")]


@pytest.mark.parametrize(
    ("member", "refused"),
    [
        ("teacher", NotAllowed),
        ("commune_officer", NotAllowed),
        ("volunteer", NoAccess),
        ("admin", NoAccess),
        ("outsider_commune_leader", NoAccess),
        ("outsider_education_office", NoAccess),
    ],
)
def test_who_does_not_lead_here_urges_nobody_on(
    installed: CastInstallation, member: str, refused: type[Exception]
) -> None:
    code = offered(installed)
    with pytest.raises(refused):
        nudge(installed.context, Act(installed.viewer(member), code, {}, FRIDAY_9))
    assert nudged(installed) == []


def test_there_is_nobody_to_urge_on_in_ones_own_case_or_one_that_has_ended(installed: CastInstallation) -> None:
    code, head = installed.open(), installed.viewer("head")
    case_acts.assign(installed.context, Act(head, code, {}, at("2026-03-02 09:00")), installed.cast.people["head"])
    with pytest.raises(NotAllowed, match="nobody else"):
        nudge(installed.context, Act(head, code, {}, FRIDAY_9))
    case_acts.step(installed.context, Act(head, code, {"reason": "lập trùng"}, at("2026-03-02 10:00")), "mark_error")
    with pytest.raises(NotAllowed, match="has ended"):
        nudge(installed.context, Act(head, code, {}, FRIDAY_9))


def test_a_case_that_is_not_there(installed: CastInstallation) -> None:
    with pytest.raises(NotFound):
        nudge(installed.context, Act(installed.viewer("education_office"), "RL-2026-999999", {}, FRIDAY_9))


def test_the_same_form_with_the_code_in_small_letters_is_done_already(installed: CastInstallation) -> None:
    code = offered(installed)
    for written in (code, code.lower()):
        assert nudge(installed.context, Act(installed.viewer("commune_leader"), written, {}, FRIDAY_9, key="k1"))
    assert len(nudged(installed)) == 1
