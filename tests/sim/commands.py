"""What people say to the engine itself while it works: they take back what it wrote, and give open work up.

Their words go into the journal as the command line's do. What they agree to by them differs from then on, and must go
on differing: the oracle is told of each such field for as long as nobody changes it. Decides nothing of the engine.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from state.memory import MemoryStore
from sync.normalise import Lens
from sync.plan import Work, decode_work, target_of
from sync.record import Raw, Ref
from sync.rows import APPLIED, OPEN_STATES, OperationRow, Patch
from sync.rules import ActionKind
from sync.said import Discard, Undo, command
from sync.scene import on_their_way
from sync.undoable import choose
from tests.sim.oracle import Oracle
from tests.sim.vocabulary import MA, SFA, TWO_WAY, Claim, Key, Offence, Row, plain, token_in

CHANGES = (ActionKind.UPDATE, ActionKind.BLANK)
DISCARDABLE = (*CHANGES, ActionKind.CREATE)
_TOKENS = re.compile(r"T(\d+)")


class Agreed(NamedTuple):
    """A field of a record that a person wants to stand otherwise than across: what stands here, and what there.
    `back`: it is taken back, so that it is written once more."""

    key: Key
    field: str
    here: str
    there: str
    back: bool


class Desk:
    """Where people sit who command the engine."""

    def __init__(self, rng: random.Random, oracle: Oracle, tell: Callable[..., None]) -> None:
        self.rng, self.oracle, self.tell = rng, oracle, tell
        self.done: Counter[str] = Counter()
        self.agreed: list[Agreed] = []
        self._back: set[tuple[str, int]] = set()

    def speak(self, store: MemoryStore, lens: Lens, now: float) -> None:
        """Somebody says something to the route, if there is anything to be said."""
        if self.rng.random() < 0.6:
            self._take_back(store, lens, now)
        else:
            self._discard(store, lens, now)

    def _take_back(self, store: MemoryStore, lens: Lens, now: float) -> None:
        """Undo one of the last writes."""
        applied = [row for row in _operations(store) if row.state == APPLIED and row.action in CHANGES]
        if not applied:
            return
        row = self.rng.choice(applied[-12:])
        later = [
            each
            for each in _operations(store)
            if each.state == APPLIED and target_of(each) == target_of(row) and each.id > row.id
        ]
        items = tuple(
            item
            for item in choose(lens, [row], later).items
            if _name(store, item.operation, item.path) in TWO_WAY
        )
        if not items:
            return
        for item in items:
            (first,) = store.get(OperationRow, [(item.first,)])
            before, work = decode_work(first.body).fields[item.path].expected, decode_work(row.body)
            field = work.fields[item.path]
            self._agree(target_of(row), field.name, before, field.source, back=True)
        self._say(store, now, Undo(items=items, what=f"operation {row.id}"), lens, "takes back", row)

    def _discard(self, store: MemoryStore, lens: Lens, now: float) -> None:
        """Give an open operation up."""
        sent = on_their_way(store, lens.rules.systems.values())
        rows = [row for row in _operations(store) if row.state in OPEN_STATES and row.action in DISCARDABLE]
        rows = [row for row in rows if row.id not in sent]
        if not rows:
            return
        row = self.rng.choice(rows)
        fields = decode_work(row.body).fields.values()
        keep = row.action != ActionKind.CREATE and {field.name for field in fields} <= TWO_WAY.keys()
        keep = keep and self.rng.random() < 0.6
        if keep:
            for field in fields:
                self._agree(target_of(row), field.name, field.expected, field.source, back=False)
        word = Discard(operations=(row.id,), reason="not wanted", keep_both=keep)
        self._say(store, now, word, lens, "keeps both" if keep else "discards", row)

    def _say(
        self, store: MemoryStore, now: float, word: Undo | Discard, lens: Lens, what: str, row: OperationRow
    ) -> None:
        patch = Patch()
        patch.put(command(now, lens.rules.route, word)._replace(id=store.numbers(1)[0]))
        MemoryStore.commit(store, patch)  # another process writes it: ours does not die of that
        self.done[what] += 1
        self.tell("human", what, row.action, row.system, row.record, sorted(decode_work(row.body).fields))

    def _agree(self, target: Ref, field: str, here: Raw, there: Raw, *, back: bool) -> None:
        key = (target.system, target.id)
        self.agreed.append(Agreed(key, field, plain(here), plain(there), back))
        token = token_in(here)
        if token is not None:
            self._back.add((str(key), token[0]))

    # --- for the oracle --------------------------------------------------------------------------------

    def claims(self) -> list[Claim]:
        """The fields that a person wants to differ and that stand as they were agreed to."""
        found = []
        for each in self.agreed:
            row = self.oracle.final(each.key)
            others = [other for other in self.oracle.live() if self.oracle.named_by(other) == row.key]
            if (key := self.oracle.named_by(row)) is not None:
                others.append(self.oracle.rows[key])
            if any(self._stands(each, row, other) for other in others):
                found.append(Claim("hold", row.side, row.id, each.field, "as a person wants it"))
        return found

    @staticmethod
    def _stands(agreed: Agreed, row: Row, other: Row) -> bool:
        """Whether nobody has changed either side since."""
        paths = TWO_WAY[agreed.field]
        here, there = plain(row.get(paths)), plain(other.get(paths))
        since, typed = (each.changed.get(paths[each.side], 0.0) for each in (row, other))
        return here == agreed.here and (there == agreed.there or (agreed.back and typed <= since))

    def forgive(self, offences: list[Offence]) -> None:
        """An older value that a person has asked to have back is no stale one; and of two values that were to differ
        either gives way, unsaid, to what is typed over the other one."""
        offences[:] = [each for each in offences if not self._is_meant(each)]

    def _is_meant(self, offence: Offence) -> bool:
        tokens = [int(number) for number in _TOKENS.findall(offence.reason.upper())]
        match offence.kind:
            case "stale write":
                return any((offence.subject, number) in self._back for number in tokens)
            case "lost edit":
                token = self.oracle.tokens[tokens[0]]
                new = plain(offence.reason.partition(" with ")[2].partition(",")[0])
                return any(
                    each.field == token.field
                    and self.oracle.is_of(self.oracle.rows[each.key], token.person)
                    and new != each.here
                    for each in self.agreed
                )
            case _:
                return False


def _operations(store: MemoryStore) -> list[OperationRow]:
    rows: list[OperationRow] = list(store._tables[OperationRow].values())
    return sorted((row for row in rows if row.system in {MA, SFA}), key=lambda row: row.id)


def _name(store: MemoryStore, operation: int, path: str) -> str:
    """Which field an operation wrote under a path ("" = it made the record)."""
    (row,) = store.get(OperationRow, [(operation,)])
    work: Work = decode_work(row.body)
    return work.fields[path].name if path else ""
