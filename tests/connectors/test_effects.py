"""Effects of both vendors: tasks under a key of ours, lists, and campaigns without a receipt."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sync.errors import RequestRefused
from sync.ports import Write
from sync.record import Ref
from tests.connectors.rigs import MarketoRig, SalesforceRig
from tests.contract.connector_suite import results
from tests.contract.connector_suite_effects import EffectSuite, Works, write

KEY = "Renkei_Key__c"
LIST, CAMPAIGN = "N-01 時期", "Wake"


class Tasks(Works):
    """Tasks for leads."""

    gone = "refused"

    def __init__(self, rig: SalesforceRig) -> None:
        super().__init__(rig)
        self.state = rig.state
        self.leads = [rig.create(rig.person(number)).id for number in range(4)]
        rig.state.human_delete("Lead", self.leads[3])

    def effect(self, number: int) -> Write:
        values = {"WhoId": self.leads[number], "Subject": "Call", KEY: f"hand-over:{number}:1"}
        return write("Task", values, KEY)

    def wrong(self) -> Write:
        return write("Task", {"WhoId": self.leads[2], "Priority": "x" * 300, KEY: "x"}, KEY)

    def done(self, number: int) -> int:
        rows = self.state.tables["Task"].rows.values()
        return sum(row["WhoId"] == self.leads[number] and not row["IsDeleted"] for row in rows)

    def ready(self) -> None:
        self.rig.connector.describe("effect")


class Marketing(Works):
    """What is done at Marketo to four leads."""

    def __init__(self, rig: MarketoRig) -> None:
        super().__init__(rig)
        self.state = rig.state
        self.leads = [rig.create(rig.person(number)).id for number in range(4)]
        rig.state.human_delete(int(self.leads[3]))
        rig.state.add_list(LIST)
        rig.state.add_list("N-02")
        rig.state.add_campaign(CAMPAIGN)

    def ready(self) -> None:
        """The names are looked up before a fault strikes: for somebody who is gone."""
        assert results(self.rig.connector.write("effect", self.effects(3))) == ["gone"]


class Lists(Marketing):
    """Members of a static list."""

    def effect(self, number: int) -> Write:
        return member(self.leads[number])

    def wrong(self) -> Write:
        return member(self.leads[2], name="N-09")

    def done(self, number: int) -> int:
        history = self.state.lists[LIST]
        return sum(str(each.lead) == self.leads[number] for each in history)


class Campaigns(Marketing):
    """Requests of a campaign."""

    harmless = False

    def effect(self, number: int) -> Write:
        return request(self.leads[number])

    def wrong(self) -> Write:
        return request(self.leads[2], name="Sleep")

    def done(self, number: int) -> int:
        return int(self.state.campaigns.counts[CAMPAIGN, int(self.leads[number])])


def member(lead: str, *, name: str = LIST, on: bool = True) -> Write:
    """A lead is to be on a list, or not."""
    return write("ListMember", {"list": name, "lead": lead, "member": on})


def request(lead: str, *, name: str = CAMPAIGN, **tokens: str) -> Write:
    """A campaign is to run for a lead."""
    values = {f"token.my.{token}": value for token, value in tokens.items()}
    return write("CampaignRequest", {"campaign": name, "lead": lead, **values})


@pytest.fixture
def organisation() -> Iterator[SalesforceRig]:
    """A fresh organisation with its connector."""
    rig = SalesforceRig()
    yield rig
    rig.close()


@pytest.fixture
def instance() -> Iterator[MarketoRig]:
    """A fresh instance with its connector."""
    rig = MarketoRig()
    yield rig
    rig.close()


class TestTasks(EffectSuite):
    """The contract, over tasks."""

    @pytest.fixture
    def works(self, organisation: SalesforceRig) -> Tasks:
        """Four leads, one of them deleted."""
        return Tasks(organisation)


class TestLists(EffectSuite):
    """The contract, over list members."""

    @pytest.fixture
    def works(self, instance: MarketoRig) -> Lists:
        """Four leads, one of them deleted, and two lists."""
        return Lists(instance)


class TestCampaigns(EffectSuite):
    """The contract, over requested campaigns."""

    @pytest.fixture
    def works(self, instance: MarketoRig) -> Campaigns:
        """Four leads, one of them deleted, and a campaign."""
        return Campaigns(instance)


# --- tasks -----------------------------------------------------------------------------------------------


def test_a_lost_task_is_found_by_its_key(organisation: SalesforceRig) -> None:
    """After a doubt the key tells which tasks were made, also one that a person has deleted since."""
    works = Tasks(organisation)
    made = organisation.connector.write("effect", works.effects(0, 1))
    organisation.state.human_delete("Task", made[1].id)
    organisation.later()
    asked = [f"hand-over:{number}:1" for number in range(3)]
    found = organisation.connector.find("effect", "Task", KEY, asked, {"Task": (KEY,)})
    assert {(record.values[KEY], record.ref) for record in found} == {
        (asked[number], Ref("one", "Task", made[number].id)) for number in range(2)
    }
    assert KEY in organisation.connector.capabilities.find_paths["Task"]


def test_a_taken_key_is_the_task_itself(organisation: SalesforceRig) -> None:
    """A task that is there already is answered with its id, and stays as it is."""
    works = Tasks(organisation)
    (made,) = organisation.connector.write("effect", works.effects(0))
    again = works.effect(0)._replace(values={**works.effect(0).values, "Subject": "Other"})
    (outcome,) = organisation.connector.write("effect", [again])
    assert (outcome.result, outcome.id) == ("exists", made.id)
    assert organisation.state.tables["Task"].rows[made.id]["Subject"] == "Call"


def test_a_task_for_a_lead_is_about_nothing_else(organisation: SalesforceRig) -> None:
    """The deal is named at a contact's task and left out at a lead's, where the vendor refuses it; each row of a call
    stands for itself."""
    state = organisation.state
    works = Tasks(organisation)
    contact = state.human_create("Contact", {"LastName": "One"})
    deal = state.human_open_deal("Machines", CloseDate="2026-12-31")
    values = works.effect(0).values
    writes = [
        write("Task", {**values, "WhatId": deal}, KEY),
        works.wrong(),
        write("Task", {**values, "WhoId": contact, "WhatId": deal, KEY: "k2"}, KEY),
    ]
    outcomes = organisation.connector.write("effect", writes)
    assert results(outcomes) == ["applied", "refused", "applied"]
    rows = state.tables["Task"].rows
    assert [rows[outcomes[place].id]["WhatId"] for place in (0, 2)] == [None, deal]


def test_the_key_is_described(organisation: SalesforceRig) -> None:
    """Whoever checks a project sees whether the tasks' key is there and unique."""
    (described,) = organisation.connector.describe("effect")
    assert described.fields[KEY].unique
    organisation.state.hide_field("Task", KEY)
    (described,) = organisation.connector.describe("effect")
    assert KEY not in described.fields
    assert not organisation.connector.capabilities.unique_keys["Task"]


