"""Processes that keep an association's books are killed in the middle of it: nothing is lost, nothing is twice, and
every balance is the sum of its entries.
"""

import random
import time
from collections.abc import Callable
from contextlib import closing, suppress

from sqlalchemy import func, select

from engine.core.refusals import Refused
from engine.store import tables as t
from engine.store.session import Store, open_store
from engine.store.simulation import seed
from engine.store.support import ledger, verify
from engine.usecases.context import Context
from engine.usecases.support import acts, gifts
from engine.usecases.support.acts import BookAct, Moved
from tests.faults import FULL
from tests.faults.processes import Herd
from tests.installation import CastInstallation, at, definitions, kinds_of_support

KILLS = 60 if FULL else 4
FORMS = 1_200 if FULL else 80
WRITERS = 8 if FULL else 2
BEGINNING, SECONDS = 1_000_000, 600
NOW = at("2026-03-02 09:00")


def installation(store: Store, cast: seed.Seeded) -> CastInstallation:
    return CastInstallation(Context(store, definitions(), support=kinds_of_support()), cast)


def keep_books(url: str, cast: seed.Seeded, funds: tuple[int, int], chance: int) -> None:
    """Sends every form that is not entered yet, in an order of its own; each form always says the same."""
    with closing(open_store(url)) as store:
        here = installation(store, cast)
        viewer, association = here.viewer("association"), cast.units["association"]
        order = list(range(FORMS))
        random.Random(chance).shuffle(order)
        for number in order:
            act = BookAct(viewer, association, NOW, f"form-{number}")
            moved = Moved("cash", 1 + number % 7, NOW.date())
            with suppress(Refused):  # somebody else has just sent it
                if number % 2:
                    entry = acts.receive(here.context, act, f"Cô Mẫu {number % 5}", funds[number % 3 % 2], moved)
                    if number % 5 == 0:
                        gifts.reverse(here.context, viewer, entry, "Ghi nhầm", NOW)
                else:
                    there, back = funds if number % 4 else funds[::-1]
                    acts.transfer(here.context, act, there, back, moved)


def entered(store: Store, like: str = "form-%") -> int:
    with store.reading("test") as session:
        query = select(func.count()).select_from(t.LedgerEntry).where(t.LedgerEntry.key.like(like))
        return session.execute(query).scalar_one()


def expected(number: int) -> int:
    """What a form leaves in the first fund in the end."""
    quantity = 1 + number % 7
    if number % 2:
        return quantity if number % 3 % 2 == 0 and number % 5 else 0
    return -quantity if number % 4 else quantity


def test_whoever_keeps_the_books_may_be_killed_at_any_moment(
    store: Store, database_url: str, figures: Callable[..., None]
) -> None:
    with store.writing("test") as session:
        cast = seed.add_cast(session, NOW)
    here = installation(store, cast)
    act = BookAct(here.viewer("association"), cast.units["association"], NOW)
    names = ("Quỹ một", "Quỹ hai")
    one, other = (acts.open_place(here.context, act, "fund", name) for name in names)
    for fund in (one, other):
        acts.begin_with(here.context, act, fund, Moved("cash", BEGINNING, NOW.date()))
    herd = Herd(WRITERS, keep_books, lambda number: (database_url, cast, (one, other), number))
    began = time.monotonic()
    try:
        herd.keep_killing(KILLS, random.Random(7), lambda: entered(store) / FORMS, SECONDS, "books")
    finally:
        herd.stop()
    keep_books(database_url, cast, (one, other), 0)  # what a killed process had not reversed yet
    figures(kills=herd.kills, forms=entered(store), seconds=round(time.monotonic() - began, 1))
    assert entered(store) == FORMS
    assert list(verify.breaks(store)) == []
    with store.reading("test") as session:
        account = ledger.account(session, one)
        assert account is not None
        assert ledger.balance(session, account, "cash") == BEGINNING + sum(map(expected, range(FORMS)))
