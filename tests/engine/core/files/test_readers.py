"""What is read of files as they really are, and what is said of those that are not taken."""

import datetime as dt
import json
import resource
import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as given_settings
from hypothesis import strategies as st

from engine.channels.excel97 import MEMORY, read_excel97
from engine.core.files.aliases import Aliases, load_aliases, merged
from engine.core.files.attendance import FileFacts, read_attendance
from engine.core.files.excel97 import BATCH, SheetHead
from engine.core.files.lines import Notes, Wrong
from engine.core.files.marks import Marked
from engine.core.files.pupils import PupilRow, read_pupils
from engine.core.files.sheets import Limits, Unreadable, read_sheets
from engine.core.files.summary import DayOfClass
from engine.core.words import Faulty
from tests.workbooks import HEAD, ONE, PUPILS, REGISTERS, Trap, book, csv, xls, zipped

ALIASES = load_aliases((Path(__file__).parents[4] / "rules/import/aliases.toml").read_text("utf-8"), "aliases.toml")
TODAY = dt.date(2026, 11, 24)


def outcome(
    kind: str, data: bytes, aliases: Aliases = ALIASES, excel97: Callable[[bytes], Iterator[Any]] = read_excel97
) -> tuple[tuple[tuple[str, ...], ...], list[str]]:
    """What was read, and all that was said."""
    notes, found, said = Notes(), list[tuple[str, ...]](), list[str]()
    try:
        sheets = read_sheets(data, excel97)
        rows = (
            read_pupils(sheets, aliases, TODAY, notes)
            if kind == "pupils"
            else read_attendance(sheets, aliases, FileFacts(TODAY), notes)
        )
        for row in rows:
            if isinstance(row, Wrong):
                said += map(str, row.why)
            elif isinstance(row, PupilRow):
                found.append((row.code, row.values["name"]))
            elif isinstance(row, Marked):
                who = row.code or f"{row.class_name} {row.name}"
                found += [(who, f"{day.day}/{day.month}", session, mark) for day, session, mark in row.marks]
            elif isinstance(row, DayOfClass):
                counts = " ".join(str(count) for count in row.counts if count is not None)
                found.append(
                    (row.class_name, f"{row.day.day}/{row.day.month}", "taken" if row.taken else "not taken", counts)
                )
    except Unreadable as refused:
        said.append(str(refused))
    return tuple(found), [*said, *map(str, notes.sentences)]


def only(data: bytes) -> PupilRow | Wrong:
    [row] = read_pupils(read_sheets(data, read_excel97), ALIASES, TODAY, Notes())
    return row


def values(*cells: object, head: list[str] = HEAD) -> dict[str, object]:
    row = only(book([head, list(cells)]))
    assert isinstance(row, PupilRow)
    return dict(row.values)


@pytest.mark.parametrize("trap", PUPILS + REGISTERS, ids=lambda trap: trap.name)
def test_a_file_gives_what_it_says_and_nothing_else(trap: Trap) -> None:
    read, said = outcome(trap.kind, trap.make())
    assert read == trap.read
    assert len(said) == len(trap.said), said
    assert all(part in sentence for part, sentence in zip(trap.said, said, strict=True)), said


@pytest.mark.parametrize(
    "cell",
    ["5/2/2014", "05-02-2014", "5.2.14", "2014-02-05", 41675, 41675.0, "41675", dt.date(2014, 2, 5)],
    ids=repr,
)
def test_a_birth_date_is_read_in_every_form_it_is_written(cell: object) -> None:
    assert values(1, "HS001", "Y Ngọc", cell, "", "6A")["birth_date"] == dt.date(2014, 2, 5)


@pytest.mark.parametrize("cell", [2014, 2014.0, "2014", "5/2014", "00/00/2014", "//2014", "31/02/2014"], ids=repr)
def test_a_year_alone_is_no_birth_date_and_is_kept(cell: object) -> None:
    assert values(1, "HS001", "Y Ngọc", cell, "", "6A") == {"name": "Y Ngọc", "birth_year": 2014}


def test_the_states_of_the_ministry_are_told_apart() -> None:
    words = [
        "Đang học",
        "Chuyển đến kỳ 2",
        "Nghỉ học xin học lại kỳ 1",
        "Chuyển đi",
        "Thôi học",
        "Bỏ học",
        "Tạm nghỉ",
        "Nghỉ học",
    ]
    states = [values(*ONE, word, head=[*HEAD, "Trạng thái HS"])["status"] for word in words]
    assert states == [
        "enrolled",
        "enrolled",
        "enrolled",
        "transferred",
        "left",
        "dropped_out",
        "long_leave",
        "dropped_out",
    ]


