"""Handles Vietnamese text: tidies input, folds text for searching, sorts names by given name.

Facts tested on real names: đ does not decompose into d and a mark; Ð (U+00D0, Icelandic) stands for Đ (U+0110) in many
lists; "Hoà" and "Hòa" are one word in two spellings; the letters of local names bring apostrophes (H'Mơ) that few type.
"""

from __future__ import annotations

import re
import unicodedata

ALPHABET = "aăâbcdđeêfghijklmnoôơpqrstuưvwxyz"
# Huyền, hỏi, ngã, sắc, nặng, in the order of dictionaries; a word without a mark comes first.
_TONES = "\u0300\u0309\u0303\u0301\u0323"
_SHAPES = frozenset("\u0302\u0306\u031b")  # the marks that make â, ă and ơ letters of their own
_WRONG = str.maketrans({"Ð": "Đ", "ð": "đ"})
_PLAIN = str.maketrans({"đ": "d", "ƀ": "b"} | dict.fromkeys("'’‘ʼ`´ʹ", ""))
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_WORD = re.compile(r"[^\W_]+")

# A sort key has only small letters and digits, which every database sorts in the same way: 0 separates words and
# levels, 1 precedes a digit, the other characters stand for the letters of the alphabet.
_SIGNS = dict(zip(ALPHABET, "23456789abcdefghijklmnopqrstuvwxy", strict=True))
_OTHER, _GAP = "z", "0"
SORT_KEY_LENGTH = 240


def storable(text: str) -> bool:
    """Returns whether a database stores it as text: PostgreSQL refuses zero bytes, and no encoding takes half a
    character.
    """
    return not _UNSTORABLE.search(text)


def cleaned(text: str) -> str:
    """Returns the text without the characters that no database stores."""
    return _UNSTORABLE.sub("", text)


def tidy(text: str) -> str:
    """Returns a text as it is stored: composed letters (NFC), Đ for Ð, one space between words and none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).translate(_WRONG).split())


def fold(text: str) -> str:
    """Returns a text in the form used for searching: small letters without marks, đ as d, no apostrophes, one space for
    all between words.

    >>> fold("Xã Đắk  Nông, H'Mơ")
    'xa dak nong hmo'
    """
    small = tidy(text).lower().translate(_PLAIN)
    plain = "".join(char for char in unicodedata.normalize("NFD", small) if unicodedata.category(char) != "Mn")
    return " ".join(_WORD.findall(plain))


def sort_key(name: str) -> str:
    """Returns the key that sorts people as in Vietnamese lists: by given name (the last word), then by the other words.

    Letters come in the order of the alphabet (a ă â b …), tones (ngang, huyền, hỏi, ngã, sắc, nặng) are a second level,
    as in ICU "vi". The place of a tone in a word (hoà, hòa) does not matter.
    """
    words = _WORD.findall(re.sub("['’‘ʼ`´ʹ]", "", tidy(name).lower()))
    return (_level(words[-1:]) + _level(words[:-1]))[:SORT_KEY_LENGTH]


def _level(words: list[str]) -> str:
    """Words by their letters, then by their tones."""
    if not words:
        return ""
    letters, tones = zip(*map(_spelt, words), strict=True)
    return _GAP.join(letters) + _GAP * 2 + "".join(tones)


def _spelt(word: str) -> tuple[str, str]:
    """The signs of a word's letters, and the number of its tone."""
    signs, tone = "", "0"
    for char in word:
        parts = unicodedata.normalize("NFD", char)
        base, marks = parts[0], parts[1:]
        letter = unicodedata.normalize("NFC", base + "".join(mark for mark in marks if mark in _SHAPES))
        signs += f"1{base}" if base in "0123456789" else _SIGNS.get(letter) or _SIGNS.get(base, _OTHER)
        tone = next((str(_TONES.index(mark) + 1) for mark in marks if mark in _TONES), tone)
    return signs, tone
