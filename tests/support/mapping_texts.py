"""A small mapping to begin with, and ways to change it: what the tests of mappings share."""

from __future__ import annotations

from collections.abc import Mapping

from mappings.compile import Source
from mappings.errors import Problem
from mappings.grammar import Grammar
from mappings.load import compile_text, source_of
from sync.record import Schema, SchemaField
from sync.rules import FieldRule, Rules

THRESHOLDS = "version: 1\nscore:\n  bands: { A: 80, B: 60, C: 40, D: 0 }\n"

HEAD = """\
version: 1
route: jp-person
kind: person
systems: [marketo, salesforce]
objects: { marketo: Lead, salesforce: { create: Lead, follow: Contact } }
"""
FIELDS = """\
fields:
  email: { marketo: email, flow: <->, salesforce: Email, type: email }
  last_name: { marketo: lastName, flow: <->, salesforce: LastName }
  score: { marketo: leadScore, flow: ->, salesforce: MA_Score__c, type: integer }
  marketo_id: { marketo: id, flow: ->, salesforce: Marketo_Id__c, type: key }
"""
BASE = HEAD + FIELDS


def mapping(*rows: str, more: str = "", head: str = HEAD) -> str:
    """The small mapping with further rows and further blocks."""
    return head + FIELDS + "".join(f"  {row}\n" for row in rows) + more


def rules(
    text: str, words: Grammar | None = None, thresholds: str = THRESHOLDS, **files: str | bytes
) -> Rules:
    """Compile a text with thresholds.yaml beside it; `files` are others, `_csv` standing for `.csv`."""
    beside: dict[str, str | bytes] = {"thresholds.yaml": thresholds}
    beside |= {name.replace("_csv", ".csv"): content for name, content in files.items()}
    return compile_text(text, "person.yaml", beside, words)


def source(text: str, files: Mapping[str, str | bytes] | None = None, name: str = "person.yaml") -> Source:
    """The same with its problems."""
    return source_of(text, name, {"thresholds.yaml": THRESHOLDS, **(files or {})})


def field(found: Rules, name: str) -> FieldRule:
    """One row by its name."""
    return next(rule for rule in found.fields if rule.name == name)


def codes(problems: tuple[Problem, ...] | list[Problem]) -> list[str]:
    """What was found, in order."""
    return [problem.code for problem in problems]


def found(problems: tuple[Problem, ...] | list[Problem], code: str) -> Problem:
    """The one problem with a code."""
    hits = [problem for problem in problems if problem.code == code]
    assert len(hits) == 1, (code, [str(problem) for problem in problems])
    return hits[0]


def place_of(text: str, word: str) -> tuple[int, int]:
    """Line and column (from 1) of the only occurrence of a word."""
    assert text.count(word) == 1, word
    before = text[: text.index(word)]
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def schema(system: str, object_: str, *fields: SchemaField) -> Schema:
    """A vendor's schema from its fields."""
    return Schema(system=system, object=object_, fields={found.path: found for found in fields})
