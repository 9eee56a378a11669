"""Passwords are kept as slow hashes, and those that are guessed are refused."""

import pytest

from engine.core.people import passwords


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


PLACES = ("Tỉnh Quảng Ngãi", "Xã Bờ Y", "Trường THCS Lê Văn Thử", "7A")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("voi7con", "at least 8"),
        ("matkhau", "at least 8"),
        ("aaaaaaaa", "repeats itself"),
        ("11112222", "repeats itself"),
        ("abcabcabc", "repeats itself"),
        ("12345678", "runs along"),
        ("987654321", "runs along"),
        ("qwertyuiop", "runs along"),
        ("asdfghjkl123", "runs along"),
        ("a1b2c3d4", "runs along"),
        ("0912345678", "Digits alone"),
        ("24112026", "Digits alone"),
        ("123456789a", "Many people"),
        ("abc12345", "Many people"),
        ("matkhau123", "Many people"),
        ("mậtkhẩu123", "Many people"),
        ("Mật khẩu 2026", "Many people"),
        ("matkhau24112026", "Many people"),
        ("matkhau2026matkhau", "Many people"),
        ("m4tkh4u!", "Many people"),
        ("Mat.Khau.#1", "Many people"),
        ("P@ssword1", "Many people"),
        ("p@ssw0rd", "Many people"),
        ("anhyeuem", "Many people"),
        ("hocsinhgiaovien", "Many people"),
        ("mothaibabon", "Many people"),
        ("KonTum2026!", "name of a place"),
        ("ngochoi2022", "name of a place"),
        ("Quảng Ngãi 1", "name of a place"),
        ("quangngai@2025", "name of a place"),
        ("Bờ Y 2026", "name of a place"),
        ("xaboy123", "name of a place"),
        ("thcslevanthu", "name of a place"),
        ("Lê Văn Thử 7A", "name of a place"),
        ("thcs.boy.2026", "name of a place"),
        ("yhanh2026", "your own name"),
        ("Hạnh@2026", "your own name"),
        ("gvcn.hanh!", "your own name"),
        ("gvcnhanh1990", "your own name"),
        ("matkhauhanh1", "Many people"),
    ],
)
def test_a_password_that_is_guessed_is_refused_with_the_reason(password: str, why: str) -> None:
    assert why in str(passwords.is_too_weak(password, "gvcn.hanh", "Y Hạnh", PLACES))


@pytest.mark.parametrize(
    "password",
    [
        "bốn con voi uống trà",
        "rẫy mì tháng tám",
        "kr7m-x2pd-9hwc",
        "caphe muoi 6 gio",
        "ba con cá bơi ngược",
        "hai con dê qua cầu Bờ Y",
        "mẹ trồng ớt sau nhà",
    ],
)
def test_words_that_nobody_else_puts_together_are_good(password: str) -> None:
    assert passwords.is_too_weak(password, "gvcn.hanh", "Y Hạnh", PLACES) is None
