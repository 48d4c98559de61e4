"""Both sides compared while everybody looks on: each injected gap is found by name, and mended by the engine itself.

The gaps are made within the fake vendors, past everything that they would tell; what is right is asked of them too.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from renkei.daemon.beside import service_of
from renkei.fakes import Fakes
from renkei.reconcile import Sources, reconcile
from renkei.settings import open_project
from renkei.wire import build, look
from state.post import post_command
from state.reader import Reader
from state.service import command
from sync.compare import ALONE, DIFFERENT, DOUBLE, MISSING, STALE, UNKNOWN
from sync.doubted import reread
from sync.errors import Retryable
from sync.normalise import decode_body, encode
from sync.ports import Connector, Paths
from sync.record import Page, Ref, Side
from sync.rows import DONE, CursorRow, Patch, RecordRow
from tests.support.command import Place, new_place
from tests.support.comparing import LONG, compared, mended, named
from tests.support.serving import Serving, configure
from tests.support.town import MARKETO, SALESFORCE, Town


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    """Six people on both sides and at rest."""
    with Town(tmp_path) as made:
        for number in range(3):
            made.lead(
                email=f"ma{number}@x.example",
                lastName=f"m{number}",
                company="Acme",
                title="部長",
                leadScore=80,
            )
            made.record(Email=f"sfa{number}@x.example", LastName=f"s{number}", Title="課長")
        made.wait()
        made.open()
        yield made


def silently(town: Town, object_: str, key: str, **values: Any) -> None:
    """Change a record without moving its stamps, as a formula does."""
    table = town.salesforce.tables[object_]
    with town.salesforce_api.lock:
        table.put({**table.rows[key], **values})


def swallow(town: Town) -> None:
    """Have both feeds say nothing of what happened so far: cursors move past it, and sweeps look no further back."""
    town.wait(LONG)
    patch = Patch()
    for side in Side:
        (row,) = town.store.get(CursorRow, [(town.world.lens.system(side), town.world.kind, "front")])
        *_, last = town.world.connectors[side].changes(town.world.kind, row.value, town.world.paths(side))
        patch.put(row._replace(value=last.cursor, at=town.clock.now()))
    town.store.commit(patch)
    town.wait(LONG)
    town.quiet()


def sides_of(town: Town, number: int) -> tuple[Ref, Ref]:
    """One person's records on both sides."""
    (lead,) = town.having(MARKETO, "email", f"ma{number}@x.example")
    (sales,) = town.having(SALESFORCE, "Email", f"ma{number}@x.example")
    return lead, sales


def test_two_sides_at_rest_have_no_gap(town: Town) -> None:
    """Every person is compared and equal, nothing is written to a vendor, and the journal stays as it is."""
    writes, version = town.write_calls, town.store.numbers(1)[0]
    report = compared(town)
    assert report.well, report
    assert (report.compared, report.equal) == (6, 6)
    assert report.read == {MARKETO: len(town.live(MARKETO)), SALESFORCE: len(town.live(SALESFORCE))}
    assert town.write_calls == writes
    assert town.store.numbers(1)[0] == version + 1


def test_a_change_that_no_feed_told_is_found_and_mended(town: Town) -> None:
    """What was typed at Marketo and swallowed by its feed is named as seen otherwise; once read again it is carried."""
    lead, sales = sides_of(town, 0)
    town.edit(lead, title="本部長")
    swallow(town)
    assert town.value(sales, "Title") == "部長"
    report = compared(town)
    assert (named(report, STALE), report.gaps.total()) == ({lead}, 1)
    assert report.explained[DIFFERENT]["unread"] == 1
    assert mended(town).well
    assert town.value(sales, "Title") == "本部長"


def test_a_change_without_a_stamp_is_found_and_mended(town: Town) -> None:
    """A value that moves no stamp is found though no feed can ever tell it, with the field's name."""
    lead, sales = sides_of(town, 1)
    silently(town, sales.object, sales.id, Title="顧問")
    town.wait(LONG)
    town.quiet()
    (gap,) = compared(town).named
    assert (gap.kind, gap.refs, gap.field) == (STALE, (sales,), "title")
    assert mended(town).well
    assert town.row(sales).refetch_at == 0.0
    assert town.value(lead, "title") == town.value(sales, "Title")


