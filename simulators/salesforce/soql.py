"""The query language, from text to a tree.

Decides what is well-formed: SELECT paths or COUNT(), FROM one object, WHERE, ORDER BY, LIMIT, OFFSET.
Whether the names exist is not its affair. As at the vendor, AND and OR may not be mixed without
parentheses (SOQL and SOSL reference, «Logical Operators»).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from simulators.salesforce.errors import RequestError
from simulators.salesforce.soql_tree import (
    ESCAPES,
    Among,
    Both,
    Compare,
    Condition,
    Either,
    Literal,
    Negated,
    Order,
    Query,
)
from simulators.salesforce.stamps import read_date, read_stamp

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:?\d\d))
    | (?P<date>\d{4}-\d\d-\d\d)(?![\dTt])
    | (?P<number>[+-]?\d+(?:\.\d+)?)(?![\w.-])
    | (?P<name>[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)
    | (?P<op><=|>=|!=|<>|=|<|>)
    | (?P<mark>[(),])
    | (?P<end>\Z)
    )""",
    re.VERBOSE | re.DOTALL,
)
MAX_LENGTH = 100_000
MAX_OFFSET = 2000


class Token(NamedTuple):
    """One word of the query; `at` counts characters from 0."""

    kind: str
    text: str
    at: int


def parse(text: str) -> Query:
    """Read a query; RequestError 400 MALFORMED_QUERY when it is none."""
    if len(text) > MAX_LENGTH:
        raise RequestError(414, "URI_TOO_LONG", "SOQL statements may not be longer than 100,000 characters")
    return _Parser(text).query()


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    at = 0
    while True:
        match = _TOKEN.match(text, at)
        if match is None:
            bad = text[at:].lstrip()
            raise malformed(text, at + len(text[at:]) - len(bad), bad[:1])
        kind = match.lastgroup or "end"
        found.append(Token(kind, match[kind], match.start(kind)))
        if kind == "end":
            return found
        at = match.end()


def malformed(text: str, at: int, token: str) -> RequestError:
    """The vendor's words for a token that does not fit."""
    shown = token or "<EOF>"
    window = text[max(0, at - 40) : at + 20]
    return RequestError(
        400,
        "MALFORMED_QUERY",
        f"\n{window}\n{' ' * min(at, 40)}^\nERROR at Row:1:Column:{at + 1}\nunexpected token: '{shown}'",
    )


class _Parser:
    """Walks the tokens once, from left to right."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _tokens(text)
        self._place = 0

    def query(self) -> Query:
        self._expect("select")
        paths = self._selection()
        self._expect("from")
        name = self._name()
        where = self._condition() if self._took("where") else None
        order: list[Order] = []
        if self._took("order"):
            self._expect("by")
            order.append(self._order())
            while self._took(","):
                order.append(self._order())
        limit = self._count() if self._took("limit") else None
        offset = self._count() if self._took("offset") else 0
        if self._peek().kind != "end":
            raise self._unexpected()
        if offset > MAX_OFFSET:
            raise RequestError(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        return Query(paths=paths, object=name, where=where, order=tuple(order), limit=limit, offset=offset)

    def _selection(self) -> tuple[str, ...]:
        first = self._name()
        if first.lower() == "count" and self._took("("):
            self._expect(")")
            return ()
        paths = [first]
        while self._took(","):
            paths.append(self._name())
        return tuple(paths)

    def _condition(self) -> Condition:
        first = self._term()
        word = self._peek().text.lower()
        if word not in ("and", "or"):
            return first
        parts = [first]
        while self._took(word):
            parts.append(self._term())
        if self._peek().text.lower() in ("and", "or"):
            raise self._unexpected()
        return Both(tuple(parts)) if word == "and" else Either(tuple(parts))

    def _term(self) -> Condition:
        if self._took("not"):
            return Negated(self._term())
        if self._took("("):
            inner = self._condition()
            self._expect(")")
            return inner
        path = self._name()
        if self._took("like"):
            return Compare(path, "LIKE", self._literal())
        if self._took("not"):
            self._expect("in")
            return Among(path, self._list(), negated=True)
        if self._took("in"):
            return Among(path, self._list(), negated=False)
        token = self._next()
        if token.kind != "op":
            raise self._unexpected(token)
        return Compare(path, "!=" if token.text == "<>" else token.text, self._literal())

    def _list(self) -> tuple[Literal, ...]:
        self._expect("(")
        values = [self._literal()]
        while self._took(","):
            values.append(self._literal())
        self._expect(")")
        return tuple(values)

    def _literal(self) -> Literal:
        token = self._next()
        match token.kind:
            case "string":
                inner = token.text[1:-1]
                if "\\" in inner and any(c not in ESCAPES for c in re.findall(r"\\(.)", inner, re.DOTALL)):
                    raise self._unexpected(token)
                return Literal("string", inner)
            case "number":
                return Literal("number", token.text)
            case "datetime":
                return Literal("datetime", self._checked(token, read_stamp(token.text)))
            case "date":
                return Literal("date", self._checked(token, read_date(token.text)))
            case _:
                return self._word(token)

    def _word(self, token: Token) -> Literal:
        word = token.text.lower()
        if word in ("true", "false"):
            return Literal("boolean", word)
        if word == "null":
            return Literal("null", word)
        raise self._unexpected(token)

    def _checked(self, token: Token, value: str | None) -> str:
        if value is None:
            raise self._unexpected(token)
        return value

    def _order(self) -> Order:
        path = self._name()
        descending = self._took("desc")
        if not descending:
            self._took("asc")
        nulls_last = False
        if self._took("nulls"):
            nulls_last = self._took("last")
            if not nulls_last:
                self._expect("first")
        return Order(path, descending, nulls_last)

    def _count(self) -> int:
        token = self._next()
        if token.kind != "number" or not token.text.isdigit():
            raise self._unexpected(token)
        return int(token.text)

    def _name(self) -> str:
        token = self._next()
        if token.kind != "name":
            raise self._unexpected(token)
        return token.text

    def _peek(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._tokens[self._place]
        if token.kind != "end":
            self._place += 1
        return token

    def _took(self, word: str) -> bool:
        token = self._tokens[self._place]
        if token.kind not in ("name", "mark") or token.text.lower() != word:
            return False
        self._place += 1
        return True

    def _expect(self, word: str) -> None:
        if not self._took(word):
            raise self._unexpected()

    def _unexpected(self, token: Token | None = None) -> RequestError:
        shown = token or self._peek()
        return malformed(self._text, shown.at, shown.text)
