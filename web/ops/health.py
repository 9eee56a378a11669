"""`/healthz`: says whether this installation can work, for monitoring."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from engine.store.ops.health import OK, Health
from web.site.request_context import Deployment, deployment
from web.site.security import public

pages = Blueprint("health", __name__)


@pages.get("/healthz")
@public
def healthz() -> tuple[dict[str, Any], int]:
    """Returns 200 if the database takes entries and a worker is running, else 503."""
    here = deployment()
    found = here.looks.look(here.context.store)
    worker = _worker(here, found)
    silent = found.worker_silent
    state = {
        "database": found.database,
        "worker": worker,
        "worker_seen_seconds_ago": None if silent is None else round(silent.total_seconds()),
    }
    return state, 200 if (found.database, worker) == (OK, OK) else 503


def _worker(here: Deployment, found: Health) -> str:
    """Says how the worker is; "dead" if that of this process died, and another one will be started."""
    if here.worker is not None and not here.worker.is_alive():
        return "dead"
    return OK if found.working else "not seen"