def test_a_record_that_became_visible_too_late_is_found_and_mended(town: Town) -> None:
    """A record under an old stamp behind the cursor, as an equal stamp over a page's border would leave it, is named
    as never seen; once read it is a person like any other."""
    late = town.record(Email="late@x.example", LastName="late")
    swallow(town)
    assert not town.having(MARKETO, "email", "late@x.example")
    report = compared(town)
    assert (named(report, UNKNOWN), report.gaps.total()) == ({late}, 1)
    assert mended(town).well
    assert len(town.having(MARKETO, "email", "late@x.example")) == 1


def test_a_record_that_vanished_without_a_word_is_found(town: Town) -> None:
    """A record erased past every log is named as missing; once asked for by id it is known as not shown, which is an
    explanation and no gap, and nobody is created anew."""
    lead, sales = sides_of(town, 2)
    table = town.salesforce.tables[sales.object]
    with town.salesforce_api.lock:
        town.salesforce.human_hard_delete(sales.object, sales.id)
        table.deleted_log.clear()
    town.quiet()
    report = compared(town)
    assert (named(report, MISSING), report.gaps.total()) == ({sales}, 1)
    after = mended(town)
    assert after.well
    assert after.explained["orphaned"]["not_shown"] == 1
    assert not town.having(SALESFORCE, "Email", "ma2@x.example")
    assert town.values(lead)


def test_a_double_that_nobody_told_is_found_and_known_as_a_twin(town: Town) -> None:
    """A second live record of one person is named, and explained once the engine knows it as a twin, which is
    listed as such once nothing speaks for it any more (ADR 0018)."""
    _lead, sales = sides_of(town, 0)
    again = town.record(Email="ma0@x.example", LastName="again")
    swallow(town)
    report = compared(town)
    assert named(report, DOUBLE) == {sales, again}
    assert named(report, UNKNOWN) == {again}
    after = mended(town)
    assert after.well, after.named
    assert after.explained[DOUBLE] == {"twin": 1}
    silently(town, again.object, again.id, Email="somebody@else.example")
    apart = mended(town)
    assert (apart.well, apart.explained[ALONE]) == (True, {"apart": 1})
    town.record(Email="somebody@else.example", LastName="like the twin")
    town.wait(LONG)
    town.quiet()
    both = compared(town)
    assert (both.well, both.explained[ALONE]) == (True, {"apart": 2})


def test_an_opt_out_that_nobody_told_is_found_and_carried(town: Town) -> None:
    """An opt-out set past every stamp is named as seen otherwise; once read it stands on both sides."""
    lead, sales = sides_of(town, 0)
    silently(town, sales.object, sales.id, HasOptedOutOfEmail=True)
    town.wait(LONG)
    town.quiet()
    assert not town.value(lead, "unsubscribed")
    report = compared(town)
    assert (named(report, STALE), report.gaps.total()) == ({sales}, 1)
    assert mended(town).well
    assert town.value(lead, "unsubscribed") is True
    assert town.value(sales, "HasOptedOutOfEmail") is True


def test_several_gaps_at_once_are_all_named_and_mended(town: Town) -> None:
    """A swallowed change, one without a stamp and a record never seen are told apart in one go, each once."""
    lead, _ = sides_of(town, 0)
    _, sales = sides_of(town, 1)
    town.edit(lead, title="本部長")
    late = town.record(Email="late@x.example", LastName="late")
    swallow(town)
    silently(town, sales.object, sales.id, Title="顧問")
    report = compared(town)
    assert (named(report, STALE), named(report, UNKNOWN)) == ({lead, sales}, {late})
    assert report.gaps.total() == 3
    after = mended(town)
    assert after.well
    assert after.compared == after.equal == report.compared + 1


