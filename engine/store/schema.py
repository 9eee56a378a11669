"""Makes and upgrades the database: Alembic, called from the program itself."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from engine.store.session import Store

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def _config(store: Store) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = store.engine
    return config


def upgrade(store: Store) -> None:
    """Bring the database to the newest schema, from nothing or from any earlier one."""
    command.upgrade(_config(store), "head")


def revisions(store: Store) -> tuple[str | None, str | None]:
    """The schema that the database has (None: none at all) and the newest there is."""
    head = ScriptDirectory.from_config(_config(store)).get_current_head()
    with store.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision(), head


def is_current(store: Store) -> bool:
    """Whether the database has the newest schema."""
    here, newest = revisions(store)
    return here == newest


def new_revision(store: Store, message: str) -> None:
    """Write a migration from the difference between the models and the database (for developers)."""
    command.revision(_config(store), message, autogenerate=True)
