"""docs/mapping.md tells the truth: every block in it loads, every word and every code stands in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from mappings import later
from mappings.check import check
from mappings.compile import Source
from mappings.grammar import Place
from mappings.load import source_of
from mappings.words import grammar
from tests.support.mapping_texts import codes

PAGE = Path("docs/mapping.md").read_text(encoding="utf-8")


class Block(NamedTuple):
    """One fenced block: its language, what the page says it is, its text."""

    language: str
    role: str
    text: str


def _block(found: re.Match[str]) -> Block:
    return Block(found[1], found[2].strip(), found[3])


BLOCKS = [
    _block(found) for found in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]
BESIDE: dict[str, str | bytes] = {block.role: block.text for block in BLOCKS if "." in block.role}
FILES = [block.text for block in BLOCKS if block.role == "file"]
WHOLE = next(block.text for block in BLOCKS if block.role == "file")


def _top(text: str) -> list[str]:
    """The blocks of a mapping, each with its comment lines."""
    return re.split(r"^(?=[a-z])", text, flags=re.MULTILINE)


def _compiled(block: Block) -> Source:
    """A fragment in its place in the first mapping of the page, instead of what stands there."""
    if block.role == "file":
        return source_of(block.text, "mapping.md", BESIDE)
    if block.role == "rows":
        own = set(re.findall(r"^(\w+):", block.text, re.MULTILINE))
        lines = [
            line for line in WHOLE.splitlines() if line.strip().split(":")[0] not in own or line[:1] != " "
        ]
        rows = "".join(f"  {line}\n" for line in block.text.splitlines())
        return source_of("\n".join(lines).replace("fields:\n", "fields:\n" + rows), "mapping.md", BESIDE)
    own = {part.split(":")[0] for part in _top(block.text)}
    kept = [part for part in _top(WHOLE) if part.split(":")[0] not in own]
    return source_of("".join(kept) + block.text, "mapping.md", BESIDE)


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.role in {"file", "part", "rows"}], ids=lambda b: b.text[:30]
)
def test_a_block_of_the_page_loads(block: Block) -> None:
    """Each YAML block compiles, alone or in its place in the first mapping, and its examples hold."""
    compiled = _compiled(block)
    assert [str(problem) for problem in compiled.problems] == []
    beside = {each.draft.route: each for each in (source_of(text, "mapping.md", BESIDE) for text in FILES)}
    others = [each for route, each in beside.items() if route != compiled.draft.route]
    hits = [
        problem
        for problem in check([compiled, *others])
        if problem.severity == "error" and problem.code != "M044"
    ]
    assert [str(problem) for problem in hits] == []


def test_what_the_page_says_is_refused_is_refused() -> None:
    """A block that shows a later word is refused with the code that the page names."""
    refused = [block for block in BLOCKS if block.role.startswith("refused")]
    assert refused
    for block in refused:
        assert codes(_compiled(block).problems) == [block.role.split()[1]]


def test_no_block_is_left_out() -> None:
    """Every YAML block has a role that a test above knows."""
    roles = {block.role.split()[0] for block in BLOCKS if block.language == "yaml"}
    assert roles == {"file", "part", "rows", "refused", "thresholds.yaml"}


def _words() -> set[str]:
    found = grammar()
    places = [getattr(found, name) for name in found.__dataclass_fields__]
    words = {word for place in places if isinstance(place, Place) for word in place.words}
    conditions = found.conditions
    return words | {*conditions.values, *conditions.comparisons, *conditions.joins}


def test_every_word_stands_in_a_block() -> None:
    """Each word of the grammar, and each type, is shown in an example that loads."""
    shown = " ".join(
        block.text for block in BLOCKS if block.role in {"file", "part", "rows", "thresholds.yaml"}
    )
    used = set(re.findall(r"[\w]+", re.sub(r"#.*", "", shown)))
    assert _words() - used == {"below"}  # a range is shown in the table of conditions
    assert "below: 90" in PAGE
    assert set(grammar().types) <= used


def test_every_later_word_stands_on_the_page() -> None:
    """Each word that is refused by name is listed with its code's range."""
    for place in ("FILE", "KIND", "TYPE", "ROW", "COMPUTE", "POLICY", "MATCH"):
        for word in getattr(later, place):
            assert re.search(rf"\b{word}\b", PAGE), word


def test_codes_on_the_page_are_the_codes_of_the_program() -> None:
    """No code is undocumented and none is documented that nobody can meet."""
    program = set()
    for file in Path("mappings").glob("*.py"):
        program |= set(re.findall(r'"(M\d{3})"', file.read_text(encoding="utf-8")))
    page = set(re.findall(r"M\d{3}", PAGE))
    for first, last in re.findall(r"M(\d{3}) - M(\d{3})", PAGE):
        page |= {f"M{number:03}" for number in range(int(first), int(last) + 1)}
    assert program == page