def test_what_waits_or_was_agreed_is_explained(town: Town) -> None:
    """A change that is noted and planned but not sent is a difference with a reason, and no gap."""
    lead, _sales = sides_of(town, 1)
    town.edit(lead, title="顧問")
    town.wait(LONG)
    town.cycle(send=False)
    report = compared(town)
    assert report.well
    assert report.explained[DIFFERENT] == {"waiting": 1}
    assert not any(report.buckets.values())  # both sides are compared with each other also in equal buckets
    assert report.equal == report.compared - 1


def test_what_was_not_read_to_its_end_is_never_called_well(town: Town) -> None:
    """A reading that ends before the vendor said so ends the comparison with an error."""
    sides: dict[Side, Any] = dict(town.world.connectors)
    sides[Side.SFA] = _Short(sides[Side.SFA])
    with Reader(Path(town._folder) / "state.db") as reader:
        sources = Sources(connectors=sides, reader=reader, clock=town.clock)
        with pytest.raises(Retryable, match="not read to its end"):
            reconcile(town.world.lens.rules, [town.world.lens.rules], sources)


class _Short:
    """A system whose last page never comes."""

    def __init__(self, inner: Connector) -> None:
        self.inner = inner

    def changes(self, kind: str, since: str | None, paths: Paths) -> Iterator[Page]:
        """All pages, none of which says that it is the last."""
        for page in self.inner.changes(kind, since, paths):
            yield page._replace(last=False)


def test_the_command_tells_gaps_by_its_exit_code(tmp_path: Path, capsys: Any) -> None:
    """At rest it leaves with 0 and names its figures; a record of which the journal has another value is a gap,
    exit code 1, named by --show; after --mend and a sync it is 0 again. What both vendors counted is what the forecast
    said, as a share of either's day."""
    with Fakes("--persons", "40", "--role", "0", "--seed", "3") as fakes:
        place = new_place(tmp_path / "project", fakes)
        assert place.quick(capsys, "reconcile").code == 2  # nothing was ever read
        place.quick(capsys, "sync", "--first", "--canary", "0")
        place.quick(capsys, "sync")
        before = fakes.ask("status")["writes"]
        settings = place.folder / "renkei.yaml"
        since = f"{datetime.now(UTC) - timedelta(days=180):%Y-%m-%d}"
        as_it_was = settings.read_text("utf-8")
        slow = re.sub('earliest: "[-0-9]+"', f"earliest: {since}", as_it_was)
        slow = slow.replace("poll_seconds: 0.2", "poll_seconds: 0.6")  # a job is done by the second question
        settings.write_text(slow, "utf-8")
        dry = place.quick(capsys, "reconcile", "--dry-run", "--json").data["routes"][0]
        calls = fakes.ask("status")["calls"]
        said = place.quick(capsys, "reconcile", "--json")
        assert said.code == 0, said.out + said.err
        (route,) = said.data["routes"]
        assert route["compared"] > 0
        assert not any(route["gaps"].values())
        later = fakes.ask("status")["calls"]
        made = {side: Counter(later[side]) - Counter(calls[side]) for side in later}
        empty = (
            dry["forecast"]["marketo"]["jobs"] - made["marketo"]["extract file"]
        )  # months that give no file
        assert dry["forecast"]["marketo"]["jobs"] == made["marketo"]["extract create"] == 6
        asked = made["marketo"]["extract status"] - 9  # as the machine is slow or quick
        for side, besides, more in (("marketo", "identity", empty - asked), ("salesforce", "token", 0)):
            counted = made[side].total() - made[side][besides]
            assert abs(dry["forecast"][side]["calls"] - more - counted) <= 2, (dry, made)
        screen = place.quick(capsys, "reconcile", "--dry-run", "--lang", "en").out
        settings.write_text(as_it_was, "utf-8")
        assert ("in 6 jobs of its own" in screen, screen.count("% of the day's")) == (True, 2), screen
        blurred = _blur(place, capsys)
        said = place.quick(capsys, "reconcile", "--show", "--json")
        assert said.code == 1
        assert said.data["routes"][0]["gaps"]["stale"] == 1
        assert said.data["routes"][0]["shown"][0]["records"] == [blurred]
        assert fakes.ask("status")["writes"] == before
        text = place.quick(capsys, "reconcile", "--mend", "--lang", "en")
        assert text.code == 1
        assert "1 record is read again" in text.out
        assert "salesforce 1 of 256" in text.out
        assert "Plan after reading again; nothing was written." in text.out
        assert fakes.ask("status")["writes"] == before
        place.quick(capsys, "sync")
        assert place.quick(capsys, "reconcile", "--json").code == 0


