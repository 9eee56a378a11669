"""Runs the migrations on the engine that `engine.store.ops.schema` hands over."""

from alembic import context

from engine.store.tables import Base

# Made by hand in the migrations, because the models cannot say them.
BY_HAND = ("pupil_search", "ix_pupils_words")


def _compared(name: str | None, _kind: str, _parents: object) -> bool:
    return not (name or "").startswith(BY_HAND)


engine = context.config.attributes["engine"]

with engine.connect() as connection:
    context.configure(connection=connection, target_metadata=Base.metadata, include_name=_compared)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
