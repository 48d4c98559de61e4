"""References: a person's firm goes across as the firm's counterpart, when there is one."""

from __future__ import annotations

from sync.record import Raw, Ref, Side
from sync.rows import HoldRow, RecordRow
from sync.rules import CreateRule, always
from tests.support.firms import Street


def employee(street: Street, firm: Ref, name: str = "ada") -> Ref:
    """Somebody at sales who works for a firm."""
    return street.person(Side.SFA, Email=f"{name}@x.example", LastName=name, AccountId=firm.id)


def lead(street: Street, name: str = "ada") -> dict[str, Raw]:
    """The person at the marketing side."""
    found = [dict(each.values) for each in street.ma._records.values()]
    (one,) = [values for values in found if values["email"] == f"{name}@x.example"]
    return one


def holds(street: Street, ref: Ref) -> list[HoldRow]:
    """What waits for a person's record."""
    (row,) = street.store.get(RecordRow, [ref])
    return street.store.holds_of([row.entity])


def rounds(street: Street, count: int = 3) -> None:
    """Some rounds of both routes."""
    for _ in range(count):
        street.round()


def test_a_person_is_created_with_the_counterpart_of_the_firm() -> None:
    """Both sides know the firm: the company's id goes into the new lead."""
    street = Street()
    company = street.firm(Side.MA, company="Acme")
    account = street.firm(Side.SFA, Name="Acme", Key__c=company.id)
    employee(street, account)
    rounds(street)
    assert lead(street)["title"] == company.id
    assert street.round().delivered.sent == {}


def test_a_create_goes_without_and_the_reference_follows() -> None:
    """The firm is linked later: the lead is there at once, the field is listed as waiting and comes by itself."""
    street = Street()
    account = street.firm(Side.SFA, Name="Acme", Key__c="")
    ref = employee(street, account)
    rounds(street)
    assert "title" not in lead(street)
    assert [(hold.field, hold.kind) for hold in holds(street, ref)] == [("firm", "reference")]
    company = street.firm(Side.MA, company="Acme")
    street.firms[Side.SFA].edit(account, {"Key__c": company.id})
    street.round()
    assert lead(street)["title"] == company.id
    assert holds(street, ref) == []
    rounds(street)
    assert lead(street)["title"] == company.id


def test_a_firm_that_we_create_ourselves_ends_the_waiting() -> None:
    """Not only a link that was found, also one that a create has made."""
    street = Street(create={Side.MA: CreateRule(when=always)})
    account = street.firm(Side.SFA, Name="Acme")
    ref = employee(street, account)
    rounds(street, 4)
    (company,) = street.firms[Side.MA]._records
    assert lead(street)["title"] == company.id
    assert holds(street, ref) == []


def test_what_may_be_left_out_is_not_listed_and_follows_too() -> None:
    """`missing: leave`: nobody waits, and nothing is lost when the firm gets linked."""
    street = Street(missing="leave")
    account = street.firm(Side.SFA, Name="Acme")
    ref = employee(street, account)
    rounds(street)
    assert holds(street, ref) == []
    company = street.firm(Side.MA, company="Acme")
    street.firms[Side.SFA].edit(account, {"Key__c": company.id})
    rounds(street)
    assert lead(street)["title"] == company.id


def test_a_required_reference_makes_the_create_wait() -> None:
    """Who is not to be created without a firm is created when the firm is linked."""
    street = Street(need=("firm",))
    account = street.firm(Side.SFA, Name="Acme")
    employee(street, account)
    rounds(street)
    assert not street.ma._records
    company = street.firm(Side.MA, company="Acme")
    street.firms[Side.SFA].edit(account, {"Key__c": company.id})
    rounds(street)
    assert lead(street)["title"] == company.id


def test_another_firm_is_carried_and_no_firm_is_kept() -> None:
    """A change of firm is an ordinary change; a blank follows the field's own rule for blanks."""
    street = Street()
    one, two = street.firm(Side.MA, company="Acme"), street.firm(Side.MA, company="Bolt")
    first = street.firm(Side.SFA, Name="Acme", Key__c=one.id)
    second = street.firm(Side.SFA, Name="Bolt", Key__c=two.id)
    ref = employee(street, first)
    rounds(street)
    street.sfa.edit(ref, {"AccountId": second.id})
    rounds(street)
    assert lead(street)["title"] == two.id
    street.sfa.edit(ref, {"AccountId": None})
    rounds(street)
    assert lead(street)["title"] == two.id


def test_colleagues_of_who_leaves_a_firm_are_left_alone() -> None:
    """Somebody's new firm decides nobody else anew: who shares a firm is not the same person."""
    street = Street()
    one, two = street.firm(Side.MA, company="Acme"), street.firm(Side.MA, company="Bolt")
    first = street.firm(Side.SFA, Name="Acme", Key__c=one.id)
    second = street.firm(Side.SFA, Name="Bolt", Key__c=two.id)
    people = [employee(street, first, name) for name in ("ada", "bob", "eve")]
    rounds(street, 4)
    street.sfa.edit(people[0], {"AccountId": second.id})
    assert street.round().decided.entities == 1
    assert lead(street, "ada")["title"] == two.id
    assert lead(street, "bob")["title"] == one.id


def test_people_of_a_firm_that_changes_are_left_alone() -> None:
    """A firm's new name decides nobody anew."""
    street = Street()
    company = street.firm(Side.MA, company="Acme")
    account = street.firm(Side.SFA, Name="Acme", Key__c=company.id)
    employee(street, account)
    rounds(street, 4)
    street.firms[Side.SFA].edit(account, {"Name": "Acme K.K."})
    assert street.round().decided.entities == 0
    assert street.round().decided.entities == 0
    (held,) = street.firms[Side.MA]._records.values()
    assert held.values["company"] == "Acme K.K."
