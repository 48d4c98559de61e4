"""Rules that change while work is on its way, and scopes: nothing is agreed on that the rules read otherwise by now."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync.confirm import Sent, confirm, pack, waiting
from sync.normalise import Lens
from sync.note import note
from sync.outdated import agreed_under
from sync.plan import FieldWork, Half, Job, Work, encode_work
from sync.record import Ref
from sync.rows import IGNORED, LANE_DELTA, OperationRow, Patch, RecordRow
from sync.rules import Flow, Rules
from tests.support.people import MAPPING, NOW, lens, numbers, reading, record, row
from tests.support.town import SALESFORCE, Town

SCOPED = MAPPING.replace(
    "consent:", "  test: { ma: isTest, type: boolean }\nscope: { ma: { test: { not: true } } }\nconsent:"
)
OTHER_WORDS = MAPPING.replace(
    "製造業: Manufacturing, 建設: Construction", "製造業: Construction, 建設: Manufacturing"
)
TO_SALES = MAPPING.replace("title:     { ma: title, flow: <->", "title:     { ma: title, flow: ->")


def test_a_record_of_our_own_making_is_decided_once_it_shows_that_it_is_in_the_scope() -> None:
    """Before it is first read nobody knows on which side of the scope it is; a false that comes then is news."""
    made = row("ma", "1", 9, {"email": "a@x.example"}, as_of=0, settled=5, noted=3)
    patch = Patch()
    fresh = record("ma", "1", {"email": "a@x.example", "isTest": False})
    found = note([fresh], {made.ref: made}, reading("ma", 50, indexed=False), lens(SCOPED), numbers(), patch)
    (kept,) = patch.puts[RecordRow].values()
    assert isinstance(kept, RecordRow)
    assert (found.dirty, kept.noted > made.noted) == ([made.ref], True)


def test_a_first_look_that_changes_nothing_about_the_scope_is_no_news() -> None:
    """What the vendor puts into every new record asks for no decision."""
    made = row("ma", "1", 9, {"email": "a@x.example"}, as_of=0, settled=5, noted=3)
    fresh = record("ma", "1", {"email": "a@x.example", "isTest": False})
    found = note([fresh], {made.ref: made}, reading("ma", 50, indexed=False), lens(), numbers(), Patch())
    assert found.dirty == []


def carried(name: str, path: str, value: str, sent: str, then: Lens, *, known: bool = True) -> Job:
    """A write to sales that was decided under other rules; `known`: it says under which."""
    print_ = then.rule[name].fingerprint if known else ""
    fields = {path: FieldWork(name, None, sent, value, value, fingerprint=print_)}
    work = Work(fields=fields, source=Ref("ma", "Lead", "1"))
    made = OperationRow(
        40, 9, "people", 7, "update", "sfa", "Lead", "L", LANE_DELTA, "sent", 0.0, 0, 0, then.rules.digest, "h",
        "", NOW, 0.0, "", encode_work(work),
    )  # fmt: skip
    return Job(made, work)


def test_a_word_that_means_something_else_by_now_is_agreed_on_as_it_was_meant() -> None:
    """A write that is settled under another table of values is agreed on under the one by which it was decided, and
    takes no place of what is agreed on under the new one; where nobody knows which that was it leaves no base."""
    now, job = lens(OTHER_WORDS), carried("industry", "Industry", "製造業", "Manufacturing", lens())
    then = lens().rule["industry"].fingerprint
    newer = Half(now.rule["industry"].fingerprint, "製造業", "製造業")
    assert agreed_under(lens(), job, "Industry", None) == then
    assert agreed_under(now, job, "Industry", None) == then
    assert agreed_under(now, job, "Industry", newer) == ""
    unknown = carried("industry", "Industry", "製造業", "Manufacturing", lens(), known=False)
    assert agreed_under(now, unknown, "Industry", None) == ""


@pytest.mark.parametrize("known", [True, False])
def test_a_field_that_other_rules_do_not_touch_is_agreed_on(known: bool) -> None:
    """Rules that change elsewhere take no agreement back; a field that left the mapping, or comes from
    another one there, keeps what its rule said."""
    job = carried("title", "Title", "課長", "課長", lens(), known=known)
    print_ = lens().rule["title"].fingerprint
    assert agreed_under(lens(OTHER_WORDS), job, "Title", None) == print_
    without = "\n".join(line for line in MAPPING.splitlines() if "title:" not in line)
    assert agreed_under(lens(without), job, "Title", None) == (print_ if known else "")
    moved = MAPPING.replace("title:     { ma: title,", "title:     { ma: jobTitle,")
    assert (
        agreed_under(lens(moved), carried("title", "Title", "課長", "課長", lens()), "Title", None) == print_
    )


def test_what_stands_where_a_field_comes_from_is_an_edit_though_we_wrote_there_before() -> None:
    """After an arrow has turned, a value typed over ours on its source side is a person's, and no alteration."""
    sent = pack({"title": Sent(5, None, "課長", 0)})
    held = row("ma", "1", 9, {"title": "部長"}, settled=5, unconfirmed=sent)
    (verdict,) = confirm(held, lens(TO_SALES), now=NOW, lag=1.0).verdicts
    assert verdict.fate == "changed"


