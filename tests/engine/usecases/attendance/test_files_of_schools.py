"""Files as schools have them, on the demo of 25 November 2026: each stands for a kind that once went wrong.

The files lie beside this test in `files`; everybody in them is invented.
"""

import datetime as dt
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import select

from engine.core.files.options import Options
from engine.core.files.sheets import Unreadable
from engine.jobs.risk_watch import Watched, watch
from engine.simulation.demo import build_demo
from engine.store import tables as t
from engine.store.attendance import corrected, rollcall
from engine.store.session import open_store
from engine.usecases.attendance import importing
from engine.usecases.attendance.importing import ImportOutcome
from engine.usecases.context import Context
from tests import databases
from tests.engine.simulation.test_demo import context_on
from tests.workbooks import book
from web.cli.demo import demo_files

FILES = Path(__file__).parent / "files"
NOW = dt.datetime(2026, 11, 25, 2, tzinfo=dt.UTC)
TODAY = dt.date(2026, 11, 25)


class School:
    """The school NH-CS1 of the demo."""

    def __init__(self, context: Context) -> None:
        self.context, self.minutes = context, 0

    def bring_in(self, kind: str, file: str | bytes, blank: str = "") -> ImportOutcome:
        self.minutes += 1
        data = file if isinstance(file, bytes) else (FILES / f"{file}.xlsx").read_bytes()
        now = NOW + dt.timedelta(minutes=self.minutes)
        return importing.run(self.context, kind, data, Options(school_code="NH-CS1", blank=blank), now)

    def watch(self, day: dt.date = TODAY) -> Watched:
        return watch(self.context, day, NOW + dt.timedelta(hours=9))

    def cases(self, *codes: str) -> list[str]:
        """The pupils of these codes who have an open case."""
        query = select(t.Pupil.code).join(t.Case, t.Case.pupil_id == t.Pupil.id).where(t.OPEN, t.Pupil.code.in_(codes))
        with self.context.store.reading("test") as session:
            return sorted(session.scalars(query))

    def on_list(self, klass: str, day: dt.date, half: str = "m") -> set[str]:
        """The codes of who is on the register of a class."""
        with self.context.store.reading("test") as session:
            unit = t.Unit.id == t.Pupil.class_id
            schools = t.Pupil.school_id == session.scalars(select(t.Unit.id).where(t.Unit.code == "NH-CS1")).one()
            query = select(t.Unit.id).join(t.Pupil, unit).where(t.Unit.name.in_((klass, f"Lớp {klass}")), schools)
            class_id = session.scalars(query.distinct()).one()
            ids = [id for id, _, _ in rollcall.pupils(session, class_id, day, half)]
            return set(session.scalars(select(t.Pupil.code).where(t.Pupil.id.in_(ids))))

    def pupil(self, code: str) -> t.Pupil:
        with self.context.store.reading("test") as session:
            found = session.scalars(select(t.Pupil).where(t.Pupil.code == code)).one()
            session.expunge(found)
            return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("demo")
    databases.migrate(f"sqlite:///{folder / 'demo.db'}")
    with closing(open_store(f"sqlite:///{folder / 'demo.db'}")) as store:
        build_demo(context_on(store, folder), demo_files())
    return folder / "demo.db"


@pytest.fixture
def school(built: Path, tmp_path: Path) -> Iterator[School]:
    shutil.copy(built, tmp_path / "demo.db")
    with closing(open_store(f"sqlite:///{tmp_path / 'demo.db'}")) as store:
        yield School(context_on(store, tmp_path))


def why(outcome: ImportOutcome) -> list[str]:
    return [str(sentence) for row in outcome.wrong_rows for sentence in row.why]


def numbers(outcome: ImportOutcome) -> tuple[int, ...]:
    """New, changed, unchanged, wrong, noted."""
    return tuple(outcome.summary().values())[:5]


def test_three_single_absences_between_blanks_of_a_monthly_sheet_are_no_run(school: School) -> None:
    school.bring_in("pupils", "k3-pupil")
    assert numbers(school.bring_in("attendance", "k3-monthly-sheet")) == (3, 0, 0, 0, 0)
    school.watch()
    assert school.cases("ROW0001") == []


def test_a_sheet_of_new_pupils_opens_no_case_for_absences_a_week_apart(school: School) -> None:
    codes = [f"519990000{number}" for number in (1, 2, 3, 4, 7)]
    rows = [[code, f"Y Lớp {at}", "7A"] for at, code in enumerate(codes)]
    school.bring_in("pupils", book([["Mã học sinh", "Họ và tên", "Lớp"], *rows]))
    school.bring_in("attendance", "so7a")
    school.watch(dt.date(2026, 11, 23))
    assert school.cases(*codes) == ["5199900004"]  # the 19th, 20th and 23rd are in a row, with a weekend between


def test_blank_over_a_stored_absence_is_noted_and_changes_nothing(school: School) -> None:
    school.bring_in("pupils", "k3-pupil")
    school.bring_in("attendance", "k3-monthly-sheet")
    head, blank = ["Mã HS", "Họ và tên", 2, 3, 4], ["ROW0001", "Y Cách Quãng", "", "x", "x"]
    again = school.bring_in("attendance", book([["THÁNG 11 NĂM 2026 - LỚP 7A"], head, blank]))
    assert numbers(again) == (0, 0, 2, 0, 1)


