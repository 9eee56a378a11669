"""Makes and upgrades the database: Alembic, called from the program itself."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from engine.store.session import Store

STOCK_FROM = 10_000  # cases; it takes 5 ms at ten times as many
MIGRATIONS = Path(__file__).parents[1] / "migrations"


def alembic_config(store: Store) -> Config:
    """What Alembic's commands work with on this database."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = store.engine
    return config


def upgrade(store: Store) -> None:
    """Bring the database to the newest schema, from nothing or from any earlier one; SQLite learns what is in it.

    A new file of SQLite's may be read by its owner alone, and so may the log beside it, which takes its mode from it.
    """
    if store.is_sqlite and store.url.database not in {None, "", ":memory:"}:
        Path(str(store.url.database)).touch(mode=0o600)
    command.upgrade(alembic_config(store), "head")
    if store.is_sqlite:
        take_stock(store)


def take_stock(store: Store) -> None:
    """Let SQLite count what its indexes hold (PostgreSQL does so by itself), so that it takes the narrowest one.

    A database that is still small is left alone: SQLite would go by its few rows when it has grown.
    """
    with store.engine.begin() as connection:
        if (connection.exec_driver_sql("SELECT max(id) FROM cases").scalar() or 0) > STOCK_FROM:
            connection.exec_driver_sql("PRAGMA analysis_limit = 400")
            connection.exec_driver_sql("ANALYZE")


def revisions(store: Store) -> tuple[str | None, str | None]:
    """The schema that the database has (None: none at all) and the newest there is."""
    head = ScriptDirectory.from_config(alembic_config(store)).get_current_head()
    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head
