"""Random receipts, gifts, transfers, reversals and repeats: the database and the pure books agree after each."""

import datetime as dt
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.core.refusals import NotEnough
from engine.core.support.ledger import (
    DONOR,
    FUND,
    GAVE,
    GIVEN,
    LOSS,
    LOST,
    PLEDGE,
    PLEDGED,
    RECEIVED,
    STOCK,
    TRANSFERRED,
    WAYS,
    Account,
    Books,
    Transfer,
    reversal,
)
from engine.store.session import Store
from engine.store.support import ledger, verify
from tests.engine.core.support.test_catalogue import CASH, RICE
from tests.engine.store.support.test_ledger import DAY, NOW

PLACES = (DONOR, PLEDGE, FUND, FUND, STOCK, STOCK, GIVEN, LOST)
KINDS = (PLEDGED, RECEIVED, GAVE, TRANSFERRED, LOSS)
MOVES = [
    (what, source, target)
    for what in KINDS
    for source, kind in enumerate(PLACES)
    for target, other in enumerate(PLACES)
    if (kind, other) in WAYS[what] and source != target
]
move = st.tuples(st.sampled_from(MOVES), st.integers(1, 40), st.booleans())
batches = st.lists(st.one_of(st.lists(move, min_size=1, max_size=3), st.integers(0, 30)), min_size=4, max_size=14)


def transfers(places: list[Account], batch: list[tuple[tuple[str, int, int], int, bool]]) -> list[Transfer]:
    found = []
    for (what, source, target), quantity, money in batch:
        kinds = {FUND: CASH, STOCK: RICE}
        kind = kinds.get(places[source].kind) or kinds.get(places[target].kind) or (CASH if money else RICE)
        found.append(Transfer(what, places[source], places[target], kind, quantity, DAY, reason="vì sao"))
    return found


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=batches)
def test_balances_are_the_sum_of_entries_never_below_zero_and_a_key_counts_once(store: Store, batches: list) -> None:  # type: ignore[type-arg]
    with store.writing("test") as session:
        places = [ledger.open_account(session, kind, "", None, NOW) for kind in PLACES]
    books, made = Books(), list[tuple[int, str]]()
    for number, batch in enumerate(batches):
        key = f"{places[0].id}-{number}"
        if isinstance(batch, int):
            if not made:
                continue
            id, commodity = made[batch % len(made)]
            with store.reading("test") as session:
                before = ledger.made(session, id)
            assert before is not None
            if before.answered:
                continue
            moves = [reversal(before, CASH if commodity == "cash" else RICE, "ghi nhầm", DAY)]
        else:
            moves = transfers(places, batch)
        _play(store, books, moves, key, made)
    with store.reading("test") as session:
        for place in places:
            for kind in (CASH, RICE):
                assert ledger.balance(session, place, kind.id) == books.held(place, kind)
                assert not place.bounded or books.held(place, kind) >= 0
        assert ledger.known_keys(session, [f"{places[0].id}-{len(batches)}"]) == set()
    assert list(verify.breaks(store)) == []


def _play(store: Store, books: Books, moves: list[Transfer], key: str, made: list[tuple[int, str]]) -> None:
    """The same on both sides; the database takes all of a transaction or nothing, in the order of its accounts."""
    trial = Books(books.balances.copy())
    ordered = sorted(moves, key=lambda it: sorted((it.source.id, it.target.id)))
    try:
        for one in ordered:
            trial.add(one)
        fits = True
    except NotEnough:
        fits = False
    try:
        with store.writing("test") as session:
            ids = ledger.write(session, moves, NOW, by=None, role=None, key=key)
    except NotEnough:
        assert not fits
        return
    assert fits
    books.balances = trial.balances
    made += [(id, it.kind.id) for id, it in zip(ids, moves, strict=True) if it.what != "reverse"]


def test_a_transfer_and_its_reversal_leave_what_was(store: Store) -> None:
    with store.writing("test") as session:
        donor, one, other = (ledger.open_account(session, kind, "", None, NOW) for kind in (DONOR, FUND, FUND))
        ledger.write(session, [Transfer(RECEIVED, donor, one, CASH, 100, DAY)], NOW, by=None, role=None)
        move = Transfer(TRANSFERRED, one, other, CASH, 70, DAY)
        (id,) = ledger.write(session, [move], NOW, by=None, role=None)
        before = ledger.made(session, id)
        assert before is not None
        later = replace(reversal(before, CASH, "nhầm", DAY), happened_on=DAY + dt.timedelta(days=1))
        ledger.write(session, [later], NOW, by=None, role=None)
        assert [ledger.balance(session, it, "cash") for it in (one, other)] == [100, 0]
