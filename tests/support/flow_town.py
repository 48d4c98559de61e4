"""A town in which business is done: accounts, deals, tasks, lists and notices beside the people.

It adds to `tests.support.town` the three routes of the presets over one journal, a channel with somebody who listens,
and a way to end the process between a thing and its receipt. What came of it is asked of the vendors; only what waits
for a person, and what cannot be known, is asked of the journal.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import SecretStr

from mappings.load import load
from renkei.channels import Channel, Hook, WebhookDelivery
from simulators.http import Front
from simulators.server import Limits
from state.reader import Reader
from state.views import inbox
from sync.cycle import Bounds, run_cycle
from sync.errors import Fatal, RequestRefused, Retryable
from sync.normalise import Lens
from sync.read import Numbering, World
from sync.record import Ref
from sync.rows import RecordRow, RunRow
from sync.rules import Rules
from tests.support.flow_town_parts import AimedServer, FlowWindow, Notices
from tests.support.town import MARKETO, PRESET, SALESFORCE, STEP, TIMEOUT, Town
from tests.support.town_parts import FileJournal, ProcessDied, Strikes

CHANNEL = "sales"
FILES = ("account.yaml", "deal.yaml", "person-flows.yaml", "thresholds.yaml")
LISTS = ("N-01 時期", "N-02 予算", "N-03 価値", "N-04 乗換", "N-05 未対応")
MOST = 30


def rules_in(
    folder: Path,
    changes: Mapping[str, Mapping[str, str]],
    rates: str,
    called: Mapping[str, str] | None = None,
) -> tuple[Rules, ...]:
    """The presets, with a notice for every hand-over and with a scenario's changes (old text -> new text). `called`:
    systems that go by another name than the presets'."""
    told = {"person-flows.yaml": {"  task: { subject:": f"  notice: {CHANNEL}\n  task: {{ subject:"}}
    files = {"rates.csv": rates} if rates else {}
    for name in FILES:
        content = (PRESET.parent / name).read_text("utf-8")
        for old, new in {**told.get(name, {}), **changes.get(name, {})}.items():
            assert old in content, f"{name} does not say {old!r}"
            content = content.replace(old, new)
        for old, new in (called or {}).items():
            content = re.sub(rf"\b{old}\b", new, content)
        files[name] = content
    folder.mkdir()
    _write(folder, files)
    return _compiled(tuple(files.items()))


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, content in files.items():
        (folder / name).write_text(content, "utf-8")


@cache
def _compiled(files: tuple[tuple[str, str], ...]) -> tuple[Rules, ...]:
    """The rules that files say; hundreds of towns begin with the same ones."""
    with TemporaryDirectory() as folder:
        _write(Path(folder), dict(files))
        found = load([folder])
    assert [str(problem) for problem in found.problems] == []
    return found.rules


