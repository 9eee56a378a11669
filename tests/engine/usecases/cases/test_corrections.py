"""What was recorded wrongly is put right: the facts follow, both versions stay, and nobody else's words are touched."""

from dataclasses import replace
from typing import Any, cast

import pytest
from sqlalchemy import delete, select, update

from engine.channels import Channel
from engine.channels.outbox import Outbox
from engine.core.cases.act import Act
from engine.core.cases.corrections import Limits
from engine.core.refusals import Conflict, Invalid, NoAccess, NotAllowed, NotFound
from engine.jobs.plan_notices import plan_new
from engine.jobs.write_notices import Writer
from engine.store import tables as t
from engine.store.cases import companions as stored_companions
from engine.store.cases import verify
from engine.store.cases.work_list import handed_over
from engine.store.notices.deliveries import take_due
from engine.usecases.cases import case_acts, companions, corrections
from tests.installation import CALLED, CastInstallation, at, installed

__all__ = ["installed"]

MONDAY_9 = at("2026-03-02 09:00")
MONDAY_10 = at("2026-03-02 10:00")
MONDAY_11, MONDAY_12 = at("2026-03-02 11:00"), at("2026-03-02 12:00")
TUESDAY_7 = at("2026-03-03 07:00")
WHY = {"correction_reason": "Ghi nhầm"}


def act(installed: CastInstallation, member: str, code: str, now: Any = MONDAY_10, **values: Any) -> Act:
    return Act(installed.viewer(member, now), code, values, now)


def test_a_contact_that_reached_somebody_after_all_counts_as_one(installed: CastInstallation) -> None:
    code = installed.open()
    case_acts.step(installed.context, act(installed, "teacher", code, MONDAY_9, **CALLED), "contact")
    assert installed.case(code).unreached == 1
    right = act(installed, "teacher", code, **{**CALLED, "reached": True, "causes": ["violence"]}, **WHY)
    corrections.correct(installed.context, right, 2)
    case = installed.case(code)
    assert (case.unreached, case.flags) == (0, ["safety"])
    assert installed.kinds(code) == ["opened", "contact", "corrected"]
    assert list(verify.breaks(installed.store)) == []


def step(installed: CastInstallation, member: str, code: str, now: Any, name: str, **values: Any) -> None:
    case_acts.step(installed.context, act(installed, member, code, now, **values), name)


def rows(installed: CastInstallation, entity: Any) -> list[Any]:
    with installed.store.reading("test") as session:
        found = list(session.scalars(select(entity).order_by(entity.seq)))
        session.expunge_all()
        return found


def told(installed: CastInstallation, kind: str) -> list[tuple[int, bool]]:
    """Who was told something of this kind, and whether it was withdrawn."""
    return [(one.person_id, one.withdrawn_at is not None) for one in rows(installed, t.Notice) if one.kind == kind]


def test_a_notice_that_reached_nobody_is_withdrawn_and_who_read_one_is_told(installed: CastInstallation) -> None:
    officer = installed.cast.people["commune_officer"]
    code = installed.open()
    step(installed, "teacher", code, MONDAY_9, "ask_commune")
    corrections.undo(installed.context, act(installed, "teacher", code, MONDAY_9))
    assert told(installed, "offered") == [(officer, True)]
    assert told(installed, "taken_back") == []
    step(installed, "teacher", code, MONDAY_10, "ask_commune")
    with installed.store.writing("test") as session:
        session.execute(update(t.Notice).values(read_at=MONDAY_10))
    corrections.undo(installed.context, act(installed, "teacher", code, MONDAY_10))
    assert told(installed, "offered") == [(officer, True), (officer, False)]
    assert told(installed, "taken_back") == [(officer, False)]


def test_a_message_about_what_was_taken_back_is_not_sent(installed: CastInstallation) -> None:
    outbox = Outbox(channels={"email": cast("Channel", object())})
    context = replace(installed.context, outbox=outbox)
    with installed.store.writing("test") as session:
        session.execute(update(t.Person).values(email="a@example.vn"))
    code = installed.open()
    step(installed, "teacher", code, MONDAY_9, "ask_commune")
    assert plan_new(context, MONDAY_9) == 1
    corrections.undo(context, act(installed, "teacher", code, MONDAY_9))
    with installed.store.reading("test") as session:
        waiting = take_due(session, TUESDAY_7, 10, lock=False)
        writer = Writer(context, session, waiting, TUESDAY_7)
        assert [writer.text(one) for one in waiting] == [None]