def test_a_placeholder_leaves_nothing_behind() -> None:
    row = values(1, "HS001", "Y Ngọc", 36, "36", "6A", 36.0, "36", head=[*HEAD, "SĐT liên hệ", "Dân tộc"])
    assert row == {"name": "Y Ngọc"}


def test_a_phone_number_gets_its_zero_back() -> None:
    assert values(*ONE, 912345678, head=[*HEAD, "SĐT"])["guardian_phone"] == "0912345678"


def test_no_identity_number_is_in_anything_that_is_kept() -> None:
    number, spaced = "062214000123", "0622 1400 0123"
    head = [*HEAD, "Số CCCD", "Chỗ ở hiện nay", "Tên cha", "SĐT"]
    kept = only(book([head, [*ONE, number, f"Đăk Mế, CCCD {number}", "A Bút", spaced]]))
    refused = only(book([head, [1, number, "Y Ngọc", "không rõ ngày", "", "6A", number, number, "A", spaced]]))
    assert isinstance(kept, PupilRow)
    assert isinstance(refused, Wrong)
    assert number[:6] not in json.dumps([str(kept.values), refused.cells, [str(why) for why in refused.why]]).replace(
        " ", ""
    )


def test_an_operator_adds_names_of_columns() -> None:
    own = load_aliases('format = 1\n[pupils]\ncode = ["Mã của trường"]', "own")
    data = book([["Mã của trường", "Họ tên", "Lớp"], ["HS001", "Y Ngọc", "6A"]])
    assert outcome("pupils", data)[0] == ()
    assert outcome("pupils", data, merged(ALIASES, own))[0] == (("HS001", "Y Ngọc"),)


def test_of_two_columns_for_one_thing_the_better_known_is_read() -> None:
    data = book([["Mã HS", "Mã định danh Bộ GD&ĐT", "Họ tên", "Lớp"], ["HS001", "5100000001", "Y Ngọc", "6A"]])
    assert outcome("pupils", data)[0] == (("5100000001", "Y Ngọc"),)


def test_a_file_of_aliases_with_faults_is_refused_with_all_of_them() -> None:
    with pytest.raises(Faulty) as faulty:
        load_aliases('format = 1\n[pupils]\nkode = ["x"]\n[mark]\np = ["P"]\ne = ["P"]', "own")
    assert len(faulty.value.faults) == 2


def test_hidden_sheets_are_not_read() -> None:
    import io

    import xlsxwriter  # type: ignore[import-untyped]

    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as workbook:
        for name, code in (("Hiện", "HS001"), ("Ẩn", "HS002")):
            sheet = workbook.add_worksheet(name)
            for at, row in enumerate((["Mã HS", "Họ tên", "Lớp"], [code, "Y Ngọc", "6A"])):
                sheet.write_row(at, 0, row)
        sheet.hide()
    assert outcome("pupils", file.getvalue())[0] == (("HS001", "Y Ngọc"),)


def test_what_is_larger_than_the_limits_is_refused() -> None:
    with pytest.raises(Unreadable, match="larger"):
        list(read_sheets(b"x" * 11, read_excel97, Limits(size=10)))
    with pytest.raises(Unreadable, match="too large"):
        [list(sheet.rows) for sheet in read_sheets(csv("a,b\n" * 20), read_excel97, Limits(rows=10))]
    with pytest.raises(Unreadable, match="sheets"):
        list(read_sheets(book([["a"]], [["b"]]), read_excel97, Limits(sheets=1)))


CELLS = st.one_of(
    st.none(),
    st.text(max_size=20),
    st.integers(-(10**6), 10**6),
    st.floats(-1e6, 1e6),
    st.booleans(),
    st.sampled_from(["Mã HS", "Họ và tên", "Lớp", "Ngày", "Hình thức", "P", "K(s);P(c)", "Tháng 9/2026", "T3", "S"]),
    st.sampled_from([1, 2, 3, "6A", "1.0"]),
    st.dates(dt.date(1901, 1, 1), dt.date(2100, 1, 1)),
)


