"""Shows and stores how the user is told: channels, quiet hours, digest, a test message.

Shows the operator the delivery log.
"""

from __future__ import annotations

from typing import Any, cast

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response
from wtforms import RadioField, StringField

from engine.channels import Channel
from engine.core.cases.act import Act
from engine.core.notices.planning import PUSH, Recipient
from engine.core.people.roles import ADMIN
from engine.core.refusals import Invalid, NotAllowed
from engine.core.words import Label, Sentence
from engine.jobs.plan_notices import send_trial
from engine.store.notices import deliveries
from engine.store.notices.deliveries import DEAD, FAILED, SENT, STATES, VOID
from engine.store.notices.notices import PENDING, Browser
from engine.usecases.cases.nudges import nudge, reminded
from engine.usecases.notices import choices
from engine.usecases.notices.choices import AT_ONCE, DIGEST, OFF
from engine.usecases.notices.reading import try_again
from web.account.device_names import name_of_device
from web.site.forms import Form
from web.site.languages import said
from web.site.request_context import deployment, now, whole_arg
from web.site.typed import whole

pages = Blueprint("channels", __name__)

PAGE, RECENT = 50, 8
WAYS = {
    OFF: Label("Không", "Not at all"),
    DIGEST: Label(
        "Một tin tổng hợp mỗi ngày làm việc; việc khẩn báo ngay", "One digest a working day; at once if urgent"
    ),
    AT_ONCE: Label("Báo ngay từng việc", "Each notice at once"),
}
STATE_WORDS = {
    PENDING: Label("chờ gửi", "waiting"),
    FAILED: Label("chưa gửi được, sẽ gửi lại", "to be tried again"),
    SENT: Label("đã gửi", "sent"),
    DEAD: Label("không gửi được", "given up"),
    VOID: Label("không còn gì để báo", "nothing left to say"),
}
KINDS = {
    "notice": Label("thông báo", "notice"),
    "digest": Label("tin tổng hợp", "digest"),
    "trial": Label("tin thử", "test"),
}
TIME: dict[str, Any] = {"class": "short", "autocomplete": "off"}


# --- my choices -------------------------------------------------------------------------------------------------------


class HoursForm(Form):
    """The quiet hours and the digest; the channels of the installation are added to the form."""

    quiet_from = StringField(render_kw=TIME)
    quiet_to = StringField(render_kw=TIME)
    digest_at = StringField(render_kw=TIME)


def _form(reader: Recipient) -> HoursForm:
    """Makes the form with this installation's channels, filled with what the person chose."""
    channels = deployment().context.outbox.channels
    hours, controls, data = reader.hours, {}, {}
    for name, channel in channels.items():
        controls[f"{name}_way"] = RadioField(
            said(channel.label), choices={way: said(words) for way, words in WAYS.items()}, validate_choice=False
        )
        data[f"{name}_way"] = choices.way_of(reader, name)
        if channel.ask:
            controls[f"{name}_address"] = StringField(said(channel.ask), render_kw={"autocomplete": "off"})
            data[f"{name}_address"] = next((it.address for it in reader.stored if it.channel == name), "")
    for name in ("quiet_from", "quiet_to", "digest_at"):
        data[name] = "{:02}:{:02}".format(*divmod(getattr(hours, name), 60))
    made = cast("type[HoursForm]", type("ChoicesForm", (HoursForm,), controls))
    return made(data=data)


@pages.get("/me/notices")
def mine() -> str:
    """Shows what I chose, and what was last sent to me."""
    reader = choices.reader(deployment().context, g.viewer.person_id)
    return _mine(reader, _form(reader))


def _mine(reader: Recipient, form: HoursForm) -> str:
    context = deployment().context
    with context.store.reading("what was sent to oneself") as session:
        recent = deliveries.log_of(session, person_id=reader.person_id, limit=RECENT)
    push: Channel | None = context.outbox.channels.get(PUSH)
    return render_template(
        "channels.html",
        form=form,
        channels=context.outbox.channels,
        reader=reader,
        recent=recent,
        words=STATE_WORDS,
        kinds=KINDS,
        push_key=getattr(push, "public_key", ""),
    )


