"""A condition of a query as a function over rows, checked against the schema.

Decides names, types and the vendor's notion of equality: text without regard to case, null unlike
everything, an empty text the same as null. Does not know how rows are found.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, assert_never

from simulators.salesforce.errors import RequestError
from simulators.salesforce.fields import Field, ObjectSpec
from simulators.salesforce.ids import normalise
from simulators.salesforce.soql_tree import Among, Both, Compare, Condition, Either, Literal, Negated
from simulators.salesforce.table import Row, Table

Getter = Callable[[Row], Any]
Test = Callable[[Row], bool]
_OPERATORS = {"<": operator.lt, ">": operator.gt, "<=": operator.le, ">=": operator.ge}
_NUMBERS = ("double", "currency", "percent", "int")
_LITERALS = {"boolean": "boolean", "datetime": "datetime", "date": "date"} | dict.fromkeys(_NUMBERS, "number")


class Column(NamedTuple):
    """A path that was found: its field and how a row gives its value; `hops` names the references on the way."""

    field: Field
    get: Getter
    hops: tuple[Field, ...]


class Names(NamedTuple):
    """Where names are looked up: the schema as the API user sees it, and the tables behind references."""

    schema: Mapping[str, ObjectSpec]
    tables: Mapping[str, Table]

    def object(self, name: str) -> ObjectSpec:
        """Find the FROM object; RequestError 400 INVALID_TYPE."""
        found = self.schema.get(name) or next(
            (spec for key, spec in self.schema.items() if key.lower() == name.lower()), None
        )
        if found is None:
            raise RequestError(
                400,
                "INVALID_TYPE",
                f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to "
                "append the '__c' after the entity name.",
            )
        return found

    def column(self, spec: ObjectSpec, path: str) -> Column:
        """Find a path such as `Email` or `Account.Name`; RequestError 400 INVALID_FIELD."""
        parts = path.split(".")
        if len(parts) > 1 and parts[0].lower() == spec.name.lower():
            parts = parts[1:]
        hops: list[Field] = []
        getter: Getter | None = None
        for part in parts[:-1]:
            reference = spec.by_relationship.get(part.lower())
            if reference is None:
                raise RequestError(
                    400, "INVALID_FIELD", f"Didn't understand relationship '{part}' in field path '{path}'."
                )
            hops.append(reference)
            targets = self.targets(reference)
            if len(targets) > 1:
                return self._polymorphic(targets, tuple(hops), getter, parts[len(hops) :])
            spec = targets[0]
            getter = _through(getter, reference.name, (self.tables[spec.name],))
        field = spec.find(parts[-1])
        if field is None:
            raise no_such_column(spec, parts[-1])
        return Column(field, _value_of(getter, field.name), tuple(hops))

    def targets(self, reference: Field) -> list[ObjectSpec]:
        """Give the objects that a reference may point to, as far as the organisation has them."""
        return [self.schema[name] for name in reference.reference_to if name in self.schema]

    def _polymorphic(
        self, targets: list[ObjectSpec], hops: tuple[Field, ...], getter: Getter | None, rest: list[str]
    ) -> Column:
        """A field behind `Who` or `What`: only what all of its objects have («Polymorphic Relationships», the Name
        object), and nothing further on.
        """
        fields = [spec.find(rest[0]) for spec in targets] if len(rest) == 1 else [None]
        field = fields[0]
        if field is None or None in fields:
            raise RequestError(400, "INVALID_FIELD", f"No such column '{'.'.join(rest)}' on entity 'Name'.")
        near = _through(getter, hops[-1].name, tuple(self.tables[spec.name] for spec in targets))
        return Column(field, _value_of(near, field.name), hops)


def no_such_column(spec: ObjectSpec, name: str) -> RequestError:
    """The vendor's words for a field that does not exist or that the API user may not see."""
    return RequestError(
        400,
        "INVALID_FIELD",
        f"\nERROR at Row:1:Column:1\nNo such column '{name}' on entity '{spec.name}'. If you are attempting to use a "
        "custom field, be sure to append the '__c' after the custom field name.",
    )


def _through(getter: Getter | None, reference: str, tables: tuple[Table, ...]) -> Getter:
    if len(tables) > 1:
        return lambda row: _found(tables, row if getter is None else getter(row), reference)
    rows = tables[0].rows
    if getter is None:
        return lambda row: rows.get(row[reference])

    def hop(row: Row) -> Any:
        near = getter(row)
        return None if near is None else rows.get(near[reference])

    return hop


