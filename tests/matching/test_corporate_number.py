"""Corporate numbers: published examples, and what typing errors do to them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.corporate_number import check_digit, normalise_corporate_number

BASES = st.text(alphabet="0123456789", min_size=12, max_size=12)


@pytest.mark.parametrize("number", ["7123456789012", "4011001098993", "2120901007402"])
def test_published_numbers_pass(number: str) -> None:
    """Numbers that authorities printed are read as they stand."""
    assert normalise_corporate_number(number) == number


@pytest.mark.parametrize(
    "written",
    [
        "T7123456789012",
        "７１２３４５６７８９０１２",
        "7-1234-5678-9012",
        " 7 1234 5678 9012 ",
        "t7123456789012",
    ],
)
def test_spellings_of_one_number_are_equal(written: str) -> None:
    """Width, gaps and the T of an invoice number do not make another company."""
    assert normalise_corporate_number(written) == "7123456789012"


@pytest.mark.parametrize(
    "text", ["", "T", "712345678901", "71234567890123", "8123456789012", "０", "株式会社"]
)
def test_what_is_no_corporate_number_is_none(text: str) -> None:
    """Another length, a wrong check digit or words identify nobody."""
    assert normalise_corporate_number(text) is None


@given(base=BASES)
def test_every_base_number_has_one_check_digit_from_one_to_nine(base: str) -> None:
    """Exactly one first digit makes a number of any twelve digits, and it is never 0."""
    passing = [digit for digit in "0123456789" if normalise_corporate_number(digit + base)]
    assert passing == [str(check_digit(base))]


@given(base=BASES, place=st.integers(0, 11), other=st.integers(1, 8))
def test_one_mistyped_digit_is_found_unless_nine_stands_for_nought(base: str, place: int, other: int) -> None:
    """Any single wrong digit is refused, but for 0 and 9, which the rule cannot tell apart."""
    wrong = str((int(base[place]) + other) % 10)
    mistyped = base[:place] + wrong + base[place + 1 :]
    same = {base[place], wrong} == {"0", "9"}
    assert (normalise_corporate_number(f"{check_digit(base)}{mistyped}") is not None) is same
