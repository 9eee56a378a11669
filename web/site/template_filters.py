"""Filters for templates: moments and deadlines in words, numbers in local form."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal

from flask import Flask

from engine.core.calendar.workdays import grace_end
from engine.core.cases.levels import level_words
from engine.core.words import Sentence
from engine.core.workflow.model import State
from web.site.languages import language, said
from web.site.request_context import copied, deployment, local, now, today

SOON = dt.timedelta(hours=24)

WEEKDAYS = {
    "vi": ("thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy", "Chủ nhật"),
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"),
}


@dataclass(frozen=True, slots=True)
class DueWords:
    """A deadline in words: `urgency` is "late", "grace", "soon", "later" or "none"; `words` and `exact` say it.

    Grace is between on time and late: until the next working day closes, the page says it in words, but not in red.
    """

    urgency: str
    words: Sentence
    at: dt.datetime | None = None

    @property
    def exact(self) -> str:
        """Returns the moment itself in local form."""
        return moment(self.at) if self.at else ""


def due(at: dt.datetime | None) -> DueWords:
    """Returns a deadline in words, relative to the present moment."""
    if at is None:
        return DueWords("none", Sentence("No deadline"))
    left, here = at - now(), local(at)
    day = here.date()
    days = (day - today()).days
    if left < dt.timedelta():
        if now() <= grace_end(deployment().context.definitions.calendar(""), at):
            return DueWords(
                "grace", Sentence("Just past its deadline ({when}): do it today", when=_lately(here, -days)), at
            )
        return DueWords(
            "late", Sentence("{days} days overdue", days=-days) if days < -1 else Sentence("1 day overdue"), at
        )
    if days == 0:
        return DueWords("soon", Sentence("Due today at {hour}", hour=f"{here:%H:%M}"), at)
    if days == 1:
        tomorrow = Sentence("Due tomorrow at {hour}", hour=f"{here:%H:%M}")
        return DueWords("soon" if left <= SOON else "later", tomorrow, at)
    return DueWords(
        "later", Sentence("Due in {days} days, {weekday} {date}", days=days, weekday=weekday(day), date=day), at
    )


def _lately(here: dt.datetime, days: int) -> Sentence:
    hour = f"{here:%H:%M}"
    if days > 1:
        return Sentence("{weekday} at {hour}", weekday=weekday(here.date()), hour=hour)
    return Sentence("yesterday at {hour}", hour=hour) if days else Sentence("today at {hour}", hour=hour)


def weekday(day: dt.date) -> str:
    """Returns the name of the day in the language of this page."""
    return WEEKDAYS["en" if language() == "en" else "vi"][day.weekday()]


def moment(at: dt.datetime) -> str:
    """Returns a moment in local form: 16:00 02/03/2026."""
    return said(local(at))


def ago(at: dt.datetime) -> Sentence:
    """Returns how long ago a moment was; its date if it is more than a week."""
    return gone(local(at), local(now()))


def gone(at: dt.datetime, here: dt.datetime) -> Sentence:
    """Returns how long ago a moment was, seen from `here`; both in local time."""
    minutes, days = int((here - at).total_seconds() // 60), (here.date() - at.date()).days
    if minutes < 1:
        return Sentence("just now")
    if minutes < 60:
        return Sentence("{minutes} minutes ago", minutes=minutes) if minutes > 1 else Sentence("a minute ago")
    if days == 0:
        return Sentence("today at {hour}", hour=f"{at:%H:%M}")
    if days == 1:
        return Sentence("yesterday at {hour}", hour=f"{at:%H:%M}")
    return Sentence("{days} days ago", days=days) if days <= 7 else Sentence("on {date}", date=at.date())


def shape(state: State, accepted: bool = True) -> str:
    """Returns the shape of a state's tag: "ended", "waiting" for somebody to accept, or "going"."""
    if state.final:
        return "ended"
    return "waiting" if state.offered and not accepted else "going"


def number(value: Decimal | int | str) -> str:
    """Returns a number with grouped thousands: 1.250.000,5 in Vietnamese, 1,250,000.5 in English."""
    grouped = f"{Decimal(value):,f}"
    return grouped if language() == "en" else grouped.translate(str.maketrans(",.", ".,"))


def tel(phone: str) -> str:
    """Returns a telephone number for a link: its digits, and a plus before those with a country."""
    return ("+" if phone.strip().startswith("+") else "") + "".join(char for char in phone if char.isdecimal())


def clock_line() -> str | None:
    """Returns the day and hour of a shifted clock, so that nobody takes a demo's time for the real one; else None."""
    offset = getattr(deployment().clock, "offset", dt.timedelta())
    return f"{weekday(today())}, {moment(now())}" if offset else None


def init_app(app: Flask) -> None:
    """Registers the filters `due`, `moment`, `ago`, `number`, `weekday`, `tel`, and what base.html needs."""
    app.jinja_env.filters.update(due=due, moment=moment, ago=ago, number=number, weekday=weekday, tel=tel)
    app.jinja_env.globals.update(
        level_words=level_words,
        shape=shape,
        is_demo=lambda: deployment().demo,
        clock_line=clock_line,
        today=today,
        copied=copied,
    )