def _found(tables: tuple[Table, ...], row: Row | None, reference: str) -> Row | None:
    if row is None:
        return None
    return next((table.rows[row[reference]] for table in tables if row[reference] in table.rows), None)


def _value_of(getter: Getter | None, name: str) -> Getter:
    if getter is None:
        return operator.itemgetter(name)

    def value(row: Row) -> Any:
        near = getter(row)
        return None if near is None else near[name]

    return value


def compile_condition(names: Names, spec: ObjectSpec, condition: Condition) -> Test:
    """Turn a condition into a test of rows."""
    match condition:
        case Both(parts):
            tests = [compile_condition(names, spec, part) for part in parts]
            return lambda row: all(test(row) for test in tests)
        case Either(parts):
            tests = [compile_condition(names, spec, part) for part in parts]
            return lambda row: any(test(row) for test in tests)
        case Negated(part):
            inner = compile_condition(names, spec, part)
            return lambda row: not inner(row)
        case Compare(path, op, value):
            return _comparison(names.column(spec, path), op, value)
        case Among(path, values, negated):
            return _membership(names.column(spec, path), values, negated=negated)
        case _:
            assert_never(condition)


def constant(field: Field, literal: Literal) -> Any:
    """Give a literal as it compares with values of the field; RequestError 400 when the types differ."""
    if literal.kind == "null" or (literal.kind == "string" and not literal.text):
        return None
    wanted = _LITERALS.get(field.type, "string")
    if literal.kind != wanted:
        quoting = "should be" if wanted == "string" else "should not be"
        raise RequestError(
            400,
            "INVALID_FIELD",
            f"value of filter criterion for field '{field.name}' must be of type {wanted} and {quoting} enclosed "
            "in quotes",
        )
    if wanted == "string" and field.type in ("id", "reference"):
        full = normalise(literal.unescaped)
        if full is None:
            raise RequestError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid ID field: {literal.unescaped}")
        return full
    if wanted == "number":
        return float(literal.text)
    if wanted == "boolean":
        return literal.text == "true"
    return literal.unescaped.lower() if wanted == "string" else literal.text


def _folds(field: Field) -> bool:
    return field.type not in ("id", "reference", "datetime", "date", "boolean", *_NUMBERS)


def _comparison(column: Column, op: str, literal: Literal) -> Test:
    field, get = column.field, column.get
    if op == "LIKE":
        return _likeness(column, literal)
    wanted = constant(field, literal)
    if op in ("=", "!="):
        equal = _equality(get, wanted, folds=_folds(field))
        return equal if op == "=" else (lambda row: not equal(row))
    if field.type == "boolean" or wanted is None:
        raise RequestError(
            400, "INVALID_FIELD", f"invalid operator on field '{field.name}': {op} needs an ordered value"
        )
    compare = _OPERATORS[op]
    if _folds(field):
        return lambda row: (value := get(row)) is not None and compare(value.lower(), wanted)
    return lambda row: (value := get(row)) is not None and compare(value, wanted)


def _equality(get: Getter, wanted: Any, *, folds: bool) -> Test:
    if folds and wanted is not None:
        return lambda row: (value := get(row)) is not None and value.lower() == wanted
    return lambda row: bool(get(row) == wanted)


def _membership(column: Column, literals: tuple[Literal, ...], *, negated: bool) -> Test:
    wanted = frozenset(constant(column.field, literal) for literal in literals)
    get = column.get
    if _folds(column.field):

        def found(row: Row) -> bool:
            value = get(row)
            return (None if value is None else value.lower()) in wanted

    else:

        def found(row: Row) -> bool:
            return get(row) in wanted

    return (lambda row: not found(row)) if negated else found


def _likeness(column: Column, literal: Literal) -> Test:
    if literal.kind != "string" or not _folds(column.field):
        raise RequestError(
            400, "INVALID_FIELD", f"invalid operator on field '{column.field.name}': LIKE is for text"
        )
    pattern = ""
    for piece in re.findall(r"\\.|.", literal.text, re.DOTALL):
        if piece in ("%", "_"):
            pattern += ".*" if piece == "%" else "."
        else:
            pattern += re.escape(Literal("string", piece).unescaped)
    fits, get = re.compile(pattern, re.IGNORECASE | re.DOTALL).fullmatch, column.get
    return lambda row: (value := get(row)) is not None and fits(value) is not None
