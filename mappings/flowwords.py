"""The words of the flows: people of deals, return to nurture, hand-over.

Each step takes the word's value into the draft; names of fields, reasons and thresholds are resolved by the
compiler.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from mappings.blocks import FIELD_LIST, enum, ref
from mappings.draft import FileDraft
from mappings.flowdrafts import (
    BlankReasonDraft,
    HandOverDraft,
    PeopleDraft,
    RecycleDraft,
    ReturnRouteDraft,
    TaskDraft,
    ThresholdDraft,
    UnworkedDraft,
)
from mappings.grammar import Place, Reading, Word, want_choice, want_map, want_text, want_texts, want_whole
from mappings.source import Node, Text
from mappings.spans import span

CHOICES = ("open_newest", "won_newest", "lost_newest")
EXCLUSIONS = (
    "open_deal_at_account", "current_customer", "opted_out", "bounced", "competitor", "own_staff", "erased",
)  # fmt: skip

_TEXT = {"type": "string"}
_SPAN = {"type": "string", "pattern": r"^\d{1,5}\s*[smhd]$"}
_NUMBER = {"type": "integer"}


def _words(words: dict[str, Word[Any]]) -> Any:
    return MappingProxyType(words)


def _choices(node: Node, allowed: tuple[str, ...], reading: Reading, what: str) -> tuple[Text, ...]:
    items = want_texts(node, reading.sink, what)
    found = (want_choice(text, allowed, reading.sink, what) for text in items)
    return tuple(text for text in found if text is not None)


# --- people of a deal ------------------------------------------------------------------------------------


def people(draft: FileDraft, node: Node, reading: Reading) -> None:
    """Whom a deal is about."""
    draft.people = PeopleDraft(node.at)
    draft.flow_nodes["people"] = node
    reading.fill(reading.grammar.people, node, draft.people, "people")


def _roles(found: PeopleDraft, node: Node, reading: Reading) -> None:
    found.roles = want_texts(node, reading.sink, "roles")


def _one_of_many(found: PeopleDraft, node: Node, reading: Reading) -> None:
    found.one_of_many = _choices(node, CHOICES, reading, "one_of_many")


PEOPLE: Place[PeopleDraft] = Place(
    words=_words(
        {
            "roles": Word(
                step=_roles,
                shape={"type": "array", "items": _TEXT},
                about="Roles that count, as the vendor writes them; primary = the primary contact. None = every role.",
            ),
            "one_of_many": Word(
                step=_one_of_many,
                shape={"type": "array", "items": enum(*CHOICES)},
                about="Which deal a person with several shows: the first of these that exists.",
            ),
        }
    )
)


# --- return to nurture -----------------------------------------------------------------------------------


def recycle(draft: FileDraft, node: Node, reading: Reading) -> None:
    """What becomes of the people of a lost deal."""
    draft.recycle = RecycleDraft(node.at)
    draft.flow_nodes["recycle"] = node
    reading.fill(reading.grammar.recycle, node, draft.recycle, "recycle")


def _when(found: RecycleDraft | HandOverDraft, node: Node, _reading: Reading) -> None:
    found.when = node


def _wait(found: RecycleDraft, node: Node, reading: Reading) -> None:
    found.wait = span(node, reading, "wait")


def _never(found: RecycleDraft | HandOverDraft, node: Node, reading: Reading) -> None:
    found.never = _choices(node, EXCLUSIONS, reading, "never")


def _by(found: RecycleDraft, node: Node, reading: Reading) -> None:
    found.by = want_text(node, reading.sink, "by")


def _routes(found: RecycleDraft, node: Node, reading: Reading) -> None:
    block = want_map(node, reading.sink, "routes")
    for entry in block.entries if block else ():
        route = ReturnRouteDraft(entry.value.at)
        reading.fill(reading.grammar.return_route, entry.value, route, f"routes: {entry.key.text}")
        found.routes[entry.key.text] = route
        found.routes_at[entry.key.text] = entry.key.at


def _blank_reason(found: RecycleDraft, node: Node, reading: Reading) -> None:
    found.blank_reason = BlankReasonDraft(node.at)
    reading.fill(reading.grammar.blank_reason, node, found.blank_reason, "blank_reason")


def _other_reason(found: RecycleDraft, node: Node, reading: Reading) -> None:
    found.other_reason = want_text(node, reading.sink, "other_reason")


RECYCLE: Place[RecycleDraft] = Place(
    required=("by", "routes"),
    words=_words(
        {
            "when": Word(
                step=_when, shape=ref("condition"), about="Which closed deals bring their people back."
            ),
            "wait": Word(
                step=_wait, shape=_SPAN, about="Reopened within this time: nothing happens (default 24h)."
            ),
            "never": Word(
                step=_never,
                shape={"type": "array", "items": enum(*EXCLUSIONS)},
                about="Who never returns; asked when it happens and once more before it is done.",
            ),
            "by": Word(step=_by, shape=ref("field_name"), about="The field that holds the reason."),
            "routes": Word(
                step=_routes,
                shape={"type": "object", "additionalProperties": ref("return_route")},
                about="Where people go, by reason.",
            ),
            "blank_reason": Word(
                step=_blank_reason,
                shape=ref("blank_reason"),
                about="No reason was given: remind, then decide.",
            ),
            "other_reason": Word(
                step=_other_reason,
                shape=_TEXT,
                about="A reason that no route names: hold (a person decides) or the reason that counts.",
            ),
        }
    ),
)


def _list(found: ReturnRouteDraft | UnworkedDraft, node: Node, reading: Reading) -> None:
    found.list = want_text(node, reading.sink, "list")


def _wake(found: ReturnRouteDraft | UnworkedDraft, node: Node, reading: Reading) -> None:
    found.wake = span(node, reading, "wake")


def _wake_from(found: ReturnRouteDraft, node: Node, reading: Reading) -> None:
    found.wake_from = want_text(node, reading.sink, "wake_from")


def _wake_to(found: ReturnRouteDraft, node: Node, reading: Reading) -> None:
    found.wake_to = want_text(node, reading.sink, "wake_to")


def _none(found: ReturnRouteDraft, node: Node, reading: Reading) -> None:
    found.none = want_choice(node, ("disqualify", "silent"), reading.sink, "none")


RETURN_ROUTE: Place[ReturnRouteDraft] = Place(
    words=_words(
        {
            "list": Word(step=_list, shape=_TEXT, about="The marketing system's static list."),
            "wake": Word(step=_wake, shape=_SPAN, about="So long after the return the person may be woken."),
            "wake_from": Word(
                step=_wake_from, shape=_TEXT, about="The deal's field with a date, which wins over wake."
            ),
            "wake_to": Word(
                step=_wake_to, shape=_TEXT, about="The person's field in marketing that gets the date."
            ),
            "none": Word(
                step=_none,
                shape=enum("disqualify", "silent"),
                about="Nobody returns: disqualified, or the deal was no deal at all.",
            ),
        }
    )
)


def _remind(found: BlankReasonDraft, node: Node, reading: Reading) -> None:
    found.remind = want_choice(node, ("owner",), reading.sink, "remind")


def _remind_subject(found: BlankReasonDraft, node: Node, reading: Reading) -> None:
    found.subject = want_text(node, reading.sink, "subject")


def _after(found: BlankReasonDraft | UnworkedDraft, node: Node, reading: Reading) -> None:
    found.after = span(node, reading, "after")


def _then(found: BlankReasonDraft, node: Node, reading: Reading) -> None:
    found.then = want_text(node, reading.sink, "then")


BLANK_REASON: Place[BlankReasonDraft] = Place(
    required=("after", "then"),
    words=_words(
        {
            "remind": Word(step=_remind, shape=enum("owner"), about="The deal's owner gets a task."),
            "subject": Word(step=_remind_subject, shape=_TEXT, about="What that task says."),
            "after": Word(step=_after, shape=_SPAN, about="So long is waited for a reason."),
            "then": Word(step=_then, shape=_TEXT, about="The reason that counts afterwards."),
        }
    ),
)


# --- hand-over -------------------------------------------------------------------------------------------


def hand_over(draft: FileDraft, node: Node, reading: Reading) -> None:
    """Who is handed to sales, and how sales hears of it."""
    draft.hand_over = HandOverDraft(node.at)
    draft.flow_nodes["hand_over"] = node
    reading.fill(reading.grammar.hand_over, node, draft.hand_over, "hand_over")


def _task(found: HandOverDraft, node: Node, reading: Reading) -> None:
    found.task = TaskDraft(node.at)
    reading.fill(reading.grammar.task, node, found.task, "task")


def _notice(found: HandOverDraft, node: Node, reading: Reading) -> None:
    found.notice = want_text(node, reading.sink, "notice")


def _rejected(found: HandOverDraft, node: Node, reading: Reading) -> None:
    found.rejected = RecycleDraft(node.at)
    reading.fill(reading.grammar.recycle, node, found.rejected, "rejected")


def _unworked(found: HandOverDraft, node: Node, reading: Reading) -> None:
    found.unworked = UnworkedDraft(node.at)
    reading.fill(reading.grammar.unworked, node, found.unworked, "unworked")


HAND_OVER: Place[HandOverDraft] = Place(
    required=("when",),
    words=_words(
        {
            "when": Word(
                step=_when, shape=ref("condition"), about="Asked of marketing's side; once per crossing."
            ),
            "task": Word(step=_task, shape=ref("task"), about="The task that sales gets."),
            "notice": Word(step=_notice, shape=_TEXT, about="A channel of renkei.yaml that is told."),
            "never": Word(
                step=_never,
                shape={"type": "array", "items": enum(*EXCLUSIONS)},
                about="Who is never handed over.",
            ),
            "rejected": Word(
                step=_rejected, shape=ref("recycle"), about="People whom sales gave back, by their reason."
            ),
            "unworked": Word(
                step=_unworked, shape=ref("unworked"), about="People whom nobody in sales touched in time."
            ),
        }
    ),
)


def _subject(found: TaskDraft, node: Node, reading: Reading) -> None:
    found.subject = want_text(node, reading.sink, "subject")


def _due(found: TaskDraft, node: Node, reading: Reading) -> None:
    found.due = span(node, reading, "due")


def _owner(found: TaskDraft, node: Node, reading: Reading) -> None:
    found.owner = want_text(node, reading.sink, "owner")


def _reasons(found: TaskDraft, node: Node, reading: Reading) -> None:
    found.reasons = want_texts(node, reading.sink, "reasons")


TASK: Place[TaskDraft] = Place(
    words=_words(
        {
            "subject": Word(
                step=_subject, shape=_TEXT, about="The task's subject; {field} stands for a value."
            ),
            "due": Word(step=_due, shape=_SPAN, about="When it is due, from the hand-over."),
            "owner": Word(
                step=_owner, shape=ref("field_name"), about="The field of type user that names its owner."
            ),
            "reasons": Word(
                step=_reasons, shape=FIELD_LIST, about="Fields whose values are listed as reasons."
            ),
        }
    )
)


def _while(found: UnworkedDraft, node: Node, _reading: Reading) -> None:
    found.condition = node


UNWORKED: Place[UnworkedDraft] = Place(
    required=("after", "while", "list"),
    words=_words(
        {
            "after": Word(step=_after, shape=_SPAN, about="So long after the hand-over."),
            "while": Word(
                step=_while, shape=ref("condition"), about="Asked of the sales side: still untouched."
            ),
            "list": Word(step=_list, shape=_TEXT, about="The marketing system's static list."),
            "wake": Word(step=_wake, shape=_SPAN, about="So long after the return the person may be woken."),
        }
    ),
)


# --- thresholds.yaml -------------------------------------------------------------------------------------


def _enter(found: ThresholdDraft, node: Node, reading: Reading) -> None:
    found.enter = want_whole(node, 0, 1_000_000, reading.sink, "enter")


def _leave(found: ThresholdDraft, node: Node, reading: Reading) -> None:
    found.leave = want_whole(node, 0, 1_000_000, reading.sink, "leave")


def _dwell(found: ThresholdDraft, node: Node, reading: Reading) -> None:
    found.dwell = span(node, reading, "dwell")


THRESHOLD: Place[ThresholdDraft] = Place(
    required=("enter",),
    words=_words(
        {
            "enter": Word(step=_enter, shape=_NUMBER, about="Reached from here on."),
            "leave": Word(step=_leave, shape=_NUMBER, about="Left below here (default: enter)."),
            "dwell": Word(step=_dwell, shape=_SPAN, about="Counts at most once in this time."),
        }
    ),
)
