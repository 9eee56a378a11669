"""Files as schools really have them: a trap each, with what must come of it.

Everybody in them is invented. Each trap is a file made here, the kind of import it is given to, and what is read: for a
list of pupils (code, name), for a register (code or name, day/month, session, mark); and words of what is said instead.
"""

from __future__ import annotations

import datetime as dt
import io
import struct
import unicodedata
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import xlsxwriter  # type: ignore[import-untyped]

Cell = Any
Merged = tuple[int, int, int, int, str]  # first row, first column, last row, last column, text


@dataclass(frozen=True)
class Trap:
    """A file and what must come of it; `said`: a part of each reason why rows, or the file, are not taken."""

    name: str
    kind: str
    make: Callable[[], bytes]
    read: tuple[tuple[str, ...], ...] = ()
    said: tuple[str, ...] = ()


def book(*sheets: Sequence[Sequence[Cell]], merged: Sequence[Merged] = (), names: Sequence[str] = ()) -> bytes:
    """An xlsx file; texts that begin with "=" are formulas, dates get a date's format."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as workbook:
        day = workbook.add_format({"num_format": "dd/mm/yyyy"})
        for number, rows in enumerate(sheets):
            sheet = workbook.add_worksheet(names[number] if names else None)
            for at, row in enumerate(rows):
                for column, cell in enumerate(row):
                    if isinstance(cell, dt.date):
                        sheet.write_datetime(at, column, dt.datetime.combine(cell, dt.time()), day)
                    elif cell is not None:
                        sheet.write(at, column, cell)
            for area in merged:
                sheet.merge_range(*area)
    return file.getvalue()


def csv(text: str, encoding: str = "utf-8") -> bytes:
    return text.encode(encoding)


def zipped(**parts: bytes) -> bytes:
    """An xlsx file of parts made by hand; `sheet` and `strings` stand where Excel has them."""
    places = {
        "sheet": "xl/worksheets/sheet1.xml",
        "strings": "xl/sharedStrings.xml",
        "book": "xl/workbook.xml",
        "styles": "xl/styles.xml",
        "rels": "xl/_rels/workbook.xml.rels",
    }
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        for name, data in {"book": b"<workbook/>", **parts}.items():
            archive.writestr(places[name], data)
    return file.getvalue()


def xls(*rows: Sequence[str]) -> bytes:
    """An Excel 97 file with one sheet of texts: a compound file that holds one stream of BIFF8 records."""

    def record(kind: int, data: bytes) -> bytes:
        return struct.pack("<HH", kind, len(data)) + data

    def text(words: str) -> bytes:
        return struct.pack("<HB", len(words), 1) + words.encode("utf-16-le")

    begin = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 0))
    name = "Danh sách".encode("utf-16-le")
    bound = struct.pack("<HBB", 0, len("Danh sách"), 1) + name
    offset = len(begin) + 4 + 4 + len(bound) + 4
    sheet = record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 0))
    for at, row in enumerate(rows):
        for column, cell in enumerate(row):
            sheet += record(0x0204, struct.pack("<HHH", at, column, 0) + text(cell))
    stream = (
        begin + record(0x0085, struct.pack("<I", offset) + bound) + record(0x000A, b"") + sheet + record(0x000A, b"")
    )
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    sectors = len(stream) // 512
    free, end, fat_sector = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    fat = [fat_sector, end, *range(3, sectors + 2), end]
    header = bytes.fromhex("D0CF11E0A1B11AE1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += (
        struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0)
        + struct.pack("<I", 0)
        + struct.pack("<I", free) * 108
    )
    entries = b"".join(
        label.encode("utf-16-le").ljust(64, b"\0")
        + struct.pack("<HBBIII", len(label) * 2 + 2, kind, 1, free, free, child)
        + bytes(36)
        + struct.pack("<IQ", start, size)
        for label, kind, child, start, size in (("Root Entry", 5, 1, end, 0), ("Workbook", 2, free, 2, len(stream)))
    )
    table = struct.pack("<128I", *fat, *[free] * (128 - len(fat)))
    return header + table + entries.ljust(512, b"\0") + stream


def _far_apart() -> bytes:
    rows = b'<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    return zipped(sheet=b"<worksheet><sheetData>" + rows + b"</sheetData></worksheet>")


def _one_long_text() -> bytes:
    cells = b"".join(b'<c r="A%d" t="s"><v>0</v></c>' % row for row in range(1, 60_000))
    return zipped(
        sheet=b"<worksheet>" + cells + b"</worksheet>", strings=b"<sst><si><t>" + b"x" * 30_000 + b"</t></si></sst>"
    )


HEAD = ["STT", "Mã HS", "Họ và tên", "Ngày sinh", "Giới tính", "Lớp"]
ONE = [1, "HS001", "Y Ngọc", "05/02/2014", "Nữ", "6A"]
NGOC = (("HS001", "Y Ngọc"),)
DAYS = ["Mã HS", "Họ và Tên", 1, 1, 2, 2, 3, 3, "P", "K", "T"]
WEEKDAYS = ["", "", "T3", "T3", "T4", "T4", "T5", "T5"]
HALVES = ["", "", "S", "C", "S", "C", "S", "C"]
SEPTEMBER = "Tháng 9 năm 2026"


def dated(cell: Cell) -> bytes:
    return book([HEAD, [1, "HS001", "Y Ngọc", cell, "Nữ", "6A"]])


DATED = (("HS001", "Y Ngọc"),)
PUPILS: tuple[Trap, ...] = (
    Trap(
        "the header stands on row 9 below titles",
        "pupils",
        lambda: book([["UBND XÃ BỜ Y"], [], ["DANH SÁCH HỌC SINH"], *[[]] * 5, HEAD, ONE]),
        NGOC,
    ),
    Trap(
        "the header stands in two rows",
        "pupils",
        lambda: book(
            [
                ["STT", "Mã", "Họ và tên", "", "Lớp"],
                ["", "học sinh", "Họ đệm", "Tên", ""],
                [1, "HS002", "Nguyễn Văn", "Mẫu", "6A"],
            ]
        ),
        (("HS002", "Nguyễn Văn Mẫu"),),
    ),
    Trap(
        "header set A of CSDL ngành",
        "pupils",
        lambda: book(
            [
                [
                    "STT",
                    "Họ tên",
                    "Ngày sinh",
                    "Giới tính",
                    "Mã dân tộc",
                    "Dân tộc",
                    "Mã tỉnh HSĐ",
                    "Tỉnh HSĐ",
                    "Phường/Xã HSĐ",
                    "Thôn/Xóm/Ấp HSĐ",
                    "Mã định danh Bộ GD&ĐT",
                    "Trạng thái HS",
                    "Mã lớp",
                ],
                [
                    1,
                    "Y Ngọc",
                    "05/02/2014",
                    "Nữ",
                    "05",
                    "Xơ Đăng",
                    "51",
                    "Quảng Ngãi",
                    "Xã Bờ Y",
                    "Đăk Mế",
                    "5100000001",
                    "Đang học",
                    "6A",
                ],
            ]
        ),
        (("5100000001", "Y Ngọc"),),
    ),
    Trap(
        "header set B with parents and identity numbers",
        "pupils",
        lambda: book(
            [
                [
                    "Trường",
                    "Nhóm/Lớp",
                    "Mã học sinh",
                    "Họ tên",
                    "Ngày sinh",
                    "Số CCCD",
                    "Số định danh cá nhân",
                    "Tên cha",
                    "Năm sinh cha",
                ],
                [
                    "Trường THCS Bờ Y",
                    "6A",
                    "HS001",
                    "Y Ngọc",
                    "05/02/2014",
                    "062214000123",
                    "062214000123",
                    "A Bút",
                    1980,
                ],
            ]
        ),
        NGOC,
    ),
    Trap(
        "header set C as in SMAS and vnEdu",
        "pupils",
        lambda: book(
            [
                ["Họ và tên", "Khối học/Nhóm lớp", "Lớp học", "Mã học sinh", "Số buổi học trên tuần"],
                ["Y Ngọc", "Khối 6", "6A", "HS001", "9 buổi/tuần"],
            ]
        ),
        NGOC,
    ),
    Trap(
        "class cells are merged down the rows",
        "pupils",
        lambda: book(
            [["Lớp", "Mã HS", "Họ và tên"], [None, "HS001", "Y Ngọc"], [None, "HS002", "A Tiến"]],
            merged=[(1, 0, 2, 0, "6A")],
        ),
        (("HS001", "Y Ngọc"), ("HS002", "A Tiến")),
    ),
    Trap(
        "several sheets, one of them something else",
        "pupils",
        lambda: book(
            [HEAD, ONE], [["Ghi chú của nhà trường"]], [HEAD, [1, "HS002", "A Tiến", "06/02/2014", "Nam", "6B"]]
        ),
        (("HS001", "Y Ngọc"), ("HS002", "A Tiến")),
        ("Sheet2",),
    ),
    Trap(
        "the class stands in the title only",
        "pupils",
        lambda: book([["DANH SÁCH LỚP: 6A"], ["Mã HS", "Họ và tên"], ["HS001", "Y Ngọc"]]),
        NGOC,
    ),
    Trap(
        "girls are called Gái", "pupils", lambda: book([HEAD, [1, "HS001", "Y Ngọc", "05/02/2014", "Gái", "6A"]]), NGOC
    ),
    Trap("dates with slashes", "pupils", lambda: dated("5/2/2014"), NGOC),
    Trap("dates with dashes", "pupils", lambda: dated("05-02-2014"), NGOC),
    Trap("dates with points", "pupils", lambda: dated("5.2.2014"), NGOC),
    Trap("dates as day numbers of Excel", "pupils", lambda: dated(41675), NGOC),
    Trap("dates that are dates", "pupils", lambda: dated(dt.date(2014, 2, 5)), NGOC),
    Trap("a date with month first", "pupils", lambda: dated("02/25/2014"), DATED, ("with the year 2014",)),
    Trap("a birth date that is still to come", "pupils", lambda: dated("05/02/2041"), DATED, ("taken without it",)),
    Trap(
        "codes that became floating numbers and lost zeros",
        "pupils",
        lambda: book(
            [["Mã định danh Bộ GD&ĐT", "Họ tên", "Lớp"], [51000001.0, "Y Ngọc", "6A"], ["0051000002.0", "A Tiến", "6A"]]
        ),
        (("0051000001", "Y Ngọc"), ("0051000002", "A Tiến")),
    ),
    Trap(
        "a code in scientific notation",
        "pupils",
        lambda: book([HEAD, [1, "5.1E+09", "Y Ngọc", "", "", "6A"]]),
        (),
        ("lost digits",),
    ),
    Trap(
        "36 stands in blank cells",
        "pupils",
        lambda: book([[*HEAD, "SĐT liên hệ"], [1, "HS001", "Y Ngọc", 36, "36", "6A", 36]]),
        NGOC,
    ),
    Trap(
        "names in decomposed letters",
        "pupils",
        lambda: book([HEAD, [1, "HS001", unicodedata.normalize("NFD", "Y Ngọc"), "", "", "6A"]]),
        NGOC,
    ),
    Trap(
        "the Icelandic letter for Đ",
        "pupils",
        lambda: book([HEAD, [1, "HS001", "\u00d0inh Văn Mẫu", "", "", "6A"]]),
        (("HS001", "Đinh Văn Mẫu"),),
    ),
    Trap(
        "a name in VNI letters",
        "pupils",
        lambda: book([HEAD, [1, "HS001", "Nguyeãn Vaên Baûo", "", "", "6A"]]),
        (),
        ("no name here has",),
    ),
    Trap(
        "a name in TCVN3 letters",
        "pupils",
        lambda: book([HEAD, [1, "HS001", "NguyÔn V¨n A", "", "", "6A"]]),
        (),
        ("no name here has",),
    ),
    Trap(
        "a name that was decoded wrongly",
        "pupils",
        lambda: book([HEAD, [1, "HS001", "Nguyá»…n VÄƒn A", "", "", "6A"]]),
        (),
        ("no name here has",),
    ),
    Trap(
        "names of the highlands",
        "pupils",
        lambda: book(
            [
                HEAD,
                [1, "HS001", "Y", "", "", "6A"],
                [2, "HS002", "H'Bia Ƀuôn Yă", "", "", "6A"],
                [3, "HS003", "Ñă Ĕban", "", "", "6A"],
            ]
        ),
        (("HS001", "Y"), ("HS002", "H'Bia Ƀuôn Yă"), ("HS003", "Ñă Ĕban")),
    ),
    Trap(
        "an identity number in the place of the code",
        "pupils",
        lambda: book([HEAD, [1, "062214000123", "Y Ngọc", "", "", "6A"]]),
        (),
        ("personal id number",),
    ),
    Trap(
        "a state of its own for those who came back",
        "pupils",
        lambda: book([[*HEAD, "Trạng thái"], [*ONE, "Nghỉ học xin học lại kỳ 1"]]),
        NGOC,
    ),
    Trap(
        "a state that nobody knows",
        "pupils",
        lambda: book([[*HEAD, "Trạng thái"], [*ONE, "Lưu lạc"]]),
        (),
        ("is no status",),
    ),
    Trap(
        "column numbers, totals and signatures around the rows",
        "pupils",
        lambda: book(
            [
                HEAD,
                ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"],
                ONE,
                HEAD,
                ["", "", "", "", "", ""],
                ["Tổng cộng: 1"],
                ["", "", "", "", "Hiệu trưởng"],
            ]
        ),
        NGOC,
    ),
    Trap(
        "formulas are read as what Excel stored",
        "pupils",
        lambda: book([HEAD, [1, "HS001", "Y Ngọc", "", "", "6A"], ['=HYPERLINK("http://x")']]),
        NGOC,
    ),
    Trap("an Excel 97 file", "pupils", lambda: xls(["Mã HS", "Họ và tên", "Lớp"], ["HS001", "Y Ngọc", "6A"]), NGOC),
    Trap(
        "csv with semicolons and a mark in front",
        "pupils",
        lambda: csv("\ufeffMã HS;Họ và tên;Lớp\nHS001;Y Ngọc;6A\n"),
        NGOC,
    ),
    Trap("csv that names its separator", "pupils", lambda: csv("sep=|\nMã HS|Họ và tên|Lớp\nHS001|Y Ngọc|6A\n"), NGOC),
    Trap(
        "the Unicode text of Excel", "pupils", lambda: csv("Mã HS\tHọ và tên\tLớp\nHS001\tY Ngọc\t6A\n", "utf-16"), NGOC
    ),
    Trap(
        "csv in a code of Windows",
        "pupils",
        lambda: csv("Mã HS,Tên,Lop\nHS001,A Bút,6A\n", "cp1252"),
        (),
        ("UTF-8",),
    ),
    Trap(
        "csv with an open quotation mark",
        "pupils",
        lambda: csv('Mã HS,Họ và tên,Lớp\nHS001,"Y ' + "x" * 140_000),
        (),
        ("is no csv",),
    ),
    Trap(
        "a web page that is called xls",
        "pupils",
        lambda: b"<html><table><tr><td>Ma HS</td></tr></table></html>",
        (),
        ("web page",),
    ),
    Trap(
        "a file without the columns",
        "pupils",
        lambda: book([["Thực đơn tuần 3"]]),
        (),
        ("names the columns", "passed over"),
    ),
    Trap("an empty file", "pupils", lambda: b"\r\n", (), ("is empty",)),
    Trap("a torn xlsx file", "pupils", lambda: book([HEAD, ONE])[:-200], (), ("damaged",)),
    Trap("a picture", "pupils", lambda: b"\x89PNG\r\n\x1a\n\0\0\0", (), ("Only Excel files",)),
    Trap(
        "a zip file of something else", "pupils", lambda: zipped(book=b"")[:2] + b"\3\4" + b"\0" * 40, (), ("damaged",)
    ),
    Trap("a zip bomb", "pupils", lambda: zipped(sheet=b"<worksheet>" + b" " * 210 * 2**20), (), ("unpacks",)),
    Trap("two cells in opposite corners", "pupils", _far_apart, (), ("too large",)),
    Trap("one long text that all cells refer to", "pupils", _one_long_text, (), ("unpacks",)),
    Trap(
        "an external entity",
        "pupils",
        lambda: zipped(sheet=b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><worksheet>&e;</worksheet>'),
        (),
        ("entities",),
    ),
    Trap(
        "cells that do not say where they lie",
        "pupils",
        lambda: zipped(sheet=b"<worksheet><row><c><v>1</v></c></row></worksheet>"),
        (),
        ("do not say where",),
    ),
)

REGISTERS: tuple[Trap, ...] = (
    Trap(
        "a monthly sheet with three header rows",
        "attendance",
        lambda: book(
            [
                ["Sổ điểm danh " + SEPTEMBER],
                DAYS,
                WEEKDAYS,
                HALVES,
                ["HS001", "Y Ngọc", "P", None, "K", "K", "", "T", 1, 2, 1],
            ]
        ),
        (
            ("HS001", "1/9", "m", "e"),
            ("HS001", "2/9", "m", "u"),
            ("HS001", "2/9", "a", "u"),
            ("HS001", "3/9", "a", "l"),
        ),
    ),
    Trap(
        "days merged over their two sessions",
        "attendance",
        lambda: book(
            [
                [SEPTEMBER],
                ["Mã HS", "Họ và Tên", None, None, None, None, None, None],
                WEEKDAYS,
                HALVES,
                ["HS001", "Y Ngọc", "", "KP"],
            ],
            merged=[(1, 2, 1, 3, "1"), (1, 4, 1, 5, "2"), (1, 6, 1, 7, "3")],
        ),
        (("HS001", "1/9", "a", "u"),),
    ),
    Trap(
        "one column a day with sessions behind the codes",
        "attendance",
        lambda: book(
            [
                ["Tháng 09/2026"],
                ["Mã HS", "Họ và Tên", 1, 2, 3],
                ["HS001", "Y Ngọc", "P(s)", "K(c);P(s)", "K(sc)"],
                ["HS002", "A Tiến", "x", "CP", ""],
            ]
        ),
        (
            ("HS001", "1/9", "m", "e"),
            ("HS001", "2/9", "a", "u"),
            ("HS001", "2/9", "m", "e"),
            ("HS001", "3/9", "m", "u"),
            ("HS001", "3/9", "a", "u"),
            ("HS002", "1/9", "m", "p"),
            ("HS002", "2/9", "m", "e"),
        ),
    ),
    Trap(
        "one block a class in a sheet, by name only",
        "attendance",
        lambda: book(
            [
                ["Năm học 2026-2027"],
                ["Tháng 9"],
                ["Lớp: 6A"],
                ["STT", "Họ và Tên", 1, 2, 3],
                [1, "Y Ngọc", "K"],
                [2, "Tổng cộng", 1],
                [],
                ["Lớp: 6B"],
                ["STT", "Họ và Tên", 1, 2, 3],
                [1, "A Tiến", "", "P"],
            ]
        ),
        (("6A Y Ngọc", "1/9", "m", "u"), ("6B A Tiến", "2/9", "m", "e")),
    ),
    Trap(
        "one sheet for each grade of a month",
        "attendance",
        lambda: book(
            [[SEPTEMBER], ["Mã HS", "Họ và Tên", 1, 2, 3], ["HS001", "Y Ngọc", "K"]],
            [[SEPTEMBER], ["Mã HS", "Họ và Tên", 1, 2, 3], ["HS002", "A Tiến", "", "P"]],
            names=["Khối 6", "Khối 7"],
        ),
        (("HS001", "1/9", "m", "u"), ("HS002", "2/9", "m", "e")),
    ),
    Trap(
        "every code of vnEdu and SMAS, in small letters and with spaces too",
        "attendance",
        lambda: book(
            [
                [SEPTEMBER],
                ["Mã HS", "Họ và Tên", *range(1, 12)],
                ["HS001", "Y Ngọc", "P", "CP", "K", "KP", "T", " kp ", "cp (s)", "K (sc)", "VP", "KH", "P(s); T(c)"],
            ]
        ),
        (
            *(("HS001", f"{day}/9", "m", mark) for day, mark in zip(range(1, 8), "eeuulue", strict=True)),
            ("HS001", "8/9", "m", "u"),
            ("HS001", "8/9", "a", "u"),
            ("HS001", "11/9", "m", "e"),
            ("HS001", "11/9", "a", "l"),
        ),
    ),
    Trap(
        "a cell that says two things of one session",
        "attendance",
        lambda: book([[SEPTEMBER], ["Mã HS", "Họ và Tên", 1, 2, 3], ["HS001", "Y Ngọc", "P(s);K(s)", "K"]]),
        (("HS001", "2/9", "m", "u"),),
        ("two things",),
    ),
    Trap(
        "a month with Saturdays and Sundays left out",
        "attendance",
        lambda: book(
            [
                [SEPTEMBER],
                ["Mã HS", "Họ và Tên", 1, 2, 3, 4, 7, 8],
                ["", "", "T3", "T4", "T5", "T6", "T2", "T3"],
                ["HS001", "Y Ngọc", "", "", "", "K", "K"],
            ]
        ),
        (("HS001", "4/9", "m", "u"), ("HS001", "7/9", "m", "u")),
    ),
    Trap(
        "codes of a register that became floating numbers",
        "attendance",
        lambda: book([[SEPTEMBER], ["Mã HS", "Họ và Tên", 1, 2, 3], [123.0, "Y Ngọc", "K"], ["124.0", "A Tiến", "P"]]),
        (("123", "1/9", "m", "u"), ("124", "1/9", "m", "e")),
    ),
    Trap(
        "a mark that nobody knows beside good ones",
        "attendance",
        lambda: book([[SEPTEMBER], ["Mã HS", "Họ và Tên", 1, 2, 3], ["HS001", "Y Ngọc", "P", "??", "K"]]),
        (("HS001", "1/9", "m", "e"), ("HS001", "3/9", "m", "u")),
        ("is no mark",),
    ),
    Trap(
        "a mark on a day that the month does not have",
        "attendance",
        lambda: book([[SEPTEMBER], ["Mã HS", "Họ và Tên", 29, 30, 31], ["HS001", "Y Ngọc", "", "", "P"]]),
        (),
        ("the month does not have",),
    ),
    Trap(
        "a mark on a day still to come",
        "attendance",
        lambda: book([["Tháng 12/2026"], ["Mã HS", "Họ và Tên", 1, 2, 3], ["HS001", "Y Ngọc", "P"]]),
        (),
        ("still to come",),
    ),
    Trap(
        "weekdays of another month",
        "attendance",
        lambda: book([["Tháng 10/2026"], DAYS, WEEKDAYS, HALVES, ["HS001", "Y Ngọc", "P"]]),
        (),
        ("weekday",),
    ),
    Trap(
        "a monthly sheet that does not say its month",
        "attendance",
        lambda: book([DAYS, WEEKDAYS, HALVES, ["HS001", "Y Ngọc", "P"]]),
        (),
        ("does not say its month",),
    ),
    Trap(
        "days that are dates",
        "attendance",
        lambda: book(
            [
                ["Mã HS", "Họ và Tên", dt.date(2026, 9, 1), dt.date(2026, 9, 2), dt.date(2026, 9, 3)],
                ["HS001", "Y Ngọc", "", "K"],
            ]
        ),
        (("HS001", "2/9", "m", "u"),),
    ),
    Trap(
        "our own long form",
        "attendance",
        lambda: csv(
            "pupil_code,date,session,mark,reason\nHS001,2026-09-01,m,p,\nHS001,2026-09-01,a,P,ốm\nHS001,2026-09-02,m,u,\nHS001,2026-09-03,m,,\n"
        ),
        (("HS001", "1/9", "m", "p"), ("HS001", "1/9", "a", "e"), ("HS001", "2/9", "m", "u")),
    ),
    Trap(
        "the conduct list of vnEdu",
        "attendance",
        lambda: book(
            [
                ["STT", "Mã học sinh", "Họ và tên", "Lớp", "Hình thức", "Ghi chú", "Ngày", "", "Tổng", "Điểm thi đua"],
                [1, "HS001", "Y Ngọc", "6A", "Nghỉ học có phép cả ngày (P)", "ốm", "01/09/2026", "", 1, -1],
                [2, "HS001", "Y Ngọc", "6A", "Nghỉ học có phép chiều (CP)", "", "02/09/2026", "", 1, -1],
                [3, "HS001", "Y Ngọc", "6A", "Vi phạm", "nói chuyện", "03/09/2026", "", 1, -2],
            ]
        ),
        (("HS001", "1/9", "m", "e"), ("HS001", "1/9", "a", "e"), ("HS001", "2/9", "a", "e")),
    ),
    Trap(
        "a long list with words and a wrong session",
        "attendance",
        lambda: csv("Mã HS,Ngày,Buổi,Hình thức\nHS001,1/9/2026,Sáng,Vắng không phép\nHS001,1/9/2026,Tối,K\n"),
        (("HS001", "1/9", "m", "u"),),
        ("is no session",),
    ),
    Trap(
        "an identity number as code in a register",
        "attendance",
        lambda: csv("pupil_code,date,session,mark\n062214000123,2026-09-01,m,u\n"),
        (),
        ("personal id number",),
    ),
    Trap(
        "a daily summary",
        "attendance",
        lambda: book(
            [
                ["Ngày 01/09/2026"],
                [
                    "STT",
                    "Lớp",
                    "GVCN",
                    "Sĩ Số",
                    "Có Mặt",
                    "Vắng (Có phép)",
                    "Vắng (Không phép)",
                    "Đi Trễ",
                    "Tỉ Lệ Chuyên Cần (%)",
                    "Trạng Thái",
                ],
                [1, "6A", "Y Lan", 36, 34, 1, 1, 0, 94.4, "Đã điểm danh"],
                [2, "6B", "A Núi", 30, 0, 0, 0, 0, 0, "Chưa điểm danh"],
            ]
        ),
        (("6A", "1/9", "taken", "36 34 1 1 0"), ("6B", "1/9", "not taken", "30")),
    ),
)
