"""Errors, named by what to do next.

RenkeiError
 +- Fatal            stop this system and tell a person (credentials, permission, broken contract)
 |   +- LeaseLost    another process owns the store: stop at once
 +- Retryable        nothing was executed: try again after `after` seconds
 |   +- QuotaSpent   the day's calls are used up: try again when the window resets
 +- RequestRefused   nothing was executed, and the same request can never succeed (a batch refused whole)
 +- InDoubt          the request left and no usable answer came: read before anything is sent again
UnknownValue is a value, not a failure: a picklist word that no rule lists; it holds one field.
What a vendor refuses of one record or field is no exception either, but an outcome with a code of the vendor's and a
meaning of ours (Meaning).
"""

from __future__ import annotations

from enum import StrEnum


class Meaning(StrEnum):
    """What a refusal of one record or field means for whoever has to mend it; docs/operations.md has the next steps.

    `other`: a code that the connector's table does not list.
    """

    PERMISSION = "permission"
    REQUIRED = "required"
    LENGTH = "length"
    PICKLIST = "picklist"
    VALUE = "value"
    RULE = "rule"
    DUPLICATE = "duplicate"
    REFERENCE = "reference"
    SCHEMA = "schema"
    LOCK = "lock"
    GONE = "gone"
    SIZE = "size"
    SETTING = "setting"
    IGNORED = "ignored"
    DOUBT = "doubt"
    OTHER = "other"


class RenkeiError(Exception):
    """Base of all errors: the message is one sentence of what happened, `next_step` what to do."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.message} Next: {self.next_step}" if self.next_step else self.message


class Fatal(RenkeiError):
    """Nothing more can be done with this system until a person acts."""


class LeaseLost(Fatal):
    """Another process has taken over the store; this one must stop writing at once."""


class Retryable(RenkeiError):
    """The vendor did not execute the request; `after` is the wait in seconds."""

    def __init__(self, message: str, after: float = 1.0, next_step: str = "") -> None:
        super().__init__(message, next_step)
        self.after = after


class QuotaSpent(Retryable):
    """The vendor's daily quota is used up; `after` reaches to its reset."""


class RequestRefused(RenkeiError):
    """The vendor refused the whole request and would refuse it again; `code` is the vendor's own, `meaning` ours."""

    def __init__(
        self, message: str, code: str = "", next_step: str = "", meaning: Meaning = Meaning.OTHER
    ) -> None:
        super().__init__(message, next_step)
        self.code = code
        self.meaning = meaning


class InDoubt(RenkeiError):
    """The request may or may not have been executed."""


class UnknownValue(Exception):
    """A vendor's value that the mapping does not list; carries the value as read."""

    def __init__(self, raw: object) -> None:
        super().__init__("value not listed")
        self.raw = raw
