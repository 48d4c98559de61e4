"""What the commands for single tasks say, in English and in Japanese: backfill. It decides wording only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TASKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "backfill.forecast": (
            "{system}: {records} records to read, about {calls} calls{share}; at most {writes} calls to write",
            "{system}: 読み込み {records} 件、呼び出し 約 {calls} 回{share}、書き込みは最大 {writes} 回",
        ),
        "backfill.share": (
            " ({share:.1f} % of the day's {daily}, {used} used)",
            "（1日 {daily} 回の {share:.1f} %、使用済み {used} 回）",
        ),
        "backfill.time": (
            "about {minutes} min of reading, in steps that let everything else go first; a canary of {canary} first",
            "読み込みは約 {minutes} 分。5 秒ずつ進み、ほかの処理が常に優先されます。先に {canary} 件ずつ試します",
        ),
        "backfill.dry": ("Nothing was read or written.", "読み込みも書き込みも行っていません。"),
        "backfill.goes_on": (
            "an unfinished backfill goes on: {read} records are read, {sent} sent",
            "途中のバックフィルを続けます（読み込み済み {read} 件、送信済み {sent} 件）",
        ),
        "backfill.ask": ("Begin?", "開始しますか？"),
        "backfill.meant": ("meant {meant}", "対象 {meant}"),
        "backfill.to_send": ("to send {planned}", "送信対象 {planned}"),
        "backfill.stopped": (
            "The canary did not come back as sent; nothing else leaves.",
            "先行分が送った通りに戻らないため、残りは送信していません。",
        ),
        "backfill.stopped_next": (
            "mend the cause, then `renkei backfill {route}` tries again; `--stop` ends it",
            "原因を直してから `renkei backfill {route}` で再試行、`--stop` で終了します",
        ),
        "backfill.ended": (
            "The backfill of {route} was ended; what it had decided goes with the next cycles, within the brakes.",
            "{route} のバックフィルを終了しました。判定済みの分は通常のサイクルで（ブレーキの範囲内で）送られます。",
        ),
        "backfill.none": (
            "No backfill of {route} is unfinished.",
            "{route} に途中のバックフィルはありません。",
        ),
        "backfill.beside": (
            "the service does it; Ctrl-C only stops watching",
            "サービスが実行します。Ctrl-C は表示をやめるだけです",
        ),
    }
)
