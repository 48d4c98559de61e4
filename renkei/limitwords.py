"""What the limits are called, in English and in Japanese.

It decides wording only; which limits there are and what they come to is `renkei.limits`'.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

LIMITS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "limits.head": (
            "{route}   {linked} linked   limits per cycle / hour / day",
            "{route}   紐付け {linked} 件   上限: サイクル / 1時間 / 24時間",
        ),
        "limits.limit": ("limit", "上限"),
        "limits.now": ("now", "現在"),
        "limits.brake": ("BRAKE {count} of {limit}", "ブレーキ {count}（上限 {limit}）"),
        "limits.brake_next": (
            "`renkei inbox` lists the brakes that stand and what lets go what they stop",
            "作動中のブレーキとその解除方法は `renkei inbox` で確認できます",
        ),
        "limits.yesterday": ("yesterday", "昨日"),
        "limits.week": ("7 days, most", "7日間の最大"),
        "limits.near": ("near", "上限比"),
        "limits.sources": (
            "at the sources, counted now (a brake of these stops the whole route)",
            "読み込み元（現在の件数。ここのブレーキはルート全体を止めます）",
        ),
        "limits.set": (
            "write other limits into the mapping, e.g. `limits: {{ update: {{ number: 2000, share: 5 % }} }}`",
            "上限はマッピングの `limits:` で変えられます（例: `limits: {{ update: {{ number: 2000, share: 5 % }} }}`）",
        ),
        "limit.create": ("create", "新規作成"),
        "limit.update": ("update", "更新"),
        "limit.blank": ("blank", "空欄化"),
        "limit.setback": ("setback (stages going back)", "段階の後戻り"),
        "limit.delete": ("delete", "削除"),
        "limit.opt_out": ("opt_out", "配信停止"),
        "limit.effect": ("effect", "タスク・通知"),
        "limit.loss": ("loss (records gone)", "loss（見えなくなったレコード）"),
        "limit.unlinks": (
            "unlinks (linked ones gone or out of scope)",
            "unlinks（紐付け済みの削除・対象範囲外）",
        ),
        "limit.merges": ("merges (records merged away)", "merges（マージされたレコード）"),
        "limit.clones": ("clones (newcomers known already)", "clones（既にいる人の新レコード）"),
        "limit.keys": ("keys (match keys changed)", "keys（照合キーの変更）"),
        "limit.emptied": ("emptied (a field's values gone)", "emptied（空になった項目）"),
        "limit.renamed": ("renamed (one value into another)", "renamed（値の一斉置換）"),
        "limit.time_shift": ("time_shift (times moved alike)", "time_shift（日時の一斉移動）"),
        "limit.column_shift": ("column_shift (another field's values)", "column_shift（列のずれ）"),
        "limit.all_changed": ("all_changed (nothing unchanged)", "all_changed（すべて変更）"),
    }
)
