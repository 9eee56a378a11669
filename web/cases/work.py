"""“My work”: what waits for the signed-in person, the most urgent first, each with its next act."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from flask import Blueprint, g, render_template, request
from werkzeug.wrappers import Response

from engine.core.calendar.workdays import last_working_day
from engine.core.people.roles import ADMIN, OPEN
from engine.core.words import Label, Sentence
from engine.store.attendance.proposals import Proposed
from engine.store.cases import saved, work_list
from engine.store.cases.news import news_of
from engine.store.cases.rows import CaseRow
from engine.store.cases.saved import Saved
from engine.store.session import Session
from engine.usecases.attendance import proposals
from web.cases.cards import Card, make_cards
from web.cases.case_list_file import case_file
from web.cases.correction_items import DoubtItem, in_doubt
from web.cases.difficulty_items import DifficultyItem, to_decide
from web.site.request_context import deployment, role_book, today
from web.site.template_filters import weekday

OWN, OTHERS = 30, 10  # cases on the page: one's own, and below them those of others
NEW = "new"  # in the address: only what others have changed since the last working day

pages = Blueprint("work", __name__)


@dataclass(frozen=True, slots=True)
class ProposalCard:
    """A case that the risk watch proposes, with its reasons in words."""

    row: Proposed
    why: tuple[Label | Sentence, ...]


@dataclass(frozen=True, slots=True)
class Work:
    """The content of the page: `cards` are one's own, `others` those that wait for others."""

    cards: tuple[Card, ...]
    others: tuple[Card, ...]
    asked: tuple[ProposalCard, ...]
    to_decide: tuple[DifficultyItem, ...]
    in_doubt: tuple[DoubtItem, ...]
    saved: tuple[Saved, ...]
    more: bool
    unread: int
    only_new: bool
    since: dt.date

    @property
    def offers(self) -> tuple[Card, ...]:
        return tuple(card for card in self.cards if card.offered_here)

    @property
    def due_now(self) -> tuple[Card, ...]:
        """Returns the cards that are overdue, or just past the deadline."""
        return self._own("late", "grace")

    @property
    def soon(self) -> tuple[Card, ...]:
        return self._own("soon")

    @property
    def later(self) -> tuple[Card, ...]:
        return self._own("later", "none")

    @property
    def visits(self) -> bool:
        """Returns whether there are homes to visit."""
        return any(card.row.pupil and not card.offered_here for card in self.cards)

    @property
    def since_when(self) -> Sentence:
        """Returns the last working day in words: yesterday, or a weekday."""
        if self.since == today() - dt.timedelta(days=1):
            return Sentence("New since yesterday")
        return Sentence("New since {weekday}", weekday=weekday(self.since))

    @property
    def new(self) -> int:
        """Returns how many cases others have changed."""
        return sum(bool(card.new) for card in (*self.cards, *self.others))

    def _own(self, *urgencies: str) -> tuple[Card, ...]:
        return tuple(card for card in self.cards if not card.offered_here and card.urgency in urgencies)


@pages.get("/work")
def index() -> str:
    """Shows what waits for me."""
    return work_page()


@pages.get("/work.xlsx", defaults={"form": "xlsx"})
@pages.get("/work.csv", defaults={"form": "csv"})
def download_work(form: str) -> Response:
    """Returns what waits for me, as a file."""
    return case_file(form, "viec-cua-toi", my_cards(), "work list")


def my_cards() -> tuple[Card, ...]:
    """Returns the cards of what waits for the signed-in person."""
    with deployment().context.store.scoped(g.viewer) as session:
        return _read(session).cards


def work_page(wrong: Sentence | None = None) -> str:
    """Returns the page; `wrong` are the faults of what was sent from it."""
    viewer = g.viewer
    with deployment().context.store.scoped(viewer) as session:
        work = _read(session)
    return render_template(
        "work.html",
        work=work,
        wrong=wrong,
        key=uuid.uuid4().hex,
        only_set_up=viewer.units.keys() == {ADMIN},
        opens=viewer.able(OPEN),
    )


def _read(session: Session) -> Work:
    viewer, only_new = g.viewer, request.args.get("show") == NEW
    mine, others = work_list.work_and_area(session, viewer, OWN, OTHERS + 1)
    cards = _cards(session, mine, others[:OTHERS])
    also = work_list.also_waiting(session, viewer)
    return Work(
        tuple(card for card in cards[: len(mine)] if card.new or not only_new),
        tuple(card for card in cards[len(mine) :] if not card.offered_here and (card.new or not only_new)),
        asked=_asked(session) if also.proposals else (),
        to_decide=to_decide(session) if also.difficulties else (),
        in_doubt=in_doubt(session) if also.doubts else (),
        saved=tuple(saved.saved_of(session, viewer.person_id)) if also.filters else (),
        more=len(others) > OTHERS or len(mine) >= OWN,
        unread=also.unread,
        only_new=only_new,
        since=_since(),
    )


def _cards(session: Session, mine: Sequence[CaseRow], others: Sequence[CaseRow]) -> list[Card]:
    """Returns the cards of one's own cases, and after them those of others."""
    viewer, rows, calendar = g.viewer, [*mine, *others], deployment().context.definitions.calendar("")
    referred = [row.id for row in rows if row.pupil is None]
    return make_cards(
        deployment().context.definitions,
        viewer,
        rows,
        handed=work_list.handed_over(session, [row.id for row in mine if row.offered_at]),
        needs=work_list.needs_of(session, referred),
        contacts=_contacts(referred),
        news=news_of(session, viewer.person_id, [row.id for row in rows], calendar.instant(_since(), 0)),
    )


def _since() -> dt.date:
    """Returns the last working day: on a Monday, changes from Friday on are new."""
    return last_working_day(deployment().context.definitions.calendar(""), today())


def _asked(session: Session) -> tuple[ProposalCard, ...]:
    """Returns what the risk watch proposes to a teacher or a head."""
    rules = deployment().context.risk
    found = proposals.open_proposals(session, g.viewer)
    return tuple(ProposalCard(row, tuple(proposals.reasons(rules, row.signals))) for row in found)


def _contacts(case_ids: list[int]) -> dict[int, tuple[str, str | None]]:
    """Returns whom a volunteer calls: the school, which tells nothing more about the pupil."""
    if not case_ids:
        return {}
    with deployment().context.store.reading("whom a volunteer calls about cases referred to them") as session:
        return work_list.school_contacts(session, case_ids, today(), role_book())
