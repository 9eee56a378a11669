"""Lists as files: what Excel would run does no harm, numbers and days stay what they are, nothing garbles."""

import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal

import pytest
import python_calamine as calamine
from hypothesis import given
from hypothesis import strategies as st

from engine.core.files.export import Value, export, harmless, wrong_file
from engine.core.files.lines import Wrong
from engine.core.words import Label, Sentence

EVIL = ['=HYPERLINK("http://x")', "+84912345678", "-1+1|cmd", "@SUM(A1)", "\tx", "\r=1", "＝1+1"]


def read(data: bytes) -> list[list[object]]:
    return [list(row) for row in calamine.load_workbook(io.BytesIO(data)).get_sheet_by_index(0).to_python()]


@pytest.mark.parametrize("text", EVIL, ids=repr)
def test_no_cell_of_a_csv_file_begins_like_a_formula(text: str) -> None:
    [row] = list(csv.reader(io.StringIO(export("csv", ["a"], [[text]], "vi").decode("utf-8-sig"), newline="")))[1:]
    assert row == [f"'{text}"]


@pytest.mark.parametrize("text", EVIL, ids=repr)
def test_no_cell_of_an_xlsx_file_is_a_formula_or_a_link(text: str) -> None:
    data = export("xlsx", ["a"], [[text], ["http://x.vn"]], "vi")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet


def test_names_days_numbers_and_words_come_out_as_they_went_in() -> None:
    row: list[Value] = [
        "Đinh Thị Mẫu",
        dt.date(2026, 3, 2),
        7,
        Decimal("1.5"),
        None,
        Label("Xã", "Commune"),
        Sentence("Overdue"),
        True,
    ]
    assert read(export("xlsx", list("abcdefgh"), [row], "vi"))[1] == [
        "Đinh Thị Mẫu",
        dt.date(2026, 3, 2),
        7.0,
        1.5,
        "",
        "Xã",
        "Quá hạn",
        "có",
    ]
    text = export("csv", list("abcdefgh"), [row], "en").decode("utf-8-sig")
    assert text.splitlines()[1] == "Đinh Thị Mẫu,02/03/2026,7,1.5,,Commune,Overdue,yes"


def test_excel_knows_that_csv_is_utf_8() -> None:
    assert export("csv", ["Họ tên"], [], "vi").startswith("\ufeffHọ tên".encode())


def test_there_is_no_third_kind_of_file() -> None:
    with pytest.raises(KeyError):
        export("exe", [], [], "vi")


def test_wrong_rows_of_two_forms_stand_in_two_sheets() -> None:
    why = (Sentence("The row has no date."),)
    rows = [Wrong("S1", 4, ("Mã HS", "Ngày"), ("1", ""), why), Wrong("S2", 9, ("Mã", "Lớp"), ("2", "6A"), why)]
    book = calamine.load_workbook(io.BytesIO(wrong_file(rows, "vi")))
    assert [book.get_sheet_by_index(at).to_python()[1] for at in (0, 1)] == [
        ["1", "", "Dòng này không có ngày.", "S1 4"],
        ["2", "6A", "Dòng này không có ngày.", "S2 9"],
    ]


@given(st.text())
def test_nothing_is_left_that_a_spreadsheet_would_run(text: str) -> None:
    assert not harmless(text).startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
