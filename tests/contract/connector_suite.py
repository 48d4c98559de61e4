"""What every connector must do, whatever the vendor: one suite, run over the adapter in memory and over fake vendors.

`ConnectorSuite` is the contract of `sync.ports.Connector`; `HttpConnectorSuite` adds what holds for every system
behind a network: retries, doubt, tokens, secrets. Subclasses give a fixture `rig`.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest

from sync.errors import Fatal, InDoubt, Meaning, QuotaSpent, Retryable
from sync.ports import Connector, Outcome, Write
from sync.record import LifeEvent, Page, Record, Ref
from tests.connectors.rigs import CANARY, HttpRig, Rig


class Heard(NamedTuple):
    """What a reading gave: the newest record of each name, all records, events, the last cursor, the pages."""

    records: dict[Ref, Record]
    listed: list[Record]
    events: list[LifeEvent]
    cursor: str
    pages: list[Page]


def heard(pages: Iterator[Page]) -> Heard:
    """Read pages to their end, which the last one must announce and no other may."""
    read = list(pages)
    assert [page.last for page in read] == [False] * (len(read) - 1) + [True]
    listed = [record for page in read for record in page.records]
    events = [event for page in read for event in page.events]
    return Heard({record.ref: record for record in listed}, listed, events, read[-1].cursor, read)


def read_all(rig: Rig, since: str | None = None) -> Heard:
    """Everything after a cursor."""
    return heard(rig.connector.changes(rig.kind, since, rig.paths))


def quiet(rig: Rig) -> str:
    """Read everything, let time pass, read again: a cursor with nothing behind it."""
    cursor = read_all(rig).cursor
    rig.later()
    return read_all(rig, cursor).cursor


def update(ref: Ref, **values: object) -> Write:
    """An update of one record."""
    return Write(1, ref, values)  # type: ignore[arg-type]


def results(outcomes: list[Outcome]) -> list[str]:
    """What became of each write."""
    return [outcome.result for outcome in outcomes]


class ConnectorSuite:
    """The contract."""

    def test_everything_is_listed_once(self, rig: Rig) -> None:
        """Without a cursor every record is listed with exactly the asked paths and its time of creation."""
        refs = {rig.create(rig.person(number)) for number in range(rig.page + 7)}
        rig.later()
        found = read_all(rig)
        assert set(found.records) == refs
        assert len(found.listed) == len(refs)
        for record in found.listed:
            assert set(record.values) == set(rig.paths[rig.kind_of_record])
            assert record.created.endswith("Z")
            assert record.created.startswith("2026-11-22T")

    def test_a_change_is_seen_after_the_cursor_and_alone(self, rig: Rig) -> None:
        """After a cursor comes what changed since, and nothing else."""
        first, _ = rig.create(rig.person(1)), rig.create(rig.person(2))
        cursor = quiet(rig)
        rig.edit(first, {rig.last: "Changed"})
        rig.later()
        found = read_all(rig, cursor)
        assert list(found.records) == [first]
        assert found.records[first].values[rig.last] == "Changed"

    def test_nothing_comes_after_a_quiet_cursor(self, rig: Rig) -> None:
        """A quiet cycle lists nothing and costs two calls at most."""
        rig.create(rig.person(1))
        cursor = quiet(rig)
        before = rig.calls
        found = read_all(rig, cursor)
        assert (found.listed, found.events) == ([], [])
        assert rig.calls - before <= 2

    def test_every_page_carries_a_cursor_to_go_on_from(self, rig: Rig) -> None:
        """Whoever stops after any page and goes on from its cursor misses nothing."""
        refs = {rig.create(rig.person(number)) for number in range(rig.page * 2 + 5)}
        rig.later()
        whole = read_all(rig)
        for stop in range(len(whole.pages)):
            before = {record.ref for page in whole.pages[: stop + 1] for record in page.records}
            rest = read_all(rig, whole.pages[stop].cursor)
            assert before | set(rest.records) == refs

    def test_deletions_and_merges_are_events(self, rig: Rig) -> None:
        """A deleted record is said to be deleted where the vendor tells it, a merged one names its survivor where
        records can be merged, and neither is listed."""
        kept, gone, merged = (rig.create(rig.person(number)) for number in range(3))
        cursor = quiet(rig)
        rig.delete(gone)
        expected = []
        if rig.tells_ends:
            expected.append(LifeEvent("deleted", gone))
        if rig.merges:
            rig.merge(kept, merged)
            expected.append(LifeEvent("merged", merged, kept))
        rig.later()
        found = read_all(rig, cursor)
        assert [event for event in expected if event not in found.events] == []
        assert gone not in found.records
        assert merged not in found.records or not rig.merges

    def test_a_conversion_names_what_the_record_became(self, rig: Rig) -> None:
        """Where the vendor converts records, the event leads to the new one."""
        lead = rig.create(rig.person(1))
        cursor = quiet(rig)
        into = rig.convert(lead)
        rig.later()
        found = read_all(rig, cursor)
        expected = [] if into is None else [LifeEvent("converted", lead, into)]
        assert [event for event in found.events if event.kind == "converted"] == expected
        assert into is None or into in found.records

    def test_ties_over_a_page_border_lose_nothing(self, rig: Rig) -> None:
        """Records that share one stamp are all listed, also where a page ends between them."""
        rig.ties()
        refs = {rig.create(rig.person(number)) for number in range(rig.page + 30)}
        rig.faults.script.clear()
        rig.later()
        assert set(read_all(rig).records) == refs

    def test_the_sweep_finds_what_the_feed_showed_too_late(self, rig: Rig) -> None:
        """A commit that shows up later than the vendor's figure is missed by the front and found by looking back."""
        rig.create(rig.person(1))
        cursor = quiet(rig)
        late, prompt = rig.create(rig.person(2), late=True), rig.create(rig.person(3))
        rig.later(13)
        passed = read_all(rig, cursor)
        rig.later(2)
        again = read_all(rig, passed.cursor)
        rig.later(60)
        missed = read_all(rig, again.cursor)
        assert list(passed.records) == [prompt]
        assert late not in again.records.keys() | missed.records.keys()
        versions = rig.connector.capabilities.feed_versions
        swept = heard(rig.connector.changes(rig.kind, cursor, rig.paths, back=600.0, keys_only=versions))
        assert late in swept.records
        if versions:
            (now,) = rig.connector.fetch(rig.kind, [late], rig.paths)
            assert now is not None
            assert swept.records[late].version == now.version
            assert all(page.keys_only for page in swept.pages)

    def test_fetch_keeps_the_order_and_says_what_is_missing(self, rig: Rig) -> None:
        """Records by id come in the order asked, None where there is none, and see a write at once."""
        refs = [rig.create(rig.person(number)) for number in range(3)]
        rig.delete(refs[1])
        rig.edit(refs[2], {rig.last: "Fresh"})
        found = rig.connector.fetch(rig.kind, [refs[2], refs[1], refs[0], rig.ref("999999999")], rig.paths)
        assert [record and record.ref for record in found] == [refs[2], None, refs[0], None]
        assert found[0] is not None
        assert found[0].values[rig.last] == "Fresh"
        assert rig.connector.fetch(rig.kind, [], rig.paths) == []

    def test_find_by_address_ignores_letter_case(self, rig: Rig) -> None:
        """Looking for addresses gives all their bearers and nobody else."""
        refs = [rig.create(rig.person(number)) for number in range(3)]
        twin = rig.create(rig.person(0))
        rig.later()
        assert rig.email in rig.connector.capabilities.find_paths[rig.kind_of_record]
        asked = ["P0@mail.example", "p1@mail.example", "nobody@mail.example"]
        found = rig.connector.find(rig.kind, rig.kind_of_record, rig.email, asked, rig.paths)
        assert {record.ref for record in found} == {refs[0], refs[1], twin}
        assert len(found) == 3

    def test_creates_and_updates_are_answered_in_their_order(self, rig: Rig) -> None:
        """Each write has its own outcome in its own place; what was written is there."""
        people = [rig.person(number) for number in range(4)]
        made = rig.connector.write(rig.kind, [Write(n, rig.ref(), values) for n, values in enumerate(people)])
        assert results(made) == ["applied"] * 4
        refs = [rig.ref(outcome.id) for outcome in made]
        assert [rig.stored(ref, rig.last) for ref in refs] == [f"Last{number}" for number in range(4)]
        changed = rig.connector.write(
            rig.kind, [update(ref, **{rig.last: f"New{n}"}) for n, ref in enumerate(reversed(refs))]
        )
        assert [outcome.id for outcome in changed] == [ref.id for ref in reversed(refs)]
        assert [rig.stored(ref, rig.last) for ref in refs] == ["New3", "New2", "New1", "New0"]

    def test_null_clears_a_field(self, rig: Rig) -> None:
        """A written null empties the field at the vendor."""
        ref = rig.create(rig.person(1))
        assert results(rig.connector.write(rig.kind, [update(ref, **{rig.email: None})])) == ["applied"]
        assert rig.stored(ref, rig.email) is None

    def test_one_bad_row_harms_no_other(self, rig: Rig) -> None:
        """A row that the vendor refuses or that is gone has its own outcome; the rows around it are applied."""
        refs = [rig.create(rig.person(number)) for number in range(4)]
        rig.delete(refs[2])
        schema = rig.connector.describe(rig.kind)[0]
        bad = {
            next(
                path for path, field in schema.fields.items() if not field.updateable and field.type != "id"
            ): "x"
        }
        outcomes = rig.connector.write(
            rig.kind,
            [
                update(refs[0], **{rig.last: "Good"}),
                update(refs[1], **bad),
                update(refs[2], **{rig.last: "Gone"}),
                update(refs[3], **{rig.last: "Good too"}),
            ],
        )
        assert results(outcomes) == ["applied", "refused", "gone", "applied"]
        assert outcomes[1].errors
        assert rig.stored(refs[3], rig.last) == "Good too"

    def test_a_create_under_a_taken_key_changes_nobody(self, rig: Rig) -> None:
        """A create that meets an existing record names it and leaves it as it is, where anything is unique."""
        if not rig.keyed:
            assert not rig.connector.capabilities.unique_keys.get(rig.kind_of_record)
            return
        key = rig.key or rig.email
        taken = rig.create(rig.person(1, **{key: "taken@mail.example"}))
        rig.later()
        (outcome,) = rig.connector.write(
            rig.kind, [Write(1, rig.ref(), rig.person(2, **{key: "taken@mail.example"}), rig.key)]
        )
        assert (outcome.result, outcome.id) == ("exists", taken.id)
        assert rig.stored(taken, rig.last) == "Last1"

    def test_a_deletion_takes_these_records_and_no_other(self, rig: Rig) -> None:
        """Where records of a kind can be deleted those named are gone and the feed says so; one that is gone already is
        said to be. Where they cannot, each is refused with a meaning and stays."""
        refs = [rig.create(rig.person(number)) for number in range(3)]
        rig.later()
        since = quiet(rig)
        gone = [Write(number, ref, {}, delete=True) for number, ref in enumerate(refs[:2])]
        outcomes = rig.connector.write(rig.kind, gone)
        if rig.kind not in rig.connector.capabilities.deletes:
            assert results(outcomes) == ["refused", "refused"]
            assert {each.errors[0].meaning for each in outcomes} == {Meaning.PERMISSION}
            assert rig.stored(refs[0], rig.last) == "Last0"
            return
        assert [(each.result, each.id) for each in outcomes] == [("applied", ref.id) for ref in refs[:2]]
        rig.later()
        told = {event.ref for event in read_all(rig, since).events if event.kind == "deleted"}
        assert told == set(refs[:2])
        assert [each is None for each in rig.connector.fetch(rig.kind, refs, rig.paths)] == [
            True,
            True,
            False,
        ]
        assert results(rig.connector.write(rig.kind, gone[:1])) == ["gone"]

    def test_no_writes_and_no_calls(self, rig: Rig) -> None:
        """Nothing to write is nothing to say."""
        rig.connector.describe(rig.kind)
        before = rig.calls
        assert rig.connector.write(rig.kind, []) == []
        assert rig.calls == before

    def test_the_schema_knows_what_is_read(self, rig: Rig) -> None:
        """The live schema describes every plain path, and says which fields cannot be written."""
        for schema in rig.connector.describe(rig.kind):
            assert schema.system == rig.system
            for path in rig.paths.get(schema.object, ()):
                assert "." in path or path in schema.fields
        assert not all(field.updateable for field in rig.connector.describe(rig.kind)[0].fields.values())

    @pytest.mark.parametrize("question", ["describe", "changes", "fetch", "find", "write"])
    def test_a_kind_that_it_does_not_know_is_fatal(self, rig: Rig, question: str) -> None:
        """A kind that the connector does not offer is a fault of the mapping, said with a next step and no call."""
        connector, before = rig.connector, rig.calls
        asked: dict[str, Callable[[], object]] = {
            "describe": lambda: connector.describe("ticket"),
            "changes": lambda: list(connector.changes("ticket", None, rig.paths)),
            "fetch": lambda: connector.fetch("ticket", [], rig.paths),
            "find": lambda: connector.find("ticket", rig.kind_of_record, rig.email, [], rig.paths),
            "write": lambda: connector.write("ticket", []),
        }
        with pytest.raises(Fatal, match="ticket") as caught:
            asked[question]()
        assert caught.value.next_step
        assert rig.calls == before

    def test_the_kind_is_declared(self, rig: Rig) -> None:
        """Capabilities say how the kind is read and that it may be written, without a call."""
        before = rig.calls
        declared = rig.connector.capabilities
        assert declared.feeds[rig.kind] == rig.feed
        assert rig.kind not in declared.read_only
        assert rig.calls == before

    def test_an_unreadable_cursor_is_fatal(self, rig: Rig) -> None:
        """A cursor that is not the connector's own stops the system instead of reading from anywhere."""
        with pytest.raises(Fatal) as caught:
            read_all(rig, "not a cursor")
        assert caught.value.next_step


