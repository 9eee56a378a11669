"""What granian serves in a bench of pages: our application or its floor, on the database that the environment names."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

from bench import page_floor
from bench.country import NOW
from bench.data import definitions
from engine.core.time_source import Frozen
from engine.store.session import open_store
from engine.usecases.context import Context
from tests.pages import KEY
from web.app import create_app
from web.ops import logs
from web.site.settings import Settings

URL, CUT = "RALOP_BENCH_URL", "RALOP_BENCH_CUT"  # CUT: the file of the floor's pages; without it ours are served


def application() -> Any:
    """The WSGI application."""
    url, cut = os.environ[URL], os.environ.get(CUT)
    if cut:
        app = page_floor.make(url, KEY, Path(cut), definitions().calendar(""))
    else:
        logs.configure()  # a line for each request, as in use
        settings = Settings(database_url=url, instance=Path("instance"), secret_key=KEY)
        app = create_app(settings, context=Context(open_store(url), definitions()), clock=Frozen(NOW))
    gc.collect()
    gc.freeze()  # as `ralop serve` does
    return app
