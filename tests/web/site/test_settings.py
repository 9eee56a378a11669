"""Settings come from the environment or the file; what is wrong is told all at once."""

import stat
from pathlib import Path

import pytest

from engine.core.words import Faulty
from web.site.settings import Settings, load_settings

KEY = "ynOQJ1ZlYpXbC0a3hVtdr7ieW5gK8mUs"


def load(instance: Path, file: str = "", **environment: str) -> Settings:
    (instance / "settings.toml").write_text(file, encoding="utf-8")
    named = {f"RALOP_{name.upper()}": value for name, value in environment.items()}
    return load_settings({"RALOP_INSTANCE": str(instance), **named})


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = load_settings({"RALOP_INSTANCE": str(tmp_path / "new")})
    assert settings.database_url == f"sqlite:///{tmp_path}/new/ralop.db"
    assert (settings.trusted_proxies, settings.demo, settings.default_language) == (0, False, "vi")


def test_the_secret_key_is_made_once_and_readable_by_its_owner_only(tmp_path: Path) -> None:
    first, second = load(tmp_path), load(tmp_path)
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 48
    assert stat.S_IMODE((tmp_path / "secret_key").stat().st_mode) == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret_key", "settings.toml"]


def test_the_environment_goes_before_the_file(tmp_path: Path) -> None:
    file = f"""
    database_url = "postgresql://db/ralop"
    secret_key = "{KEY}"
    trusted_proxies = 1
    demo = true
    language = "en"
    """
    settings = load(tmp_path, file)
    assert settings == Settings("postgresql://db/ralop", tmp_path, KEY, 1, True, "en")
    settings = load(tmp_path, file, database_url="sqlite:////x.db", trusted_proxies="2", demo="0", language="vi")
    assert settings == Settings("sqlite:////x.db", tmp_path, KEY, 2, False, "vi")
    assert not (tmp_path / "secret_key").exists()


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(Faulty) as caught:
        load(
            tmp_path,
            'demo = "ja"\ncolour = "red"\nsecret_key = "short"',
            trusted_proxies="many",
            language="fr",
            demo="x",
        )
    assert [(fault.file, fault.key) for fault in caught.value.faults] == [
        ("settings.toml", "secret_key"),
        ("RALOP_TRUSTED_PROXIES", ""),
        ("settings.toml", "demo"),
        ("RALOP_DEMO", ""),
        ("RALOP_LANGUAGE", ""),
        ("settings.toml", "colour"),
    ]


def test_a_file_that_is_no_toml_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(Faulty, match=r"settings\.toml"):
        load(tmp_path, "demo = = 1")


def test_a_file_that_is_no_text_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_bytes(b"demo = \xff")
    with pytest.raises(Faulty, match=r"settings\.toml: This is not text in UTF-8"):
        load_settings({"RALOP_INSTANCE": str(tmp_path)})


@pytest.mark.parametrize("key", ["k" * 40, "changeme-changeme-changeme-changeme", "0123456789abcdef0123456789abcdef"])
def test_a_key_that_can_be_guessed_is_a_fault_wherever_it_stands(tmp_path: Path, key: str) -> None:
    for place in ("environment", "file", "kept"):
        folder = tmp_path / place
        folder.mkdir()
        if place == "kept":
            (folder / "secret_key").write_text(key, encoding="utf-8")
        with pytest.raises(Faulty, match="easy to guess"):
            load(
                folder,
                f'secret_key = "{key}"' if place == "file" else "",
                **({"secret_key": key} if place == "environment" else {}),
            )


def test_the_folder_of_an_installation_is_made_for_its_owner_only(tmp_path: Path) -> None:
    load_settings({"RALOP_INSTANCE": str(tmp_path / "new")})
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o700