def test_lessons_that_were_held_stay_held_when_their_number_is_corrected(installed: CastInstallation) -> None:
    code = installed.open()
    back = {"returned_on": "2026-03-02", "catch_up_lessons": 4}
    step(installed, "teacher", code, MONDAY_9, "return_to_class", **back)
    case_acts.hold_lesson(installed.context, act(installed, "teacher", code, MONDAY_10))
    right = act(installed, "teacher", code, **{**back, "catch_up_lessons": 2}, **WHY)
    corrections.correct(installed.context, right, 2)
    counts = [(one.seq, one.done_seq) for one in rows(installed, t.Planned) if one.replaced_seq is None]
    assert counts == [(2, 3), (4, None)]
    corrections.withdraw(installed.context, act(installed, "teacher", code, **WHY), 3)
    counts = [(one.seq, one.done_seq) for one in rows(installed, t.Planned) if one.replaced_seq is None]
    assert counts == [(2, None), (4, None)]


def test_a_withdrawn_visit_opens_the_date_again_that_it_had_kept(installed: CastInstallation) -> None:
    code = installed.open()
    step(installed, "teacher", code, MONDAY_9, "contact", **CALLED, next_on="2026-03-02")
    step(installed, "teacher", code, MONDAY_10, "contact_again", **CALLED)
    assert [one.done_seq for one in rows(installed, t.Planned)] == [3]
    corrections.withdraw(installed.context, act(installed, "teacher", code, **WHY), 3)
    assert [one.done_seq for one in rows(installed, t.Planned)] == [None]


def test_a_corrected_need_and_a_corrected_companion_stand_once(installed: CastInstallation) -> None:
    code = installed.open()
    helper = {"companion_role": "friend", "companion_name": "Y Bạn", "companion_phone": "0905 000 111"}
    companions.add(installed.context, act(installed, "teacher", code, MONDAY_9, **helper))
    wrong = act(installed, "teacher", code, **{**helper, "companion_phone": "nhà bên"}, **WHY)
    with pytest.raises(Invalid):
        corrections.correct(installed.context, wrong, 2)
    corrections.correct(
        installed.context, act(installed, "teacher", code, **{**helper, "companion_name": "Y Ban"}, **WHY), 2
    )
    with installed.store.reading("test") as session:
        listed = stored_companions.companions(session, installed.case(code).id)
    assert [(one.name, one.off) for one in listed] == [("Y Bạn", True), ("Y Ban", False)]
    step(installed, "teacher", code, MONDAY_10, "ask_commune")
    case_acts.accept(installed.context, act(installed, "commune_officer", code))
    step(installed, "commune_officer", code, MONDAY_10, "refer_support", need="Áo cỡ 130")
    number = installed.case(code).version
    corrections.correct(installed.context, act(installed, "commune_leader", code, need="Áo cỡ 150", **WHY), number)
    assert [(one.need, one.replaced_seq) for one in rows(installed, t.Need)] == [
        ("Áo cỡ 130", number + 1),
        ("Áo cỡ 150", None),
    ]


def test_nobody_corrects_what_they_may_not_read(installed: CastInstallation) -> None:
    code = installed.open()
    step(installed, "teacher", code, MONDAY_9, "ask_commune")
    case_acts.accept(installed.context, act(installed, "commune_officer", code))
    step(installed, "commune_officer", code, MONDAY_10, "refer_support", need="Áo")
    case_acts.accept(installed.context, act(installed, "volunteer", code))
    case_acts.note(installed.context, act(installed, "volunteer", code, note="Đã gọi trường"))
    number = installed.case(code).version
    for member, entry in (("association", number), ("volunteer", 1), ("association", 1), ("commune_leader", number)):
        with pytest.raises(NotAllowed):
            corrections.correct(installed.context, act(installed, member, code, note="x", **WHY), entry)
        with pytest.raises(NotAllowed):
            corrections.withdraw(installed.context, act(installed, member, code, **WHY), entry)
    for member in ("outsider_head", "outsider_association", "admin"):
        with pytest.raises(NoAccess):
            corrections.correct(installed.context, act(installed, member, code, note="x", **WHY), number)
    corrections.correct(installed.context, act(installed, "volunteer", code, note="Đã gọi thầy", **WHY), number)


