"""docs/promises.md is true: every promise and invariant has its row, and every test that it names exists."""

from __future__ import annotations

import ast
import re

import pytest

from tests.support.tree import ROOT

PAGE = (ROOT / "docs" / "promises.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`(tests/[\w/]+(?:\.py|\.yaml|\.txt|\.toml)?(?:::\w+)?)`", PAGE)))
MAY_BE_OPEN = {"I16", "I29"}


def test_every_promise_and_invariant_has_its_row() -> None:
    """Ten promises, thirty invariants, each once; and only those may be open that nobody can close here."""
    rows = re.findall(r"^\| (I?\d+) \|", PAGE, re.MULTILINE)
    assert rows == [str(number) for number in range(1, 11)] + [f"I{number}" for number in range(1, 31)]
    still_open = {
        line.split("|")[1].strip()
        for line in PAGE.splitlines()
        if line.startswith("| I") and "**open:**" in line
    }
    assert still_open <= MAY_BE_OPEN
    assert len(NAMED) > 40


@pytest.mark.parametrize("name", NAMED)
def test_what_it_names_exists(name: str) -> None:
    """A file or folder is there, and a test of that name stands in it."""
    path, _, function = name.partition("::")
    assert (ROOT / path).exists()
    if function:
        tree = ast.parse((ROOT / path).read_text("utf-8"))
        assert function in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
