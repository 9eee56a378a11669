"""Puts the signals of the risk watch into words: what each one looks for, what it may do, how sessions are counted."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.attendance.signals import (
    AFTER,
    DAY,
    EVERY_SESSION,
    MAIN_SESSION,
    OFF,
    OPEN,
    PROPOSE,
    UNEXCUSED,
    Signal,
)
from engine.core.words import Label, Sentence

CONDITIONS: Mapping[str, Sentence] = {
    "unexcused_in_a_row": Sentence("{numbers} sessions in a row without excuse"),
    "excused_in_a_row": Sentence("{numbers} excused sessions in a row"),
    "absent_days": Sentence("{numbers} of {within} school days missed"),
    "share": Sentence("{numbers}% of the sessions of the school year missed, once {after} days were taken"),
    "year_sessions": Sentence("{numbers} of the 45 sessions missed that a school year allows"),
    "same_weekday": Sentence("missed {numbers} times in {within} weeks on the same weekday, and mostly on that one"),
    "after_break": Sentence("{numbers} sessions missed in the first {first} school days after a break"),
    "sibling_case": Sentence("{numbers} sessions in a row without excuse, while a sibling has a case"),
    "earlier_case": Sentence("{numbers} sessions in a row without excuse, after an earlier case"),
}
WITHOUT_EXCUSE: Mapping[str, Sentence] = {
    "absent_days": Sentence("{numbers} of {within} school days missed without excuse"),
    "after_break": Sentence("{numbers} sessions missed without excuse in the first {first} school days after a break"),
}
DOES: Mapping[str, Label] = {
    OPEN: Label("Lập hồ sơ ngay, báo giáo viên", "Open a case at once and tell the teacher"),
    PROPOSE: Label("Đề xuất, giáo viên quyết định", "Propose a case, the teacher decides"),
    OFF: Label("Không theo dõi", "Not watched for"),
}
COUNTS: Mapping[str, Label] = {
    DAY: Label("Theo ngày: vắng một hay cả hai buổi đều tính là 1", "By day: one session missed or both count as 1"),
    MAIN_SESSION: Label("Chỉ tính buổi học chính của lớp", "The main session of the class only"),
    EVERY_SESSION: Label("Tính từng buổi: vắng cả ngày là 2", "Every session: a whole day missed is 2"),
}
"""How missed sessions count towards 45 where there are two a day (TT 22/2021/TT-BGDĐT, Art. 12, says nothing of it)."""


def condition(signal: Signal) -> Sentence:
    """What a signal looks for, with its thresholds, the lowest first."""
    words = WITHOUT_EXCUSE.get(signal.kind) if signal.absence == UNEXCUSED else None
    numbers = " / ".join(map(str, signal.at_least))
    return Sentence(
        (words or CONDITIONS[signal.kind]).msgid,
        numbers=numbers,
        within=signal.within,
        after=signal.after_days,
        first=AFTER,
    )
