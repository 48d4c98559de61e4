"""Owners by e-mail address: `Owner.Email` may be written, and becomes the id of an active user.

Decides which user an address means, and that an address which means nobody, or several, refuses this one field with a
sentence of its own. Addresses are looked up in one query for many and remembered for a while, because people join and
leave. Source: the vendor's pages on the objects User and Lead (`OwnerId`).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from connectors.salesforce import soql
from connectors.salesforce.client import SalesforceClient
from connectors.salesforce.ids import full_id
from sync.ports import FieldError, Write
from sync.record import Raw

OWNER, USER, PATH, COLUMN = "Owner", "User", "Owner.Email", "OwnerId"
REMEMBERED = 900.0


class _User(NamedTuple):
    """What an address was found to mean, and until when that is believed (unix seconds)."""

    id: str
    until: float


class Owners:
    """Users by address; safe to share between threads."""

    def __init__(self, client: SalesforceClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._users: dict[str, _User] = {}

    def resolved(self, writes: Sequence[Write]) -> list[Write | FieldError]:
        """The writes with ids instead of addresses, or why the owner of one cannot be written."""
        addresses = {str(write.values[PATH]).strip().casefold() for write in writes if write.values.get(PATH)}
        users, wrong = self._known(addresses), dict[str, FieldError]()
        if missing := sorted(addresses - users.keys()):
            self._look_up(missing, users, wrong)
        return [self._one(write, users, wrong) if PATH in write.values else write for write in writes]

    def forget(self) -> None:
        """A user that was believed in was refused: ask anew."""
        with self._lock:
            self._users.clear()

    @staticmethod
    def _one(write: Write, users: Mapping[str, str], wrong: Mapping[str, FieldError]) -> Write | FieldError:
        address = str(write.values[PATH] or "").strip().casefold()
        if not address:
            return _error("no_owner", "A record always has an owner; a blank cannot be written.")
        if address in wrong:
            return wrong[address]
        values = {path: value for path, value in write.values.items() if path != PATH}
        return write._replace(values={**values, COLUMN: users[address]})

    def _known(self, addresses: set[str]) -> dict[str, str]:
        now = self._client.clock.now()
        with self._lock:
            held = {address: self._users.get(address) for address in addresses}
        return {address: user.id for address, user in held.items() if user and user.until > now}

    def _look_up(self, addresses: Sequence[str], users: dict[str, str], wrong: dict[str, FieldError]) -> None:
        active: dict[str, set[str]] = {}
        met: set[str] = set()
        for query in soql.having(USER, ("Id", "Email", "IsActive"), "Email", "email", addresses):
            for row in self._client.query_all_pages(query):
                address = str(row.get("Email")).casefold()
                met.add(address)
                if row.get("IsActive") is True:
                    active.setdefault(address, set()).add(full_id(str(row["Id"])))
        until = self._client.clock.now() + REMEMBERED
        for address in addresses:
            bearers = active.get(address, set())
            if len(bearers) == 1:
                users[address] = bearers.pop()
                with self._lock:
                    self._users[address] = _User(users[address], until)
            else:
                wrong[address] = _nobody(address in met, len(bearers))


def named(values: Mapping[str, Raw], errors: Sequence[FieldError]) -> tuple[FieldError, ...]:
    """Errors under the paths that were to be written: the owner's id stands for the owner's address."""
    if PATH not in values:
        return tuple(errors)
    return tuple(error._replace(path=PATH) if error.path == COLUMN else error for error in errors)


def _nobody(met: bool, active: int) -> FieldError:
    if active:
        return _error(
            "several_owners", "Several active users have this e-mail address; leave it with one of them."
        )
    if met:
        return _error(
            "inactive_owner", "The user with this e-mail address is inactive; name an active one as owner."
        )
    return _error(
        "unknown_owner", "No user has this e-mail address; correct it, or give the owner a user account."
    )


def _error(code: str, message: str) -> FieldError:
    return FieldError(PATH, code, message)
