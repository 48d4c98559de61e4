"""The engine's own short words in English and in Japanese: brakes, actions, states, reasons, classes of errors.

It decides wording only; `renkei.telling` says which of them applies.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from renkei.brakewords import BRAKES

ENGINE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **BRAKES,
        "span.this cycle": ("this cycle", "今回のサイクル"),
        "span.in an hour": ("in an hour", "1時間以内"),
        "span.in a day": ("in a day", "24時間以内"),
        "action.create": ("create", "新規作成"),
        "action.update": ("update", "更新"),
        "action.blank": ("blank", "空欄化"),
        "action.setback": ("setback", "段階の後戻り"),
        "action.optout": ("optout", "配信停止"),
        "action.delete": ("delete", "削除"),
        "action.effect": ("effect", "タスク・通知"),
        "kind.planned": ("planned", "計画済み"),
        "kind.waiting": ("waiting", "順番待ち"),
        "kind.pending": ("pending", "送信待ち"),
        "kind.failed": ("failed", "拒否"),
        "kind.ignored": ("ignored", "無視"),
        "kind.ambiguous": ("ambiguous", "候補複数"),
        "kind.tombstone": ("tombstone", "削除済み"),
        "kind.conflict": ("conflict", "競合"),
        "kind.unknown_value": ("unknown_value", "未登録の値"),
        "kind.incomplete": ("incomplete", "項目不足"),
        "kind.loop": ("loop", "往復"),
        "kind.consent": ("consent", "配信停止の解除"),
        "kind.unseen": ("unseen", "返されない"),
        "kind.discarded": ("discarded", "破棄済み"),
        "kind.unknown_reason": ("unknown_reason", "未知の理由"),
        "kind.no_rate": ("no_rate", "為替なし"),
        "kind.reference": ("reference", "参照待ち"),
        "kind.brake": ("brake", "ブレーキ"),
        "reason.exists": ("exists", "同じキーのレコードが既にあります"),
        "reason.refused": ("refused", "システムが拒否しました"),
        "reason.gone": ("gone", "レコードがなくなっています"),
        "reason.moved": ("moved", "値が変わっていました"),
        "reason.linked": ("linked", "紐付け済みです"),
        "reason.ambiguous": ("ambiguous", "候補が二つ以上あります"),
        "reason.merged": ("merged", "マージされました"),
        "reason.in doubt": (
            "the answer was lost and the record carries nothing to find it by",
            "応答が失われ、レコードを確認する手掛かりもありません",
        ),
        "reason.too_large": ("too_large", "一度に送れる大きさを超えています"),
        "reason.decided again": ("decided again", "改めて判定しました"),
        "reason.no longer mapped": (
            "the mapping no longer has the field; its answer was lost",
            "項目が割り当てから外れました(応答は失われました)",
        ),
        "reason.opted out already": ("opted out already", "すでに配信停止済みです"),
        "reason.the record is gone": ("the record is gone", "レコードがなくなっています"),
        "reason.the vendor does not show the record": (
            "the vendor does not show the record",
            "システムがレコードを返しません",
        ),
        "reason.not shown by the vendor": ("not shown by the vendor", "システムがレコードを返しません"),
        "reason.left, and the answer was lost": (
            "left, and the answer was lost",
            "送信しましたが、応答が失われました",
        ),
        "reason.no longer wanted": ("no longer wanted", "不要になりました"),
        "reason.no_channel": (
            "no_channel: the mapping names a channel that renkei.yaml does not have",
            "マッピングのチャネルが renkei.yaml にありません",
        ),
        "reason.ignored": (
            "ignored by the vendor: {fields}",
            "システムが受け付けたのに値を変えませんでした: {fields}",
        ),
        "refusal.exists": (
            "{system} has a record with the same key already, which is somebody else's or which it does not name",
            "{system} に同じキーのレコードが既にあり、別の人のものか、どれかを示しません",
        ),
        "refusal.exists_next": (
            "look at the person with `renkei trace`, and correct or merge one of the records",
            "`renkei trace` で確認し、どちらかのレコードを訂正するかマージしてください",
        ),
        "refusal.shared": (
            (
                "{address} is a shared address (of a role or a desk), by which renkei recognises nobody, and {system} "
                "has a record with it already"
            ),
            (
                "{address} は共有の（役割・窓口の）アドレスで、renkei はこれで人を特定しません。"
                "{system} には既に同じアドレスのレコードがあります"
            ),
        ),
        "refusal.shared_linked": (
            "give the person an address of its own, or link the two by writing the other one's id into {fields}",
            "その人自身のアドレスを入力するか、{fields} に相手のIDを入力して紐付けてください",
        ),
        "refusal.shared_next": (
            "give the person an address of its own",
            "その人自身のアドレスを入力してください",
        ),
        "class.outage": ("{message}", "システムに接続できないか、一時的に使えません: {message}"),
        "class.quota": ("{message}", "呼び出し回数の上限に達しました: {message}"),
        "class.lease": ("{message}", "別の renkei が状態を引き継ぎました: {message}"),
        "class.refused": ("{message}", "システムが要求を拒否しました: {message}"),
        "class.doubt": ("{message}", "実行されたかどうか不明です: {message}"),
        "class.fatal": ("{message}", "このままでは続行できません: {message}"),
    }
)
