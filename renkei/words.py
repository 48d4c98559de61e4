"""What the command line says, in English and in Japanese, in one table.

It decides wording only. Messages of the layers below come as they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from renkei.demowords import DEMO
from renkei.enginewords import ENGINE
from renkei.errorwords import ERRORS
from renkei.filling import filled
from renkei.limitwords import LIMITS
from renkei.reconcilewords import RECONCILE
from renkei.renamewords import RENAMES
from renkei.replaywords import REPLAYS
from renkei.taskwords import TASKS
from renkei.tracewords import TRACES
from renkei.undowords import UNDOS

LANGUAGES = ("en", "ja")

_TEXTS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        **ENGINE,
        **DEMO,
        **TASKS,
        **TRACES,
        **UNDOS,
        **ERRORS,
        **LIMITS,
        **RECONCILE,
        **REPLAYS,
        **RENAMES,
        "error": ("error", "エラー"),
        "warning": ("warning", "警告"),
        "note": ("note", "参考"),
        "next": ("next", "次の操作"),
        "env": ("env: {env}", "環境: {env}"),
        "own_error": (
            "renkei met an error of its own ({what}); what was noted before it is kept.",
            "renkei 自身のエラーです（{what}）。それまでの記録は保存されています。",
        ),
        "own_error_next": (
            "run the command again; report the line above if it comes back",
            "もう一度実行してください。続く場合は上の行を報告してください",
        ),
        "interrupted": (
            "Stopped on request; everything noted so far is kept.",
            "中断しました。ここまでの記録はすべて保存されています。",
        ),
        "interrupted_next": (
            "run the command again, it goes on from there",
            "もう一度実行すると続きから再開します",
        ),
        "stopping": (
            "stopping: finishing the calls in flight",
            "終了します: 送信中の呼び出しの完了を待っています",
        ),
        "status.stale": (
            "what we know is too old: {system} was last read {when}, which is more than {minutes:minute} ago",
            "データが古くなっています: {system} の前回の読み込みは {when}、{minutes} 分以上前です",
        ),
        "status.stale_next": (
            "see why whatever schedules `renkei sync` does not run it; if it runs more rarely, say so with --max-age",
            "`renkei sync` の定期実行が止まっていないか確認してください。間隔が長い場合は --max-age で指定します",
        ),
        "systems.again": ("as above", "上と同じ"),
        "backup.done": (
            "{path} holds the state as of now ({size} bytes).",
            "現在の状態を {path} に保存しました（{size} バイト）。",
        ),
        "init.done": (
            "A project from {preset} stands in {folder}.",
            "{preset} のプロジェクトを {folder} に作りました。",
        ),
        "init.next": (
            "fill in renkei.yaml, put the secrets into the environment or into {secrets}, then run `renkei check`",
            "renkei.yaml を埋め、秘密情報を環境変数か {secrets} に置いてから `renkei check` を実行してください",
        ),
        "check.files": (
            "{files:file} · {asked:system} asked · {errors:error}, {warnings:warning}, {notes:note}",
            "ファイル {files} · 照会したシステム {asked} · エラー {errors}、警告 {warnings}、参考 {notes}",
        ),
        "check.not_asked": (
            "{system} was not asked, so its field names are unchecked: {why}",
            "{system} に照会できず、項目名は未確認です: {why}",
        ),
        "schema.written": (
            "{path} written; your editor completes field names now.",
            "{path} を書きました。エディターで項目名が補完されます。",
        ),
        "nothing_written": ("nothing is written to any system", "どのシステムにも書き込みません"),
        "plan.head": ("mapping {digest}   linked {linked}", "マッピング {digest}   紐付け済み {linked}"),
        "plan.nothing": ("nothing to do", "実行する操作はありません"),
        "plan.first": (
            "this route was never applied: `renkei sync --first` delivers a canary, then everything",
            "この連携はまだ一度も適用されていません: `renkei sync --first` で少数を試してから全件を送ります",
        ),
        "plan.opt_outs": ("opt-outs   {number} would go at once", "配信停止   {number} 件はすぐに送られます"),
        "plan.fields": ("by field   {fields}", "項目別   {fields}"),
        "plan.waits": (
            "waits for a person   {holds}   → renkei inbox",
            "判断待ち   {holds}   → renkei inbox",
        ),
        "plan.brake": ("BRAKE  {reason}", "ブレーキ  {reason}"),
        "plan.more": ("… {number} more", "… ほか {number} 件"),
        "plan.written": (
            "plan with {number:operation} written to {path}",
            "{number} 件の計画を {path} に書きました",
        ),
        "apply.moved": ("moved", "変わりました"),
        "apply.done_by_another_run": ("done by another run", "ほかの実行で済んでいます"),
        "apply.no_longer_wanted": ("no longer wanted", "不要になりました"),
        "apply.stopped_by_a_brake": ("stopped by a brake", "ブレーキで停止"),
        "apply.lifted": ("the brake is off: {reason}", "ブレーキを解除しました: {reason}"),
        "apply.difference": (
            "{field} planned {planned}, now {wanted}",
            "{field} 計画 {planned}、いま {wanted}",
        ),
        "apply.not_wanted": ("{field} planned {planned}", "{field} 計画 {planned}"),
        "show.none": ("The plan has no such line.", "この計画に該当する行はありません。"),
        "apply.done": ("delivered {number}", "{number} 件を送りました"),
        "apply.rest": (
            "not delivered: {moved} moved, {done} done by another run, {unwanted} no longer wanted",
            "送らなかったもの: 値が変わった {moved} 件、別の実行で完了 {done} 件、不要になった {unwanted} 件",
        ),
        "sync.first_needed": (
            "The route {route} was never applied, so nothing was written.",
            "連携 {route} はまだ一度も適用されていないため、何も書き込みませんでした。",
        ),
        "sync.first_next": (
            "look with `renkei plan`, then run `renkei sync --first`",
            "`renkei plan` で確認し、`renkei sync --first` を実行してください",
        ),
        "sync.read": ("read", "読み込み"),
        "sync.wrote": ("wrote", "書き込み"),
        "sync.nothing": ("nothing to write", "書き込みなし"),
        "sync.none_taken": ("wrote nothing of what was sent", "送信したものは書き込まれていません"),
        "sync.linked": ("linked {number}", "紐付け {number}"),
        "sync.conflicts": ("conflicts {number}", "競合 {number}"),
        "sync.canary": (
            "canary   {sent} sent, {wrong} read back otherwise",
            "先行送信   {sent} 件送信、{wrong} 件が不一致",
        ),
        "sync.canary_brake": (
            "{wrong} of {sent} {action}s at {system} did not come back as sent",
            "{system} への {action} {sent} 件中 {wrong} 件が送った値と一致しません",
        ),
        "sync.canary_next": (
            (
                "look at the fields named, mend the mapping or the system, then run `renkei sync --first` again, "
                "which tries the same ones once more; where all is well so, `--first --canary 0` sends the rest"
            ),
            (
                "表示された項目を確認し、マッピングかシステムを直してから `renkei sync --first` を再実行してください"
                "（同じ記録をもう一度試します）。このままでよければ `renkei sync --first --canary 0` で残りを送ります"
            ),
        ),
        "sync.brake_next": (
            "look with `renkei plan --out plan.json`, let it go with `renkei apply plan.json`, or mend the cause",
            "`renkei plan --out plan.json` で確認し、`renkei apply plan.json` で通すか、原因を直してください",
        ),
        "sync.approve_next": (
            "`renkei status` names the commands that show it and let it go; or mend the cause",
            "確認と解除のコマンドは `renkei status` に表示されます。または原因を直してください",
        ),
        "sync.stopped": ("STOPPED  {system}: {why}", "停止  {system}: {why}"),
        "sync.open": ("waits   {open}   → renkei inbox", "未完了   {open}   → renkei inbox"),
        "sync.open_sync": (
            "to leave   {open}   → renkei sync {route}",
            "送信待ち   {open}   → renkei sync {route}",
        ),
        "sync.open_shadow": (
            "in shadow   {open}   → renkei shadow {route}",
            "shadow   {open}   → renkei shadow {route}",
        ),
        "sync.open_first": (
            "waits   {open}   → renkei sync --first {route}",
            "未完了   {open}   → renkei sync --first {route}",
        ),
        "sync.well": ("all well", "問題ありません"),
        "sync.seconds": ("{seconds} s", "{seconds} 秒"),
        "progress.read": ("read {system}", "読み込み {system}"),
        "progress.decide": ("decide", "判定"),
        "progress.write": ("write {system}", "書き込み {system}"),
        "progress.line": ("{what}   {count}   {rate}/s", "{what}   {count} 件   毎秒 {rate} 件"),
        "status.route": ("route", "連携"),
        "status.last": ("last cycle", "前回"),
        "status.state": ("state", "状態"),
        "status.dirty": ("to decide", "判定待ち"),
        "status.today": ("written today", "本日の書き込み"),
        "status.waits": ("waits", "待ち"),
        "status.never": ("never", "なし"),
        "status.failed": (
            "the last cycle began {when} and did not come to its end; what it had noted is kept",
            "{when} に始まった前回のサイクルは最後まで終わりませんでした。それまでの記録は保存されています",
        ),
        "status.failed_next": (
            "run `renkei sync`, it says why",
            "`renkei sync` を実行すると原因が表示されます",
        ),
        "status.ok": ("ok", "正常"),
        "status.look": ("look", "要確認"),
        "status.first": ("before its first", "初回前"),
        "status.linked": ("linked", "紐付け"),
        "all_routes": ("all routes", "すべての連携"),
        "pause.done": (
            "{route}: nothing but opt-outs is sent until `renkei resume`; reading and planning go on.",
            "{route}: `renkei resume` まで配信停止以外は送りません。読み込みと計画は続きます。",
        ),
        "resume.done": ("{route}: sending goes on.", "{route}: 送信を再開します。"),
        "service.later": (
            "The service does not run now; this holds when it starts.",
            "サービスは起動していません。起動すると有効になります。",
        ),
        "service.runs": (
            "service   {owner} since {since}   {where}",
            "サービス   {owner} {since} から稼働中   {where}",
        ),
        "service.quota": ("calls today", "本日の呼び出し"),
        "service.used": ("{system} {share} % of {daily}", "{system} {daily} 回の {share} %"),
        "service.paused": (
            "PAUSED  {route} since {since}: {reason}; opt-outs are sent",
            "一時停止  {route} {since} から: {reason}（配信停止は送ります）",
        ),
        "service.stopped": (
            "STOPPED  {route} since {since}: {reason}",
            "停止  {route} {since} から: {reason}",
        ),
        "service.away": (
            "WAITS  {route} since {since}: {reason} It is tried again by itself.",
            "待機  {route} {since} から: {reason} 自動で再試行します。",
        ),
        "service.mapping": (
            "changed mapping files were refused, the last good version goes on: {reason}",
            "変更されたマッピングを適用できず、直前の正しい版で動いています: {reason}",
        ),
        "inbox.empty": ("Nothing waits for a person.", "判断待ちはありません。"),
        "inbox.more": (
            "… more than {limit} wait; see them with --limit",
            "… {limit} 件を超えています。--limit で続きを表示できます",
        ),
        "inbox.look": (
            "look at one with `renkei trace system:id`; mend it where it was refused, then run `renkei retry`",
            "`renkei trace システム:ID` で確認し、拒否の原因を直してから `renkei retry` を実行してください",
        ),
        "inbox.ambiguous": ("two or more records could be this person", "候補が二つ以上あります"),
        "inbox.tombstone": ("the record across was deleted there", "相手側の記録は削除されています"),
        "inbox.conflict": ("both sides were edited", "両方で編集されています"),
        "inbox.unknown_value": ("a value that the mapping does not list", "マッピングにない値です"),
        "inbox.incomplete": ("fields that a new record needs are empty", "新規作成に必要な項目が空です"),
        "inbox.loop": ("the value goes back and forth", "値が行き来しています"),
        "inbox.consent": ("a withdrawn opt-out needs evidence", "配信停止の解除には根拠が必要です"),
        "inbox.brake": ("stopped by a brake: {reason}", "ブレーキで停止: {reason}"),
        "inbox.waiting": (
            "another record of this person is being created first",
            "同じ人の別の記録を先に作成しています",
        ),
        "inbox.unseen": (
            "the record across is not shown by its system for now",
            "相手側の記録が今は表示されていません",
        ),
        "inbox.failed": ("refused: {reason}", "拒否されました: {reason}"),
        "systems.connected": ("{system}   {detail}", "{system}   {detail}"),
        "systems.used": ("calls of today {used} of {daily}", "本日の呼び出し {used} / {daily}"),
    }
)


def language(asked: str | None, environ: Mapping[str, str]) -> str:
    """ja or en: as asked for, else as the environment's LC_ALL, LC_MESSAGES or LANG says."""
    spoken = asked or environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "ja" if spoken.lower().startswith("ja") else "en"


class Words:
    """The table in one language."""

    def __init__(self, lang: str) -> None:
        self.lang = lang
        self._column = 1 if lang == "ja" else 0

    def __call__(self, key: str, **values: object) -> str:
        """A text with its values filled in; an unknown key is shown as it is."""
        texts = _TEXTS.get(key)
        return filled(texts[self._column], values) if texts else key


def keys() -> frozenset[str]:
    """Every text there is."""
    return frozenset(_TEXTS)
