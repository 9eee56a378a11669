"""Remembers in the browser's session what it was asked of a passkey, until it answers."""

from __future__ import annotations

from collections.abc import Callable

from flask import current_app, request, session
from werkzeug.wrappers import Response

from engine.core.refusals import NotFound
from engine.core.words import Sentence
from engine.usecases.people.passkeys import PasskeyRefused, Question
from engine.usecases.people.signin_settings import Party
from web.site.request_context import deployment

CHALLENGE = "passkey"  # key in the session


def party() -> Party:
    """Returns the party for which passkeys are made. Raises `NotFound` where they are impossible."""
    found = deployment().settings.sign_in.party
    if found is None:
        raise NotFound(Sentence("There are no passkeys here: the address of these pages does not begin with https."))
    return found


def question(ask: Callable[[Party], Question]) -> Response:
    """Returns what the browser should ask of the key, as JSON; the session stores the challenge."""
    made = ask(party())
    session[CHALLENGE] = made.challenge
    return current_app.response_class(made.options, mimetype="application/json")


def answered(name: str = "answer") -> tuple[str, str]:
    """Returns the browser's answer from the field of this name, and its challenge. Raises `PasskeyRefused`."""
    challenge = session.pop(CHALLENGE, None)
    if not isinstance(challenge, str):
        raise PasskeyRefused
    return request.form.get(name, ""), challenge
