"""Bringing a file in on the pages: handed in, looked at, decided about, confirmed; and who may do so."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import python_calamine as calamine
from sqlalchemy import delete, event, func, select
from werkzeug.test import TestResponse

from engine.store import tables as t
from engine.usecases.attendance import import_jobs
from engine.usecases.context import Context
from tests.cast import Cast
from tests.engine.usecases.attendance.test_importing import ALIASES, LIST, REGISTER
from tests.pages import csrf


@pytest.fixture
def desk(cast: Cast) -> Cast:
    """The cast at an installation that knows what columns are called."""
    shell = cast.site.app.extensions["ralop"]
    shell.context = Context(cast.store, cast.context.definitions, aliases=ALIASES)
    return cast


def hand_in(cast: Cast, member: str, text: str, kind: str = "attendance", **more: Any) -> TestResponse:
    browser = cast.browser(member)
    form = {
        "csrf_token": csrf(browser.get("/imports")),
        "kind": kind,
        "file": (io.BytesIO(text.encode()), "so diem danh.csv"),
    }
    return browser.post("/imports", data=form | more, content_type="multipart/form-data")


def worker(cast: Cast) -> None:
    import_jobs.work(cast.site.app.extensions["ralop"].context, cast.now)


def press(cast: Cast, member: str, page: str, address: str, **more: str) -> TestResponse:
    browser = cast.browser(member)
    return browser.post(address, data={"csrf_token": csrf(browser.get(page))} | more)


def count(cast: Cast, entity: Any) -> int:
    with cast.store.reading("test") as session:
        return session.scalar(select(func.count()).select_from(entity)) or 0


def test_a_teacher_sees_what_a_register_would_change_and_then_brings_it_in(desk: Cast) -> None:
    answer = hand_in(desk, "teacher", REGISTER)
    assert answer.status_code == 303
    page = answer.location
    assert "Đang kiểm tra" in desk.get("teacher", page).text
    worker(desk)
    preview = desk.get("teacher", page).text
    assert [int(n) for n in re.findall(r"<dd>(\d+)</dd>", preview)] == [4, 0, 0, 0]
    assert count(desk, t.Mark) == 0
    assert press(desk, "teacher", page, f"{page}/confirm").status_code == 303
    worker(desk)
    assert "Đã nhập" in desk.get("teacher", page).text
    assert count(desk, t.Mark) == 4


def test_a_cancelled_file_changes_nothing(desk: Cast) -> None:
    page = hand_in(desk, "teacher", REGISTER).location
    worker(desk)
    press(desk, "teacher", page, f"{page}/cancel")
    worker(desk)
    assert "Đã hủy" in desk.get("teacher", page).text
    assert count(desk, t.Mark) == 0


def test_wrong_rows_are_told_and_come_back_as_a_file(desk: Cast) -> None:
    page = hand_in(desk, "teacher", REGISTER + "nobody,2026-02-27,m,u,\n").location
    worker(desk)
    assert "Không có học sinh mang mã này." in desk.get("teacher", page).text
    file = desk.get("teacher", f"{page}/wrong.xlsx")
    assert file.headers["Content-Disposition"].startswith("attachment")
    rows = calamine.load_workbook(io.BytesIO(file.data)).get_sheet_by_index(0).to_python()
    assert rows[1][:4] == ["nobody", "2026-02-27", "m", "u"]
    with desk.store.reading("test") as session:
        assert session.scalars(select(t.AccessLog.what).where(t.AccessLog.what.like("export%"))).all() == [
            "export: wrong rows"
        ]


def test_who_may_be_here_already_is_decided_about_one_by_one(desk: Cast) -> None:
    again = LIST.splitlines()[0] + "\n5100000001,A Thử,6.5.2013,Nam,class,school,village,commune\n"
    page = hand_in(desk, "head", again, "pupils").location
    worker(desk)
    assert 'name="decide-5100000001"' in desk.get("head", page).text
    press(desk, "head", page, f"{page}/confirm", **{"decide-5100000001": "same"})
    worker(desk)
    with desk.store.reading("test") as session:
        assert session.scalars(select(t.Pupil.code).where(t.Pupil.name == "A Thử")).all() == ["5100000001"]


def test_a_file_that_cannot_be_read_is_refused_in_words(desk: Cast) -> None:
    page = hand_in(desk, "teacher", "<html><table></table></html>").location
    worker(desk)
    assert "Đây là trang web" in desk.get("teacher", page).text


def test_a_form_without_a_file_or_with_a_wrong_month_says_so(desk: Cast) -> None:
    browser = desk.browser("teacher")
    form = {"csrf_token": csrf(browser.get("/imports")), "kind": "attendance", "month": "tháng chín"}
    answer = browser.post("/imports", data=form, content_type="multipart/form-data")
    assert answer.status_code == 422
    assert "Hãy chọn tệp" in answer.text
    assert "9/2026" in answer.text


def test_a_teacher_is_not_offered_lists_of_pupils(desk: Cast) -> None:
    assert 'value="pupils"' not in desk.get("teacher", "/imports").text
    assert 'value="pupils"' in desk.get("head", "/imports").text
    assert hand_in(desk, "teacher", LIST, "pupils").status_code == 303  # taken for what a teacher may bring in
    worker(desk)
    with desk.store.reading("test") as session:
        assert session.scalars(select(t.ImportJob.kind)).all() == ["attendance"]


@pytest.mark.parametrize("member", ["head", "outsider_teacher", "admin"])
def test_the_file_of_somebody_else_is_no_page(desk: Cast, member: str) -> None:
    page = hand_in(desk, "teacher", REGISTER).location
    worker(desk)
    assert desk.get(member, page).status_code == 404
    assert desk.get(member, f"{page}/wrong.xlsx").status_code == 404


@pytest.mark.parametrize(
    "member", ["volunteer", "association", "commune_officer", "commune_leader", "education_office"]
)
def test_who_has_no_class_has_no_such_page(desk: Cast, member: str) -> None:
    assert desk.get(member, "/imports").status_code == 403


@pytest.mark.parametrize("form", ["xlsx", "csv"])
def test_a_list_is_taken_away_as_its_reader_sees_it_and_that_is_noted(desk: Cast, form: str) -> None:
    code = desk.to_association("pupil")
    page = desk.get("teacher", f"/cases.{form}")
    assert page.headers["Content-Disposition"] == f'attachment; filename="ho-so.{form}"'
    with desk.store.reading("test") as session:
        assert session.scalars(select(t.AccessLog.what).where(t.AccessLog.what.like("export%"))).all() == [
            "export: cases"
        ]
    seen = {member: desk.get(member, "/cases.csv").text for member in ("teacher", "volunteer", "outsider_teacher")}
    assert code in seen["teacher"]
    assert "A Thử" in seen["teacher"]
    assert code in seen["volunteer"]
    assert "A Thử" not in seen["volunteer"]
    assert code not in seen["outsider_teacher"]


# --- a child of another school, taken by a file -----------------------------------------------------------------------

LISTED = LIST.splitlines()[0] + "\n"
# What the head of the school knows of a child of the other school, or guesses: with a code of one's own, with hers.
ATTACKS = pytest.mark.parametrize("code", ["HS77", "outsider_pupil"])


def brought_in(cast: Cast, member: str, text: str, kind: str = "pupils", **forged: str) -> list[str]:
    """Hand a file in and confirm it, with whatever is added to the form; the pages on the way."""
    page = hand_in(cast, member, text, kind).location
    worker(cast)
    preview = cast.get(member, page)
    assert press(cast, member, page, f"{page}/confirm", **forged).status_code == 303
    worker(cast)
    return [preview.text, cast.get(member, page).text, str(wrong_rows(cast, member, page))]


def wrong_rows(cast: Cast, member: str, page: str) -> list[list[Any]]:
    file = cast.get(member, f"{page}/wrong.xlsx")
    return calamine.load_workbook(io.BytesIO(file.data)).get_sheet_by_index(0).to_python()


def without_tokens(page: str) -> str:
    """A page without what is another one each time: the job's number, tokens, the reader's clock."""
    page = re.sub(r"/imports/\d+", "/imports/N", page)
    page = re.sub(r'name="csrf_token" value="[^"]+"', "", page)
    return re.sub(r'nonce="[^"]+"|nonce-[\w+/=-]+', "", page)


@ATTACKS
@pytest.mark.parametrize("decision", ["same", "add", "take", "keep", ""])
def test_no_file_takes_a_child_of_another_school_whatever_is_answered(desk: Cast, code: str, decision: str) -> None:
    case = desk.open_case("outsider_pupil", by="outsider_teacher")
    assert desk.get("head", f"/cases/{case}").status_code == 403
    row = f"{code},A Khác,06/05/2013,Nam,class,school,outsider_village,outsider_commune\n"
    names = {code, "outsider_pupil", f"{code}@school", f"{code}@outsider_school", "5"}
    seen = brought_in(desk, "head", LISTED + row, **{f"decide-{name}": decision for name in names})
    assert [re.findall(r"<dd>(\d+)</dd>", page) for page in seen[:2]] == [["1", "0", "0", "0"]] * 2
    assert not any("A Khác" in page or "outsider_pupil" in page or "decide-" in page for page in seen)
    assert desk.get("head", f"/cases/{case}").status_code == 403
    assert desk.get("outsider_teacher", f"/cases/{case}").status_code == 200
    assert desk.case(case).school_id == desk.installed.units["outsider_school"]
    with desk.store.reading("test") as session:
        theirs = session.get_one(t.Pupil, desk.installed.pupils["outsider_pupil"])
        assert (theirs.code, theirs.name, theirs.school_id, theirs.class_id) == (
            "outsider_pupil",
            "A Khác",
            desk.installed.units["outsider_school"],
            desk.installed.units["outsider_class"],
        )


@ATTACKS
def test_the_pages_about_a_child_known_elsewhere_are_those_about_an_unknown_one(desk: Cast, code: str) -> None:
    answers = []
    for row in (f"{'X' * len(code)},Lạ Hẳn,01/09/2013", f"{code},A Khác,06/05/2013"):
        with counted(desk) as statements:
            pages = brought_in(desk, "head", f"{LISTED}{row},Nam,class,school,,\n")
        with desk.store.writing("test") as session:  # or the first would be there for the second
            session.execute(delete(t.Pupil).where(t.Pupil.id > max(desk.installed.pupils.values())))
        answers.append(([without_tokens(page) for page in pages], list(statements)))
    assert answers[0][0] == answers[1][0]
    assert answers[0][1] == answers[1][1]


def test_marks_for_a_child_elsewhere_and_for_nobody_give_one_page_and_one_file(desk: Cast) -> None:
    answers = []
    for code in ("outsider_pupil", "not_at_all_one"):
        with counted(desk) as statements:
            pages = brought_in(desk, "teacher", f"pupil_code,date,session,mark\n{code},2026-02-27,m,u\n", "attendance")
        answers.append(([without_tokens(page).replace(code, "CODE") for page in pages], list(statements)))
    assert answers[0] == answers[1]
    assert "Không có học sinh mang mã này." in answers[0][0][0]


@contextmanager
def counted(cast: Cast) -> Iterator[list[str]]:
    """The statements that are said meanwhile, but for those that a sign-in takes."""
    cast.browser("head"), cast.browser("teacher")
    seen: list[str] = []

    def note(*args: Any) -> None:
        seen.append(args[2])

    event.listen(cast.store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(cast.store.engine, "before_cursor_execute", note)


def test_another_name_under_a_known_code_is_shown_old_and_new_and_decided_by_a_person(desk: Cast) -> None:
    row = LISTED + "pupil,A Thừ,06/05/2013,,saturday_class,school,,\n"
    seen = brought_in(desk, "head", row)
    assert "A Thử → A Thừ" in seen[0]
    assert 'name="decide-pupil" value="hold" checked' in seen[0]
    with desk.store.reading("test") as session:
        held = session.get_one(t.Pupil, desk.installed.pupils["pupil"])
        assert (held.name, held.class_id) == ("A Thử", desk.installed.units["saturday_class"])
    brought_in(desk, "head", row, **{"decide-pupil": "take"})
    with desk.store.reading("test") as session:
        assert session.get_one(t.Pupil, desk.installed.pupils["pupil"]).name == "A Thừ"
        [kept] = session.scalars(select(t.PupilChange))
        assert (kept.field, kept.old, kept.new, kept.taken, kept.by_id) == (
            "name",
            "A Thử",
            "A Thừ",
            True,
            desk.installed.people["head"],
        )
