"""People who borrow addresses, administrators who change mappings and take fields away: the same promises hold.

Each profile adds one sort of act; `restless` has all of them. What the oracle demands under each mapping is said in
`tests.sim.rulings`, beside the mapping files and without reading them.
"""

from __future__ import annotations

from collections import Counter

import pytest

from sync.record import Side
from sync.rules import Flow
from tests.sim.__main__ import explain
from tests.sim.driver import play
from tests.sim.mapping import TEXTS, lens
from tests.sim.rulings import ELSEWHERE, RULINGS
from tests.sim.vocabulary import MA, TWO_WAY

PROFILES = ("shared", "ruled", "denied", "emptied", "inherited", "moved", "unnamed", "restless")
ACTS = (
    "addresses borrowed", "addresses shared", "addresses used again", "left the scope", "back in the scope",
    "mapping changed", "fields hidden", "fields sealed", "permissions given back",
)  # fmt: skip
JUDGED = (
    "persons with one address, linked", "put right by a one-way field", "words judged",
    "outside the scope at the end", "single: outside the scope",
)  # fmt: skip


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("first", [1, 26])
def test_promises_hold_whatever_people_and_administrators_do(profile: str, first: int) -> None:
    """Nothing that two vendors wrote down in twenty-five schedules is against a promise."""
    for seed in range(first, first + 25):
        result = play(seed, profile)
        assert not result.offences, explain(result)


def test_each_act_happens_and_is_judged() -> None:
    """In a hundred schedules everybody does everything, and what the oracle asks of it is asked of something."""
    counts: Counter[str] = Counter()
    for seed in range(2_001, 2_101):
        counts += play(seed, "restless").counts
    assert [name for name in (*ACTS, *JUDGED) if not counts[name]] == []


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_the_oracle_and_the_mapping_mean_the_same(name: str) -> None:
    """What the oracle says in its own words of a mapping is what the file says: else it would judge another one."""
    rules, ruling = lens(name).rules, RULINGS[name]
    flows = {rule.name: rule.flow for rule in rules.fields if rule.name in TWO_WAY}
    assert set(TWO_WAY) - set(flows) == ruling.unmapped
    assert {field for field, flow in flows.items() if flow is Flow.TO_SFA} == ruling.one_way
    assert bool(rules.scope) == ruling.scoped
    assert {rule.name for rule in rules.fields if rule.blank == "propagate"} == ruling.emptied
    places = {rule.name: rule.cells[Side.MA].paths["Lead"] for rule in rules.fields if rule.name in TWO_WAY}
    assert {each: places[each] for each in places if places[each] != TWO_WAY[each][MA]} == {
        each: ELSEWHERE[each] for each in ruling.moved
    }
    assert lens(name).carries_ids(Side.SFA) == ruling.named
    typed = {rule.name for rule in rules.fields if rule.type == "phone"}
    assert typed == ruling.retyped
    words = next((rule.cells[Side.SFA] for rule in rules.fields if rule.name == "source"), None)
    if words is not None:
        assert {word: words.write(word.title()) for word in ruling.words} == ruling.words
    assert bool(words) == bool(ruling.words)
