"""Says in words where the open cases of somebody go who leaves or is away: on pages and on the command line."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from engine.core.words import Label, Sentence
from engine.usecases.cases.reseat import Going

MOST = 4  # groups of people in one sentence
_NOBODY = Label("chưa có ai", "nobody yet")


def going_words(name: str, going: Going) -> Iterator[Sentence]:
    """Yields sentences: how many open cases a person has or is asked for, and who has the turn in how many of them."""
    if not going.total:
        yield Sentence("{name} has no open cases.", name=name)
        return
    parts = [
        Sentence("{count} with {people}", count=count, people=list(people) if people else _NOBODY)
        for people, count in going.to[:MOST]
    ]
    if more := sum(count for _, count in going.to[MOST:]):
        parts.append(Sentence("{count} with others", count=more))
    yield Sentence("{name}, open cases: {count} ({parts}).", name=name, count=going.total, parts=parts)
    if going.rest:
        yield Sentence("{count} more cases are looked at in the background, in a few minutes.", count=going.rest)


def alone_words(days: Sequence[dt.date]) -> Sentence:
    """The warning that a stand-in is away as well."""
    if len(days) == 1:
        return Sentence("The stand-in is away, too, on {day}: the next one up is asked then.", day=days[0])
    return Sentence(
        "The stand-in is away, too, on {count} of these days, the first is {day}: the next one up is asked then.",
        count=len(days),
        day=days[0],
    )
