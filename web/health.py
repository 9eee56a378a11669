"""`/healthz`: is this installation fit to work? For whatever watches over it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint

from engine.store import health
from web.security import public
from web.shell import shell

SILENT = dt.timedelta(minutes=2)  # a worker that was not seen for so long is not at work

pages = Blueprint("health", __name__)


@pages.get("/healthz")
@public
def healthz() -> tuple[dict[str, Any], int]:
    """200 if the database answers and a worker is at work, else 503."""
    found = health.look(shell().house.store)
    working = found.worker_silent is not None and found.worker_silent <= SILENT
    state = {
        "database": "ok" if found.database else "unreachable",
        "worker": "ok" if working else "not seen",
        "worker_seen_seconds_ago": None if found.worker_silent is None else round(found.worker_silent.total_seconds()),
    }
    return state, 200 if found.database and working else 503
