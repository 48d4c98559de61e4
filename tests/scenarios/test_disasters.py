"""Disasters, each a file that anybody can read: stopped before one record in a hundred was written,
with one line that says why, and nothing lost once it is put right. Each rule that stops one is taken away once, and the
file turns red."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import sync.watch
from sync.guard import SPANS, Brake
from sync.rules import Sign
from tests.support.disaster import MOST, play, read_disaster
from tests.support.share import one_in

FILES = sorted((Path(__file__).parent / "disasters").glob("*.yaml"))
Break = Callable[[pytest.MonkeyPatch], None]


def test_there_are_fifteen() -> None:
    """Nobody takes one away unseen."""
    assert len(FILES) == 15


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_disaster_is_stopped(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer than one record in a hundred is written, the inbox says why in one line, and afterwards nothing is lost."""
    disaster = read_disaster(file)
    assert play(disaster, monkeypatch) < (disaster.mostly or MOST)


def _without(*gone: Sign) -> Break:
    """The sources are no longer watched for these signs."""

    def take_away(patch: pytest.MonkeyPatch) -> None:
        left = tuple(each for each in sync.watch._SIGNS if each[0] not in gone)
        patch.setattr(sync.watch, "_SIGNS", left)

    return take_away


def _loses_unseen(patch: pytest.MonkeyPatch) -> None:
    """Nobody counts what a source no longer has."""
    _without(Sign.LOSS, Sign.UNLINKS)(patch)
    patch.setattr("sync.guard._loss", lambda *_figures: None)


def _forgets_the_last_cycle(patch: pytest.MonkeyPatch) -> None:
    """Each cycle is judged by itself."""
    patch.setattr("sync.watch.SPANS", SPANS[:1])


def _takes_silence_for_peace(patch: pytest.MonkeyPatch) -> None:
    """Nobody minds what a sweep does not list."""
    patch.setattr("sync.sweep._told", lambda *_before: [])


def _trusts_the_clock(patch: pytest.MonkeyPatch) -> None:
    """Our own clock is always right."""
    patch.setattr("sync.source.watch_clock", lambda *_told: None)


def _trusts_the_name(patch: pytest.MonkeyPatch) -> None:
    """What a system calls itself is of no interest."""
    patch.setattr("sync.source._recognise", lambda *_read: None)
    patch.setattr("sync.send.refuse_other", lambda *_place: True)


def _takes_it_for_nothing(patch: pytest.MonkeyPatch) -> None:
    """What cannot be read is passed over in silence."""
    patch.setattr("sync.cycle.unread_brake", lambda *_why: Brake("nothing", "", 0, 0))


def _lets_all_opt_outs_go(patch: pytest.MonkeyPatch) -> None:
    """Opt-outs have no limit."""
    patch.setattr("sync.guard._flood", lambda *_figures: None)
    patch.setattr("sync.cycle.opt_outs_left", lambda *_figures: sys.maxsize)


RULES: dict[str, Break] = {
    "clock_jump": _trusts_the_clock,
    "cloned_records": _without(Sign.CLONES),
    "emptied_source": _loses_unseen,
    "mass_blank": _without(Sign.EMPTIED),
    "mass_delete": _loses_unseen,
    "mass_opt_out": _lets_all_opt_outs_go,
    "permission_lost": _takes_it_for_nothing,
    "renamed_picklist": _without(Sign.RENAMED),
    "shifted_column": _without(Sign.COLUMN_SHIFT),
    "silent_source": _takes_silence_for_peace,
    "slow_rewrite": _forgets_the_last_cycle,
    "swapped_keys": _without(Sign.KEYS),
    "time_zone_shift": _without(Sign.TIME_SHIFT),
    "unlinked_people": _without(Sign.UNLINKS),
    "wrong_environment": _trusts_the_name,
}


def test_every_disaster_has_its_rule() -> None:
    """None of the files is green by itself."""
    assert {file.stem for file in FILES} == set(RULES)


@pytest.mark.parametrize("file", one_in(5, FILES, [file.stem for file in FILES]))
def test_without_its_rule_a_disaster_is_not_stopped(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file notices that its rule is gone."""
    with pytest.raises(AssertionError, match=f"{file.name}:"):
        play(read_disaster(file), monkeypatch, lambda: RULES[file.stem](monkeypatch))
