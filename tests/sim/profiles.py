"""How wild a schedule is: shares of faults, of acts in mid-cycle, of crashes. Frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.sim.people import WEIGHTS
from tests.sim.restless import ADDRESSES, BLANKS, CONTACTS, CROSSINGS, PERMISSIONS, RULES

FAULTS: Mapping[str, float] = {
    "rate_limited": 0.02, "server_error": 0.015, "dropped_before": 0.02, "lost_after_commit": 0.04,
    "half_answer": 0.02, "acts_late": 0.04, "slow": 0.05, "row_refused": 0.02, "ignored_field": 0.01,
    "altered_value": 0.03, "late_visibility": 0.3, "equal_stamps": 0.2,
}  # fmt: skip
LINES: Mapping[str, float] = {
    "not_reached": 0.008, "timed_out_before": 0.008, "timed_out_after": 0.015, "delivered_twice": 0.02,
    "rate_window": 0.004, "session_lost": 0.015, "login_refused": 0.0015, "quota_spent": 0.0015,
    "maintenance": 0.0015, "wrong_schema": 0.01, "poison_record": 0.006, "fewer_results": 0.015,
    "rolled_back": 0.015, "field_refused": 0.02, "empty_page": 0.03, "row_twice": 0.1, "row_moves": 0.1,
    "cursor_expired": 0.03, "other_program": 0.03, "trigger": 0.05,
}  # fmt: skip
HOST: Mapping[str, float] = {"clock_step": 0.02}
EVERYTHING = {**FAULTS, **LINES, **HOST}
EVERYBODY = {**WEIGHTS, **ADDRESSES, **RULES, **PERMISSIONS}
CRASHES = (0.35, 0.35, 0.2, 0.1)
MAPPINGS = ("full", "narrow", "one way", "retyped", "reworded", "turned")


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """`faults`: shares by kind, of which a schedule uses a random part. `mid`: largest chance that somebody acts
    before a call or commit. `crashes`: weights of 0, 1, 2, 3 crashes. `late`: share of long transactions.
    `latency`: longest time that a call takes, in seconds. `again`: share of steps at which two cycles follow at once.
    `unseen`: share of records that a read by id leaves out. `tells`: share of schedules in which sales answers a write
    with the values that stand then. `mappings`: those among which administrators choose.
    `commands`: share of steps before which somebody commands the engine. `lasting`: one thing stays broken for ever.
    `complete`: a run that is large enough has to come to everything that there is.
    """

    faults: Mapping[str, float] = field(default_factory=dict)
    mid: float = 0.0
    crashes: tuple[float, ...] = (1.0,)
    late: float = 0.0
    latency: float = 0.2
    again: float = 0.08
    unseen: float = 0.005
    tells: float = 0.25
    persons: tuple[int, int] = (4, 12)
    steps: tuple[int, int] = (20, 60)
    weights: Mapping[str, float] = field(default_factory=lambda: dict(WEIGHTS))
    mappings: tuple[str, ...] = ("plain",)
    commands: float = 0.0
    lasting: bool = False
    complete: bool = False


PROFILES: Mapping[str, Profile] = {
    "calm": Profile(),
    "busy": Profile(mid=0.1),
    "faulty": Profile(faults=FAULTS),
    "crashing": Profile(crashes=(0.0, 0.4, 0.3, 0.3)),
    "hasty": Profile(faults={**FAULTS, "late_visibility": 0.7}, mid=0.1, latency=0.03, again=0.2),
    "default": Profile(faults=EVERYTHING, mid=0.1, crashes=CRASHES, late=0.15),
    "whole": Profile(
        faults=EVERYTHING, mid=0.1, crashes=CRASHES, late=0.15, weights=EVERYBODY, mappings=MAPPINGS, complete=True
    ),
    "wide": Profile(
        faults=EVERYTHING, mid=0.03, crashes=CRASHES, late=0.15, persons=(60, 60), steps=(200, 200)
    ),
    "forgetful": Profile(
        faults={**FAULTS, "ignored_field": 0.08, "lost_after_commit": 0.12}, mid=0.1, crashes=CRASHES, late=0.15
    ),
    "bin": Profile(
        faults={**FAULTS, "lost_after_commit": 0.12, "acts_late": 0.1}, mid=0.1, crashes=CRASHES, late=0.15,
        weights={**WEIGHTS, "delete": 6, "restore": 8},
    ),
    "mergers": Profile(
        faults={**FAULTS, "late_visibility": 0.7}, mid=0.1, latency=0.03, again=0.2,
        weights={**WEIGHTS, "merge": 6, "twin": 5, "restore": 5, "delete": 4, "convert": 5},
    ),
    "restored": Profile(faults={**FAULTS, "old_backup": 0.04}, mid=0.1, crashes=CRASHES, late=0.15),
    "commanded": Profile(faults={**FAULTS, "row_refused": 0.1}, mid=0.1, crashes=CRASHES, late=0.15, commands=0.15),
    "lasting": Profile(faults=FAULTS, mid=0.1, crashes=CRASHES, late=0.15, steps=(10, 30), lasting=True),
    "veiled": Profile(faults=FAULTS, mid=0.1, crashes=CRASHES, unseen=0.15),
    "curtained": Profile(
        faults={**FAULTS, "row_moves": 0.3, "row_refused": 0.1}, mid=0.2, late=0.4, unseen=0.4, again=0.15,
        steps=(20, 50), weights={**WEIGHTS, **CONTACTS, "create": 25, "edit": 30},
    ),
    "tardy": Profile(
        faults={**FAULTS, "late_visibility": 0.5, "answered_late": 0.3}, mid=0.1, latency=0.03, again=0.24, tells=0.8,
        weights={**WEIGHTS, **CROSSINGS},
    ),
    "shared": Profile(faults=FAULTS, mid=0.1, crashes=CRASHES, late=0.15, weights={**WEIGHTS, **ADDRESSES}),
    "inherited": Profile(
        faults=FAULTS, mid=0.1, crashes=CRASHES, late=0.15,
        weights={**WEIGHTS, **ADDRESSES, "mail": 14.0, "reuse": 12.0},
    ),
    "ruled": Profile(
        faults=FAULTS, mid=0.1, crashes=CRASHES, late=0.15, weights={**WEIGHTS, **RULES}, mappings=MAPPINGS
    ),
    "denied": Profile(
        faults=FAULTS, mid=0.1, crashes=CRASHES, weights={**WEIGHTS, **PERMISSIONS}, mappings=MAPPINGS[:1]
    ),
    "emptied": Profile(
        faults=FAULTS, mid=0.2, crashes=CRASHES, weights={**WEIGHTS, **BLANKS}, mappings=("emptying",)
    ),
    "moved": Profile(
        faults=FAULTS, mid=0.1, crashes=CRASHES, late=0.15, weights={**WEIGHTS, "remap": 3.0},
        mappings=("plain", "moved"),
    ),
    "unnamed": Profile(
        faults={**FAULTS, "field_refused": 0.1}, mid=0.1, crashes=CRASHES, late=0.15, mappings=("unnamed",)
    ),
    "restless": Profile(
        faults=FAULTS, mid=0.1, crashes=CRASHES, late=0.15,
        weights={**WEIGHTS, **ADDRESSES, **RULES, **PERMISSIONS}, mappings=MAPPINGS,
    ),
}  # fmt: skip
