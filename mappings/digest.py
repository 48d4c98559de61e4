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
from mappings.conditions import spec
from mappings.transforms import Options
from sync.record import Side
from sync.rules import Cell, ConsentRule, Rules, default_signs

if TYPE_CHECKING:
    from mappings.compute import Computed
    from mappings.conditions import Compiled
    from mappings.draft import FileDraft, RowDraft
    from mappings.fieldrules import Row
    from mappings.thresholds import Thresholds

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


def stamp(
    rules: Rules, rows: Iterable[Row], asked: Mapping[str, Mapping[str, Compiled]], flows: object = None
) -> Rules:
    """Rules with both digests, 8 hexadecimal digits each; `flows`: what the standing rules were compiled from."""
    deciding = _deciding(rules, rows, asked) | ({"flows": flows} if flows else {})
    return replace(rules, reading=_hash(_reading(rules, asked)), deciding=_hash(deciding))


def extend(rules: Rules, before: Rules, spec: object) -> Rules:
    """New digests for rules that another file has added to."""
    paths = {
        side.value: {name: sorted(each) for name, each in rules.paths(side).items()} for side in rules.sides
    }
    return replace(rules, reading=_hash([before.reading, paths]), deciding=_hash([before.deciding, spec]))


def row_words(row: RowDraft) -> list[object]:
    """What a row says to the flows: conditions, currency and rates."""
    compute = row.compute
    asked = [row.when, compute.when if compute else None]
    words = [row.to, row.currency, row.rate_of, compute.sum if compute else None]
    return [
        *(None if node is None else spec(node) for node in asked),
        *(None if word is None else word.text for word in words),
    ]


def of_flows(draft: FileDraft, known: Thresholds) -> object:
    """What a file's flows rest on: their blocks, and the thresholds and domains that they may name."""
    blocks = {name: spec(node) for name, node in draft.flow_nodes.items()}
    named = {
        field: {name: [each.enter, each.leave, each.dwell] for name, each in found.items()}
        for field, found in known.named.items()
    }
    return [blocks, named, dict(known.domains), draft.zone] if blocks or named else None


def _reading(rules: Rules, asked: Mapping[str, Mapping[str, Compiled]]) -> object:
    """Objects, paths and scope. What a system is called is no part of it: the journal keeps that beside the digests."""
    return {
        side.value: [
            rules.objects[side].all,
            {name: sorted(paths) for name, paths in rules.paths(side).items()},
            asked[system]["scope"].spec if "scope" in asked.get(system, {}) else None,
        ]
        for side, system in rules.systems.items()
        if side in rules.sides
    }


def _deciding(
    rules: Rules, rows: Iterable[Row], asked: Mapping[str, Mapping[str, Compiled]]
) -> dict[str, object]:
    """Everything else that can change a decision."""
    usual = default_signs()
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
        "limits": {
            **{kind.value: [limit.number, limit.share] for kind, limit in rules.limits.items()},
            **{
                sign.value: [limit.number, limit.share]
                for sign, limit in rules.signs.items()
                if limit != usual[sign]
            },
        },
    }


def _row(row: Row) -> object:
    rule = row.rule
    read_only = {side.value: sorted(cell.read_only) for side, cell in rule.cells.items()}
    policy = [rule.conflict, rule.first, rule.blank, rule.drift, rule.create_only, rule.on_create_blank]
    stages = [list(rule.stages)] if rule.stages else []
    return [rule.fingerprint, rule.flow.value, rule.key, read_only, policy, *stages]


def _topic(topic: ConsentRule) -> object:
    return [topic.fingerprint, topic.blank_closes_gates]


def _hash(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()
