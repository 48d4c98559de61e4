"""The parts of the verdict over flows: crossings, lives, stays, closings, and single stories."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from simulators.clock import ManualClock
from simulators.history import OPT_OUTS
from simulators.ledger import Entry, Verb
from simulators.stage import Settings, Stage
from simulators.verdict_flows import FlowVerdict, crossings
from simulators.verdict_past import FOREVER, Life, Past, stays
from simulators.verdict_returns import closings
from simulators.verdict_scene import Flows
from simulators.world import Mix

HOUR, DAY = 3600.0, 86_400.0
START = 1_795_305_600.0


def _life(*changes: tuple[float, Verb, Mapping[str, tuple[object, object]]]) -> Life:
    ledger = [
        Entry(number, time, "human", verb, "Opportunity", "006", change)
        for number, (time, verb, change) in enumerate(changes, 1)
    ]
    return Past(ledger).lives["Opportunity", "006"]


@pytest.mark.parametrize(
    ("scores", "dwell", "spans"),
    [
        ((55, 62, 71, 69, 66, 61, 58, 72, 90, 40), 0, [(2, 6), (7, 9)]),
        ((55, 71, 40, 90, 40, 40), 3, [(1, 4)]),
        ((71, 40), 50, [(0, FOREVER)]),
        ((69, 59, 60), 0, []),
        ((70,), 0, [(0, FOREVER)]),
    ],
)
def test_crossings(scores: tuple[int, ...], dwell: float, spans: list[tuple[float, float]]) -> None:
    """In at 70, out below 60 but not before the dwell time is over; a rise within it is no second crossing."""
    found = crossings(enumerate(scores), 70, 60, dwell, now=len(scores))
    assert [(crossing.start, crossing.end) for crossing in found] == spans


def test_what_was_never_announced_does_not_dwell() -> None:
    """Who was hot before the first sync ended, cooled down and is hot again has crossed again, whatever the dwell."""
    scores = enumerate((80, 50, 75, 50, 75))
    found = crossings(scores, 70, 60, 50, now=5, since=1)
    assert [(crossing.start, crossing.end) for crossing in found] == [(0, 1), (2, FOREVER)]


def test_a_life_remembers_what_it_was() -> None:
    """Values at a moment and during a time; gone while deleted; restored with what it had."""
    life = _life(
        (1, "create", {"Amount": (None, 5)}),
        (3, "update", {"Amount": (5, 7)}),
        (5, "delete", {"IsDeleted": (False, True)}),
        (7, "restore", {"IsDeleted": (True, False)}),
    )
    assert [(life.at(t) or {}).get("Amount") for t in (0, 1, 2, 3, 5, 8)] == [None, 5, 5, 7, None, 7]
    assert life.made_by == "human"
    assert life.ever(1, 4, lambda row: row["Amount"] == 7)
    assert not life.always(1, 4, lambda row: row["Amount"] == 7)
    assert life.always(3, 4, lambda row: row["Amount"] == 7)
    assert not life.always(3, 6, lambda row: row["Amount"] == 7)


def test_closings_are_counted_by_their_flags() -> None:
    """Lost is closed and not won; reopened, won or deleted ends it; an edit meanwhile begins nothing."""
    lost: dict[str, tuple[object, object]] = {"IsClosed": (False, True)}
    life = _life(
        (1, "create", {"Name": (None, "x")}),
        (2, "update", lost),
        (3, "update", {"Loss_Reason__c": (None, "Timing")}),
        (4, "update", {"IsClosed": (True, False)}),
        (5, "update", {"IsClosed": (False, True), "IsWon": (False, True)}),
        (6, "update", {"IsWon": (True, False)}),
        (8, "delete", {"IsDeleted": (False, True)}),
    )
    spans = [(closing.number, closing.start, closing.end) for closing in closings(life)]
    assert spans == [(1, 2, 4), (2, 6, 8)]


def test_stays_are_read_from_changes_of_a_list() -> None:
    """Added and removed make a stay; the last one is open; who entered whom is told."""
    changes = [(1.0, 7, "added", "api"), (2.0, 8, "added", "human"), (3.0, 7, "removed", "api")]
    found = stays({"N": [*changes, (5.0, 7, "added", "api")]})
    assert [(stay.record, stay.start, stay.end, stay.by) for stay in found] == [
        ("7", 1.0, 3.0, "api"), ("8", 2.0, FOREVER, "human"), ("7", 5.0, FOREVER, "api"),
    ]  # fmt: skip


class Story:
    """One person on both sides with one account, all quiet; `since` is when the first sync ended."""

    def __init__(self) -> None:
        self.clock = ManualClock(START)
        mix = Mix(role=0.0, opted_out=0.0, spoilt=0.0, contacts=1.0)
        settings = Settings(persons=2, overlap=1.0, seed=1, mix=mix, lists=("N-01", "N-04", "R-01"))
        self.stage = Stage(settings, self.clock)
        self.ma, self.sfa = self.stage.marketo.state, self.stage.salesforce.state
        where = self.stage.world.truth[0]
        assert where.marketo is not None
        assert where.salesforce is not None
        self.lead, self.contact = where.marketo, where.salesforce
        self.account = self.sfa.tables["Contact"].rows[self.contact]["AccountId"]
        self.score(-200)
        self.clock.advance(HOUR)
        self.since = self.clock.now()
        self.clock.advance(HOUR)

    def score(self, change: int) -> None:
        """Let the score rise or fall."""
        self.ma.human_score(self.lead, change)

    def deal(self, **more: Any) -> str:
        """Open a deal of the person at the account."""
        people = [(self.contact, "Evaluator", True)]
        return self.sfa.human_open_deal("Machines", account=self.account, people=people, Amount=1000, **more)

    def enlist(self, name: str, *, member: bool = True) -> None:
        """Put the person on a list, or take them off, by API."""
        key = self.ma.static.named(name).id
        (self.ma.add_to_list if member else self.ma.remove_from_list)(key, [self.lead])

    def verdict(self, hours: float, **more: Any) -> FlowVerdict:
        """Let time pass and judge."""
        self.clock.advance(hours * HOUR)
        routes = {"Timing": "N-01", "Competitor": "N-04", "Bad fit": None}
        flows = Flows(since=self.since, routes=routes, reject_routes={"Timing": "R-01", "": "R-01"}, **more)
        return self.stage.flows(flows)


def _kinds(verdict: FlowVerdict) -> set[str]:
    return {offence.kind for offence in verdict.offences}


def test_a_crossing_wants_one_task() -> None:
    """No task is missed, one is right, two are one too many, and one after the fall is without a ground."""
    story = Story()
    before = int(str(story.ma.leads[story.lead].values["leadScore"]))
    story.score(75 - before)
    assert _kinds(story.verdict(1)) == {"missed hand-over"}
    story.sfa.create("Task", [{"WhoId": story.contact}])
    assert _kinds(story.verdict(1)) == set()
    story.sfa.create("Task", [{"WhoId": story.contact}])
    assert _kinds(story.verdict(1)) == {"double hand-over"}
    story.score(-50)
    story.clock.advance(2 * DAY)
    story.sfa.create("Task", [{"WhoId": story.contact}])
    assert _kinds(story.verdict(1)) == {"double hand-over", "hand-over without a crossing"}


def test_nobody_excluded_is_handed_over() -> None:
    """Who has opted out needs no task and must not have one; what people write counts for nothing."""
    story = Story()
    story.ma.human_edit(story.lead, {"unsubscribed": True})
    story.clock.advance(HOUR)
    story.score(300)
    assert _kinds(story.verdict(1)) == set()
    story.sfa.human_create("Task", {"WhoId": story.contact})
    assert _kinds(story.verdict(1)) == set()
    story.sfa.create("Task", [{"WhoId": story.contact}])
    assert _kinds(story.verdict(1)) == {"hand-over of somebody excluded"}


def test_a_merge_is_no_crossing() -> None:
    """Scores are summed when records merge; a task because of that is one without a crossing."""
    story = Story()
    before = int(str(story.ma.leads[story.lead].values["leadScore"]))
    story.score(40 - before)
    double = story.ma.human_create({"email": "double@mail.example", "lastName": "x", "leadScore": 40})
    story.clock.advance(HOUR)
    story.ma.human_merge(story.lead, [double])
    assert int(str(story.ma.leads[story.lead].values["leadScore"])) == 80
    assert _kinds(story.verdict(1)) == set()
    story.sfa.create("Task", [{"WhoId": story.contact}])
    assert _kinds(story.verdict(1)) == {"hand-over without a crossing"}


def test_a_lost_deal_wants_one_return() -> None:
    """Missing after the wait, right on the reason's list, wrong on another, double when taken off and put on again."""
    story = Story()
    deal = story.deal()
    story.sfa.human_lose(deal, "Timing")
    assert _kinds(story.verdict(23)) == set()
    assert _kinds(story.verdict(3)) == {"missing return"}
    story.enlist("N-04")
    assert _kinds(story.verdict(1)) == {"missing return", "wrong list"}
    story.enlist("N-01")
    assert _kinds(story.verdict(1)) == {"wrong list"}
    story.enlist("N-01", member=False)
    story.enlist("N-01")
    assert _kinds(story.verdict(1)) == {"wrong list", "double return"}


