"""The figures of a run that several processes share: each part leaves its own in a folder, and whoever leaves the last
one has the sum.

Knows files only; two parts that end at the same moment may both have the sum.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from tests.sim.report import Tally


def gather(part: Tally, name: str, folder: Path, parts: int, profile: str) -> Tally | None:
    """Leave a part's figures; the sum of all `parts` as a run of `profile` once they are there, else None."""
    folder.mkdir(exist_ok=True)
    fresh = folder / f".{name}"
    fresh.write_text(json.dumps(part.figures()), encoding="utf-8")
    fresh.replace(folder / f"{name}.json")
    files = sorted(folder.glob("*.json"))
    if len(files) < parts:
        return None
    whole = Tally(profile)
    for file in files:
        figures: Mapping[str, object] = json.loads(file.read_text(encoding="utf-8"))
        whole.join(figures)
    return whole
