"""Every way in which a vendor does not take a value arrives with its code, our meaning and the field, is tried again as
late as said, and ends by itself never."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import simulators.marketo.upsert
from renkei.failures import Failure, said_of
from simulators.salesforce.errors import RowError
from state.failures import failures
from state.reader import Reader
from sync.commands import apply_commands
from sync.errors import Meaning
from sync.plan import FieldWork, Work, encode_work
from sync.record import Ref
from sync.rows import DISCARDED, FAILED, IGNORED, PENDING, SUPERSEDED, UNCERTAIN, OperationRow, Patch
from sync.said import Discard, Retry, command
from tests.support.town import MARKETO, SALESFORCE, Town

HOUR = 3_600.0
Act = Callable[[Town, Ref, Ref], None]


def _refused(tmp_path: Path) -> list[Failure]:
    """What the journal lists, as `renkei errors` does."""
    with Reader(tmp_path / "state.db") as reader:
        return [each for row, work in failures(reader) for each in said_of(row, work)]


def _pair(town: Town) -> tuple[Ref, Ref]:
    """Somebody known to both sides, at rest."""
    lead, record = (
        town.lead(email="p@firm.example", lastName="Sato"),
        town.record(Email="p@firm.example", LastName="Sato"),
    )
    town.open()
    return lead, record


def _bars(system: str, code: str) -> Act:
    """The vendor refuses every row with a code, and names no field."""

    def act(town: Town, lead: Ref, record: Ref) -> None:
        town.faults[system].set("row_refused", 1.0)
        if system == SALESFORCE:
            town.salesforce._lock_error = lambda: RowError(code, "no")  # type: ignore[method-assign]
            town.edit(lead, title="Buyer")
        else:
            town.edit(record, Title="Buyer")

    return act


def _too_long(town: Town, lead: Ref, _record: Ref) -> None:
    town.edit(lead, firstName="x" * 60)


def _too_long_at_marketing(town: Town, _lead: Ref, record: Ref) -> None:
    town.marketo.fields["title"] = replace(town.marketo.fields["title"], length=5)
    town.edit(record, Title="Senior Buyer")


def _no_such_word(town: Town, lead: Ref, _record: Ref) -> None:
    words = town.salesforce.schema["Lead"].fields["Industry"].picklist
    town.salesforce.alter_field(
        "Lead", "Industry", picklist=tuple(word for word in words if word != "Retail")
    )
    town.edit(lead, industry="小売")


def _sealed(town: Town, lead: Ref, _record: Ref) -> None:
    town.salesforce.alter_field("Lead", "Title", updateable=False)
    town.edit(lead, title="Buyer")


def _wants_more(town: Town, _lead: Ref, _record: Ref) -> None:
    town.salesforce.alter_field("Lead", "Website", nillable=False)
    town.lead(email="q@firm.example", lastName="Abe", leadScore=80)


def _meets_another(town: Town, _lead: Ref, _record: Ref) -> None:
    town.salesforce.switches.duplicate_rules["Lead"] = "block"
    town.record("Contact", Email="info@firm.example", LastName="Desk")
    town.lead(email="info@firm.example", lastName="Abe", leadScore=80)


WAYS: dict[str, tuple[Act, str, str, Meaning]] = {
    "too long": (_too_long, "salesforce/string_too_long/first_name", "STRING_TOO_LONG", Meaning.LENGTH),
    "too long at marketing": (_too_long_at_marketing, "marketo/1003/title", "1003", Meaning.LENGTH),
    "no such word": (
        _no_such_word, "salesforce/invalid_or_null_for_restricted_picklist/industry",
        "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", Meaning.PICKLIST,
    ),
    "no permission": (
        _sealed, "salesforce/invalid_field_for_insert_update/title", "INVALID_FIELD_FOR_INSERT_UPDATE",
        Meaning.PERMISSION,
    ),
    "a required field": (
        _wants_more, "salesforce/required_field_missing/website", "REQUIRED_FIELD_MISSING", Meaning.REQUIRED,
    ),
    "a duplicate": (
        _meets_another, "salesforce/duplicates_detected/record", "DUPLICATES_DETECTED", Meaning.DUPLICATE,
    ),
    "a rule without a field": (
        _bars(SALESFORCE, "FIELD_CUSTOM_VALIDATION_EXCEPTION"),
        "salesforce/field_custom_validation_exception/title", "FIELD_CUSTOM_VALIDATION_EXCEPTION", Meaning.RULE,
    ),
    "an approval": (
        _bars(SALESFORCE, "ENTITY_IS_LOCKED"), "salesforce/entity_is_locked/title", "ENTITY_IS_LOCKED", Meaning.LOCK,
    ),
    "a code that nobody knows": (
        _bars(SALESFORCE, "SOMETHING_NEW"), "salesforce/something_new/title", "SOMETHING_NEW", Meaning.OTHER,
    ),
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_each_refusal_arrives_with_code_meaning_and_field(town: Town, tmp_path: Path, way: str) -> None:
    """One refusal, one cause: its name, the vendor's code and our meaning, with the next try in an hour."""
    act, name, code, meaning = WAYS[way]
    lead, record = _pair(town)
    act(town, lead, record)
    town.cycles(3)
    (found,) = [each for each in _refused(tmp_path) if each.row.system == name.partition("/")[0]]
    assert (found.cause, found.error.code, found.error.meaning) == (name, code, meaning)
    assert found.row.state == FAILED
    assert HOUR - 60 < found.row.at - town.clock.now() <= HOUR


