"""The vocabulary of scenario files: which words there are, and what each of them may be given.

It decides only what can be written. What a step does stands in `stage_moves`, what an expectation asks in
`stage_checks`; a test holds the three together. Names must be declared before they are used, from top to bottom.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml.comments import CommentedSeq

from simulators.faults import TRANSPORT_KINDS
from tests.support.stage_life_words import LIFE_EXPECTED, LIFE_STEPS
from tests.support.stage_reading import (
    Node,
    Script,
    Shape,
    Step,
    blank_or_text,
    either,
    fresh,
    known,
    many,
    number,
    one_of,
    open_file,
    plain,
    span,
    table,
    text,
    whole,
    words,
    yes_or_no,
)

PERSON, ACCOUNT, DEAL = known("people"), known("accounts"), known("deals")
VALUES = table(text, plain)
THINGS = {"task": "Task", "list": "ListMember", "notice": "Notice", "lead": "Lead", "company": "Company"}
THE_ROUTE = "the route"
_file = one_of("account.yaml", "deal.yaml", "person-flows.yaml", "thresholds.yaml")
STAGES = "Closed Won", "Closed Lost", "Closed Cancelled", "Prospecting", "Negotiation/Review"

A_PERSON = words(
    at=many(one_of("marketo", "lead", "contact")),
    mail=text,
    last_name=blank_or_text,
    first_name=text,
    company=blank_or_text,
    account=ACCOUNT,
    score=whole,
    hand_raise=yes_or_no,
    opted_out=yes_or_no,
    bounced=yes_or_no,
    owner=text,
    title=text,
    marketo=VALUES,
    salesforce=VALUES,
)
AN_ACCOUNT = words(name=text, corporate_number=text, site=text, website=text, country=text)
A_ROLE = words({"who": PERSON}, role=text, primary=yes_or_no)
A_DEAL = words(
    account=ACCOUNT,
    people=many(either(PERSON, A_ROLE)),
    amount=number,
    currency=text,
    stage=one_of(*STAGES),
    reason=text,
    owner=text,
)


def effect_fault(node: Node) -> tuple[str, str]:
    """`lost_after_commit on task`: a fault, and the thing whose sending it strikes."""
    match = re.fullmatch(r"(\w+) on (\w+)", str(node.value))
    if match is None or match[1] not in TRANSPORT_KINDS or match[2] not in THINGS:
        kinds, things = ", ".join(TRANSPORT_KINDS), ", ".join(THINGS)
        node.refuse(f"write «fault on thing»; faults: {kinds}; things: {things}")
    return match[1], THINGS[match[2]]


def effect_kill(node: Node) -> str:
    """`between task and receipt`: the vendor has taken the thing, and our process ends before it learns of it."""
    match = re.fullmatch(r"between (\w+) and receipt", str(node.value))
    if match is None or match[1] not in THINGS:
        node.refuse(f"write «between thing and receipt»; things: {', '.join(THINGS)}")
    return THINGS[match[1]]


def _sync(node: Node) -> int:
    return 0 if node.value == "rest" else whole(node)


def _account_or_none(node: Node) -> str:
    return "none" if node.value == "none" else str(ACCOUNT(node))


def _whose(node: Node) -> str:
    """Whom a question is about; what concerns a whole route is the route's."""
    return THE_ROUTE if node.value == THE_ROUTE else str(known("people", "accounts", "deals")(node))


def _another_step(node: Node) -> Step:
    return read_step(node)


EXPECTED: Mapping[str, Shape] = {
    "tasks": table(
        PERSON,
        either(whole, words(number=whole, owner=text, subject=text, says=many(text), due=text)),
    ),
    "reminders": table(DEAL, either(whole, words(number=whole, owner=text, subject=text))),
    "notices": table(PERSON, either(whole, words(number=whole, says=many(text)))),
    "lists": table(text, many(PERSON)),
    "list_history": table(text, many(text)),
    "fields": table(PERSON, VALUES),
    "sales_fields": table(PERSON, VALUES),
    "records": table(PERSON, words(marketo=whole, lead=whole, contact=whole)),
    "companies": table(ACCOUNT, either(one_of("none"), VALUES)),
    "number_of_companies": whole,
    "belongs_to": table(PERSON, _account_or_none),
    "inbox": table(_whose, many(text)),
    "failed": table(one_of(*THINGS), whole),
    "uncertain": table(one_of(*THINGS), whole),
    "skipped": table(PERSON, many(text)),
    **LIFE_EXPECTED,
}  # fmt: skip
"""What may be expected; `inbox`, `failed`, `uncertain` and `skipped` ask the journal, all others the vendors alone."""

