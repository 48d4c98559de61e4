"""What the commands for single tasks say, in English and in Japanese: backfill. It decides wording only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

TASKS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "inbox.groups": ("… and {number:more kind or cause|more kinds and causes}", "… ほかに {number} 種類"),
        "inbox.answer": (
            "`renkei inbox {number}` says what can be answered and what then happens",
            "`renkei inbox {number}` で、選べる回答とその結果を表示します",
        ),
        "inbox.can": ("what can be done, and what then happens:", "できることと、その結果:"),
        "inbox.elsewhere": (
            "nothing is answered here: it ends by itself when its cause is gone",
            "ここで答えるものはありません。原因がなくなると自然に消えます",
        ),
        "inbox.list_value": (
            "list it under `values:` of {field}, line {line} of {file}, or correct the record; then `renkei sync`",
            "{file} の {line} 行目（{field}）の `values:` に追加するか元の値を直し、`renkei sync` を実行してください",
        ),
        "inbox.write_value": (
            "write it into {table} ({field}: line {line} of {file}), or correct it at the source; then `renkei sync`",
            "{table} に追加するか（{field}: {file} の {line} 行目）、元の値を修正し、`renkei sync` を実行してください",
        ),
        "inbox.write_rate": (
            (
                "write its rate into {table}, e.g. `USD,2026-04-01,151.2` ({field}: line {line} of {file}), or correct "
                "the amount's currency or day; then `renkei sync`"
            ),
            (
                "{table} に `USD,2026-04-01,151.2` の形で為替を追加するか（{field}: {file} の {line} 行目）、"
                "金額の通貨か日付を直してから `renkei sync` を実行してください"
            ),
        ),
        "inbox.route_reason": (
            "give it a route under `recycle:`, from line {line} of {file}, or correct the record; then `renkei sync`",
            "{file} の {line} 行目からの `recycle:` に振り分け先を追加するか元の値を直し、`renkei sync` を実行",
        ),
        "inbox.answered": ("answered: {answer}; it is being done", "回答済み: {answer}（処理中）"),
        "inbox.discarded": ("given up by a person, and still different", "人が破棄し、両側はまだ異なります"),
        "inbox.unknown_reason": (
            "a reason that no route of the mapping names: give it a route there, or correct it at the source",
            "マッピングに振り分け先のない理由です。マッピングに追加するか、元の値を直してください",
        ),
        "inbox.no_rate": (
            "an amount whose currency or day rates.csv does not have",
            "rates.csv に通貨か日付のない金額です",
        ),
        "inbox.reference": (
            "refers to a record that is linked with none across yet",
            "参照先のレコードがまだ紐付いていません",
        ),
        "does.write": ("«{value}» is written to {system}", "「{value}」を {system} に書き込みます"),
        "does.leave": (
            "both keep what they have, until somebody changes one of them",
            "両方をそのままにし、どちらかが変わるまで何もしません",
        ),
        "does.link": ("is linked with {record} as the same person", "{record} と同じ人として紐付けます"),
        "does.new": (
            "counts as another person: a new record may be made",
            "別の人として扱い、新しいレコードを作れます",
        ),
        "does.lift": (
            "the opt-out counts as taken back; renkei writes nothing, a newer opt-out stands again",
            "配信停止は解除済みとみなします。renkei は何も書かず、新しい配信停止は再び有効です",
        ),
        "does.approve": (
            "the planned work of this kind ({action}) leaves with the next cycle",
            "計画済みの「{action}」を次のサイクルで送ります",
        ),
        "does.approve_place": (
            "the system is taken for what it calls itself now, with all that is known of its records",
            "今名乗っているものをこのシステムとみなし、レコードの情報もそのまま使います",
        ),
        "does.approve_plan": (
            "exactly these operations leave, as far as nothing has changed since",
            "このうち今も変わっていないものだけを送ります",
        ),
        "does.discard_plan": (
            "exactly these operations are given up, as far as nothing has changed since",
            "このうち今も変わっていないものだけを破棄します",
        ),
        "inbox.plan": ("plan {plan}: {number:operation}", "計画 {plan}: {number} 件"),
        "does.discard_all": (
            "the planned work of this kind ({action}) is given up and listed as different",
            "計画済みの「{action}」を破棄し、異なるものとして一覧に残します",
        ),
        "does.retry": ("everything refused is tried again now", "拒否されたものをすべて今すぐ再試行します"),
        "does.discard": (
            "it is given up, and listed as different until a side changes",
            "破棄し、どちらかが変わるまで異なるものとして一覧に残します",
        ),
        "does.keep_both": (
            "it is given up; both sides are agreed to differ",
            "破棄し、両側が異なることを了承済みとします",
        ),
        "decide.done": ("Done: {what}.", "完了しました: {what}"),
        "decide.later": (
            "Noted: {what}. The service does it with its next cycle.",
            "受け付けました: {what}。サービスが次のサイクルで処理します。",
        ),
        "decide.next": (
            "it leaves with the next `renkei sync`",
            "次の `renkei sync` で送られます",
        ),
        "decide.lifted": (
            "renkei writes nothing: where a system still says «opted out», change it there by hand",
            "renkei は何も書き込みません。配信停止のままのシステムでは、手動で変更してください",
        ),
        "decide.always": (
            "to decide so always: `{line}` in the row {field} of {file}:{number}",
            "常にこう決めるには、{file}:{number} の行 {field} に `{line}` と書きます",
        ),
        "approve.what": ("{action} let go", "「{action}」を送信可能にしました"),
        "plan.named": ("plan {plan}: {what}", "計画 {plan}: {what}"),
        "plan.rest": (
            "not: {moved} moved, {done} done by another run, {unwanted} no longer wanted",
            "対象外: 値が変わった {moved} 件、別の実行で処理済み {done} 件、不要になった {unwanted} 件",
        ),
        "plan.let_go": ("{number} let go", "{number} 件を送信可能にしました"),
        "discard.what": ("{number} given up", "{number} 件を破棄しました"),
        "status.behind": ("behind", "遅れ"),
        "status.brake": ("BRAKE", "ブレーキ"),
        "status.broken": ("FAILED", "失敗"),
        "status.old": ("TOO OLD", "古い"),
        "status.paused": ("paused", "一時停止"),
        "status.whole": ("read", "読込"),
        "status.unseen": ("not shown now: {unseen}", "現在表示されない: {unseen}"),
        "status.brake_ends": (
            "put right what it says; it ends by itself with the first cycle after that",
            "示された原因を直してください。その後の最初のサイクルで自然に外れます",
        ),
        "status.brake_next": (
            "look: `renkei inbox {number}`, then `renkei approve {number}` or `discard {number}`; opt-outs still flow",
            "`renkei inbox {number}` で確認し、`renkei approve {number}` か `discard {number}`。配信停止は止まりません",
        ),
        "status.backfill": (
            "backfill {phase}: {done} of {total} read ({rate}/s, rest {rest}), {sent} of {planned} sent",
            "バックフィル {phase}: 読込 {done}/{total}（毎秒 {rate}、残り {rest}）、送信 {sent}/{planned}",
        ),
        "status.backfill_waits": (
            "backfill waits for calls, and goes on by itself: {why}",
            "バックフィルは呼び出し回数の回復を待って自動で再開します: {why}",
        ),
        "status.backfill_braked": (
            "backfill waits for the brake, and goes on once it is gone: {why}",
            "バックフィルはブレーキが外れるまで待ち、その後に再開します: {why}",
        ),
        "service.own": (" (renkei {own} %)", "（renkei {own} %）"),
        "service.full": (", our share full at ≈ {at}", "、当方の割り当ては {at} 頃に上限"),
        "service.waits": (", {lanes} wait until {at}", "、{lanes}は {at} まで待機"),
        "lane.opt-out": ("opt-outs", "配信停止"),
        "lane.hand-over": ("hand-overs", "引き渡し"),
        "lane.delta": ("changes", "変更"),
        "lane.backfill": ("backfills", "バックフィル"),
        "shadow.head": (
            "{route} ({day}): {number:value} of {records:record} would have been written; {passed} passed",
            "{route}（{day}）: {records} 件の {number} 項目を書き込むところでした（{passed} 項目は解消）",
        ),
        "shadow.now": ("now", "現在"),
        "shadow.none": ("nothing would have been written", "書き込むものはありません"),
        "shadow.not": (
            "this route is not in `mode: shadow`: what stands here leaves with the next sync, within its brakes",
            "このルートは `mode: shadow` ではありません。ここにある分はブレーキの範囲内で次の sync で送られます",
        ),
        "shadow.never": (
            "this route is not in `mode: shadow`, and was never let go: nothing leaves before its first `renkei apply`",
            "`mode: shadow` ではありませんが、未承認のルートです。最初の `renkei apply` まで何も送られません",
        ),
        "shadow.into": ("into", "書き込み先"),
        "shadow.field": ("field", "項目"),
        "shadow.action": ("action", "操作"),
        "shadow.stands": ("would differ", "差異"),
        "shadow.passed": ("passed", "解消"),
        "shadow.examples": ("examples", "例"),
        "forecast.system": (
            "{system}: {records:record} to read, about {calls:call}{jobs}{share}",
            "{system}: 読み込み {records} 件、呼び出し 約 {calls} 回{jobs}{share}",
        ),
        "forecast.jobs": (" in {jobs:job} of its own", "（うち抽出ジョブ {jobs} 件）"),
        "forecast.share": (
            " ({share:.2f} % of the day's {daily}, {used} used)",
            "（1日 {daily} 回の {share:.2f} %、使用済み {used} 回）",
        ),
        "forecast.writes": ("; at most {writes:call} to write", "、書き込みは最大 {writes} 回"),
        "backfill.time": (
            "about {minutes} min of reading, in steps that let everything else go first; a canary of {canary} first",
            "読み込みは約 {minutes} 分。5 秒ずつ進み、ほかの処理が常に優先されます。先に {canary} 件ずつ試します",
        ),
        "backfill.dry": ("Nothing was read or written.", "読み込みも書き込みも行っていません。"),
        "backfill.goes_on": (
            "an unfinished backfill goes on: {read:record is|records are} read, {sent} sent",
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
        "backfill.braked_next": (
            "once the brake is gone, `renkei backfill {route}` goes on; `--stop` ends it",
            "ブレーキが外れてから `renkei backfill {route}` で再開、`--stop` で終了します",
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
