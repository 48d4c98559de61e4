"""Deals with their roles, accounts, and owners by address."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from simulators.salesforce.human_deals import Part
from sync.errors import RequestRefused
from sync.ports import Write
from sync.record import LifeEvent, Ref
from tests.connectors.rigs import AccountRig, DealRig
from tests.contract.connector_suite import quiet, read_all, results, update

ROLE = "OpportunityContactRole"


@pytest.fixture
def deals() -> Iterator[DealRig]:
    """A fresh organisation, asked for deals."""
    rig = DealRig()
    yield rig
    rig.close()


@pytest.fixture
def accounts() -> Iterator[AccountRig]:
    """A fresh organisation, asked for accounts."""
    rig = AccountRig()
    yield rig
    rig.close()


def contact(rig: DealRig, name: str) -> str:
    """A person at the customer's."""
    return str(rig.state.human_create("Contact", {"LastName": name}))


def deal_of(rig: DealRig, *people: str) -> Ref:
    """A deal in which people take part as evaluators."""
    parts = [Part(person, "Evaluator") for person in people]
    return rig.ref(rig.state.human_open_deal("Machines", people=parts, CloseDate="2026-12-31"))


def roles(rig: DealRig) -> list[Ref]:
    """All roles that there ever were, oldest first."""
    return [rig.ref(key, ROLE) for key in sorted(rig.state.tables[ROLE].rows)]


def test_roles_are_read_beside_their_deals(deals: DealRig) -> None:
    """Everything lists deals and roles, each role with the deal and the person that it names."""
    people = [contact(deals, name) for name in ("One", "Two")]
    deal = deal_of(deals, *people)
    deals.later()
    found = read_all(deals)
    listed = {ref: record.values for ref, record in found.records.items() if ref.object == ROLE}
    assert {(values["OpportunityId"], values["ContactId"], values["Role"]) for values in listed.values()} == {
        (deal.id, person, "Evaluator") for person in people
    }
    assert deal in found.records


def test_a_role_changes_without_its_deal(deals: DealRig) -> None:
    """A changed, new or removed role is seen though the deal stays as it is; both have a place of their own."""
    one, two = contact(deals, "One"), contact(deals, "Two")
    deal = deal_of(deals, one)
    (first,) = roles(deals)
    cursor = quiet(deals)
    deals.state.human_edit(ROLE, first.id, {"Role": "Decision Maker"})
    second = deals.ref(deals.state.human_role(deal.id, two, "Influencer"), ROLE)
    deals.later()
    found = read_all(deals, cursor)
    assert set(found.records) == {first, second}
    assert found.records[first].values["Role"] == "Decision Maker"
    deals.state.human_unrole(second.id)
    deals.later()
    gone = read_all(deals, found.cursor)
    assert gone.events == [LifeEvent("deleted", second)]
    assert gone.listed == []


def test_a_deleted_deal_takes_its_roles_along(deals: DealRig) -> None:
    """The events name the deal and each of its roles; restored, they are listed again."""
    deal = deal_of(deals, contact(deals, "One"), contact(deals, "Two"))
    gone = {deal, *roles(deals)}
    cursor = quiet(deals)
    deals.state.human_delete("Opportunity", deal.id)
    deals.later()
    found = read_all(deals, cursor)
    assert {(event.kind, event.ref) for event in found.events} == {("deleted", ref) for ref in gone}
    assert found.listed == []
    deals.state.human_undelete("Opportunity", deal.id)
    deals.later()
    assert set(read_all(deals, found.cursor).records) == gone


def test_a_role_deleted_for_good_is_found_by_the_sweep(deals: DealRig) -> None:
    """What left no row behind stands in the log of deletions."""
    deal_of(deals, contact(deals, "One"))
    (role,) = roles(deals)
    quiet(deals)
    deals.state.human_hard_delete(ROLE, role.id)
    deals.later()
    swept = deals.connector.changes("opportunity", None, deals.paths, back=600.0, keys_only=True)
    assert LifeEvent("deleted", role) in [event for page in swept for event in page.events]


def test_deals_are_described_with_their_roles(deals: DealRig) -> None:
    """Both objects have a schema; the stage that is closed or won is read only."""
    described = {schema.object: schema.fields for schema in deals.connector.describe("opportunity")}
    assert set(described) == {"Opportunity", ROLE}
    assert not described["Opportunity"]["IsWon"].updateable
    assert described["Opportunity"]["StageName"].updateable


def test_a_path_that_the_organisation_lacks_is_named(deals: DealRig) -> None:
    """An organisation with one currency has no currency field: the schema does not show it, and reading says so."""
    deals.state.hide_field("Opportunity", "CurrencyIsoCode")
    described = {schema.object: schema.fields for schema in deals.connector.describe("opportunity")}
    assert "CurrencyIsoCode" not in described["Opportunity"]
    paths = {"Opportunity": ("Name", "CurrencyIsoCode")}
    ref = deals.create(deals.person(1))
    for ask in (
        lambda: list(deals.connector.changes("opportunity", None, paths)),
        lambda: deals.connector.fetch("opportunity", [ref], paths),
        lambda: deals.connector.find("opportunity", "Opportunity", "Name", ["Last1"], paths),
    ):
        with pytest.raises(RequestRefused, match="CurrencyIsoCode") as caught:
            ask()
        assert "mapping" in caught.value.next_step


