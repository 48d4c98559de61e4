"""Types read what vendors give, write what vendors take, and never guess."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.transforms import TYPES, Codec, Options, ValueMap, consent_codec
from sync.errors import UnknownValue
from sync.record import Raw, Side, Value

RAW = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**15), 10**15),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.text(max_size=30),
)


def _codec(name: str, **options: object) -> Codec:
    return TYPES[name](Options(**options), Side.MA)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "raw", "canonical"),
    [
        ("text", "  山田　", "山田"),
        ("text", "か\u3099", "が"),
        ("text", "a\r\nb\rc", "a\nb\nc"),
        ("text", "", None),
        ("text", " \u3000 ", None),
        ("text", 312.0, "312"),
        ("text", False, "false"),
        ("text", "0312345678", "0312345678"),
        ("email", "Ａ@X.jp ", "a@x.jp"),
        ("email", " not an address ", "not an address"),
        ("phone", "０３（１２３４）５６７８", "+81312345678"),
        ("phone", "ask Tanaka", "ask Tanaka"),
        ("integer", 82.0, 82),
        ("integer", "８２", 82),
        ("integer", " -3 ", -3),
        ("integer", "", None),
        ("decimal", 1.10, "1.1"),
        ("decimal", 0.1 + 0.2, "0.30000000000000004"),
        ("decimal", 100, "100"),
        ("decimal", "1E+3", "1000"),
        ("decimal", -0.0, "0"),
        ("boolean", "Yes", True),
        ("boolean", "0", False),
        ("boolean", 1, True),
        ("boolean", "", None),
        ("date", "2026-04-01T00:00:00Z", "2026-04-01"),
        ("date", "２０２６/4/1", "2026-04-01"),
        ("datetime", "2026-04-01T00:00:00.000Z", "2026-04-01T00:00:00Z"),
        ("datetime", "2026-04-01T00:00:00.120+00:00", "2026-04-01T00:00:00.120Z"),
        ("picklist", " Retail ", "Retail"),
        ("key", 1048213, "1048213"),
        ("company_name", " ㈱　Acme  Japan", "(株) Acme Japan"),
        ("corporate_number", "７１２３-4567-89012", "7123456789012"),
        ("corporate_number", "7123456789013", "7123456789013"),
        ("domain", "https://www.example.co.jp/contact", "example.co.jp"),
        ("domain", "未定", "未定"),
    ],
)
def test_reads(name: str, raw: Raw, canonical: Value) -> None:
    """A vendor's value becomes the canonical one, exactly."""
    found = _codec(name).read(raw)
    assert found == canonical
    assert type(found) is type(canonical)


@pytest.mark.parametrize(
    ("name", "raw"),
    [
        ("integer", 64.5),
        ("integer", "1,000"),
        ("integer", True),
        ("integer", "many"),
        ("decimal", "NaN"),
        ("decimal", "Infinity"),
        ("decimal", "1e30"),
        ("decimal", True),
        ("decimal", "1,5"),
        ("boolean", "maybe"),
        ("boolean", 2),
        ("date", "2026-02-30"),
        ("date", "01/04/2026"),
        ("date", "2026-04-01T09:00:00Z"),
        ("datetime", "2026-04-01T00:00:00"),
        ("datetime", "2026-04-01"),
        ("datetime", "soon"),
    ],
)
def test_never_guesses(name: str, raw: Raw) -> None:
    """What a type cannot read for certain is unknown, with the value as it was read."""
    with pytest.raises(UnknownValue) as caught:
        _codec(name).read(raw)
    assert caught.value.raw == raw


@pytest.mark.parametrize("name", TYPES)
@given(raw=RAW)
def test_what_was_written_reads_as_the_same(name: str, raw: Raw) -> None:
    """Reading, writing and reading again gives the same canonical value, for every type; blank stays blank."""
    codec = _codec(name)
    assert codec.read(None) is None
    assert codec.write(None) is None
    try:
        value = codec.read(raw)
    except UnknownValue:
        return
    assert codec.read(codec.write(value)) == value


@given(st.decimals(-(10**12), 10**12, places=4), st.integers(0, 4))
def test_decimals_of_a_scale_are_written_exactly(number: object, scale: int) -> None:
    """A rounded decimal keeps its places and survives the way into a JSON number and back."""
    codec = _codec("decimal", scale=scale)
    value = codec.read(str(number))
    assert isinstance(value, str)
    assert len(value.partition(".")[2]) == scale
    assert codec.read(codec.write(value)) == value


def test_decimals_beyond_a_float_travel_as_text() -> None:
    """A number that a float cannot say exactly is written as text, one that it can as a number."""
    codec = _codec("decimal")
    assert codec.write("12345678901234.56789") == "12345678901234.56789"
    assert codec.write("12.35") == 12.35
    assert codec.write("100") == 100


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("integer", 9, 10),
        ("decimal", "9.5", "10"),
        ("date", "2026-09-30", "2026-10-01"),
        ("datetime", "2026-10-01T00:00:00Z", "2026-10-01T00:00:00.500Z"),
    ],
)
def test_order_is_by_value_and_not_by_letters(name: str, low: Value, high: Value) -> None:
    """Ordered types rank canonical values as numbers and instants."""
    order = _codec(name).order
    assert order is not None
    assert order(low) < order(high)  # type: ignore[operator]


def test_a_value_map_goes_there_and_back() -> None:
    """Left words with one right word are equal and come back as the first; words not listed are unknown."""
    table = {"建設": "Construction", "建設業": "Construction", "小売": "Retail"}
    values = ValueMap(forward=table, back={"Construction": "建設", "Retail": "小売"})
    left, right = (TYPES["picklist"](Options(values=values), side) for side in Side)
    assert [left.read(word) for word in table] == ["建設", "建設", "小売"]
    assert [right.write(left.read(word)) for word in table] == list(table.values())
    assert left.write(right.read("Construction")) == "建設"
    assert (left.read(""), right.read(None), right.write(None)) == (None, None, None)
    for codec, word in ((left, "Construction"), (right, "建設"), (left, "農業")):
        with pytest.raises(UnknownValue):
            codec.read(word)


def test_opt_outs_mean_the_same_whatever_the_box_says() -> None:
    """A box that says «agreed» is turned round; blank stays unknown in both."""
    out, agreed = consent_codec(means_opted_out=True), consent_codec(means_opted_out=False)
    yes: Value = True
    assert [out.read(raw) for raw in (True, False, None)] == [True, False, None]
    assert [agreed.read(raw) for raw in (True, False, None)] == [False, True, None]
    assert (out.write(yes), agreed.write(yes)) == (True, False)
    with pytest.raises(UnknownValue):
        agreed.read("maybe")