# --- lists and campaigns ---------------------------------------------------------------------------------


def test_taking_off_who_is_not_there_is_done(instance: MarketoRig) -> None:
    """Adding and removing in one call are answered in their places; a lead that is gone is said to be gone."""
    works = Lists(instance)
    first, second, third, gone = works.leads
    instance.connector.write("effect", [member(first), member(second)])
    outcomes = instance.connector.write(
        "effect",
        [
            member(first, on=False),
            member(third, on=False),
            member(gone),
            member(third),
            member(gone, on=False),
        ],
    )
    assert results(outcomes) == ["applied", "applied", "gone", "applied", "gone"]
    assert works.state.members(LIST) == {int(second), int(third)}


def test_a_lead_that_goes_both_ways_does_so_in_order(instance: MarketoRig) -> None:
    """The last word of a call stands."""
    works = Lists(instance)
    first, second = works.leads[:2]
    moves = [member(first), member(second, on=False), member(first, on=False), member(second)]
    assert results(instance.connector.write("effect", moves)) == ["applied"] * 4
    assert works.state.members(LIST) == {int(second)}


def test_lists_are_looked_up_once(instance: MarketoRig) -> None:
    """A name becomes an id at its first use; each list is one call; an id may stand for a name."""
    works = Lists(instance)
    number = instance.state.static.named("N-02").id
    writes = [*works.effects(0, 1), *(member(lead, name="N-02") for lead in works.leads[:2])]
    assert results(instance.connector.write("effect", writes)) == ["applied"] * 4
    assert instance.state.calls["lists"] == 2
    assert results(instance.connector.write("effect", works.effects(2))) == ["applied"]
    assert instance.state.calls["lists"] == 2
    assert results(instance.connector.write("effect", [member(works.leads[2], name=str(number))])) == [
        "applied"
    ]
    assert len(works.state.members("N-02")) == 3


