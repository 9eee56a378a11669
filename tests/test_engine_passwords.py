"""Passwords are kept as slow hashes, and those that are guessed are refused."""

import pytest

from engine import passwords


def test_a_password_is_known_by_its_hash_only() -> None:
    hashed = passwords.hash("bốn con voi uống trà")
    assert hashed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert passwords.verify(hashed, "bốn con voi uống trà")
    assert not passwords.verify(hashed, "bốn con voi uống cà phê")
    assert passwords.hash("bốn con voi uống trà") != hashed


@pytest.mark.parametrize("kept", ["", "plain", "$argon2id$broken", "$2b$12$abcdefghijklmnopqrstuv"])
def test_what_is_no_hash_of_ours_is_nobodys_password(kept: str) -> None:
    assert not passwords.verify(kept, "plain")


def test_a_hash_of_other_parameters_is_to_be_made_anew() -> None:
    cheap = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$RQMkmMlPYLPbtnNNDJnFnuwaZNbnfLBgf7QZOJv1wj8"
    assert passwords.needs_rehash(cheap)
    assert not passwords.needs_rehash(passwords.hash("x"))


def test_a_one_time_password_is_good_enough_and_cannot_be_misread() -> None:
    many = {passwords.one_time() for _ in range(200)}
    assert len(many) == 200
    assert all(len(one) == 14 and not set(one) & set("0o1li") for one in many)
    assert {passwords.is_too_weak(one, "gvcn", "Y Hạnh") for one in many} == {None}


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("voi7con", "at least 8"),
        ("aaaaaaaa", "repeats itself"),
        ("abcabcabc", "repeats itself"),
        ("12345678", "runs along"),
        ("987654321", "runs along"),
        ("qwertyuiop", "runs along"),
        ("asdfghjkl123", "runs along"),
        ("0912345678", "Digits alone"),
        ("24112026", "Digits alone"),
        ("matkhau123", "Many people"),
        ("Mật khẩu 2026", "Many people"),
        ("P@ssword1", "Many people"),
        ("anhyeuem", "Many people"),
        ("KonTum2026!", "Many people"),
        ("ngochoi2022", "Many people"),
        ("yhanh2026", "your own name"),
        ("Hạnh@2026", "your own name"),
        ("gvcn.hanh!", "your own name"),
    ],
)
def test_a_password_that_is_guessed_is_refused_with_the_reason(password: str, why: str) -> None:
    assert why in str(passwords.is_too_weak(password, "gvcn.hanh", "Y Hạnh"))


@pytest.mark.parametrize("password", ["bốn con voi uống trà", "rẫy mì tháng tám", "kr7m-x2pd-9hwc", "caphe muoi 6 gio"])
def test_words_that_nobody_else_puts_together_are_good(password: str) -> None:
    assert passwords.is_too_weak(password, "gvcn.hanh", "Y Hạnh") is None
