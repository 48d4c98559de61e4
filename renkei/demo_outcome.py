"""What came of the demo, in figures and in one line: persons, hand-overs, returns, opt-outs.

It decides when all is well. Every figure but the convergence is the judge's, who knows only the vendors' ledgers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from renkei.agreement import Agreement
from renkei.filling import filled

# What the judge calls an offence, by the word of the last line under which it is counted.
HAND_OVERS: Mapping[str, tuple[str, ...]] = {
    "double": ("double hand-over",),
    "missed": ("missed hand-over",),
    "wrong": ("hand-over without a crossing", "hand-over of somebody excluded", "task of nobody"),
}
RETURNS: Mapping[str, tuple[str, ...]] = {
    "double": ("double return",),
    "missing": ("missing return",),
    "wrong": (
        "wrong list",
        "return without a closing",
        "return of somebody excluded",
        "return of nobody",
        "left in nurture",
    ),
}
AMOUNTS, FIRMS, UNDONE = ("won amount differs",), ("duplicate account",), ("withdrawn opt-out",)
# What waits for a person by right: a word or a reason that the mapping does not list.
ASKED = frozenset({"unknown_reason", "unknown_value"})


@dataclass(slots=True)
class Notices:
    """What the channel was told: messages, and how many of them came more than once."""

    told: int = 0
    twice: int = 0


@dataclass(slots=True)
class Outcome:
    """What came of it. `left`: what the engine still has to do, by state; `asked`: questions that wait by right."""

    agreement: Agreement = field(default_factory=Agreement)
    firms: Agreement = field(default_factory=Agreement)
    verdict: dict[str, Any] = field(default_factory=dict)
    flows: dict[str, Any] = field(default_factory=dict)
    notices: Notices = field(default_factory=Notices)
    came_to_rest: bool = False
    left: dict[str, int] = field(default_factory=dict)
    asked: int = 0

    @property
    def converged(self) -> int:
        """Persons whose records mean the same wherever they stand."""
        return self.agreement.persons - len(self.agreement.wrong)

    def offences(self, *kinds: str) -> int:
        """How many of these kinds the ledgers show; what both judges see counts once."""
        one, other = (Counter(each.get("counts", {})) for each in (self.verdict, self.flows))
        return sum(max(one[kind], other[kind]) for kind in kinds)

    def count(self, name: str) -> int:
        """A figure of the judge of the flows."""
        return int(self.flows.get("counts", {}).get(name, 0))

    @property
    def well(self) -> bool:
        """True if everything is as promised."""
        judged = bool(self.verdict.get("ok")) and bool(self.flows.get("ok"))
        agreed = not self.agreement.wrong and not self.firms.wrong
        return (
            judged and agreed and self.came_to_rest and not self.notices.twice and not any(self.left.values())
        )

    @property
    def last_line(self) -> str:
        """The one line that scripts look for."""
        word = "converged" if self.well else "NOT converged"
        double = self.notices.twice  # a notice that came twice is a hand-over told twice
        hand_overs = ", ".join(
            f"{self.offences(*kinds) + double * (name == 'double')} {name}"
            for name, kinds in HAND_OVERS.items()
        )
        returns = ", ".join(f"{self.offences(*kinds)} {name}" for name, kinds in RETURNS.items())
        said = filled(
            "{doubles:duplicate}, {lost:lost edit} · {tasks:hand-over}, {hand_overs} · {returned:return}, {returns} · "
            "{undone:opt-out} undone",
            {
                "doubles": self.offences("duplicate"), "lost": self.offences("lost edit"),
                "tasks": self.count("tasks"), "hand_overs": hand_overs,
                "returned": self.count("returns"), "returns": returns, "undone": self.offences(*UNDONE),
            },
        )  # fmt: skip
        return f"{word}: {self.converged:,}/{self.agreement.persons:,} persons, {said}"