def test_after_mending_the_plan_is_shown_and_nothing_is_written(tmp_path: Path, capsys: Any) -> None:
    """The gaps are read again at once, and with what was typed since the last sync everything that would be written is
    listed as `plan` lists it; the vendors have taken nothing until `sync` delivers it."""
    with Fakes("--persons", "40", "--role", "0", "--seed", "3") as fakes:
        place = new_place(tmp_path / "project", fakes)
        place.quick(capsys, "sync", "--first", "--canary", "0")
        _blur(place, capsys)
        fakes.ask("edits/start", {"rate": 20, "seconds": 1.0, "collide_share": 0.0, "optout_share": 0.0})
        while fakes.ask("status")["running"]:
            time.sleep(0.05)
        before = fakes.ask("status")["writes"]
        (route,) = place.quick(capsys, "reconcile", "--mend", "--json").data["routes"]
        assert route["asked_to_read_again"] > 0
        assert route["plan"]["total"] == sum(sum(each.values()) for each in route["plan"]["actions"].values())
        assert route["plan"]["total"] > 0
        assert route["plan"]["examples"]
        assert fakes.ask("status")["writes"] == before
        place.quick(capsys, "sync")
        assert fakes.ask("status")["writes"] != before


def _blur(place: Place, capsys: Any) -> str:
    """Have the journal believe something else of one record, under the stamp that it has: as if a value had changed
    without moving it. What we wrote is read back first."""
    until = time.monotonic() + 30.0
    while time.monotonic() < until:
        place.quick(capsys, "sync")
        with build(open_project(place.folder)) as wired:
            marks = wired.store.dirty("person", ["salesforce"], 0, 1_000)
            rows = wired.store.get(RecordRow, [(each.system, each.object, each.id) for each in marks])
            for row in rows:
                if row.version and not row.unconfirmed and not row.refetch_at:
                    patch = Patch()
                    patch.put(row._replace(body=encode({**decode_body(row.body), "Title": "顧問"})))
                    wired.store.commit(patch)
                    return f"{row.system}:{row.id}"
        time.sleep(1.0)
    raise AssertionError("nothing was ever read back")


def test_beside_the_service_nothing_that_moves_is_a_gap(tmp_path: Path, capsys: Any) -> None:
    """While the service owns the state and people type on both sides, the comparison runs and calls nothing a gap; a
    request to read again is taken up by the service by itself."""
    with Fakes("--persons", "40", "--role", "0", "--seed", "3") as fakes:
        place = new_place(tmp_path / "project", fakes)
        place.quick(capsys, "sync", "--first", "--canary", "0")
        place.quick(capsys, "sync")
        configure(place)
        with Serving(place) as service:
            project = open_project(place.folder)
            service.until(lambda: service_of(project) is not None)
            fakes.ask("edits/start", {"rate": 10, "seconds": 1.0, "collide_share": 0.0, "optout_share": 0.0})
            said = place.quick(capsys, "reconcile", "--mend", "--json")
            assert said.code == 0, said.out + said.err
            ref = Ref("marketo", "Lead", "1001")
            number = post_command(project.state, reread(time.time(), "jp-person", [ref]))
            service.until(lambda: _state(place, number) == DONE)


def _state(place: Place, number: int) -> str:
    with look(open_project(place.folder)) as reader:
        row = command(reader, number)
    assert row is not None
    return row.state
