"""How a true value gets spoilt on its way into a vendor's record.

Decides one spoilt form and names its kind; an e-mail is only ever written otherwise, never replaced, so
that the true person can still be recognised. Knows no vendor.
"""

from __future__ import annotations

import random
import unicodedata

from simulators import names

_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def spoil(rng: random.Random, field: str, value: str) -> tuple[str, str]:
    """Give (kind, spoilt value) for a field of a person; the value may come out unchanged."""
    match field:
        case "email":
            local, _, domain = value.partition("@")
            return "case", f"{local.capitalize()}@{domain.upper()}"
        case "family":
            return ("variant", names.VARIANTS[value]) if value in names.VARIANTS else ("spaces", f"{value}　")
        case "phone":
            return rng.choice((("width", value.translate(_WIDE)), ("form", value.replace("-", " "))))
        case "company":
            shorter = unicodedata.normalize("NFKC", value).replace("株式会社", "㈱")
            return rng.choice(
                (("form", shorter), ("width", value.translate(_WIDE)), ("spaces", f" {value} "))
            )
        case _:
            return "stale", rng.choice([title for title in names.TITLES if title != value])
