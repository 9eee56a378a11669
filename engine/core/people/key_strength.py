"""Tests whether a secret key can be guessed: too short, made of words from examples, or the same letters again and
again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from itertools import pairwise

from engine.core.words import Sentence

SHORTEST = 32  # characters
LEAST_BITS = 85  # of randomness, counted as below; 32 random hexadecimal digits have 90 and more
# Texts that people write in place of a key. They are removed before the rest is measured.
COMMON = (
    "changethis",
    "changeme",
    "change",
    "default",
    "development",
    "example",
    "insecure",
    "password",
    "production",
    "matkhau",
    "ralop",
    "secret",
    "123456789",
    "0123456789",
    "qwertyuiop",
    "asdfghjkl",
    "please",
    "replace",
    "private",
    "random",
    "flask",
    "django",
    "admin",
    "sample",
    "super",
    "test",
    "this",
    "your",
    "something",
    "key",
    "not",
    "use",
    "dev",
)


def weakness(key: str) -> Sentence | None:
    """Returns why this key is too weak to sign with; None if it is good."""
    if len(key) < SHORTEST:
        return Sentence("A secret key has at least {least} characters.", least=SHORTEST)
    if chance(key) < LEAST_BITS:
        return Sentence(
            "This secret key is easy to guess: take one made by chance, for example from: {command}",
            command="openssl rand -base64 48",
        )
    return None


def chance(key: str) -> float:
    """Returns how many bits of randomness the key seems to have: in its letters, or in the steps between them
    if fewer.
    """
    rest = key
    for word in COMMON:
        rest = _without(rest, word)
    rest = rest[: _period(rest)]
    steps = [ord(after) - ord(before) for before, after in pairwise(rest)]
    return min(_bits(rest), _bits(steps))


def _without(text: str, word: str) -> str:
    """Returns the text without the word, in small letters or capitals."""
    while (at := text.lower().find(word)) >= 0 and len(text.lower()) == len(text):
        text = text[:at] + text[at + len(word) :]
    return text


def _period(text: str) -> int:
    """Returns the length of the shortest piece whose repetition makes the text."""
    fits = (size for size in range(1, len(text)) if all(a == b for a, b in zip(text, text[size:], strict=False)))
    return next(fits, len(text)) if text else 0


def _bits(items: Sequence[Hashable]) -> float:
    total = len(items)
    return sum(count * math.log2(total / count) for count in Counter(items).values())
