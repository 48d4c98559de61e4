"""What `errors` says, in English and in Japanese: what each meaning of a refusal is, and the next step. It decides
wording only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

ERRORS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "meaning.permission": ("our user may not write it", "連携用ユーザーに書き込み権限がありません"),
        "meaning.permission_next": (
            "give renkei's user the right to write it, or take the field out of the mapping",
            "連携用ユーザーに書き込み権限を与えるか、項目をマッピングから外してください",
        ),
        "meaning.required": ("a value is missing that has to be there", "必須の値がありません"),
        "meaning.required_next": (
            "fill the field at its source, or give it a default in the mapping (`on_create`)",
            "元のシステムで値を入力するか、マッピングに既定値（`on_create`）を書いてください",
        ),
        "meaning.length": ("the value is too long there", "値が長すぎます"),
        "meaning.length_next": (
            "shorten it at its source, lengthen the field there, or cut it in the mapping",
            "元の値を短くするか、先方の項目を長くするか、マッピングで切り詰めてください",
        ),
        "meaning.picklist": ("the picklist there does not have this word", "先方の選択リストにない値です"),
        "meaning.picklist_next": (
            "add the word to the picklist there, or map it to one that it has",
            "先方の選択リストに値を追加するか、マッピングで既存の値に対応させてください",
        ),
        "meaning.value": ("the value has not the form that the field takes", "項目の形式に合わない値です"),
        "meaning.value_next": (
            "correct the value at its source, or convert it in the mapping",
            "元の値を訂正するか、マッピングで変換してください",
        ),
        "meaning.rule": (
            "a rule or an automation of the system refuses it",
            "システム側のルールまたは自動処理が拒否しました",
        ),
        "meaning.rule_next": (
            "read the system's own words with `renkei errors show`, and meet the rule or exempt renkei's user from it",
            "`renkei errors show` でシステムの説明を確認し、条件を満たすか連携用ユーザーを対象外にしてください",
        ),
        "meaning.duplicate": (
            "there is another record with the same key",
            "同じキーのレコードがほかにあります",
        ),
        "meaning.duplicate_next": (
            "look at the person with `renkei trace`, and correct or merge one of the records",
            "`renkei trace` で確認し、どちらかのレコードを訂正するかマージしてください",
        ),
        "meaning.reference": ("it names something that is not there", "存在しないものを指しています"),
        "meaning.reference_next": (
            "create what is named there, or correct its name at the source",
            "指している先を作成するか、元の値を訂正してください",
        ),
        "meaning.schema": ("the system does not know the field", "システムにない項目です"),
        "meaning.schema_next": (
            "run `renkei check`, and correct the mapping",
            "`renkei check` を実行し、マッピングを訂正してください",
        ),
        "meaning.lock": ("somebody or something holds the record", "レコードがロックされています"),
        "meaning.lock_next": (
            "nothing, if it passes; else see which job or approval at the system holds the record",
            "一時的なら対応不要です。続く場合は、先方で保持しているジョブや承認を確認してください",
        ),
        "meaning.gone": ("the record is not there any more", "レコードがなくなっています"),
        "meaning.gone_next": (
            "nothing, if the feed tells of it soon; else look with `renkei trace`",
            "まもなく反映されれば対応不要です。続く場合は `renkei trace` で確認してください",
        ),
        "meaning.size": ("it is larger than the system takes", "システムの上限を超えています"),
        "meaning.size_next": (
            "map fewer or shorter fields, or make room at the system",
            "項目を減らすか短くするか、先方の容量を空けてください",
        ),
        "meaning.setting": (
            "a setting of ours is wrong or missing",
            "renkei の設定が誤っているか不足しています",
        ),
        "meaning.setting_next": (
            "correct it in renkei.yaml or in the mapping, then `renkei errors retry`",
            "renkei.yaml かマッピングを訂正し、`renkei errors retry` を実行してください",
        ),
        "meaning.ignored": (
            "the system said yes and kept its own value",
            "システムは受け付けましたが、値を変えませんでした",
        ),
        "meaning.ignored_next": (
            "find the rule there that protects the field, then `renkei errors retry`, or `renkei errors discard`",
            "先方のルールを確認し、`renkei errors retry` か `renkei errors discard` を実行してください",
        ),
        "meaning.doubt": (
            "the answer was lost and nobody can say whether it happened",
            "応答が失われ、実行されたか不明です",
        ),
        "meaning.doubt_next": (
            "look at the system; `renkei errors retry` sends it once more, `renkei errors discard` leaves it",
            "先方を確認し、再送するなら `renkei errors retry`、しないなら `renkei errors discard` を実行してください",
        ),
        "meaning.other": ("refused", "拒否されました"),
        "meaning.other_next": (
            "read the system's own words with `renkei errors show`",
            "`renkei errors show` でシステムの説明を確認してください",
        ),
        "errors.none": ("Nothing is refused.", "拒否されている操作はありません。"),
        "errors.line": ("{records:record}   since {since}   {when}", "{records} 件   {since} から   {when}"),
        "errors.when": ("next try {at}", "次の試行 {at}"),
        "errors.never": ("not tried again by itself", "自動では再試行しません"),
        "errors.example": ("for example `renkei errors show {number}`", "例: `renkei errors show {number}`"),
        "errors.leads": ("(gone; {record} leads now)", "（なくなり、現在は {record} が主）"),
        "errors.said": ("{system} said {code}: {message}", "{system} の応答 {code}: {message}"),
        "errors.tried": (
            "attempts {attempts}   {when}   route {route}   run {run}   mapping {digest}",
            "試行 {attempts} 回   {when}   ルート {route}   実行 {run}   マッピング {digest}",
        ),
        "errors.more": (
            "Only the first {limit}; --limit shows more.",
            "最初の {limit} 件のみ。--limit で続きを表示できます。",
        ),
        "errors.retry_head": ("{number:operation} would be tried again", "{number} 件を再試行します"),
        "errors.discard_head": ("{number:operation} would be given up", "{number} 件を破棄します"),
        "errors.kept": (
            "{number:opt-out stays: it is|opt-outs stay: they are} never discarded",
            "配信停止 {number} 件は破棄できません",
        ),
        "errors.doubts": (
            "{number} in doubt left alone: look whether it happened, then name the cause or number",
            "結果が不明の {number} 件は再試行しません。先方を確認し、原因か番号で指定してください",
        ),
        "errors.dry": ("Nothing was done.", "何も実行していません。"),
        "errors.ask": ("Do this now?", "今すぐ実行しますか？"),
        "errors.retried": (
            "tried again {number}, of which {left:is|are} still refused",
            "{number} 件を再試行しました。うち {left} 件はまだ拒否されています",
        ),
        "errors.discarded": ("given up {number}", "{number} 件を破棄しました"),
        "errors.later": (
            "said to the service, which does it with its next cycle",
            "サービスに伝えました。次のサイクルで実行します",
        ),
        "inbox.failure": ("refused: {number}", "拒否: {number} 件"),
        "kind.uncertain": ("uncertain", "不明"),
    }
)