def test_reopening_within_the_wait_leaves_no_trace() -> None:
    """A deal that is open again before the wait is over returns nobody; who was returned early is found."""
    story = Story()
    deal = story.deal()
    story.sfa.human_lose(deal, "Timing")
    story.clock.advance(20 * HOUR)
    story.sfa.human_reopen(deal)
    assert _kinds(story.verdict(30)) == set()
    story.enlist("N-01")
    assert _kinds(story.verdict(1)) == {"return without a closing"}


def test_reopening_later_takes_people_off_the_list() -> None:
    """After a return a reopened deal must free its people; the second closing is one of its own."""
    story = Story()
    deal = story.deal()
    story.sfa.human_lose(deal, "Timing")
    story.clock.advance(25 * HOUR)
    story.enlist("N-01")
    story.clock.advance(HOUR)
    story.sfa.human_reopen(deal)
    assert _kinds(story.verdict(1)) == {"left in nurture"}
    story.enlist("N-01", member=False)
    assert _kinds(story.verdict(1)) == set()
    story.sfa.human_lose(deal, "Competitor")
    assert _kinds(story.verdict(26)) == {"missing return"}
    story.enlist("N-04")
    verdict = story.verdict(1)
    assert _kinds(verdict) == set()
    assert verdict.counts["closings"] == 2


