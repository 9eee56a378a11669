"""Keys that can be guessed are told from keys made by chance."""

import secrets

import pytest

from engine.core.people.key_strength import weakness


@pytest.mark.parametrize(
    "key",
    [
        "",
        "2b0de8e8852bf0e9cd25a7957e3872",  # made by chance, but too short
        "s" * 32,
        "abc" * 20,
        "0123456789" * 4,
        "abcdefghijklmnopqrstuvwxyz0123456789",
        "changeme-changeme-changeme-changeme",
        "CHANGE-THIS-SECRET-KEY-IN-PRODUCTION-PLEASE",
        "this-is-my-secret-key-for-ralop-2026",
        "dev-secret-key-do-not-use-in-production!!",
        "                                        ",
    ],
)
def test_a_key_that_can_be_guessed_is_weak(key: str) -> None:
    assert weakness(key) is not None


def test_keys_made_by_chance_are_not_weak() -> None:
    keys = [secrets.token_hex(16) for _ in range(300)]
    keys += [secrets.token_urlsafe(size) for size in (24, 48) for _ in range(300)]
    assert [key for key in keys if weakness(key)] == []
