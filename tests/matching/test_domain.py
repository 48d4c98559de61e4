"""Domains: which hosts, pages and addresses belong to one organisation."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from matching.domain import is_shared_domain, normalise_domain


@pytest.mark.parametrize(
    ("written", "domain"),
    [
        ("mail.example.co.jp", "example.co.jp"),
        ("https://www.example.co.jp/contact?x=1", "example.co.jp"),
        ("ＷＷＷ．Ｅｘａｍｐｌｅ．ｃｏｍ", "example.com"),
        ("taro@sales.example.com", "example.com"),
        ("sub.example.tokyo.jp", "example.tokyo.jp"),
        ("a.b.shibuya.tokyo.jp", "b.shibuya.tokyo.jp"),
        ("city.osaka.jp", "city.osaka.jp"),
        ("http://日本語.jp", "xn--wgv71a119e.jp"),
        ("example.com:8443", "example.com"),
    ],
)
def test_what_belongs_to_one_organisation_has_one_domain(written: str, domain: str) -> None:
    """Hosts, pages and addresses come down to the registrable domain of the public suffix list."""
    assert normalise_domain(written) == domain


@pytest.mark.parametrize(
    "text", ["", "co.jp", "127.0.0.1", "株式会社", "localhost", "http://[::1", "a b.com", "http://"]
)
def test_what_is_no_domain_is_none(text: str) -> None:
    """Bare suffixes, addresses of machines and words identify no organisation."""
    assert normalise_domain(text) is None


@given(st.text(max_size=40))
def test_normalising_twice_changes_nothing(text: str) -> None:
    """A domain is its own normal form, whatever was typed."""
    once = normalise_domain(text)
    assert once is None or normalise_domain(once) == once


def test_providers_domains_identify_nobody() -> None:
    """Users of a mail provider are not one company."""
    assert is_shared_domain("gmail.com")
    assert not is_shared_domain("example.co.jp")
