"""Deciding a few people: identity, claims, twins, fields, holds, and work that is already open."""

from __future__ import annotations

from sync.confirm import Sent, pack, waiting
from sync.normalise import Lens, decode_body, encode
from sync.plan import Base, Half, encode_base, written_mark
from sync.record import Ref, Side
from sync.rows import DELETED, LEADING, SUPERSEDED, TWIN, BaseRow, BatchRow, KeyRow, OperationRow
from tests.support.deciding import Deciding, details, values, work
from tests.support.office import Town
from tests.support.people import MAPPING, NOW, base_row, lens, row

LENS = lens()
YAMADA = {"email": "yamada@x.example", "lastName": "山田"}
YAMADA_SFA = {"Email": "Yamada@X.example", "LastName": "山田"}


def linked(
    ma: dict[str, object], sfa: dict[str, object], pairs: dict[str, tuple[object, object]], rules: Lens = LENS
) -> Deciding:
    left, right = row("ma", "1", 9, {**YAMADA, **ma}), row("sfa", "7", 9, {**YAMADA_SFA, **sfa})  # type: ignore[dict-item]
    agreed = {"email": ("yamada@x.example",) * 2, "last_name": ("山田", "山田"), "ma_id": ("1", "1"), **pairs}
    return Deciding(rules, [left, right, base_row(rules, 9, left, right, agreed)])  # type: ignore[arg-type]


def test_an_id_that_stands_on_the_other_side_links_first() -> None:
    """A record that carries the other side's id is that person, whatever the addresses say."""
    case = Deciding(LENS, [
        row("ma", "1", 1, YAMADA), row("sfa", "7", 2, {"Email": "other@x.example", "Marketo_Id__c": "1"}),
        row("sfa", "8", 3, YAMADA_SFA),
    ])  # fmt: skip
    case.decide(case.record("ma", "1").ref)
    assert case.record("ma", "1").entity == case.record("sfa", "7").entity
    assert case.record("sfa", "8").entity == 3


def test_equal_addresses_link_and_both_sides_see_the_same_entity() -> None:
    """Exactly one record on either side with one address links them, from whichever side it is decided."""
    for first in ("ma", "sfa"):
        case = Deciding(LENS, [row("ma", "1", 1, YAMADA), row("sfa", "7", 2, YAMADA_SFA)])
        case.decide(case.record(first, "1" if first == "ma" else "7").ref)
        assert case.record("ma", "1").entity == case.record("sfa", "7").entity
        assert not [each for each in case.writes() if each[0] == "create"]


def test_a_role_address_identifies_nobody() -> None:
    """info@ on both sides is no link, and creates take no claim on it."""
    case = Deciding(LENS, [
        row("ma", "1", 1, {"email": "info@x.example", "lastName": "山田"}),
        row("sfa", "7", 2, {"Email": "info@x.example", "LastName": "佐藤"}),
    ])  # fmt: skip
    case.decide()
    assert case.record("ma", "1").entity != case.record("sfa", "7").entity
    assert [each[0] for each in case.writes()] == ["create", "create"]
    assert not case.claims()


def test_two_possible_records_wait_for_a_person() -> None:
    """Two records across with one address link nobody and create nobody: a person is asked, with both named."""
    case = Deciding(LENS, [
        row("ma", "1", 1, YAMADA), row("sfa", "7", 2, YAMADA_SFA), row("sfa", "8", 3, YAMADA_SFA),
    ])  # fmt: skip
    case.decide()
    assert not case.writes()
    assert {kind for kind, _field in case.holds()} == {"ambiguous"}
    assert details(case.store.holds_of({1})[0])["candidates"] == [
        ["sfa", "Lead", "7"],
        ["sfa", "Lead", "8"],
    ]


def test_a_second_record_of_a_linked_person_is_a_twin_and_never_written() -> None:
    """A further record of a linked person joins as twin: it is no source and no target."""
    case = linked({}, {}, {})
    case.change(row("ma", "2", 30, {**YAMADA, "lastName": "YAMADA", "title": "twin"}, noted=3))
    for key in case.lens.keys("ma", "Lead", {"email": "yamada@x.example"}):
        case.change(KeyRow("ma", "person", key, "Lead", "2", 0))
    case.decide(case.record("ma", "2").ref)
    twin = case.record("ma", "2")
    assert (twin.entity, twin.role) == (9, TWIN)
    assert not case.writes()


