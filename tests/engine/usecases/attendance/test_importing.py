"""Imports into a database: what a dry run promises happens, twice is once, a kill doubles nothing, cases go along."""

import datetime as dt
import io
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import python_calamine as calamine
from sqlalchemy import func, select

from engine.core.files.aliases import load_aliases
from engine.core.files.export import wrong_file
from engine.core.files.options import ADD, SAME, Options
from engine.core.files.sheets import Unreadable
from engine.core.refusals import NotAllowed, NotFound
from engine.store import tables as t
from engine.store.attendance import imports as stored
from engine.store.session import Store, now_utc
from engine.usecases.attendance import import_jobs, importing
from engine.usecases.attendance.importing import ImportOutcome
from engine.usecases.context import Context
from tests.installation import MONDAY, CastInstallation, at, definitions, installed
from tests.registers import register
from tests.workbooks import book

__all__ = ["installed"]  # a fixture

ROOT = Path(__file__).parents[4]
ALIASES = load_aliases((ROOT / "rules/import/aliases.toml").read_text("utf-8"), "aliases.toml")
NOW = at(MONDAY)
LIST = """Mã HS,Họ và tên,Ngày sinh,Giới tính,Lớp,Trường,Thôn,Xã
pupil,A Thử,05/02/2014,Nam,class,school,village,commune
classmate,Y Thử,06/02/2014,Nữ,class,school,village,commune
boarder,A Xa,07/02/2014,Nam,class,school,outsider_village,outsider_commune
"""
REGISTER = """pupil_code,date,session,mark,reason
pupil,2026-02-26,m,u,
pupil,2026-02-27,m,u,
classmate,2026-02-26,m,p,
classmate,2026-02-27,m,e,ốm
boarder,2026-02-27,a,,
"""


def bring_in(store: Store, kind: str, text: str | bytes, **options: Any) -> ImportOutcome:
    """What the dry run says first must be what happens then."""
    context = Context(store, definitions(), aliases=ALIASES)
    data = text.encode() if isinstance(text, str) else text
    promised = importing.dry_run(context, kind, data, Options(**options), NOW)
    done = importing.run(context, kind, data, Options(**options), NOW)
    if done.state == "done":
        assert done.summary() == promised.summary()
        assert done.report == promised.report
    return done


def numbers(outcome: ImportOutcome) -> tuple[int, ...]:
    """New, changed, unchanged, wrong."""
    return tuple(outcome.summary().values())[:4]


def said(outcome: ImportOutcome) -> list[str]:
    return [str(sentence) for row in outcome.wrong_rows for sentence in row.why]


def pupil(store: Store, code: str) -> t.Pupil:
    with store.reading("test") as session:
        found = session.scalars(select(t.Pupil).where(t.Pupil.code == code)).one()
        session.expunge(found)
        return found


def marks(store: Store) -> list[tuple[str, str, str, str, str | None]]:
    """The register as a whole, with the reasons of its marks."""
    with store.reading("test") as session:
        codes = {row.id: row.code for row in session.execute(select(t.Pupil.id, t.Pupil.code))}
        query = select(t.Mark.pupil_id, t.Mark.day, t.Mark.session, t.Mark.reason)
        reasons = {(pupil, day, half): reason for pupil, day, half, reason in session.execute(query)}
        said = register(session)
    rows = ((codes[key[0]], key[1].isoformat(), key[2], mark, reasons.get(key)) for key, mark in said.items())
    return sorted(rows, key=lambda row: row[:3])


def test_the_same_list_twice_changes_nothing(installed: CastInstallation) -> None:
    assert numbers(bring_in(installed.store, "pupils", LIST)) == (0, 3, 0, 0)
    assert numbers(bring_in(installed.store, "pupils", LIST)) == (0, 0, 3, 0)


