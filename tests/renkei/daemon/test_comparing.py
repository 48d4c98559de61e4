"""Both sides compared by the service itself: at its hour, once, in the lowest lane; and never called complete unless
everything was read. The fake vendors say what was written and how many there are."""

from __future__ import annotations

import threading
import time
from datetime import datetime, timedelta
from typing import Any

import pytest

from renkei.daemon.comparing import Comparing, slot_of
from renkei.daemon.comparison import is_well, line, told_of
from renkei.daemon.notes import COMPARED, Notes
from renkei.serving import read_service
from renkei.settings import open_project
from renkei.wire import build
from renkei.words import Words
from sync.errors import Retryable
from sync.rows import Patch, RecordRow
from tests.support.command import Place
from tests.support.serving import Serving, configure, written

ROUTE = "jp-person"
LAST: dict[str, Any] = {
    "began": 0.0, "gaps": {"missing": 0, "different": 0, "double": 0},
    "explained": {"different": {"waiting": 2}}, "buckets": {},
}  # fmt: skip
NOTE: dict[str, Any] = {"slot": 1.0, "last": LAST}


def due(place: Place) -> None:
    """Configure the service to compare at an hour that has just passed, and have it believe that it last saw that hour
    yesterday: as after a night in which it was down."""
    at = datetime.now().astimezone() - timedelta(minutes=1)
    configure(place, more=f', reconcile: "{at:%H:%M}"')
    keep(place, {"slot": time.time() - 86_400.0})


def keep(place: Place, note: dict[str, Any]) -> None:
    """Put a note into the journal while no service runs."""
    with build(open_project(place.folder)) as wired:
        Notes(wired.store).write(f"{COMPARED}{ROUTE}", note, time.time())


def note_of(place: Place) -> dict[str, Any]:
    """What `status` says of the comparison, as data."""
    found: dict[str, Any] = place.renkei("status", "--json").data["routes"][0]["compared"] or {}
    return found


def events(service: Serving, name: str) -> list[dict[str, Any]]:
    """The service's lines about one event."""
    return [each for each in service.log if each["event"] == name]


def test_an_hour_that_passed_is_made_up_for_once_and_told(place: Place) -> None:
    """A service that was down at the hour compares at once, beside its cycles: nothing is written, everybody on both
    sides was read, the screen, the data and the figures call it complete; the next start does not do it again."""
    place.sync()
    due(place)
    with Serving(place) as service:
        before = written(place)
        service.until(lambda: events(service, "compare ends"), 60)
        service.until(lambda: service.figure("renkei_compare_complete") == 1)
        cycles = service.figure("renkei_cycles_total")
        service.until(lambda: service.figure("renkei_cycles_total") > cycles + 5)
        assert len(events(service, "compare begins")) == 1
        assert service.figure("renkei_compare_gaps") == 0
        assert service.figure("renkei_compare_complete_timestamp_seconds") > time.time() - 120
        assert written(place) == before
        service.end()
    last = note_of(place)["last"]
    live = {side: len(records) for side, records in place.live().items()}
    assert last["read"] == {"marketo": live["marketo"], "salesforce": live["salesforce"]}
    assert last["compared"] >= last["equal"] > 0
    assert not any(last["gaps"].values())
    shown = place.renkei("status", "--lang", "en").out
    assert f"{ROUTE}   complete: last two-sided compare " in shown
    assert "0 missing, " in shown
    assert "照合完了: 最後の両システム照合" in place.renkei("status", "--lang", "ja").out
    with Serving(place) as service:
        service.until(lambda: service.figure("renkei_cycles_total") > 5)
        assert not events(service, "compare begins")
        service.end()


def test_a_gap_is_told_as_an_alarm_and_named(place: Place) -> None:
    """A record that vanished without a word is found at its hour: alarm, figure, exit code of `status`, and its name;
    read again and compared anew, the alarm is over."""
    lost = lose(place)
    due(place)
    with Serving(place) as service:
        service.until(lambda: events(service, "compare ends"), 60)
        service.until(lambda: any(each.get("kind") == "gaps" for each in events(service, "alarm begins")), 40)
        assert service.figure("renkei_compare_gaps") == 1
        assert service.figure("renkei_compare_uneven_buckets") == 1
        service.end()
    said = place.renkei("status", "--lang", "en")
    assert said.code == 1
    assert "with gaps: last two-sided compare" in said.out
    assert "1 missing (unexplained 1)" in said.out
    assert note_of(place)["last"]["shown"][0]["records"] == [lost]
    assert place.renkei("reconcile", "--mend").code == 1
    due(place)
    with Serving(place) as service:
        service.until(lambda: any(each.get("kind") == "gaps" for each in events(service, "alarm ends")), 60)
        service.end()
    assert is_well(note_of(place))


