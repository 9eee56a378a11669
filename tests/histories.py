"""A history with a row in every table that proofs are about: four cases of the cast, over two weeks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from sqlalchemy import insert

from engine.core.cases.act import Act
from engine.jobs.sweep import run_due
from engine.store import tables as t
from engine.store.attendance.marks import put_marks
from engine.store.cases.cases import earliest_look
from engine.usecases.calendar.closures import announce_closure, lift_closure
from engine.usecases.cases import case_acts, companions
from engine.usecases.cases.difficulties import answer, climb_due, raise_difficulty
from engine.usecases.people.accounts import disable, enable
from engine.usecases.support import gifts
from tests.installation import CALLED, CastInstallation, at

OFFERED, WITH_HELP, ENDED, AWAY = (f"RL-2026-00000{number}" for number in (1, 2, 3, 4))  # the codes of the cases


def eventful(installed: CastInstallation) -> None:
    """Lets it happen."""
    cast, context = installed.cast, installed.context

    def act(do: Callable[..., None], code: str, who: str, when: str, *more: Any, **values: Any) -> None:
        do(context, Act(installed.viewer(who, at(when)), code, values, at(when)), *more)

    def until(when: str) -> None:
        while (due := _next(installed)) is not None and due <= at(when):
            run_due(context, due)
            climb_due(context, due)

    _attendance(installed)
    for minute, pupil in enumerate(("pupil", "classmate", "saturday_pupil", "boarder")):
        installed.open(at(f"2026-03-02 08:0{minute}"), pupil=pupil)
    act(case_acts.step, OFFERED, "teacher", "2026-03-02 09:00", "contact", **CALLED)
    promised = {
        "contact_way": "phone",
        "reached": True,
        "met_whom": ["parents"],
        "note": "Hẹn",
        "next_on": "2026-03-04",
    }
    act(case_acts.step, WITH_HELP, "teacher", "2026-03-02 09:10", "contact", **promised)
    friend = {"companion_role": "friend", "companion_name": "Y Bạn Mẫu"}
    act(companions.add, WITH_HELP, "teacher", "2026-03-02 09:20", **friend)
    seq = installed.case(WITH_HELP).version
    act(companions.take_off, WITH_HELP, "teacher", "2026-03-02 09:30", seq, companion_reason="Chuyển lớp")
    act(companions.add, WITH_HELP, "teacher", "2026-03-02 09:40", **friend)
    closure = announce_closure(
        context,
        None,
        unit_id=cast.units["village"],
        first_day=dt.date(2026, 3, 5),
        last_day=dt.date(2026, 3, 6),
        reason="Lũ",
        now=at("2026-03-03 08:00"),
    )
    until("2026-03-05 12:00")
    lift_closure(context, None, closure, dt.date(2026, 3, 5), at("2026-03-05 16:00"))
    until("2026-03-09 08:00")
    act(case_acts.decline, OFFERED, "commune_officer", "2026-03-09 09:00", reason="Nhầm thôn")
    act(case_acts.accept, OFFERED, "commune_leader", "2026-03-09 10:00")
    act(raise_difficulty, OFFERED, "teacher", "2026-03-09 11:00", difficulty_kind="road", difficulty_words="Cầu hỏng")
    seq = installed.case(OFFERED).version
    reply = {"difficulty_reply": "Xin ý kiến"}
    act(answer, OFFERED, "head", "2026-03-09 12:00", seq, difficulty_answer="passed_on", **reply)
    act(answer, OFFERED, "commune_leader", "2026-03-09 13:00", seq, difficulty_answer="decided", **reply)
    act(case_acts.hold, ENDED, "head", "2026-03-09 14:00", hold_until="2026-03-12", reason="Đi viện")
    visited = {"visited_on": "2026-03-10", "met_whom": ["parents"], "visit_outcome": "needs_support", "note": "Đã đến"}
    act(case_acts.step, OFFERED, "commune_leader", "2026-03-10 09:00", "visit", **visited)
    need = {"need": "Gạo và áo ấm", "hand_over_at": "UBND xã"}
    act(case_acts.step, OFFERED, "commune_leader", "2026-03-10 10:00", "refer_support", **need)
    act(case_acts.accept, OFFERED, "volunteer", "2026-03-10 11:00")
    given = {"support_kind": "rice", "quantity": "15", "given_on": "2026-03-11", "giver": "Nhóm Mẫu"}
    act(gifts.give, OFFERED, "volunteer", "2026-03-11 09:00", **given)
    back = {"returned_on": "2026-03-11", "catch_up_lessons": "2"}
    act(case_acts.step, WITH_HELP, "teacher", "2026-03-11 09:00", "return_to_class", **back)
    act(case_acts.hold_lesson, WITH_HELP, "teacher", "2026-03-12 09:00", note="Đã dạy")
    moved = {"left_on": "2026-03-10", "new_school": "Trường Mẫu"}
    act(case_acts.step, ENDED, "head", "2026-03-12 10:00", "transfer", **moved)
    disable(context, "outsider_volunteer", at("2026-03-12 11:00"), "may-chu")
    enable(context, "outsider_volunteer", at("2026-03-12 11:10"), "may-chu")
    until("2026-03-16 12:00")


def _next(installed: CastInstallation) -> dt.datetime | None:
    with installed.store.reading("test") as session:
        return earliest_look(session)


def _attendance(installed: CastInstallation) -> None:
    """Two corrections of one mark, one of another; somebody looks at a case."""
    cast = installed.cast
    pupil, other = cast.pupils["pupil"], cast.pupils["boarder"]
    with installed.store.writing("test") as session:
        for day in range(23, 28):
            for one in cast.pupils.values():
                put_marks(session, [(one, dt.date(2026, 2, day), "m", "u", None)], at(f"2026-02-{day} 08:00"), None)
        teacher, head = cast.people["teacher"], cast.people["head"]
        put_marks(session, [(pupil, dt.date(2026, 2, 25), "m", "e", "ốm")], at("2026-02-26 08:00"), teacher)
        put_marks(session, [(pupil, dt.date(2026, 2, 25), "m", "u", None)], at("2026-02-27 08:00"), head)
        put_marks(session, [(other, dt.date(2026, 2, 26), "m", "p", None)], at("2026-02-27 08:30"), teacher)
        row = {"at": at("2026-02-27 09:00"), "person_id": head, "what": "case"}
        session.connection().execute(insert(t.AccessLog), [row, row])
        given = {"pupil_id": pupil, "field": "name", "old": "A Thử", "new": "A Thữ", "taken": False}
        session.connection().execute(insert(t.PupilChange), {**given, "at": row["at"], "by_id": head})
