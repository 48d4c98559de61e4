"""What `renkei reconcile` says, in English and in Japanese. It decides wording only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RECONCILE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "progress.compare": ("compare", "照合"),
        "reconcile.dry": ("Nothing was read.", "読み込みは行っていません。"),
        "reconcile.time": ("about {minutes} min of reading", "読み込みは約 {minutes} 分"),
        "reconcile.read": ("read {read}", "読み込み {read}"),
        "reconcile.pairs": (
            "{compared:pair} compared, {equal} equal in every field",
            "{compared} 組を照合、全項目一致 {equal} 組",
        ),
        "reconcile.kind": ("what", "種別"),
        "reconcile.explained": ("explained", "説明あり"),
        "reconcile.gaps": ("unexplained", "説明なし"),
        "reconcile.why": ("by", "理由"),
        "reconcile.different": ("different fields", "値の相違"),
        "reconcile.missing": ("missing", "欠落"),
        "reconcile.orphaned": ("orphaned", "相手なし"),
        "reconcile.double": ("double", "重複"),
        "reconcile.unknown": ("never seen", "未把握"),
        "reconcile.stale": ("seen otherwise", "把握した値と相違"),
        "reconcile.alone": ("on one side", "片側のみ"),
        "reconcile.why.agreed": ("agreed to differ", "相違で合意済み"),
        "reconcile.why.by_rule": ("the mapping's rule", "マッピングの規則"),
        "reconcile.why.held": ("waits in the inbox", "inbox で判断待ち"),
        "reconcile.why.waiting": ("to be sent", "送信待ち"),
        "reconcile.why.refused": ("refused by a system", "システムが拒否"),
        "reconcile.why.to_decide": ("to be decided", "判定待ち"),
        "reconcile.why.to_read": ("to be read again", "再読み込み待ち"),
        "reconcile.why.unread": ("not noted, see «seen otherwise»", "未記録（「把握した値と相違」を参照）"),
        "reconcile.why.on_its_way": ("too young to be told", "変更直後"),
        "reconcile.why.unconfirmed": ("sent, to be read back", "送信後の確認待ち"),
        "reconcile.why.outside": ("nobody asks for it", "対象外"),
        "reconcile.why.not_writable": ("cannot be written there", "書き込み不可"),
        "reconcile.why.deleted": ("deleted by its system", "システム側で削除済み"),
        "reconcile.why.not_shown": ("not shown by its system now", "現在表示されない"),
        "reconcile.why.apart": ("a twin with an identity of its own", "重複だが独自の識別子あり"),
        "reconcile.why.twin": ("known as twins", "重複として把握済み"),
        "reconcile.well": ("no gap", "差異なし"),
        "reconcile.ill": ("{gaps:finding} that nothing explains", "説明のない差異 {gaps} 件"),
        "reconcile.buckets": (
            "buckets that differ from the journal: {buckets}",
            "記録と異なる区分: {buckets}",
        ),
        "reconcile.uneven": ("{system} {number} of {of}", "{system} {of} 区分中 {number}"),
        "reconcile.by_id": (
            "given by id, but not listed, so that buckets differ without a gap: {records}",
            "一覧になくIDで取得できた件数（区分が異なっても差異ではありません）: {records}",
        ),
        "reconcile.asked": (
            "{asked:record is|records are} read again now; what would be written follows",
            "{asked} 件をいま読み直し、書き込む予定の内容を表示します",
        ),
        "reconcile.asked_beside": (
            "{asked:record is|records are} read again by the service and decided within its brakes",
            "{asked} 件をサービスが読み直し、ブレーキの範囲内で処理します",
        ),
        "reconcile.plan": (
            "Plan after reading again; nothing was written.",
            "読み直し後の計画（書き込みなし）",
        ),
        "reconcile.plan_next": (
            "`renkei sync {route}` delivers it within the brakes; `renkei plan {route} --out FILE` lists it whole",
            "`renkei sync {route}` でブレーキの範囲内で反映、`renkei plan {route} --out FILE` で全件を出力します",
        ),
        "compared.complete": ("complete: {last}", "照合完了: {last}"),
        "compared.gaps": ("with gaps: {last}", "差異あり: {last}"),
        "compared.failed": (
            "not complete: the compare that ended {when} could not read everything ({why}); {last}",
            "未完了: {when} の照合はすべてを読み込めませんでした（{why}）。{last}",
        ),
        "compared.never": ("no two-sided compare was complete yet", "完了した照合はまだありません"),
        "compared.last": (
            "last two-sided compare {when}: {counted}",
            "最後の両システム照合 {when}: {counted}",
        ),
        "compared.unexplained": ("unexplained {number}", "説明なし {number}"),
        "compared.next": (
            "`renkei reconcile {route} --show` names them, `--mend` has them read again",
            "`renkei reconcile {route} --show` で一覧、`--mend` で読み直しを依頼します",
        ),
        "reconcile.next": (
            "`--show` names them, `--mend` has them read again",
            "`--show` で一覧、`--mend` で読み直しを依頼します",
        ),
    }
)