def test_new_pupils_come_in_with_all_that_a_page_needs(installed: CastInstallation) -> None:
    row = "HS9,Đinh Thị Mẫu,01/09/2014,Nữ,class,school,village,commune\n"
    assert numbers(bring_in(installed.store, "pupils", LIST.splitlines()[0] + "\n" + row)) == (1, 0, 0, 0)
    new, units = pupil(installed.store, "HS9"), installed.cast.units
    assert (new.name, new.search_key, new.sex, new.status) == ("Đinh Thị Mẫu", "dinh thi mau", "f", "enrolled")
    assert (new.class_id, new.school_id, new.village_id) == (units["class"], units["school"], units["village"])
    assert (new.commune_id, new.province_id) == (units["commune"], units["province"])


def test_a_blank_cell_takes_nothing_away(installed: CastInstallation) -> None:
    bring_in(installed.store, "pupils", LIST)
    bring_in(
        installed.store, "pupils", "Mã HS,Họ và tên,Ngày sinh,SĐT,Lớp,Trường\npupil,A Thử,,0905000111,class,school\n"
    )
    kept = pupil(installed.store, "pupil")
    assert (kept.guardian_phone, kept.birth_date, kept.sex) == ("0905000111", dt.date(2014, 2, 5), "m")


def test_a_wrong_row_never_stops_the_good_ones(installed: CastInstallation) -> None:
    wrong = "HS8,Y Lạ,01/09/2014,Nữ,lớp không có,school,village,commune\n"
    outcome = bring_in(installed.store, "pupils", LIST + wrong)
    assert numbers(outcome) == (0, 3, 0, 1)
    assert said(outcome) == ["There is no class “lớp không có” in this school: bring in the units first."]


def test_unless_that_is_asked_for(installed: CastInstallation) -> None:
    outcome = bring_in(installed.store, "pupils", LIST + "HS8,Y Lạ,,,không có,school,,\n", strict=True)
    assert outcome.state == "refused"
    assert pupil(installed.store, "pupil").birth_date is None


def test_pupils_who_are_no_longer_in_the_list_are_told_and_stay(installed: CastInstallation) -> None:
    outcome = bring_in(installed.store, "pupils", "\n".join(LIST.splitlines()[:3]))
    assert outcome.report["vanished"] == ["boarder"]
    assert pupil(installed.store, "boarder").status == "enrolled"


def test_a_pupil_who_moves_to_another_class_keeps_the_case(installed: CastInstallation) -> None:
    code = installed.open()
    assert numbers(
        bring_in(
            installed.store, "pupils", LIST.replace("Nam,class,school,village", "Nam,saturday_class,school,village")
        )
    ) == (0, 3, 0, 0)
    case = installed.case(code)
    assert case.class_id == installed.cast.units["saturday_class"]
    assert case.state == "absent"
    assert "placed" in installed.kinds(code)


def test_who_seems_to_be_there_already_is_held_back_for_a_decision(installed: CastInstallation) -> None:
    bring_in(installed.store, "pupils", LIST)
    again = LIST.splitlines()[0] + "\n5100000001,A  THỬ,5.2.2014,Nam,class,school,village,commune\n"
    held = bring_in(installed.store, "pupils", again)
    assert numbers(held) == (0, 0, 0, 1)
    assert held.report["duplicates"] == [{"key": "5100000001", "code": "5100000001", "like": "pupil", "name": "A Thử"}]
    assert numbers(bring_in(installed.store, "pupils", again, duplicates=SAME)) == (0, 1, 0, 0)
    assert pupil(installed.store, "5100000001").id == installed.cast.pupils["pupil"]
    other = again.replace("5100000001", "5100000002")
    assert numbers(bring_in(installed.store, "pupils", other, duplicates=ADD)) == (1, 0, 0, 0)


