"""Faults and clocks."""

from __future__ import annotations

import random

import pytest

from simulators.clock import ManualClock, iso_z, parse_iso
from simulators.faults import KINDS, PROFILES, Faults


def test_same_seed_same_faults() -> None:
    """Two sources with one seed strike at the same draws, about as often as their share says."""

    def draws(seed: int) -> list[bool]:
        faults = Faults(random.Random(seed), {"slow": 0.3})
        return [faults.fires("slow") for _ in range(1000)]

    assert draws(5) == draws(5)
    assert 250 < sum(draws(5)) < 350


def test_a_share_of_zero_draws_nothing() -> None:
    """Asking for a quiet kind does not move the random source, so adding a question changes no run."""
    rng = random.Random(1)
    before = rng.getstate()
    assert Faults(rng).fires("slow") is False
    assert rng.getstate() == before


def test_unknown_kind_and_share_are_refused() -> None:
    """A misspelt fault or a share above one is an error, not a silent nothing."""
    faults = Faults(random.Random(1))
    with pytest.raises(ValueError, match="there is no fault 'sloww'"):
        faults.set("sloww", 0.1)
    with pytest.raises(ValueError, match="between 0 and 1"):
        faults.set("slow", 1.1)


def test_profiles_use_known_kinds() -> None:
    """Each profile can be loaded, and quiet clears it."""
    for shares in PROFILES.values():
        faults = Faults(random.Random(1), shares)
        assert set(faults.shares) <= set(KINDS)
        faults.quiet()
        assert faults.shares == {}


def test_clock_and_stamps() -> None:
    """A manual clock moves only when told, never back; stamps are read with any offset and refused
    without one.
    """
    clock = ManualClock(1000.0)
    clock.advance(2.5)
    assert clock.now() == 1002.5
    with pytest.raises(ValueError, match="never turned back"):
        clock.advance(-1)
    assert iso_z(0.9) == "1970-01-01T00:00:00Z"
    assert parse_iso("2026-11-22T09:00:00+0900") == parse_iso("2026-11-22T00:00:00Z")
    with pytest.raises(ValueError, match="has no offset"):
        parse_iso("2026-11-22T00:00:00")
