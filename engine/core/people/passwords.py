"""Hashes passwords with argon2id, makes one-time passwords to type from paper, refuses passwords that can be guessed.

Parameters are the first of OWASP's Password Storage Cheat Sheet for argon2id: 19 MiB, two passes, one lane.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from engine.core.text import fold
from engine.core.words import Sentence

SHORTEST = 8  # characters; NIST SP 800-63B does not ask for a mixture of kinds, but for a list of common passwords
FEWEST_CHARACTERS = 5  # different characters; also letters beside the known words
FEWEST_IN_ALL = 8  # letters and digits beside the known words, if the letters are fewer
_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# Letters and digits that nobody confuses when reading aloud or from paper: no 0 o 1 l i.
_READABLE = "abcdefghjkmnpqrstuvwxyz23456789"
_ONE_TIME_GROUPS = 3  # of four characters: 59 bits

# Passwords that people here choose, folded; digits or signs before or after do not make them better.
COMMON = frozenset(
    """
    abcabc anhiuem anhmaiyeuem anhnhoem anhyeuem baby bemeo bimat bimatdo caonguyen chamhoc chaoban chucmungnammoi
    conco congan congiao conyeu dacbiet dandan daihoc diadiem dongian emyeuanh giadinh giaovien giaoduc hanhphuc hello
    hocsinh hocsinhgioi hoilamgi hoangsa truongsa iloveyou khongbiet khongco khongnho khongquen laptrinh letmein
    lophoc mai maiyeuem matkhau matkhaucuatoi matkhaumoi meyeucon motconvit motngaymoi ngoctho
    nhoem password passw qwerty qwert qwertyuiop quantri taisao thaygiao thanhcong
    thuong tinhyeu toilaai toiyeu toiyeuem toiyeuvietnam vietnam vietnamvodich welcome xinchao xincamon
    yeuem yeuanh yeumai zing zxcvbnm asdfgh asdfghjkl admin administrator ralop nguyen tran
    """.split()  # noqa: SIM905 - two screens of quotation marks are not easier to read
)
# The provinces since 2025 and places near here. The names of the person's commune and school are added at each check.
PLACES = frozenset(
    """
    angiang bacninh camau cantho caobang daklak danang dienbien dongnai dongthap gialai hanoi hatinh hungyen hue
    haiphong hochiminh khanhhoa laichau lamdong langson laocai nghean ninhbinh phutho quangngai quangninh quangtri
    sonla tayninh thainguyen thanhhoa tuyenquang vinhlong kontum ngochoi dakto dakha dakglei sathay tumorong pleikan
    dalat nhatrang saigon tphcm taynguyen mangden
    mamnon maugiao tieuhoc thcs thpt trunghoc truong truonghoc phonggiaoduc ubnd uyban dang doan
    hoikhuyenhoc phuong thon lang
    """.split()  # noqa: SIM905
)
NUMBERS = frozenset({"mot", "hai", "ba", "bon", "nam", "sau", "bay", "tam", "chin", "muoi"})  # one to ten
_LOOKALIKES = str.maketrans({"@": "a", "$": "s"})
_DIGITS_FOR_LETTERS = str.maketrans({"0": "o", "1": "i", "3": "e", "4": "a", "5": "s"})
_RUNS = ("abcdefghijklmnopqrstuvwxyz", "01234567890", "qwertyuiop", "asdfghjkl", "zxcvbnm", "1qaz2wsx3edc4rfv")
_SHORTEST_RUN = 3
_SHORTEST_MASKED = 5  # letters; words of this length are also found in forms such as "p4ssw0rd"
_PIECES = frozenset(
    piece[at : at + length]
    for run in _RUNS
    for piece in (run, run[::-1])
    for length in range(_SHORTEST_RUN, len(run) + 1)
    for at in range(len(run) - length + 1)
)

AT_ONCE = Sentence("This password is guessed at once: it repeats itself or runs along the keyboard.")
DIGITS = Sentence("Digits alone, such as a phone number or a date, are guessed soon: add words.")
MANY = Sentence("Many people have this password. Three or four words that only you would put together are good.")
OWN = Sentence("This password is made of your own name or login: choose something that nobody knows of you.")
PLACE = Sentence(
    "This password is made of the name of a place or an office: choose words that nobody connects with you."
)


def hash(password: str) -> str:  # noqa: A001 - `passwords.hash` is how it is called
    """The argon2id hash of a password, with a salt of its own."""
    return _HASHER.hash(password)


def verify(hashed: str, password: str) -> bool:
    """Returns whether this is the password of the hash; False, too, if the hash is not one of ours."""
    try:
        return _HASHER.verify(hashed, password)
    except (VerificationError, InvalidHashError):
        return False


def needs_rehash(hashed: str) -> bool:
    """Returns whether the hash has other parameters than those of today."""
    return _HASHER.check_needs_rehash(hashed)


def one_time() -> str:
    """Returns a new password to give to a person once, such as `kr7m-x2pd-9hwc`; they change it at the first
    sign-in.
    """
    return next(drawn for drawn in iter(_draw, "") if not is_too_weak(drawn, "", ""))


def _draw() -> str:
    groups = ("".join(secrets.choice(_READABLE) for _ in range(4)) for _ in range(_ONE_TIME_GROUPS))
    return "-".join(groups)


def is_too_weak(password: str, login: str, name: str, places: Iterable[str] = ()) -> Sentence | None:
    """Returns why a password is easy to guess; None if it is good enough.

    The check removes everything that others know: common passwords, runs along the keyboard, the person's own words,
    then names of places. Five letters must be left, or eight letters and digits.

    Args:
        password: as typed.
        login: of the person.
        name: of the person; each of its longer words counts, so Y Hạnh cannot use "hanh2024".
        places: names of the units in which the person holds a post, and of those above.
    """
    if len(password) < SHORTEST:
        return Sentence("A password has at least {least} characters.", least=SHORTEST)
    plain = fold(password.translate(_LOOKALIKES)).replace(" ", "")
    core = plain.strip("0123456789")
    if len(set(password.lower())) < FEWEST_CHARACTERS or any(map(_is_run, (plain, core, _letters(plain)))):
        return AT_ONCE
    if not core and len(plain) < 12:
        return DIGITS
    known = set(COMMON | NUMBERS | _PIECES)
    for words, sentence in ((), MANY), (_own(login, name), OWN), (_named(places), PLACE):
        known |= set(words)
        masked = {word for word in known if len(word) >= _SHORTEST_MASKED}
        if _is_known(plain, known) or _is_known(plain.translate(_DIGITS_FOR_LETTERS), masked):
            return sentence
    return None


def _is_run(text: str) -> bool:
    """Returns whether a text follows the alphabet, the digits or a row of keys, forwards or backwards."""
    return len(text) > _SHORTEST_RUN and text in _PIECES


def _own(login: str, name: str) -> set[str]:
    words = [word for word in re.findall(r"[a-z0-9]+", f"{fold(login)} {fold(name)}") if len(word) > 2]
    return {*words, fold(login).replace(" ", ""), fold(name).replace(" ", "")} - {""}


def _named(places: Iterable[str]) -> set[str]:
    """Returns names as people write them without spaces: whole, and without the first words ("thcsboy" and "boy" of Bờ
    Y).
    """
    found: set[str] = {*PLACES}
    for place in places:
        words = re.findall(r"[a-z0-9]+", fold(place))
        found |= {"".join(words[at:]) for at in range(len(words)) if len("".join(words[at:])) > 2}
    return found


def _is_known(plain: str, known: set[str]) -> bool:
    """Returns whether a password contains something known and little else."""
    left = plain
    for word in sorted((word for word in known if word in plain), key=len, reverse=True):
        left = left.replace(word, " ")
    letters, digits = len(_letters(left)), len(re.sub(r"[^0-9]", "", left))
    return left != plain and letters < FEWEST_CHARACTERS and (letters == 0 or letters + digits < FEWEST_IN_ALL)


def _letters(text: str) -> str:
    return re.sub(r"[^a-z]", "", text)