STEPS: Mapping[str, Shape] = {
    "score": table(PERSON, whole),
    "hand_raise": many(PERSON),
    "edit": table(PERSON, VALUES),
    "edit_in_sales": table(PERSON, VALUES),
    "opt_out": many(PERSON),
    "opt_out_in_sales": many(PERSON),
    "give": words({"who": PERSON, "to": text}),
    "merge": words({"into": PERSON, "gone": PERSON}),
    "delete_in_marketo": many(PERSON),
    "delete_in_sales": many(PERSON),
    "merge_in_sales": words({"into": PERSON, "gone": PERSON}),
    "arrive": words(
        accounts=table(fresh("accounts"), AN_ACCOUNT),
        people=table(fresh("people"), A_PERSON),
        deals=table(fresh("deals"), A_DEAL),
    ),
    "convert": words({"who": PERSON}, into=PERSON, account=ACCOUNT, deal=fresh("deals"), role=yes_or_no),
    "join_account": words({"who": PERSON, "account": ACCOUNT}),
    "rename": table(ACCOUNT, text),
    "merge_accounts": words({"into": ACCOUNT, "gone": ACCOUNT}),
    "delete_account": ACCOUNT,
    "staff_leaves": text,
    "lose": words({"deal": DEAL}, reason=text, revisit_on=text),
    "win": words({"deal": DEAL}, amount=number, currency=text),
    "reopen": DEAL,
    "correct": words({"deal": DEAL, "to": one_of("lost", "won")}, reason=text),
    "give_reason": words({"deal": DEAL, "reason": text}),
    "delete_deal": DEAL,
    "role": words({"deal": DEAL, "who": PERSON}, role=text, primary=yes_or_no),
    "unrole": words({"deal": DEAL, "who": PERSON}),
    "reject": words({"who": PERSON}, reason=text),
    "take_up": many(PERSON),
    "wait": span,
    "sync": _sync,
    "change_mappings": table(_file, VALUES),
    "fault": effect_fault,
    "kill": effect_kill,
    "between_decision_and_sending": _another_step,
    **LIFE_STEPS,
    "expect": words({}, **EXPECTED),
}
"""What may happen."""

WORDS = ("title", "proves", "mappings", "rates", "accounts", "people", "deals", "steps")
_START: Mapping[str, Shape] = {
    "accounts": table(fresh("accounts"), AN_ACCOUNT),
    "people": table(fresh("people"), A_PERSON),
    "deals": table(fresh("deals"), A_DEAL),
}


def read_step(node: Node) -> Step:
    """One step: a table with exactly one word."""
    entries = node.entries()
    if len(entries) != 1:
        node.refuse("a step has one word; write each step on a line of its own, behind «- »")
    word, value = entries[0]
    if word not in STEPS:
        value.refuse(f"there is no step {word!r}; known steps: {', '.join(STEPS)}")
    return Step(word, STEPS[word](value), value.file, value.line)


def read_script(path: Path) -> Script:
    """A scenario file. Raises ScriptError, which names file and line of whatever it cannot understand."""
    root = open_file(path)
    given: dict[str, Node] = dict(root.entries())
    for name, node in given.items():
        if name not in WORDS:
            node.refuse(f"{name!r} means nothing here; known words: {', '.join(WORDS)}")
    for name in ("title", "proves", "steps"):
        if name not in given:
            root.refuse(f"{name!r} is missing")
    start: dict[str, Any] = {name: read(given[name]) for name, read in _START.items() if name in given}
    steps = tuple(read_step(node) for node in given["steps"].items())
    _proves_something(given["steps"], steps)
    return Script(
        path=path,
        title=text(given["title"]),
        proves=text(given["proves"]),
        start=start,
        steps=steps,
        mappings=table(_file, VALUES)(given["mappings"]) if "mappings" in given else {},
        rates=text(given["rates"]) if "rates" in given else "",
    )


def _proves_something(node: Node, steps: tuple[Step, ...]) -> None:
    if not steps or steps[-1].word != "expect":
        node.refuse("a scenario ends with the step «expect»")
    assert isinstance(node.value, CommentedSeq)
