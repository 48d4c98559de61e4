"""What Salesforce's codes for a record or a request mean, our own words for owners among them.

Source: the vendor's page "Status Codes and Error Responses" and the status codes of the SOAP API guide.
"""

from __future__ import annotations

from types import MappingProxyType

from connectors.refusals import Meanings
from sync.errors import Meaning

MEANINGS = Meanings(
    codes=MappingProxyType(
        {
            "INSUFFICIENT_ACCESS": Meaning.PERMISSION,
            "INSUFFICIENT_ACCESS_OR_READONLY": Meaning.PERMISSION,
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Meaning.PERMISSION,
            "INVALID_FIELD_FOR_INSERT_UPDATE": Meaning.PERMISSION,
            "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Meaning.RULE,
            "TRANSFER_REQUIRES_READ": Meaning.PERMISSION,
            "REQUIRED_FIELD_MISSING": Meaning.REQUIRED,
            "MISSING_ARGUMENT": Meaning.REQUIRED,
            "no_owner": Meaning.REQUIRED,
            "STRING_TOO_LONG": Meaning.LENGTH,
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Meaning.PICKLIST,
            "BAD_CUSTOM_ENTITY_PARENT_DOMAIN": Meaning.REFERENCE,
            "INVALID_EMAIL_ADDRESS": Meaning.VALUE,
            "NUMBER_OUTSIDE_VALID_RANGE": Meaning.VALUE,
            "INVALID_TYPE_ON_FIELD_IN_RECORD": Meaning.VALUE,
            "JSON_PARSER_ERROR": Meaning.VALUE,
            "MALFORMED_ID": Meaning.VALUE,
            "FIELD_CUSTOM_VALIDATION_EXCEPTION": Meaning.RULE,
            "CANNOT_EXECUTE_FLOW_TRIGGER": Meaning.RULE,
            "FIELD_FILTER_VALIDATION_EXCEPTION": Meaning.RULE,
            "DUPLICATE_VALUE": Meaning.DUPLICATE,
            "DUPLICATES_DETECTED": Meaning.DUPLICATE,
            "DUPLICATE_EXTERNAL_ID": Meaning.DUPLICATE,
            "several_owners": Meaning.DUPLICATE,
            "INVALID_CROSS_REFERENCE_KEY": Meaning.REFERENCE,
            "FIELD_INTEGRITY_EXCEPTION": Meaning.REFERENCE,
            "INACTIVE_OWNER_OR_USER": Meaning.REFERENCE,
            "inactive_owner": Meaning.REFERENCE,
            "unknown_owner": Meaning.REFERENCE,
            "INVALID_FIELD": Meaning.SCHEMA,
            "INVALID_TYPE": Meaning.SCHEMA,
            "MALFORMED_QUERY": Meaning.SCHEMA,
            "UNABLE_TO_LOCK_ROW": Meaning.LOCK,
            "ENTITY_IS_LOCKED": Meaning.LOCK,
            "DELETE_FAILED": Meaning.LOCK,
            "ENTITY_IS_DELETED": Meaning.GONE,
            "NOT_FOUND": Meaning.GONE,
            "CANNOT_UPDATE_CONVERTED_LEAD": Meaning.GONE,
            "STORAGE_LIMIT_EXCEEDED": Meaning.SIZE,
            "REQUEST_TOO_LARGE": Meaning.SIZE,
            "413": Meaning.SIZE,
            "414": Meaning.SIZE,
        }
    ),
    words=MappingProxyType({}),
)
