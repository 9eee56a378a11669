"""What a browser is asked of a passkey, remembered in its session until it answers."""

from __future__ import annotations

from collections.abc import Callable

from flask import current_app, request, session
from werkzeug.wrappers import Response

from engine.core.refusals import NotFound
from engine.core.words import Sentence
from engine.usecases.people.passkeys import PasskeyRefused, Question
from engine.usecases.people.signin_settings import Party
from web.site.request_context import deployment

CHALLENGE = "passkey"  # in the session


def party() -> Party:
    """Whom passkeys are made for. Raises `NotFound` where there can be none."""
    found = deployment().settings.sign_in.party
    if found is None:
        raise NotFound(Sentence("There are no passkeys here: the address of these pages does not begin with https."))
    return found


def question(ask: Callable[[Party], Question]) -> Response:
    """What the browser is to ask of the key, as JSON; the session keeps the challenge."""
    made = ask(party())
    session[CHALLENGE] = made.challenge
    return current_app.response_class(made.options, mimetype="application/json")


def answered(name: str = "answer") -> tuple[str, str]:
    """The browser's answer, from the field of this name, and the challenge asked of it. Raises `PasskeyRefused`."""
    challenge = session.pop(CHALLENGE, None)
    if not isinstance(challenge, str):
        raise PasskeyRefused
    return request.form.get(name, ""), challenge