@pytest.mark.parametrize("shown", [{}, {"Title": "部長"}])
def test_that_somebody_else_wrote_is_remembered_until_our_value_is_judged(shown: dict[str, str]) -> None:
    """Once we have written to the record again its vendor names us; a value of ours that somebody typed over before,
    seen or with its field not mapped just then, is no vendor's alteration all the same."""
    sent = pack({"Title": Sent(5, None, "課長", 0)})
    held = row("sfa", "7", 9, {"Title": "課長"}, settled=5, unconfirmed=sent)
    edited = record("sfa", "7", {"LastName": "Sato"})
    values = {path: raw for path, raw in edited.values.items() if path != "Title"} | shown
    patch = Patch()
    read = edited._replace(values=values, own=False)
    note([read], {held.ref: held}, reading("sfa", 50), lens(), numbers(), patch)
    (kept,) = patch.puts[RecordRow].values()
    assert isinstance(kept, RecordRow)
    ours = pack({path: each._replace(alone=False) for path, each in waiting(kept).items()})
    back = row("sfa", "7", 9, {"Title": "部長"}, settled=60, own=1, unconfirmed=ours)
    (verdict,) = confirm(back, lens(TO_SALES), now=NOW, lag=1.0).verdicts
    assert verdict.fate == "changed"


@pytest.mark.parametrize("call", ["create", "write"])
def test_a_write_in_doubt_is_settled_though_its_field_has_left_the_mapping(call: str) -> None:
    """Cycles go on, and what the present rules carry is carried. Once the field is back, what we had sent is nobody's
    word against what marketing typed meanwhile, and nothing that the vendor is said to have ignored."""
    with Town() as town:
        town.world = replace(town.world, lens=Lens(_sales_wins(town.world.lens.rules)))
        rules = town.world.lens.rules
        lead = town.lead(email="a@firm.example", lastName="Ito", leadScore=80)
        if call == "write":
            town.open()
        town.edit(lead, title="Buyer")
        town.wait()
        town.strike(SALESFORCE, "lost_after_commit", call)
        town.cycle(first=True)
        assert town.in_doubt == 1
        fewer = tuple(rule for rule in rules.fields if rule.name != "title")
        town.world = replace(town.world, lens=Lens(replace(rules, fields=fewer, reading="fewer")))
        town.edit(lead, lastName="Sato", title="Chief")
        town.wait()
        town.quiet()
        assert town.in_doubt == 0
        town.world = replace(town.world, lens=Lens(rules))
        town.wait()
        town.quiet()
        (there,) = town.having(SALESFORCE, "LastName", "Sato")
        assert (town.value(lead, "title"), town.value(there, "Title")) == ("Chief", "Chief")
        assert [row.reason for row, _work in town.all_work(there) if row.state == IGNORED] == []


def test_what_gave_way_to_a_write_that_never_arrived_is_still_somebodys_edit() -> None:
    """A write over what somebody had typed at sales is in doubt while the rules lose its field; back, and two-way by
    then, the field decides between both edits as if nothing had left."""
    with Town() as town:
        both = _sales_wins(town.world.lens.rules)
        one_way = tuple(
            replace(rule, flow=Flow.TO_SFA) if rule.name == "title" else rule for rule in both.fields
        )
        town.world = replace(town.world, lens=Lens(replace(both, fields=one_way, deciding="one way")))
        lead = town.lead(email="a@firm.example", lastName="Ito", title="Buyer", leadScore=80)
        town.open()
        (there,) = town.live(SALESFORCE)
        town.edit(there, Title="President")
        town.edit(lead, title="Chief")
        town.wait()
        town.strike(SALESFORCE, "dropped_before")
        town.cycle()
        assert town.in_doubt == 1
        fewer = tuple(rule for rule in both.fields if rule.name != "title")
        town.world = replace(town.world, lens=Lens(replace(both, fields=fewer, reading="fewer")))
        town.wait()
        town.quiet()
        town.world = replace(town.world, lens=Lens(both))
        town.wait()
        town.quiet()
        assert (town.value(lead, "title"), town.value(there, "Title")) == ("President", "President")


def _sales_wins(rules: Rules) -> Rules:
    fields = (
        replace(rule, first="sfa", conflict="sfa") if rule.name == "title" else rule for rule in rules.fields
    )
    return replace(rules, fields=tuple(fields))


def test_work_planned_for_an_arrow_is_looked_at_once_the_arrow_has_two_ends() -> None:
    """What was planned one way would leave without a look at its target; under two-way rules it is planned anew, and
    what somebody types there in between is not written over unseen."""
    with Town() as town:
        lead = town.lead(email="a@firm.example", lastName="Ito", title="Buyer", leadScore=80)
        town.open()
        (there,) = town.live(SALESFORCE)
        both = town.world.lens.rules
        one_way = tuple(
            replace(rule, flow=Flow.TO_SFA) if rule.name == "title" else rule for rule in both.fields
        )
        town.world = replace(town.world, lens=Lens(replace(both, fields=one_way, deciding="one way")))
        town.edit(lead, title="Chief")
        town.wait()
        town.cycle(send=False)
        town.world = replace(town.world, lens=Lens(both))
        town.before(SALESFORCE, "fetch", lambda: town.edit(there, Title="President"))
        town.wait()
        town.quiet()
        written = [entry.changes["Title"] for entry in town.api_entries if "Title" in entry.changes]
        assert ("Buyer", "Chief") not in written
