"""One town for each test, with the journal in a file and in memory: the engine must not notice which."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.town import Town


@pytest.fixture(params=["file", "memory"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Town]:
    """Two empty vendors, a new journal and the preset's rules."""
    with Town(tmp_path if request.param == "file" else None) as town:
        yield town