def test_words_that_were_erased_by_law_leave_the_facts_as_they_are(installed: CastInstallation) -> None:
    code = installed.open()
    step(installed, "teacher", code, MONDAY_9, "contact", **CALLED, causes=["violence"])
    case_acts.note(installed.context, act(installed, "teacher", code, note="x"))
    with installed.store.writing("test") as session:
        session.execute(delete(t.EventText).where(t.EventText.seq == 2))
    with pytest.raises(NotAllowed):
        corrections.correct(installed.context, act(installed, "teacher", code, **CALLED, **WHY), 2)
    corrections.withdraw(installed.context, act(installed, "teacher", code, **WHY), 3)
    case = installed.case(code)
    assert (case.unreached, case.flags) == (1, ["safety"])
    assert list(verify.breaks(installed.store)) == []


def test_an_act_is_not_taken_back_when_the_pupil_has_another_open_case(installed: CastInstallation) -> None:
    code = installed.open()
    step(installed, "teacher", code, MONDAY_9, "mark_error", reason="Nhầm em")
    installed.open(MONDAY_9)
    with pytest.raises(Conflict):
        corrections.undo(installed.context, act(installed, "teacher", code, MONDAY_9))


def test_how_long_things_can_be_put_right_is_a_setting(installed: CastInstallation) -> None:
    context = replace(installed.context, limits=Limits(days=0, minutes=120))
    code = installed.open()
    step(installed, "teacher", code, MONDAY_9, "contact", **CALLED)
    with pytest.raises(NotAllowed):
        corrections.correct(context, act(installed, "teacher", code, **{**CALLED, "reached": True}, **WHY), 2)
    corrections.undo(context, act(installed, "teacher", code))
    assert installed.case(code).state == "absent"


def test_what_a_check_in_said_of_safety_is_corrected_with_its_flag(installed: CastInstallation) -> None:
    code = installed.open()
    asked = {"checked_on": "2026-03-02", "study_mode": "none", "safe": False, "note": "x"}
    case_acts.check_in(installed.context, act(installed, "teacher", code, **asked))
    assert installed.case(code).flags == ["safety"]
    corrections.correct(installed.context, act(installed, "head", code, **{**asked, "safe": True}, **WHY), 2)
    assert installed.case(code).flags == []
    corrections.correct(installed.context, act(installed, "head", code, **asked, **WHY), 3)  # by the newer number
    assert installed.case(code).flags == ["safety"]


def test_two_who_put_the_same_entry_right_at_once_do_it_one_after_the_other(installed: CastInstallation) -> None:
    code = installed.open()
    step(installed, "teacher", code, MONDAY_9, "contact", **CALLED)
    seen = installed.case(code).version
    right = {**CALLED, "reached": True, **WHY}
    first = Act(installed.viewer("teacher"), code, right, MONDAY_10, version=seen, key="a")
    corrections.correct(installed.context, first, 2)
    corrections.correct(installed.context, first, 2)  # the same form again
    late = Act(installed.viewer("head"), code, {**right, "note": "y"}, MONDAY_10, version=seen, key="b")
    with pytest.raises(Conflict):
        corrections.correct(installed.context, late, 2)
    assert installed.kinds(code) == ["opened", "contact", "corrected"]
    with pytest.raises(NotFound):
        corrections.correct(installed.context, act(installed, "head", code, **right), 9)


def test_an_offer_is_open_again_as_it_was_made_when_its_answer_is_taken_back(installed: CastInstallation) -> None:
    code = installed.open()
    step(installed, "teacher", code, MONDAY_9, "ask_commune")
    case_acts.accept(installed.context, act(installed, "commune_officer", code))
    corrections.undo(installed.context, act(installed, "commune_officer", code))
    case_acts.decline(installed.context, act(installed, "commune_officer", code, MONDAY_11, reason="x"))
    corrections.undo(installed.context, act(installed, "commune_officer", code, MONDAY_11))
    offers = [(one.seq, one.role, one.answer, one.answered_by_id) for one in rows(installed, t.Offer)]
    assert offers == [(2, "commune_officer", None, None), (5, "commune_leader", "undone", None)]
    with installed.store.reading("test") as session:
        handed = handed_over(session, [installed.case(code).id])
    assert [one.role for one in handed.values()] == ["teacher"]
    case_acts.accept(installed.context, act(installed, "commune_officer", code, MONDAY_12))
    case_acts.decline(installed.context, act(installed, "commune_officer", code, MONDAY_12, reason="x"))
    corrections.undo(installed.context, act(installed, "commune_officer", code, MONDAY_12))
    assert [one.answer for one in rows(installed, t.Offer)] == ["accepted", "undone", "undone"]
