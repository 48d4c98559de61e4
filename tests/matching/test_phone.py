"""Telephone numbers: vectors from practice, and the short way against the library's own reading."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import phone
from matching.phone import PhoneClass, classify_phone, normalise_phone

DIGITS = st.text(alphabet="0123456789", min_size=1, max_size=13)


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("03-1234-5678", "+81312345678"),
        ("０３（１２３４）５６７８", "+81312345678"),
        ("+81 (0)3-1234-5678", "+81312345678"),
        ("81-3-1234-5678", "+81312345678"),
        ("312345678", "+81312345678"),
        ("090-1234-5678", "+819012345678"),
        ("０９０－１２３４－５６７８", "+819012345678"),
        ("0120-123-456", "+81120123456"),
        ("03-1234-5678 内線 12", "+81312345678"),
        ("03-1234-5678 ext. 12", "+81312345678"),
        ("+1 (650) 253-0000", "+16502530000"),
        ("010-1-650-253-0000", "+16502530000"),
    ],
)
def test_spellings_of_one_number_have_one_normal_form(written: str, normal: str) -> None:
    """Width, brackets, dashes, country code and extension do not make two numbers out of one."""
    assert normalise_phone(written) == normal


def test_the_region_says_how_a_national_number_is_read() -> None:
    """The same digits belong to the country that they are dialled in."""
    assert normalise_phone("020 7031 3000", "GB") == "+442070313000"


@pytest.mark.parametrize(
    "written", ["", "-", "なし", "call me", "110", "12", "090-1234", "1" * 20, "taro@example.jp"]
)
def test_what_is_no_full_number_is_none(written: str) -> None:
    """Words, emergency numbers and fragments are refused."""
    assert normalise_phone(written) is None


@given(DIGITS | st.builds("+81{}".format, DIGITS) | st.text(max_size=20))
def test_normalising_twice_changes_nothing(text: str) -> None:
    """A normal form is its own normal form, whatever came in."""
    normal = normalise_phone(text)
    assert normal is None or normalise_phone(normal) == normal


@given(st.builds("0{}".format, DIGITS) | st.builds("+81{}".format, DIGITS))
def test_the_short_way_agrees_with_the_library(text: str) -> None:
    """Numbers that are recognised by their shape are read exactly as the numbering-plan library reads them."""
    assert normalise_phone(text) == phone._parse(text, "JP")


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("+819012345678", PhoneClass.MOBILE),
        ("+817012345678", PhoneClass.MOBILE),
        ("+81312345678", PhoneClass.FIXED),
        ("+81120123456", PhoneClass.OTHER),
        ("+815012345678", PhoneClass.OTHER),
        ("+16502530000", PhoneClass.OTHER),
    ],
)
def test_only_mobile_numbers_prove_a_person(number: str, expected: PhoneClass) -> None:
    """Mobile lines are told from fixed, toll-free and Internet ones."""
    assert classify_phone(number) is expected