def test_marks_corrected_propose_their_case_as_opened_in_error(school: School) -> None:
    school.bring_in("pupils", "c1-pupil")
    school.bring_in("attendance", "c1-unexcused")
    assert school.watch().opened == 1
    assert school.bring_in("attendance", "c1-was-there").summary()["cases"] == 1
    assert school.cases("COR001") == ["COR001"]
    with school.context.store.reading("test") as session:
        query = select(t.Case.id).join(t.Pupil, t.Pupil.id == t.Case.pupil_id).where(t.Pupil.code == "COR001")
        case = session.scalars(query).one()
        assert corrected.proposed(session, case) == "mark_error"
        kinds = list(session.scalars(select(t.Event.kind).where(t.Event.case_id == case).order_by(t.Event.seq)))
        assert kinds[:2] == ["opened", "error_proposed"]
        told = session.scalars(select(t.Notice.kind).where(t.Notice.case_id == case)).all()
        assert "error_proposed" in told
        assert session.get_one(t.Case, case).due_at is None


def test_who_arrived_today_is_on_no_register_before(school: School) -> None:
    school.bring_in("pupils", "r7-arrived-today")
    before = dt.date(2026, 11, 12)
    assert ("NEW0001" in school.on_list("6A", before), "NEW0001" in school.on_list("6A", TODAY)) == (False, True)
    row = "Mã HS,Lớp,Ngày,Buổi,Hình thức\nNEW0001,6A,12/11/2026,S,K\n"
    outcome = school.bring_in("attendance", row.encode())
    assert (numbers(outcome), why(outcome)[0][:42]) == ((0, 0, 0, 1, 0), "On 12/11/2026 the pupil was not yet, or no")


def test_a_register_keeps_who_was_in_the_class_that_day(school: School) -> None:
    before, past = school.on_list("7A", TODAY), dt.date(2026, 11, 12)
    school.bring_in("pupils", "r8-moved-and-left")
    moved = {"DEMO000113", "DEMO000114"}
    assert moved <= school.on_list("7A", past)
    assert not moved & school.on_list("6A", past)
    assert school.on_list("7A", TODAY) == before - moved
    assert moved & school.on_list("6A", TODAY) == {"DEMO000113"}


def test_marks_on_days_without_class_are_counted_and_told(school: School) -> None:
    outcome = school.bring_in("attendance", "i6-days-without-class")
    assert numbers(outcome) == (5, 0, 0, 1, 4)
    assert "20/08/2026, 02/09/2026, 15/11/2026, 22/11/2026" in outcome.report["notes"][0]["en"]


def test_a_title_that_contradicts_the_headings_refuses_the_sheet(school: School) -> None:
    with pytest.raises(Unreadable, match=r"11/2026.*26/10 to 30/10"):
        school.bring_in("attendance", "m_text_dm_wrongmonth")


def test_headings_of_two_months_are_read(school: School) -> None:
    rows = [["S001", "Y Hai Tháng", "7A"], ["S002", "A Hai Tháng", "7A"]]
    school.bring_in("pupils", book([["Mã học sinh", "Họ và tên", "Lớp"], *rows]))
    assert numbers(school.bring_in("attendance", "m_dates_twomonths")) == (8, 0, 0, 0, 0)


def test_dates_that_an_american_excel_swapped_are_held_back(school: School) -> None:
    outcome = school.bring_in("attendance", "i1-us-locale")
    assert (outcome.wrong, why(outcome)[0][:28]) == (3, "Column “Ngày”: 11/02/2026 se")
    assert "would be 02/11/2026" in why(outcome)[0]


def test_formulas_without_a_value_and_errors_are_wrong_rows(school: School) -> None:
    assert numbers(school.bring_in("attendance", "i15-formula-no-cache")) == (0, 0, 0, 2, 0)


def test_a_dash_in_a_monthly_sheet_is_a_blank(school: School) -> None:
    assert [sentence[:3] for sentence in why(school.bring_in("attendance", "g2-monthly-totals"))] == ["“v”"]


def test_a_header_of_two_merged_rows_is_read_and_a_double_held_back(school: School) -> None:
    outcome = school.bring_in("pupils", "smas-dshs")
    assert outcome.counts.new == 3
    assert [twin["code"] for twin in outcome.report["duplicates"]] == ["5100000004"]
    assert school.pupil("5100000003").village_id is not None


def test_a_year_of_birth_is_kept_and_noted(school: School) -> None:
    assert numbers(school.bring_in("pupils", "b1-birth-year-only")) == (6, 0, 0, 0, 5)
    assert (school.pupil("BY004").birth_year, school.pupil("BY006").birth_date) == (2014, dt.date(2014, 2, 1))


def test_the_same_child_twice_in_a_file_is_held_back(school: School) -> None:
    outcome = school.bring_in("pupils", "d1-twins")
    assert [twin["code"] for twin in outcome.report["duplicates"]] == ["TW002", "TW004"]
    assert outcome.counts.new == 2


def test_siblings_have_one_phone_in_whatever_form_and_strangers_without_one_are_none(school: School) -> None:
    school.bring_in("pupils", "s1-siblings")
    school.bring_in("attendance", "s1-marks")
    school.watch(dt.date(2026, 11, 20))
    school.watch(dt.date(2026, 11, 23))
    codes = [f"SB00{number}" for number in range(1, 7)]
    assert school.cases(*codes) == ["SB001", "SB002", "SB003", "SB005"]
