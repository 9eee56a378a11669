"""What an open case asks of somebody: one thing at a time, by a name of this closed vocabulary.

A workflow file says what each state asks (`asks`), what else it can ask (`requests`), and what the answers lead to
(`engine.core.workflow.model`). A file of format 1 says nothing of it: its states ask what their owner does.
"""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.words import Label

ACCEPT = "accept"  # what an offered state asks until somebody accepts; then the state's own request
CONTACT, VISIT, GIVE_SUPPORT, CONFIRM_STAY, HANDLE = "contact", "visit", "give_support", "confirm_stay", "handle"
IN_CLASS = "returned"  # the state of a pupil who is back

REQUESTS: Mapping[str, Label] = {
    CONTACT: Label("liên hệ gia đình", "contact the family"),
    ACCEPT: Label("tiếp nhận", "accept the case"),
    VISIT: Label("đến nhà vận động", "visit the family"),
    "confirm_return": Label("xác nhận học sinh đã ra lớp hay chưa", "confirm whether the pupil is back in class"),
    "record_move": Label(
        "ghi nhận học sinh chuyển đi đâu, hoặc bắt đầu tìm", "record where the pupil moved, or search"
    ),
    GIVE_SUPPORT: Label("tìm và trao hỗ trợ", "find and give support"),
    CONFIRM_STAY: Label("theo dõi việc ra lớp có bền không", "watch whether the return holds"),
    "search": Label("tìm học sinh", "search for the pupil"),
    "wait": Label("chờ đến hết thời gian nghỉ", "wait until the leave ends"),
    HANDLE: Label("xử lý hồ sơ", "handle the case"),
}

_BY_OWNER: Mapping[str, str] = {
    "teacher": CONTACT,
    "head": CONTACT,
    "commune_officer": VISIT,
    "commune_leader": VISIT,
    "volunteer": GIVE_SUPPORT,
    "association": GIVE_SUPPORT,
}


def request_of(state: str, owner: str | None) -> str:
    """Returns what a state asks whose file does not say it; "" for a final state, which has no owner."""
    if owner is None:
        return ""
    return CONFIRM_STAY if state == IN_CLASS and owner in {"teacher", "head"} else _BY_OWNER.get(owner, HANDLE)