@given(
    st.binary(max_size=400),
    st.sampled_from([b"", b"PK\3\4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"\xff\xfe", b"\xef\xbb\xbf"]),
)
def test_any_bytes_are_read_or_refused_in_words(data: bytes, head: bytes) -> None:
    for kind in ("pupils", "attendance"):
        _, said = outcome(kind, head + data)
        assert said


@given(st.lists(st.lists(CELLS, max_size=8), max_size=12))
@given_settings(max_examples=60)
def test_any_table_is_read_or_refused_in_words(rows: list[list[object]]) -> None:
    cells = [
        [cell if not isinstance(cell, str) else "".join(c for c in cell if c.isprintable()) for cell in row]
        for row in rows
    ]
    data = book([["Tháng 9/2026"], ["Mã HS", "Họ và tên", "Ngày", "Hình thức", 1, 2, 3], *cells])
    for kind in ("pupils", "attendance"):
        outcome(kind, data)


@given(st.data())
@given_settings(max_examples=60)
def test_a_damaged_workbook_is_read_or_refused_in_words(data: st.DataObject) -> None:
    whole = bytearray(data.draw(st.sampled_from([BOOK, zipped(sheet=b"<worksheet/>")])))
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    for kind in ("pupils", "attendance"):
        outcome(kind, bytes(whole))


BOOK = book([HEAD, ONE])


@given(st.text(max_size=300))
def test_any_text_is_read_as_csv_or_refused_in_words(text: str) -> None:
    for kind in ("pupils", "attendance"):
        outcome(kind, ("pupil_code,name,class,date,session,mark\n" + text).encode("utf-8", "replace"))


def test_an_excel_97_file_whose_sectors_go_in_circles_takes_no_more_memory_than_it_is_given() -> None:
    whole = bytearray(xls(["Mã HS", "Họ và tên", "Lớp"], ["HS001", "Y Ngọc", "6A"]))
    struct.pack_into("<I", whole, 512 + 4 * 1, 1)  # after the sector of the directory it comes again, and again
    read, said = outcome("pupils", bytes(whole))
    assert read == ()
    assert said == ["The file is damaged and cannot be read. Open it in Excel and save it again."]
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 < 2 * MEMORY


def test_several_sheets_of_an_excel_97_file_are_read_though_one_is_passed_over() -> None:
    rows = [["Thực đơn"], *[["cơm"]] * 60]
    sheets = [SheetHead("Bếp", (0, 0), 61, 1, []), *batches(rows), SheetHead("6A", (0, 0), 2, 3, [])]
    read, said = outcome("pupils", b"\xd0\xcf\x11\xe0", excel97=lambda _: iter([*sheets, *batches([HEAD, ONE])]))
    assert read == (("HS001", "Y Ngọc"),)
    assert said == ["The sheet “Bếp” has no such columns and was passed over."]


def batches(rows: Sequence[list[Any]]) -> list[Sequence[list[Any]]]:
    """Rows as the other process hands them over: in batches, the last one not full."""
    return [rows[at : at + BATCH] for at in range(0, len(rows) + 1, BATCH)]


def test_an_identity_number_among_other_words_is_not_shown_in_a_reason() -> None:
    said = outcome("pupils", book([HEAD, [1, "HS001", "Y Ngọc", "CCCD 062214000123", "", "6A"]]))[1]
    assert [sentence[:62] for sentence in said] == ["Sheet “Sheet1”, row 2, column “Ngày sinh”: “CCCD” is no date. "]


def test_an_identity_number_in_a_name_a_place_or_the_name_of_a_sheet_is_nowhere_to_be_read() -> None:
    number = "062214000123"
    head = [*HEAD, "Thôn", "Xã"]
    rows: list[list[Any]] = [
        head,
        [1, "HS001", f"Y Ngọc {number}", "", "", "6A", f"Đăk Mế {number}", number],
        [2, "HS002", number],
    ]
    kept, refused = read_pupils(read_sheets(book(rows, names=[number]), read_excel97), ALIASES, TODAY, Notes())
    assert isinstance(kept, PupilRow)
    assert (kept.values["name"], kept.places["village"], kept.places["commune"]) == ("Y Ngọc", "Đăk Mế", "")
    assert isinstance(refused, Wrong)
    assert number not in f"{kept} {refused}"
    assert [str(why) for why in refused.why] == ["The pupil has no name."]
    _, said = outcome("pupils", book([["Thực đơn"]], names=[number]))
    assert number not in " ".join(said)
