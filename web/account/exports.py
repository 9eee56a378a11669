"""Lists as files to download: exactly what the page shows its reader, with each download noted in the access log."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from flask import Response, g

from engine.core.files.export import TYPES, Value, export
from engine.usecases.people.note_access import note_export
from web.account.stepup import require_proof
from web.site.languages import language
from web.site.request_context import deployment, now


def download(form: str, name: str, columns: Sequence[str], rows: Iterable[Sequence[Value]], what: str) -> Response:
    """Returns a list as an xlsx or csv file.

    `rows` come from the reader's own scoped session; `what` goes into the access log.

    Raises `KeyError` for a form that is neither "xlsx" nor "csv", and `ProofNeeded` before any row is read.
    """
    require_proof(file=True)
    return attachment(export(form, columns, rows, language(), name), form, name, what)


def attachment(data: bytes, form: str, name: str, what: str) -> Response:
    """Returns a file to save under a name; notes it before it is sent. Raises `ProofNeeded`."""
    require_proof(file=True)
    note_export(deployment().context.store, g.viewer.person_id, what, now())
    response = Response(data, content_type=TYPES[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    response.headers["Cache-Control"] = "no-store"
    return response
