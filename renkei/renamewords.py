"""What `rename-system` and the question before it say, in English and in Japanese. It decides wording only."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

RENAMES: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "kind.renamed": ("renamed", "システム名の変更"),
        "inbox.renamed": (
            "kept under another system's name; `renkei rename-system` carries the state over",
            "状態は以前のシステム名で保存されています。`renkei rename-system` で引き継いでください",
        ),
        "rename.head": ("{old} → {new}: {rows}", "{old} → {new}: {rows}"),
        "rename.compared": (
            "{known} of {asked} records that were asked for are those that the state knows",
            "確認した {asked} 件のうち {known} 件が、保存されている記録と一致しました",
        ),
        "rename.dry": ("Nothing was changed.", "何も変更していません。"),
        "rename.ask": ("Carry the state over now?", "状態を今すぐ引き継ぎますか？"),
        "rename.done": (
            "Everything that was kept under {old} is kept under {new} now.",
            "{old} の名前で保存されていた状態を、すべて {new} に引き継ぎました。",
        ),
        "rename.next": ("`renkei sync` goes on with {routes}", "`renkei sync` で {routes} の連携が続きます"),
    }
)
