"""People act on cases: two at once, twice by mistake, on an old page, without a duty; nothing half done is kept."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import select

from engine.core.cases.act import Act
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound, Refused
from engine.jobs.sweep import run_due
from engine.store import tables as t
from engine.store.cases import verify
from engine.store.support import waiting
from engine.usecases.cases import case_acts
from engine.usecases.support import gifts
from tests.installation import CALLED, OPENED, CastInstallation, at, installed

__all__ = ["installed"]

MONDAY_8 = at("2026-03-02 08:00")
MONDAY_16 = at("2026-03-02 16:00")
FRIDAY_9 = at("2026-03-06 09:00")


def offered(installed: CastInstallation) -> str:
    """A case that waits for the commune officer since Thursday's closing."""
    code = installed.open()
    case_acts.step(installed.context, Act(installed.viewer("teacher"), code, CALLED, MONDAY_16), "contact")
    run_due(installed.context, at("2026-03-05 17:00"))
    return code


def test_a_case_code_tells_the_year_and_nothing_else(installed: CastInstallation) -> None:
    assert [installed.open(), installed.open(pupil="classmate")] == ["RL-2026-000001", "RL-2026-000002"]


def test_the_same_request_sent_twice_is_done_once(installed: CastInstallation) -> None:
    teacher, pupil = installed.viewer("teacher"), installed.cast.pupils["pupil"]
    first = case_acts.open_case(installed.context, teacher, pupil, OPENED, MONDAY_8, key="a")
    assert case_acts.open_case(installed.context, teacher, pupil, OPENED, MONDAY_8, key="a") == first
    for _ in range(2):
        case_acts.step(installed.context, Act(teacher, first, CALLED, MONDAY_16, key="b"), "contact")
    assert installed.kinds(first) == ["opened", "contact"]


def test_somebody_elses_key_is_not_taken_for_the_same_request(installed: CastInstallation) -> None:
    code = installed.open()
    case_acts.note(installed.context, Act(installed.viewer("teacher"), code, {"note": "x"}, MONDAY_16, key="a"))
    with pytest.raises(Conflict):
        case_acts.note(installed.context, Act(installed.viewer("head"), code, {"note": "y"}, MONDAY_16, key="a"))


def test_who_looks_at_an_old_page_is_told_who_did_what_when(installed: CastInstallation) -> None:
    code = installed.open()
    case_acts.step(installed.context, Act(installed.viewer("head"), code, CALLED, MONDAY_16, version=1), "contact")
    with pytest.raises(Conflict) as refused:
        case_acts.step(
            installed.context, Act(installed.viewer("teacher"), code, CALLED, MONDAY_16, version=1), "contact"
        )
    words = refused.value.sentence.in_("en")
    assert "Trần Văn Mẫu was faster" in words
    assert "Record contact" in words
    assert "16:00 02/03/2026" in words
    assert installed.kinds(code) == ["opened", "contact"]


def test_a_rule_that_was_faster_is_named_by_its_reason(installed: CastInstallation) -> None:
    code = offered(installed)
    with pytest.raises(Conflict, match="A rule was faster: “Contact brought no return in 3 school days”"):
        case_acts.step(
            installed.context, Act(installed.viewer("teacher"), code, CALLED, FRIDAY_9, version=2), "contact_again"
        )


def test_of_two_who_accept_at_once_one_wins_and_the_other_is_told(installed: CastInstallation) -> None:
    code = offered(installed)
    officer = installed.viewer("commune_officer")
    start = threading.Barrier(4)

    def accept(_: int) -> str:
        start.wait()
        try:
            case_acts.accept(installed.context, Act(officer, code, {}, FRIDAY_9, version=3))
        except Conflict:
            return "conflict"
        return "accepted"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(accept, range(4))) == ["accepted", "conflict", "conflict", "conflict"]
    assert installed.kinds(code) == ["opened", "contact", "contact-failed", "accepted"]


