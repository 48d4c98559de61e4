"""What `replay` says, in English and in Japanese. It decides wording only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REPLAYS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "progress.replay": ("replaying people", "再現中の人物"),
        "replay.nothing": (
            "a replay of what was recorded: no system is asked, nothing is written",
            "記録の再現です。どのシステムにも問い合わせず、何も書き込みません",
        ),
        "replay.played": (
            "{people:person|people} with {changes:changed value} since {since}",
            "{since} 以降の {people} 人、{changes} 件の値の変更",
        ),
        "replay.in_fact": (
            "written in fact, under the rules of that time: {actions}",
            "実際の書き込み（当時のルール）: {actions}",
        ),
        "replay.waits": (
            "would wait for a person   {holds}",
            "判断待ちになるもの   {holds}",
        ),
        "replay.kept": (
            "the journal is whole since {since} only; what happened before is not part of this",
            "記録が残っているのは {since} 以降です。それより前は含まれません",
        ),
        "replay.never_read": (
            "never read so far, and blank in this replay: {paths}",
            "まだ読んだことがなく、再現では空欄: {paths}",
        ),
        "replay.cut": (
            "{people:person has|people have} more history than was read; only the newest part was played",
            "{people} 人は履歴が長いため、新しい部分だけを再現しました",
        ),
    }
)
