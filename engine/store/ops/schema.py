"""Creates and upgrades the database with Alembic, called from the program itself."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from engine.store.session import Store

STOCK_FROM = 10_000  # cases; at ten times as many it takes 5 ms
MIGRATIONS = Path(__file__).parents[1] / "migrations"


def alembic_config(store: Store) -> Config:
    """Returns the configuration with which Alembic's commands work on this database."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = store.engine
    return config


def upgrade(store: Store) -> None:
    """Brings the database to the newest schema, from nothing or from any earlier one; updates SQLite's statistics.

    Only the owner may read a new SQLite file, and its log, which takes over the file mode.
    """
    if store.is_sqlite and store.url.database not in {None, "", ":memory:"}:
        Path(str(store.url.database)).touch(mode=0o600)
    command.upgrade(alembic_config(store), "head")
    if store.is_sqlite:
        take_stock(store)


def take_stock(store: Store) -> None:
    """Updates SQLite's statistics of indexes, so that it takes the narrowest index. PostgreSQL does this by itself.

    It skips a small database: SQLite would still use these statistics when the database has grown.
    """
    with store.engine.begin() as connection:
        if (connection.exec_driver_sql("SELECT max(id) FROM cases").scalar() or 0) > STOCK_FROM:
            connection.exec_driver_sql("PRAGMA analysis_limit = 400")
            connection.exec_driver_sql("ANALYZE")


def revisions(store: Store) -> tuple[str | None, str | None]:
    """Returns the schema of the database (None: none) and the newest schema."""
    head = ScriptDirectory.from_config(alembic_config(store)).get_current_head()
    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head
