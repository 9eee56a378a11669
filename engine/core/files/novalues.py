"""Finds the cells of an xlsx file that hold a formula without a stored value, or an error such as #N/A.

The library that opens the file gives both as empty cells. What a reader takes for empty is lost in silence.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator
from html import unescape

Place = tuple[int, int]  # row and column, from 0
ERROR = "#N/A"  # stands in such a cell

_CHUNK = 2**20
_CELL = re.compile(rb'<(?:\w+:)?c r="([A-Z]{1,3})(\d{1,7})"([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)', re.DOTALL)
_FORMULA, _VALUE = re.compile(rb"<(?:\w+:)?f[\s>/]"), re.compile(rb"<(?:\w+:)?(?:v|is)>[^<]|<(?:\w+:)?is>")
_SHEET = re.compile(r"<(?:\w+:)?sheet\s[^>]*>")
_RELATION = re.compile(r"<(?:\w+:)?Relationship\s[^>]*>")


def without_value(data: bytes) -> dict[str, set[Place]]:
    """Returns these cells by the name of their sheet; sheets without any are left out."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        names = _sheet_names(archive)
        found = {name: set(_places(archive, part)) for part, name in names.items()}
    return {name: places for name, places in found.items() if places}


def _sheet_names(archive: zipfile.ZipFile) -> dict[str, str]:
    """Returns the name of each sheet by its part."""
    parts = {part.lower(): part for part in archive.namelist()}
    book, relations = parts.get("xl/workbook.xml"), parts.get("xl/_rels/workbook.xml.rels")
    if book is None or relations is None:
        return {}
    targets = {
        _attribute(text, "Id"): _attribute(text, "Target")
        for text in _RELATION.findall(archive.read(relations).decode("utf-8", "replace"))
    }
    found = {}
    for text in _SHEET.findall(archive.read(book).decode("utf-8", "replace")):
        target = targets.get(_attribute(text, r"\w+:id"), "")
        part = parts.get((target.lstrip("/") if target.startswith("/") else f"xl/{target}").lower())
        if part is not None:
            found[part] = _attribute(text, "name")
    return found


def _attribute(text: str, name: str) -> str:
    found = re.search(rf'\s{name}="([^"]*)"', text)
    return unescape(found[1]) if found else ""


def _places(archive: zipfile.ZipFile, part: str) -> Iterator[Place]:
    rest = b""
    with archive.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            text = rest + chunk
            cut = text.rfind(b"<c ")
            cut = cut if cut > 0 and len(text) - cut < _CHUNK else len(text)
            whole, rest = text[:cut], text[cut:]
            yield from _in(whole)
    yield from _in(rest)


def _in(text: bytes) -> Iterator[Place]:
    if b't="e"' not in text and b"<f" not in text and b":f" not in text:
        return
    for column, row, attributes, inside in _CELL.findall(text):
        empty = b't="str"' not in attributes and _FORMULA.search(inside) and not _VALUE.search(inside)
        if b't="e"' in attributes or empty:  # a formula that gives "" has this text (t="str") as its value
            yield int(row) - 1, _number(column) - 1


def _number(column: bytes) -> int:
    number = 0
    for letter in column:
        number = number * 26 + letter - 64
    return number