def test_of_many_who_open_a_case_for_one_pupil_at_once_one_does(installed: CastInstallation) -> None:
    start, pupil = threading.Barrier(4), installed.cast.pupils["pupil"]
    people = [installed.viewer("teacher"), installed.viewer("head")] * 2

    def open_case(number: int) -> str:
        start.wait()
        try:
            return case_acts.open_case(installed.context, people[number], pupil, OPENED, MONDAY_8)
        except Conflict as conflict:
            return conflict.code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(open_case, range(4))) == ["RL-2026-000001", "conflict", "conflict", "conflict"]


@pytest.mark.parametrize(
    "member", ["outsider_teacher", "outsider_head", "outsider_commune_officer", "outsider_volunteer", "admin"]
)
def test_an_outsider_can_do_nothing_with_a_case(installed: CastInstallation, member: str) -> None:
    code, viewer = installed.open(), installed.viewer(member)
    acts: list[Callable[[], object]] = [
        lambda: case_acts.step(installed.context, Act(viewer, code, CALLED, MONDAY_16), "contact"),
        lambda: case_acts.accept(installed.context, Act(viewer, code, {}, MONDAY_16)),
        lambda: case_acts.note(installed.context, Act(viewer, code, {"note": "x"}, MONDAY_16)),
        lambda: gifts.give(installed.context, Act(viewer, code, {}, MONDAY_16)),
        lambda: case_acts.open_case(installed.context, viewer, installed.cast.pupils["classmate"], OPENED, MONDAY_16),
        lambda: case_acts.open_case(
            installed.context, viewer, 999_999, OPENED, MONDAY_16
        ),  # tells not which pupils there are
    ]
    for act in acts:
        with pytest.raises(NoAccess):
            act()
    assert installed.kinds(code) == ["opened"]


def test_a_step_of_another_role_or_another_state_is_refused_before_the_form_is_read(
    installed: CastInstallation,
) -> None:
    code = installed.open()
    with pytest.raises(NotAllowed, match="Your role does not allow"):
        case_acts.step(installed.context, Act(installed.viewer("commune_officer"), code, {}, MONDAY_16), "contact")
    with pytest.raises(NotAllowed, match="not possible while the case is “Absent”"):
        case_acts.step(installed.context, Act(installed.viewer("teacher"), code, {}, MONDAY_16), "close")
    with pytest.raises(NotFound):
        case_acts.step(installed.context, Act(installed.viewer("teacher"), code, {}, MONDAY_16), "vanish")
    with pytest.raises(NotFound):
        case_acts.note(installed.context, Act(installed.viewer("teacher"), "RL-2026-999999", {"note": "x"}, MONDAY_16))


def test_every_wrong_field_is_named_and_nothing_is_stored(installed: CastInstallation) -> None:
    code = installed.open()
    with pytest.raises(Invalid) as refused:
        case_acts.step(
            installed.context, Act(installed.viewer("teacher"), code, {"contact_way": "smoke"}, MONDAY_16), "contact"
        )
    assert set(refused.value.fields) == {"contact_way", "reached", "note"}
    assert installed.kinds(code) == ["opened"]


def test_support_is_logged_with_the_unit_of_its_kind(installed: CastInstallation) -> None:
    code = offered(installed)
    case_acts.accept(installed.context, Act(installed.viewer("commune_officer"), code, {}, FRIDAY_9))
    case_acts.step(
        installed.context,
        Act(installed.viewer("commune_officer"), code, {"need": "Một xe đạp"}, FRIDAY_9),
        "refer_support",
    )
    gift = {"support_kind": "rice", "quantity": "15", "given_on": "6/3/2026", "value": "300.000"}
    gift |= {"giver": "Hội Khuyến học", "received_by": "Mẹ em"}
    gifts.give(installed.context, Act(installed.viewer("volunteer"), code, gift, FRIDAY_9))
    with installed.store.reading("test") as session:
        row = session.scalars(select(t.Support)).one()
        need = session.scalars(select(t.Need)).one()
    assert (row.kind, row.quantity, row.unit, row.value, row.giver) == ("rice", "15", "kg", 300_000, "Hội Khuyến học")
    assert (need.need, need.association_id) == ("Một xe đạp", installed.cast.units["association"])


