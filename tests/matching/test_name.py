"""Names: what is only a difference of writing, and the table of variant kanji itself."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching import name
from matching.name import kana_key, name_key, normalise_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("髙橋 一郎", "高橋一郎"),
        ("山﨑\u3000花子", "山崎 花子"),
        ("齋藤", "斉藤"),
        ("渡邊", "渡辺"),
        ("渡邉", "渡辺"),
        ("𠮷田", "吉田"),
        ("ジョン・スミス", "ｼﾞｮﾝ ｽﾐｽ"),
        ("John SMITH", "john smith"),
        ("\ufa10本", "塚本"),
    ],
)
def test_spellings_of_one_name_share_a_key(one: str, other: str) -> None:
    """Variant kanji, width, spaces, middle dots and letter case do not make two names out of one."""
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(
    ("one", "other"), [("淳", "純"), ("畑山", "畠山"), ("大野", "小野"), ("ヤマダ", "山田")]
)
def test_different_names_keep_different_keys(one: str, other: str) -> None:
    """Folding stops at variants: characters that tell families apart stay apart."""
    assert name_key(one) != name_key(other)


def test_readings_are_equal_in_either_kana() -> None:
    """Hiragana, katakana and half-width katakana of one reading share a key."""
    assert kana_key("やまだ　じゅん") == kana_key("ヤマダ ジュン") == kana_key("ﾔﾏﾀﾞｼﾞｭﾝ")


def test_the_display_form_keeps_the_writing() -> None:
    """Normalising for display repairs width and spaces and leaves kanji and letter case alone."""
    assert normalise_name("　髙橋　　Ｔａｒｏ ") == "髙橋 Taro"


@given(st.text())
def test_keys_and_names_are_stable(text: str) -> None:
    """A normal name and a key are their own normal name and key, whatever came in."""
    assert normalise_name(normalise_name(text)) == normalise_name(text)
    assert name_key(name_key(text)) == name_key(text)
    assert kana_key(kana_key(text)) == kana_key(text)


def test_the_table_of_variants_is_sound() -> None:
    """Every row is two characters that Unicode leaves alone, none listed twice, and no usual form is a variant."""
    pairs = name._VARIANTS.split()
    variants = [pair[0] for pair in pairs]
    assert len(pairs) >= 40
    assert all(len(pair) == 2 and unicodedata.normalize("NFKC", pair) == pair for pair in pairs)
    assert len(set(variants)) == len(variants)
    assert not {pair[1] for pair in pairs} & set(variants)
