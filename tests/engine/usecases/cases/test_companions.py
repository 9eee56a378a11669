"""The people around a case, the dates that are kept, and what the history is narrowed to."""

import datetime as dt
from typing import Any

import pytest
from sqlalchemy import select

from engine.core.cases.act import Act
from engine.core.cases.timeline_filters import FILTERS, only
from engine.core.refusals import Invalid, NoAccess, NotAllowed, NotFound
from engine.jobs.sweep import run_due
from engine.store import tables as t
from engine.store.cases import case_page, verify
from engine.store.cases.companions import CompanionRow, companions
from engine.usecases.cases import case_acts
from engine.usecases.cases import companions as case_companions
from engine.usecases.support import gifts
from tests.installation import CALLED, CastInstallation, at, installed
from tests.shipped_roles import ROLES

__all__ = ["installed"]

NOON = at("2026-03-02 12:00")
HEADMAN = {"companion_role": "village_head", "companion_name": "A Trưởng", "companion_phone": "0905 000 222"}


def added(installed: CastInstallation, code: str, by: str = "teacher", **values: Any) -> int:
    """The number of somebody put on the list of a case."""
    case_companions.add(installed.context, Act(installed.viewer(by), code, HEADMAN | values, NOON))
    return installed.case(code).version


def listed(installed: CastInstallation, code: str, member: str) -> list[CompanionRow]:
    """The list as a member of the cast may see it."""
    with installed.store.scoped(installed.viewer(member)) as session:
        return [it for it in companions(session, installed.case(code).id) if not it.off]


def planned(installed: CastInstallation) -> list[tuple[str, str, int | None]]:
    """What is planned: its kind, its day (local), the event that ticked it off."""
    local = installed.context.definitions.calendar("").local
    with installed.store.reading("test") as session:
        rows = session.execute(select(t.Planned.kind, t.Planned.due_at, t.Planned.done_seq).order_by(t.Planned.due_at))
        return [(kind, f"{local(due):%d/%m}", done) for kind, due, done in rows]


def test_somebody_is_added_and_the_chain_says_that_but_not_who(installed: CastInstallation) -> None:
    code = installed.open()
    added(installed, code, companion_note="Nói được với cha em")
    (it,) = listed(installed, code, "commune_officer")
    assert (it.role, it.name, it.phone, it.note) == ("village_head", "A Trưởng", "0905 000 222", "Nói được với cha em")
    with installed.store.reading("test") as session:
        event = session.scalars(select(t.Event).where(t.Event.kind == "companion_added")).one()
        assert "Trưởng" not in str(event.data)
        assert event.text_hash
    assert list(verify.breaks(installed.store)) == []


def test_who_may_not_know_the_pupil_is_not_shown_the_people_around_it(installed: CastInstallation) -> None:
    code = installed.open()
    case_acts.step(installed.context, Act(installed.viewer("teacher"), code, {}, NOON), "ask_commune")
    case_acts.accept(installed.context, Act(installed.viewer("commune_officer"), code, {}, NOON))
    case_acts.step(
        installed.context, Act(installed.viewer("commune_officer"), code, {"need": "Áo ấm"}, NOON), "refer_support"
    )
    added(installed, code)
    for member in ("volunteer", "association", "outsider_teacher", "outsider_education_office", "admin"):
        assert listed(installed, code, member) == []
    with pytest.raises(NotAllowed, match="does not see"):
        added(installed, code, "volunteer")
    with pytest.raises(NoAccess):
        added(installed, code, "outsider_teacher")
    facts_id = installed.case(code).id
    with installed.store.scoped(installed.viewer("volunteer")) as session:
        facts, roles = case_page.reached(session, installed.viewer("volunteer"), code)
        beside = case_page.beside(session, facts, dt.date(2026, 3, 2), ROLES, known=False)
    assert facts.id == facts_id
    assert roles == {"volunteer"}
    assert "companion_added" not in [event.kind for event in beside.events]