def test_a_hold_stops_the_clock_and_says_so(installed: CastInstallation) -> None:
    code = installed.open()
    case_acts.hold(
        installed.context,
        Act(installed.viewer("head"), code, {"reason": "Em nằm viện", "hold_until": "2026-03-06"}, MONDAY_16),
    )
    assert installed.case(code).due_at == at("2026-03-09 17:00")
    assert installed.kinds(code) == ["opened", "held", "recounted"]
    with pytest.raises(NotAllowed):
        case_acts.hold(
            installed.context,
            Act(installed.viewer("teacher"), code, {"reason": "x", "hold_until": "2026-03-06"}, MONDAY_16),
        )


def test_a_clock_is_not_stopped_for_good(installed: CastInstallation) -> None:
    code, head = installed.open(), installed.viewer("head")
    with pytest.raises(Invalid) as refused:
        case_acts.hold(
            installed.context, Act(head, code, {"reason": "Em nằm viện", "hold_until": "2199-01-01"}, MONDAY_16)
        )
    said = "A clock is stopped until 31/05/2026 at the latest; after that it can be stopped anew."
    assert {name: str(sentence) for name, sentence in refused.value.fields.items()} == {"hold_until": said}
    case_acts.hold(installed.context, Act(head, code, {"reason": "Em nằm viện", "hold_until": "2026-05-31"}, MONDAY_16))
    assert installed.kinds(code) == ["opened", "held", "recounted"]


def referred(installed: CastInstallation) -> str:
    """A case that the association is asked to help with, accepted by the volunteer."""
    code, officer = offered(installed), installed.viewer("commune_officer")
    case_acts.accept(installed.context, Act(officer, code, {}, FRIDAY_9))
    case_acts.step(installed.context, Act(officer, code, {"need": "Một xe đạp"}, FRIDAY_9), "refer_support")
    case_acts.accept(installed.context, Act(installed.viewer("volunteer"), code, {}, FRIDAY_9))
    return code


@pytest.mark.parametrize(
    ("member", "step", "filled"),
    [
        ("volunteer", "hand_back", {}),
        ("teacher", "transfer", {"left_on": "2026-03-06", "new_school": "THCS Đăk Hà"}),
    ],
)
def test_an_association_loses_sight_of_a_case_when_it_is_asked_no_more(
    installed: CastInstallation, member: str, step: str, filled: dict[str, str]
) -> None:
    code, volunteer, association = referred(installed), installed.viewer("volunteer"), installed.viewer("association")
    case_acts.note(installed.context, Act(volunteer, code, {"note": "Mai trao xe"}, FRIDAY_9))
    gift = {"support_kind": "rice", "quantity": "15", "given_on": "6/3/2026", "received_by": "Mẹ em"}
    gifts.give(installed.context, Act(volunteer, code, gift, FRIDAY_9))
    case_acts.step(installed.context, Act(installed.viewer(member), code, filled, FRIDAY_9), step)
    for viewer in (volunteer, association):
        with pytest.raises(NoAccess):
            case_acts.note(installed.context, Act(viewer, code, {"note": "x"}, FRIDAY_9))
        with installed.store.scoped(viewer) as session:
            referral: Any = t.Referral
            assert session.scalars(select(referral.id)).all() == []
            assert session.scalars(select(t.Event.seq)).all() == []
            [kept] = waiting.gifts(session, viewer.of("volunteer") | viewer.of("association"), FRIDAY_9.date(), 5)
            assert (kept.code, kept.quantity) == (None, "15")  # the own books stay
    with installed.store.scoped(installed.viewer("outsider_volunteer")) as session:
        assert session.scalars(select(t.Support.quantity)).all() == []
    with installed.store.scoped(installed.viewer("teacher")) as session:  # the school keeps what they wrote
        assert "Mai trao xe" in [text.values.get("note") for text in session.scalars(select(t.EventText))]


