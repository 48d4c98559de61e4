"""How a step of the schema runs: on the connection that `state.migrate` hands over, in its transaction."""

from __future__ import annotations

from alembic import context

from state.tables import Table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
