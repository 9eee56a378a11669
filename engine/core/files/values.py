"""Reads one cell: dates, codes, names and marks, in the forms that people, Excel and other programs give them.

It guesses nothing. It reads a cell that has only one meaning; for any other a sentence says what would be right. A
sentence never shows a cell that could be a personal id number.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import unicodedata
from collections.abc import Mapping

from engine.core.files.sheets import Cell
from engine.core.text import fold
from engine.core.words import Sentence
from engine.core.workflow.form_values import Misread, read_date

LEAST_DIGITS = 7  # of a phone number
FIRST_SERIAL, LAST_SERIAL = 20_000, 73_000  # Excel's day numbers of 3/10/1954 and 11/11/2099
_SERIAL_ZERO = dt.date(1899, 12, 30)
_IN_WORDS = re.compile(r"(?:ngay )?(\d{1,2}) thang (\d{1,2}) nam (\d{4})")
_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u2060\ufeff\u00ad"))
_NOT_D = str.maketrans({"\u00d0": "\u0110", "\u00f0": "\u0111"})  # Icelandic Ð and ð look like Đ and đ

_MARKED = "àáảãạăằắẳẵặâầấẩẫậèéẻẽẹêềếểễệìíỉĩịòóỏõọôồốổỗộơờớởỡợùúủũụưừứửữựỳýỷỹỵđ"
_HIGHLAND = "ƀčĕĭŏŭñŧ\u0306\u0301\u0300"  # in names of the Central Highlands: breves over any vowel, crossed b
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz" + _MARKED + _HIGHLAND)
_AROUND = frozenset(" '’‘ʼ`´.-,()/&0123456789")


def text_of(cell: Cell) -> str:
    """A cell as text: NFC, Ð as Đ, no invisible characters, single spaces; a whole number without its ".0"."""
    if isinstance(cell, str):
        text = unicodedata.normalize("NFC", cell).translate(_INVISIBLE).translate(_NOT_D)
        return " ".join(text.split())
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell)
    if isinstance(cell, dt.date):
        return cell.strftime("%d/%m/%Y")
    return str(cell)


def code_of(cell: Cell, length: int = 0) -> str:
    """Returns a code as it was before Excel turned it into a number; "" for an empty cell.

    `length` is the number of digits that such codes have: a number gets its lost leading zeros back, a text stays as it
    is. Raises `Misread` for a number whose last digits are lost (1.23E+11).
    """
    text = text_of(cell).lstrip("'")
    if re.fullmatch(r"\d+\.0+", text):
        text = text.split(".")[0]
        cell = float(text)
    if (isinstance(cell, float) and not text.isdigit()) or re.fullmatch(r"\d[.,]\d+[eE]\+\d+", text):
        raise Misread(Sentence("The code was turned into a number and lost digits: format the column as text."))
    return text.zfill(length) if length and not isinstance(cell, str) and text.isdigit() else text


def is_personal_id(text: str) -> bool:
    """Returns whether a text looks like a citizen's number (CCCD): 12 digits, with any spaces."""
    return len(digits := re.sub(r"[\s.\-]", "", text)) == 12 and digits.isdigit()


def without_ids(text: str) -> str:
    """Returns a text without the citizens' numbers in it; "" if nothing else is left."""
    return "" if is_personal_id(text) else " ".join(re.sub(r"(?<!\d)\d{12}(?!\d)", "", text).split())


def day_of(cell: Cell, latest: dt.date) -> dt.date | None:
    """Returns a day, or None for an empty cell: 5/2/2026, 05-02-2026, 5.2.26, 2026-02-05, in words, or Excel's day
    number.

    The day comes before the month. Raises `Misread`, also for a day after `latest` or before 1950.
    """
    if cell is None or cell == "":
        return None
    day = _day(cell)
    if day is None:
        raise Misread(Sentence("“{cell}” is no date: write day/month/year.", cell=short(text_of(cell))))
    if not dt.date(1950, 1, 1) <= day <= latest:
        raise Misread(Sentence("{day} is not between 01/01/1950 and {latest}.", day=day, latest=latest))
    return day


