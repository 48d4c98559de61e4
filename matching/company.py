"""Write a company's name so that two spellings of it are equal.

Takes the legal form (株式会社, Inc.) off either end and folds width, letter case, variant kanji, spaces and dashes. Two
firms may share a key: 株式会社A and A株式会社 can be strangers. It knows no register and no group.
"""

import re
import unicodedata
from functools import lru_cache

from matching.name import name_key

_FORMS = (
    "株式会社 (株) カブシキガイシャ カブシキカイシャ 有限会社 (有) ユウゲンガイシャ 合同会社 (同) 合資会社 (資) "
    "合名会社 (名) 一般社団法人 公益社団法人 社団法人 一般財団法人 公益財団法人 財団法人 特定非営利活動法人 npo法人 "
    "学校法人 (学) 医療法人社団 医療法人財団 医療法人 (医) 社会福祉法人 (福) 宗教法人 (宗) 独立行政法人 (独) "
    "国立大学法人 税理士法人 監査法人 弁護士法人 協同組合 信用金庫"
).split()
_WORDS = (
    r"k\.?k\.?|y\.?k\.?|g\.?k\.?|inc|incorporated|corp|corporation|co\.?,? ?ltd|company,? limited|ltd|limited|"
    r"llc|llp|plc|gmbh|ag|s\.?a\.?s|s\.?a|s\.?r\.?l|b\.?v|n\.?v|pte\.?,? ?ltd|pty\.?,? ?ltd|oy|ab|a/s|"
    r"sdn\.? bhd|co"
)
_FRONT = re.compile(rf"^(?:{'|'.join(map(re.escape, _FORMS))})\s*")
_BACK = re.compile(rf"(?:\s*(?:{'|'.join(map(re.escape, _FORMS))})|[\s,]+(?:{_WORDS})\.?)$")
_BETWEEN_KANA = re.compile(r"(?<=[ァ-ヺー])[-‐‑‒–—―−]")
_PUNCTUATION = re.compile(r"[.,'’&・/]")


def normalise_company(text: str) -> str:
    """Give the name in ordinary width with single spaces, otherwise as it was written; blank stays blank."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


@lru_cache(maxsize=16_384)
def company_key(text: str) -> str:
    """Give the text by which two company names are the same writing, without legal form; "" for a bare legal form.

    A key is for matching only and is never shown or written anywhere as a name. Applying it twice changes nothing.
    """
    key = normalise_company(text).casefold()
    while (shorter := _shorten(key)) != key:
        key = shorter
    return key


def _shorten(text: str) -> str:
    """One layer of legal form and punctuation less."""
    bare = _BACK.sub("", _FRONT.sub("", text.strip()))
    if bare.strip() != text.strip():
        return bare.strip()
    return name_key(_PUNCTUATION.sub("", _BETWEEN_KANA.sub("ー", bare)))
