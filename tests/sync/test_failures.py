"""Nothing leaves «failed» without success, a change or a person's word, whatever the vendor says and whenever the
process dies; judged by what people typed and what the vendor holds and was asked, not by what the engine thinks."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.errors import InDoubt, Retryable
from sync.plan import decode_work
from sync.ports import FieldError, Outcome, Write
from sync.record import Ref, Side
from sync.rows import FAILED, CursorRow, OperationRow, Patch, RecordRow, Row
from sync.said import Discard, Retry, command
from tests.support.office import Crash, Fragile, Time, Town

WAYS = ("well", "field", "record", "retry", "away", "lost")
PEOPLE = 3
WAITS = (3_600.0, 21_600.0, 86_400.0)


class Watched(Fragile):
    """A journal that notes when a refused operation changes, and how long each refused one is to wait."""

    def __init__(self, clock: Time) -> None:
        super().__init__()
        self.clock = clock
        self.left: list[tuple[float, OperationRow, OperationRow]] = []
        self.waits: dict[int, list[float]] = {}

    def commit(self, patch: Patch, *, durable: bool = True) -> None:
        """Commit, and note what went from failed to something else; also where the process dies afterwards."""
        rows: Sequence[Row] = list(patch.puts[OperationRow].values())
        before = {row.id: row for row in self.get(OperationRow, [(row[0],) for row in rows])}
        try:
            super().commit(patch, durable=durable)
        finally:
            for now in self.get(OperationRow, [(number,) for number in before]):
                self._changed(before[now.id], now)

    def _changed(self, old: OperationRow, now: OperationRow) -> None:
        if old.state == FAILED and now != old:
            self.left.append((self.clock.now(), old, now))
        if now.state == FAILED and now.at != old.at:
            self.waits.setdefault(now.id, []).append(now.at - self.clock.now())


class Play:
    """A town whose sales side answers as it is told, and people who type, discard and try again."""

    def __init__(self, seed: int) -> None:
        self.dice = Random(seed)
        self.town = Town()
        self.store = self.town.store = Watched(self.town.clock)
        self.town.cycle()
        self.leads = [
            self.town.person(Side.MA, email=f"p{n}@x.example", lastName=f"n{n}", title="a", leadScore=1)
            for n in range(PEOPLE)
        ]
        for _ in range(4):
            self.town.tick()
        self.way = "well"
        self.asked: list[tuple[float, Ref, frozenset[str]]] = []
        self.refused: list[tuple[float, Ref, frozenset[str]]] = []
        self.real = self.town.sfa.write
        self.town.sfa.write = self._write  # type: ignore[method-assign]
        self.named: set[int] = set()

    def _write(self, kind: str, writes: Sequence[Write]) -> list[Outcome]:
        now = self.town.clock.now()
        self.asked += [(now, write.ref, frozenset(write.values)) for write in writes]
        if self.way == "away":
            raise Retryable("busy", 30.0)
        if self.way == "lost":
            if self.dice.random() < 0.5:
                self.real(kind, writes)
            raise InDoubt("the answer was lost")
        return [self._one(kind, write, now) for write in writes]

    def _one(self, kind: str, write: Write, now: float) -> Outcome:
        if self.way == "retry":
            return Outcome("retry", after=10.0)
        if self.way in ("field", "record") and "Title" in write.values:
            self.refused.append((now, write.ref, frozenset(write.values)))
            path = "Title" if self.way == "field" else ""
            return Outcome("refused", errors=(FieldError(path, "NO", "no"),))
        return self.real(kind, [write])[0]

    def tick(self, seconds: float, *, dies: bool) -> None:
        """Some time passes, and a cycle runs, which may be cut off anywhere; then a new process goes on."""
        self.store.dice = Random(self.dice.random()) if dies else None
        try:
            self.town.tick(seconds)
        except Crash:
            self.store.crash()
        finally:
            self.store.dice = None

    def failed(self) -> list[OperationRow]:
        """What stands refused now."""
        rows: list[OperationRow] = list(self.store._tables[OperationRow].values())
        return [row for row in rows if row.state == FAILED]

    def say(self, word: Discard | Retry) -> None:
        """A person says something of what stands refused."""
        patch = Patch()
        number = self.store.numbers(1)[0]
        patch.put(command(self.town.clock.now(), self.town.lens.rules.route, word)._replace(id=number))
        self.store.commit(patch)
        self.named.update(word.operations)


def _titles(play: Play) -> list[tuple[object, object]]:
    """What stands at marketing and at sales, person by person."""
    at_sales = {
        str(record.values["Marketo_Id__c"]): record.values["Title"]
        for record in play.town.sfa._records.values()
    }
    return [(play.town.ma._records[lead].values["title"], at_sales.get(lead.id)) for lead in play.leads]


STEP = st.tuples(
    st.sampled_from(WAYS),
    st.sampled_from(("nothing", "type", "type two", "type the same", "retry", "discard", "other field")),
    st.sampled_from((10.0, 600.0, 3_700.0, 22_000.0, 90_000.0)),
    st.booleans(),
)


@settings(max_examples=120, deadline=None)
@given(st.integers(0, 10_000), st.lists(STEP, min_size=4, max_size=14))
def test_nothing_ends_to_be_refused_by_itself(seed: int, steps: list[tuple[str, str, float, bool]]) -> None:
    """At every step each title that sales does not have as marketing does is visible: on its way, refused, or listed
    as given up. An operation that left «failed» was tried when its time had come, or its title was typed anew, or a
    person said so. In the end, with a vendor that takes everything, all that nobody gave up stands on both sides."""
    play = Play(seed)
    number = 0
    said: set[int] = set()
    for way, act, seconds, dies in steps:
        play.way = way
        who = play.dice.randrange(PEOPLE)
        if not play.store.commands(play.town.lens.rules.route):
            said = set()  # what a cycle has not heard for being cut off, the next one hears
        held = {row.id: row for row in play.failed()}
        if act in ("type", "type two"):
            number += 1
            more = {"leadScore": number} if act == "type two" else {}
            play.town.ma.edit(play.leads[who], {"title": f"t{number}", **more})
        elif act == "type the same":
            now = play.town.ma._records[play.leads[who]].values["title"]
            play.town.ma.edit(play.leads[who], {"title": now})
        elif act == "other field":
            number += 1
            play.town.ma.edit(play.leads[who], {"leadScore": number})
        elif act in ("retry", "discard") and held:
            named = (play.dice.choice(sorted(held)),)
            play.say(Retry(operations=named) if act == "retry" else Discard(operations=named, reason="no"))
            said = {*said, *named}
        del play.store.left[:]
        for _ in range(2):
            play.tick(seconds, dies=dies)
            _nobody_is_forgotten(play)
        _left_rightly(play, said)
    play.way = "well"
    for _ in range(6):
        play.tick(90_000.0, dies=False)
        _nobody_is_forgotten(play)
    assert play.failed() == []


def _nobody_is_forgotten(play: Play) -> None:
    """Whoever's title is not the same on both sides has open work, a mark, or is listed as given up."""
    route = play.town.lens.rules.route
    for lead, (here, there) in zip(play.leads, _titles(play), strict=True):
        if here == there:
            continue
        entity = _entity(play, lead)
        operations = play.store.open_operations([entity])
        holds = [hold for hold in play.store.holds_of([entity]) if hold.kind == "discarded"]
        dirty = play.store.dirty("person", ("ma", "sfa"), _watermark(play, route), 100)
        unread = play.town.ma._records[lead].values["title"] != _seen(play, lead)
        assert operations or holds or unread or any(mark.entity == entity for mark in dirty), (
            lead,
            here,
            there,
        )