def test_several_schools_of_one_name_are_not_guessed_between(installed: CastInstallation) -> None:
    with installed.store.writing("test") as session:
        for unit in session.scalars(select(t.Unit).where(t.Unit.kind.in_(("school", "class")))):
            unit.name = "Trường THCS Bờ Y" if unit.kind == "school" else "6A"
            unit.code = f"{unit.code}-{unit.id}"
    row = "Mã HS,Họ và tên,Lớp,Trường\nHS1,Y Ngọc,6A,Trung học cơ sở Bờ Y\n"
    assert said(bring_in(installed.store, "pupils", row)) == [
        "There are several classes “6A”: name the school, or give the class's code."
    ]


def test_a_former_commune_is_found_under_the_one_it_became_part_of(installed: CastInstallation) -> None:
    with installed.store.writing("test") as session:
        commune = session.get_one(t.Unit, installed.cast.units["commune"])
        session.add(
            t.Unit(
                kind="commune",
                code="23389",
                name="Xã Đăk Xú",
                search_key="xa dak xu",
                successor_id=commune.id,
                valid_from=dt.date(2000, 1, 1),
                valid_to=dt.date(2025, 7, 1),
            )
        )
    bring_in(installed.store, "pupils", "Mã HS,Họ và tên,Lớp,Trường,Xã/Phường\nHS1,Y Ngọc,class,school,Đắk Xú\n")
    assert pupil(installed.store, "HS1").commune_id == installed.cast.units["commune"]


def test_the_same_register_twice_changes_nothing_and_blanks_stay_not_taken(installed: CastInstallation) -> None:
    assert numbers(bring_in(installed.store, "attendance", REGISTER)) == (4, 0, 0, 0)
    before = marks(installed.store)
    assert ("classmate", "2026-02-27", "m", "e", "ốm") in before
    assert not [row for row in before if row[0] == "boarder"]
    assert numbers(bring_in(installed.store, "attendance", REGISTER)) == (0, 0, 4, 0)
    assert marks(installed.store) == before


def test_a_corrected_mark_keeps_what_it_was(installed: CastInstallation) -> None:
    bring_in(installed.store, "attendance", REGISTER)
    assert numbers(
        bring_in(
            installed.store, "attendance", REGISTER.replace("pupil,2026-02-26,m,u,", "pupil,2026-02-26,m,P,đi khám")
        )
    ) == (0, 1, 3, 0)
    with installed.store.reading("test") as session:
        [change] = session.scalars(select(t.MarkChange))
        assert (change.old_mark, change.new_mark, change.day) == ("u", "e", dt.date(2026, 2, 26))
    assert ("pupil", "2026-02-26", "m", "e", "đi khám") in marks(installed.store)


def test_a_file_that_contradicts_itself_is_told_and_the_first_row_holds(installed: CastInstallation) -> None:
    outcome = bring_in(installed.store, "attendance", REGISTER + "pupil,2026-02-26,m,e,\npupil,2026-02-27,m,u,\n")
    assert numbers(outcome) == (4, 0, 1, 1)
    assert numbers(
        bring_in(installed.store, "attendance", REGISTER + "pupil,2026-02-26,m,e,\npupil,2026-02-27,m,u,\n")
    ) == (0, 0, 5, 1)


def test_rows_of_other_classes_are_refused_where_one_class_is_meant(installed: CastInstallation) -> None:
    text = "pupil_code,date,session,mark\npupil,2026-02-26,m,u\noutsider_pupil,2026-02-26,m,u\nnobody,2026-02-26,m,u\n"
    outcome = bring_in(installed.store, "attendance", text, class_code="class")
    assert numbers(outcome) == (1, 0, 0, 2)
    assert sorted(said(outcome)) == ["The pupil is not of the class class.", "There is no pupil with this code."]


def test_a_monthly_sheet_gives_what_the_long_list_gives(installed: CastInstallation) -> None:
    head: list[list[Any]] = [["Lớp: class", "Tháng 2/2026"], ["STT", "Họ và Tên", 25, 26, 27]]
    wide = book([*head, [1, "A Thử", "", "K", "K"], [2, "Y Thử", "", "x", "P"], [3, "A Xa", "", "", ""]])
    assert numbers(bring_in(installed.store, "attendance", wide)) == (4, 0, 0, 0)
    by_sheet = [row[:4] for row in marks(installed.store)]
    assert numbers(bring_in(installed.store, "attendance", REGISTER.replace("ốm", ""))) == (0, 0, 4, 0)
    assert [row[:4] for row in marks(installed.store)] == by_sheet


