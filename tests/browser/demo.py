"""The demo as it is at its first moment, served as `ralop serve` serves it, for checks and pictures that look at it."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Thread

from engine.core.time_source import Frozen
from engine.simulation.demo import NOW, build_demo
from engine.store.ops.schema import upgrade
from engine.store.session import open_store
from tests.ports import await_listener, free_port
from web.app import create_app
from web.cli.demo import demo_files
from web.serving.server import Server
from web.site.composition import build_context
from web.site.settings import load_settings


@contextmanager
def demo(folder: Path) -> Iterator[str]:
    """Build the demo in an empty folder; its address, no slash at the end."""
    settings = load_settings({**os.environ, "RALOP_INSTANCE": str(folder), "RALOP_LANGUAGE": "vi"})
    with closing(open_store(f"sqlite:///{folder / 'ralop.db'}")) as store:
        upgrade(store)
        context = build_context(settings, NOW, store)
        build_demo(context, demo_files())
        port = free_port()
        server = Server(create_app(settings, context=context, clock=Frozen(NOW)), "127.0.0.1", port)
        thread = Thread(target=server.run, name="demo", daemon=True)
        thread.start()
        await_listener(port)
        yield f"http://127.0.0.1:{port}"
        server.stop()
        thread.join(5)
