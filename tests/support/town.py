"""A small town for the engine: both fake vendors on loopback, the real connectors, a journal, and people who type.

It decides how time passes (one clock for everybody, which ticks whenever it is looked at and jumps when somebody
waits), when a person acts or a fault strikes, and how often cycles run. What came of it is asked of the vendors
themselves, or of the journal where the journal is what a test is about; never of the engine's own opinion.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, Self

from pydantic import SecretStr

from connectors.marketo import Marketo, MarketoConfig
from connectors.salesforce import Salesforce, SalesforceConfig
from mappings.load import load
from renkei.threads import ThreadExecutor
from simulators.http import Front
from simulators.ledger import Entry
from simulators.marketo.api import DEMO_CREDENTIALS, MarketoApi
from simulators.marketo.state import MarketoState
from simulators.salesforce.api import SalesforceApi
from simulators.salesforce.oauth import Credentials
from simulators.salesforce.state import SalesforceState
from simulators.server import Server, serve
from state.store import SqlStore
from sync.cycle import Bounds, CycleReport, run_cycle
from sync.errors import Retryable
from sync.normalise import Lens
from sync.plan import Base, Work, decode_base, decode_work
from sync.read import Numbering, World
from sync.record import Ref, Side
from sync.rows import BaseRow, HoldRow, OperationRow, RecordRow
from sync.rules import Rules
from tests.support.town_parts import FileJournal, MemoryJournal, ProcessDied, Strikes, TownClock, Window

LAG, TIMEOUT = 1.0, 2.0
STEP = 5.0  # between two cycles: longer than time-out and lag together
MARKETO, SALESFORCE = "marketo", "salesforce"
PRESET = Path(__file__).parents[2] / "mappings" / "presets" / "marketo-salesforce" / "person.yaml"


@cache
def preset() -> Rules:
    """The rules that every town begins with, compiled once."""
    (rules,) = load([PRESET]).rules
    return rules


class Town:
    """Two vendors, one route between them, and a journal; close it, or use it as a context manager.

    `folder`: the journal is a file there (None = in memory). `rules`: changes the preset's rules.
    """

    def __init__(
        self, folder: Path | None = None, rules: Callable[[Rules], Rules] = lambda rules: rules
    ) -> None:
        self.clock = TownClock()
        self._folder = folder or Path()
        self._stack = ExitStack()
        self.faults = {name: Strikes(name) for name in (MARKETO, SALESFORCE)}
        self.marketo = MarketoState(self.clock, random.Random(1), self.faults[MARKETO], visibility_lag=LAG)
        self.salesforce = SalesforceState(
            self.clock, random.Random(2), self.faults[SALESFORCE], visibility_lag=LAG
        )
        self.marketo_api = MarketoApi(self.marketo)
        self.salesforce_api = SalesforceApi(self.salesforce)
        self.servers = [
            self._stack.enter_context(self._serve(api, faults))
            for api, faults in (
                (self.marketo_api, self.faults[MARKETO]),
                (self.salesforce_api, self.faults[SALESFORCE]),
            )
        ]
        self.store: MemoryJournal | FileJournal = (
            MemoryJournal() if folder is None else FileJournal(folder / "state.db", self.clock, "town")
        )
        self.windows = {MARKETO: Window(self._open_marketo()), SALESFORCE: Window(self._open_salesforce())}
        executor = ThreadExecutor(4)
        self._stack.callback(executor.close)
        self.world = World(
            lens=Lens(rules(preset())),
            connectors={Side.MA: self.windows[MARKETO], Side.SFA: self.windows[SALESFORCE]},
            store=self.store,
            clock=self.clock,
            executor=executor,
            numbers=Numbering(self.store),
        )

    def _serve(self, front: Front, faults: Strikes) -> Server:
        return serve(front, faults, self.clock, server_timeout=TIMEOUT, slow_seconds=0.02)

    def _open_marketo(self, name: str = MARKETO) -> Marketo:
        config = MarketoConfig(
            rest_url=f"{self.servers[0].url}/rest",
            client_id=DEMO_CREDENTIALS.client_id,
            client_secret=SecretStr(DEMO_CREDENTIALS.client_secret),
            earliest="2026-11-01",
            poll_seconds=1.0,
            server_timeout=TIMEOUT,
            visibility_lag=LAG,
        )
        return Marketo(name, config, self.clock)

    def _open_salesforce(self, name: str = SALESFORCE) -> Salesforce:
        config = SalesforceConfig(
            login_url=self.servers[1].url,
            client_id=Credentials().client_id,
            client_secret=SecretStr(Credentials().client_secret),
            server_timeout=TIMEOUT,
            visibility_lag=LAG,
            overlap=LAG,
        )
        return Salesforce(name, config, self.clock)

    def _lock(self, system: str) -> threading.Lock:
        return self.marketo_api.lock if system == MARKETO else self.salesforce_api.lock

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End everything; a simulator that failed inside fails the test."""
        for window in self.windows.values():
            window.close()
        self._stack.close()
        if isinstance(self.store, SqlStore):
            self.store.close()
        for server in self.servers:
            assert server.failures == []
        for window in self.windows.values():
            assert window.before == [], "something was to happen before a call that was never made"

    # --- time and cycles ---------------------------------------------------------------------------------

    def wait(self, seconds: float = STEP) -> None:
        """Let the time pass, slowly enough for requests that act late."""
        end = self.clock.now() + seconds
        while self._late and (rest := end - self.clock.now()) > 0:
            self.clock.sleep(min(rest, TIMEOUT * 0.05))
            time.sleep(0.03)
        self.clock.sleep(end - self.clock.now())

    @property
    def _late(self) -> bool:
        """Whether a request stands at a vendor that will act later."""
        threads = [thread for server in self.servers for thread in list(server._threads)]
        return any("_execute_late" in repr(getattr(thread, "_args", ())) for thread in threads)

    def cycle(self, *, sweep: float = 0.0, first: bool = False, **bounds: Any) -> CycleReport:
        """Run one cycle."""
        return run_cycle(self.world, Bounds(sweep=sweep, first=first, **bounds))

    def cycles(self, count: int, **bounds: Any) -> list[CycleReport]:
        """Run some cycles with time between them; a cycle that could not read is tried again later."""
        found = []
        for _ in range(count):
            try:
                found.append(self.cycle(**bounds))
            except Retryable as error:
                self.wait(error.after)
            self.wait()
        return found

    def open(self) -> CycleReport:
        """Let the route write for the first time, and bring both sides to rest."""
        report = self.cycle(first=True)
        self.wait()
        self.quiet()
        return report

    def quiet(self, most: int = 20) -> int:
        """Run cycles until twice in a row nothing was sent; the number of cycles that it took."""
        still = 0
        for count in range(1, most + 1):
            before = self.write_calls
            try:
                report = self.cycle(sweep=900.0)
            except Retryable as error:
                self.wait(error.after)
                still = 0
                continue
            finally:
                self.wait()
            waits = report.left or report.delivered.in_doubt or report.delivered.stopped or self.in_doubt
            still = 0 if waits or self.write_calls > before else still + 1
            if still == 2:
                return count
        raise AssertionError(f"still sending after {most} cycles: {self.api_entries[-6:]}")

    @property
    def write_calls(self) -> int:
        """Requests by which we tried to change something, whatever became of them."""
        ours = self.salesforce.calls
        return self.marketo.calls["sync leads"] + ours["create"] + ours["update"] + ours["upsert"]

    @property
    def in_doubt(self) -> int:
        """Batches that left and are not settled."""
        return sum(len(self.store.batches(name)) for name in self.windows)

    def unplug(self) -> None:
        """The process ends just before a request leaves, which is marked as sent."""
        raise ProcessDied

    def crash_at(self, transaction: int, when: str) -> bool:
        """Run cycles until the process dies after so many transactions; False if it outlives them."""
        self.store.fuse = (transaction, when)
        try:
            for _ in range(6):
                self.cycle(sweep=900.0)
                self.wait()
        except ProcessDied:
            self.wait()
            return True
        self.store.fuse = None
        return False

    def restart(self) -> None:
        """Begin again as a new process would: the journal is opened anew, nothing is remembered beside it."""
        if isinstance(self.store, FileJournal):
            kept = self.store.operations
            self.store.close()
            self.store = FileJournal(self._folder / "state.db", self.clock, "town")
            self.store.operations = kept
        else:
            self.store.crash()
        self.world = replace(self.world, store=self.store, numbers=Numbering(self.store))

    # --- people ------------------------------------------------------------------------------------------

    def lead(self, **values: Any) -> Ref:
        """Somebody enters a lead at Marketo."""
        with self.marketo_api.lock:
            return Ref(MARKETO, "Lead", str(self.marketo.human_create(values)))

    def record(self, object_: str = "Lead", **values: Any) -> Ref:
        """Somebody enters a lead or contact at Salesforce."""
        more = {"Company": "Acme"} if object_ == "Lead" else {}
        with self.salesforce_api.lock:
            return Ref(SALESFORCE, object_, self.salesforce.human_create(object_, {**more, **values}))

    def edit(self, ref: Ref, /, **values: Any) -> None:
        """Somebody edits a record."""
        with self._lock(ref.system):
            if ref.system == MARKETO:
                self.marketo.human_edit(int(ref.id), values)
            else:
                self.salesforce.human_edit(ref.object, ref.id, values)

    def delete(self, ref: Ref) -> None:
        """Somebody deletes a record."""
        with self._lock(ref.system):
            if ref.system == MARKETO:
                self.marketo.human_delete(int(ref.id))
            else:
                self.salesforce.human_delete(ref.object, ref.id)

    def merge(self, winner: Ref, loser: Ref) -> None:
        """Somebody merges two records."""
        with self._lock(winner.system):
            if winner.system == MARKETO:
                self.marketo.human_merge(int(winner.id), [int(loser.id)])
            else:
                self.salesforce.human_merge(winner.object, winner.id, loser.id)

    def convert(self, lead: Ref, contact: Ref | None = None) -> Ref:
        """Somebody converts a lead into a new contact, or into an existing one."""
        with self._lock(SALESFORCE):
            into = self.salesforce.human_convert(lead.id, contact=contact.id if contact else None)
        return Ref(SALESFORCE, "Contact", into)

    def before(self, system: str, call: str, act: Callable[[], object]) -> None:
        """Something happens once, just before a call leaves: changes, fetch, find, write, create (= a write of
        new records), and `write` also for those."""
        self.windows[system].before.append((call, act))

    def strike(self, system: str, kind: str, call: str = "write") -> None:
        """A fault strikes once, at the next call of that sort."""
        self.before(system, call, lambda: self.faults[system].waiting.append(kind))

    # --- what the vendors say ----------------------------------------------------------------------------

    def value(self, ref: Ref, path: str) -> object:
        """What a vendor holds, past any lag; KeyError when the record is gone."""
        return self.values(ref).get(path)

    def values(self, ref: Ref) -> Mapping[str, object]:
        """All values of one live record; KeyError when it is gone."""
        if ref.system == MARKETO:
            return self.marketo.everything()[int(ref.id)]
        row = self.salesforce.tables[ref.object].rows[ref.id]
        if row["IsDeleted"] or row.get("IsConverted"):
            raise KeyError(ref)
        return row

    def having(self, system: str, path: str, value: object) -> list[Ref]:
        """The live records of a side with this value."""
        return [ref for ref in self.live(system) if self.value(ref, path) == value]

    def live(self, system: str) -> list[Ref]:
        """Every live record of a side."""
        if system == MARKETO:
            return [Ref(MARKETO, "Lead", str(key)) for key in self.marketo.leads]
        return [
            Ref(SALESFORCE, name, key)
            for name in ("Lead", "Contact")
            for key, row in self.salesforce.tables[name].rows.items()
            if not row["IsDeleted"] and not row.get("IsConverted")
        ]

    @property
    def ledgers(self) -> Mapping[str, list[Entry]]:
        """Who wrote what, by system, as the vendors know it."""
        return {MARKETO: self.marketo.ledger, SALESFORCE: self.salesforce.ledger}

    @property
    def api_entries(self) -> list[Entry]:
        """Everything that we changed at either vendor."""
        return [entry for ledger in self.ledgers.values() for entry in ledger if entry.actor == "api"]

    def writes_to(self, ref: Ref) -> list[Entry]:
        """What we changed at one record."""
        return [entry for entry in self.ledgers[ref.system] if entry.actor == "api" and entry.id == ref.id]

    def calls(self, system: str) -> int:
        """Calls that a vendor has answered, sign-in excepted."""
        if system == MARKETO:
            return sum(count for label, count in self.marketo.calls.items() if label != "identity")
        return sum(count for label, count in self.salesforce.calls.items() if label != "token")

    # --- what the journal says ---------------------------------------------------------------------------

    def row(self, ref: Ref) -> RecordRow:
        """A record as it is held."""
        (found,) = self.store.get(RecordRow, [ref])
        return found

    def entity(self, ref: Ref) -> int:
        """Whose record it is."""
        return self.row(ref).entity

    def base(self, ref: Ref) -> Base:
        """What the person's records last agreed on."""
        rows = self.store.get(BaseRow, [(self.entity(ref), self.world.lens.rules.route)])
        return decode_base(rows[0].body) if rows else Base()

    def holds(self, ref: Ref) -> list[HoldRow]:
        """What waits for a person."""
        return self.store.holds_of([self.entity(ref)])

    def open_work(self, ref: Ref) -> list[tuple[OperationRow, Work]]:
        """Work that stands open for a person, with its body."""
        rows = sorted(self.store.open_operations([self.entity(ref)]))
        return [(row, decode_work(row.body)) for row in rows]

    def all_work(self, ref: Ref) -> list[tuple[OperationRow, Work]]:
        """Every operation that ever aimed at a record, in its last state, oldest first."""
        rows = [row for _id, row in sorted(self.store.operations.items())]
        return [(row, decode_work(row.body)) for row in rows if (row.system, row.object, row.record) == ref]
