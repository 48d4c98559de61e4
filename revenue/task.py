"""What a task for a salesperson looks like.

Decides the words, the due day and the owner of one task. The vendor's object and paths come in as data; whom the
task is for and when it is due is decided elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from revenue.days import days_after
from sync.record import Raw, Side, Value
from sync.rules import Effect, Fields
from sync.standing import Situation, is_set

_NAMED = re.compile(r"\{([^{}]+)\}")
_LONGEST_SUBJECT = 255
_LONGEST_TEXT = 4_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPaths:
    """Where a task's parts stand at the vendor ("" = the vendor has no such part).

    `who` gets the person's record id, `about` the deal's, `find` the key by which the task is found again.
    """

    subject: str
    who: str
    find: str = ""
    owner: str = ""
    due: str = ""
    text: str = ""
    about: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskForm:
    """One kind of task: a vendor `object` and its `paths`, a subject with {field} in it, the days until it is due
    (`due`, seconds; shown as a date in `zone`), the field that names the owner, the fields given as reasons, and how
    those are `derived` that only the selling side keeps."""

    object: str
    paths: TaskPaths
    subject: str
    due: float = 0.0
    owner: str = ""
    reasons: tuple[str, ...] = ()
    zone: str = "UTC"
    derived: Mapping[str, Callable[[Fields], Value]] = field(default_factory=dict)


def told_of(situation: Situation, form: TaskForm | None = None) -> Fields:
    """Both sides' fields in one, for words and reasons: what marketing has just now, where it has a value, since the
    selling side may not have heard of it yet; `derived` fields likewise. The owner is the selling side's."""
    ours, theirs = situation.of(Side.MA), situation.of(Side.SFA)
    found: dict[str, Value] = {**theirs, **{name: value for name, value in ours.items() if is_set(value)}}
    if form is not None:
        found |= {name: derive(ours) for name, derive in form.derived.items()}
        found |= {form.owner: theirs[form.owner]} if is_set(theirs.get(form.owner)) else {}
    return found


def in_words(template: str, fields: Fields) -> str:
    """A template with each {field} replaced by its value; a field without value leaves nothing."""
    return _NAMED.sub(lambda hit: shown(fields.get(hit[1])), template)


def shown(value: Value) -> str:
    """A value as people read it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def reasons_of(names: tuple[str, ...], fields: Fields) -> str:
    """One line «name: value» for each of the fields that has a value."""
    return "\n".join(f"{name}: {shown(fields[name])}" for name in names if is_set(fields.get(name)))


def task(form: TaskForm, key: str, at: float, fields: Fields, *, why: str = "", about: str = "") -> Effect:
    """The task effect for something that happened at an instant; `about` = a deal's id instead of a person."""
    paths = form.paths
    text = "\n".join(part for part in (why, reasons_of(form.reasons, fields)) if part)
    parts: Mapping[str, Raw] = {
        paths.subject: in_words(form.subject, fields)[:_LONGEST_SUBJECT],
        paths.due: days_after(at, form.due, form.zone).isoformat() if form.due else None,
        paths.owner: fields.get(form.owner) if form.owner else None,
        paths.text: text[:_LONGEST_TEXT],
        paths.about: about,
    }
    values = {path: value for path, value in parts.items() if path and value not in {None, ""}}
    who = "" if about else paths.who
    spare = (
        (paths.owner,) if paths.owner in values else ()
    )  # better nobody's task than none: owners come and go
    return Effect(key, Side.SFA, form.object, values, who=who, find=paths.find, spare=spare)
