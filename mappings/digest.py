"""Digests of compiled rules: what must be read again, what must be decided again, and when a base is void.

Taken over what was compiled, never over the text of the file: comments, and the order of keys that mean
nothing, change no digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from mappings.columns import written_as
from mappings.transforms import Options
from sync.record import Side
from sync.rules import Cell, ConsentRule, Rules

if TYPE_CHECKING:
    from mappings.compute import Computed
    from mappings.conditions import Compiled
    from mappings.fieldrules import Row

_MEANING = 1  # raised when the same file comes to mean something else


def fingerprint(type_: str, cells: Mapping[Side, Cell], options: Options, computed: Computed | None) -> str:
    """What a stored base of this field rests on: paths, type, value map, transforms; 8 hexadecimal digits."""
    values = options.values
    table = None if values is None else [sorted(values.forward.items()), sorted(values.back.items())]
    region = options.region if type_ == "phone" else None
    return _hash(
        [type_, written_as(cells), table, region, options.scale, computed.spec if computed else None]
    )


def topic_fingerprint(cells: Mapping[Side, Cell], true_means: str) -> str:
    """The same for a consent topic."""
    return _hash(["consent", written_as(cells), true_means])


def stamp(rules: Rules, rows: Iterable[Row], asked: Mapping[str, Mapping[str, Compiled]]) -> Rules:
    """Rules with both digests, 8 hexadecimal digits each."""
    return replace(
        rules, reading=_hash(_reading(rules, asked)), deciding=_hash(_deciding(rules, rows, asked))
    )


def _reading(rules: Rules, asked: Mapping[str, Mapping[str, Compiled]]) -> object:
    """Objects, paths and scope."""
    return {
        side.value: [
            system,
            rules.objects[side].all,
            {name: sorted(paths) for name, paths in rules.paths(side).items()},
            asked[system]["scope"].spec if "scope" in asked.get(system, {}) else None,
        ]
        for side, system in rules.systems.items()
    }


def _deciding(rules: Rules, rows: Iterable[Row], asked: Mapping[str, Mapping[str, Compiled]]) -> object:
    """Everything else that can change a decision."""
    return {
        "meaning": _MEANING,
        "route": [rules.route, rules.kind, rules.shadow],
        "fields": {row.rule.name: _row(row) for row in rows},
        "consent": {topic.topic: _topic(topic) for topic in rules.consent},
        "authority": rules.authority,
        "match": [[key.kind, key.field, key.unless_role] for key in rules.match],
        "create": {
            side.value: [
                asked[rules.systems[side]]["create"].spec if "create" in asked[rules.systems[side]] else None,
                sorted(rule.need),
            ]
            for side, rule in rules.create.items()
        },
        "limits": {kind.value: [limit.number, limit.share] for kind, limit in rules.limits.items()},
    }


def _row(row: Row) -> object:
    rule = row.rule
    read_only = {side.value: sorted(cell.read_only) for side, cell in rule.cells.items()}
    policy = [rule.conflict, rule.first, rule.blank, rule.drift, rule.create_only, rule.on_create_blank]
    return [rule.fingerprint, rule.flow.value, rule.key, read_only, policy]


def _topic(topic: ConsentRule) -> object:
    return [topic.fingerprint, topic.blank_closes_gates]


def _hash(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