@pytest.mark.parametrize(
    "why", ["another open deal", "customer", "opted out", "bounced", "competitor", "no route"]
)
def test_exclusions_excuse_and_forbid(why: str) -> None:
    """Whoever is excluded need not return and must not."""
    story = Story()
    deal, more = story.deal(), dict[str, Any]()
    match why:
        case "another open deal":
            story.deal()
        case "customer":
            story.sfa.human_edit("Account", story.account, {"Type": "Customer - Direct"})
        case "opted out":
            story.sfa.human_edit("Contact", story.contact, {"HasOptedOutOfEmail": True})
        case "bounced":
            story.sfa.human_bounce("Contact", story.contact)
        case "competitor":
            more["competitor"] = [story.stage.world.persons[0].email.rpartition("@")[2]]
        case _:
            assert why == "no route"
    story.sfa.human_lose(deal, "Bad fit" if why == "no route" else "Timing")
    assert _kinds(story.verdict(30, **more)) == set()
    story.enlist("N-01")
    expected = "wrong list" if why == "no route" else "return of somebody excluded"
    assert _kinds(story.verdict(1, **more)) == {expected}


def test_what_stands_at_one_account_only_excuses_and_does_not_forbid() -> None:
    """A person of another account, or with a deal of their own elsewhere, may return and need not."""
    story = Story()
    elsewhere = story.sfa.human_create("Account", {"Name": "Elsewhere"})
    people = [(story.contact, "Evaluator", True)]
    deal = story.sfa.human_open_deal("Abroad", account=elsewhere, people=people)
    story.sfa.human_open_deal("Next door", account=elsewhere)
    story.deal()
    story.sfa.human_lose(deal, "Timing")
    assert _kinds(story.verdict(30)) == set()
    story.enlist("N-01")
    assert _kinds(story.verdict(1)) == set()


