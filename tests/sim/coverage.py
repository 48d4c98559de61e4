"""Which situations of the protocol a schedule has come to, seen from outside: cells of the truth table (protocol §4) in
what `resolve` is given, rows of the table of events (protocol §3) in what the journal commits.

It judges nothing and changes nothing; the engine knows nothing of it. Whether a side has changed is worked out here
once more. What was hit counts only in schedules that the oracle has judged at their end (tests.sim.report).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

import sync.pairs
from state.memory import MemoryStore
from sync.plan import Half, decode_work
from sync.record import Side
from sync.resolve import Pair, Verdict
from sync.rows import (
    APPLIED,
    DONE,
    FAILED,
    MOVED,
    BatchRow,
    CommandRow,
    CursorRow,
    OperationRow,
    Patch,
    RecordRow,
)  # fmt: skip
from sync.rules import FieldRule, Flow

CHANGED = ("neither", "ma", "sfa", "both-equal", "both-different")
BASES = ("present", "absent")
FLOWS = {Flow.BOTH: "<->", Flow.TO_SFA: "->", Flow.TO_MA: "<-"}
CELLS = tuple(
    f"{flow} base {base}: {changed}" for flow in FLOWS.values() for base in BASES for changed in CHANGED
)

READ, READ_OLDER, DECIDE = "read, newer", "read, older", "decide"
DIFFERS, RETURNED, ID_ONLY = "verify differs", "applied, values returned", "applied, id only"
REFUSED, TRANSIENT, DOUBT = "refused (field)", "transient, quota", "in doubt"
UNDONE, ANSWERED, LINK, DISCARD = "undo applied", "hold answered", "link moved", "discard"
ROWS = (
    READ, READ_OLDER, DECIDE, DIFFERS, RETURNED, ID_ONLY, REFUSED, TRANSIENT, DOUBT, UNDONE, ANSWERED, LINK, DISCARD,
)  # fmt: skip
COMMANDS = {"answer": ANSWERED, "discard": DISCARD}


class Coverage:
    """What one schedule has hit; `now` is the host's clock, `server_timeout` the vendors', in seconds."""

    def __init__(self, now: Callable[[], float], server_timeout: float) -> None:
        self.hits: Counter[str] = Counter()
        self.now, self.server_timeout = now, server_timeout

    # --- the truth table -------------------------------------------------------------------------------

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at every field that is decided while this lasts."""
        engine: Any = sync.pairs
        resolve, stands = engine.resolve, engine._stands
        hits = self.hits

        def watched(rule: FieldRule, now: Pair, half: Half | None) -> Verdict:
            if rule.flow in FLOWS:
                hits[cell(rule.flow, now, half)] += 1
            verdict: Verdict = resolve(rule, now, half)
            return verdict

        def standing(rule: FieldRule, *more: Any) -> bool:
            if not stands(rule, *more):
                return False
            hits[STANDS[rule.flow]] += 1
            return True

        engine.resolve, engine._stands = watched, standing
        try:
            yield
        finally:
            engine.resolve, engine._stands = resolve, stands

    # --- the table of events ---------------------------------------------------------------------------

    def see(self, store: MemoryStore, patch: Patch) -> None:
        """One commit, before it is made."""
        for key, row in patch.puts[RecordRow].items() if RecordRow in patch.puts else ():
            self._record(store._tables[RecordRow].get(key), row, patch)
        for key, row in patch.puts[OperationRow].items() if OperationRow in patch.puts else ():
            self._operation(store._tables[OperationRow].get(key), row, patch)
        if BatchRow in patch.drops:
            for key in patch.drops[BatchRow]:
                self._batch(store._tables[BatchRow].get(key), patch)
        for row in patch.puts[CursorRow].values() if CursorRow in patch.puts else ():
            self.hits[DECIDE] += isinstance(row, CursorRow) and row.system == ""
        for row in patch.puts[CommandRow].values() if CommandRow in patch.puts else ():
            assert isinstance(row, CommandRow)
            if row.state == DONE and row.kind in COMMANDS:
                self.hits[COMMANDS[row.kind]] += 1

    def _record(self, old: Any, row: Any, patch: Patch) -> None:
        if old is None:
            self.hits[READ] += row.as_of > 0
            return
        if row.state == MOVED and old.state != MOVED:
            self.hits[LINK] += 1
        if row.as_of > old.as_of:
            self.hits[READ] += 1
        elif (
            row.refetch_at
            and row._replace(refetch_at=old.refetch_at) == old
            and OperationRow not in patch.puts
        ):
            self.hits[READ_OLDER] += 1

    def _operation(self, old: Any, row: Any, patch: Patch) -> None:
        match row.state:
            case "applied" if old is None or old.state != APPLIED:
                self._applied(row, patch)
            case "failed" if old is not None and old.state != FAILED:
                self.hits[REFUSED] += any(error[0] for error in decode_work(row.body).errors)
            case "pending" if old is not None and row.attempts > old.attempts and row.body == old.body:
                self.hits[TRANSIENT] += row.at > self.now()
            case "superseded" if row.reason == "moved":
                self.hits[DIFFERS] += 1
            case _:
                pass

    def _applied(self, row: OperationRow, patch: Patch) -> None:
        work = decode_work(row.body)
        if work.undo:
            self.hits[UNDONE] += 1
        target = patch.puts[RecordRow].get((row.system, row.object, row.record))
        if isinstance(target, RecordRow):
            waits = msgspec.json.decode(target.unconfirmed) if target.unconfirmed else {}
            told = not any(waits.get(path, [0])[0] == row.id for path in work.fields)
            self.hits[RETURNED if told else ID_ONLY] += 1

    def _batch(self, batch: Any, patch: Patch) -> None:
        """A batch that is settled: at once, as not executed, or after it was in doubt."""
        if batch is None:
            return
        if OperationRow not in patch.puts:
            self.hits[TRANSIENT] += 1
        elif self.now() > batch.sent_at + self.server_timeout:
            self.hits[DOUBT] += 1


def cell(flow: Flow, now: Pair, half: Half | None) -> str:
    """The cell of the truth table in which a field stands. Without a base what is filled counts as changed; what we
    sent ourselves and nobody has read back does not."""
    if half is None:
        ma, sfa = now.ma is not None, now.sfa is not None
    else:
        ma = now.ma != half.ma and not now.unconfirmed(Side.MA)
        sfa = now.sfa != half.sfa and not now.unconfirmed(Side.SFA)
    changed = "neither" if not (ma or sfa) else "ma" if not sfa else "sfa" if not ma else ""
    changed = changed or ("both-equal" if now.same else "both-different")
    return f"{FLOWS[flow]} base {'absent' if half is None else 'present'}: {changed}"


STANDS = {flow: f"{name} base present: neither" for flow, name in FLOWS.items()} | {Flow.NONE: "not synced"}