def _left_rightly(play: Play, said: set[int]) -> None:
    """Each step away from «failed» has a reason that is none of the engine's own."""
    for at, old, now in play.store.left:
        if old.id in said:
            continue
        tried = old.at <= at
        moved = now.state == "superseded" and _typed_since(play, old)
        assert tried or moved, (old, now)
        if now.state == "superseded" and not moved:
            assert now.reason in ("moved", "moved while in doubt", "exists") or _equal(play, old), (old, now)
    for number, waits in play.store.waits.items():
        own = [wait for wait in waits if wait > 0]  # a person's word is the only thing that makes it none
        assert set(own) <= set(WAITS), waits
        assert own == [WAITS[min(place, 2)] for place in range(len(own))], waits
        assert len(own) == len(waits) or number in play.named, waits


def _typed_since(play: Play, row: OperationRow) -> bool:
    """True if marketing has another title by now than the one that the operation carries."""
    desired = decode_work(row.body).fields["Title"].desired
    titles = [
        play.town.ma._records[lead].values["title"]
        for lead in play.leads
        if _entity(play, lead) == row.entity
    ]
    return any(title != desired for title in titles)


def _equal(play: Play, row: OperationRow) -> bool:
    """True if what the operation was about is the same on both sides by now."""
    return any(
        here == there
        for lead, (here, there) in zip(play.leads, _titles(play), strict=True)
        if _entity(play, lead) == row.entity
    )


def _entity(play: Play, lead: Ref) -> int:
    (row,) = play.store.get(RecordRow, [lead])
    return row.entity


def _seen(play: Play, lead: Ref) -> object:
    (row,) = play.store.get(RecordRow, [lead])
    return msgspec.json.decode(row.body)["title"]


def _watermark(play: Play, route: str) -> int:
    rows = play.store.get(CursorRow, [("", "person", route)])
    return int(rows[0].value or 0) if rows else 0
