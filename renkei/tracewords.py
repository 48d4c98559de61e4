"""What `trace` and `compact` say, in English and in Japanese. It decides wording only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TRACES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "trace.nobody": ("Nobody here answers to {who}.", "{who} に当たる記録はありません。"),
        "trace.nobody_next": (
            "write an e-mail address, or system:id",
            "メールアドレスか、システム:ID を指定してください",
        ),
        "trace.now": ("now", "現在"),
        "trace.at": ("as of {at}", "{at} 時点"),
        "trace.not_yet": ("no record was known by then", "この時点ではまだ記録がありません"),
        "trace.too_old": (
            "what happened before {at} is not kept any more",
            "{at} より前の履歴は保存期間を過ぎています",
        ),
        "trace.cut": ("there is more: narrow it with --since", "続きがあります。--since で絞ってください"),
        "trace.agreed": ("agreed {value}", "合意値 {value}"),
        "trace.in_step": ("in step", "一致"),
        "trace.differ": ("agreed to differ", "相違で合意済み"),
        "trace.apart": ("not in step", "不一致"),
        "trace.wrote": ("wrote", "書き込み"),
        "trace.undone": ("took back", "取り消し"),
        "trace.planned": ("planned", "予定"),
        "trace.refused": ("refused", "拒否"),
        "trace.dropped": ("dropped", "取りやめ"),
        "trace.discarded": ("discarded", "破棄"),
        "trace.effect": ("did", "実行"),
        "trace.alone": ("on one side only", "片側のみ"),
        "trace.changed": ("changed", "変更"),
        "trace.by_us": ("read back from our write", "renkei の書き込みの確認"),
        "trace.lost": ("lost {value} (kept here)", "{value} は採用されず、ここに保存"),
        "trace.holds": ("waits", "判断待ち"),
        "trace.conflict": ("conflict", "競合"),
        "trace.first": ("first seen", "初回の読み取り"),
        "trace.base": ("first agreed", "初回の合意"),
        "trace.linked": ("linked", "紐付け"),
        "trace.merged": ("merged", "統合"),
        "trace.converted": ("converted", "取引開始"),
        "trace.deleted": ("deleted", "削除"),
        "trace.restored": ("restored", "復元"),
        "trace.answered": ("answered", "回答"),
        "trace.asked": ("word refused", "指示の却下"),
        "trace.unheard": ("not heard yet", "未処理の指示"),
        "trace.approved": ("let go", "承認"),
        "trace.gave_up": ("given up", "破棄の指示"),
        "trace.retried": ("tried again", "再試行の指示"),
        "trace.asked_back": ("asked back", "取り消しの指示"),
        "trace.somebody": ("somebody at {system}", "{system} の誰か"),
        "trace.altered": ("altered by {system} to {value}", "{system} が {value} に変更"),
        "trace.latch": (
            "opted out   {field}   for this {whom}, said by {source}",
            "配信停止   {field}   対象 {whom}、根拠 {source}",
        ),
        "trace.lifted": ("lifted   {field}   {source}", "配信停止の解除   {field}   {source}"),
        "trace.person": ("person", "本人"),
        "trace.address": ("address", "メールアドレス"),
        "compact.gone": (
            "{what}   {number}   from before {before}",
            "{what}   {number} 件   {before} より前",
        ),
        "compact.writes": ("finished writes", "完了した書き込み"),
        "compact.changes": ("pages of observed changes", "観測された変更のページ"),
        "compact.runs": ("runs", "実行"),
        "compact.words": ("answers and other words", "回答などの指示"),
        "compact.size": ("state.db {before} MiB → {after} MiB", "state.db {before} MiB → {after} MiB"),
        "compact.later": (
            "The service does it when nothing else is due.",
            "サービスが手の空いたときに実行します。",
        ),
        "trace.undo": ("undo the last write: `{command}`", "最後の書き込みの取り消し: `{command}`"),
    }
)
