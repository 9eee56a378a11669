"""What the commands share: the language of the terminal and the installation's database."""

from __future__ import annotations

from engine.store.session import Store, open_store
from web.cli_check import language_here
from web.settings import load_settings

__all__ = ["language_here", "opened"]


def opened(database: str | None = None) -> Store:
    """The installation's store, or the one at another URL."""
    return open_store(database or load_settings().database_url)
