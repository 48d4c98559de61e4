"""What is wrong at a source stops the route over any time and across every crash, and nothing else is held up by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import sync.cycle
from sync.beats import BEATS
from sync.commands import apply_commands
from sync.cycle import CycleReport
from sync.guard import Brake
from sync.rows import CursorRow, Patch
from sync.rules import ActionKind, FieldRule, Limit, Rules, Sign
from sync.said import Approve, command
from sync.send import Delivery
from sync.source import ENVIRONMENT, IDENTITY, OtherPlace
from tests.support.people_of_2000 import Pair, settle
from tests.support.town import MARKETO, SALESFORCE, Town
from tests.support.town_parts import ProcessDied


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """A town with a journal in a file."""
    with Town(tmp_path) as made:
        yield made


def people(town: Town, count: int) -> list[Pair]:
    """Linked people at rest."""
    found = settle(town, count)
    town.open()
    return found


def say(town: Town, action: str) -> None:
    """A person has looked."""
    patch = Patch()
    row = command(town.clock.now(), town.world.lens.rules.route, Approve(action=action))
    patch.put(row._replace(id=town.world.numbers()))
    town.store.commit(patch)


def reasons(report: CycleReport) -> list[str]:
    """What the brakes say."""
    return [brake.reason for brake in report.brakes]


def test_an_accident_in_small_parts_is_stopped_within_the_hour(town: Town) -> None:
    """Thirty blanks a cycle are few each time; the hour has a limit too, and one of the parts passes it."""
    pairs = people(town, 200)
    told: list[str] = []
    for part in range(4):
        for pair in pairs[30 * part : 30 * part + 30]:
            town.edit(pair.record, Phone=None)
        told += reasons(town.cycle(sweep=900.0))
        town.wait(60.0)
    assert told == ["salesforce Lead.Phone lost its value in 120 records in an hour, limit 100"]


def test_whoever_dies_between_reading_and_guarding_has_not_forgotten(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty deletions are noted, the process ends before it looks at the brakes: the next one, which reads nothing new,
    puts the brake on all the same."""
    pairs = people(town, 80)
    for pair in pairs[:60]:
        town.delete(pair.lead)
    town.edit(pairs[70].lead, title="部長")

    def dies(*_more: Any) -> None:
        raise ProcessDied

    with monkeypatch.context() as patch:
        patch.setattr(sync.cycle, "_guard", dies)
        with pytest.raises(ProcessDied):
            town.cycle()
    town.restart()
    town.wait()
    assert reasons(town.cycle()) == ["marketo lost 60 records this cycle, limit 50"]
    assert town.value(pairs[70].record, "Title") != "部長"


def test_what_a_person_has_seen_is_not_asked_again(town: Town) -> None:
    """Sixty deletions are approved: neither the sweeps that tell of them again nor ten more within the hour stop the
    route, and the work that waited leaves."""
    pairs = people(town, 80)
    for pair in pairs[:60]:
        town.delete(pair.lead)
    town.edit(pairs[70].lead, title="部長")
    town.cycle(sweep=900.0)
    town.wait()
    say(town, "all")
    for pair in pairs[60:70]:
        town.delete(pair.lead)
    assert [reasons(town.cycle(sweep=900.0)) for _ in range(3)] == [[], [], []]
    assert town.value(pairs[70].record, "Title") == "部長"


def test_a_field_that_is_no_longer_shown_holds_up_no_opt_out(town: Town) -> None:
    """Sales cannot be read as the mapping asks: an opt-out of marketing goes across, an edit waits until the field is
    shown again, and nobody has to say anything."""
    pairs = people(town, 3)
    town.salesforce.hide_field("Lead", "Title")
    town.edit(pairs[0].lead, title="部長", unsubscribed=True)
    found = reasons(town.cycle())
    assert len(found) == 1
    assert found[0].startswith("salesforce cannot be read")
    assert town.value(pairs[0].record, "HasOptedOutOfEmail") is True
    town.salesforce.show_field("Lead", "Title")
    town.wait()
    assert town.value(pairs[0].record, "Title") != "部長"
    town.quiet()
    assert town.value(pairs[0].record, "Title") == "部長"


def test_what_was_let_go_before_does_not_leave_under_a_brake_on_everything(town: Town) -> None:
    """An update is refused for now and waits, let go already; then a source loses most of its records: it stays."""
    pairs = people(town, 80)
    town.strike(SALESFORCE, "server_error")
    town.edit(pairs[70].lead, title="部長")
    town.cycle()
    for pair in pairs[:60]:
        town.delete(pair.lead)
    town.wait(700.0)
    town.cycle()
    assert town.value(pairs[70].record, "Title") != "部長"
    say(town, "all")
    town.quiet()
    assert town.value(pairs[70].record, "Title") == "部長"