def test_any_of_the_opt_outs_that_count_shuts_out() -> None:
    """With a second box a person who ticked that one need not return, and must not."""
    story = Story()
    deal = story.deal()
    story.sfa.human_edit("Contact", story.contact, {"Opt_Out_Seminar__c": True})
    story.sfa.human_lose(deal, "Timing")
    assert _kinds(story.verdict(30)) == {"missing return"}
    assert _kinds(story.verdict(0, opt_outs=OPT_OUTS)) == set()
    story.enlist("N-01")
    assert _kinds(story.verdict(1, opt_outs=OPT_OUTS)) == {"return of somebody excluded"}


def test_what_was_lost_again_at_once_need_not_have_been_seen_open() -> None:
    """Reopened and lost within the slack looks like one long closing: the second one wants no return of its own."""
    story = Story()
    deal = story.deal()
    story.sfa.human_lose(deal, "Timing")
    story.since = story.clock.now() + HOUR
    story.clock.advance(2 * HOUR)
    story.sfa.human_reopen(deal)
    story.clock.advance(30)
    story.sfa.human_lose(deal, "Timing")
    assert _kinds(story.verdict(30)) == set()


def test_a_task_about_a_deal_alone_is_a_reminder() -> None:
    """It names nobody and needs no crossing; it is counted apart."""
    story = Story()
    story.sfa.create("Task", [{"WhatId": story.deal(), "Subject": "A reason is missing"}])
    verdict = story.verdict(1)
    assert _kinds(verdict) == set()
    assert (verdict.counts["reminders"], verdict.counts["tasks"]) == (1, 0)


def test_a_blank_reason_waits_and_an_unknown_one_for_ever() -> None:
    """Without a reason the default list is due some days after its owner was reminded, at once when it is filled in; an
    unrouted one waits."""
    story = Story()
    deal = story.deal()
    story.sfa.human_lose(deal)
    asked: dict[str, Any] = {"blank_after": 7 * DAY, "blank_list": "N-01"}
    assert _kinds(story.verdict(180, **asked)) == set()
    assert _kinds(story.verdict(20, **asked)) == {"missing return"}
    story.enlist("N-01")
    assert _kinds(story.verdict(1, **asked)) == set()
    other = story.deal()
    story.sfa.human_lose(other, "Something else")
    assert _kinds(story.verdict(400, **asked)) == set()
    third = story.deal()
    story.sfa.human_lose(third)
    story.clock.advance(3 * DAY)
    story.sfa.human_edit("Opportunity", third, {"Loss_Reason__c": "Competitor"})
    assert _kinds(story.verdict(1, **asked)) == {"missing return"}


def test_what_was_lost_before_the_first_sync_returns_nobody() -> None:
    """A deal that was lost already then is known, and a return because of it is without a closing."""
    story = Story()
    deal = story.deal()
    story.sfa.human_lose(deal, "Timing")
    story.clock.advance(HOUR)
    story.since = story.clock.now()
    assert _kinds(story.verdict(60)) == set()
    story.enlist("N-01")
    assert _kinds(story.verdict(1)) == {"return without a closing"}


def test_roles_decide_who_returns() -> None:
    """Only the asked roles and the primary one; without any role the person whose lead became the deal."""
    story = Story()
    deal = story.sfa.human_open_deal("Machines", people=[(story.contact, "Other")])
    story.sfa.human_lose(deal, "Timing")
    assert _kinds(story.verdict(30, roles=frozenset({"Evaluator"}))) == set()
    assert _kinds(story.verdict(1, roles=frozenset({"Other"}))) == {"missing return"}


