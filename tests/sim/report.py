"""What a run of schedules proves: how often each fault struck, each cell of the truth table and each row of the table
of events was come to, and what was not come to at all.

Only schedules count that the oracle has judged at their end: what happens in one that was never judged is no proof.
Of a narrow profile only that is asked for which it has a weight. Decides nothing about schedules.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.sim.coverage import ANSWERED, CELLS, DISCARD, ROWS, UNDONE
from tests.sim.driver import Result
from tests.sim.profiles import EVERYTHING, PROFILES, Profile
from tests.sim.table import TABLE

ENOUGH = 1_000
"""Schedules from which on nothing may be missing."""
ACTS = {
    "collide": "collisions", "delete": "deletes", "restore": "restores", "merge": "merges",
    "convert": "conversions", "borrow": "addresses borrowed", "share": "addresses shared",
    "reuse": "addresses used again", "hide": "fields hidden", "seal": "fields sealed",
    "remap": "mapping changed", "empty": "fields emptied",
}  # fmt: skip
MORE = ("edits", "losers", "twins", "opt-outs", "calls of several rows")
SAID = {
    UNDONE: "tests/sync/test_undo.py",
    ANSWERED: "tests/sync/test_commands.py",
    DISCARD: "tests/sync/test_commands.py",
}
"""Rows of the table of events that are persons' words to the engine, and what proves them."""


@dataclass(slots=True)
class Tally:
    """Figures of a run under one profile; `seconds` of processor time."""

    profile: str
    schedules: int = 0
    judged: int = 0
    seconds: float = 0.0
    counts: Counter[str] = field(default_factory=Counter)
    fired: Counter[str] = field(default_factory=Counter)
    reached: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """One more schedule."""
        self.schedules += 1
        if result.judged:
            self.judged += 1
            self.counts.update(result.counts)
            self.fired.update(result.fired)
            self.reached.update(result.reached)

    def join(self, other: Mapping[str, object]) -> None:
        """Take in the figures of another part of the run, as `figures` gives them."""
        for name in ("schedules", "judged", "seconds"):
            setattr(self, name, getattr(self, name) + other[name])
        for name in ("counts", "fired", "reached"):
            getattr(self, name).update(other[name])

    def figures(self) -> dict[str, object]:
        """Everything as plain data."""
        return {
            "profile": self.profile, "schedules": self.schedules, "judged": self.judged,
            "seconds": round(self.seconds, 3), "counts": dict(sorted(self.counts.items())),
            "fired": dict(sorted(self.fired.items())), "reached": dict(sorted(self.reached.items())),
        }  # fmt: skip

    def often(self, name: str) -> int:
        """How often something happened, whatever kind of thing it is."""
        return self.counts[name] + self.fired[name] + self.reached[name]


def wanted(profile: Profile) -> tuple[str, ...]:
    """Everything that a run under a profile must have come to: all that there is if it is a complete one, else what it
    has a weight for; both tables wherever all faults are in play."""
    if profile.complete:
        switches = [name for fault in TABLE for name in fault.switches]
        return (*dict.fromkeys((*switches, *MORE)), *CELLS, *(row for row in ROWS if row not in SAID))
    names = [*profile.faults, *(name for act, name in ACTS.items() if profile.weights.get(act)), *MORE]
    names += ["crashes", "unsynced rows lost"] if any(profile.crashes[1:]) else []
    names += ["acts in mid-cycle"] if profile.mid else []
    names += ["long transactions"] if profile.late else []
    tables = (
        (*CELLS, *(row for row in ROWS if row not in SAID))
        if profile.faults.keys() >= EVERYTHING.keys()
        else ()
    )
    return (*dict.fromkeys(names), *tables)


def missing(tally: Tally) -> list[str]:
    """What a run has not come to at all."""
    return [name for name in wanted(PROFILES[tally.profile]) if not tally.often(name)]


def lacks(tally: Tally, enough: int = ENOUGH) -> list[str]:
    """A line for each thing that is missing from a run that is large enough."""
    return [f"NEVER {name}: 0 hits" for name in missing(tally)] if tally.schedules >= enough else []


def as_text(tally: Tally, enough: int = ENOUGH) -> str:
    """The report for a reader."""
    profile = PROFILES[tally.profile]
    speed = tally.schedules / tally.seconds if tally.seconds else 0.0
    lines = [
        f"{tally.schedules} schedules, {tally.judged} judged, in {tally.seconds:.1f} CPU s, {speed:.1f} a second"
    ]
    lines += [f"  {name}: {count}" for name, count in sorted(tally.counts.items())]
    for fault in TABLE:
        told = ", ".join(f"{name} {tally.often(name)}" for name in fault.switches)
        lines.append(
            f"  F{fault.number:<3}{fault.what}: {told or 'elsewhere: ' + ', '.join(fault.elsewhere)}"
        )
    lines += [f"  cell {name}: {tally.reached[name]}" for name in CELLS]
    lines += [f"  event {name}: {tally.reached[name] or SAID.get(name, 0)}" for name in ROWS]
    lines.append("  weights of faults: " + _weights(profile.faults))
    lines.append("  weights of acts: " + _weights(profile.weights))
    lines += lacks(tally, enough)
    if tally.schedules < enough:
        lines.append(f"  nothing is said of what is missing below {enough} schedules")
    return "\n".join(lines)


def as_json(tally: Tally, enough: int = ENOUGH) -> str:
    """The report for a program."""
    profile = PROFILES[tally.profile]
    weights = {"faults": dict(profile.faults), "acts": dict(profile.weights)}
    told = tally.figures() | {"weights": weights, "enough": enough, "missing": missing(tally)}
    return json.dumps(told, indent=2)


def _weights(shares: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:g}" for name, share in sorted(shares.items()))
