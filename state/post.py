"""A person's word, put into the journal from beside its owner.

It decides that such a word is one row of its own and nothing else: the owner's lease is neither asked for nor
touched, and the row's number is taken from the same sequence as everything else. It may not know what is commanded.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError

from state import migrate
from state.journal import transaction
from state.sql import Statement, as_fatal, insert_first, open_database
from state.tables import SEQUENCE, table_of
from sync.rows import CommandRow


def post_command(place: str | Path, row: CommandRow, *, wait: float = 10.0) -> int:
    """Insert a command, whatever its own number says, and give the number that it got; durable when this returns.

    `wait`: seconds for the owner's own short writes. Raises Fatal where there is no journal, or one of another schema.
    """
    if not Path(place).exists():
        open_database(place, read_only=True)  # says so
    engine = open_database(place, wait=wait)
    try:
        with engine.connect() as connection, transaction(connection):
            migrate.require_current(connection)
            dialect = connection.dialect
            reached = Statement(select(SEQUENCE.c.next).where(SEQUENCE.c.name == "main"), dialect)
            Statement(insert_first(SEQUENCE, name="main", next=1), dialect).run(connection)
            ((number,),) = reached.run(connection)
            advance = update(SEQUENCE).where(SEQUENCE.c.name == "main").values(next=bindparam("reached"))
            Statement(advance, dialect).run(connection, reached=number + 1)
            table = table_of(CommandRow)
            new = insert(table).values({column.name: bindparam(column.name) for column in table.c})
            Statement(new, dialect).run(connection, **row._replace(id=number)._asdict())
            return int(number)
    except DBAPIError as error:
        raise as_fatal(error) from error
    finally:
        engine.dispose()
