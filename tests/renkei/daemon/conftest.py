"""Fake vendors with people who are in step already: most questions about a service begin there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from renkei.fakes import Fakes
from tests.support.command import Place, new_place
from tests.support.serving import configure


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A project after its first sync."""
    with Fakes("--persons", "60", "--role", "0", "--seed", "3") as fakes:
        made = new_place(tmp_path / "project", fakes)
        configure(made)
        made.begin()
        yield made