class FlowTown(Town):
    """Two vendors, three routes, one journal in `folder`, and a channel."""

    def __init__(
        self, folder: Path, changes: Mapping[str, Mapping[str, str]] | None = None, rates: str = ""
    ) -> None:
        self._changes, self._rates = dict(changes or {}), rates
        self.every = rules_in(folder / "mappings", self._changes, rates)
        self._meanwhile: list[Callable[[], object]] = []
        self.called = {MARKETO: MARKETO, SALESFORCE: SALESFORCE}
        self.stands: dict[str, str] = {}
        self.may_stand = False
        people = self.every[-1]
        super().__init__(folder, rules=lambda _rules: people)
        self.notices = Notices()
        self.faults[CHANNEL] = Strikes(CHANNEL)
        told = self._serve(self.notices, self.faults[CHANNEL])
        self.servers.append(self._stack.enter_context(told))
        hook = Hook(url=SecretStr(f"{told.url}/notices"), format="json")
        delivery = WebhookDelivery(CHANNEL, hook, self.clock)
        self.channel = FlowWindow(Channel(CHANNEL, delivery))
        for name in (MARKETO, SALESFORCE):
            self.windows[name] = FlowWindow(self.windows[name].inner)
        self.windows[CHANNEL] = self.channel
        for name in LISTS:
            self.marketo.add_list(name)
        self.worlds = self._build()

    def _serve(self, front: Front, faults: Strikes) -> AimedServer:
        return AimedServer(front, faults, self.clock, Limits(server_timeout=TIMEOUT, slow_seconds=0.02))

    def _build(self) -> list[World]:
        numbers = Numbering(self.store)
        return [
            replace(
                self.world,
                lens=Lens(rules),
                connectors={side: self.windows[rules.systems[side]] for side in rules.sides},
                store=self.store,
                numbers=numbers,
                channels={CHANNEL: self.channel},
                routes=self.every,
                progress=self._progress if rules.kind == "person" else lambda _what, _count: None,
            )
            for rules in self.every
        ]

    def change(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Begin anew with changed mapping files."""
        self._rewrite(changes)
        self.restart()

    def swap(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        """Go on with changed mapping files in the same process."""
        self._rewrite(changes)
        self.worlds = self._build()

    def _rewrite(self, changes: Mapping[str, Mapping[str, str]]) -> None:
        for name, texts in changes.items():
            self._changes[name] = {**self._changes.get(name, {}), **texts}
        shutil.rmtree(self._folder / "mappings")
        self.every = rules_in(self._folder / "mappings", self._changes, self._rates, self.called)

    # --- systems by other names --------------------------------------------------------------------------

    def call(self, old: str, new: str) -> None:
        """Begin anew with settings and mapping files that call a system otherwise."""
        system = next(system for system, name in self.called.items() if name == old)
        self.called[system] = new
        self.windows.pop(old).close()
        opened = self._open_marketo(new) if system == MARKETO else self._open_salesforce(new)
        self.windows[new] = FlowWindow(opened)
        self._rewrite({})
        self.restart()

    def carry_over(self, old: str, new: str) -> None:
        """Tell the journal."""
        assert isinstance(self.store, FileJournal)
        now = self.clock.now()
        run = RunRow(self.store.numbers(1)[0], "", "rename-system", "", now, now, "done", "", b"")
        self.store.rename_system(old, new, run)
        self.restart()

    def as_kept(self, ref: Ref) -> Ref:
        """A vendor's record under the name that settings give its system."""
        return ref._replace(system=self.called.get(ref.system, ref.system))

    def row(self, ref: Ref) -> RecordRow:
        """A record as it is held."""
        return super().row(self.as_kept(ref))

    # --- time and cycles ---------------------------------------------------------------------------------

    def tick(self, *, first: bool = False) -> bool:
        """One cycle of each route, in order; True if one of them has more to do at once."""
        more = False
        for world in self.worlds:
            try:
                report = run_cycle(world, Bounds(sweep=900.0, first=first))
                more = more or report.left or bool(report.delivered.stopped)
                self.stands.pop(world.lens.rules.route, None)
            except Retryable as error:
                self.wait(error.after)
                more = True
            except (RequestRefused, Fatal) as error:  # the service goes on with the other routes
                if not self.may_stand:
                    raise
                self.stands[world.lens.rules.route] = str(error)
        self.wait(STEP)
        return more

    def begin(self) -> None:
        """Let the routes write for the first time, and bring everything to rest."""
        self.tick(first=True)
        self.rest()

    def rest(self) -> None:
        """Run cycles until twice in a row nothing was changed anywhere and nothing is in doubt."""
        still = 0
        for _ in range(MOST):
            before = self._happened
            waits = self.tick() or self.in_doubt
            still = 0 if waits or self._happened != before else still + 1
            if still == 2:
                return
        raise AssertionError(f"still at work after {MOST} cycles: {self.api_entries[-4:]}")

    @property
    def _happened(self) -> tuple[int, ...]:
        lists = sum(len(changes) for changes in self.marketo.lists.values())
        return self.write_calls, len(self.api_entries), lists, len(self.notices.messages)

    @property
    def in_doubt(self) -> int:
        """Batches that left and are not settled."""
        return sum(len(self.store.batches(name)) for name in self.windows)

    def meanwhile(self, act: Callable[[], object]) -> None:
        """Something happens once, when people have been decided and nothing has left yet."""
        self._meanwhile.append(act)

    def _progress(self, what: str, _count: int) -> None:
        if what == "decide":
            while self._meanwhile:
                self._meanwhile.pop(0)()

    # --- faults and ends ---------------------------------------------------------------------------------

    def aim(self, kind: str, thing: str) -> None:
        """A fault strikes the next request that makes a thing."""
        place = {"ListMember": 0, "Company": 0, "Notice": 2}.get(thing, 1)
        server = self.servers[place]
        assert isinstance(server, AimedServer)
        server.aims.append((kind, thing))

    def end_after(self, thing: str) -> None:
        """Run cycles until somebody has taken such a thing and the process ends before it knows; begin anew."""
        for window in self.windows.values():
            assert isinstance(window, FlowWindow)
            window.after.append((thing, self.unplug))
        for _ in range(MOST):
            try:
                self.tick()
            except ProcessDied:
                break
        else:
            raise AssertionError(f"no {thing} was sent in {MOST} cycles")
        for window in self.windows.values():
            assert isinstance(window, FlowWindow)
            window.after.clear()
        self.wait()
        self.restart()

    def die_at(self, transaction: int, when: str) -> bool:
        """Run cycles until the process dies after so many transactions; False if it outlives them."""
        self.store.fuse = (transaction, when)
        try:
            for _ in range(6):
                self.tick()
        except ProcessDied:
            self.wait()
            return True
        self.store.fuse = None
        return False

    def restart(self) -> None:
        """Begin again as a new process would."""
        super().restart()
        self.worlds = self._build()

    def __exit__(self, kind: object = None, *_: object) -> None:
        self.close()
        if kind is None:
            self._nothing_left_to_happen()

    def _nothing_left_to_happen(self) -> None:
        """What was prepared and never happened fails the test."""
        assert self._meanwhile == [], (
            "something was to happen between deciding and sending, and nobody was decided"
        )
        for server in self.servers:
            assert isinstance(server, AimedServer)
            assert server.aims == [], f"a fault was prepared and never struck: {server.aims}"

    # --- what the journal says ---------------------------------------------------------------------------

    def waiting(self) -> list[tuple[int, str]]:
        """What waits in the inbox: whose it is (the entity's number), and its kind."""
        with Reader(self._folder / "state.db") as reader:
            return [(hold.entity, hold.kind) for hold in inbox(reader)]