def test_the_second_of_two_new_records_waits_for_the_first_ones_claim() -> None:
    """Two new records of one address lead to one create; the other waits for it and is listed."""
    case = Deciding(
        LENS, [row("ma", "1", 1, YAMADA), row("ma", "2", 2, {**YAMADA, "email": "YAMADA@x.example"})]
    )
    case.decide()
    assert [each[:2] for each in case.writes()] == [("create", "sfa")]
    assert case.holds() == [("waiting", "")]
    assert len(case.claims()) == 1


def test_a_create_that_is_no_longer_wanted_gives_its_claim_to_those_who_waited() -> None:
    """When the first record leaves the rule, its create is dropped, its claim freed, and the waiter asked."""
    case = Deciding(LENS, [row("ma", "1", 1, YAMADA), row("ma", "2", 2, YAMADA)])
    case.decide()
    first = case.operations()[0]
    holder = case.record("ma", work(first).source.id)
    case.change(holder._replace(state=DELETED, noted=5))
    case.decide(holder.ref)
    assert not case.claims()
    waiter = case.record("ma", "2" if holder.id == "1" else "1")
    assert waiter.noted > 1_000
    case.decide(waiter.ref)
    assert [each[:2] for each in case.writes()] == [("create", "sfa")]


def test_a_person_deleted_across_is_never_created_anew() -> None:
    """A record that the vendor deleted keeps its key as a tombstone: a new one needs a person's word."""
    case = Deciding(LENS, [row("ma", "1", 1, YAMADA), row("sfa", "7", 2, YAMADA_SFA, state=DELETED)])
    case.decide(case.record("ma", "1").ref)
    assert not case.writes()
    assert case.holds() == [("tombstone", "")]


def test_what_must_be_filled_is_waited_for_and_named() -> None:
    """A person without last name is not created; the hold says what is missing."""
    case = Deciding(LENS, [row("ma", "1", 1, {"email": "yamada@x.example"})])
    case.decide()
    assert not case.writes()
    assert details(case.hold("incomplete")) == {"missing": ["last_name"]}


def test_a_create_carries_every_field_of_its_flow_and_our_key() -> None:
    """A created record gets all fields that flow there, our own id as key, and nothing that is blank."""
    case = Deciding(LENS, [row("ma", "1", 1, {**YAMADA, "leadScore": 12, "industry": "建設業"})])
    case.decide()
    ((action, system, _record, written),) = case.writes()
    assert (action, system) == ("create", "sfa")
    assert written == {
        "Email": "yamada@x.example", "LastName": "山田", "Industry": "Construction", "MA_Score__c": 12,
        "Marketo_Id__c": "1",
    }  # fmt: skip
    assert work(case.operations()[0]).unique == "Marketo_Id__c"


def test_edits_of_different_fields_on_both_sides_both_survive() -> None:
    """A title changed in MA and a name changed in SFA each travel to the other side."""
    case = linked({"title": "課長"}, {"LastName": "山本"}, {"title": (None, None)})
    case.decide()
    assert [each[1:] for each in case.writes()] == [
        ("ma", "1", {"lastName": "山本"}),
        ("sfa", "7", {"Title": "課長"}),
    ] or [each[1:] for each in case.writes()] == [
        ("sfa", "7", {"Title": "課長"}),
        ("ma", "1", {"lastName": "山本"}),
    ]


def test_a_conflict_keeps_the_losing_value() -> None:
    """Both edited one field: the named side wins, and the operation keeps the value that lost."""
    case = linked({"title": "課長"}, {"Title": "部長"}, {"title": ("係長", "係長")})
    assert case.decide().conflicts == 1
    (operation,) = case.operations()
    assert values(operation) == {"title": "部長"}
    assert work(operation).fields["title"].lost == "課長"


def test_several_words_that_mean_one_are_no_change() -> None:
    """Two left-hand words for one right-hand word agree: nothing is written back."""
    case = linked({"industry": "建設業"}, {"Industry": "Construction"}, {"industry": ("建設業", "建設")})
    case.decide()
    assert not case.writes()


def test_an_unknown_word_holds_that_field_only() -> None:
    """A picklist value that no rule lists waits for a person while the other fields go on."""
    case = linked(
        {"industry": "宇宙", "title": "課長"}, {}, {"industry": (None, None), "title": (None, None)}
    )
    case.decide()
    assert [values(each) for each in case.operations()] == [{"Title": "課長"}]
    assert case.holds() == [("unknown_value", "industry")]