@pytest.mark.parametrize("phone", ["ho", "0905 000 111 xin gọi tối", "12", "0905" * 5])
def test_a_phone_number_is_a_phone_number(installed: CastInstallation, phone: str) -> None:
    code = installed.open()
    with pytest.raises(Invalid) as refused:
        added(installed, code, companion_phone=phone)
    assert list(refused.value.fields) == ["companion_phone"]


@pytest.mark.parametrize("phone", ["", "0905000111", "+84 905.000.111", "(060) 3 850-123", "113"])
def test_numbers_are_taken_as_people_write_them(installed: CastInstallation, phone: str) -> None:
    code = installed.open()
    added(installed, code, companion_phone=phone)
    assert listed(installed, code, "teacher")[0].phone == phone


def test_somebody_is_taken_off_with_a_reason_once_and_the_history_stays(installed: CastInstallation) -> None:
    code = installed.open()
    seq = added(installed, code)
    teacher = installed.viewer("teacher")
    with pytest.raises(Invalid):
        case_companions.take_off(installed.context, Act(teacher, code, {}, NOON), seq)
    case_companions.take_off(
        installed.context, Act(teacher, code, {"companion_reason": "Không muốn tham gia"}, NOON), seq
    )
    assert listed(installed, code, "teacher") == []
    with pytest.raises(NotFound, match="not on the list"):
        case_companions.take_off(installed.context, Act(teacher, code, {"companion_reason": "Lần nữa"}, NOON), seq)
    assert installed.kinds(code)[-2:] == ["companion_added", "companion_off"]


def test_an_ended_case_takes_nobody_more(installed: CastInstallation) -> None:
    code = installed.open()
    case_acts.step(installed.context, Act(installed.viewer("teacher"), code, {"reason": "Nhầm"}, NOON), "mark_error")
    with pytest.raises(NotAllowed, match="has ended"):
        added(installed, code)


def test_who_took_part_in_a_contact_is_noted_by_number_and_strangers_to_the_list_are_not(
    installed: CastInstallation,
) -> None:
    code = installed.open()
    gone, there = added(installed, code), added(installed, code, companion_role="friend", companion_name="Y Bạn")
    teacher = installed.viewer("teacher")
    case_companions.take_off(installed.context, Act(teacher, code, {"companion_reason": "Chuyển đi"}, NOON), gone)
    named = [str(gone), str(there), "1", "999", "x", "9" * 5000]
    case_acts.step(installed.context, Act(teacher, code, CALLED | {"company": named}, NOON), "contact")
    with installed.store.reading("test") as session:
        data = session.scalars(select(t.Event.data).where(t.Event.kind == "contact")).one()
    assert data["company"] == [there]
    assert list(verify.breaks(installed.store)) == []


# --- dates ------------------------------------------------------------------------------------------------------------


def test_a_contact_on_the_day_keeps_the_date_and_plans_the_next_one(installed: CastInstallation) -> None:
    code, teacher = installed.open(), installed.viewer("teacher")
    case_acts.step(installed.context, Act(teacher, code, CALLED | {"next_on": "2026-03-04"}, NOON), "contact")
    case_acts.step(
        installed.context, Act(teacher, code, CALLED, at("2026-03-03 09:00")), "contact_again"
    )  # a day early: not yet
    assert planned(installed) == [("check_in", "04/03", None)]
    case_acts.step(
        installed.context,
        Act(teacher, code, CALLED | {"next_on": "2026-03-06"}, at("2026-03-04 07:30")),
        "contact_again",
    )
    assert planned(installed) == [("check_in", "04/03", 4), ("check_in", "06/03", None)]


