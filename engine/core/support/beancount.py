"""Writes the books of a year as plain text that anybody's tools can check (Beancount 2 and 3).

Money is the commodity VND; every kind of goods is one of its own, counted in its unit. What stood in an account before
the year comes from `Equity:Opening`. Each bounded account has a balance assertion at the end of each month: a program
that sums up the entries by itself finds an entry that is off by one đồng.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from engine.core.support.catalogue import CASH, Kind
from engine.core.support.ledger import DONOR, FUND, GIVEN, HELD, LOST, MARKET, OPENING, OUTSIDE, PLEDGE, STOCK

ROOTS: Mapping[str, str] = {
    FUND: "Assets:Fund",
    STOCK: "Assets:Stock",
    HELD: "Assets:Held",
    PLEDGE: "Assets:Pledge",
    DONOR: "Income:Donor",
    OUTSIDE: "Income:Outside",
    GIVEN: "Expenses:Given",
    LOST: "Expenses:Lost",
    MARKET: "Equity:Market",
    OPENING: "Equity:Before",
}
BEGINNING = "Equity:Opening"
_CODE = re.compile(r"[^A-Z0-9]")


@dataclass(frozen=True, slots=True)
class BookEntry:
    """An entry of the year: accounts by their names in the books, `quantity` in steps of the kind."""

    id: int
    day: dt.date
    what: str
    source: str
    target: str
    kind: Kind
    quantity: int
    entered_on: dt.date
    of: int | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What a bounded account holds at the end of a day, in steps."""

    account: str
    kind: Kind
    quantity: int


def name_of(kind: str, id: int) -> str:
    """Returns the name of an account in the books: its kind and number, no name of a person or a pupil."""
    return f"{ROOTS[kind]}:A{id}"


def code_of(kind: Kind) -> str:
    """Returns the commodity of a kind: VND, or its id in capitals, which begins with a letter and is long enough."""
    return "VND" if kind.id == CASH else f"G-{_CODE.sub('-', kind.id.upper())}"[:23].rstrip("-")


def header(year: int, title: str) -> Iterator[str]:
    """Yields the first lines: the options of the file."""
    said = title.replace("\\", " ").replace('"', "'").replace("\n", " ")
    yield f'option "title" "{said} {year}"'
    yield 'option "operating_currency" "VND"'
    yield 'option "inferred_tolerance_default" "*:0"'
    yield ""


def opened(year: int, accounts: Iterable[tuple[str, str]], kinds: Iterable[Kind]) -> Iterator[str]:
    """Yields the accounts (each with what it is called, as a comment in its metadata) and the commodities."""
    first = dt.date(year, 1, 1)
    for kind in kinds:
        yield f"{first} commodity {code_of(kind)}"
        yield f'  name: "{_plain(kind.label.vi)} ({_plain(kind.unit.vi)})"'
    yield f"{first} open {BEGINNING}"
    for account, called in accounts:
        yield f"{first} open {account}"
        if called:
            yield f'  name: "{_plain(called)}"'
    yield ""


def brought_forward(year: int, held: Iterable[Held]) -> Iterator[str]:
    """Yields what the bounded accounts held when the year began."""
    for it in held:
        if it.quantity:
            yield f'{dt.date(year, 1, 1)} * "opening"'
            yield f"  {it.account}  {_amount(it.kind, it.quantity)}"
            yield f"  {BEGINNING}  {_amount(it.kind, -it.quantity)}"


def entry(it: BookEntry) -> str:
    """Returns one entry: two postings that sum to zero."""
    answers = f"\n  of: {it.of}" if it.of is not None else ""
    return (
        f'{it.day} * "{it.what}" ^e{it.id}\n  entered: {it.entered_on}{answers}\n'
        f"  {it.source}  {_amount(it.kind, -it.quantity)}\n  {it.target}  {_amount(it.kind, it.quantity)}"
    )


def asserted(day: dt.date, held: Iterable[Held]) -> Iterator[str]:
    """Yields what the bounded accounts hold when a day begins: on the first of a month, the end of the one before."""
    for it in held:
        yield f"{day} balance {it.account}  {it.kind.amount(it.quantity):f} ~ 0 {code_of(it.kind)}"


def _amount(kind: Kind, steps: int) -> str:
    return f"{kind.amount(steps):f} {code_of(kind)}"


def _plain(text: str) -> str:
    return text.replace("\\", " ").replace('"', "'").replace("\n", " ")