def test_an_unknown_word_is_asked_about_beside_what_the_other_side_has() -> None:
    """Whoever lists the word sees both values. Once it is listed it is that side's change, also where the other side
    has changed by then: the word of `conflict:`, and not of `first:`, decides."""
    mapping = MAPPING.replace("conflict: sfa, first: sfa", "conflict: ma, first: sfa")
    agreed: tuple[object, object] = ("製造業", "製造業")
    case = linked({"industry": "宇宙"}, {"Industry": "Manufacturing"}, {"industry": agreed}, lens(mapping))
    case.decide()
    body = {"ma": "宇宙", "sfa": "Manufacturing", "unlisted": ["ma"]}
    assert details(case.hold("unknown_value")) == body
    held = case.record("sfa", "7")
    case.change(held._replace(noted=99, body=encode(decode_body(held.body) | {"Industry": "Construction"})))
    case.lens = lens(mapping.replace("製造業: ", "宇宙: Space, 製造業: "))
    case.decide()
    assert (case.holds(), [values(each) for each in case.operations()]) == ([], [{"Industry": "Space"}])


def test_a_hold_closes_by_itself_when_the_values_agree_again() -> None:
    """Each decide recomputes the holds: equal values close one."""
    case = linked({"industry": "宇宙"}, {}, {"industry": (None, None)})
    case.decide()
    assert case.holds()
    case.change(row("ma", "1", 9, YAMADA, noted=99))
    case.decide()
    assert not case.holds()


def test_deciding_again_is_free() -> None:
    """The same situation decided twice leaves the open operation alone, with its attempts and back-off."""
    case = linked({"title": "課長"}, {}, {"title": (None, None)})
    case.decide()
    (before,) = case.operations()
    case.change(before._replace(attempts=4, at=NOW + 999))
    assert case.decide().operations == 0
    (after,) = case.operations()
    assert (after.id, after.attempts, after.at) == (before.id, 4, NOW + 999)


def test_work_that_is_no_longer_wanted_is_superseded_also_by_nothing() -> None:
    """An edit taken back before its write has left leaves no write behind."""
    case = linked({"title": "課長"}, {}, {"title": (None, None)})
    case.decide()
    (before,) = case.operations()
    case.change(row("ma", "1", 9, YAMADA, noted=99))
    case.decide()
    assert not case.operations()
    assert case.store.get(OperationRow, [(before.id,)])[0].state == SUPERSEDED


def test_what_has_left_is_never_superseded_the_next_write_waits_behind_it() -> None:
    """While an operation is on its way nothing new is derived for its record, but it is asked again later."""
    case = linked({"title": "課長"}, {}, {"title": (None, None)})
    case.decide()
    (sent,) = case.operations()
    case.change(BatchRow(500, "sfa", "person", NOW, encode([sent.id])))
    case.change(row("ma", "1", 9, {**YAMADA, "title": "部長"}, noted=99))
    case.decide()
    (still,) = case.operations()
    assert (still.id, values(still), still.again) == (sent.id, {"Title": "課長"}, 1)


def test_a_value_written_back_and_forth_stops_as_a_loop() -> None:
    """The same value written to one field three times without a new one from a person is held."""
    case = linked({"title": "B"}, {"Title": "A"}, {})
    from sync.rows import BaseRow

    half = Half(LENS.rule["title"].fingerprint, "A", "A", (written_mark("B", NOW),) * 3)
    base = case.base(9)
    case.change(BaseRow(9, "people", encode_base(Base(base.ma, base.sfa, {**base.halves, "title": half}))))
    case.decide()
    assert not case.writes()
    assert case.holds() == [("loop", "title")]


def test_turns_that_people_take_over_days_are_no_loop() -> None:
    """What we wrote more than a day ago does not count: people may go back to an old value."""
    case = linked({"title": "B"}, {"Title": "A"}, {})
    half = Half(LENS.rule["title"].fingerprint, "A", "A", (written_mark("B", NOW - 90_000),) * 3)
    base = case.base(9)
    case.change(BaseRow(9, "people", encode_base(Base(base.ma, base.sfa, {**base.halves, "title": half}))))
    case.decide()
    assert [values(each) for each in case.operations()] == [{"Title": "B"}]