def test_whoever_is_told_of_the_hand_back_is_the_association_that_was_asked(installed: CastInstallation) -> None:
    code, officer = offered(installed), installed.viewer("commune_officer")
    case_acts.accept(installed.context, Act(officer, code, {}, FRIDAY_9))
    case_acts.step(installed.context, Act(officer, code, {"need": "Một xe đạp"}, FRIDAY_9), "refer_support")
    for moment in ("2026-03-10 17:00", "2026-03-17 17:00"):  # offered to the association, then back to the commune
        run_due(installed.context, at(moment))
    with installed.store.reading("test") as session:
        told = session.scalars(select(t.Notice.role).where(t.Notice.kind == "support-not-taken")).all()
    assert told == ["association"]  # the officer learns it from the offer
    assert (installed.case(code).state, installed.case(code).association_id) == ("commune_visit", None)


def test_the_chain_of_every_case_holds_and_a_change_behind_its_back_is_found(installed: CastInstallation) -> None:
    code = offered(installed)
    assert list(verify.breaks(installed.store)) == []
    with installed.store.writing("a thief") as session:
        connection = session.connection()
        if installed.store.is_sqlite:
            connection.exec_driver_sql("DROP TRIGGER events_no_update")
        else:
            connection.exec_driver_sql("DROP TRIGGER events_append_only ON events")
        connection.exec_driver_sql("UPDATE events SET role = 'head' WHERE seq = 2")
    assert [sentence.in_("en") for sentence in verify.breaks(installed.store)] == [f"Case {code}: event 2 was changed."]


def test_erasing_what_was_written_leaves_the_chain_whole(installed: CastInstallation) -> None:
    code = offered(installed)
    with installed.store.writing("erase by law") as session:
        session.connection().exec_driver_sql("DELETE FROM event_texts")
    assert list(verify.breaks(installed.store)) == []
    assert installed.kinds(code) == ["opened", "contact", "contact-failed"]


@pytest.mark.parametrize("table", ["events", "firings", "access_log"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET at = at", "DELETE FROM {}"])
def test_the_database_itself_refuses_to_change_what_happened(
    installed: CastInstallation, table: str, statement: str
) -> None:
    offered(installed)
    with installed.store.writing("log") as session:
        session.add(t.AccessLog(at=MONDAY_8, person_id=installed.cast.people["teacher"], what="case"))
    with pytest.raises(Exception, match="append-only"), installed.store.writing("a mistake") as session:
        session.connection().exec_driver_sql(statement.format(table))


def test_a_failure_in_the_middle_keeps_nothing(installed: CastInstallation, monkeypatch: pytest.MonkeyPatch) -> None:
    code = installed.open()
    with installed.store.writing("break the notices") as session:  # the last of the tables that an offer writes
        session.connection().exec_driver_sql("ALTER TABLE notices RENAME TO notices_elsewhere")
    with pytest.raises(Exception, match="notices"):
        case_acts.step(installed.context, Act(installed.viewer("teacher"), code, {}, MONDAY_16), "ask_commune")
    assert installed.kinds(code) == ["opened"]
    assert installed.case(code).state == "absent"


def test_every_refusal_speaks_vietnamese(installed: CastInstallation) -> None:
    with pytest.raises(Refused) as refused:
        case_acts.note(
            installed.context, Act(installed.viewer("outsider_teacher"), installed.open(), {"note": "x"}, MONDAY_16)
        )
    assert refused.value.sentence.in_("vi") != refused.value.sentence.in_("en")


def test_a_case_is_not_reopened_beside_an_open_one(installed: CastInstallation) -> None:
    code = installed.open()
    head, reason = installed.viewer("head"), {"reason": "Ghi nhầm"}
    case_acts.step(installed.context, Act(head, code, reason, MONDAY_16), "mark_error")
    later = installed.open(FRIDAY_9)
    with pytest.raises(Conflict, match=later):
        case_acts.step(installed.context, Act(head, code, reason, FRIDAY_9), "reopen")
    assert installed.kinds(code) == ["opened", "mark_error"]
