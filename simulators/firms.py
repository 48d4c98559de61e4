"""Firms that do not exist, their offices, and the people who sell to them.

Decides names, numbers, domains and offices of firms from a seed; the corporate numbers carry a valid check digit and
start with digits that no real register gives. Knows no vendor.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Literal

from simulators import names

FirmKind = Literal["prospect", "customer", "competitor", "own"]
BRANCHES = ("大阪支店", "名古屋支店", "福岡営業所", "札幌営業所")
HEAD_OFFICE = "本社"
STAFF = (
    ("Kenta", "Mori"),
    ("Aoi", "Fujita"),
    ("Ren", "Okada"),
    ("Mai", "Ueda"),
    ("Jun", "Hara"),
    ("Emi", "Goto"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """One firm; `sites` starts with the head office, `corporate_number` has 13 digits."""

    number: int
    name: str
    domain: str
    corporate_number: str
    sites: tuple[str, ...]
    kind: FirmKind
    industry: tuple[str, str]


def corporate_number(number: int) -> str:
    """Give a number of 13 digits whose first one is the check digit."""
    base = f"99{number:010d}"
    return f"{check_digit(base)}{base}"


def check_digit(base: str) -> int:
    """Give the check digit of twelve digits (National Tax Agency, rule on corporate numbers)."""
    weighted = sum(int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(base)))
    return 9 - weighted % 9


def firms(rng: random.Random, count: int) -> list[Firm]:
    """Make firms; the last one is the sellers' own, the one or two before it are competitors."""
    rivals = 2 if count > 10 else 1
    kinds: list[FirmKind] = [
        "customer" if rng.random() < 0.15 else "prospect" for _ in range(count - rivals - 1)
    ]
    kinds.extend("competitor" for _ in range(rivals))
    kinds.append("own")
    return [_firm(rng, number, kind) for number, kind in enumerate(kinds)]


def _firm(rng: random.Random, number: int, kind: FirmKind) -> Firm:
    branches = rng.sample(BRANCHES, rng.choice((0, 0, 0, 1, 1, 2, 3)))
    return Firm(
        number=number,
        name=f"株式会社{rng.choice(names.FIRMS)}{rng.choice(names.TRADES)}{number}",
        domain=f"{kind if kind != 'prospect' else 'firm'}{number}.example",
        corporate_number=corporate_number(number),
        sites=(HEAD_OFFICE, *branches),
        kind=kind,
        industry=rng.choice(names.INDUSTRIES),
    )
