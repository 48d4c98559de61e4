"""Both stores answer alike after any history of patches, and ask the database through its indexes only."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from state.memory import MemoryStore
from state.sql import Statement
from state.store import SqlStore
from state.tables import table_of
from sync.errors import Fatal
from sync.ports import Store
from sync.rows import APPLIED, KEY, OPEN_STATES, SUPERSEDED, Patch, Row
from tests.contract.rows import (
    BASE,
    CLAIM,
    COMMAND,
    HOLD,
    KEY_ROW,
    OPERATION,
    RECORD,
    RUN,
    STANDING,
    batch,
)
from tests.state.clock import HandClock

few = st.integers(1, 4)
systems = st.sampled_from(("ma", "sfa"))
kinds = st.sampled_from(("person", "account"))
routes = st.sampled_from(("people", "others"))
actions = st.sampled_from(("create", "update", "optout"))
states = st.sampled_from((*OPEN_STATES, APPLIED, SUPERSEDED))
times = st.sampled_from((0.0, 1.5, 2.0, 3.25))
words = st.sampled_from(("h1", "ｈ１", "h'\"2", "%_"))

records = st.builds(
    lambda system, id_, kind, entity, state, noted, at: RECORD._replace(
        system=system, id=id_, kind=kind, entity=entity, state=state, noted=noted, refetch_at=at
    ),
    systems, words, kinds, few, st.integers(0, 2), few, times,
)  # fmt: skip
keys = st.builds(
    lambda system, kind, hash_, id_: KEY_ROW._replace(system=system, kind=kind, hash=hash_, id=str(id_)),
    systems, kinds, words, few,
)  # fmt: skip
claims = st.builds(
    lambda system, hash_, operation: CLAIM._replace(system=system, hash=hash_, operation=operation),
    systems, words, few,
)  # fmt: skip
operations = st.builds(
    lambda id_, entity, route, run, action, lane, state, at, done_at, marked: OPERATION._replace(
        id=id_, entity=entity, route=route, run=run, action=action, lane=lane, state=state, at=at,
        done_at=done_at, effect=f"effect/{id_ % 3}" if marked else "",
    ),
    few, few, routes, few, actions, st.integers(0, 1), states, times, times, st.booleans(),
)  # fmt: skip
batches = st.builds(
    lambda id_, system, ids: batch(id_, *ids, system=system), few, systems, st.lists(few, max_size=2)
)
holds = st.builds(lambda entity, route: HOLD._replace(entity=entity, route=route), few, routes)
standings = st.builds(
    lambda entity, rule, route, wake: STANDING._replace(entity=entity, rule=rule, route=route, wake=wake),
    few, st.sampled_from(("score", "recycle")), routes, times,
)  # fmt: skip
commands = st.builds(
    lambda id_, route, state: COMMAND._replace(id=id_, route=route, state=state),
    few, routes, st.sampled_from(("new", "done")),
)  # fmt: skip
bases = st.builds(lambda entity, route: BASE._replace(entity=entity, route=route), few, routes)
runs = st.builds(
    lambda id_, released: RUN._replace(id=id_, released=released),
    few, st.sampled_from(("", "all", "create", "update,optout")),
)  # fmt: skip
rows = st.one_of(
    records, keys, claims, operations, operations, batches, holds, standings, commands, bases, runs
)
histories = st.lists(st.lists(st.tuples(st.booleans(), rows), min_size=1, max_size=6), min_size=1, max_size=8)


def answers(store: Store, written: set[tuple[type[Row], tuple[object, ...]]]) -> list[object]:
    """Everything that a store can be asked; what has no order is sorted."""
    entities = range(6)
    found: list[object] = [
        sorted(store.records_of(entities)),
        sorted(store.open_operations(entities)),
        sorted(store.holds_of(entities)),
        sorted(store.standings(entities)),
        sorted(store.effects(["effect/0", "effect/1", "effect/2"])),
        [sorted(store.get(kind, [key])) for kind, key in sorted(written, key=repr)],
    ]
    for system in ("ma", "sfa"):
        found.append(store.batches(system))
        for kind in ("person", "account"):
            found += [
                store.count_records(system, kind),
                sorted(store.holders(system, kind, ["h1", "ｈ１", "%_"])),
            ]
            found += [store.refetch_due(system, kind, 2.0, limit) for limit in (1, 9)]
            found += [store.dirty(kind, [system], after, limit) for after in (0, 2) for limit in (2, 9)]
    found += [store.dirty(kind, ["ma", "sfa"], 1, 9) for kind in ("person", "account")]
    for route in ("people", "others"):
        found += [store.due(route, now, limit) for now in (1.5, 9.0) for limit in (1, 2, 9)]
        found += [dict(store.planned(route)), store.next_due(route), store.count_linked(route)]
        found += [store.wakes(route, now, limit) for now in (1.5, 9.0) for limit in (1, 9)]
        found.append(store.commands(route))
        found += [dict(store.written(route, since)) for since in (0.0, 2.0)]
    return found


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlStore]:
    """One journal for all histories; each begins by emptying it."""
    with SqlStore(tmp_path_factory.mktemp("same") / "renkei.db", HandClock(), "tests") as opened:
        yield opened


@given(history=histories)
def test_both_stores_answer_alike(store: SqlStore, history: list[list[tuple[bool, Row]]]) -> None:
    """After every patch of any history both stores hold the same, or both refused it and hold what they held."""
    _empty(store)
    memory, written = MemoryStore(), set[tuple[type[Row], tuple[object, ...]]]()
    for step in history:
        patch = Patch()
        for kept, row in step:
            (patch.put if kept else patch.drop)(row)
            written.add((type(row), row[: KEY[type(row)]]))
        assert _refused(store, patch) == _refused(memory, patch)
        assert answers(store, written) == answers(memory, written)


def _empty(store: SqlStore) -> None:
    with store._journal.writing():
        for kind in KEY:
            store._journal.connection.exec_driver_sql(f'DELETE FROM "{table_of(kind).name}"')


def _refused(store: Store, patch: Patch) -> bool:
    try:
        store.commit(patch)
    except Fatal:
        return True
    return False


def test_no_question_reads_a_whole_table(store: SqlStore) -> None:
    """No statement walks through records, keys or operations: each finds them by an index, counts by a covering one."""
    asked = vars(store._questions)
    statements = {name: found for name, found in asked.items() if isinstance(found, Statement)}
    statements |= {kind.__name__: found for kind, found in store._questions.get.items()}
    statements["claims"] = store._journal._claims
    plans = {name: _plan(store, statement) for name, statement in statements.items()}
    assert len(plans) >= 25
    for name, plan in plans.items():
        walks = [step for step in plan if step.startswith("SCAN") and "VIRTUAL TABLE" not in step]
        assert walks in ([], ["SCAN batch"], ["SCAN base USING COVERING INDEX sqlite_autoindex_base_1"]), (
            name,
            plan,
        )
    for name in ("planned", "next_due", "written", "count_records"):
        assert "USING COVERING INDEX" in plans[name][0]
    assert not [step for step in plans["due"] if "TEMP B-TREE" in step]


def _plan(store: SqlStore, statement: Statement) -> list[str]:
    lists = {"entities", "hashes", "systems", "away", "keys"}
    values = tuple("[]" if name in lists else 1 for name in statement._names)
    found = store._journal.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement.sql}", values)
    return [str(row[3]) for row in found.fetchall()]