def test_a_rejected_lead_returns_by_its_reason() -> None:
    """A rejection wants the reason's list once; a lead that nobody works on may be returned, and need not be."""
    story = Story()
    story.sfa.human_delete("Contact", story.contact)
    person = story.stage.world.persons[0]
    lead = story.sfa.human_create("Lead", {"LastName": person.family, "Company": "x", "Email": person.email})
    story.clock.advance(HOUR)
    story.sfa.human_reject(lead, "Timing")
    assert _kinds(story.verdict(1)) == {"missing return"}
    story.enlist("R-01")
    assert _kinds(story.verdict(1)) == set()
    story.sfa.human_edit("Lead", lead, {"Status": "Open - Not Contacted"})
    story.clock.advance(HOUR)
    story.enlist("N-04")
    assert _kinds(story.verdict(1, unworked_list="N-04")) == {"return without a closing"}
    story.enlist("N-04", member=False)
    story.clock.advance(10 * DAY)
    story.enlist("N-04")
    assert "missing return" not in _kinds(story.verdict(1, unworked_list="N-04"))


def test_won_amounts_are_compared_to_the_yen() -> None:
    """The person's total is the sum of the won deals in the project's currency, nothing else."""
    story = Story()
    first, second = story.deal(), story.deal()
    story.sfa.human_win(first, 1000)
    story.sfa.human_win(second, 10.25, currency="USD")
    rates = {"USD": Decimal("150.1")}
    assert _kinds(story.verdict(1, rates=rates)) == {"won amount differs"}
    story.ma.sync_leads("updateOnly", "id", [{"id": story.lead, "wonTotalJPY": 1000 + 1539}])
    assert _kinds(story.verdict(1, rates=rates)) == set()
    story.sfa.human_lose(second, "Bad fit")
    assert _kinds(story.verdict(1, rates=rates)) == {"won amount differs"}


def test_an_opt_out_taken_back_is_found() -> None:
    """True to false by API is an offence on either side, by a person it is none."""
    story = Story()
    story.ma.human_edit(story.lead, {"unsubscribed": True})
    story.ma.human_edit(story.lead, {"unsubscribed": False})
    assert _kinds(story.verdict(1)) == set()
    story.sfa.human_edit("Contact", story.contact, {"HasOptedOutOfEmail": True})
    story.sfa.update("Contact", [{"Id": story.contact, "HasOptedOutOfEmail": False}])
    assert _kinds(story.verdict(1)) == {"withdrawn opt-out"}


def test_a_second_account_of_an_office_is_found() -> None:
    """Number and site tell offices apart; a blank site is the head office; branches and merged ones are no doubles."""
    story = Story()
    number = {"Name": "Acme", "Corp_No__c": "9000012345678"}
    first = story.sfa.human_create("Account", number)
    story.clock.advance(HOUR)
    story.sfa.create("Account", [number | {"Site": "大阪支店"}])
    assert _kinds(story.verdict(1)) == set()
    (double,) = story.sfa.create("Account", [number | {"Site": "本社"}])
    assert _kinds(story.verdict(1)) == {"duplicate account"}
    other = Story()
    other.sfa.human_delete("Account", other.sfa.human_create("Account", number))
    other.sfa.create("Account", [number])
    row = {"externalCompanyId": "C1", "company": "Acme", "corpNo": "9000012345678"}
    other.ma.sync_companies("createOnly", "dedupeFields", [row])
    assert _kinds(other.verdict(1)) == set()
    other.ma.sync_companies("createOnly", "dedupeFields", [row | {"externalCompanyId": "C2"}])
    assert _kinds(other.verdict(1)) == {"duplicate account"}
    assert first != double.id


def test_a_raised_hand_is_a_ground() -> None:
    """With a field for raised hands a task is right when it is ticked, and one too many for the same tick."""
    story = Story()
    story.ma.add_field("demoAsked", "boolean")
    story.ma.human_edit(story.lead, {"demoAsked": True})
    assert _kinds(story.verdict(1, raise_field="demoAsked")) == set()
    story.sfa.create("Task", [{"WhoId": story.contact}])
    assert _kinds(story.verdict(1, raise_field="demoAsked")) == set()
    assert _kinds(story.verdict(0)) == {"hand-over without a crossing"}
    story.sfa.create("Task", [{"WhoId": story.contact}])
    assert _kinds(story.verdict(1, raise_field="demoAsked")) == {"double hand-over"}