def test_a_system_that_has_moved_is_taken_for_what_it_is_when_a_person_says_so(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another organisation under the same name is neither read nor written to; approved, it is the one that is known
    from then on, and its values are read."""
    pairs = people(town, 3)
    known = CursorRow(SALESFORCE, "", IDENTITY, "", 0, 0, 0.0)
    (before,) = town.store.get(CursorRow, [known[:3]])
    patch = Patch()
    patch.put(before._replace(value="00D000000000OLDEAA"))
    town.store.commit(patch)
    town.edit(pairs[0].record, Title="課長")
    town.edit(pairs[1].lead, unsubscribed=True)
    found = town.cycle().brakes
    assert [(each.cause, each.action) for each in found] == [(ENVIRONMENT, "all")]
    assert town.value(pairs[0].lead, "title") != "課長"
    assert town.value(pairs[1].record, "HasOptedOutOfEmail") is not True
    say(town, ENVIRONMENT)
    town.wait()
    town.quiet()
    assert town.store.get(CursorRow, [known[:3]])[0].value == before.value
    assert town.value(pairs[0].lead, "title") == "課長"
    assert town.value(pairs[1].record, "HasOptedOutOfEmail") is True


def test_nothing_is_delivered_to_another_system_past_the_brakes(town: Town) -> None:
    """Whoever delivers without reading first (a retry, a plan that was agreed to) is refused like a cycle."""
    pairs = people(town, 3)
    (known,) = town.store.get(CursorRow, [(SALESFORCE, "", IDENTITY)])
    town.edit(pairs[0].lead, title="部長")
    town.cycle(send=False)
    say(town, "update")
    apply_commands(town.world)
    patch = Patch()
    patch.put(known._replace(value="00D000000000OLDEAA"))
    town.store.commit(patch)
    with pytest.raises(OtherPlace):
        Delivery(town.world, town.world.numbers()).deliver()
    assert town.value(pairs[0].record, "Title") != "部長"
    patch.put(known)
    town.store.commit(patch)
    Delivery(town.world, town.world.numbers()).deliver()
    assert town.value(pairs[0].record, "Title") == "部長"


def test_a_quiet_cycle_keeps_no_counts(town: Town) -> None:
    """Where nobody has changed anything no row is written for the brakes; one change writes one."""
    pairs = people(town, 20)
    keys = [(name, "person", BEATS) for name in (MARKETO, SALESFORCE)]
    before = town.store.get(CursorRow, keys)
    for _ in range(3):
        town.cycle(sweep=900.0)
        town.wait()
    assert town.store.get(CursorRow, keys) == before
    town.edit(pairs[0].lead, title="部長")
    town.cycle()
    assert [row.system for row in town.store.get(CursorRow, keys) if row not in before] == [MARKETO]


def _with_stages(rules: Rules) -> Rules:
    """Industries as stages, in the order in which the mapping lists them, of which five may go back at once."""

    def staged(rule: FieldRule) -> FieldRule:
        order = ("製造業", "建設", "小売", "金融", "教育")
        return replace(rule, stages=order) if rule.name == "industry" else rule

    limits = {**rules.limits, ActionKind.SETBACK: Limit(number=5, share=0.0)}
    return replace(rules, fields=tuple(map(staged, rules.fields)), limits=limits)


def test_stages_that_go_back_have_a_brake_of_their_own(tmp_path: Path) -> None:
    """Six people fall back a stage and six go on: those who go on arrive, the others wait and are named as setbacks."""
    with Town(tmp_path, _with_stages) as town:
        pairs = people(town, 30)
        back = [pair for pair in pairs if town.value(pair.lead, "industry") == "金融"][:6]
        on = [pair for pair in pairs if town.value(pair.lead, "industry") == "建設"][:6]
        for pair in back:
            town.edit(pair.lead, industry="建設")
        for pair in on:
            town.edit(pair.lead, industry="教育")
        report = town.cycle()
        assert [(brake.action, brake.count) for brake in report.brakes] == [("setback", 6)]
        assert {town.value(pair.record, "Industry") for pair in on} == {"Education"}
        assert {town.value(pair.record, "Industry") for pair in back} == {"Finance"}
        say(town, "setback")
        town.wait()
        town.quiet()
        assert {town.value(pair.record, "Industry") for pair in back} == {"Construction"}


def _few_links(rules: Rules) -> Rules:
    """Five linked people may be gone at once."""
    return replace(rules, signs={**rules.signs, Sign.UNLINKS: Limit(number=5, share=0.0)})


def test_links_that_end_have_a_limit_of_their_own(tmp_path: Path) -> None:
    """Three linked people and forty strangers are deleted: nobody is asked. Within the hour
    six more stop the route; approved, what waited leaves, and whoever is left stays as they were."""
    with Town(tmp_path, _few_links) as town:
        pairs = people(town, 30)
        strangers = [town.lead(email=f"s{number}@x.example", lastName="Abe") for number in range(40)]
        town.quiet()
        for ref in [*strangers, *(pair.lead for pair in pairs[:3])]:
            town.delete(ref)
        assert town.cycle().brakes == ()
        town.wait()
        town.edit(pairs[20].lead, title="部長")
        for pair in pairs[3:9]:
            town.delete(pair.lead)
        line = "marketo deleted 6 linked records or moved them out of scope this cycle, limit 5 (limits: unlinks)"
        assert reasons(town.cycle()) == [line]
        assert town.value(pairs[20].record, "Title") != "部長"
        say(town, "all")
        town.wait()
        town.quiet()
        assert town.value(pairs[20].record, "Title") == "部長"
        assert len(town.live(SALESFORCE)) == 30


def test_a_twin_here_and_there_is_no_accident(town: Town) -> None:
    """Somebody enters three people twice: they are linked, and the route goes on."""
    pairs = people(town, 5)
    twins = [town.lead(email=town.value(pair.lead, "email"), lastName="Ito") for pair in pairs[:3]]
    town.edit(pairs[4].lead, title="部長")
    report = town.cycle()
    assert report.brakes == tuple[Brake]()
    assert report.decided.twins == {MARKETO: 3}
    assert {town.entity(twin) for twin in twins} == {town.entity(pair.lead) for pair in pairs[:3]}