def test_a_comparison_that_could_not_read_everything_is_not_complete(place: Place) -> None:
    """Another application has taken so many calls that the lowest lane is shut: routes go on, the comparison does not,
    and what was complete before is named as the earlier one; it is tried again later, not in a hurry."""
    place.sync()
    due(place)
    keep(place, NOTE)
    place.fakes.ask("calls", {"marketo": 35_000, "salesforce": 70_000})
    with Serving(place) as service:
        service.until(lambda: events(service, "compare could not read everything"), 60)
        service.until(
            lambda: any(each.get("kind") == "uncompared" for each in events(service, "alarm begins"))
        )
        service.until_ready()
        cycles = service.figure("renkei_cycles_total")
        service.until(lambda: service.figure("renkei_cycles_total") > cycles + 5)
        assert len(events(service, "compare begins")) == 1
        assert service.figure("renkei_compare_complete") == 0
        service.end()
    said = place.renkei("status", "--lang", "en")
    assert said.code == 1
    assert "not complete: the compare that ended" in said.out
    assert f"{ROUTE}   complete" not in said.out
    assert note_of(place)["again"] > time.time() + 1_000


def test_a_comparison_stands_aside_while_a_cycle_works(place: Place) -> None:
    """Its thread goes on to the next page when the cycle is over, not before; at the end of the service it ends."""
    ended: list[bool] = []
    passed: list[bool] = []
    with build(open_project(place.folder)) as wired:
        one = Comparing(
            wired, Notes(wired.store), lambda *_, **__: None, lambda: bool(ended), lambda _: False, str
        )
        one.begin([])

        def next_page() -> None:
            one._gate()
            passed.append(True)

        with one.aside():
            page = threading.Thread(target=next_page)
            page.start()
            page.join(0.3)
            assert passed == []
        page.join(10.0)
        assert passed == [True]
        ended.append(True)
        with pytest.raises(Retryable, match="begins anew"):
            one._gate()


def test_the_hour_is_the_last_that_came() -> None:
    """The minute of the day as it last came by this host's clock, today or yesterday."""
    noon = datetime(2026, 11, 22, 12, 0).astimezone().timestamp()
    assert slot_of(3 * 60, noon) == noon - 9 * 3_600
    assert slot_of(12 * 60, noon) == noon
    assert slot_of(13 * 60, noon) == noon - 23 * 3_600


def test_hours_are_read_for_all_routes_or_by_name() -> None:
    """One hour for all, an hour of a route's own, none where it is off or nothing is said; other words are refused."""
    block: dict[str, Any] = {"reconcile": {"a": "3:05", "b": "off"}}
    found = read_service(block, {})
    assert (found.compared_at("a"), found.compared_at("b"), found.compared_at("c")) == (185, None, None)
    assert read_service({"reconcile": "23:59"}, {}).compared_at("any") == 23 * 60 + 59
    assert read_service({}, {}).compared_at("any") is None
    for wrong in ("24:00", "3", 180, True, "03:60"):
        with pytest.raises(ValueError, match=r"service\.reconcile must be a time of day"):
            read_service({"reconcile": wrong}, {})


@pytest.mark.parametrize("language", ["en", "ja"])
def test_only_what_read_everything_is_called_complete(language: str) -> None:
    """The words of completeness stand with a comparison that ended whole and without gaps, and with no other."""
    words = Words(language)
    complete = words("compared.complete", last="")
    assert line({}, words) == line({"slot": 1.0}, words) == ""
    assert line(NOTE, words).startswith(complete)
    assert "2" in line(NOTE, words)
    assert told_of(NOTE, ROUTE, language) == []
    failed = NOTE | {"failed": {"at": 0.0, "why": "It is away."}}
    assert not line(failed, words).startswith(complete)
    assert [each.kind for each in told_of(failed, ROUTE, language)] == ["uncompared"]
    never = {"slot": 1.0, "failed": {"at": 0.0, "why": "It is away."}}
    assert words("compared.never") in line(never, words)
    gaps = {"slot": 1.0, "last": {**LAST, "gaps": {"missing": 1}}}
    assert not line(gaps, words).startswith(complete)
    assert [each.kind for each in told_of(gaps, ROUTE, language)] == ["gaps"]


def lose(place: Place) -> str:
    """Have the journal hold a lead as live that Marketo does not have and never spoke of: as if it had vanished past
    every log."""
    with build(open_project(place.folder)) as wired:
        mark = next(iter(wired.store.dirty("person", ["marketo"], 0, 1)))
        (row,) = wired.store.get(RecordRow, [(mark.system, mark.object, mark.id)])
        patch = Patch()
        number = wired.store.numbers(1)[0]
        quiet = row._replace(refetch_at=0.0, unconfirmed="", settled=0, settled_at=0.0)
        patch.put(quiet._replace(id="987654", entity=number))
        wired.store.commit(patch)
    return "marketo:987654"
