"""Company names: spellings from practice, and what must stay apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.company import company_key, normalise_company


@pytest.mark.parametrize(
    ("written", "same"),
    [
        ("株式会社 キヤノン", "㈱キヤノン"),
        ("キヤノン㍿", "（株）キヤノン"),
        ("スーパ-マーケット", "株式会社スーパーマーケット"),
        ("ｱｸﾒ商事有限会社", "アクメ商事"),
        ("Foo Co., Ltd.", "FOO"),
        ("Foo, Inc.", "ｆｏｏ K.K."),
        ("髙島屋", "高島屋"),
        ("合同会社ABC Japan", "abc japan LLC"),
        ("学校法人 山田学園", "山田学園"),
    ],
)
def test_spellings_of_one_company_share_a_key(written: str, same: str) -> None:
    """Legal form, width, case, variant kanji and dashes do not make two companies out of one."""
    assert company_key(written) == company_key(same) != ""


@pytest.mark.parametrize(
    ("one", "other"),
    [("日立製作所", "日立金属"), ("Aガス", "Bガス"), ("Costco", "Stco"), ("株式会社", "有限会社あ")],
)
def test_different_companies_keep_different_keys(one: str, other: str) -> None:
    """Only the legal form is taken off, never letters of the name itself."""
    assert company_key(one) != company_key(other)


@pytest.mark.parametrize("bare", ["株式会社", " (株) ", "㍿", ""])
def test_a_bare_legal_form_has_no_key(bare: str) -> None:
    """What names nobody matches nobody."""
    assert company_key(bare) == ""


@given(st.text(max_size=30))
def test_a_key_of_a_key_is_itself(text: str) -> None:
    """Applying the key twice changes nothing, whatever was typed."""
    assert company_key(company_key(text)) == company_key(text)


def test_a_normal_name_keeps_its_legal_form() -> None:
    """What is shown or written keeps every word; only width and spaces change."""
    assert normalise_company("　㈱　Ａｃｍｅ ") == "(株) Acme"
