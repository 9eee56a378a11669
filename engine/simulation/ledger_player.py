"""Plays what a scenario does with the ledger of an association, and reads what its places hold."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from engine.core.cases.act import Act
from engine.core.people.access import Viewer
from engine.core.refusals import NotFound
from engine.core.words import Sentence
from engine.store.simulation import seed, seed_ledger
from engine.usecases.context import Context
from engine.usecases.support import acts, gifts
from engine.usecases.support.acts import BookAct, Moved


@dataclass(frozen=True, slots=True)
class LedgerPlayer:
    """The ledger of a scenario: a place that is named for the first time is opened by itself."""

    context: Context
    seeded: seed.Seeded

    def act(self, do: str, viewer: Viewer, values: Mapping[str, Any], now: dt.datetime, code: str) -> None:
        """Does one verb. Raises what the use case raises."""
        DOES[do](self, BookAct(viewer, self._association(viewer), now), values, code)

    def _association(self, viewer: Viewer) -> int:
        mine = sorted(viewer.of("association") | viewer.of("volunteer"))
        return mine[0] if mine else self.seeded.units["association"]

    def _place(self, act: BookAct, place: tuple[str, str]) -> int:
        with self.context.store.writing("a place of the scenario's ledger") as session:
            return seed_ledger.place(session, *place, act.association_id, act.now)

    def pledge(self, act: BookAct, values: Mapping[str, Any], _code: str) -> None:
        acts.pledge(self.context, act, values["donor"], _moved(values), values["until"])

    def receive(self, act: BookAct, values: Mapping[str, Any], _code: str) -> None:
        place = self._place(act, values["place"])
        acts.receive(self.context, act, values["donor"], place, _moved(values), pledged=values["pledged"])

    def give(self, act: BookAct, values: Mapping[str, Any], code: str) -> None:
        typed = {
            "support_kind": values["kind"],
            "quantity": format(values["quantity"], "f"),
            "given_on": values["on"].isoformat(),
        }
        gifts.give(self.context, Act(act.viewer, code, typed, act.now), self._place(act, values["place"]))

    def agree(self, act: BookAct, _values: Mapping[str, Any], code: str) -> None:
        gifts.agree(self.context, Act(act.viewer, code, {}, act.now), self._newest("ask"))

    def move(self, act: BookAct, values: Mapping[str, Any], _code: str) -> None:
        kind, name = values["place"]
        source, target = self._place(act, (kind, name)), self._place(act, (kind, values["to"]))
        acts.transfer(self.context, act, source, target, _moved(values))

    def lose(self, act: BookAct, values: Mapping[str, Any], _code: str) -> None:
        acts.lose(self.context, act, self._place(act, values["place"]), _moved(values))

    def bring_back(self, act: BookAct, values: Mapping[str, Any], _code: str) -> None:
        gifts.bring_back(self.context, act, self._newest("give"), self._place(act, values["place"]), _moved(values))

    def reverse(self, act: BookAct, values: Mapping[str, Any], _code: str) -> None:
        gifts.reverse(self.context, act.viewer, self._newest(), values["reason"], act.now)

    def _newest(self, kind: str | None = None) -> int:
        with self.context.store.reading("the newest entry of the scenario") as session:
            found = seed_ledger.newest(session, kind)
        if found is None:
            raise NotFound(Sentence("There is no such entry."))
        return found

    def balances(self, expected: Mapping[str, Any]) -> dict[str, Any]:
        """Returns what the places named in an expectation hold, in the shape of the expectation."""
        with self.context.store.reading("what the scenario's ledger holds") as session:
            found: dict[str, Any] = {}
            for name, wanted in expected.items():
                held = seed_ledger.held(session, name, self.context.support)
                one = sum(held.values(), Decimal(0))
                found[name] = {kind: held.get(kind, Decimal(0)) for kind in wanted} if isinstance(wanted, dict) else one
        return found


def _moved(values: Mapping[str, Any]) -> Moved:
    return Moved(values["kind"], values["quantity"], values["on"], values.get("reason"))


Does = Callable[[LedgerPlayer, BookAct, Mapping[str, Any], str], None]
DOES: Mapping[str, Does] = {
    "pledge": LedgerPlayer.pledge,
    "receive": LedgerPlayer.receive,
    "give": LedgerPlayer.give,
    "agree": LedgerPlayer.agree,
    "move": LedgerPlayer.move,
    "lose": LedgerPlayer.lose,
    "bring_back": LedgerPlayer.bring_back,
    "reverse": LedgerPlayer.reverse,
}