def test_a_partition_that_is_closed_to_us_is_a_permission(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marketing refuses a row and names no field: the one field that was sent stands in the cause."""
    lead, record = _pair(town)
    monkeypatch.setattr(simulators.marketo.upsert, "REFUSALS", (("1008", "Access to partition denied"),))
    _bars(MARKETO, "1008")(town, lead, record)
    town.cycles(3)
    (found,) = _refused(tmp_path)
    assert (found.cause, found.error.meaning) == ("marketo/1008/title", Meaning.PERMISSION)


def test_a_lock_that_passes_is_no_failure(town: Town, tmp_path: Path) -> None:
    """What the vendor calls a passing lock is waited for within the minute, and listed nowhere."""
    lead, record = _pair(town)
    _bars(SALESFORCE, "UNABLE_TO_LOCK_ROW")(town, lead, record)
    town.cycles(2)
    assert _refused(tmp_path) == []
    town.faults[SALESFORCE].quiet()
    town.wait(60.0)
    town.quiet()
    assert town.value(record, "Title") == "Buyer"


@pytest.mark.parametrize("system", [MARKETO, SALESFORCE])
def test_an_ignored_value_is_listed_until_it_is_news_no_more(town: Town, tmp_path: Path, system: str) -> None:
    """The vendor says yes and keeps its own: listed under the field, not written again by itself; written once more
    when a person says so, and listed no longer once both sides agree."""
    lead, record = _pair(town)
    target, path = (record, "Title") if system == SALESFORCE else (lead, "title")
    town.strike(system, "ignored_field")
    town.edit(
        *((lead,) if system == SALESFORCE else (record,)),
        **{"title" if target is record else "Title": "Buyer"},
    )
    town.cycles(2)
    town.wait(400.0)
    town.cycles(4)
    asked = town.write_calls
    (found,) = _refused(tmp_path)
    assert (found.cause, found.error.meaning, found.row.state) == (
        f"{system}/ignored/title",
        Meaning.IGNORED,
        IGNORED,
    )
    town.cycles(3)
    assert town.write_calls == asked
    assert town.value(target, path) is None
    town.world.store.commit(_word(town, Retry(operations=(found.row.id,))))
    town.quiet()
    assert town.value(target, path) == "Buyer"
    assert town.write_calls == asked + 1
    assert _refused(tmp_path) == []


def test_an_ignored_value_is_forgotten_when_its_source_moves_on(town: Town, tmp_path: Path) -> None:
    """A newer value that arrives ends the listing of the older one, and so does taking the older one back."""
    lead, record = _pair(town)
    for then in ("Seller", None):
        town.strike(SALESFORCE, "ignored_field")
        town.edit(lead, title="Buyer")
        town.cycles(2)
        town.wait(400.0)
        town.cycles(4)
        assert [each.cause for each in _refused(tmp_path)] == ["salesforce/ignored/title"]
        town.edit(lead, title=then or town.value(record, "Title"))
        town.quiet()
        assert _refused(tmp_path) == []


def test_the_wait_grows_and_nothing_but_a_refusal_makes_it_grow(town: Town) -> None:
    """An hour, six hours, then a day and a day again; cycles that read everything anew in between, a restart, and a
    vendor that is away at the time of the try, change nothing of that."""
    lead, _record = _pair(town)
    town.edit(lead, firstName="x" * 60)
    town.quiet()
    for wait in (HOUR, 6 * HOUR, 24 * HOUR, 24 * HOUR):
        ((row, _work),) = town.open_work(lead)
        assert row.state == FAILED
        assert wait - 120 < row.at - town.clock.now() <= wait
        asked = town.write_calls
        town.restart()
        town.cycle(sweep=1e6)
        town.wait(wait * 0.9)
        town.edit(lead, phone=f"03-1234-{town.write_calls:04d}")
        town.quiet()
        assert [each.at for each, _ in town.open_work(lead)] == [row.at]
        assert town.write_calls == asked + 1  # the telephone number
        town.wait(row.at - town.clock.now() + 1.0)
        town.faults[SALESFORCE].set("rate_limited", 1.0)
        town.cycles(1)
        town.faults[SALESFORCE].quiet()
        town.wait(300.0)
        town.quiet()
        assert town.write_calls >= asked + 2


def test_other_rules_have_it_tried_at_once(town: Town) -> None:
    """When the mapping changes, what was refused is tried again with the next cycle; once, not with every cycle."""
    lead, _record = _pair(town)
    town.edit(lead, firstName="x" * 60)
    town.quiet()
    asked = town.write_calls
    rules = town.world.lens.rules
    lens = type(town.world.lens)(replace(rules, deciding=f"{rules.deciding}x"))
    town.world = replace(town.world, lens=lens)
    town.quiet()
    assert town.write_calls == asked + 1
    ((row, work),) = town.open_work(lead)
    assert (row.state, work.refusals) == (FAILED, 2)
    town.cycles(3)
    assert town.write_calls == asked + 1


def _word(town: Town, word: Retry | Discard) -> Patch:
    patch = Patch()
    patch.put(command(town.clock.now(), town.world.lens.rules.route, word)._replace(id=town.world.numbers()))
    return patch


def test_an_effect_of_unknown_outcome_is_listed_until_a_person_speaks(town: Town, tmp_path: Path) -> None:
    """What left and was never answered is not sent again by itself: it is listed, sent once more by one word, and left
    alone by the other."""
    lead, _record = _pair(town)
    for number, word in ((10**9, "retry"), (10**9 + 1, "discard")):
        work = Work(fields={"text": FieldWork("text", None, "Hello", None, None)}, source=lead)
        row = OperationRow(
            number, town.entity(lead), town.world.lens.rules.route, 1, "effect", "chat", "notice", "", 1, UNCERTAIN,
            0.0, 1, 0, "d", "h", f"key{number}", town.clock.now(), town.clock.now(), "", encode_work(work),
        )  # fmt: skip
        patch = Patch()
        patch.put(row)
        town.world.store.commit(patch)
        (found,) = _refused(tmp_path)
        assert (found.cause, found.error.meaning) == ("chat/no_answer/effect", Meaning.DOUBT)
        if word == "retry":
            town.world.store.commit(_word(town, Retry(operations=(number,))))
        else:
            town.world.store.commit(_word(town, Discard(operations=(number,), reason="seen there")))
        apply_commands(town.world)
        assert _refused(tmp_path) == []
        (now,) = town.world.store.get(OperationRow, [(number,)])
        assert now.state == {"retry": PENDING, "discard": DISCARDED}[word]
        patch = Patch()
        patch.put(now._replace(state=SUPERSEDED))
        town.world.store.commit(patch)
