"""Moves the time of a demo: to the next working day, with the worker's jobs at every due moment."""

from __future__ import annotations

import datetime as dt

from flask import Blueprint, abort, flash, redirect
from flask_login import login_required
from werkzeug.wrappers import Response

from engine.core.time_source import check_moment
from engine.core.words import Sentence
from engine.jobs.sweep import run_due
from engine.store.cases.cases import earliest_look
from engine.store.ops.time_source import ShiftedClock
from engine.usecases.context import Context
from engine.usecases.ops.clock import set_clock
from web.site.languages import said
from web.site.request_context import deployment, local, now, page_before
from web.site.template_filters import moment, weekday

pages = Blueprint("demo", __name__)

MORNING = dt.time(7, 30)


@pages.post("/demo/next-day")
@login_required
def next_day() -> Response:
    """Sets the clock to the morning of the next working day; what is due meanwhile happens at its own hour."""
    if not deployment().demo:
        abort(404)
    context, target = deployment().context, _next_morning(now())
    check_moment(target)  # before anything happens at that moment
    fired = pass_time(context, target)
    set_clock(context.store, target)
    if isinstance(clock := deployment().clock, ShiftedClock):
        clock.forget()
    when = f"{weekday(local(target).date())}, {moment(target)}"
    flash(said(Sentence("It is now {when}. Rules that fired meanwhile: {fired}.", when=when, fired=fired)))
    return redirect(page_before(), 303)


def _next_morning(moment: dt.datetime) -> dt.datetime:
    calendar = deployment().context.definitions.calendar("")
    day = calendar.local(moment).date() + dt.timedelta(days=1)
    while calendar.why_no_work(day):
        day += dt.timedelta(days=1)
    return calendar.instant(day, MORNING.hour * 60 + MORNING.minute)


def pass_time(context: Context, until: dt.datetime) -> int:
    """Runs the sweep at each due moment up to `until`; returns how many rules fired."""
    fired = 0
    while True:
        with context.store.reading("pass time") as session:
            look = earliest_look(session)
        if look is None or look > until:
            return fired
        fired += run_due(context, look).fired
