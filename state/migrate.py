"""Bringing a journal's schema up to date, or refusing one that is newer than this program.

It decides which steps run; all of them run in the caller's transaction, so a crash leaves the old schema.
The steps lie beside this file and need no settings file. It may not know what the tables are for.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect

from sync.errors import Fatal

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
_VERSION_TABLE = "alembic_version"


def revision(connection: Connection) -> str:
    """The schema's revision ("" = no journal yet)."""
    if not inspect(connection).has_table(_VERSION_TABLE):
        return ""
    rows = connection.exec_driver_sql(f"SELECT version_num FROM {_VERSION_TABLE}").fetchall()  # noqa: S608
    return str(rows[0][0]) if rows else ""


def upgrade(connection: Connection) -> None:
    """Run every missing step in the caller's transaction; raises Fatal if the schema is newer than this program."""
    found = revision(connection)
    if found == HEAD:
        return
    from alembic import command

    config = configuration(connection)
    _refuse_newer(found, config)
    command.upgrade(config, HEAD)


def require_current(connection: Connection) -> None:
    """Raises Fatal unless the schema is the one that this program reads."""
    found = revision(connection)
    if found == HEAD:
        return
    if found and found > HEAD:
        raise _newer(found)
    raise Fatal(
        "The state was written by an older renkei.", "start the daemon or a sync once; it converts the state"
    )


def configuration(connection: Connection) -> Config:
    """Alembic's settings, made here: where the steps lie, and the connection to use."""
    from alembic.config import Config

    config = Config()
    folder = Path(__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _refuse_newer(found: str, config: Config) -> None:
    from alembic.script import ScriptDirectory

    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if found and found not in known:
        raise _newer(found)


def _newer(found: str) -> Fatal:
    return Fatal(
        f"The state was written by a newer renkei (schema {found}; this one reads up to {HEAD}).",
        "install the newer version again, or restore the backup made before the upgrade",
    )
