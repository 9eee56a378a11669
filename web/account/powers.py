"""Lists the requests that change powers: each of them needs a fresh proof of who sends it.

Posts, stand-ins, accounts, codes, passkeys, and the addresses at which people are told of all that. Only this module
lists them, and it checks them before any view runs. `tests/web/account/test_powers.py` reads all addresses of the site:
a new one that changes anything must be listed here, or there among those that change no powers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from flask import Flask, g, request

from engine.usecases.notices import choices
from web.account.stepup import require_proof
from web.site.request_context import deployment


def _always() -> bool:
    return True


def _with_a_stand_in() -> bool:
    """Returns whether somebody acts meanwhile: an absence alone gives nobody anything, but a stand-in gets all
    rights.
    """
    return bool(request.form.get("delegate", "").strip())


def _at_another_address() -> bool:
    """Returns whether an address changes: a person who changes it could hide the next change."""
    reader = choices.reader(deployment().context, g.viewer.person_id)
    kept = {choice.channel: choice.address for choice in reader.stored}
    given = {name: request.form.get(f"{name}_address", "").strip() for name in deployment().context.outbox.channels}
    return any(address != kept.get(name, "") for name, address in given.items())


POWERS: Mapping[str, Callable[[], bool]] = {
    "admin_people.add": _always,
    "admin_people.reset": _always,
    "admin_people.disable": _always,
    "admin_people.enable": _always,
    "admin_people.hand_over": _always,
    "admin_people.delegate": _always,
    "admin_people.back": _always,
    "admin_people.appoint": _always,
    "admin_people.end_post": _always,
    "admin_mergers.run": _always,
    "codes.make": _always,
    "passkeys.ask_for_new": _always,
    "passkeys.add": _always,
    "passkeys.remove": _always,
    "away.enter": _with_a_stand_in,
    "away.end": _always,
    "channels.choose": _at_another_address,
}
"""By endpoint: whether this request of it changes powers."""


def init_app(app: Flask) -> None:
    """Registers the check after the sign-in, before any page."""
    app.before_request(_want_proof)


def _want_proof() -> None:
    changes = POWERS.get(request.endpoint or "")
    if changes is not None and request.method == "POST" and changes():
        require_proof()
