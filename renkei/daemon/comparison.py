"""What people are told of a route's last two-sided comparison: the line of `status`, the alarm, whether all is well.

It decides what may be called complete: only a comparison that read both sides to their ends, and only as long as no
later one failed to. The figures are the note's that the service keeps.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from renkei.daemon.alarms import Alarm
from renkei.words import Words
from sync.compare import DIFFERENT, DOUBLE, KINDS, MISSING

_ALWAYS = (MISSING, DIFFERENT, DOUBLE)


def gaps_of(note: Mapping[str, Any]) -> dict[str, int]:
    """Kinds of findings that nothing explained, with their numbers."""
    return {kind: number for kind, number in note.get("last", {}).get("gaps", {}).items() if number}


def is_well(note: Mapping[str, Any]) -> bool:
    """True if nothing speaks against it: the last comparison read everything and found no gap, or there was none."""
    return "failed" not in note and not gaps_of(note)


def told_of(note: Mapping[str, Any], route: str, language: str) -> list[Alarm]:
    """The alarms about a route's comparison."""
    words, gaps = Words(language), gaps_of(note)
    found: list[Alarm] = []
    if gaps:
        counted = ", ".join(f"{words(f'reconcile.{kind}')} {number:,}" for kind, number in gaps.items())
        found.append(Alarm("gaps", route, counted))
    if "failed" in note:
        found.append(Alarm("uncompared", route, str(note["failed"]["why"])))
    return found


def line(note: Mapping[str, Any], words: Words) -> str:
    """One line for `status`, "" = no comparison has ended yet."""
    last = note.get("last")
    counted = words("compared.never") if last is None else _counted(last, words)
    if "failed" in note:
        failed = note["failed"]
        return words("compared.failed", when=moment(failed["at"]), why=failed["why"], last=counted)
    if last is None:
        return ""
    return words("compared.gaps" if gaps_of(note) else "compared.complete", last=counted)


def _counted(last: Mapping[str, Any], words: Words) -> str:
    parts = []
    for kind in KINDS:
        gaps, why = last["gaps"].get(kind, 0), last["explained"].get(kind, {})
        if not (kind in _ALWAYS or gaps):
            continue
        reasons = [f"{words(f'reconcile.why.{name}')} {number:,}" for name, number in why.items()]
        if gaps:
            reasons.insert(0, words("compared.unexplained", number=f"{gaps:,}"))
        more = f" ({' · '.join(reasons)})" if reasons else ""
        parts.append(f"{gaps + sum(why.values()):,} {words(f'reconcile.{kind}')}{more}")
    return words("compared.last", when=moment(last["began"]), counted=", ".join(parts))


def moment(at: float) -> str:
    """An instant in the host's time: the hour alone if it was within the last day."""
    local = datetime.fromtimestamp(at).astimezone()
    return f"{local:%H:%M}" if time.time() - at < 86_400.0 else f"{local:%Y-%m-%d %H:%M}"
