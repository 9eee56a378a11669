"""Guards powers: nobody gives power to themselves, and every day has an administrator.

Every use case that changes posts, stand-ins, accounts or ways of signing in does it inside `changing`. These run one
after the other, so that two administrators who end each other at the same time do not both succeed. The result is
checked before the commit, whatever caused it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from engine.core.people.account_events import By
from engine.core.refusals import NotAllowed
from engine.core.words import Sentence
from engine.store.people import powers
from engine.store.people.powers import Held, Span
from engine.store.people.staff import viewer_of
from engine.store.session import Session, Store
from engine.usecases.context import Context

ONESELF = Sentence(
    "Nobody gives themselves a post or somebody else's duties: ask another administrator. Nothing was changed."
)
OWN_KEYS = Sentence(
    "Nobody makes a code or a one-time password for themselves: choose a new password under “Password and devices”, or "
    "ask another administrator."
)


@contextmanager
def changing(store: Store, why: str, by: By, now: dt.datetime) -> Iterator[Session]:
    """Opens a transaction that changes powers. Raises `NotAllowed`, and stores nothing, as `guarded` does."""
    with store.writing(why) as session, guarded(session, by, now):
        yield session


@contextmanager
def guarded(session: Session, by: By, now: dt.datetime) -> Iterator[None]:
    """Checks the changes of a transaction before its commit.

    Args:
        session: the transaction; everybody else who changes powers waits until it ends.
        by: who acts. The operator at the command line is not a person here, and cannot give themselves anything.
        now: the moment.

    Raises:
        NotAllowed: the person who acts has gained a post or a stand-in, or a day has lost its last administrator.
    """
    powers.lock(session)
    day, person = now.astimezone(dt.UTC).date(), by if isinstance(by, int) else None
    spans, held = powers.administrators(session), powers.held_by(session, person)
    yield
    if grown(held, powers.held_by(session, person)):
        raise NotAllowed(ONESELF)
    lost = lost_day(spans, powers.administrators(session), day)
    if lost is not None:
        raise NotAllowed(
            Sentence("From {day} on there would be no administrator: appoint another one first.", day=lost)
        )


@contextmanager
def sees_no_more(context: Context, session: Session, by: By, now: dt.datetime) -> Iterator[None]:
    """Checks that a merger does not give the person who does it other pupils: their posts may move like anybody's."""
    if not isinstance(by, int):
        yield
        return
    today = context.definitions.calendar("").local(now).date()
    before = powers.pupils_seen(session, viewer_of(session, by, today, context.definitions.roles))
    yield
    if powers.pupils_seen(session, viewer_of(session, by, today, context.definitions.roles)) - before:
        raise NotAllowed(
            Sentence("By this merger you would see pupils whom you do not see now: another administrator does it.")
        )


def not_for_oneself(person: int, by: By) -> None:
    """Raises `NotAllowed` for a person who makes a code or a one-time password for themselves."""
    if person == by:
        raise NotAllowed(OWN_KEYS)


def grown(before: Mapping[Held, Span], after: Mapping[Held, Span]) -> bool:
    """Returns whether somebody holds anything on a day on which they did not hold it before."""
    nothing = dt.date.max, dt.date.min
    return any(
        first < end and (first < before.get(key, nothing)[0] or end > before.get(key, nothing)[1])
        for key, (first, end) in after.items()
    )


def lost_day(before: Iterable[Span], after: Iterable[Span], day: dt.date) -> dt.date | None:
    """Returns the first day from `day` on that a span of `before` holds and no span of `after`; None if there is none.

    A span includes its first day and excludes its end.
    """
    before, after = list(before), list(after)
    # Only where a span begins or ends can the first lost day be.
    edges = {day, *(edge for span in (*before, *after) for edge in span if edge > day)}
    return next((edge for edge in sorted(edges) if _holds(before, edge) and not _holds(after, edge)), None)


def _holds(spans: Iterable[Span], day: dt.date) -> bool:
    return any(first <= day < end for first, end in spans)
