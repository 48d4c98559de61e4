"""What `undo` says, in English and in Japanese. It decides wording only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

UNDOS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "inbox.undo": (
            "it is being taken back, and leaves with the next cycles",
            "取り消し中です。次のサイクルで書き戻します",
        ),
        "inbox.unlinked": (
            "a create that was taken back: both records stay, and nothing flows between them",
            "作成が取り消されました。両側のレコードは残り、値は連携されません",
        ),
        "kind.undo": ("undo", "取り消し中"),
        "kind.unlinked": ("unlinked", "紐付け解除"),
        "undo.nothing": ("nothing of it can be taken back", "取り消せる値はありません"),
        "undo.nobody": ("nothing was written that is meant by this", "該当する書き込みはありません"),
        "undo.head": (
            "{values:value} back   {unlinked:created record} let go   {left} left alone",
            "値を戻す {values}   作成したレコードの紐付け解除 {unlinked}   対象外 {left}",
        ),
        "undo.delete": (
            "{number} of these records would be deleted, which nothing brings back",
            "うち {number} 件のレコードを削除します。元には戻せません",
        ),
        "undo.delete_next": (
            "to delete them, say the same with --yes",
            "削除するには、同じコマンドに --yes を付けてください",
        ),
        "undo.deleted": (
            "{gone} of {wanted} records deleted",
            "{wanted} 件中 {gone} 件のレコードを削除しました",
        ),
        "undo.why.bearer": (
            "it bears an opt-out, and stays for that",
            "配信停止の記録があるため削除しません",
        ),
        "undo.why.foundation": ("others stand on records of this kind", "ほかのレコードの基になる種類です"),
        "undo.why.announced": (
            "something was announced of this person",
            "この人についてタスク・通知が実行されています",
        ),
        "undo.again": ("{number:record} linked again", "紐付けを元に戻すレコード {number}"),
        "undo.called_off": (
            "{number:value} of that undo not taken back yet, and not any more",
            "その取り消しでまだ戻していない値 {number} 件は、そのままにします",
        ),
        "undo.dry": ("Nothing was written.", "何も書き込んでいません。"),
        "undo.more": ("… and {number} more", "… ほかに {number} 件"),
        "undo.ask": ("Take this back now?", "今すぐ取り消しますか？"),
        "undo.done": (
            "taken back {taken} of {values}, as run {run}",
            "{values} 件中 {taken} 件を取り消しました（実行 {run}）",
        ),
        "undo.done_next": (
            "`renkei undo run {run}` brings our values back",
            "`renkei undo run {run}` で、取り消す前の値に戻せます",
        ),
        "undo.not_yet": (
            "it is written down and done with the next cycle",
            "記録しました。次のサイクルで実行します",
        ),
        "undo.paused": (
            "{route} is paused; change the mapping, then `renkei resume {route}`",
            "{route} を一時停止しました。マッピングを変更してから `renkei resume {route}` を実行してください",
        ),
        "undo.why.braked": (
            "a brake stops it: `renkei inbox`, then `renkei approve`",
            "ブレーキで停止中です。`renkei inbox` で確認し `renkei approve` で許可してください",
        ),
        "undo.why.refused": (
            "the system refused it: `renkei errors list`",
            "システムが拒否しました。`renkei errors list` で確認してください",
        ),
        "undo.why.ignored": (
            "the system took it and did not keep it: `renkei errors list`",
            "システムが受け付けたのに保存しませんでした。`renkei errors list` で確認してください",
        ),
        "undo.why.waits": (
            "not done yet; `renkei sync` goes on with it",
            "まだ処理していません。`renkei sync` で続行します",
        ),
        "undo.why.tied": ("other records hang on it", "ほかのレコードが紐付いています"),
        "undo.why.twins": ("somebody else is linked with it", "別のレコードとも紐付いています"),
        "undo.why.touched": ("touched since", "その後に変更あり"),
        "undo.why.later": ("written again by a later run", "後の実行で書き込みあり"),
        "undo.why.gone": ("the record is gone or no longer linked", "レコードがないか、紐付いていません"),
        "undo.why.unmapped": (
            "the mapping no longer writes this field",
            "マッピングがこの項目を書き込みません",
        ),
        "undo.why.link": ("the link between both records", "両側のレコードの紐付け"),
        "undo.why.reference": ("it names another record", "別のレコードへの参照"),
        "undo.why.as_before": ("stands as before already", "すでに以前の値です"),
        "undo.why.optout": ("an opt-out is never lifted", "配信停止は取り消しません"),
        "undo.why.effect": ("it has happened and cannot be taken back", "実行済みのため取り消せません"),
        "undo.why.created": (
            "written when the record was created; take back the whole create",
            "作成時の値です。作成全体を取り消してください",
        ),
        "undo.why.final": ("it cannot be taken back", "取り消せません"),
    }
)
