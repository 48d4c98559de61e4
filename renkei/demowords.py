"""What the demo says, in English and in Japanese.

It decides wording only.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DEMO: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "demo.start": (
            "Two fake vendors know {persons} people of {firms} firms; about half of them both, each spelt its own way.",
            "二つの模擬システムに {persons} 人（{firms} 社）がいます。約半数は両方に、別々の表記で登録されています。",
        ),
        "demo.place": ("project {folder}", "プロジェクト {folder}"),
        "demo.first": (
            "1  first sync of accounts, deals and people; one answer in ten gets lost",
            "1  取引先・商談・人の初回連携（応答の1割が失われます）",
        ),
        "demo.alarm": (
            "   CANARY  {action} {system}  {reasons}",
            "   先行送信の異常  {action} {system}  {reasons}",
        ),
        "demo.edits": (
            (
                "2  for {seconds} s people edit both sides, sometimes the same field at once; scores rise, deals are "
                "lost,\n   reopened and won, leads are rejected; and the vendors fail now and then"
            ),
            (
                "2  {seconds} 秒間、人が両側を編集し（同じ項目の同時編集もあり）、スコアが動き、"
                "商談が失注・再開・受注し、リードが差し戻されます。\n   システムもときどき失敗します"
            ),
        ),
        "demo.edited": (
            (
                "   {cycles:cycle}, the longest lap {lap} s   {edits:edit}, {collisions} at once on both sides, "
                "{opted_out:opt-out}   {faults:failure}"
            ),
            (
                "   サイクル {cycles}（最長の周回 {lap} 秒）   編集 {edits}、同時編集 {collisions}、"
                "配信停止 {opted_out}   障害 {faults}"
            ),
        ),
        "demo.played": ("   {moves}", "   {moves}"),
        "demo.quiet": (
            "3  nobody edits, nothing fails: cycles until nothing is due and two rounds in a row write nothing",
            "3  編集も障害もない状態で、予定がなくなり、2回続けて書き込みがなくなるまで",
        ),
        "demo.quieted": ("   {cycles:cycle}, {written:write}", "   サイクル {cycles}、書き込み {written}"),
        "demo.never_quiet": ("   it never came to rest", "   収束しませんでした"),
        "demo.verdict": ("4  the vendors' own ledgers judge", "4  両システム自身の記録で判定します"),
        "demo.pairs": (
            "   people       {pairs} on both sides, {alone} on one by rule, {duplicates:duplicate}, {wrong} apart",
            "   人           両側 {pairs}、ルールにより片側のみ {alone}、重複 {duplicates}、不一致 {wrong}",
        ),
        "demo.tokens": (
            (
                "   edits        {edits}: {standing} stand on both sides, {replaced} replaced by a later person, "
                "{losers} lost by rule\n                to an edit at the same time (kept in the trace), {held_back} "
                "visibly held back,\n                {in_gap} overwritten between a look and the write, {lost} lost"
            ),
            (
                "   編集         {edits}: 両側に反映 {standing}、後の編集で置換 {replaced}、"
                "同時編集の規則で不採用（履歴に保存） {losers}、\n                "
                "保留を明示 {held_back}、最後の確認と書き込みの間の上書き {in_gap}、消失 {lost}"
            ),
        ),
        "demo.firms": (
            "   accounts     {pairs} on both sides, {duplicates:duplicate}, {wrong} apart",
            "   取引先       両側 {pairs}、重複 {duplicates}、不一致 {wrong}",
        ),
        "demo.hand_overs": (
            (
                "   hand-over    {tasks:task}, {due} of them beyond doubt due; {double} double, {missed} missed, "
                "{wrong} wrong; {notices:notice}, {twice} twice"
            ),
            (
                "   引き渡し     タスク {tasks}（うち必須 {due}）、二重 {double}、漏れ {missed}、誤り {wrong}、"
                "通知 {notices}、二重通知 {twice}"
            ),
        ),
        "demo.returns": (
            (
                "   to nurture   {returns:return}, {due} of them beyond doubt due; {double} double, "
                "{missing} missing, {wrong} wrong;\n"
                "                {reminders:owner} reminded of a reason, {asked:question waits|questions wait}"
            ),
            (
                "   育成へ戻す   {returns}（うち必須 {due}）、二重 {double}、漏れ {missing}、誤り {wrong}、\n"
                "                失注理由の催促 {reminders}、回答待ち {asked} 件"
            ),
        ),
        "demo.amounts": (
            "   won amounts  {people:person shows|people show} theirs, {differ:differs|differ}",
            "   受注額       {people} 人に表示、相違 {differ}",
        ),
        "demo.opt_outs": ("   opt-outs     {undone} undone", "   配信停止     解除された件数 {undone}"),
        "demo.offence": ("   OFFENCE  {kind}  {subject}  {reason}", "   違反  {kind}  {subject}  {reason}"),
        "demo.apart": ("   APART  {who}  {fields}", "   不一致  {who}  {fields}"),
        "demo.left": ("   LEFT  {left}", "   残り  {left}"),
        "demo.calls": ("   calls {calls}   {seconds} s in all", "   呼び出し {calls}   全体 {seconds} 秒"),
        "demo.kept": (
            "Everything goes on. Look at it with:",
            "すべて動いたままです。次のコマンドで確認できます:",
        ),
        "demo.end": ("and end it with: kill {pid}; rm -r {folder}", "終了: kill {pid}; rm -r {folder}"),
        "move.score": ("scores moved", "スコア変動"),
        "move.lose": ("deals lost", "失注"),
        "move.reopen": ("reopened", "再開"),
        "move.win": ("won", "受注"),
        "move.won to lost": ("won put right to lost", "受注から失注へ訂正"),
        "move.lost to won": ("lost put right to won", "失注から受注へ訂正"),
        "move.move": ("moved on", "段階変更"),
        "move.open": ("opened", "商談化"),
        "move.convert": ("leads converted", "リード変換"),
        "move.reject": ("leads rejected", "差し戻し"),
        "move.role": ("roles given", "役割追加"),
        "move.unrole": ("roles taken", "役割削除"),
        "move.own": ("owners changed", "担当変更"),
        "move.reason": ("reasons edited", "失注理由の編集"),
        "move.delete": ("deals deleted", "商談削除"),
    }
)
