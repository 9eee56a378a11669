"""Sheets to print: a visit, a hand-over, today's visits by village, my work.

Each is noted as a reading of personal data.

A sheet that somebody carries through a village contains no restricted cause, and nothing from which one could guess it.
It shows only what people did and when: no flags, no notes, no rules that act on flags.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from flask import Blueprint, g, render_template

from engine.core.cases.timeline import Names, choice_label, offered, tell
from engine.core.people.responsibility import acted
from engine.core.refusals import NotAllowed
from engine.core.words import Label, Sentence
from engine.core.workflow.builtin_forms import FIELDS
from engine.store.cases import work_list
from engine.store.cases.case_page import Happened
from engine.store.cases.companions import CompanionRow, companions
from engine.store.cases.printed import Home, homes
from engine.store.cases.work_list import Handed
from engine.usecases.people.note_access import note_print
from web.cases.cards import Card
from web.cases.page import Reading, read_case
from web.cases.work import my_cards
from web.site.request_context import deployment, now, role_labels

LINES = 3  # of the history on a visit sheet
RETURNED = "done"  # the shape of a case whose pupil is back in class

pages = Blueprint("printing", __name__)


@dataclass(frozen=True, slots=True)
class Stop:
    """A home to visit today."""

    card: Card
    home: Home


@pages.get("/print/work")
def work() -> str:
    """Prints my work as a table."""
    cards = my_cards()
    note_print(deployment().context.store, g.viewer.person_id, "work list", now())
    return render_template("print_work.html", cards=cards, printed_at=now())


@pages.get("/print/visits")
def visits() -> str:
    """Prints where I go today: the cases that I have, by village."""
    cards = [card for card in my_cards() if card.row.pupil and not card.offered_here and card.shape != RETURNED]
    with deployment().context.store.scoped(g.viewer) as session:
        found = homes(session, [card.row.id for card in cards])
    note_print(deployment().context.store, g.viewer.person_id, "visits of today", now())
    return render_template("print_visits.html", villages=_by_village(cards, found), printed_at=now())


def _by_village(cards: Iterable[Card], found: Mapping[int, Home]) -> list[tuple[str, list[Stop]]]:
    """Groups the visits by village, the most urgent first."""
    stops = [Stop(card, found[card.row.id]) for card in cards if card.row.id in found]
    # Stable: in a village they stay in the order of their deadlines.
    stops.sort(key=lambda stop: stop.card.row.village or "")
    return [(village, list(those)) for village, those in groupby(stops, key=lambda stop: stop.card.row.village or "")]


@pages.get("/print/visit/<code>")
def visit(code: str) -> str:
    """Prints the sheet for one visit: whom to meet, where, what was done so far, and room to write."""
    seen = _known(code, "visit sheet")
    with deployment().context.store.scoped(g.viewer.opening) as session:
        surroundings = [one for one in companions(session, seen.facts.id) if one.name and not one.off]
    return render_template(
        "print_visit.html",
        case=seen.facts,
        who=seen.who,
        causes=_causes(seen),
        contacts=seen.beside.contacts,
        surroundings=[(_kind(one), one) for one in surroundings],
        roles=role_labels(),
        history=_history(seen)[:LINES],
        printed_at=now(),
    )


@pages.get("/print/handover/<code>")
def handover(code: str) -> str:
    """Prints the slip of a hand-over: from whom, to whom, until when, and a place to sign."""
    seen = _known(code, "hand-over slip")
    facts = seen.facts
    with deployment().context.store.scoped(g.viewer.opening) as session:
        handed = work_list.handed_over(session, [facts.id]).get(facts.id)
    return render_template(
        "print_handover.html",
        case=facts,
        who=seen.who,
        state=seen.workflow.states[facts.state],
        to=_to(seen),
        handed=handed,
        giver=_giver(handed),
        causes=_causes(seen),
        roles=role_labels(),
        contacts=seen.beside.contacts,
        history=_history(seen)[:LINES],
        printed_at=now(),
    )


def _known(code: str, what: str) -> Reading:
    """Returns the case and notes the print.

    Raises what `read_case` raises, and `NotAllowed` for readers who may not know the pupil.
    """
    found = read_case(code)
    if found.who is None:
        raise NotAllowed(Sentence("This sheet names the pupil: it is for those who may know who the pupil is."))
    facts = found.facts
    note_print(deployment().context.store, g.viewer.person_id, what, now(), facts.id, facts.pupil_id)
    return found


def _causes(found: Reading) -> list[Label]:
    """Returns the causes that anybody who finds the sheet may read."""
    field = found.workflow.fields.get("causes")
    chosen = [(choice_label(field, code), field.choice(code)) for code in found.beside.causes] if field else []
    return [label for label, choice in chosen if choice and not choice.restricted]


def _history(found: Reading) -> Sequence[tuple[Label | Sentence, Label | Sentence | None, object]]:
    """Returns what people did, who and when, the newest first."""
    names = Names(found.beside.units, found.beside.people)
    told = (
        (event, tell(deployment().context.definitions, found.facts, found.situation.surroundings, event, names))
        for event in found.beside.events
        if event.person_id is not None
    )
    return [(_with_correction(found, event, one.what), one.who, one.at) for event, one in told]


def _with_correction(found: Reading, event: Happened, what: Label | Sentence) -> Label | Sentence:
    """Says of an entry on paper that it was put right since."""
    if (void := found.beside.corrected.get(event.seq)) is None:
        return what
    return Sentence("{what} – taken back later", what=what) if void else Sentence("{what} – corrected later", what=what)


def _kind(one: CompanionRow) -> Label:
    return choice_label(FIELDS["companion_role"], one.role)


def _to(found: Reading) -> Label | Sentence:
    """Returns who gets the case."""
    facts, names = found.facts, found.beside
    if facts.offered_role and facts.waiting:
        return offered(found.labels[facts.offered_role], names.units.get(facts.offered_unit_id or 0, ""))
    name = names.people.get(facts.assignee_id or 0, "")
    return Label(name, name) if name else Sentence("Nobody has it yet.")


def _giver(handed: Handed | None) -> Label | Sentence | None:
    """Returns who handed it over; leaves out the reason of a rule, which may reveal a flag."""
    if handed is None:
        return None
    if handed.person is None:
        return Sentence("by rule, because its time was up")
    return acted(handed.person, handed.absent, role_labels().get(handed.role or ""))