@pages.post("/me/notices")
def choose() -> Response | tuple[str, int]:
    """Stores what I chose."""
    reader = choices.reader(deployment().context, g.viewer.person_id)
    form = _form(reader)
    values = {control.name: control.data or "" for control in form if isinstance(control, StringField | RadioField)}
    try:
        choices.choose(deployment().context, g.viewer.person_id, values)
    except Invalid as refused:
        form.refuse(refused)
        return _mine(reader, form), 422
    flash(_("Your choices are kept."))
    return redirect(url_for("channels.mine"), 303)


@pages.post("/me/notices/trial")
def trial() -> Response:
    """Sends me a test message by every channel I chose."""
    context = deployment().context
    sent = send_trial(context, g.viewer.person_id, context.outbox.channels, now())
    names = ", ".join(said(context.outbox.channels[name].label) for name in sent)
    if names:
        flash(
            _(
                "A test message is on its way by: %(names)s. It is listed below; reload the page in a moment.",
                names=names,
            )
        )
    else:
        flash(_("Nothing was sent: no channel is switched on that reaches you."))
    return redirect(url_for("channels.mine") + "#sent", 303)


# --- push messages in this browser ------------------------------------------------------------------------------------


@pages.post("/me/notices/browsers")
def allow() -> tuple[str, int]:
    """Turns on push messages to this browser; the script of the page sends its address and keys."""
    parts = {name: request.form.get(name, "") for name in ("endpoint", "p256dh", "auth")}
    device = name_of_device(request.user_agent.string)
    choices.allow_browser(deployment().context, g.viewer.person_id, Browser(**parts), device, now())
    return "", 204


@pages.post("/me/notices/browsers/forget")
def forbid() -> tuple[str, int]:
    """Turns off push messages to this browser."""
    choices.forbid_browser(deployment().context, g.viewer.person_id, request.form.get("endpoint", ""))
    return "", 204


# --- urging on --------------------------------------------------------------------------------------------------------


@pages.post("/cases/<code>/urge")
def urge(code: str) -> Response:
    """Urges on whoever has the case."""
    urged = nudge(
        deployment().context, Act(g.viewer, code[:24], {}, now(), key=request.form.get("key", "")[:64] or None)
    )
    flash(said(reminded(as_superior=urged)))
    return redirect(url_for("case.show", code=code), 303)


# --- for the operator -------------------------------------------------------------------------------------------------


def _require_admin() -> None:
    if not g.viewer.holds(ADMIN):
        raise NotAllowed(Sentence("Only the administrator sees what was sent."))


@pages.get("/admin/deliveries")
def log() -> str:
    """Shows what was sent, what waits, what was given up: to whom and how, but not the text."""
    _require_admin()
    state, before = request.args.get("state", ""), whole_arg("before")
    state = state if state in STATES else ""
    with deployment().context.store.reading("the operator's delivery log") as session:
        rows = deliveries.log_of(session, state=state, before=before, limit=PAGE + 1)
        counts = deliveries.count_by_state(session)
    more = rows[PAGE - 1].id if len(rows) > PAGE else None
    return render_template(
        "deliveries.html",
        rows=rows[:PAGE],
        counts=counts,
        state=state,
        words=STATE_WORDS,
        kinds=KINDS,
        channels=deployment().context.outbox.channels,
        first=url_for("channels.log", state=state) if before else "",
        next=url_for("channels.log", state=state, before=more) if more else "",
    )


@pages.post("/admin/deliveries/retry")
def retry() -> Response:
    """Tries one dead letter again, or all of them."""
    _require_admin()
    one = whole(request.form.get("delivery"))
    done = try_again(deployment().context.store, now(), None if request.form.get("all") else [one or 0])
    flash(ngettext("%(num)s message will be tried again.", "%(num)s messages will be tried again.", done))
    return redirect(url_for("channels.log", state=DEAD), 303)
