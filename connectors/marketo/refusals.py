"""What Marketo's codes for a record or a request mean, our own words for what we refuse to send among them.

Source: the vendor's page "Error Codes", record-level errors. 1003 is said of many things: its message decides.
"""

from __future__ import annotations

from types import MappingProxyType

from connectors.refusals import Meanings
from sync.errors import Meaning

MEANINGS = Meanings(
    codes=MappingProxyType(
        {
            "603": Meaning.PERMISSION,
            "616": Meaning.PERMISSION,
            "703": Meaning.PERMISSION,
            "1008": Meaning.PERMISSION,
            "1009": Meaning.PERMISSION,
            "1010": Meaning.PERMISSION,
            "1018": Meaning.PERMISSION,
            "1021": Meaning.PERMISSION,
            "1002": Meaning.REQUIRED,
            "no_key": Meaning.REQUIRED,
            "no_lead": Meaning.REQUIRED,
            "no_list": Meaning.REQUIRED,
            "no_campaign": Meaning.REQUIRED,
            "1001": Meaning.VALUE,
            "1003": Meaning.VALUE,
            "1012": Meaning.VALUE,
            "key_changed": Meaning.VALUE,
            "comma": Meaning.VALUE,
            "1005": Meaning.DUPLICATE,
            "1007": Meaning.DUPLICATE,
            "1017": Meaning.DUPLICATE,
            "1036": Meaning.DUPLICATE,
            "several_lists": Meaning.DUPLICATE,
            "several_campaigns": Meaning.DUPLICATE,
            "1013": Meaning.REFERENCE,
            "1025": Meaning.REFERENCE,
            "unknown_list": Meaning.REFERENCE,
            "unknown_campaign": Meaning.REFERENCE,
            "1006": Meaning.SCHEMA,
            "1011": Meaning.SCHEMA,
            "1035": Meaning.SCHEMA,
            "713": Meaning.LOCK,
            "719": Meaning.LOCK,
            "1022": Meaning.LOCK,
            "1004": Meaning.GONE,
            "413": Meaning.SIZE,
            "414": Meaning.SIZE,
            "431": Meaning.SIZE,
            "too_large": Meaning.SIZE,
            "too_many_tokens": Meaning.SIZE,
            "610": Meaning.SETTING,
        }
    ),
    words=MappingProxyType(
        {
            "1003": (
                ("longer than", Meaning.LENGTH),
                ("too long", Meaning.LENGTH),
                ("is missing", Meaning.REQUIRED),
                ("is required", Meaning.REQUIRED),
            )
        }
    ),
)
