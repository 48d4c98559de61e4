"""The vocabulary of scenarios about the life of records: which words there are, and what each may be given.

It decides only what can be written; what a step does stands in `stage_life`, what an expectation asks in
`stage_judge`. The words join those of `stage_words`.
"""

from __future__ import annotations

from collections.abc import Mapping

from tests.support.stage_reading import Node, Shape, known, many, one_of, table, text, words

PERSON = known("people")
_FILE = one_of("account.yaml", "deal.yaml", "person-flows.yaml", "thresholds.yaml")
_FIELD = words({"at": one_of("marketo", "lead", "contact"), "field": text})
_WORD = words({"at": one_of("lead", "contact"), "field": text, "word": text})
_NAMES = words({"from": text, "to": text})


def _person_or_none(node: Node) -> str:
    return "none" if node.value == "none" else str(PERSON(node))


LIFE_STEPS: Mapping[str, Shape] = {
    "restore": many(PERSON),
    "erase_in_sales": many(PERSON),
    "change_mail": table(PERSON, words({"at": one_of("marketo", "sales"), "to": text})),
    "answer": words({"who": PERSON, "asked": text, "with": text}, record=PERSON),
    "hide_field": _FIELD,
    "show_field": _FIELD,
    "forbid_writing": _FIELD,
    "allow_writing": _FIELD,
    "shut_out": one_of("marketo", "sales"),
    "let_in": one_of("marketo", "sales"),
    "drop_word": _WORD,
    "add_word": _WORD,
    "swap_mappings": table(_FILE, table(text, text)),
    "rename_system": _NAMES,
    "carry_over": _NAMES,
}
"""What may happen to records as a whole."""

LIFE_EXPECTED: Mapping[str, Shape] = {
    "linked": table(PERSON, _person_or_none),
    "different": table(PERSON, many(text)),
    "stands_still": table(text, text),
}
"""What may be expected of it; `stands_still` is what a service would say of its routes."""
