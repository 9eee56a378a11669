"""Reads a list of receipts and gifts (a donor's bank statement, a ceremony's list): each row with all that is wrong."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from engine.core.cases.chain import text_hash
from engine.core.files.sheets import Cell, Sheet
from engine.core.files.values import day_of, short, text_of
from engine.core.support.catalogue import CASH, Catalogue
from engine.core.text import fold
from engine.core.words import Fault, Sentence
from engine.core.workflow.form_values import Misread

# What the columns of such lists are called; capitals, diacritics and signs do not matter.
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "association": ("association", "Mã hội", "Hội"),
    "donor": ("donor", "Nhà hảo tâm", "Đơn vị tài trợ", "Người nộp", "Người chuyển"),
    "place": ("place", "fund", "stock", "Quỹ", "Kho", "Quỹ / kho", "Quỹ/Kho"),
    "case": ("case", "Mã hồ sơ", "Hồ sơ"),
    "kind": ("kind", "Loại", "Loại hỗ trợ"),
    "quantity": ("quantity", "amount", "Số lượng", "Số tiền"),
    "day": ("day", "date", "Ngày", "Ngày giao dịch", "Ngày trao"),
    "reference": ("reference", "Số chứng từ", "Mã giao dịch", "Số tham chiếu"),
    "note": ("note", "Ghi chú", "Nội dung", "Diễn giải"),
}
_KEYS = {fold(name): key for key, names in COLUMNS.items() for name in names}
NEEDED = {"place": "Quỹ / kho", "quantity": "Số lượng", "day": "Ngày"}
MOST_HEAD = 20  # rows above the headings, at most


@dataclass(frozen=True, slots=True)
class GiftRow:
    """A row: a receipt if it has a donor, a gift if it has a case. `key` tells it from every other row."""

    row: int
    key: str
    association: str
    donor: str
    place: str
    case: str
    kind: str
    amount: Decimal
    day: dt.date
    note: str


def read_rows(
    sheets: Iterator[Sheet], catalogue: Catalogue, latest: dt.date, file: str, faults: list[Fault]
) -> Iterator[GiftRow]:
    """Yields the sound rows of a file, and adds a fault for everything that is wrong with the others.

    A row without a reference is known by its content; the same row twice in one file is two rows.
    """
    seen: dict[str, int] = {}
    for sheet in sheets:
        heads: dict[str, int] | None = None
        for row, cells in sheet.rows:
            if heads is None:
                heads = _heads(cells)
                if heads is None and row >= MOST_HEAD:
                    break
            elif any(text_of(cell) for cell in cells):
                values = {key: cells[at] for key, at in heads.items() if at < len(cells)}
                yield from _row(f"{file}:{row}", row, values, catalogue, latest, faults, seen)
        if heads is None:
            missing = Sentence("No row has the headings {names}.", names=list(NEEDED.values()))
            faults.append(Fault(file, "", missing))


def _heads(cells: Sequence[Cell]) -> dict[str, int] | None:
    found: dict[str, int] = {}
    for at, cell in enumerate(cells):
        if key := _KEYS.get(fold(text_of(cell))):
            found.setdefault(key, at)
    return found if all(key in found for key in NEEDED) else None


def _row(
    place: str,
    row: int,
    values: Mapping[str, Cell],
    catalogue: Catalogue,
    latest: dt.date,
    faults: list[Fault],
    seen: dict[str, int],
) -> Iterator[GiftRow]:
    said = {key: text_of(cell) for key, cell in values.items()}
    before = len(faults)

    def wrong(key: str, sentence: Sentence) -> None:
        faults.append(Fault(place, key, sentence))

    amount = _amount(values.get("quantity"))
    try:
        day = day_of(values.get("day"), latest)
    except Misread as error:
        day = None
        wrong("day", error.sentence)
    else:
        if day is None:
            wrong("day", Sentence("Say the day."))
    kind = _kind(said.get("kind", ""), catalogue)
    if not said.get("place"):
        wrong("place", Sentence("Name the fund or the stock."))
    if amount is None:
        wrong("quantity", Sentence("“{text}” is no number above zero.", text=short(said.get("quantity", ""))))
    if kind is None:
        wrong("kind", Sentence("There is no kind of support “{name}”.", name=short(said.get("kind", ""))))
    if bool(said.get("donor")) == bool(said.get("case")):
        wrong("donor", Sentence("A receipt names a donor, a gift names a case; a row is one of both."))
    if len(faults) > before or amount is None or day is None or kind is None:
        return
    text = text_hash("", {key: said.get(key, "") for key in COLUMNS if key != "note"})
    seen[text] = seen.get(text, 0) + 1
    association, donor, where, case = (said.get(key, "") for key in ("association", "donor", "place", "case"))
    key = f"row-{text[:56]}-{seen[text]}"
    yield GiftRow(row, key, association, donor, where, case, kind, amount, day, said.get("note", ""))


def _amount(cell: Cell) -> Decimal | None:
    """Returns a number above zero as people write it here: 1.000.000 and 7,5; None for anything else."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return Decimal(str(cell)) if math.isfinite(cell) and cell > 0 else None
    plain = text_of(cell).replace(" ", "").replace("\u00a0", "").removesuffix("đ").removesuffix("đồng")
    if "," in plain or plain.count(".") > 1 or (plain.count(".") == 1 and len(plain.rpartition(".")[2]) == 3):
        plain = plain.replace(".", "").replace(",", ".")
    try:
        found = Decimal(plain)
    except InvalidOperation:
        return None
    return found if found.is_finite() and found > 0 else None


def _kind(text: str, catalogue: Catalogue) -> str | None:
    """Returns the kind of a name or an id; money where nothing is said."""
    if not text:
        return CASH
    for kind in catalogue.kinds.values():
        if fold(text) in {fold(kind.id), fold(kind.label.vi), fold(kind.label.en)}:
            return kind.id
    return None
