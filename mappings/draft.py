"""What one mapping file says, word by word, before names are resolved: the grammar's places as plain data.

Steps of the grammar fill these in; the compiler reads them. A draft keeps the place of everything, so that a
later step can still point at the line.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from mappings.errors import START, At
from mappings.flowdrafts import HandOverDraft, PeopleDraft, RecycleDraft
from mappings.source import Map, Node, Text

ON_PEOPLE = "(people)"  # stands for the objects of the people on whom a deal's fields are written


@dataclass(slots=True)
class ComputeDraft:
    """`compute:`: exactly one of join, bands and sum; `of` and `when` belong to sum."""

    at: At
    join: tuple[Text, ...] | None = None
    separator: str = ""
    bands: Text | None = None
    sum: Text | None = None
    of: Text | None = None
    when: Node | None = None


@dataclass(slots=True)
class RowDraft:
    """One line under `fields:` or one topic under `consent:`; `cells` keeps the columns in written order.

    `broken`: a word of the line was refused, so that what is missing may be missing because of that.
    """

    name: Text
    cells: dict[str, Node] = field(default_factory=dict)
    places: dict[str, At] = field(default_factory=dict)
    flow: Text | None = None
    type: Text | None = None
    compute: ComputeDraft | None = None
    values: Map | None = None
    values_file: Text | None = None
    region: str = "JP"
    scale: int | None = None
    on_create_blank: Text | None = None
    create_only: bool = False
    conflict: Text | None = None
    first: Text | None = None
    blank: str | None = None
    drift: str | None = None
    stages: bool = False
    true_means: str | None = None
    blank_closes_gates: bool = False
    when: Node | None = None
    unlisted: Text | None = None
    to: Text | None = None
    missing: str = "wait"
    by: Text | None = None
    currency: Text | None = None
    rate_of: Text | None = None
    broken: bool = False

    @property
    def at(self) -> At:
        """Where the row begins."""
        return self.name.at

    def place(self, word: str) -> At:
        """Where a word of the row stands (its value), else the row itself."""
        return self.places.get(word, self.at)


@dataclass(slots=True)
class ObjectDraft:
    """`objects:` of one system."""

    at: At
    create: str = ""
    follow: tuple[str, ...] = ()
    fields_on: Text | None = None


@dataclass(slots=True)
class MatchDraft:
    """One line of `match:`."""

    at: At
    same: tuple[Text, ...] = ()
    unless_role: bool = False


@dataclass(slots=True)
class CreateDraft:
    """`create:` of one system."""

    at: At
    when: Node | None = None
    need: tuple[Text, ...] = ()


@dataclass(slots=True)
class DefaultsDraft:
    """`defaults:`: what holds for rows that say nothing themselves."""

    conflict: Text | None = None
    first: Text | None = None
    blank: str = "keep"


@dataclass(slots=True)
class LimitDraft:
    """One brake of `limits:`; None = as without the line."""

    number: int | None = None
    share: float | None = None


@dataclass(slots=True)
class ExampleDraft:
    """One line of `examples:`: vendor values given and expected, by system and path."""

    at: At
    name: str = ""
    given: dict[str, Map] = field(default_factory=dict)
    expect: dict[str, Map] = field(default_factory=dict)


@dataclass(slots=True)
class FileDraft:
    """A whole mapping file."""

    file: str
    route: str = ""
    route_at: At = START
    kind: str = ""
    systems: tuple[Text, ...] = ()
    shadow: bool = False
    objects: dict[str, ObjectDraft] = field(default_factory=dict)
    defaults: DefaultsDraft = field(default_factory=DefaultsDraft)
    rows: list[RowDraft] = field(default_factory=list)
    match: list[MatchDraft] = field(default_factory=list)
    create: dict[str, CreateDraft] = field(default_factory=dict)
    scope: dict[str, Node] = field(default_factory=dict)
    consent_at: At | None = None
    authority: Text | None = None
    topics: list[RowDraft] = field(default_factory=list)
    limits: dict[str, LimitDraft] = field(default_factory=dict)
    examples: list[ExampleDraft] = field(default_factory=list)
    zone: str = "UTC"
    flow_nodes: dict[str, Node] = field(default_factory=dict)
    people: PeopleDraft | None = None
    recycle: RecycleDraft | None = None
    hand_over: HandOverDraft | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The configured names of the systems, left first."""
        return tuple(text.text for text in self.systems)
