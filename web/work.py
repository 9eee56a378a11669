"""“My work”: what waits for the signed-in person, the most urgent first, each with its one next act."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine import cases
from engine.access import ADMIN
from engine.refusals import Invalid, Refused
from engine.store import reading
from engine.store.session import Session
from engine.words import Sentence
from web.cards import Card, make_cards
from web.languages import said
from web.shell import now, shell, today
from web.typed import whole

OWN, OTHERS = 30, 10  # cases on the page: one's own, and below them those that others have
MOST_AT_ONCE = 50

pages = Blueprint("work", __name__)


@dataclass(frozen=True, slots=True)
class Work:
    """The cards of the page by what they ask for."""

    offers: tuple[Card, ...]
    late: tuple[Card, ...]
    soon: tuple[Card, ...]
    later: tuple[Card, ...]
    others: tuple[Card, ...]
    more: bool
    unread: int

    @property
    def own(self) -> int:
        return len(self.offers) + len(self.late) + len(self.soon) + len(self.later)


@pages.get("/work")
def index() -> str:
    """What waits for me."""
    return _page()


@pages.post("/work/accept")
def accept() -> Response | tuple[str, int]:
    """Accept the one case whose button was pressed, or all that were chosen."""
    chosen = request.form.getlist("one") or request.form.getlist("case")
    if not chosen:
        return _page(Sentence("Choose at least one case to accept.")), 422
    key, done = (request.form.get("key") or uuid.uuid4().hex)[:32], []
    for code, version in map(_code_and_version, chosen[:MOST_AT_ONCE]):
        try:
            cases.accept(shell().house, g.viewer, code, {}, now(), version=version, key=f"{key}:{code}"[:64])
            done.append(code)
        except Invalid:
            flash(_("%(code)s: fill in the form to accept it.", code=code))
        except Refused as refused:
            flash(f"{code}: {said(refused.sentence)}")
    if len(done) == 1:
        flash(_("You have accepted case %(code)s.", code=done[0]))
        return redirect(url_for("case.show", code=done[0], done=1), 303)
    if done:
        flash(_("You have accepted %(number)s cases.", number=len(done)))
    return redirect(url_for("work.index"), 303)


def _code_and_version(value: str) -> tuple[str, int | None]:
    code, _mark, version = value.partition(":")
    return code[:24], whole(version)


def _page(wrong: Sentence | None = None) -> str:
    viewer, store = g.viewer, shell().house.store
    with store.scoped(viewer) as session:
        work = _read(session)
    only_set_up = viewer.units.keys() == {ADMIN}
    return render_template(
        "work.html", work=work, wrong=wrong, key=uuid.uuid4().hex, only_set_up=only_set_up,
        opens=any(viewer.holds(role) for role in cases.OPENERS),
    )  # fmt: skip


def _read(session: Session) -> Work:
    viewer = g.viewer
    people = [viewer.person_id, *reading.covered(session, viewer.person_id, today())]
    mine = reading.my_work(session, viewer, people, OWN)
    held = {row.id for row in mine}
    offered = sum(row.waiting for row in mine)
    area = reading.area_work(session, viewer, people, OTHERS + offered + 1)
    others = [row for row in area if row.id not in held]
    rows = [*mine, *others[:OTHERS]]
    referred = [row.id for row in rows if row.pupil is None]
    cards = make_cards(
        shell().house.handbook, viewer, rows,
        handed=reading.handed_over(session, [row.id for row in mine if row.offered_at]),
        needs=reading.needs_of(session, referred),
        contacts=_contacts(referred),
    )  # fmt: skip
    offers = tuple(card for card in cards if card.offered_here)
    own = [card for card in cards[: len(mine)] if not card.offered_here]
    late, soon, later = _by_urgency(own)
    return Work(
        offers, late, soon, later,
        others=tuple(card for card in cards[len(mine) :] if not card.offered_here),
        more=len(others) > OTHERS or len(mine) >= OWN,
        unread=reading.unread_notices(session, viewer.person_id),
    )  # fmt: skip


def _contacts(case_ids: list[int]) -> dict[int, tuple[str, str | None]]:
    """Whom a volunteer calls: the school, without learning more of the pupil."""
    if not case_ids:
        return {}
    with shell().house.store.reading("whom a volunteer calls about cases referred to them") as session:
        return reading.school_contacts(session, case_ids, today())


def _by_urgency(cards: Iterable[Card]) -> tuple[tuple[Card, ...], tuple[Card, ...], tuple[Card, ...]]:
    """Overdue, due soon, the rest."""
    found: dict[str, list[Card]] = {"late": [], "soon": [], "later": []}
    for card in cards:
        found[card.urgency if card.urgency in found else "later"].append(card)
    return tuple(found["late"]), tuple(found["soon"]), tuple(found["later"])
