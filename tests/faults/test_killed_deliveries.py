"""Workers are killed while they send mail, and their clocks jump: every notice arrives; a second copy shows as one."""

import datetime as dt
import random
import time
from collections.abc import Callable

from sqlalchemy import func, insert, select, update

from bench.data import definitions
from engine.channels.email import EmailChannel
from engine.channels.outbox import Outbox
from engine.core.notices.planning import ChosenChannel, ToldWhen
from engine.core.notices.settings import MailSettings
from engine.jobs.deliver import CLAIM, deliver
from engine.store import tables as t
from engine.store.notices.notices import put_choices
from engine.store.session import Store, open_store
from engine.usecases.context import Context
from tests.faults import FULL
from tests.faults.processes import Herd
from tests.installation import CastInstallation, at, installed
from tests.mailbox import Mailbox, serving

__all__ = ["installed"]

NOTICES, KILLS, WORKERS = (2_000, 200, 4) if FULL else (300, 30, 3)
SECONDS = 600 if FULL else 90
THURSDAY, HOUR = at("2026-03-05 08:00"), dt.timedelta(hours=1)
FAST = CLAIM.total_seconds()  # a claim runs out after one real second


def send_for_ever(url: str, begun: float, settings: MailSettings, seed: int) -> None:
    """A worker whose clock is fast, and jumps an hour ahead and back."""
    post = Outbox("https://ralop.example.vn", {"email": EmailChannel(settings)})
    chance, context = random.Random(seed), Context(open_store(url), definitions(), outbox=post)
    while True:
        now = THURSDAY + dt.timedelta(seconds=(time.time() - begun) * FAST)
        deliver(context, now + chance.choice((0, 0, 0, 1, -1)) * HOUR)
        time.sleep(0.002)


def told(installed: CastInstallation) -> None:
    """Notices for one person, who wants each by itself at any hour."""
    code, person = installed.open(), installed.cast.people["head"]
    with installed.store.writing("test") as session:
        session.execute(update(t.Person).where(t.Person.id == person).values(email="head@example.vn"))
        put_choices(session, person, ToldWhen(0, 0), [ChosenChannel("email", enabled=True, digest=False)])
        case = session.scalars(select(t.Case.id).where(t.Case.code == code)).one()
        session.execute(update(t.Notice).values(planned_at=THURSDAY))
        row = {
            "case_id": case,
            "person_id": person,
            "role": "head",
            "kind": "assigned",
            "urgent": False,
            "at": THURSDAY,
        }
        session.execute(insert(t.Notice), [{**row, "seq": 100 + number} for number in range(NOTICES)])


def states(store: Store) -> dict[str, int]:
    with store.reading("test") as session:
        return dict(session.execute(select(t.Delivery.state, func.count()).group_by(t.Delivery.state)).all())


def test_killed_workers_lose_no_message(
    installed: CastInstallation, database_url: str, figures: Callable[..., None]
) -> None:
    told(installed)
    chance, begun = random.Random(2026), time.time()
    with serving(Mailbox()) as mailbox:
        herd = Herd(WORKERS, send_for_ever, lambda number: (database_url, begun, mailbox.settings, number))
        try:
            herd.keep_killing(
                KILLS, chance, lambda: states(installed.store).get("sent", 0) / NOTICES, SECONDS, "deliveries"
            )
        finally:
            herd.stop()
    ids = [mail["Message-ID"] for mail in mailbox.mails]
    figures(
        kills=herd.kills,
        notices=NOTICES,
        sent=len(set(ids)),
        never_sent=NOTICES - len(set(ids)),
        sent_again=len(ids) - len(set(ids)),
        seconds=round(time.time() - begun),
    )
    assert states(installed.store) == {"sent": NOTICES}
    assert len(set(ids)) == NOTICES
