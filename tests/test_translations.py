"""Everything the program says can be said in Vietnamese."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import wtforms
from babel.messages.catalog import Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

ROOT = Path(__file__).parent.parent
CATALOGUE = ROOT / "engine" / "translations" / "vi" / "LC_MESSAGES" / "messages.po"
KEYWORDS: dict[str, Any] = {
    "Sentence": None,
    "_": None,
    "gettext": None,
    "lazy_gettext": None,
    "ngettext": (1, 2),
    "lazy_ngettext": (1, 2),
}
METHODS = [("**.py", "python"), ("**.html", "jinja2"), ("**.txt", "jinja2"), ("**.xml", "jinja2")]
OPTIONS = {"**.html": {"silent": "false"}}
# A named place: {name}, %(name)s; not a doubled brace.
PLACE = re.compile(r"(?<!\{)\{(\w*)(?:![rsa])?(?::[^{}]*)?\}(?!\})|%\((\w+)\)[sd]")


class Used(NamedTuple):
    """A message that the code shows, and where."""

    msgid: str
    where: str


def used() -> Iterator[Used]:
    for folder in ("engine", "web"):
        for file, line, message, _comments, _context in extract_from_dir(
            ROOT / folder, METHODS, OPTIONS, keywords=KEYWORDS, directory_filter=lambda _path: True
        ):
            for msgid in message if isinstance(message, tuple) else (message,):
                if msgid:
                    yield Used(msgid, f"{folder}/{file}:{line}")


def translations() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="vi", abort_invalid=True)
    pairs: dict[str, str] = {}
    for message in catalogue:
        if message.id:
            said = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
            pairs |= dict.fromkeys(_msgids(message), "" if message.fuzzy else said)
    return pairs


def _msgids(message: Message) -> tuple[str, ...]:
    """The one msgid, or the one and the many."""
    return tuple(message.id) if isinstance(message.id, tuple | list) else (message.id,)


def places(text: str) -> Counter[str]:
    return Counter(set(map("".join, PLACE.findall(text))))


def test_every_message_in_the_code_has_a_vietnamese_translation() -> None:
    known = translations()
    assert {message.where: message.msgid for message in used() if not known.get(message.msgid)} == {}


def test_no_translation_is_left_of_a_message_that_nobody_says_any_more() -> None:
    with (Path(wtforms.__file__).parent / "locale" / "wtforms.pot").open("rb") as file:
        theirs = {one for message in read_po(file) for one in _msgids(message)}
    said = {message.msgid for message in used()} | theirs
    assert [msgid for msgid in translations() if msgid not in said] == []


def test_a_translation_has_the_named_places_of_its_original() -> None:
    different = {msgid: said for msgid, said in translations().items() if said and places(msgid) != places(said)}
    assert different == {}


def test_no_message_is_translated_twice() -> None:
    text = CATALOGUE.read_text(encoding="utf-8")
    entries = re.findall(r'^msgid ((?:".*"\n)+)', text, flags=re.MULTILINE)
    said = Counter("".join(re.findall(r'"(.*)"', entry)) for entry in entries)
    assert {msgid: times for msgid, times in said.items() if times > 1} == {}
