"""Who may write the journal: one owner at a time, by a lease that ends and a fencing number that only grows.

It decides when a lease is free, taken over or lost. The number is read in the transaction of every write, so an
owner that slept through its lease can never write again once somebody else has begun. It may not know what is
written. A lease that has run out and that nobody took is simply renewed.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from state.sql import Statement, insert_first
from state.tables import LEASE
from sync.errors import Fatal, LeaseLost
from sync.ports import Clock

COPY = "a copy"  # the owner of a journal that was copied and has not been opened since


def this_process() -> str:
    """The name under which this process owns a journal: host:pid."""
    return f"{socket.gethostname()}:{os.getpid()}"


def may_live(owner: str) -> bool:
    """False only if `owner` is a `this_process` of this host whose process has ended."""
    host, _, pid = owner.rpartition(":")
    if host != socket.gethostname() or not pid.isdecimal():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def call_a_copy(connection: Connection) -> None:
    """Have the next owner of a journal know that it was copied; nobody's lease holds there."""
    connection.execute(update(LEASE).values(owner=COPY, expires=0.0))


class Lease:
    """One owner's hold on a journal; its methods run inside the caller's write transaction."""

    def __init__(
        self, owner: str, seconds: float, clock: Clock, *, alive: Callable[[str], bool] = may_live
    ) -> None:
        self._owner = owner
        self._seconds = seconds
        self._clock = clock
        self._alive = alive
        self._fence = 0
        self._expires = 0.0

    def prepare(self, connection: Connection) -> None:
        """Compile the statements for this connection's database."""
        dialect = connection.dialect
        one = LEASE.c.id == 1
        named: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("owner", "fence", "expires")}
        self._read = Statement(select(LEASE.c.owner, LEASE.c.fence, LEASE.c.expires).where(one), dialect)
        self._write = Statement(update(LEASE).where(one).values(named), dialect)
        self._begin = Statement(insert_first(LEASE, id=1, owner="", fence=0, expires=0.0), dialect)

    def refuse_if_owned(self, connection: Connection) -> None:
        """Raises Fatal while another process that may live holds the lease."""
        for owner, _fence, expires in self._read.run(connection):
            rest = expires - self._clock.now()
            if owner and owner != self._owner and rest > 0 and self._alive(owner):
                raise Fatal(
                    f"Another renkei ({owner}) works on this state.",
                    f"stop it, or wait {max(1, round(rest))} s after it has ended",
                )

    def acquire(self, connection: Connection) -> bool:
        """Become the owner, with a new fencing number; raises Fatal while another one is. True if nobody has opened
        this journal since it was copied."""
        self._begin.run(connection)
        self.refuse_if_owned(connection)
        ((owner, fence, _expires),) = self._read.run(connection)
        self._fence = fence + 1
        self._renew(connection)
        return bool(owner == COPY)

    def check(self, connection: Connection) -> None:
        """Raises LeaseLost if somebody else took over; renews when less than half of the lease is left."""
        rows = self._read.run(connection)
        if not rows or rows[0][1] != self._fence:
            raise LeaseLost(
                "Another renkei has taken over this state.", "stop this one; the other one goes on"
            )
        if self.left() < self._seconds / 2:
            self._renew(connection)

    def release(self, connection: Connection) -> None:
        """Give the lease back, unless somebody else holds it by now."""
        if [row[1] for row in self._read.run(connection)] == [self._fence]:
            self._write.run(connection, new_owner="", new_fence=self._fence, new_expires=0.0)

    def left(self) -> float:
        """Seconds for which nobody else may take over."""
        return self._expires - self._clock.now()

    def _renew(self, connection: Connection) -> None:
        expires = self._clock.now() + self._seconds
        self._write.run(connection, new_owner=self._owner, new_fence=self._fence, new_expires=expires)
        self._expires = expires
