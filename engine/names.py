"""Names as people search for them: without diacritics, in any order of the words."""

from __future__ import annotations

import re
import unicodedata

# NFD does not take the bar off a đ; apostrophes stand in many local names (H'Mơ, Y'Thuy) and are typed by few.
_LETTERS = str.maketrans({"đ": "d", "Đ": "d", "ð": "d", "Ð": "d", "ĭ": "i"} | dict.fromkeys("'’‘ʼ`´ʹ", ""))


def fold(text: str) -> str:
    """A text as search keys hold it: lower case, no diacritics, no apostrophes, one space between words."""
    plain = unicodedata.normalize("NFD", text.translate(_LETTERS).lower())
    plain = "".join(char for char in plain if not unicodedata.combining(char)).translate(_LETTERS)
    return " ".join(re.findall(r"[a-z0-9]+", plain))


def sort_key(name: str) -> str:
    """A name in the order of Vietnamese lists: the given name, which stands last, first; then the rest."""
    words = name.split()
    return fold(" ".join((words[-1], *words[:-1]))) if words else ""
