"""The ledger of support: what may move from where to where, and what each account holds afterwards.

One entry moves one kind of support from one account to another. So what one account loses the other gains, and the sum
over all accounts is zero by the shape of an entry. Nothing is changed or deleted: a mistake is reversed by an entry
that moves the same back, with a reason. `engine.store.support` keeps entries; the database guards what is bounded.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from engine.core.refusals import Conflict, Invalid, NotAllowed, NotEnough
from engine.core.support.catalogue import Kind
from engine.core.words import Label, Sentence

# Where support is or comes from. What is bounded cannot hold less than nothing.
DONOR, PLEDGE, FUND, STOCK, HELD = "donor", "pledge", "fund", "stock", "held"
GIVEN, LOST, OUTSIDE, MARKET, OPENING = "given", "lost", "outside", "market", "opening"
BOUNDED = frozenset({PLEDGE, FUND, STOCK, HELD})
OWN = (HELD, GIVEN, LOST, OUTSIDE, MARKET, OPENING)
"""Accounts that each association has once, without a name of their own."""
ACCOUNT_KINDS: Mapping[str, Label] = {
    DONOR: Label("Nhà hảo tâm", "Donor"),
    PLEDGE: Label("Cam kết", "Pledge"),
    FUND: Label("Quỹ", "Fund"),
    STOCK: Label("Kho", "Stock"),
    HELD: Label("Chờ người thứ hai", "Waiting for a second person"),
    GIVEN: Label("Đã trao", "Given"),
    LOST: Label("Hao hụt, mất", "Lost"),
    OUTSIDE: Label("Nguồn ngoài quỹ", "A source outside the funds"),
    MARKET: Label("Mua sắm", "Bought"),
    OPENING: Label("Số dư đầu kỳ", "Opening balance"),
}

OPEN, PLEDGED, LAPSED, RECEIVED, ASKED = "opening", "pledge", "lapse", "receive", "ask"
GAVE, TRANSFERRED, RETURNED, LOSS, BOUGHT, REVERSED = "give", "transfer", "return", "loss", "buy", "reverse"
ENTRY_KINDS: Mapping[str, Label] = {
    OPEN: Label("Số dư đầu kỳ", "Opening balance"),
    PLEDGED: Label("Cam kết tài trợ", "Pledge"),
    LAPSED: Label("Hết hạn cam kết", "Pledge ended"),
    RECEIVED: Label("Tiếp nhận", "Received"),
    ASKED: Label("Chờ duyệt trao", "Waiting for a second person"),
    GAVE: Label("Trao", "Given"),
    TRANSFERRED: Label("Điều chuyển", "Transferred"),
    RETURNED: Label("Nhận lại", "Returned"),
    LOSS: Label("Hao hụt, mất", "Lost"),
    BOUGHT: Label("Mua sắm", "Bought"),
    REVERSED: Label("Đảo bút toán", "Reversed"),
}
# Each kind of entry, and between which kinds of accounts it moves something.
WAYS: Mapping[str, frozenset[tuple[str, str]]] = {
    OPEN: frozenset({(OPENING, FUND), (OPENING, STOCK)}),
    PLEDGED: frozenset({(DONOR, PLEDGE)}),
    LAPSED: frozenset({(PLEDGE, DONOR)}),
    RECEIVED: frozenset({(DONOR, FUND), (DONOR, STOCK), (PLEDGE, FUND), (PLEDGE, STOCK)}),
    ASKED: frozenset({(FUND, HELD), (STOCK, HELD)}),
    GAVE: frozenset({(FUND, GIVEN), (STOCK, GIVEN), (HELD, GIVEN), (OUTSIDE, GIVEN)}),
    TRANSFERRED: frozenset({(FUND, FUND), (STOCK, STOCK)}),
    RETURNED: frozenset({(GIVEN, FUND), (GIVEN, STOCK), (HELD, FUND), (HELD, STOCK)}),
    LOSS: frozenset({(FUND, LOST), (STOCK, LOST)}),
    BOUGHT: frozenset({(FUND, MARKET), (MARKET, STOCK)}),
}
REASONED = frozenset({LOSS, RETURNED, LAPSED, REVERSED})  # these say why

LEADER = "association"  # the role that leads an association
MOST_REASON = 300


@dataclass(frozen=True, slots=True)
class Account:
    """A place where support is, comes from or goes to. `until`: the last day of a pledge; `donor_id`: whose it is."""

    id: int
    kind: str
    name: str
    association_id: int | None
    donor_id: int | None = None
    until: dt.date | None = None

    @property
    def bounded(self) -> bool:
        """Whether it cannot hold less than nothing."""
        return self.kind in BOUNDED

    def takes(self, kind: Kind) -> bool:
        """Whether this kind of support may lie here: a fund holds money, a stock holds goods."""
        return kind.money if self.kind == FUND else not kind.money if self.kind == STOCK else True


@dataclass(frozen=True, slots=True)
class Transfer:
    """One entry to be made: `quantity` (steps of `kind`) moves from `source` to `target`.

    `happened_on` is the day it happened; the day it was entered is the store's. `of` is the entry that it answers: the
    one it reverses, or the request for a second person that it settles. `case` is the case and the event of a gift.
    """

    what: str
    source: Account
    target: Account
    kind: Kind
    quantity: int
    happened_on: dt.date
    reason: str | None = None
    of: int | None = None
    case: tuple[int, int | None] | None = None

    @property
    def explained(self) -> Sentence:
        """Says what it does, for a preview and a statement."""
        return Sentence(
            "{what}: {amount} {unit} of “{kind}” from “{source}” to “{target}”.",
            what=ENTRY_KINDS[self.what],
            amount=self.kind.amount(self.quantity),
            unit=self.kind.unit,
            kind=self.kind.label,
            source=called(self.source),
            target=called(self.target),
        )


def called(account: Account) -> Label:
    """Returns the name of an account; one without a name is called by its kind."""
    return Label(account.name, account.name) if account.name else ACCOUNT_KINDS[account.kind]


@dataclass(frozen=True, slots=True)
class Made:
    """An entry that was made, as far as a later one depends on it."""

    id: int
    what: str
    source: Account
    target: Account
    kind_id: str
    quantity: int
    happened_on: dt.date
    entered_by_id: int | None
    role: str | None
    case: tuple[int, int | None] | None = None
    answered: bool = False
    value: int | None = None
    of: int | None = None


def check(transfer: Transfer, today: dt.date) -> Transfer:
    """Returns the transfer if it may be made, but for what the accounts hold.

    Raises `NotAllowed` for a way that support does not go, `Invalid` for a day to come or a missing reason.
    """
    ways = WAYS.get(transfer.what, frozenset())
    if transfer.what != REVERSED and (transfer.source.kind, transfer.target.kind) not in ways:
        raise NotAllowed(
            Sentence(
                "“{what}” does not go from “{source}” to “{target}”.",
                what=ENTRY_KINDS[transfer.what],
                source=ACCOUNT_KINDS[transfer.source.kind],
                target=ACCOUNT_KINDS[transfer.target.kind],
            )
        )
    for place in (transfer.source, transfer.target):
        if not place.takes(transfer.kind):
            raise Invalid({"kind": Sentence("A fund holds money and a stock holds goods: “{name}”.", name=place.name)})
    if transfer.source.id == transfer.target.id:
        raise Invalid({"to": Sentence("From and to are the same.")})
    if transfer.happened_on > today:
        raise Invalid({"happened_on": Sentence("This day has not come yet.")})
    if transfer.what in REASONED and not (transfer.reason or "").strip():
        raise Invalid({"reason": Sentence("Say why.")})
    if transfer.source.kind == PLEDGE and transfer.what == RECEIVED and _over(transfer.source, transfer.happened_on):
        raise NotAllowed(Sentence("The pledge ended on {day}: enter a new one.", day=transfer.source.until))
    return transfer


def _over(pledge: Account, day: dt.date) -> bool:
    return pledge.until is not None and day > pledge.until


def enough(transfer: Transfer, held: int) -> None:
    """Raises `NotEnough` if a bounded source holds less than what is to be taken from it."""
    if transfer.source.bounded and held < transfer.quantity:
        raise NotEnough(
            Sentence(
                "“{name}” holds {held} {unit} of “{kind}”, which is less than {asked}.",
                name=called(transfer.source),
                held=transfer.kind.amount(held),
                unit=transfer.kind.unit,
                kind=transfer.kind.label,
                asked=transfer.kind.amount(transfer.quantity),
            )
        )


def reversal(made: Made, kind: Kind, reason: str, today: dt.date) -> Transfer:
    """Returns the entry that moves back what another one moved.

    Raises `NotAllowed` for one that is itself a reversal, and `Conflict` for one that was answered already.
    """
    if made.what == REVERSED:
        raise NotAllowed(Sentence("A reversal is not reversed: enter what is right anew."))
    if made.answered:
        raise Conflict(Sentence("This entry was reversed or settled already."))
    back = Transfer(
        REVERSED,
        made.target,
        made.source,
        kind,
        made.quantity,
        today,
        reason.strip()[:MOST_REASON],
        made.id,
        (made.case[0], None) if made.case else None,
    )
    return check(back, today)


def taking_back(made: Made, asked: Made | None, kind: Kind, reason: str, today: dt.date) -> list[Transfer]:
    """Returns the entries that take an entry back, in their order: its reversal and, for a gift that a second person
    had let happen, the way from where it waited to where it was `asked` from.

    Raises what `reversal` raises.
    """
    back = reversal(made, kind, reason, today)
    if made.source.kind != HELD or asked is None:
        return [back]
    return [back, check(Transfer(RETURNED, made.source, asked.source, kind, made.quantity, today, back.reason), today)]


def settlement(asked: Made, kind: Kind, target: Account, person_id: int, roles: Iterable[str]) -> Transfer:
    """Returns the gift that a second person lets happen.

    One of the two leads the association. Raises `NotAllowed` for the same person or two without a leader, `Conflict`
    for what was settled or taken back already.
    """
    if asked.what != ASKED or asked.answered:
        raise Conflict(Sentence("This gift waits for nobody any more."))
    if asked.entered_by_id == person_id:
        raise NotAllowed(Sentence("A second person has to agree: somebody else than who entered the gift."))
    if LEADER not in {asked.role, *roles}:
        raise NotAllowed(Sentence("One of the two has to lead the association."))
    return Transfer(GAVE, asked.target, target, kind, asked.quantity, asked.happened_on, of=asked.id, case=asked.case)


@dataclass
class Books:
    """What all accounts hold: the sum of the entries. The model that the database must agree with."""

    balances: dict[tuple[int, str], int] = field(default_factory=lambda: defaultdict(int))

    def held(self, account: Account, kind: Kind) -> int:
        """Returns what an account holds of a kind, in steps; of an unbounded one less than nothing, too."""
        return self.balances.get((account.id, kind.id), 0)

    def add(self, transfer: Transfer) -> None:
        """Adds an entry. Raises `NotEnough`, and then nothing has moved."""
        enough(transfer, self.held(transfer.source, transfer.kind))
        self.balances[transfer.source.id, transfer.kind.id] -= transfer.quantity
        self.balances[transfer.target.id, transfer.kind.id] += transfer.quantity
