"""The consent block: opt-out topics as latches.

Canonical True always means opted out, whatever the vendor's field calls it; an unreadable or blank cell is
unknown and never «agreed». Topics carry no policy: the engine never switches one back on.
"""

from __future__ import annotations

from collections.abc import Mapping

from mappings import digest
from mappings.columns import cell, columns
from mappings.draft import FileDraft, RowDraft
from mappings.errors import Sink
from mappings.transforms import consent_codec
from sync.record import Side
from sync.rules import ConsentRule


def compile_topics(draft: FileDraft, sides: Mapping[str, Side], sink: Sink) -> tuple[ConsentRule, ...]:
    """Every topic of the block that could be compiled."""
    found = [_topic(row, draft, sides, sink) for row in draft.topics]
    return tuple(topic for topic in found if topic is not None)


def _topic(row: RowDraft, draft: FileDraft, sides: Mapping[str, Side], sink: Sink) -> ConsentRule | None:
    before = len(sink.found)
    paths = {sides[name]: found for name, found in columns(row, draft, sink).items()}
    if not row.broken:
        _arrow(row, len(paths), sink)
    if len(sink.found) > before or row.broken or row.true_means is None:
        return None
    codec = consent_codec(means_opted_out=row.true_means == "opted_out")
    cells = {side: cell(found, codec) for side, found in paths.items()}
    return ConsentRule(
        topic=row.name.text,
        cells=cells,
        fingerprint=digest.topic_fingerprint(cells, row.true_means),
        blank_closes_gates=row.blank_closes_gates,
    )


def _arrow(row: RowDraft, sides: int, sink: Sink) -> None:
    name = row.name.text
    arrow = row.flow.text if row.flow else ""
    if sides == 0:
        sink.error(row.at, "M029", f"the topic «{name}» has no column", "name the field of each system")
    elif arrow not in {"", "<->"}:
        hint = "an opt-out goes to every side: write flow: <->"
        sink.error(row.place("flow"), "M029", f"the topic «{name}» cannot go one way", hint)
    elif sides == 2 and not arrow:
        sink.error(row.at, "M029", f"the topic «{name}» has two columns and no arrow", "write flow: <->")
    elif sides == 1 and arrow:
        sink.error(
            row.place("flow"),
            "M029",
            f"the arrow of «{name}» has only one end",
            "add the other system's field",
        )
