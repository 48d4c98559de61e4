"""What the brakes say, in English and in Japanese, and how their lines are recognised.

The engine keeps a brake's reason as one English line; its parts are taken out here and said again in the reader's
language. It decides wording only: a line that no form fits is shown as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

_SPAN = r"(?P<span>this cycle|in an hour|in a day), limit (?P<limit>[\d,]+)"
_UNLINKS = r"(?: \(limits: unlinks\))?"  # an earlier release did not say by which limit
_SYSTEM = r"(?P<system>\S+)"
_COUNT = r"(?P<count>[\d,]+)"
_FIELD = r"(?P<system>\S+) (?P<field>\S+)"

# As sync.guard, sync.watch and sync.source write them.
FORMS = tuple(
    (key, re.compile(form))
    for key, form in (
        ("brake.flood", rf"{_COUNT} opt-outs within an hour, limit (?P<limit>[\d,]+)"),
        ("brake.loss", r"(?P<system>\S+) lost (?P<lost>[\d,]+) of (?P<held>[\d,]+) records, limit (?P<limit>[\d,]+)"),
        ("brake.losses", rf"(?P<system>\S+) lost {_COUNT} records {_SPAN}"),
        ("brake.unlinks", rf"{_SYSTEM} deleted {_COUNT} linked records or moved them out of scope {_SPAN}{_UNLINKS}"),
        ("brake.merges", rf"(?P<system>\S+) merged {_COUNT} records away {_SPAN}"),
        ("brake.clones", rf"(?P<system>\S+) has {_COUNT} new records of people whom it had already {_SPAN}"),
        ("brake.keys", rf"the key {_FIELD} changed in {_COUNT} records {_SPAN}"),
        ("brake.emptied", rf"{_FIELD} lost its value in {_COUNT} records {_SPAN}"),
        ("brake.renamed", rf"{_FIELD} turned «(?P<what>.*)» in {_COUNT} records {_SPAN}"),
        ("brake.time_shift", rf"{_FIELD} moved by (?P<what>.+) in {_COUNT} records {_SPAN}"),
        ("brake.column_shift", rf"{_FIELD} took what stood in (?P<what>\S+) in {_COUNT} records {_SPAN}"),
        ("brake.all_changed", rf"{_SYSTEM} changed in {_COUNT} records and none was read unchanged {_SPAN}"),
        ("brake.clock_ahead", r"the clock of (?P<system>\S+) is (?P<what>.+) ahead of ours, limit 15 min"),
        ("brake.clock_behind", r"the clock of (?P<system>\S+) is (?P<what>.+) behind ours, limit 15 min"),
        ("brake.reading", r"(?P<system>\S+) cannot be read: (?P<what>.+)"),
        ("brake.environment", r"(?P<system>\S+) is (?P<now>\S+) now, and this state belongs to (?P<what>\S+)"),
        ("brake.excess", rf"{_COUNT} (?P<action>\w+)s {_SPAN}"),
    )
)  # fmt: skip

BRAKES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "brake.flood": (
            "{count:opt-out} within an hour, limit {limit}",
            "1時間以内の配信停止が {count} 件（上限 {limit} 件）",
        ),
        "brake.excess": (
            "{count} {action}s {span}, limit {limit}",
            "{action}が{span}に {count} 件（上限 {limit} 件）",
        ),
        "brake.loss": (
            "{system} lost {lost} of {held} records, limit {limit}",
            "{system} で {held} 件中 {lost} 件が見えなくなりました（上限 {limit} 件）",
        ),
        "brake.losses": (
            "{system} lost {count:record} {span}, limit {limit}",
            "{system} で{span}に {count} 件が見えなくなりました（上限 {limit} 件）",
        ),
        "brake.unlinks": (
            (
                "{system} deleted {count} linked records or moved them out of scope {span}, limit {limit} "
                "(limits: unlinks)"
            ),
            (
                "{system} で紐付け済みの {count} 件が{span}に削除されたか対象範囲の外に出ました"
                "（上限 {limit} 件、limits: unlinks）"
            ),
        ),
        "brake.merges": (
            "{system} merged {count:record} away {span}, limit {limit}",
            "{system} で{span}に {count} 件がマージされました（上限 {limit} 件）",
        ),
        "brake.clones": (
            "{system} has {count:new record} of people whom it had already {span}, limit {limit}",
            "{system} に既にいる人の新しいレコードが{span}に {count} 件できました（上限 {limit} 件）",
        ),
        "brake.keys": (
            "the key {system} {field} changed in {count:record} {span}, limit {limit}",
            "{system} の照合キー {field} が{span}に {count} 件で変わりました（上限 {limit} 件）",
        ),
        "brake.emptied": (
            "{system} {field} lost its value in {count:record} {span}, limit {limit}",
            "{system} の {field} が{span}に {count} 件で空になりました（上限 {limit} 件）",
        ),
        "brake.renamed": (
            "{system} {field} turned «{what}» in {count:record} {span}, limit {limit}",
            "{system} の {field} が{span}に {count} 件で「{what}」と変わりました（上限 {limit} 件）",
        ),
        "brake.time_shift": (
            "{system} {field} moved by {what} in {count:record} {span}, limit {limit}",
            "{system} の {field} が{span}に {count} 件で {what} ずれました（上限 {limit} 件）",
        ),
        "brake.column_shift": (
            "{system} {field} took what stood in {what} in {count:record} {span}, limit {limit}",
            "{system} の {field} に{span}に {count} 件で {what} の値が入りました（上限 {limit} 件）",
        ),
        "brake.all_changed": (
            "{system} changed in {count} records and none was read unchanged {span}, limit {limit}",
            "{system} で{span}に {count} 件が変わり、変わらないものがありません（上限 {limit} 件）",
        ),
        "brake.clock_ahead": (
            "the clock of {system} is {what} ahead of ours, limit 15 min",
            "{system} の時計がこちらより {what} 進んでいます（上限 15 分）",
        ),
        "brake.clock_behind": (
            "the clock of {system} is {what} behind ours, limit 15 min",
            "{system} の時計がこちらより {what} 遅れています（上限 15 分）",
        ),
        "brake.reading": ("{system} cannot be read: {what}", "{system} を読み込めません: {what}"),
        "brake.environment": (
            "{system} is {now} now, and this state belongs to {what}",
            "{system} は今 {now} ですが、この状態は {what} のものです",
        ),
    }
)
