"""Digests and fingerprints change with meaning and with nothing else."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.mapping_texts import BASE, field, mapping, rules

FULL = mapping(
    "industry: { marketo: i, flow: <->, salesforce: I, values: { 建設: Construction, 建設業: Construction } }",
    "phone: { marketo: phone, flow: <->, salesforce: { Lead: Phone, Contact: Phone }, type: phone }",
    "grade: { flow: ->, salesforce: MA_Grade__c, compute: { bands: score } }",
    more="""\
match: [ { same: [marketo_id] }, { same: [email], unless: role_address } ]
scope: { marketo: { email: present, score: { at_least: 1, below: 9 } } }
create: { salesforce: { when: { score: { at_least: 70 } }, need: [last_name, email] } }
consent: { authority: marketo, all: { marketo: out, flow: <->, salesforce: Out, true_means: opted_out } }
""",
)


def _swap(old: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        assert text.count(old) == 1, old
        return text.replace(old, new)

    return change


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "# a comment\n" + text.replace("kind: person", "kind:   person  # what"),
        _swap(
            "{ email: present, score: { at_least: 1, below: 9 } }",
            "{ score: { below: 9, at_least: 1 }, email: present }",
        ),
        _swap("need: [last_name, email]", "need: [email, last_name]"),
        _swap("{ Lead: Phone, Contact: Phone }", "Phone"),
        _swap("type: phone }", "type: phone, region: JP }"),
        _swap("type: email }", "type: email, blank: keep }"),
        lambda text: (
            text
            + "examples: [ { given: { marketo: { leadScore: 1 } }, expect: { salesforce: { MA_Score__c: 1 } } } ]\n"
        ),
        lambda text: text + "mode: live\ndefaults: { blank: keep, unknown_value: hold_field }\n",
        lambda text: "".join([*text.splitlines(keepends=True)[:3], *_rotated(text)]),
    ],
)
def test_what_means_nothing_changes_no_digest(change: Callable[[str], str]) -> None:
    """Comments, spaces, spelled-out defaults and the order of keys leave the digest alone."""
    assert rules(change(FULL)).digest == rules(FULL).digest


def _rotated(text: str) -> list[str]:
    """The blocks behind the head in another order, and the rows too."""
    head, _, rest = text.partition("fields:\n")
    rows = [line for line in rest.splitlines(keepends=True) if line.startswith("  ")]
    blocks = [line for line in rest.splitlines(keepends=True) if not line.startswith("  ")]
    return [*blocks, *head.splitlines(keepends=True)[3:], "fields:\n", *reversed(rows)]


READING = [
    _swap("follow: Contact", "follow: [Contact, Prospect]"),
    _swap("salesforce: Email", "salesforce: Email2"),
    _swap("at_least: 1, below: 9", "at_least: 2, below: 9"),
    _swap("marketo: out", "marketo: out2"),
]
DECIDING = [
    _swap("type: email }", "type: email, conflict: marketo }"),
    _swap("type: email }", "type: email, first: marketo }"),
    _swap("type: email }", "type: email, blank: propagate }"),
    _swap("type: integer }", "type: integer, drift: restore }"),
    _swap("type: integer }", "type: integer, write: create_only }"),
    _swap("type: integer }", "type: integer, on_create: { blank: 0 } }"),
    _swap("建設業: Construction", "建設会社: Construction"),
    _swap("at_least: 70", "at_least: 71"),
    _swap("[last_name, email]", "[last_name]"),
    _swap(", unless: role_address", ""),
    _swap("{ same: [marketo_id] }, ", ""),
    _swap("authority: marketo, ", ""),
    _swap("opted_out }", "opted_out, blank: not_agreed }"),
    _swap("true_means: opted_out", "true_means: agreed"),
    lambda text: text + "limits: { create: { number: 3 } }\n",
    lambda text: text + "limits: { renamed: { number: 3 } }\n",
    lambda text: text + "mode: shadow\n",
]


@pytest.mark.parametrize("change", READING)
def test_what_is_read_changes_the_reading_part(change: Callable[[str], str]) -> None:
    """Objects, paths and scope stand in the reading part."""
    assert rules(change(FULL)).reading != rules(FULL).reading


@pytest.mark.parametrize("change", DECIDING)
def test_what_decides_changes_the_deciding_part_alone(change: Callable[[str], str]) -> None:
    """Everything else stands in the deciding part, and nothing is read again for it."""
    before = rules(FULL)
    after = rules(change(FULL))
    assert after.deciding != before.deciding
    assert after.reading == before.reading


def test_thresholds_and_tables_count_by_their_content() -> None:
    """A band that moves and a table that grows change the digest and that field's fingerprint."""
    moved = rules(FULL, thresholds="score: { bands: { A: 81, B: 60 } }\n")
    assert moved.deciding != rules(FULL).deciding
    assert field(moved, "grade").fingerprint != field(rules(FULL), "grade").fingerprint
    row = mapping("c: { marketo: c, flow: <->, salesforce: C, values_file: c.csv }")
    assert rules(row, c_csv="a,b\n").deciding != rules(row, c_csv="a,b\nc,d\n").deciding


@pytest.mark.parametrize(
    ("row", "same"),
    [
        ("x: { marketo: x, flow: ->, salesforce: X }", True),
        (
            "x: { marketo: x, flow: <->, salesforce: X, conflict: marketo, first: marketo, blank: propagate }",
            True,
        ),
        ("x: { marketo: x, flow: <->, salesforce: { Lead: X, Contact: X } }", True),
        ("x: { marketo: y, flow: <->, salesforce: X }", False),
        ("x: { marketo: x, flow: <->, salesforce: { Lead: X, Contact: Y } }", False),
        ("x: { marketo: x, flow: <->, salesforce: X, type: email }", False),
        ("x: { marketo: x, flow: <->, salesforce: X, values: { a: b } }", False),
        ("x: { marketo: x, flow: <->, salesforce: X, type: decimal }", False),
    ],
)
def test_a_base_survives_what_does_not_touch_its_field(row: str, same: bool) -> None:
    """The fingerprint follows paths, type, value map and transforms; arrows and policies leave it alone."""
    before = field(rules(mapping("x: { marketo: x, flow: <->, salesforce: X }")), "x").fingerprint
    assert (field(rules(mapping(row)), "x").fingerprint == before) is same


def test_transforms_of_one_type_are_told_apart() -> None:
    """A region and a scale change the fingerprint."""
    rows = [
        "x: { marketo: x, type: phone }",
        "x: { marketo: x, type: phone, region: US }",
        "x: { marketo: x, type: decimal, scale: 2 }",
        "x: { marketo: x, type: decimal, scale: 3 }",
    ]
    prints = [field(rules(mapping(row)), "x").fingerprint for row in rows]
    assert len(set(prints)) == len(rows)
    assert all(len(found) == 8 for found in prints)
    assert len(rules(BASE).digest) == 16


def test_a_further_object_voids_no_base() -> None:
    """Following one more object keeps the fingerprints of fields that have one path for all."""
    more = BASE.replace("follow: Contact", "follow: [Contact, Prospect]")
    assert [rule.fingerprint for rule in rules(more).fields] == [
        rule.fingerprint for rule in rules(BASE).fields
    ]
