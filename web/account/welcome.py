"""The first steps: three things that each role does here, shown at the first sign-in and until they are dismissed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from flask import Blueprint, g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from engine.core.people.roles import AREA, ASSOCIATION, CLASS, COMMUNE, KNOWS, REFERRED, SCHOOL, VILLAGE
from engine.core.words import Sentence
from engine.store.people import greetings
from engine.usecases.people.preferences import put_away_first_steps
from web.site.request_context import deployment, now, role_book, role_labels, today

# In the session, so that the database is asked at most once a day: the roles whose first steps are known to be
# dismissed; the roles and the day for which they are known to be open.
PUT_AWAY, OFFERED = "put away", "first steps"

pages = Blueprint("welcome", __name__)


@dataclass(frozen=True, slots=True)
class FirstStep:
    """A thing to do, why, and where."""

    words: Sentence
    why: Sentence
    endpoint: str


_NOTICES = FirstStep(
    Sentence("Choose how you are told"),
    Sentence("In the app, by e-mail or Zalo; quiet hours; one digest a day."),
    "channels.mine",
)
_ACCEPT = Sentence("Accept what is handed to you")
STEPS: Mapping[str, tuple[FirstStep, FirstStep, FirstStep]] = {
    "teacher": (
        FirstStep(
            Sentence("Take attendance"),
            Sentence("Everybody is present; tap only those who are missing."),
            "rollcall.index",
        ),
        FirstStep(
            Sentence("Open a case when a pupil does not come"),
            Sentence("Since when, and why: a minute is enough. The deadlines run from then on."),
            "cases.new",
        ),
        FirstStep(
            Sentence("Look at your class"),
            Sentence("Who was absent how often, and which cases are open."),
            "overviews.klass",
        ),
    ),
    "head": (
        FirstStep(
            Sentence("See which classes have not taken attendance"),
            Sentence("And where cases are open or late, class by class."),
            "overviews.school",
        ),
        FirstStep(
            Sentence("Announce days without class"),
            Sentence("A storm, an illness: deadlines are counted without these days."),
            "closures.index",
        ),
        FirstStep(
            Sentence("Say who acts for you when you are away"),
            Sentence("So that no case waits at an empty desk."),
            "away.index",
        ),
    ),
    "commune_officer": (
        FirstStep(
            _ACCEPT, Sentence("A case waits for you until you accept it or return it with a reason."), "work.index"
        ),
        FirstStep(
            Sentence("Go out to the villages that burn"),
            Sentence("Your villages by what is late; today's visits to print."),
            "overviews.area",
        ),
        _NOTICES,
    ),
    "commune_leader": (
        FirstStep(
            Sentence("See where it burns in your commune"),
            Sentence("Late, urgent and waiting cases by village and school."),
            "overviews.area",
        ),
        FirstStep(_ACCEPT, Sentence("What no officer accepted comes to you: assign it or take it up."), "work.index"),
        FirstStep(
            Sentence("Announce days without class"),
            Sentence("A storm, an illness: deadlines are counted without these days."),
            "closures.index",
        ),
    ),
    "volunteer": (
        FirstStep(
            _ACCEPT, Sentence("You see what is needed and where to hand it over; never who it is for."), "work.index"
        ),
        FirstStep(
            Sentence("Log what was given"),
            Sentence("Several gifts in a row; what stays the same is kept."),
            "gifts.new",
        ),
        _NOTICES,
    ),
    "association": (
        FirstStep(Sentence("See what is needed"), Sentence("And what your members gave this month."), "needs.index"),
        FirstStep(
            Sentence("Assign a need to a member"), Sentence("On the page of the case, under other acts."), "cases.index"
        ),
        FirstStep(
            Sentence("Log what was given"),
            Sentence("Several gifts in a row; what stays the same is kept."),
            "gifts.new",
        ),
    ),
    "education_office": (
        FirstStep(
            Sentence("See where it burns in your area"),
            Sentence("Late, urgent and waiting cases, commune by commune; each number leads to its list."),
            "overviews.area",
        ),
        FirstStep(
            Sentence("Read the rules in words"), Sentence("What happens by itself when nobody acts."), "rulebook.rules"
        ),
        _NOTICES,
    ),
    "admin": (
        FirstStep(
            Sentence("Fill the vacant posts"),
            Sentence("A case that finds no post climbs higher than it should."),
            "admin_units.vacancies",
        ),
        FirstStep(
            Sentence("Give people their accounts"),
            Sentence("An account, a post, a code to sign in with."),
            "admin_people.index",
        ),
        FirstStep(
            Sentence("Bring in the lists"),
            Sentence("Pupils and attendance from the school's own system."),
            "imports.index",
        ),
    ),
}
# Other roles begin as those with the same seat and sight.
_LIKE: Mapping[tuple[str, str], str] = {
    (CLASS, KNOWS): "teacher",
    (SCHOOL, KNOWS): "head",
    (VILLAGE, KNOWS): "commune_officer",
    (COMMUNE, KNOWS): "commune_leader",
    (ASSOCIATION, REFERRED): "association",
    (AREA, KNOWS): "education_office",
}
_OTHERS = (
    FirstStep(
        Sentence("Read the rules in words"), Sentence("What happens by itself when nobody acts."), "rulebook.rules"
    ),
    _NOTICES,
)


def steps_of(code: str) -> tuple[FirstStep, ...]:
    """Returns the first steps of a role."""
    role = role_book()[code]
    return STEPS.get(code, STEPS.get(_LIKE.get((role.seat, role.sight), ""), _OTHERS))


def _roles() -> list[str]:
    """Returns the roles of the person on this page, in the usual order."""
    holds = g.viewer.holds
    return [role for role in role_book().roles if holds(role)]


@pages.app_template_global()
def greeting() -> bool:
    """Returns whether this page offers the first steps: “My work”, until they are dismissed."""
    if request.endpoint != "work.index" or "viewer" not in g:
        return False
    roles = ",".join(_roles())
    if session.get(PUT_AWAY) == roles:
        return False
    asked = f"{roles} {today()}"
    if session.get(OFFERED) == asked:
        return True
    with deployment().context.store.reading("which first steps were put away") as reading:
        known = greetings.greeted(reading, g.viewer.person_id)
    done = known >= set(_roles())
    session[PUT_AWAY if done else OFFERED] = roles if done else asked
    return not done


@pages.get("/welcome")
def index() -> str:
    """Shows three things to do for each role."""
    return render_template("welcome.html", roles=[(role_labels()[role], steps_of(role)) for role in _roles()])


@pages.post("/welcome")
def put_away() -> Response:
    """Dismisses the first steps."""
    put_away_first_steps(deployment().context.store, g.viewer.person_id, _roles(), now())
    session[PUT_AWAY] = ",".join(_roles())
    return redirect(url_for("work.index"), 303)
