"""Passwords: hashed with argon2id, made for people to type once from a slip of paper, refused where they are guessed.

Parameters are the first of OWASP's Password Storage Cheat Sheet for argon2id: 19 MiB, two passes, one lane.
"""

from __future__ import annotations

import re
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.text import fold
from engine.words import Sentence

SHORTEST = 8  # characters; NIST SP 800-63B asks for no mixture of kinds, but for a list of those that are guessed
FEWEST_CHARACTERS = 5  # different ones
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Letters and digits that are not mistaken for each other when read aloud or from paper: no 0 o 1 l i.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_ONE_TIME_GROUPS = 3  # of four characters: 59 bits

# What people here choose, folded; with digits or signs before or after they are no better.
COMMON = frozenset(
    """
    abcabc anhiuem anhmaiyeuem anhnhoem anhyeuem baby bemeo bimat bimatdo caonguyen chamhoc chaoban chucmungnammoi
    conco congan congiao conyeu dacbiet dandan daihoc diadiem dongian emyeuanh giadinh giaovien giaoduc hanhphuc hello
    hocsinh hocsinhgioi hoilamgi hoangsa truongsa iloveyou khongbiet khongco khongnho khongquen kontum laptrinh letmein
    lophoc mai maiyeuem matkhau matkhaucuatoi matkhaumoi meyeucon motconvit motngaymoi ngoctho ngochoi nhatrang
    nhoem password passw qwerty qwert qwertyuiop quangngai quantri saigon hanoi taisao thaygiao thanhcong
    thuong tinhyeu toilaai toiyeu toiyeuem toiyeuvietnam truonghoc uyban vietnam vietnamvodich welcome xinchao xincamon
    yeuem yeuanh yeumai zing zxcvbnm asdfgh asdfghjkl admin administrator ralop nguyen tran
    """.split()  # noqa: SIM905 - two screens of quotation marks are no easier to read
)
_LOOKALIKES = str.maketrans({"@": "a", "$": "s"})
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv")


def hash(password: str) -> str:  # noqa: A001 - `passwords.hash` is how it is called
    """The argon2id hash of a password, with a salt of its own."""
    return _HASHER.hash(password)


def verify(hashed: str, password: str) -> bool:
    """Whether this is the password that was hashed; False, too, for what is no hash of ours."""
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(hashed: str) -> bool:
    """Whether it was hashed with other parameters than we use today."""
    return _HASHER.check_needs_rehash(hashed)


def one_time() -> str:
    """A new password to hand over once, such as `kr7m-x2pd-9hwc`; to be changed at the first sign-in."""
    groups = ("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(_ONE_TIME_GROUPS))
    return "-".join(groups)


def is_too_weak(password: str, login: str, name: str) -> Sentence | None:
    """Why a password would be guessed, or None if it is good enough.

    Args:
        password: as typed.
        login: of the person.
        name: of the person; each of its longer words counts, so that "hanh2024" is no password of Y Hạnh's.
    """
    if len(password) < SHORTEST:
        return Sentence("A password has at least {least} characters.", least=SHORTEST)
    plain = fold(password.translate(_LOOKALIKES)).replace(" ", "")
    core = plain.strip("0123456789")
    if len(set(password.lower())) < FEWEST_CHARACTERS or _is_run(plain) or _is_run(core):
        return Sentence("This password is guessed at once: it repeats itself or runs along the keyboard.")
    if not core and len(plain) < 12:
        return Sentence("Digits alone, such as a phone number or a date, are guessed soon: add words.")
    if core in COMMON or plain in COMMON:
        return Sentence(
            "Many people have this password. Three or four words that only you would put together are good."
        )
    words = [word for word in re.findall(r"[a-z0-9]+", f"{fold(login)} {fold(name)}") if len(word) > 2]
    left = _without(plain, [*words, fold(login).replace(" ", ""), fold(name).replace(" ", "")])
    if left != plain and len(left.strip("0123456789")) < FEWEST_CHARACTERS:
        return Sentence("This password is made of your own name or login: choose something that nobody knows of you.")
    return None


def _is_run(text: str) -> bool:
    """Whether a text walks along the alphabet, the digits or a row of keys, forwards or back."""
    return len(text) > 3 and any(text in run or text[::-1] in run for run in _RUNS)


def _without(text: str, words: list[str]) -> str:
    for word in sorted(filter(None, words), key=len, reverse=True):
        text = text.replace(word, "")
    return text