def test_wrong_cells_of_a_monthly_sheet_can_be_mended_and_given_back(installed: CastInstallation) -> None:
    wide = book(
        [
            ["Tháng 2/2026"],
            ["Mã HS", "Họ và Tên", 25, 26, 27],
            ["pupil", "A Thử", "", "K", "?"],
            ["nobody", "Y Ai", "", "K", ""],
        ]
    )
    outcome = bring_in(installed.store, "attendance", wide)
    assert numbers(outcome) == (1, 0, 0, 2)

    rows = calamine.load_workbook(io.BytesIO(wrong_file(outcome.wrong_rows, "vi"))).get_sheet_by_index(0).to_python()
    assert rows[0][-2:] == ["Lỗi", "Vị trí trong tệp"]
    mended = [[{"?": "P", "nobody": "classmate"}.get(str(cell), cell) for cell in row] for row in rows]
    assert numbers(bring_in(installed.store, "attendance", book(mended))) == (2, 0, 0, 0)


def test_a_daily_summary_says_whether_attendance_was_taken(installed: CastInstallation) -> None:
    rows: list[list[Any]] = [
        ["Ngày 27/02/2026"],
        ["Lớp", "Sĩ Số", "Có Mặt", "Vắng (Có phép)", "Vắng (Không phép)", "Trạng Thái"],
    ]
    taken = [*rows, ["class", 3, 2, 1, 0, "Đã điểm danh"], ["saturday_class", 1, 0, 0, 0, "Chưa điểm danh"]]
    assert numbers(bring_in(installed.store, "attendance", book(taken), school_code="school")) == (2, 0, 0, 0)
    assert numbers(bring_in(installed.store, "attendance", book(taken), school_code="school")) == (0, 0, 2, 0)
    with installed.store.reading("test") as session:
        days = {row.class_id: (row.taken, row.present) for row in session.scalars(select(t.ClassDay))}
    assert days == {installed.cast.units["class"]: (True, 2), installed.cast.units["saturday_class"]: (False, None)}


def test_a_file_that_is_no_register_is_refused_in_words(installed: CastInstallation) -> None:
    with pytest.raises(Unreadable, match="names the columns"):
        importing.run(
            Context(installed.store, definitions(), aliases=ALIASES), "attendance", b"a,b\n1,2\n", Options(), NOW
        )


# --- killed, cancelled, gone on with ----------------------------------------------------------------------------------

SLOW = """
import sys, time
sys.path.insert(0, {root!r})
from engine.usecases.attendance import importing
from engine.usecases.context import Context
from engine.core.files.options import Options
from engine.store.session import open_store
from tests.installation import definitions
from tests.engine.usecases.attendance.test_importing import ALIASES, NOW, long_list
def progress(done, total):
    print(done, flush=True)
    time.sleep(0.05 if done < 500 else 60)
context = Context(open_store({url!r}), definitions(), aliases=ALIASES)
importing.run(context, "attendance", long_list(), Options(), NOW, progress=progress, piece=100)
"""


def long_list(rows: int = 1200) -> bytes:
    """Marks of three pupils over 400 days."""
    codes, first = ("pupil", "classmate", "boarder"), dt.date(2025, 1, 1)
    lines = (f"{codes[n % 3]},{first + dt.timedelta(days=n // 3)},m,{'pu'[n % 7 == 0]}" for n in range(rows))
    return ("pupil_code,date,session,mark\n" + "\n".join(lines)).encode()


