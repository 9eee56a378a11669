"""The forms that the program itself has, for every workflow: companions of a pupil, difficulties, and corrections.

A workflow file declares the fields of its own steps. These forms belong to no step of a workflow, so they are in code
and do not change with a workflow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from engine.core.words import Label
from engine.core.workflow.model import ActFields, Choice, Field, Transition, Workflow

END_ANYWAY = "end_anyway"  # an end of a case that leaves planned lessons or check-ins undone is asked for once more
NEED = "need"
NEED_KIND, NEED_QUANTITY, NEED_BY = "need_kind", "need_quantity", "need_by"  # asked wherever a need is
COMPANY = "company"  # the companions who took part in a contact or a visit
WHY = "correction_reason"  # why an earlier entry is corrected or withdrawn
DOUBT, KEEP, UNDO = "doubt", "keep", "undo"  # the question after a correction, and its answers
DECIDED, PASSED_ON, RETURNED = "decided", "passed_on", "returned"
IN_CLASS = "returned"  # the state of a pupil who is back
# Asked only while a pupil is away: asking how a pupil learns meanwhile would hurt one who is back.
ONLY_AWAY = frozenset({"study_mode"})

# The partners of the school beside the offices (directive of Ngọc Hồi 2022: D1.2, D1.3).
_AROUND = (
    Choice("friend", Label("Bạn bè", "Friend")),
    Choice("parents_board", Label("Ban đại diện cha mẹ học sinh", "Parents' board")),
    Choice("village_head", Label("Trưởng thôn / làng / tổ dân phố", "Village head")),
    Choice("respected", Label("Người có uy tín", "Respected person")),
    Choice("organisation", Label("Các đoàn thể", "Mass organisations")),
    Choice("relative", Label("Họ hàng, người thân", "Relative")),
    Choice("other", Label("Người khác", "Somebody else")),
)
_KINDS = (
    Choice("road", Label("Đường đi, sông suối, thiên tai", "The way: roads, rivers, disasters")),
    Choice("means", Label("Thiếu kinh phí, vật chất hỗ trợ", "No money or material for support")),
    Choice("boarding", Label("Chỗ ở, chế độ bán trú, nội trú", "Boarding places and allowances")),
    Choice("staff", Label("Thiếu người, thiếu giáo viên", "Too few people or teachers")),
    Choice("working_together", Label("Phối hợp giữa các đơn vị", "Working together with others")),
    Choice("family", Label("Gia đình không hợp tác", "The family does not cooperate")),
    Choice("papers", Label("Giấy tờ, hộ tịch", "Papers and registration")),
    Choice("other", Label("Khó khăn, vướng mắc khác", "Another difficulty")),
)
_ANSWERS = (
    Choice(DECIDED, Label("Đã giải quyết / có ý kiến chỉ đạo", "Decided")),
    Choice(PASSED_ON, Label("Vượt thẩm quyền, chuyển cấp trên", "Beyond my powers: pass it on upward")),
    Choice(RETURNED, Label("Trả lại (nêu lý do)", "Return it, with a reason")),
)
_FIELDS = (
    Field("companion_role", "choice", Label("Là ai đối với học sinh", "Who they are to the pupil"), choices=_AROUND),
    Field(
        "companion_name",
        "line",
        Label("Họ tên", "Name"),
        max_length=120,
        help=Label(
            "Chỉ ghi điều cần để liên hệ, và báo cho người đó biết là đã ghi.",
            "Only what it takes to reach them; let them know that it is written down.",
        ),
    ),
    Field("companion_phone", "line", Label("Số điện thoại", "Phone"), max_length=32),
    Field("companion_note", "line", Label("Có thể giúp gì", "How they can help"), max_length=200),
    Field("companion_reason", "text", Label("Lý do bỏ khỏi danh sách", "Why they are taken off"), max_length=300),
    Field("difficulty_kind", "choice", Label("Loại khó khăn, vướng mắc", "Kind of difficulty"), choices=_KINDS),
    Field(
        "difficulty_words",
        "text",
        Label("Khó khăn, vướng mắc", "The difficulty"),
        max_length=1000,
        help=Label(
            "Vướng ở đâu, đã thử cách gì, đề nghị cấp trên giải quyết điều gì.",
            "Where it is stuck, what was tried, what you ask to be decided.",
        ),
    ),
    Field(
        END_ANYWAY,
        "yes_no",
        Label("Vẫn kết thúc hồ sơ, dù còn việc chưa làm", "End the case all the same, with things left undone"),
    ),
    Field(
        NEED_BY,
        "date",
        Label("Cần trước ngày", "Needed by"),
        when="future",
    ),
    Field("difficulty_answer", "choice", Label("Ý kiến", "Answer"), choices=_ANSWERS),
    Field("difficulty_reply", "text", Label("Nội dung ý kiến, lý do", "What is decided, or why not"), max_length=1000),
    Field(
        WHY,
        "line",
        Label("Lý do sửa hoặc rút lại", "Why this is corrected or withdrawn"),
        max_length=300,
        help=Label(
            "Mọi người xem hồ sơ thấy cả nội dung cũ, nội dung mới và lý do này.",
            "Everybody who reads the case sees what was there, what is there now, and this reason.",
        ),
    ),
    Field(
        DOUBT,
        "choice",
        Label("Bước đã làm", "What was done"),
        choices=(
            Choice(KEEP, Label("Giữ nguyên", "Keep it")),
            Choice(UNDO, Label("Lấy lại bước đó", "Take it back")),
        ),
    ),
)
FIELDS: Mapping[str, Field] = {field.name: field for field in _FIELDS}

_BUILTIN = (
    ActFields("companion", ("companion_role", "companion_name"), ("companion_phone", "companion_note")),
    ActFields("companion_off", ("companion_reason",)),
    ActFields("difficulty", ("difficulty_kind", "difficulty_words")),
    ActFields("difficulty_answer", ("difficulty_answer", "difficulty_reply")),
    ActFields("lesson", (), ("note",)),
    ActFields("correct", (WHY,)),
    ActFields("withdraw", (WHY,)),
    ActFields("undo", ()),
    ActFields(DOUBT, (DOUBT,)),
    ActFields("raise_need", (NEED_KIND, NEED_QUANTITY), (NEED_BY, NEED, "hand_over_at")),
)
BUILTIN_FORMS: Mapping[str, ActFields] = {form.name: form for form in _BUILTIN}
"""By the names under which a page, a scenario and `engine.core.cases.available_acts` know them."""


def counted_needs(fields: Mapping[str, Field]) -> dict[str, Field]:
    """Returns the fields that count a need, made of those that count what is given."""
    kind, quantity = fields["support_kind"], fields["quantity"]
    return {
        NEED_KIND: replace(kind, name=NEED_KIND, label=Label("Cần loại hỗ trợ nào", "Kind of support needed")),
        NEED_QUANTITY: replace(quantity, name=NEED_QUANTITY, label=Label("Cần bao nhiêu", "How much is needed")),
        NEED_BY: FIELDS[NEED_BY],
    }


def form_named(workflow: Workflow, name: str) -> ActFields:
    """Returns a built-in form, or one of the workflow. Raises `KeyError` for an unknown name."""
    return BUILTIN_FORMS.get(name) or workflow.forms[name]


def in_state(form: ActFields | Transition, state: str) -> ActFields | Transition:
    """Returns the form for a state, without the fields that have no meaning in it."""
    if state != IN_CLASS or isinstance(form, Transition):
        return form
    needs, may = (tuple(name for name in names if name not in ONLY_AWAY) for names in (form.needs, form.may))
    return ActFields(form.name, needs, may)


def field_named(workflow: Workflow, name: str) -> Field | None:
    """Returns a built-in field, or one of the workflow; None for an unknown name."""
    return FIELDS.get(name) or workflow.fields.get(name)


def asked(workflow: Workflow, form: ActFields | Transition) -> tuple[Field, ...]:
    """The fields of a form or a step in the order they are asked: the needed ones, then the optional ones."""
    return tuple(field for name in (*form.needs, *form.may) if (field := field_named(workflow, name)))
