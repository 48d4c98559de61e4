"""Write an Internet domain so that the addresses and pages of one organisation have one.

The registrable domain by the public suffix list: mail.example.co.jp and https://www.example.co.jp/ are example.co.jp.
Providers' domains identify nobody; groups share domains, so an equal one is a hint, never a proof.
"""

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from matching.email import EmailClass, classify_email

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

# scheme://user@host:port/… with everything but the host left out
_ADDRESS = re.compile(r"(?:(?:[a-z][a-z0-9+.-]*:)?//)?(?:[^/?#@]*@)?([^/?#:@]+)")
_HOST = re.compile(r"(?=.{1,253}$)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+")


@lru_cache(maxsize=16_384)
def normalise_domain(text: str) -> str | None:
    """Give the registrable domain as ASCII (xn--…) of a page's address, a host or an e-mail address.

    None where the text names no public domain: an IP address, a bare public suffix (co.jp), words. Applying it twice
    changes nothing.
    """
    host = _host(unicodedata.normalize("NFKC", text).strip().lower())
    if host is None:
        return None
    return _suffixes().privatesuffix(host)


def is_shared_domain(domain: str) -> bool:
    """True for a provider's domain, whose users have nothing to do with each other."""
    return classify_email(f"someone@{domain}") is EmailClass.FREE


def _host(text: str) -> str | None:
    import idna

    found = _ADDRESS.match(text)
    host = (found[1] if found else "").rstrip(".")
    try:
        host = host if host.isascii() else idna.encode(host, uts46=True).decode()
    except idna.IDNAError:
        return None
    return host if _HOST.fullmatch(host) and not host.rpartition(".")[2].isdigit() else None


@lru_cache(maxsize=1)
def _suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList  # late: its table costs a cold command some time

    return PublicSuffixList()
