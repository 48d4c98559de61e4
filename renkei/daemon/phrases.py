"""What the service says to people, in English and in Japanese: alarms when they begin and when they end.

It decides wording only.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from renkei.filling import filled

PHRASES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "subject.begin": ("renkei {env}: {what}", "renkei {env}: {what}"),
        "subject.end": ("renkei {env}: over – {what}", "renkei {env}: 解消 – {what}"),
        "stopped": ("the route {subject} stands still", "連携 {subject} が停止しています"),
        "stopped.more": (
            "{reason} It is tried again by itself; after mending it: renkei resume {subject}",
            "{reason} 自動で再試行します。原因を直したら renkei resume {subject} を実行してください",
        ),
        "brake": ("a brake stops {subject}", "ブレーキにより {subject} を止めました"),
        "brake.more": (
            "{reason}. Look with: renkei plan; the rest goes on.",
            "{reason}。renkei plan で確認してください。ほかの処理は続いています。",
        ),
        "quota": ("{subject} is running out of calls", "{subject} の呼び出し回数が残り少なくなっています"),
        "quota.more": (
            "{reason}. Opt-outs and hand-overs go first; what cannot leave waits for the reset.",
            "{reason}。配信停止と引き渡しを優先し、送れないものはリセットまで待ちます。",
        ),
        "silent": ("nothing could be read for {subject}", "{subject} の読み込みが止まっています"),
        "silent.more": (
            "The last complete cycle ended {reason}. Look with: renkei status",
            "最後に完了したサイクル: {reason}。renkei status で確認してください",
        ),
        "backlog": ("work of {subject} waits for long", "{subject} の未処理が長く残っています"),
        "backlog.more": (
            "The oldest waits for {reason}. Look with: renkei inbox",
            "最も古いものは {reason} 待っています。renkei inbox で確認してください",
        ),
        "mapping": ("changed mapping files were refused", "マッピングの変更を適用できません"),
        "mapping.more": (
            "{reason}. The last good version goes on. Look with: renkei check",
            "{reason}。直前の正しい版で動き続けています。renkei check で確認してください",
        ),
        "gaps": (
            "{subject}: both sides were compared, with gaps",
            "{subject}: 両システムの照合で差異が見つかりました",
        ),
        "gaps.more": (
            "{reason}. Look with: renkei reconcile {subject} --show; --mend has them read again.",
            "{reason}。renkei reconcile {subject} --show で確認し、--mend で読み直しを依頼してください。",
        ),
        "uncompared": (
            "both sides of {subject} could not be compared",
            "{subject} の照合を完了できませんでした",
        ),
        "uncompared.more": (
            "{reason} It is tried again by itself. Look with: renkei status",
            "{reason} 自動で再試行します。renkei status で確認してください",
        ),
        "minutes": ("{number:minute}", "{number} 分"),
        "ago": ("{number:minute} ago", "{number} 分前"),
    }
)


def say(language: str, key: str, **values: object) -> str:
    """A phrase in a language, filled in."""
    return filled(PHRASES[key][1 if language == "ja" else 0], values)
