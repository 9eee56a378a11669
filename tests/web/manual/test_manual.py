"""The manual is there in both languages, for everybody, and speaks of what there is."""

import re
from pathlib import Path

import pytest

import web
from engine.store.session import Store
from tests.pages import site
from web.cli.main import main
from web.manual.manual import CHAPTERS, chapter_html

FOLDER = Path(web.__file__).parent / "help"


@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_chapter_is_written_in_both_languages_and_no_file_is_left_over(language: str) -> None:
    assert {path.stem for path in (FOLDER / language).glob("*.md")} == set(CHAPTERS)
    for chapter in CHAPTERS:
        assert "<p>" in chapter_html(chapter, language)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_each_command_that_the_manual_names_exists(language: str) -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in (FOLDER / language).glob("*.md"))
    assert set(re.findall(r"`ralop ([a-z-]+)", text)) <= set(main.commands)


def test_everybody_reads_the_manual_signed_in_or_not(store: Store) -> None:
    client = site(store).app.test_client()
    assert "Việc của tôi" in client.get("/help").get_data(as_text=True)
    assert "Hội Khuyến học" in client.get("/help/association").get_data(as_text=True)
    assert client.get("/help/secrets").status_code == 404