def test_outside_the_scope_nothing_is_decided() -> None:
    """A record that leaves the scope is not written any more, and never deleted."""
    scoped = lens(MAPPING + "scope:\n  ma: { score: { at_least: 10 } }\n")
    left, right = (
        row("ma", "1", 9, {**YAMADA, "title": "課長", "leadScore": 3}),
        row("sfa", "7", 9, YAMADA_SFA),
    )
    case = Deciding(scoped, [left, right, base_row(scoped, 9, left, right, {"title": (None, None)})])
    case.decide()
    assert not case.writes()


def test_another_fingerprint_means_no_base() -> None:
    """A base kept under other paths or another value map counts as absent: `first:` decides."""
    case = linked({"title": "課長"}, {"Title": "部長"}, {})
    from sync.rows import BaseRow

    base = case.base(9)
    old = Half("otherwise", "課長", "部長")
    case.change(BaseRow(9, "people", encode_base(Base(base.ma, base.sfa, {**base.halves, "title": old}))))
    case.decide()
    assert [values(each) for each in case.operations()] == [{"title": "部長"}]


def test_after_a_move_a_half_counts_only_where_the_new_record_has_the_old_value() -> None:
    """When another record leads, equal values keep their base and different ones start without one."""
    left = row("ma", "1", 9, {**YAMADA, "title": "課長"})
    old = row("sfa", "7", 9, {**YAMADA_SFA, "Title": "課長"}, role=TWIN, state=3, moved_to="Contact/3")
    new = row("sfa", "3", 9, {**YAMADA_SFA, "Title": "本部長"}, role=LEADING)._replace(object="Contact")
    pairs = {"title": ("課長", "課長"), "last_name": ("山田", "山田")}
    case = Deciding(LENS, [left, old, new, base_row(LENS, 9, left, old, pairs)])
    case.decide()
    base = case.base(9)
    assert base.sfa == "Contact/3"
    assert base.halves["last_name"].sfa == "山田"
    assert [values(each) for each in case.operations() if each.system == "ma"] == [{"title": "本部長"}]


def test_every_record_belongs_to_one_entity_after_deciding() -> None:
    """Linking leaves no record behind and no entity with two leading records of one system."""
    case = Deciding(LENS, [
        row("ma", "1", 1, YAMADA), row("sfa", "7", 2, YAMADA_SFA), row("ma", "3", 3, {"email": "b@x.example"}),
    ])  # fmt: skip
    case.decide()
    marks = case.store.dirty("person", ("ma", "sfa"), 0, 100)
    rows = case.store.records_of({mark.entity for mark in marks})
    leading = [(each.entity, each.system) for each in rows if each.role == LEADING]
    assert len(leading) == len(set(leading))
    assert len(rows) == len(marks) == 3


def test_a_computed_field_follows_what_was_written_to_its_source() -> None:
    """A full name joined on one side is decided again once the other side's last name has arrived there."""
    mapping = MAPPING.replace(
        "  title: ",
        "  greeting: { flow: ->, sfa: Title, compute: { join: [last_name, email], with: ' ' } }\n  title: ",
    ).replace("{ ma: title, flow: <->, sfa: Title }", "{ ma: title, type: text }")
    town = Town(mapping)
    town.person(Side.MA, email="p@x.example", lastName="山田")
    town.person(Side.SFA, Email="p@x.example", LastName="山本", Marketo_Id__c="000000001")
    for _cycle in range(6):
        town.cycle()
    (person,) = town.sfa.fetch("person", [Ref("sfa", "Lead", "000000001")], {"Lead": ("Title", "LastName")})
    assert person is not None
    assert dict(person.values) == {"Title": "山本 p@x.example", "LastName": "山本"}


def test_what_was_not_taken_is_looked_at_again_after_the_lag_of_its_own_system() -> None:
    """A write that reads as if it had never been is looked at once more when the slower system has to show it."""
    sent = pack({"Title": Sent(3, "before", "sent", 0)})
    left = row("ma", "1", 9, YAMADA)
    right = row("sfa", "7", 9, {**YAMADA_SFA, "Title": "before"}, settled=2, as_of=9, unconfirmed=sent)
    case = Deciding(LENS, [left, right, base_row(LENS, 9, left, right, {})], lag={"ma": 1.0, "sfa": 40.0})
    case.decide()
    held = case.record("sfa", "7")
    assert (held.refetch_at, waiting(held)["Title"].looked) == (NOW + 40.0, 9)
