"""The words for what people do with cases."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.words import Label
from engine.core.workflow.model import Workflow

ACTS: Mapping[str, Label] = {
    "opened": Label("lập hồ sơ", "opened the case"),
    "accepted": Label("tiếp nhận", "accepted the case"),
    "declined": Label("trả lại", "returned the offer"),
    "assigned": Label("phân công", "assigned the case"),
    "noted": Label("ghi chú", "wrote a note"),
    "support_given": Label("ghi hỗ trợ đã trao", "logged support"),
    "support_asked": Label("đề nghị người thứ hai duyệt hỗ trợ", "asked a second person about a gift"),
    "support_reversed": Label("đảo một lần ghi hỗ trợ", "took back a logged gift"),
    "need_raised": Label("ghi nhu cầu hỗ trợ", "raised a need"),
    "checked_in": Label("ghi nhận theo dõi", "recorded a check-in"),
    "held": Label("tạm dừng tính hạn", "put the clock on hold"),
    "recounted": Label("tính lại hạn", "counted the deadline anew"),
    "migrated": Label("chuyển sang phiên bản mới", "moved to a new version of the rules"),
    "adopted": Label("ghi lại hiện trạng hồ sơ khi nâng cấp", "noted how the case stood at an upgrade"),
    "placed": Label("chuyển theo đơn vị mới", "moved along with the unit"),
    "rerouted": Label("chuyển lại cho đúng vị trí", "offered to the post that answers now"),
    "reseated": Label("mời người đang có mặt cùng xử lý", "asked somebody who is there"),
    "signal": Label("ghi thêm dấu hiệu vắng học", "noted further signs of absence"),
    "marks_corrected": Label("sửa điểm danh, hồ sơ vẫn còn căn cứ", "corrected attendance: the signals still hold"),
    "error_proposed": Label(
        "sửa điểm danh, đề xuất kết thúc hồ sơ vì lập nhầm; tạm dừng tính hạn",
        "corrected attendance: proposed to end the case as opened in error; the clock stands still",
    ),
    "return_confirmed": Label("xác nhận đã đi học đều", "confirmed the return by attendance"),
    "lesson_held": Label("ghi nhận buổi phụ đạo", "recorded a catch-up lesson"),
    "nudged": Label("đôn đốc", "urged others on"),
    "attention_asked": Label("đề nghị quan tâm xử lý", "asked for attention"),
    "companion_added": Label("thêm người cùng vận động", "added somebody who helps"),
    "companion_off": Label("bỏ một người khỏi danh sách cùng vận động", "took somebody off the list of helpers"),
    "difficulty_raised": Label("báo khó khăn, vướng mắc", "raised a difficulty"),
    "difficulty_decided": Label("giải quyết khó khăn, vướng mắc", "decided about a difficulty"),
    "difficulty_passed_on": Label("chuyển khó khăn lên cấp trên", "passed a difficulty on upward"),
    "difficulty_returned": Label("trả lại khó khăn, vướng mắc", "returned a difficulty"),
    "corrected": Label("sửa nội dung đã ghi", "corrected an entry"),
    "withdrawn": Label("rút lại nội dung đã ghi", "withdrew an entry"),
    "undone": Label("lấy lại việc vừa làm", "took back the last act"),
    "firing_undone": Label("lấy lại bước đã làm vì nội dung ghi sai", "took back what a wrong entry had caused"),
    "firing_kept": Label("giữ bước đã làm vì nội dung ghi sai", "kept what a wrong entry had caused"),
    "difficulty_climbed": Label("khó khăn quá hạn trả lời", "a difficulty was not answered in time"),
}


def act_label(workflow: Workflow, kind: str) -> Label:
    """The words for an event's kind: a standing act, or a transition of the workflow."""
    if kind in ACTS:
        return ACTS[kind]
    found = workflow.transitions.get(kind)
    return found.label if found else Label(kind, kind)