def test_a_merged_account_names_its_survivor(accounts: AccountRig) -> None:
    """The loser's event leads to the winner; people and deals that moved are changes of their own."""
    kept, gone = (accounts.create(accounts.person(number)) for number in range(2))
    person = accounts.state.human_create("Contact", {"LastName": "One", "AccountId": gone.id})
    cursor = quiet(accounts)
    accounts.merge(kept, gone)
    accounts.later()
    found = read_all(accounts, cursor)
    assert found.events == [LifeEvent("merged", gone, kept)]
    contacts = accounts.connector.changes("person", None, {"Contact": ("AccountId",)})
    moved = {record.ref.id: record.values["AccountId"] for page in contacts for record in page.records}
    assert moved == {person: kept.id}


# --- owners ----------------------------------------------------------------------------------------------


def staff(rig: AccountRig, mailbox: str, *, active: bool = True) -> str:
    """A user of the organisation."""
    made: str = rig.state.human_staff("Ken", mailbox.title(), f"{mailbox}@sales.example", active=active)
    return made


def owned(ref: Ref, mailbox: str | None) -> Write:
    """A record is to belong to somebody."""
    return update(ref, **{"Owner.Email": mailbox and f"{mailbox}@sales.example"})


def test_an_address_becomes_an_owner(accounts: AccountRig) -> None:
    """Writing the owner's address gives the record to the active user, whatever the letter case; it reads back."""
    mori, ito = staff(accounts, "mori"), staff(accounts, "ito")
    first, second = (accounts.create(accounts.person(number)) for number in range(2))
    made = accounts.connector.write("account", [owned(first, "MORI"), owned(second, "ito")])
    assert results(made) == ["applied", "applied"]
    assert [accounts.stored(ref, "OwnerId") for ref in (first, second)] == [mori, ito]
    (record, _) = accounts.connector.fetch("account", [first, second], accounts.paths)
    assert record is not None
    assert record.values["Owner.Email"] == "mori@sales.example"


def test_addresses_are_looked_up_together_and_remembered(accounts: AccountRig) -> None:
    """Many writes ask once; the next ones ask nothing, until a while has passed."""
    for mailbox in ("mori", "ito"):
        staff(accounts, mailbox)
    refs = [accounts.create(accounts.person(number)) for number in range(20)]
    writes = [owned(ref, ("mori", "ito")[place % 2]) for place, ref in enumerate(refs)]
    for waits, queries in ((0.0, 1), (0.0, 1), (1_000.0, 2)):
        accounts.clock.advance(waits)
        assert results(accounts.connector.write("account", writes)) == ["applied"] * 20
        assert sum(call.label == "query" for call in accounts.log) == queries


@pytest.mark.parametrize(
    ("mailbox", "code"),
    [
        ("nobody", "unknown_owner"), ("left", "inactive_owner"), ("twin", "several_owners"), (None, "no_owner"),
    ],
)  # fmt: skip
def test_an_address_that_means_nobody_refuses_the_owner_alone(
    accounts: AccountRig, mailbox: str | None, code: str
) -> None:
    """Only the owner's field of that one record is refused, with a sentence; the rows around it are applied."""
    staff(accounts, "mori")
    staff(accounts, "left", active=False)
    for name in ("twin", "pair"):
        user = staff(accounts, name)
    accounts.state.human_edit("User", user, {"Email": "twin@sales.example"})
    first, second = (accounts.create(accounts.person(number)) for number in range(2))
    write = owned(first, mailbox)._replace(values={**owned(first, mailbox).values, "Name": "New"})
    refused, applied = accounts.connector.write("account", [write, owned(second, "mori")])
    assert (refused.result, applied.result) == ("refused", "applied")
    assert [(error.path, error.code) for error in refused.errors] == [("Owner.Email", code)]
    assert accounts.stored(first, "Name") == "Last0"


def test_an_owner_who_has_left_since_is_asked_for_anew(accounts: AccountRig) -> None:
    """The vendor's refusal of an id falls on the address, and the next write looks the address up again."""
    mori = staff(accounts, "mori")
    rows = {"Subject": "Call", "Owner.Email": "mori@sales.example"}
    tasks = [
        Write(1, Ref("one", "Task", ""), {**rows, "Renkei_Key__c": f"k{number}"}, "Renkei_Key__c")
        for number in range(3)
    ]
    assert results(accounts.connector.write("effect", tasks[:1])) == ["applied"]
    accounts.state.human_leave(mori)
    (refused,) = accounts.connector.write("effect", tasks[1:2])
    assert [(error.path, error.code) for error in refused.errors] == [
        ("Owner.Email", "INACTIVE_OWNER_OR_USER")
    ]
    (refused,) = accounts.connector.write("effect", tasks[2:])
    assert [(error.path, error.code) for error in refused.errors] == [("Owner.Email", "inactive_owner")]


def test_the_owners_address_is_described_as_writable(accounts: AccountRig) -> None:
    """Of the owner's fields the address alone may be written, wherever there is an owner."""
    for kind in ("person", "account", "opportunity", "effect"):
        for schema in accounts.connector.describe(kind):
            writable = {path for path, field in schema.fields.items() if "." in path and field.updateable}
            assert writable == (set() if schema.object == ROLE else {"Owner.Email"})
            assert ("Owner.Name" in schema.fields) is (schema.object != ROLE)


def test_what_the_flows_need_is_asked_for(accounts: AccountRig) -> None:
    """Each kind that a project uses adds its questions; a task without a unique key of ours is said with the remedy."""
    everything = ("person", "account", "opportunity", "effect")
    assert all(check.ok for check in accounts.connector.probe(everything))
    accounts.state.hide_field("Task", "Renkei_Key__c")
    accounts.connector.describe("effect")
    wrong = [check for check in accounts.connector.probe(everything) if not check.ok]
    assert [check.name for check in wrong] == ["key of Task"]
    assert "external id" in wrong[0].detail
    assert not any("Task" in check.name for check in accounts.connector.probe())