def test_a_check_in_keeps_every_date_up_to_today_or_else_the_next_one(installed: CastInstallation) -> None:
    code, teacher = installed.open(), installed.viewer("teacher")
    for day in ("2026-03-04", "2026-03-03", "2026-03-09"):
        step = "contact" if installed.case(code).state == "absent" else "contact_again"
        case_acts.step(installed.context, Act(teacher, code, CALLED | {"next_on": day}, NOON), step)
    seen = {"checked_on": "2026-03-04", "study_mode": "zalo", "safe": True, "note": "Em khỏe"}
    case_acts.check_in(installed.context, Act(teacher, code, seen, at("2026-03-04 16:00")))
    done = installed.case(code).version
    assert planned(installed) == [("check_in", "03/03", done), ("check_in", "04/03", done), ("check_in", "09/03", None)]
    case_acts.check_in(installed.context, Act(teacher, code, seen, at("2026-03-05 16:00")))  # early
    assert planned(installed)[2] == ("check_in", "09/03", done + 1)


def test_a_lesson_is_ticked_off_with_one_tap(installed: CastInstallation) -> None:
    code, teacher = installed.open(), installed.viewer("teacher")
    returned = {"returned_on": "2026-03-02", "catch_up_lessons": 2}
    case_acts.step(installed.context, Act(teacher, code, returned, NOON), "return_to_class")
    case_acts.hold_lesson(installed.context, Act(teacher, code, {}, at("2026-03-09 16:00")))
    assert [done for _kind, _day, done in planned(installed)] == [installed.case(code).version, None]


# --- the history, narrowed --------------------------------------------------------------------------------------------


def test_the_history_is_narrowed_to_what_is_asked_for(installed: CastInstallation) -> None:
    code, teacher, officer = installed.open(), installed.viewer("teacher"), installed.viewer("commune_officer")
    case_acts.step(installed.context, Act(teacher, code, CALLED, NOON), "contact")
    case_acts.note(installed.context, Act(teacher, code, {"note": "Mẹ em ốm"}, NOON))
    case_acts.step(installed.context, Act(teacher, code, {}, NOON), "ask_commune")
    case_acts.accept(installed.context, Act(officer, code, {}, NOON))
    given = {"support_kind": "rice", "quantity": "2", "given_on": "2026-03-02"}
    gifts.give(installed.context, Act(teacher, code, given, NOON))
    added(installed, code)

    def kinds(name: str, before: int | None = None) -> list[str]:
        with installed.store.scoped(teacher) as session:
            facts, _roles = case_page.reached(session, teacher, code)
            part = only(installed.context.definitions.workflow("dropout"), name)
            beside = case_page.beside(session, facts, dt.date(2026, 3, 2), ROLES, known=True, before=before, only=part)
        assert [event.kind for event in beside.newest] == installed.kinds(code)[
            ::-1
        ]  # whatever the page is narrowed to
        return [event.kind for event in beside.events]

    assert {name: kinds(name) for name in FILTERS} == {
        "visits": ["contact"],
        "handovers": ["accepted", "ask_commune"],
        "escalations": [],
        "notes": ["companion_added", "noted", "opened"],
        "support": ["support_given"],
    }
    assert kinds("notes", before=3) == ["opened"]
    assert kinds("no such filter") == installed.kinds(code)[::-1]


def test_what_a_rule_did_is_an_escalation_and_a_hand_over_where_it_made_an_offer(installed: CastInstallation) -> None:
    code, teacher = installed.open(), installed.viewer("teacher")
    case_acts.step(installed.context, Act(teacher, code, CALLED, at("2026-03-02 16:00")), "contact")
    run_due(installed.context, at("2026-03-05 17:00"))
    with installed.store.scoped(teacher) as session:
        facts, _roles = case_page.reached(session, teacher, code)
        workflow = installed.context.definitions.workflow("dropout")
        found = {
            name: [
                event.kind
                for event in case_page.beside(
                    session, facts, dt.date(2026, 3, 5), ROLES, known=True, only=only(workflow, name)
                ).events
            ]
            for name in ("escalations", "handovers")
        }
    assert found == {"escalations": ["contact-failed"], "handovers": ["contact-failed"]}
