"""How a text takes its values: by name, and a number with the word that fits it.

`{records:record}` is «1 record» or «2 records»; `{people:person has|people have}` says both forms. It decides wording
only.
"""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter
from typing import Any


def filled(text: str, values: Mapping[str, object]) -> str:
    """A text with its values filled in."""
    return _Counting().vformat(text, (), values)


class _Counting(Formatter):
    def format_field(self, value: Any, format_spec: str) -> str:
        if not format_spec[:1].isalpha():
            return str(super().format_field(value, format_spec))
        one, _, many = format_spec.partition("|")
        number = f"{value:,}" if isinstance(value, int) else str(value)
        return f"{number} {one if number == '1' else many or f'{one}s'}"
