"""How soon a killed renkei works again with very much open, and whether its memory knows how much that is.

It decides what is open (updates that may leave at once, spread over all people of a small world) and what is watched:
the time from the start of the process to its first call at a vendor, and its memory while it works them off.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.cases import LAG, Wrong, say
from benchmarks.histories import ROUTE, owned
from benchmarks.report import Line
from benchmarks.runs import WorldProcess, sync, write_project
from benchmarks.services import Command, secrets_of
from sync.plan import FieldWork, Work, content_hash, encode_work
from sync.record import Ref
from sync.rows import PENDING, OperationRow, Patch

PEOPLE = 5_000
SECONDS, GROWTH = 10.0, 1.2
WATCHED = 60.0
FEW = 10_000
_LONG = 300.0
_STRANGERS = 1_000_000_000  # their numbers begin where nobody else's are


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """`first`: seconds from the start after the kill to the first call, `write`: to the first write; `peak`: MiB at
    most while it was watched; `written`: how many writes the vendor has had in the `seconds` that it was watched."""

    operations: int
    first: float
    write: float
    peak: float
    written: int
    seconds: float


def recoveries(
    operations: int, few: int = FEW, watched: float = WATCHED, people: int = PEOPLE
) -> list[Recovery]:
    """With few open operations, then with many, over so many people, each watched for so many seconds."""
    found = []
    for number in (min(few, operations), operations):
        found.append(_recovered(number, watched, people))
        say(f"{number:,} open: {found[-1]}")
    return found


def _recovered(operations: int, watched: float, people: int) -> Recovery:
    with WorldProcess(people, "half") as process, tempfile.TemporaryDirectory(prefix="renkei-bench-") as name:
        folder, places = Path(name), process.open()
        write_project(folder, "half", places, LAG)
        settings = json.loads((folder / "renkei.yaml").read_text("utf-8"))
        settings["service"] = {"every": 5, "port": 0}
        (folder / "renkei.yaml").write_text(json.dumps(settings), "utf-8")
        if sync(folder, places, "--first", "--canary", "0").code:
            raise Wrong("the first sync failed")
        fill(folder / ".renkei" / "bench" / "state.db", operations)
        secrets = secrets_of(places)
        _killed(folder, secrets, process)
        return _watched(folder, secrets, process, operations, watched)


def fill(place: Path, operations: int) -> None:
    """Open updates of the score of so many people, one each. The vendors of a small world hold the records: several
    people share one, which nobody notices as long as they are only written to."""
    with owned(place) as store:
        pairs = _pairs(store)
        run = store.numbers(1)[0]
        for start in range(0, operations, 2_000):
            patch = Patch()
            for turn, number in enumerate(store.numbers(min(2_000, operations - start)), start):
                entity, source, target = pairs[turn % len(pairs)]
                own = entity if turn < len(pairs) else _STRANGERS + turn
                patch.put(_open(number, own, source, target, run, turn // len(pairs)))
            store.commit(patch)


def _pairs(store: Any) -> list[tuple[int, Ref, Ref]]:
    """Everybody whom both sides know."""
    marks = store.dirty("person", ("marketo", "salesforce"), 0, 1_000_000)
    sides: dict[int, dict[str, Ref]] = {}
    for mark in marks:
        sides.setdefault(mark.entity, {})[mark.system] = Ref(mark.system, mark.object, mark.id)
    return [(entity, each["marketo"], each["salesforce"]) for entity, each in sides.items() if len(each) == 2]


def _open(number: int, entity: int, source: Ref, target: Ref, run: int, turn: int) -> OperationRow:
    work = Work(fields={"MA_Score__c": FieldWork("score", turn, turn + 1, turn + 1, turn + 1)}, source=source)
    body = encode_work(work)
    return OperationRow(
        number, entity, ROUTE, run, "update", *target, 2, PENDING, 0.0, 0, 0, "digest", content_hash(target, body),
        "", time.time(), 0.0, "", body,
    )  # fmt: skip


def _killed(folder: Path, secrets: Mapping[str, str], process: WorldProcess) -> None:
    """Start, wait until it writes, and kill it."""
    before = _writes(process)
    command = Command(folder, secrets, "run")
    until = time.monotonic() + _LONG
    while _writes(process) == before and command.running and time.monotonic() < until:
        time.sleep(0.05)
    command.kill()
    if _writes(process) == before:
        raise Wrong("it ended before it wrote")


def _watched(
    folder: Path, secrets: Mapping[str, str], process: WorldProcess, operations: int, seconds: float
) -> Recovery:
    time.sleep(1.0)  # what was on its way arrives
    calls, writes = _calls(process), _writes(process)
    began = time.monotonic()
    command = Command(folder, secrets, "run")
    first = write = 0.0
    while (
        command.running
        and time.monotonic() - began < _LONG
        and (not write or time.monotonic() - began < seconds)
    ):
        if not first and _calls(process) > calls:
            first = time.monotonic() - began
        if not write and _writes(process) > writes:
            write = time.monotonic() - began
        time.sleep(0.02 if not first else 0.1)
    peak = max((sample.mib for sample in command.samples), default=0.0)
    done = _writes(process) - writes
    command.kill()
    if not (first and write):
        raise Wrong(f"it made no call within {_LONG:.0f} s")
    return Recovery(
        operations=operations, first=first, write=write, peak=peak, written=done, seconds=seconds
    )  # fmt: skip


def _calls(process: WorldProcess) -> int:
    return sum(sum(side.values()) for side in process.ask("/counts")["calls"].values())


def _writes(process: WorldProcess) -> int:
    return sum(sum(side.values()) for side in process.ask("/counts")["writes"].values())


def recovery_lines(found: list[Recovery]) -> list[Line]:
    """The figures beside what is promised."""
    few, many = found[0], found[-1]
    growth = many.peak / few.peak
    return [
        Line(
            what=f"killed with {many.operations:,} open: first call",
            measured=f"{many.first:.1f} s ({few.first:.1f} s with {few.operations:,})",
            target=f"≤ {SECONDS:.0f} s", reached=many.first <= SECONDS,
        ),
        Line(what="the same: first write", measured=f"{many.write:.1f} s ({few.write:.1f} s)"),
        Line(
            what="the same: peak memory while they leave",
            measured=f"{many.peak:.0f} MiB ({(growth - 1) * 100:+.0f} % from {few.operations:,}: {few.peak:.0f} MiB)",
            target="≤ 20 %", reached=growth <= GROWTH,
        ),
        Line(what="the same: written meanwhile", measured=f"{many.written:,} in {many.seconds:.0f} s"),
    ]  # fmt: skip