def year_of(cell: Cell, latest: dt.date) -> int | None:
    """Returns the year of a birth of which no more is known: 2014, 5/2014, 00/00/2014; None for anything else."""
    found = re.fullmatch(r"(?:[\d\s?x]{0,3}[/.\-]){0,2}\s*(\d{4})(?:\.0+)?", text_of(cell), re.IGNORECASE)
    year = int(found[1]) if found else 0
    return year if 1950 <= year <= latest.year else None


def _day(cell: Cell) -> dt.date | None:
    if isinstance(cell, dt.datetime | dt.date):
        return read_date(cell)
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _serial(float(cell))
    text = text_of(cell)
    if found := _IN_WORDS.search(fold(text)):
        day, month, year = map(int, found.groups())
        return read_date(f"{day}/{month}/{year}")
    if re.fullmatch(r"\d{5}(\.0+)?", text):
        return _serial(float(text))
    text = re.sub(r"\s*([/.\-])\s*", r"\1", text)
    text = re.sub(r"[ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?$", "", text)
    return read_date(text)


def _serial(number: float) -> dt.date | None:
    return _SERIAL_ZERO + dt.timedelta(days=int(number)) if FIRST_SERIAL <= number < LAST_SERIAL else None


def name_of(cell: Cell, most: int = 120) -> str:
    """Returns a person's or place's name.

    Raises `Misread` for letters that no name here has: VNI, TCVN3 or mojibake.
    """
    text = text_of(cell)
    if len(text) > most:
        raise Misread(Sentence("“{cell}” is too long; {most} characters are the most.", cell=short(text), most=most))
    if strange := strange_letters(text):
        raise Misread(
            Sentence(
                "“{cell}” holds signs that no name here has ({signs}): an old code (VNI, TCVN3), or saved wrongly.",
                cell=short(text),
                signs=" ".join(strange),
            )
        )
    return text


def strange_letters(text: str) -> list[str]:
    """Returns the characters of a text that belong neither to the Vietnamese alphabet nor to names of the Central
    Highlands.
    """
    strange = [sign for sign in dict.fromkeys(text) if sign.lower() not in _LETTERS and sign not in _AROUND]
    # TCVN3 writes ễ as Ô: a capital letter with a mark inside a word of small letters.
    return strange or [
        sign for before, sign in itertools.pairwise(text) if before.islower() and sign.isupper() and not sign.isascii()
    ]


def phone_of(cell: Cell) -> str:
    """Returns a phone number in one form, so that two spellings of it are the same; "" for anything else.

    Digits only, with the 0 in front: 0905123456. A text with fewer digits than any number ("0", "không có") gives "".
    A number of another country stays as it is.
    """
    text = text_of(cell)
    digits = re.sub(r"\D", "", text)
    for abroad in ("0084", "84"):  # +84 905 123 456
        if digits.startswith(abroad) and len(digits) - len(abroad) in {9, 10}:
            digits = "0" + digits.removeprefix(abroad)
            break
    if re.fullmatch(r"[2-9]\d{8}", digits) and re.fullmatch(r"[\d\s.\-()]+", text):
        digits = "0" + digits  # a number lost it
    if len(digits) < LEAST_DIGITS or not digits.strip("0"):
        return ""
    return digits if re.fullmatch(r"0\d{9,10}", digits) and re.fullmatch(r"\+?[\d\s.\-()]+", text) else text[:32]


def whole_of(cell: Cell) -> int | None:
    """A count, or None for an empty cell. Raises `Misread`."""
    text = text_of(cell)
    if not text:
        return None
    if not re.fullmatch(r"\d{1,6}", text):
        raise Misread(Sentence("“{cell}” is no number.", cell=short(text)))
    return int(text)


def choice_of(cell: Cell, choices: Mapping[str, str], what: Sentence) -> str | None:
    """Returns the meaning of a cell by a list of aliases (folded); None for an empty cell. Raises `Misread`."""
    text = text_of(cell)
    if not text:
        return None
    found = choices.get(fold(text))
    if found is None:
        raise Misread(Sentence("“{cell}” is no {what} that is known.", cell=short(text), what=what))
    return found


def short(text: str) -> str:
    """Returns a cell in a form that may be shown: cut, without personal id numbers."""
    text = without_ids(text) or "…"
    return text if len(text) <= 40 else text[:39] + "…"