class HttpConnectorSuite(ConnectorSuite):
    """The contract of systems behind a network."""

    @pytest.mark.parametrize(
        "fault", ["rate_limited", "server_error", "dropped_before", "half_answer", "lost_after_commit"]
    )
    def test_reads_are_repeated(self, rig: HttpRig, fault: str) -> None:
        """A read that failed in passing is repeated after the vendor's wait, and nobody notices."""
        ref = rig.create(rig.person(1))
        cursor = quiet(rig)
        rig.edit(ref, {rig.last: "Changed"})
        rig.later()
        rig.clock.slept.clear()
        rig.faults.script += [fault] * 3
        found = read_all(rig, cursor)
        assert list(found.records) == [ref]
        assert rig.faults.script == []
        assert len(rig.clock.slept) == 3
        assert fault != "rate_limited" or min(rig.clock.slept) >= 5.0

    def test_under_random_faults_everything_is_read_in_the_end(self, rig: HttpRig) -> None:
        """Whoever goes on from the last cursor after every error has read everything, however often it breaks."""
        refs = {rig.create(rig.person(number)) for number in range(rig.page + 40)}
        rig.later()
        rig.connector.describe(rig.kind)
        dice = random.Random(5)
        breaking = ("rate_limited", "server_error", "dropped_before", "half_answer", "lost_after_commit")
        seen: set[Ref] = set()
        cursor, ended = None, False
        for _ in range(100):
            rig.faults.script = [dice.choice(breaking) for _ in range(dice.choice((0, 1, 2, 7)))]
            try:
                for page in rig.connector.changes(rig.kind, cursor, rig.paths):
                    seen.update(record.ref for record in page.records)
                    cursor, ended = page.cursor, page.last
                    rig.faults.script = [dice.choice(breaking) for _ in range(dice.choice((0, 1, 2, 7)))]
            except Retryable:
                continue
            if ended:
                break
        rig.faults.script.clear()
        assert ended
        assert seen == refs

    def test_reads_give_up_in_the_end(self, rig: HttpRig) -> None:
        """A vendor that stays ill is tried again later by whoever asked, not for ever here."""
        cursor = quiet(rig)
        rig.faults.script += ["server_error"] * 6
        with pytest.raises(Retryable) as caught:
            read_all(rig, cursor)
        assert caught.value.after >= 5.0
        assert read_all(rig, cursor).listed == []

    @pytest.mark.parametrize("fault", ["lost_after_commit", "half_answer"])
    def test_a_lost_answer_is_doubt_and_no_second_write(self, rig: HttpRig, fault: str) -> None:
        """Where the answer to a write is lost the call is in doubt; the vendor's ledger shows it executed once."""
        quiet(rig)
        rig.faults.script.append(fault)
        with pytest.raises(InDoubt):
            rig.connector.write(rig.kind, [Write(n, rig.ref(), rig.person(n)) for n in range(2)])
        assert [entry.verb for entry in rig.ledger] == ["create", "create"]
        rig.later()
        addresses = [f"p{number}@mail.example" for number in range(2)]
        found = rig.connector.find(rig.kind, rig.kind_of_record, rig.email, addresses, rig.paths)
        assert {record.values[rig.last] for record in found} == {"Last0", "Last1"}

    def test_a_read_by_id_sees_a_write_that_shows_up_late(self, rig: HttpRig) -> None:
        """While feeds and look-ups do not show a write yet, a read by id does."""
        ref = rig.create(rig.person(1))
        rig.later()
        assert rig.connector.fetch(rig.kind, [ref], rig.paths)[0] is not None
        rig.faults.script += ["late_visibility"] * 3
        assert results(rig.connector.write(rig.kind, [update(ref, **{rig.last: "Fresh"})])) == ["applied"]
        (found,) = rig.connector.fetch(rig.kind, [ref], rig.paths)
        rig.faults.script.clear()
        assert found is not None
        assert found.values[rig.last] == "Fresh"

    def test_a_write_dropped_before_it_was_executed_is_doubt_too(self, rig: HttpRig) -> None:
        """A connection that ends without an answer says nothing about the write; here it was not executed."""
        quiet(rig)
        rig.faults.script.append("dropped_before")
        with pytest.raises(InDoubt):
            rig.connector.write(rig.kind, [Write(1, rig.ref(), rig.person(1))])
        assert rig.ledger == []

    def test_a_write_that_acts_late_is_not_repeated(self, rig: HttpRig) -> None:
        """A request that is executed after its connection has ended is executed once."""
        ref = rig.create(rig.person(1))
        quiet(rig)
        rig.faults.script.append("acts_late")
        with pytest.raises(InDoubt):
            rig.connector.write(rig.kind, [update(ref, **{rig.last: "Late"})])
        rig.later(1.9)
        for _ in range(200):
            if rig.ledger:
                break
            rig.server._stopping.wait(0.01)
        assert [entry.verb for entry in rig.ledger] == ["update"]
        assert rig.stored(ref, rig.last) == "Late"

    def test_a_server_error_after_a_write_is_doubt(self, rig: HttpRig) -> None:
        """A vendor that fails while writing may have written."""
        quiet(rig)
        rig.faults.script.append("server_error")
        with pytest.raises(InDoubt):
            rig.connector.write(rig.kind, [Write(1, rig.ref(), rig.person(1))])
        assert rig.ledger == []

    def test_a_write_refused_for_its_rate_was_not_executed(self, rig: HttpRig) -> None:
        """A rate limit is no doubt: the write may be sent again after the vendor's wait."""
        quiet(rig)
        rig.faults.script.append("rate_limited")
        with pytest.raises(Retryable) as caught:
            rig.connector.write(rig.kind, [Write(1, rig.ref(), rig.person(1))])
        assert caught.value.after >= 5.0
        assert not isinstance(caught.value, QuotaSpent)
        assert rig.ledger == []

    def test_a_token_may_expire_between_pages(self, rig: HttpRig) -> None:
        """A token that ends in the middle of a reading is renewed, and the page is read once more."""
        refs = {rig.create(rig.person(number)) for number in range(rig.page + 5)}
        rig.later()
        pages = []
        for page in rig.connector.changes(rig.kind, None, rig.paths):
            pages.append(page)
            rig.expire()
        assert {record.ref for page in pages for record in page.records} == refs

    def test_a_write_under_an_expired_token_is_executed_once(self, rig: HttpRig) -> None:
        """A refused token means that nothing was executed, so the write is replayed once."""
        quiet(rig)
        rig.expire()
        made = rig.connector.write(rig.kind, [Write(1, rig.ref(), rig.person(1))])
        assert results(made) == ["applied"]
        assert [entry.verb for entry in rig.ledger] == ["create"]

    def test_wrong_credentials_are_fatal_and_say_what_to_do(self, rig: HttpRig) -> None:
        """Credentials that the vendor refuses stop the system with a next step."""
        wrong = rig.opened(client_secret="another")
        with pytest.raises(Fatal) as caught:
            wrong.describe(rig.kind)
        assert "client_secret" in caught.value.next_step
        wrong.close()

    def test_an_address_where_nobody_ever_answered_is_fatal(self, rig: HttpRig) -> None:
        """A host that was never reached is a setting to correct; reads say so after some attempts."""
        lost = self.elsewhere(rig)
        with pytest.raises(Fatal) as caught:
            lost.describe(rig.kind)
        assert "address" in caught.value.next_step
        lost.close()

    def test_a_vendor_that_is_away_for_a_while_is_no_reason_to_stop(self, rig: HttpRig) -> None:
        """Where somebody answered before, no connection means that nothing was executed: later again."""
        cursor = quiet(rig)
        rig.server.stop()
        with pytest.raises(Retryable):
            read_all(rig, cursor)
        with pytest.raises(Retryable):
            rig.connector.write(rig.kind, [Write(1, rig.ref(), rig.person(1))])
        assert rig.ledger == []

    def elsewhere(self, rig: HttpRig) -> Connector:
        """A connector whose vendor lives at a port where nobody listens."""
        url = "http://127.0.0.1:9"
        named = {"rest_url": f"{url}/rest"} if "rest_url" in self.settings(rig) else {"login_url": url}
        return rig.opened(**named)

    @staticmethod
    def settings(rig: HttpRig) -> set[str]:
        """Names of the settings that the system has."""
        return set(type(rig.connector.client.config).model_fields)  # type: ignore[attr-defined]

    def test_secrets_show_up_nowhere(self, rig: HttpRig, caplog: pytest.LogCaptureFixture) -> None:
        """No log line, error, call record or representation holds a secret or a token."""
        caplog.set_level(logging.DEBUG)
        said: list[str] = []
        wrong = rig.opened(client_secret=CANARY)
        with pytest.raises(Fatal) as caught:
            wrong.describe(rig.kind)
        said += [repr(caught.value), str(caught.value), repr(wrong.client.config), repr(vars(wrong))]  # type: ignore[attr-defined]
        quiet(rig)
        rig.faults.script.append("lost_after_commit")
        with pytest.raises(InDoubt) as doubt:
            rig.connector.write(
                rig.kind, [Write(1, rig.ref(), rig.person(1, **{rig.email: "canary@mail.example"}))]
            )
        said += [
            repr(doubt.value),
            str(doubt.value),
            str(doubt.value.__cause__),
            *map(repr, rig.log),
            caplog.text,
        ]
        client = rig.connector.client  # type: ignore[attr-defined]
        token = client.http._client.auth._token
        said += [repr(token), repr(client.http._client.auth)]
        text = "\n".join(said)
        for secret in (CANARY, token.value, "canary@mail.example", rig.settings_secret):
            assert secret not in text
        wrong.close()
