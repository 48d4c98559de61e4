"""What the engine's own short words mean for whoever reads a screen: brakes, refusals, holds, classes of errors.

It decides the wording in both languages and the next step of a refusal. The engine keeps its reasons in English, so a
reason that this page does not recognise is shown as it stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from renkei.brakewords import FORMS
from renkei.words import Words
from sync.errors import InDoubt, LeaseLost, QuotaSpent, RenkeiError, RequestRefused, Retryable

if TYPE_CHECKING:
    from state.answers import OperationInfo
    from sync.rules import Rules

_HOW = (
    ("how.chosen", re.compile(r"rule (?P<rule>\S+): (?P<system>\S+)")),
    ("how.rule", re.compile(r"rule (?P<rule>\S+)")),
    ("how.mapping", re.compile(r"mapping (?P<digest>\S+)")),
    ("how.run", re.compile(r"run (?P<run>\d+)")),
)
_WITH_REASON = re.compile(r"(?P<word>[^(]+) \((?P<reason>.+)\)")
_IGNORED = re.compile(r"ignored by the vendor: (?P<fields>.+)")


class Refusal(NamedTuple):
    """Why a system took a write not, and what to do about it ("" = nothing better than to look)."""

    why: str
    step: str


def brake(words: Words, reason: str) -> str:
    """A brake's reason."""
    key, parts = form_of(reason)
    said = {
        name: word(words, name, text) if name in ("action", "span") else text for name, text in parts.items()
    }
    return words(key, **said) if key else reason


def form_of(reason: str) -> tuple[str, dict[str, str]]:
    """By which phrase a brake's reason is told, and its parts; "" = by none."""
    found = ((key, form.fullmatch(reason)) for key, form in FORMS)
    return next(((key, match.groupdict()) for key, match in found if match), ("", {}))


def word(words: Words, group: str, name: str) -> str:
    """A word of the engine's (an action, a state, a kind of hold, a time span), or as it stands if it is unknown."""
    key = f"{group}.{name}"
    text = words(key)
    return name if text == key else text


def waits(words: Words, kind: str, reason: str) -> str:
    """What an entry of the inbox is about, in a sentence; the engine's own word where there is none."""
    key = f"inbox.{kind}"
    text = words(key, reason=reason)
    return kind if text == key else text


def named(words: Words, found: Mapping[str, int]) -> dict[str, int]:
    """Counts by state or kind of hold under the names that a screen shows."""
    return {word(words, "kind", name): number for name, number in found.items()}


def reason(words: Words, text: str) -> str:
    """The reason that an operation or a canary bears: the engine's words, else the vendor's own codes."""
    ignored = _IGNORED.fullmatch(text)
    if ignored:
        return words("reason.ignored", fields=ignored["fields"])
    return "; ".join(word(words, "reason", each) for each in text.split("; "))


def how(words: Words, text: str) -> str:
    """How a line of a trace came about, part by part; what is none of the engine's words stands as it is."""
    return " · ".join(_part(words, each) for each in text.split(" · "))


def _part(words: Words, text: str) -> str:
    for key, form in _HOW:
        found = form.fullmatch(text)
        if found:
            return words(key, **found.groupdict())
    told = _WITH_REASON.fullmatch(text)
    if told:
        return f"{_part(words, told['word'])} ({reason(words, told['reason'])})"
    named = (word(words, group, text) for group in ("action", "kind", "how"))
    return next((each for each in named if each != text), text)


def refusal(words: Words, operation: OperationInfo, rules: Iterable[Rules]) -> Refusal:
    """What a refused or waiting operation waits for."""
    own = next((one for one in rules if one.route == operation.route), None)
    codes = {said[1] for said in operation.work.get("errors", ())}
    if own is None or operation.action != "create" or "exists" not in codes:
        return Refusal(reason(words, operation.reason), "")
    address = _shared_address(operation, own)
    if not address:
        return Refusal(words("refusal.exists", system=operation.target.system), words("refusal.exists_next"))
    why = words("refusal.shared", system=operation.target.system, address=address)
    links = " / ".join(_link_fields(own))
    return Refusal(
        why, words("refusal.shared_linked", fields=links) if links else words("refusal.shared_next")
    )


def _shared_address(operation: OperationInfo, rules: Rules) -> str:
    """The address of a new record, if it is one by which these rules recognise nobody ("" = it is not)."""
    from sync.normalise import Lens

    if not any(key.kind == "email" and key.unless_role for key in rules.match):
        return ""
    lens = Lens(rules)
    path = lens.address_path(operation.target.system, operation.target.object)
    sent = operation.work.get("fields", {}).get(path)
    address = str(sent[2]) if sent else ""
    return address if address and not lens.is_personal(address) else ""


def _link_fields(rules: Rules) -> list[str]:
    """Where a record names its counterpart across by id, as system.field."""
    keys = {key.field for key in rules.match if key.kind == "id"}
    return [
        f"{rules.systems[side]}.{path}"
        for rule in rules.fields
        if rule.name in keys
        for side, cell in rule.cells.items()
        if not cell.is_id
        for path in dict.fromkeys(cell.paths.values())
    ]


def error(words: Words, met: RenkeiError) -> str:
    """An error's sentence, under its class where the sentence itself is not in the reader's language."""
    return words(f"class.{_class(met)}", message=met.message)


def is_outage(error: BaseException) -> bool:
    """True if a system cannot be reached or used at present, and nothing of ours has to be mended."""
    return isinstance(error, Retryable) or isinstance(error.__cause__, Retryable)


def _class(met: RenkeiError) -> str:
    match met:
        case QuotaSpent():
            return "quota"
        case Retryable():
            return "outage"
        case LeaseLost():
            return "lease"
        case RequestRefused():
            return "refused"
        case InDoubt():
            return "doubt"
        case _:
            return "outage" if is_outage(met) else "fatal"
