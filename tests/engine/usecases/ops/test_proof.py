"""Checkpoints once a day, their head in the digest of the week, deadlines that are counted anew."""

import datetime as dt
from dataclasses import replace

from sqlalchemy import update

from engine.channels.email import EmailChannel
from engine.channels.outbox import Outbox
from engine.core.cases.act import Act
from engine.jobs.deliver import deliver
from engine.store import tables as t
from engine.store.cases.verify import breaks
from engine.store.proof import checkpoints
from engine.usecases.cases import case_acts
from engine.usecases.ops.proof import checkpoint, checkpoint_daily, wrong_clocks
from tests.installation import CastInstallation, at, installed
from tests.mailbox import Mailbox, serving

__all__ = ["installed"]  # a fixture

KEEPERS = {"admin@example.vn", "education_office@example.vn"}


def test_the_head_stands_in_the_first_digest_of_a_week_of_administrators_and_offices(
    installed: CastInstallation,
) -> None:
    with installed.store.writing("test") as session:
        for member in ("admin", "education_office", "teacher"):
            whose = t.Person.id == installed.cast.people[member]
            session.execute(update(t.Person).where(whose).values(email=f"{member}@example.vn"))
    installed.open()
    with serving(Mailbox()) as mailbox:
        context = replace(
            installed.context, outbox=Outbox("https://ralop.example.vn", {"email": EmailChannel(mailbox.settings)})
        )
        head = checkpoint_daily(context, at("2026-03-06 00:10"))
        assert head is not None
        sent: dict[str, set[str]] = {}
        for day in ("2026-03-06", "2026-03-09", "2026-03-10"):  # Friday, Monday, Tuesday
            before = len(mailbox.mails)
            for hour in ("05:00", "06:30", "08:30", "12:30", "18:30"):  # a slow machine may need to try again
                deliver(context, at(f"{day} {hour}"))
            kept = f"ralop verify --against {head}"
            sent[day] = {str(mail["To"]) for mail in mailbox.mails[before:] if kept in mail.get_content()}
    assert sent == {"2026-03-06": set(), "2026-03-09": KEEPERS, "2026-03-10": set()}


def test_the_worker_makes_one_checkpoint_a_day(installed: CastInstallation) -> None:
    code = installed.open()
    first = checkpoint_daily(installed.context, at("2026-03-02 09:00"))
    now = at("2026-03-02 10:00")
    case_acts.note(installed.context, Act(installed.viewer("teacher"), code, {"note": "Sau"}, now))
    assert first is not None
    assert checkpoint_daily(installed.context, now) is None
    assert checkpoint_daily(installed.context, now + dt.timedelta(days=1)) == checkpoint(installed.context, now)
    assert checkpoint(installed.context, now) != first


def test_many_cases_are_taken_in_several_checkpoints(installed: CastInstallation) -> None:
    for pupil in ("pupil", "classmate", "boarder"):
        installed.open(pupil=pupil)
    head = checkpoints.make(installed.store, at("2026-03-02 09:00"), most=2)
    assert head is not None
    assert head.n == 2
    assert list(breaks(installed.store)) == []


def test_a_deadline_that_somebody_moved_is_found(installed: CastInstallation) -> None:
    code, later = installed.open(), at("2026-03-20 17:00")
    now = at("2026-03-02 09:00")
    assert list(wrong_clocks(installed.context, now)) == []
    cases = t.Base.metadata.tables["cases"]
    with installed.store.writing("test") as session:
        session.connection().execute(cases.update().values(next_look_at=later))
    (asleep,) = wrong_clocks(installed.context, now)
    assert asleep.in_("en") == (
        f"Case {code}: a rule is due at 17:00 03/03/2026, and the worker would look only at 17:00 20/03/2026."
    )
    with installed.store.writing("test") as session:
        session.connection().execute(cases.update().values(due_at=later))
    (moved,) = wrong_clocks(installed.context, now)
    assert moved.in_("en") == f"Case {code}: its deadline is 17:00 20/03/2026; counted anew it is 17:00 03/03/2026."
