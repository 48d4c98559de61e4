"""What every store must do, whatever it is made of: one suite, run over the memory store and the SQL store.

It knows the rows and the port only. `restart` stands for the end of a process and a new one on the same state.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import pytest

from sync.errors import Fatal
from sync.ports import Store
from sync.rows import (
    APPLIED,
    DELETED,
    DISCARDED,
    FAILED,
    KEY,
    PENDING,
    PLANNED,
    SUPERSEDED,
    UNSEEN,
    WAITING,
    BaseRow,
    HoldRow,
    KeyRow,
    OperationRow,
    Patch,
    RecordRow,
    Row,
)
from tests.contract.rows import (
    BASE,
    BATCH,
    CLAIM,
    COMMAND,
    HOLD,
    KEY_ROW,
    ONE_OF_EACH,
    OPERATION,
    RECORD,
    RUN,
    STANDING,
    batch,
    drops,
    puts,
)


def ids(rows: list[OperationRow]) -> list[int]:
    """The operations' ids in the order given."""
    return [row.id for row in rows]


class StoreSuite(ABC):
    """Subclasses give a fixture `store` and say what a restart is."""

    @abstractmethod
    def restart(self, store: Store) -> Store:
        """End the store as its process ends, and open it again."""

    # ---- whole rows, by primary key

    @pytest.mark.parametrize("row", ONE_OF_EACH, ids=lambda row: type(row).__name__)
    def test_a_row_comes_back_as_written(self, store: Store, row: Row) -> None:
        """Each kind of row is given back equal, of its own type, and after a restart too."""
        store.commit(puts(row))
        key = row[: KEY[type(row)]]
        assert store.get(type(row), [key]) == [row]
        again = self.restart(store).get(type(row), [key])
        assert again == [row]
        assert type(again[0]) is type(row)
        assert [type(value) for value in again[0]] == [type(value) for value in row]

    @pytest.mark.parametrize("row", ONE_OF_EACH, ids=lambda row: type(row).__name__)
    def test_a_put_replaces_the_row_and_a_drop_removes_it(self, store: Store, row: Row) -> None:
        """The last put of a key wins; a dropped key is gone; dropping what is not there does nothing."""
        key = row[: KEY[type(row)]]
        tail = tuple(_other(value) for value in row[KEY[type(row)] :])
        changed = type(row)._make((*key, *tail))
        store.commit(puts(row))
        store.commit(puts(changed))
        assert store.get(type(row), [key]) == [changed]
        store.commit(drops(changed))
        assert store.get(type(row), [key]) == []
        store.commit(drops(changed))
        assert store.get(type(row), [key]) == []

    def test_get_gives_each_existing_row_once(self, store: Store) -> None:
        """Missing keys are left out, and a key asked for twice is answered once."""
        rows = [RECORD._replace(id=str(n)) for n in range(50)]
        store.commit(puts(*rows))
        keys = [row[:3] for row in rows[10:20]] + [("ma", "lead", "none"), rows[10][:3]]
        assert sorted(store.get(RecordRow, keys)) == sorted(rows[10:20])
        assert store.get(RecordRow, []) == []
        assert store.get(RecordRow, (row.ref for row in rows[:1])) == rows[:1]

    def test_text_of_every_script_survives(self, store: Store) -> None:
        """Quotes, full-width letters, rare kanji and line ends in ids and values come back unchanged."""
        name = "髙﨑 'Ｏ\"Brien'\n%_?:x 🎌"
        row = RECORD._replace(id=name, version=name, body=name.encode())
        store.commit(puts(row, KEY_ROW._replace(hash=name)))
        assert store.get(RecordRow, [("ma", "lead", name)]) == [row]
        assert store.holders("ma", "person", [name]) == [KEY_ROW._replace(hash=name)]

    def test_an_empty_patch_is_nothing(self, store: Store) -> None:
        """Committing nothing succeeds and changes nothing."""
        store.commit(puts(RECORD))
        store.commit(Patch())
        assert store.get(RecordRow, [RECORD[:3]]) == [RECORD]

    def test_a_patch_of_many_rows_lands_whole(self, store: Store) -> None:
        """A patch may hold thousands of rows of several kinds, puts and drops together."""
        rows = [RECORD._replace(id=str(n), entity=n) for n in range(3_000)]
        store.commit(puts(*rows, *(BaseRow(n, "people", b"{}") for n in range(3_000))))
        patch = drops(*rows[:1_000])
        for row in rows[1_000:]:
            patch.put(row._replace(noted=9))
        store.commit(patch)
        assert store.count_records("ma", "person") == 2_000
        assert store.count_linked("people") == 3_000
        assert len(store.dirty("person", ["ma"], 8, 9_999)) == 2_000

    # ---- numbers

    def test_numbers_ascend_over_the_whole_life(self, store: Store) -> None:
        """Blocks never overlap, not at a block's border, not beyond a block, not after a restart."""
        seen = 0
        for count in (1, 3, 999, 10_000, 25_000, 1):
            numbers = store.numbers(count)
            assert len(numbers) == count
            assert numbers.step == 1
            assert numbers.start > seen
            seen = numbers[-1]
        again = self.restart(store).numbers(2)
        assert again.start > seen
        assert len(again) == 2

    # ---- questions by entity, key and mark

    def test_rows_of_entities(self, store: Store) -> None:
        """Records, holds and open operations are found by entity, each once, and only the open ones."""
        records = [RECORD._replace(id=str(n), entity=n % 3) for n in range(6)]
        states = (PLANNED, WAITING, PENDING, FAILED, APPLIED, SUPERSEDED, DISCARDED)
        operations = [OPERATION._replace(id=n + 1, entity=n % 2, state=one) for n, one in enumerate(states)]
        holds = [HOLD, HOLD._replace(field="name"), HOLD._replace(kind="loop"), HOLD._replace(entity=2)]
        store.commit(puts(*records, *operations, *holds))
        assert sorted(store.records_of([0, 2, 7, 0])) == sorted(r for r in records if r.entity in {0, 2})
        assert sorted(ids(store.open_operations([0, 0]))) == [1, 3]
        assert sorted(ids(store.open_operations([0, 1]))) == [1, 2, 3, 4]
        assert sorted(store.holds_of([1])) == sorted(holds[:3])
        assert not any((store.records_of([]), store.open_operations([]), store.holds_of([])))

    def test_rows_follow_their_entity(self, store: Store) -> None:
        """A record or operation that moves to another entity, or closes, is no longer found at the old one."""
        store.commit(puts(RECORD, OPERATION, HOLD))
        store.commit(puts(RECORD._replace(entity=2), OPERATION._replace(entity=2)))
        assert not any((store.records_of([1]), store.open_operations([1])))
        assert store.records_of([2]) == [RECORD._replace(entity=2)]
        assert ids(store.open_operations([2])) == [10]
        store.commit(puts(OPERATION._replace(entity=2, state=APPLIED)))
        store.commit(drops(HOLD))
        assert not any((store.open_operations([2]), store.holds_of([1])))

    def test_holders_gives_keys_and_claims(self, store: Store) -> None:
        """Every record under one hash and the claim on it are found; other systems, kinds and hashes are not."""
        mine = [KEY_ROW._replace(system="sfa"), KEY_ROW._replace(system="sfa", id="2"), CLAIM]
        others = [KEY_ROW, CLAIM._replace(kind="account"), CLAIM._replace(hash="h2")]
        store.commit(puts(*mine, *others))
        assert sorted(store.holders("sfa", "person", ["h1", "h1", "none"])) == sorted(mine)
        assert sorted(store.holders("sfa", "person", ["h1", "h2"])) == sorted([*mine, others[2]])
        assert store.holders("sfa", "person", []) == []

    def test_dirty_is_what_was_noted_after_the_watermark(self, store: Store) -> None:
        """Oldest mark first, then by name; the limit cuts; other kinds and systems are left out."""
        noted = {"5": 4, "4": 4, "3": 9, "2": 2, "1": 3}
        rows = {name: RECORD._replace(id=name, noted=mark) for name, mark in noted.items()}
        store.commit(puts(*rows.values(), RECORD._replace(id="6", kind="account", noted=9)))
        store.commit(
            puts(RECORD._replace(system="sfa", id="7", noted=5), RECORD._replace(system="x", noted=5))
        )
        found = [row.id for row in store.dirty("person", ["ma", "sfa"], 2, 10)]
        assert found == ["1", "4", "5", "7", "3"]
        assert [row.id for row in store.dirty("person", iter(["ma"]), 3, 2)] == ["4", "5"]
        assert store.dirty("person", ["ma", "sfa"], 9, 10) == store.dirty("person", [], 0, 10) == []

    def test_refetch_due(self, store: Store) -> None:
        """Only records whose time is set and has come, oldest first."""
        times = {"1": 0.0, "2": 5.0, "3": 4.0, "4": 6.0}
        store.commit(puts(*(RECORD._replace(id=name, refetch_at=at) for name, at in times.items())))
        store.commit(puts(RECORD._replace(system="sfa", refetch_at=1.0)))
        assert [row.id for row in store.refetch_due("ma", "person", 5.0, 10)] == ["3", "2"]
        assert [row.id for row in store.refetch_due("ma", "person", 5.0, 1)] == ["3"]
        assert store.refetch_due("ma", "account", 5.0, 10) == []
        store.commit(puts(RECORD._replace(id="3", refetch_at=0.0)))
        assert [row.id for row in store.refetch_due("ma", "person", 5.0, 10)] == ["2"]

    # ---- what may leave

    def test_due_waits_for_its_time(self, store: Store) -> None:
        """Pending, waiting and failed operations are due at their time, by lane, then id; closed ones never."""
        rows = [
            OPERATION._replace(id=1, lane=3, at=1.0),
            OPERATION._replace(id=2, lane=2, at=5.0, state=FAILED),
            OPERATION._replace(id=3, lane=2, at=5.5),
            OPERATION._replace(id=4, lane=2, at=0.0, state=WAITING),
            OPERATION._replace(id=5, lane=0, at=0.0, state=APPLIED),
            OPERATION._replace(id=6, lane=0, at=0.0, state=SUPERSEDED),
            OPERATION._replace(id=7, lane=0, at=0.0, route="others"),
            OPERATION._replace(id=8, lane=0, at=3.0),
        ]
        store.commit(puts(*rows))
        assert ids(store.due("people", 5.0, 10)) == [8, 2, 4, 1]
        assert ids(store.due("people", 5.0, 2)) == [8, 2]
        assert store.due("people", 5.0, 1) == [rows[7]]

    def test_due_passes_over_whole_systems(self, store: Store) -> None:
        """What is due for a system that is to be left alone takes no place from what is due behind it."""
        rows = [OPERATION._replace(id=n, at=0.0, system="ma") for n in (1, 2, 3)]
        store.commit(puts(*rows, OPERATION._replace(id=4, at=0.0, system="sfa")))
        assert ids(store.due("people", 5.0, 2)) == [1, 2]
        assert ids(store.due("people", 5.0, 2, ["ma"])) == [4]
        assert store.due("people", 5.0, 2, ("ma", "sfa")) == []

    def test_due_leaves_out_what_left(self, store: Store) -> None:
        """An operation in an open batch is neither due nor next; it is again once the batch is settled."""
        rows = [OPERATION._replace(id=n, at=float(n)) for n in (1, 2, 3)]
        store.commit(puts(*rows, batch(20, 1), batch(21, 3, system="ma")))
        assert ids(store.due("people", 9.0, 10)) == [2]
        assert store.next_due("people") == 2.0
        store.commit(drops(batch(20)))
        assert ids(store.due("people", 9.0, 10)) == [1, 2]
        assert store.next_due("people") == 1.0

    def test_planned_operations_wait_for_their_release(self, store: Store) -> None:
        """A planned operation is due when its run released its action, and counted as planned until then."""
        rows = [
            OPERATION._replace(id=1, state=PLANNED, run=5, action="create"),
            OPERATION._replace(id=2, state=PLANNED, run=5, action="update", at=99.0),
            OPERATION._replace(id=3, state=PLANNED, run=6, action="create"),
            OPERATION._replace(id=4, state=PLANNED, run=7, action="create"),
            OPERATION._replace(id=5, state=PLANNED, run=8, action="create"),
            OPERATION._replace(id=6, run=5, action="create"),
        ]
        runs = [
            RUN._replace(id=5, released="optout,update"),
            RUN._replace(id=6, released="all"),
            RUN._replace(id=7, released="created,recreate"),
        ]
        store.commit(puts(*rows, *runs))
        assert ids(store.due("people", 9.0, 10)) == [2, 3, 6]
        assert dict(store.planned("people")) == {(5, "create"): 1, (7, "create"): 1, (8, "create"): 1}
        store.commit(
            puts(RUN._replace(id=5, released="create,optout,update"), RUN._replace(id=7, released="all"))
        )
        assert ids(store.due("people", 9.0, 10)) == [1, 2, 3, 4, 6]
        assert dict(store.planned("people")) == {(8, "create"): 1}
        assert dict(store.planned("others")) == {}

    def test_next_due_is_the_earliest_time(self, store: Store) -> None:
        """Planned and closed operations have no time; nothing pending = None."""
        assert store.next_due("people") is None
        store.commit(puts(OPERATION._replace(id=1, state=PLANNED), OPERATION._replace(id=2, state=APPLIED)))
        assert store.next_due("people") is None
        rows = [OPERATION._replace(id=3, at=8.0), OPERATION._replace(id=4, at=7.0, state=FAILED)]
        store.commit(puts(*rows, OPERATION._replace(id=5, at=7.5, state=WAITING)))
        assert store.next_due("people") == 7.0
        assert store.next_due("others") is None

    def test_batches_of_a_system(self, store: Store) -> None:
        """Open batches of one system, oldest first."""
        rows = [batch(22, 3), batch(21, 1, 2), batch(23, 4, system="ma")]
        store.commit(puts(*rows))
        assert store.batches("sfa") == [rows[1], rows[0]]
        store.commit(drops(rows[0]))
        assert self.restart(store).batches("sfa") == [rows[1]]

    # ---- standings and commands

    def test_standings_of_entities(self, store: Store) -> None:
        """All that is remembered of an entity is found under it, and under no other."""
        rows = [STANDING, STANDING._replace(rule="told"), STANDING._replace(entity=2, wake=0.0)]
        store.commit(puts(*rows))
        assert sorted(store.standings([1, 1, 9])) == sorted(rows[:2])
        store.commit(drops(rows[0]))
        assert sorted(store.standings([1, 2])) == rows[1:]
        assert store.standings([]) == []

    def test_wakes_are_those_whose_time_has_come(self, store: Store) -> None:
        """Oldest first, then by entity; a wake that was taken back is no more."""
        times = {1: 7.0, 2: 0.0, 3: 6.0, 4: 8.0, 5: 6.0}
        rows = {n: STANDING._replace(entity=n, wake=wake) for n, wake in times.items()}
        store.commit(puts(*rows.values(), STANDING._replace(entity=6, route="others", wake=1.0)))
        assert [row.entity for row in store.wakes("people", 7.0, 9)] == [3, 5, 1]
        assert store.wakes("people", 7.0, 1) == [rows[3]]
        store.commit(puts(rows[3]._replace(wake=0.0)))
        assert [row.entity for row in store.wakes("people", 7.0, 9)] == [5, 1]
        assert [row.entity for row in self.restart(store).wakes("people", 7.0, 9)] == [5, 1]

    def test_commands_wait_until_they_are_read(self, store: Store) -> None:
        """New ones of the route, oldest first."""
        rows = [COMMAND._replace(id=2), COMMAND._replace(id=1), COMMAND._replace(id=3, state="done")]
        store.commit(puts(*rows, COMMAND._replace(id=4, route="others")))
        assert [row.id for row in store.commands("people")] == [1, 2]
        store.commit(puts(rows[1]._replace(state="done")))
        assert store.commands("people") == [rows[0]]

    # ---- counts

    def test_written_counts_what_was_applied_since(self, store: Store) -> None:
        """Applied operations of the route at or after a time, by action."""
        rows = [
            OPERATION._replace(id=1, state=APPLIED, done_at=5.0),
            OPERATION._replace(id=2, state=APPLIED, done_at=4.9),
            OPERATION._replace(id=3, state=APPLIED, done_at=6.0, action="create"),
            OPERATION._replace(id=4, state=SUPERSEDED, done_at=6.0),
            OPERATION._replace(id=5, state=APPLIED, done_at=6.0, route="others"),
            OPERATION._replace(id=6, state=APPLIED, done_at=7.0),
        ]
        store.commit(puts(*rows))
        assert dict(store.written("people", 5.0)) == {"update": 2, "create": 1}
        assert dict(store.written("people", 8.0)) == {}

    def test_written_leaves_out_what_a_person_agreed_to_as_a_whole(self, store: Store) -> None:
        """First syncs and applied plans do not use up the limits of the day after."""
        rows = [
            OPERATION._replace(id=number, run=run, state=APPLIED, done_at=6.0)
            for number, run in ((1, 90), (2, 91))
        ]
        store.commit(puts(RUN._replace(id=90, trigger="first"), RUN._replace(id=91, trigger="cycle"), *rows))
        assert dict(store.written("people", 5.0)) == {OPERATION.action: 1}

    def test_counts_of_linked_and_live(self, store: Store) -> None:
        """Bases are counted by route, records by system and kind while they are live."""
        store.commit(puts(BASE, BASE._replace(entity=2), BASE._replace(route="others")))
        states = [RECORD, RECORD._replace(id="2"), RECORD._replace(id="3", state=DELETED)]
        store.commit(puts(*states, RECORD._replace(id="4", state=UNSEEN), RECORD._replace(system="sfa")))
        assert store.count_linked("people") == 2
        assert store.count_linked("none") == 0
        assert store.count_records("ma", "person") == 2
        assert store.count_records("ma", "account") == 0

    # ---- all or nothing

    def test_one_claim_per_key(self, store: Store) -> None:
        """A second open create can never take a match key that is claimed, under no name and no route."""
        store.commit(puts(OPERATION, CLAIM))
        for rival in (CLAIM._replace(operation=11), CLAIM._replace(object="Lead", id="9", operation=11)):
            with pytest.raises(Fatal):
                store.commit(puts(OPERATION._replace(id=11, route="others"), rival))
        with pytest.raises(Fatal):
            store.commit(puts(CLAIM._replace(hash="new"), CLAIM._replace(hash="new", id="9", operation=11)))
        assert store.holders("sfa", "person", ["h1", "new"]) == [CLAIM]
        assert store.get(OperationRow, [(11,)]) == []

    def test_a_claim_is_handed_on_or_given_up(self, store: Store) -> None:
        """When the claiming operation closes, its successor takes the claim; a dropped claim is free again."""
        store.commit(puts(OPERATION, CLAIM))
        heir = OPERATION._replace(id=11)
        store.commit(puts(OPERATION._replace(state=SUPERSEDED), heir, CLAIM._replace(operation=11)))
        assert store.holders("sfa", "person", ["h1"]) == [CLAIM._replace(operation=11)]
        store.commit(puts(CLAIM._replace(operation=11)))
        patch = drops(CLAIM)
        patch.put(KEY_ROW._replace(system="sfa"))
        store.commit(patch)
        store.commit(puts(CLAIM._replace(object="Lead", id="9", operation=12)))
        assert len(store.holders("sfa", "person", ["h1"])) == 2

    def test_effects_are_found_in_whatever_state(self, store: Store) -> None:
        """Of many keys those are found that were ever journaled."""
        rows = [OPERATION._replace(id=13, effect="a", state=APPLIED), OPERATION._replace(id=14, effect="b")]
        store.commit(puts(*rows))
        assert sorted(store.effects(["a", "b", "c", "", "a"])) == rows
        assert store.effects([]) == []

    def test_an_effect_is_journaled_once_for_ever(self, store: Store) -> None:
        """A second operation with the same effect key is refused, even after the first was applied."""
        first = OPERATION._replace(effect="task/1/2", state=APPLIED)
        store.commit(puts(first, OPERATION._replace(id=11), OPERATION._replace(id=12)))
        store.commit(puts(first._replace(done_at=9.0)))
        with pytest.raises(Fatal):
            store.commit(puts(OPERATION._replace(id=13, effect="task/1/2")))
        with pytest.raises(Fatal):
            store.commit(puts(*(OPERATION._replace(id=n, effect="task/1/3") for n in (13, 14))))
        assert store.get(OperationRow, [(13,), (14,)]) == []

    def test_a_refused_patch_leaves_nothing(self, store: Store) -> None:
        """No row of a patch that fails is kept, in whatever order its rows stand, and work goes on."""
        store.commit(puts(OPERATION, CLAIM, RECORD, HOLD))
        patch = puts(RECORD._replace(noted=7), BASE, BATCH, OPERATION._replace(id=11))
        patch.drop(HOLD)
        patch.put(CLAIM._replace(operation=11))
        patch.put(RUN)
        with pytest.raises(Fatal):
            store.commit(patch)
        assert store.get(RecordRow, [RECORD[:3]]) == [RECORD]
        assert store.get(HoldRow, [HOLD[:3]]) == [HOLD]
        assert store.get(KeyRow, [CLAIM[:5]]) == [CLAIM]
        assert not any((store.get(BaseRow, [(1, "people")]), store.batches("sfa")))
        assert store.planned("people") == {}
        store.commit(puts(BASE))
        assert self.restart(store).get(BaseRow, [(1, "people")]) == [BASE]


def _other(value: object) -> object:
    """Another value of the same type."""
    match value:
        case bytes():
            return value + b" "
        case str():
            return value + "x"
        case int():
            return value + 1
        case float():
            return value + 1.25
        case _:
            raise AssertionError(value)