def test_an_unknown_list_says_what_to_do(instance: MarketoRig) -> None:
    """A list that is not there refuses its own effects, and counts as soon as somebody has made it."""
    works = Lists(instance)
    outcomes = instance.connector.write(
        "effect", [works.wrong(), works.effect(0), write("ListMember", {"list": LIST})]
    )
    assert results(outcomes) == ["refused", "applied", "refused"]
    assert "create the list" in outcomes[0].errors[0].message
    assert outcomes[2].errors[0].path == "lead"
    instance.state.add_list("N-09")
    assert results(instance.connector.write("effect", [works.wrong()])) == ["applied"]


def test_more_members_than_a_call_takes(instance: MarketoRig) -> None:
    """300 leads go in one call."""
    instance.state.add_list(LIST)
    leads = [instance.create(instance.person(number)).id for number in range(350)]
    assert results(instance.connector.write("effect", [member(lead) for lead in leads])) == ["applied"] * 350
    assert len(instance.state.members(LIST)) == 350
    assert (
        results(instance.connector.write("effect", [member(lead, on=False) for lead in leads]))
        == ["applied"] * 350
    )
    assert instance.state.members(LIST) == set()


def test_a_campaign_runs_with_the_tokens_of_each(instance: MarketoRig) -> None:
    """Leads with the same tokens are requested together, 100 a call, and none twice in one request."""
    instance.state.add_campaign(CAMPAIGN)
    leads = [instance.create(instance.person(number)).id for number in range(150)]
    writes = [request(lead, stage="Lost") for lead in leads] + [request(leads[0], stage="Won")] * 2
    assert results(instance.connector.write("effect", writes)) == ["applied"] * 152
    assert instance.state.campaigns.counts[CAMPAIGN, int(leads[0])] == 3
    assert instance.state.calls["request campaign"] == 4
    assert instance.state.campaigns.runs[-1].tokens == {"{{my.stage}}": "Won"}


def test_one_missing_lead_refuses_a_request_and_runs_nobody(instance: MarketoRig) -> None:
    """The vendor refuses the whole request; whoever halves it finds out who is gone."""
    works = Campaigns(instance)
    with pytest.raises(RequestRefused) as caught:
        instance.connector.write("effect", works.effects(0, 3))
    assert caught.value.code == "1004"
    assert works.done(0) == 0


def test_a_campaign_that_cannot_be_requested_says_what_to_do(instance: MarketoRig) -> None:
    """A switched-off campaign refuses everybody with the next step."""
    works = Campaigns(instance)
    instance.state.add_campaign("Idle", active=False)
    outcomes = instance.connector.write("effect", [request(lead, name="Idle") for lead in works.leads[:2]])
    assert results(outcomes) == ["refused", "refused"]
    assert "activate" in outcomes[0].errors[0].message


def test_lists_and_campaigns_are_described_by_name(instance: MarketoRig) -> None:
    """Whoever checks a project sees which names there are; only campaigns that run on request count."""
    Campaigns(instance)
    instance.state.add_campaign("Idle", active=False)
    instance.state.add_campaign("Batch", "batch")
    described = {schema.object: schema.fields for schema in instance.connector.describe("effect")}
    assert described["ListMember"]["list"].picklist == (LIST, "N-02")
    assert described["CampaignRequest"]["campaign"].picklist == (CAMPAIGN,)
    assert set(described["ListMember"]) == {"list", "lead", "member"}
