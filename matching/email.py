"""Write an e-mail address so that two spellings of one mailbox are equal, and say what kind of address it is.

Decides what counts as an address, its normal form, its match key and whether it can stand for a person. It knows no
vendor and asks no server: an address that looks right may still not exist.
"""

import re
import unicodedata
from enum import StrEnum
from functools import lru_cache

import idna

_LOCAL = r"[a-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}"
_DOMAIN = (
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
)
_PLAIN = re.compile(f"{_LOCAL}@{_DOMAIN}")
_A_LABELS = re.compile(_DOMAIN)
_QUOTED_LOCAL = re.compile(r'"[^"\x00-\x1f\x7f]{1,62}"')
_FORBIDDEN_IN_LOCAL = re.compile(r"[\s\x00-\x1f\x7f\"(),:;<>\[\]\\@]")
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff"  # what copying out of web pages and spreadsheets leaves behind
_LONGEST_DOMAIN = 253

_DOTLESS_DOMAINS = frozenset({"gmail.com", "googlemail.com"})

_ROLES = frozenset(
    """
    abuse account accounting accounts admin administrator all billing booking business campaign career careers cs
    contact customer customerservice customersupport daihyo desk donotreply eigyo enquiries enquiry event events
    feedback finance form general gyomu hello help helpdesk hiring hostmaster hr info information inquiry inquiries
    invoice it jimu jimukyoku jinji jobs joho kaikei keiri kikaku koho koubai kouhou legal mail mailer-daemon
    mailerdaemon mailmagazine marketing media member members news newsletter noc noreply office order orders partner
    partners post postmaster pr press privacy purchase purchasing receipt reception recruit recruiting registration
    reply reservation reservations root sale sales saiyo security seikyu seminar service shop shomu soumu somu staff
    store support system systems team tech toiawase usenet user users web webadmin webinar webmaster welcome www
    """.split()
)

_FREE_DOMAINS = frozenset(
    """
    126.com 163.com aol.com aol.jp auone.jp biglobe.jp biglobe.ne.jp daum.net dion.ne.jp disney.ne.jp docomo.ne.jp
    email.com emobile.ne.jp excite.co.jp excite.com ezweb.ne.jp fastmail.com fastmail.fm gmail.com gmx.at gmx.ch
    gmx.com gmx.de gmx.net goo.jp googlemail.com hanmail.net hotmail.co.jp hotmail.co.uk hotmail.com hotmail.de
    hotmail.es hotmail.fr hotmail.it i.softbank.jp icloud.com inbox.com inbox.ru infoseek.jp jcom.home.ne.jp
    jcom.zaq.ne.jp kcn.jp libero.it list.ru live.com live.jp livedoor.com mac.com mail.com mail.goo.ne.jp mail.ru
    me.com mineo.jp msn.com naver.com nate.com nifty.com nifty.ne.jp ocn.ne.jp odn.ne.jp orange.fr outlook.com
    outlook.de outlook.fr outlook.jp plala.or.jp pm.me proton.me protonmail.ch protonmail.com qq.com rakuten.jp
    rediffmail.com rocketmail.com s1.dion.ne.jp sina.com so-net.jp so-net.ne.jp softbank.jp softbank.ne.jp t-online.de
    tutanota.com uqmobile.jp vodafone.ne.jp web.de willcom.com y-mobile.ne.jp yahoo.ca yahoo.co.in yahoo.co.jp
    yahoo.co.uk yahoo.com yahoo.com.br yahoo.de yahoo.es yahoo.fr yahoo.it yahoo.ne.jp yandex.com yandex.ru ybb.ne.jp
    ymail.com ymobile.ne.jp ymobile1.ne.jp
    """.split()
)


class EmailClass(StrEnum):
    """What an address can prove: a shared mailbox nobody's identity, a free one a person, a corporate one both."""

    ROLE = "role"
    FREE = "free"
    CORPORATE = "corporate"


def normalise_email(text: str) -> str | None:
    """Give the address in lower case with an A-label domain, or None where the text is no single address.

    Full-width letters become ordinary ones. Case is folded in the local part too, as every large mail service does; a
    quoted local part stays as it is. Repeated or trailing dots before the @ pass, since Japanese mobile carriers
    issued such addresses. Applying it twice changes nothing.
    """
    plain = text.strip().lower()
    if _PLAIN.fullmatch(plain):
        return plain
    return _normalise_unusual(text)


def email_key(address: str) -> str:
    """Give the text by which two normalised addresses mean one mailbox: without `+tag`, for Gmail without dots.

    A key is for matching only and is never written anywhere as an address.
    """
    local, _, domain = address.rpartition("@")
    if local.startswith('"'):
        return address
    if "+" in local:
        local = local.partition("+")[0] or local
    if domain in _DOTLESS_DOMAINS:
        local = local.replace(".", "") or local
    return f"{local}@{domain}"


def classify_email(address: str) -> EmailClass:
    """Say whether a normalised address is a role's, a free mailbox or a company's; what is not listed is a company's.

    Role wins over free: a shared mailbox must never identify a person, wherever it is hosted.
    """
    local, _, domain = address.rpartition("@")
    name = local.partition("+")[0].rstrip("0123456789")
    if name.replace("-", "").replace("_", "").replace(".", "") in _ROLES:
        return EmailClass.ROLE
    return EmailClass.FREE if domain in _FREE_DOMAINS else EmailClass.CORPORATE


def _normalise_unusual(text: str) -> str | None:
    folded = unicodedata.normalize("NFKC", text).strip().strip(_INVISIBLE).strip()
    local, at, domain = folded.rpartition("@")
    host = _ascii_domain(domain) if at else None
    if host is None:
        return None
    if _QUOTED_LOCAL.fullmatch(local):
        return f"{local}@{host}"
    lowered = unicodedata.normalize("NFKC", local.lower())
    if not lowered or len(lowered.encode()) > 64 or _FORBIDDEN_IN_LOCAL.search(lowered):
        return None
    return f"{lowered}@{host}"


@lru_cache(maxsize=4096)
def _ascii_domain(domain: str) -> str | None:
    try:
        host = idna.encode(domain, uts46=True, transitional=False).decode("ascii").lower()
    except idna.IDNAError:
        return None
    return host if len(host) <= _LONGEST_DOMAIN and _A_LABELS.fullmatch(host) else None
