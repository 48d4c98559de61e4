"""What a mapping file says of the flows, word by word: people of deals, return to nurture, hand-over.

Steps of the grammar fill these in; the compiler reads them. A draft keeps the place of everything, so that a
later step can still point at the line.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mappings.errors import At
from mappings.source import Node, Text


@dataclass(slots=True)
class PeopleDraft:
    """`people:` of a deal: whose roles count, and which deal a person with several shows."""

    at: At
    roles: tuple[Text, ...] = ()
    one_of_many: tuple[Text, ...] = ()


@dataclass(slots=True)
class ReturnRouteDraft:
    """Where people go for one reason: a list, when to wake them (seconds), or nowhere (`none`)."""

    at: At
    list: Text | None = None
    wake: float = 0.0
    wake_from: Text | None = None
    wake_to: Text | None = None
    none: Text | None = None


@dataclass(slots=True)
class BlankReasonDraft:
    """`blank_reason:`: who is reminded, after how long (seconds), and which reason counts then."""

    at: At
    remind: Text | None = None
    subject: Text | None = None
    after: float = 0.0
    then: Text | None = None


@dataclass(slots=True)
class RecycleDraft:
    """`recycle:` of a deal, and `rejected:` of a hand-over."""

    at: At
    when: Node | None = None
    wait: float | None = None
    never: tuple[Text, ...] = ()
    by: Text | None = None
    routes: dict[str, ReturnRouteDraft] = field(default_factory=dict)
    routes_at: dict[str, At] = field(default_factory=dict)
    blank_reason: BlankReasonDraft | None = None
    other_reason: Text | None = None


@dataclass(slots=True)
class UnworkedDraft:
    """`unworked:`: people whom sales did not touch for so many seconds go to a list."""

    at: At
    after: float = 0.0
    condition: Node | None = None
    list: Text | None = None
    wake: float = 0.0


@dataclass(slots=True)
class TaskDraft:
    """`task:` of a hand-over."""

    at: At
    subject: Text | None = None
    due: float = 0.0
    owner: Text | None = None
    reasons: tuple[Text, ...] = ()


@dataclass(slots=True)
class HandOverDraft:
    """`hand_over:`: who is handed to sales, how, and what becomes of people whom sales gave back."""

    at: At
    when: Node | None = None
    task: TaskDraft | None = None
    notice: Text | None = None
    never: tuple[Text, ...] = ()
    rejected: RecycleDraft | None = None
    unworked: UnworkedDraft | None = None


@dataclass(slots=True)
class ThresholdDraft:
    """One named threshold of thresholds.yaml."""

    enter: int | None = None
    leave: int | None = None
    dwell: float = 0.0
