"""Ids with check characters, and stamps in the vendor's one shape."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulators.salesforce.ids import new_id, normalise, suffix
from simulators.salesforce.stamps import read_stamp, seconds_of, stamp


def test_check_characters_agree_with_a_published_example() -> None:
    """The three check characters follow the vendor's algorithm, shown by an id known from its documentation."""
    assert suffix("001A0000006Vm9r") == "IAC"


@given(st.integers(1, 62**6))
def test_an_id_survives_loss_of_case_and_of_its_check_characters(number: int) -> None:
    """Fifteen characters are widened to the same eighteen; eighteen find their case again."""
    key = new_id("00Q", number)
    assert normalise(key[:15]) == key
    assert normalise(key.lower()) == key
    assert normalise(key.upper()) == key


@given(st.integers(1, 10**9), st.integers(1, 10**9))
def test_ids_sort_in_order_of_creation(one: int, other: int) -> None:
    """Walking by id sees records in the order in which they were made."""
    assert (new_id("00Q", one) < new_id("00Q", other)) == (one < other)


@pytest.mark.parametrize("text", ["", "00Q", "00Q5g0000000001EA", "00Q5g0000000001EA!", "00Q5g00000000019AA"])
def test_what_is_no_id_is_not_taken_for_one(text: str) -> None:
    """Wrong length, letters or check characters are no id."""
    assert normalise(text) is None


def test_stamps_have_milliseconds_and_an_offset_without_colon() -> None:
    """Checklist: `+0000` stamps."""
    assert stamp(1_795_309_323.004) == "2026-11-22T01:02:03.004+0000"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22T01:02:03Z",
        "2026-11-22T10:02:03+09:00",
        "2026-11-21T20:02:03.000-0500",
        "2026-11-22T01:02:03.0000Z",
    ],
)
def test_any_offset_is_read_into_the_same_stamp(text: str) -> None:
    """Input takes Z and offsets with or without a colon; output is one shape, so text order is time order."""
    assert read_stamp(text) == "2026-11-22T01:02:03.000+0000"


@pytest.mark.parametrize("text", ["2026-11-22T01:02:03", "2026-13-22T01:02:03Z", "2026-11-22", "now"])
def test_a_time_without_offset_or_sense_is_none(text: str) -> None:
    """A time without an offset is no time."""
    assert read_stamp(text) is None


@given(st.integers(0, 4_000_000_000_000))
def test_a_stamp_reads_back(millis: int) -> None:
    """Writing and reading a stamp loses nothing above a millisecond."""
    assert round(seconds_of(stamp(millis / 1000)) * 1000) == millis
