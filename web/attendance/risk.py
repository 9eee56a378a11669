"""Settings of the risk watch: each signal in words, what it does, how many alarms it would have given, how many real
ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from engine.core.attendance.describe import COUNTS as COUNT_WORDS
from engine.core.attendance.describe import DOES, condition
from engine.core.attendance.signals import COUNTS, MODES, Signal
from engine.core.people.roles import ADMIN, OFFICE
from engine.core.refusals import Invalid
from engine.core.words import Sentence
from engine.jobs import risk_trial
from engine.jobs.risk_trial import Trial
from engine.store.attendance.risk_trials import SignalCount
from engine.store.units.overviews import unit_names
from engine.usecases.attendance import risk_settings
from engine.usecases.attendance.risk_settings import Chosen
from web.site.read_lists import FILE
from web.site.request_context import deployment, now
from web.site.typed import whole

SIGNAL = "signal-"  # prefix of the controls' names: signal-<id>

pages = Blueprint("risk", __name__)


@dataclass(frozen=True, slots=True)
class SignalCard:
    """One signal of the page; `count` is None until a trial has ended."""

    signal: Signal
    condition: Sentence
    does: str
    chosen: str
    count: SignalCount | None
    weeks: int

    @property
    def a_week(self) -> Decimal:
        """Returns the alarms in each week of school."""
        alarms = Decimal(self.count.alarms if self.count else 0)
        return (alarms / max(1, self.weeks)).quantize(Decimal("0.1"))


@pages.get("/risk")
def show() -> str:
    """Shows the signals and what they do."""
    return _page()


@pages.post("/risk")
def choose() -> Response | tuple[str, int]:
    """Sets what holds everywhere."""
    form = request.form
    signals = {name.removeprefix(SIGNAL): does for name, does in form.items() if name.startswith(SIGNAL)}
    try:
        risk_settings.choose(
            deployment().context,
            g.viewer,
            now(),
            mode=form.get("mode", ""),
            count=form.get("count", ""),
            signals=signals,
        )
    except Invalid as refused:
        return _page(next(iter(refused.fields.values()))), 422
    return _kept()


@pages.post("/risk/unit")
def choose_for() -> Response | tuple[str, int]:
    """Sets what the watch does at the schools of an office's unit."""
    unit = whole(request.form.get("unit", "")) or 0
    try:
        risk_settings.choose_for(deployment().context, g.viewer, unit, request.form.get("mode", ""), now())
    except Invalid as refused:
        return _page(next(iter(refused.fields.values()))), 422
    return _kept()


@pages.post("/risk/trial")
def trial() -> Response:
    """Asks for a trial of the signals on the last term; the worker does it."""
    risk_trial.ask(deployment().context, g.viewer, now())
    return redirect(url_for("risk.show") + "#trial", 303)


def _kept() -> Response:
    flash(_("The choices were kept. They hold from the next look on."))
    return redirect(url_for("risk.show"), 303)


def _page(fault: Sentence | None = None) -> str:
    context, viewer = deployment().context, g.viewer
    risk_settings.check(viewer)
    trial = risk_trial.trial_of(context, viewer)
    with context.store.reading("settings of the risk watch") as session:
        chosen = risk_settings.chosen_in(session)
        units = unit_names(session, viewer.of(OFFICE) | chosen.units.keys())
    own = deployment().settings.instance / "rules" / FILE
    return render_template(
        "risk.html",
        cards=_cards(chosen, trial),
        trial=trial,
        chosen=chosen,
        rules=chosen.rules(context.risk),
        file=context.risk,
        name=f"instance/rules/{FILE}" if own.is_file() else f"rules/{FILE}",
        wrong=fault,
        does=DOES,
        counts=COUNT_WORDS,
        modes=[(mode, DOES[mode]) for mode in MODES],
        count_rules=[(count, COUNT_WORDS[count]) for count in COUNTS],
        prefix=SIGNAL,
        may_set=viewer.holds(ADMIN),
        may_try=viewer.holds(ADMIN) or viewer.holds(OFFICE),
        units=units,
        mine=sorted(viewer.of(OFFICE)),
        moving=trial.state in {"waiting", "running"},
    )


def _cards(chosen: Chosen, trial: Trial) -> list[SignalCard]:
    file = deployment().context.risk
    everywhere = chosen.rules(file).mode
    counted = trial.first_day is not None
    return [
        SignalCard(
            signal,
            condition(signal),
            chosen.signals.get(signal.id) or everywhere,
            chosen.signals.get(signal.id, ""),
            trial.counts.get(signal.id, SignalCount(0, 0, 0, 0)) if counted else None,
            trial.weeks,
        )
        for signal in file.signals
    ]
