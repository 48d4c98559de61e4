"""One town for each test. The journal is a file; modules that ask for it play everything in memory too, because the
engine must not notice the difference."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.town import Town


@pytest.fixture
def journal() -> str:
    """Where the journal stands: `file` or `memory`."""
    return "file"


@pytest.fixture
def town(journal: str, tmp_path: Path) -> Iterator[Town]:
    """Two empty vendors, a new journal and the preset's rules."""
    with Town(tmp_path if journal == "file" else None) as town:
        yield town