def test_killed_in_the_middle_and_run_again_nothing_is_doubled_or_lost(installed: CastInstallation) -> None:
    url = installed.store.url.render_as_string(hide_password=False)
    child = subprocess.Popen(
        [sys.executable, "-c", SLOW.format(root=str(ROOT), url=url)], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    assert [int(child.stdout.readline()) for _ in range(5)] == [100, 200, 300, 400, 500]
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdout.close()
    assert len(marks(installed.store)) == 500
    seen: list[int] = []
    context = Context(installed.store, definitions(), aliases=ALIASES)
    done = importing.run(context, "attendance", long_list(), Options(), NOW, progress=lambda at, total: seen.append(at))
    assert seen == [1200]
    assert numbers(done) == (1200, 0, 0, 0)
    assert len(marks(installed.store)) == 1200
    with installed.store.reading("test") as session:
        assert session.scalar(select(func.count()).select_from(t.ImportJob)) == 1
        assert session.scalar(select(func.count()).select_from(t.MarkChange)) == 0


def submitted(
    installed: CastInstallation, member: str = "teacher", kind: str = "attendance", data: bytes | None = None
) -> tuple[Context, int]:
    context = Context(installed.store, definitions(), aliases=ALIASES)
    data = data if data is not None else REGISTER.encode()
    return context, import_jobs.submit(context, installed.viewer(member), kind, "register.csv", data, Options(), NOW)


def test_a_file_is_handed_in_checked_confirmed_and_brought_in(installed: CastInstallation) -> None:
    context, job = submitted(installed)
    viewer = installed.viewer("teacher")
    assert import_jobs.work(context, NOW) == 1
    checked = import_jobs.job_of(context, viewer, job)
    assert (checked.state, checked.new, checked.total) == ("checked", 4, 4)
    assert marks(installed.store) == []
    import_jobs.confirm(context, viewer, job, {})
    assert import_jobs.work(context, NOW) == 1
    assert import_jobs.job_of(context, viewer, job).state == "done"
    assert len(marks(installed.store)) == 4
    assert import_jobs.work(context, NOW) == 0


def test_the_file_itself_is_kept_no_longer_than_needed(installed: CastInstallation) -> None:
    context, job = submitted(installed, data=REGISTER.encode() + b"nobody,2026-02-27,m,u,\n")
    import_jobs.work(context, NOW)
    import_jobs.confirm(context, installed.viewer("teacher"), job, {})
    import_jobs.work(context, NOW)
    with installed.store.reading("test") as session:
        assert session.scalar(select(func.count()).select_from(t.ImportFile)) == 0
    assert len(import_jobs.wrong_rows(context, installed.viewer("teacher"), job)) == 1
    import_jobs.forget(context, NOW + dt.timedelta(days=31))
    assert import_jobs.wrong_rows(context, installed.viewer("teacher"), job) == []


def test_a_cancelled_import_stops_after_the_piece_at_hand(installed: CastInstallation) -> None:
    context, job = submitted(installed, data=long_list())
    viewer = installed.viewer("teacher")
    import_jobs.work(context, NOW)
    import_jobs.confirm(context, viewer, job, {})
    asked: list[int] = []

    def stop() -> bool:
        asked.append(1)
        if len(asked) == 4:  # once before the job, then after each piece
            import_jobs.cancel(context, viewer, job, NOW)
        return False

    import_jobs.work(context, NOW, stop, piece=100)
    assert import_jobs.job_of(context, viewer, job).state == "cancelled"
    assert len(marks(installed.store)) == 300


def test_a_worker_that_stops_lets_another_one_go_on(installed: CastInstallation) -> None:
    context, job = submitted(installed, data=long_list())
    import_jobs.work(context, NOW)
    import_jobs.confirm(context, installed.viewer("teacher"), job, {})
    answers = iter([False, True, True])
    import_jobs.work(context, NOW, lambda: next(answers), piece=500)
    assert len(marks(installed.store)) == 500
    import_jobs.work(context, NOW)
    assert len(marks(installed.store)) == 1200
    assert import_jobs.job_of(context, installed.viewer("teacher"), job).new == 1200


def test_a_teacher_brings_in_marks_of_the_own_class_only(installed: CastInstallation) -> None:
    context, job = submitted(installed, "outsider_teacher")
    import_jobs.work(context, NOW)
    checked = import_jobs.job_of(context, installed.viewer("outsider_teacher"), job)
    assert (checked.new, checked.wrong) == (0, 4)


def test_pupils_are_brought_in_by_a_head_and_nobody_below(installed: CastInstallation) -> None:
    with pytest.raises(NotAllowed):
        submitted(installed, "teacher", "pupils", LIST.encode())
    context, job = submitted(installed, "head", "pupils", LIST.encode())
    import_jobs.work(context, NOW)
    assert import_jobs.job_of(context, installed.viewer("head"), job).changed == 3


@pytest.mark.parametrize(
    "member", ["volunteer", "commune_officer", "commune_leader", "association", "education_office"]
)
def test_who_has_no_class_brings_in_nothing(installed: CastInstallation, member: str) -> None:
    with pytest.raises(NotAllowed):
        submitted(installed, member)


def test_nobody_sees_the_import_of_somebody_else(installed: CastInstallation) -> None:
    context, job = submitted(installed)
    for look in (import_jobs.job_of, import_jobs.wrong_rows):
        with pytest.raises(NotFound):
            look(context, installed.viewer("head"), job)


def test_a_file_that_cannot_be_read_ends_its_job_with_the_reason(installed: CastInstallation) -> None:
    context, job = submitted(installed, data=b"PK\3\4 torn")
    import_jobs.work(context, NOW)
    ended = import_jobs.job_of(context, installed.viewer("teacher"), job)
    assert (ended.state, ended.report["refused"]["en"][:19]) == ("refused", "The file is damaged")


def test_a_file_that_takes_its_worker_down_three_times_is_left_alone(installed: CastInstallation) -> None:
    context, job = submitted(installed)
    for killed in range(import_jobs.MOST_BEGUN):
        with installed.store.writing("a worker takes the job and is killed") as session:
            assert stored.claim(session, job) == killed + 1
        assert import_jobs.work(context, NOW) == 0  # it may still be alive
        with installed.store.writing("a minute passes") as session:
            stored.set_job(session, job, seen_at=now_utc() - 2 * stored.DEAD_AFTER)
    assert import_jobs.work(context, NOW) == 1
    ended = import_jobs.job_of(context, installed.viewer("teacher"), job)
    assert (ended.state, ended.seen_at) == ("failed", None)
    assert ended.report["refused"]["en"].startswith("The work on this file broke off 3 times")
    assert import_jobs.work(context, NOW) == 0


def test_a_job_that_got_further_may_be_begun_again(installed: CastInstallation) -> None:
    context, job = submitted(installed, data=long_list())
    import_jobs.work(context, NOW)
    import_jobs.confirm(context, installed.viewer("teacher"), job, {})
    for _ in range(2):
        with installed.store.writing("a worker takes the job and is killed") as session:
            stored.claim(session, job)
            stored.set_job(session, job, seen_at=None)
    import_jobs.work(context, NOW, iter([False, True, True]).__next__, piece=400)
    with installed.store.reading("test") as session:
        assert session.scalars(select(t.ImportJob.begun)).one() == 0
        assert session.scalars(select(t.ImportJob.next_row)).one() == 400


def test_a_check_is_cancelled_after_the_piece_at_hand(installed: CastInstallation) -> None:
    context, job = submitted(installed, data=long_list())
    pieces: list[int] = []

    def stop() -> bool:
        pieces.append(1)
        if len(pieces) == 3:  # once before the job, then after each piece
            import_jobs.cancel(context, installed.viewer("teacher"), job, NOW)
        return False

    import_jobs.work(context, NOW, stop, piece=100)
    assert import_jobs.job_of(context, installed.viewer("teacher"), job).state == "cancelled"
    assert len(pieces) <= 5  # of twelve
    assert marks(installed.store) == []
