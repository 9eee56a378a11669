"""What an installation says about signing in: where passkeys can be, and what is wrong is told."""

import datetime as dt

import pytest

from engine.core.toml_reader import Reader, read_toml
from engine.usecases.people.signin_settings import Party, SignInSettings, read_signin

SITE = "https://ralop.example.vn"


def read(text: str, url: str = SITE) -> tuple[SignInSettings, Reader]:
    reader = read_toml(text, "settings.toml")
    settings = read_signin(reader, url)
    reader.close()
    return settings, reader


def faults(text: str) -> list[str]:
    return [fault.key for fault in read(text)[1].faults]


def test_nothing_needs_to_be_set_where_the_pages_have_an_address_with_https() -> None:
    settings, _ = read("")
    assert settings.party == Party(SITE, "ralop.example.vn")
    assert (settings.code_lasts, settings.proof_lasts) == (dt.timedelta(hours=72), dt.timedelta(minutes=10))


def test_the_domain_may_be_one_above_and_the_origin_another_than_that_of_notices() -> None:
    settings, reader = read('[sign_in]\norigin = "https://r.example.vn:8443"\nrp_id = "example.vn"')
    assert reader.faults == []
    assert settings.party == Party("https://r.example.vn:8443", "example.vn")


@pytest.mark.parametrize(
    ("address", "possible"),
    [
        ("http://ralop.example.vn", False),  # browsers know no passkeys without https
        ("http://127.0.0.1:5000", False),
        ("https://10.0.0.5", False),  # nor at a number
        ("https://[::1]:8443", False),
        ("http://localhost:5000", True),  # for trying out
        ("https://localhost", True),
    ],
)
def test_passkeys_are_offered_only_where_browsers_know_them(address: str, possible: bool) -> None:
    assert (read("", address)[0].party is not None) is possible
    assert read(f'[sign_in]\norigin = "{address}"')[1].faults == []


@pytest.mark.parametrize(
    ("line", "key"),
    [
        ('origin = "ralop.example.vn"', "sign_in.origin"),
        ('origin = "ftp://ralop.example.vn"', "sign_in.origin"),
        ('origin = "https://ralop.example.vn/app"', "sign_in.origin"),
        ('origin = "https://[::1"', "sign_in.origin"),
        ('rp_id = "evil.vn"', "sign_in.rp_id"),
        ('rp_id = "lop.example.vn"', "sign_in.rp_id"),
        ("code_hours = 0", "sign_in.code_hours"),
        ("code_hours = 337", "sign_in.code_hours"),
        ("proof_minutes = 1441", "sign_in.proof_minutes"),
        ("proof_minute = 5", "sign_in.proof_minute"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(line: str, key: str) -> None:
    assert key in faults(f"[sign_in]\n{line}")
