"""What a vendor's codes mean in our own words: one table per vendor, looked up in one place.

Decides how an outcome's errors get their meaning and which words of a message count where a code says too little. It
may not know any vendor's codes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sync.errors import Meaning
from sync.ports import FieldError, Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Meanings:
    """Codes with their meanings, and for codes that say too little the (words, meaning) by which a message is judged,
    tried in turn. Words are in lower case."""

    codes: Mapping[str, Meaning]
    words: Mapping[str, Sequence[tuple[str, Meaning]]]

    def of(self, code: str, message: str = "") -> Meaning:
        """What a code means; `other` for one that nobody has listed."""
        text = message.lower()
        for part, meaning in self.words.get(code, ()):
            if part in text:
                return meaning
        return self.codes.get(code, Meaning.OTHER)

    def told(self, outcomes: Iterable[Outcome]) -> list[Outcome]:
        """The outcomes, each error with its meaning."""
        return [
            each._replace(errors=tuple(map(self._with_meaning, each.errors))) if each.errors else each
            for each in outcomes
        ]

    def _with_meaning(self, error: FieldError) -> FieldError:
        if error.meaning != Meaning.OTHER:
            return error
        return error._replace(meaning=self.of(error.code, error.message).value)
