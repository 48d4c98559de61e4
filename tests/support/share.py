"""Which of many like cases the suite plays each time, and which wait for `make soak`: it has to end in minutes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest


def one_in(share: int, cases: Sequence[Any], ids: Sequence[str] = ()) -> list[Any]:
    """The cases as parameters, of which all but every `share`-th are played in the soak only."""
    found = []
    for place, case in enumerate(cases):
        values = case if isinstance(case, tuple) else (case,)
        marks = () if place % share == 0 else (pytest.mark.soak,)
        found.append(pytest.param(*values, marks=marks, id=ids[place] if ids else None))
    return found
