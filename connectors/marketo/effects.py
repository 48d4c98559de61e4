"""Effects: who is put on a static list or taken off, and for whom a campaign is requested.

Decides which writes leave together, and what an answer means for each. A list can be written twice without harm; a
requested campaign gives no receipt, so it is asked for once and a lost answer stays in doubt. Names of lists and
campaigns become ids at the first use. Sources: the vendor's pages "List Membership" and "Smart Campaigns".
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

from connectors.batches import chunks, deliver, matched
from connectors.marketo.client import BATCH, MarketoClient
from connectors.marketo.errors import outcome_of
from sync.errors import Fatal, InDoubt, RequestRefused
from sync.ports import FieldError, Outcome, Write
from sync.record import Schema, SchemaField

LIST, CAMPAIGN = "ListMember", "CampaignRequest"
OBJECTS = (LIST, CAMPAIGN)
PREFIX = "token."
MOST_REQUESTED, MOST_TOKENS = 100, 100


class Effects:
    """What is done at one instance; safe to share between threads."""

    def __init__(self, client: MarketoClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._ids: dict[tuple[str, str], str] = {}

    def described(self) -> tuple[Schema, Schema]:
        """Both effects as objects, whose words are the lists and the campaigns that could be requested by now."""
        lists = [str(row.get("name")) for row in self._client.assets("lists")]
        rows = self._client.assets("campaigns")
        campaigns = [
            str(row.get("name")) for row in rows if row.get("type") == "trigger" and row.get("active")
        ]
        return self._schema(LIST, "list", lists), self._schema(CAMPAIGN, "campaign", campaigns)

    def _schema(self, object_: str, path: str, names: Sequence[str]) -> Schema:
        words = tuple(dict.fromkeys(names))
        fields = [SchemaField(path, "picklist", required=True, picklist=words, restricted=True)]
        fields.append(SchemaField("lead", "id", required=True))
        if object_ == LIST:
            fields.append(SchemaField("member", "boolean"))
        return Schema(system=self._client.system, object=object_, fields={each.path: each for each in fields})

    def write(self, writes: Sequence[Write]) -> list[Outcome]:
        """One outcome per write, same order; all writes are of one object. Raises Fatal, Retryable, RequestRefused,
        InDoubt."""
        if not writes:
            return []
        object_ = writes[0].ref.object
        if object_ not in OBJECTS or any(write.ref.id for write in writes):
            raise Fatal(
                f"{self._client.system} has no effect {object_[:40]!r} of this kind.",
                f"use {' or '.join(OBJECTS)}, each time as something new",
            )
        path = "list" if object_ == LIST else "campaign"
        targets = [self._target(path, write) for write in writes]
        ids = {place: each for place, each in enumerate(targets) if isinstance(each, str)}
        if object_ == LIST:
            outcomes = deliver(_turns(writes, ids), lambda part: self._send_members(part, writes, ids))
        else:
            outcomes = deliver(_requests(writes, ids), lambda part: self._request(part, writes, ids))
        return [
            outcomes[place] if isinstance(each, str) else Outcome("refused", errors=(each,))
            for place, each in enumerate(targets)
        ]

    def _target(self, path: str, write: Write) -> str | FieldError:
        """The id of the list or campaign that is named, or why the write cannot leave."""
        name = str(write.values.get(path) or "")
        if not name:
            return FieldError(path, f"no_{path}", f"It names no {path}.")
        if not _lead(write).isdigit():
            return FieldError("lead", "no_lead", "It names no lead.")
        if len(_tokens(write)) > MOST_TOKENS:
            return FieldError(path, "too_many_tokens", f"A request takes {MOST_TOKENS} tokens at most.")
        with self._lock:
            known = self._ids.get((path, name))
        return known or self._look_up(path, name)

    def _look_up(self, path: str, name: str) -> str | FieldError:
        """An id by name, remembered; what bears no such name may be an id itself."""
        found = [str(row["id"]) for row in self._client.assets(f"{path}s", name)]
        if not found and not name.isdigit():
            step = f"create the {path} there, or correct its name in the mapping"
            return FieldError(
                path, f"unknown_{path}", f"{self._client.system} has no {path} {name!r}: {step}."
            )
        if len(found) > 1:
            step = "rename all but one, or write the id instead of the name"
            return FieldError(path, f"several_{path}s", f"Several {path}s are called {name!r}: {step}.")
        with self._lock:
            self._ids[path, name] = found[0] if found else name
        return found[0] if found else name

    def _send_members(
        self, part: Sequence[int], writes: Sequence[Write], ids: Mapping[int, str]
    ) -> list[Outcome]:
        leads = list(dict.fromkeys(_lead(writes[place]) for place in part))
        send = self._client.enlist if _is_member(writes[part[0]]) else self._client.delist
        try:
            answers = matched(leads, send(ids[part[0]], leads))
        except RequestRefused as error:
            if error.code != "1013":
                raise
            return self._refused("list", part, error, "create it again, or correct its name in the mapping")
        found = {lead: _member_outcome(lead, answer) for lead, answer in zip(leads, answers, strict=True)}
        return [found[_lead(writes[place])] for place in part]

    def _request(self, part: Sequence[int], writes: Sequence[Write], ids: Mapping[int, str]) -> list[Outcome]:
        leads = [_lead(writes[place]) for place in part]
        try:
            self._client.request_campaign(ids[part[0]], leads, _tokens(writes[part[0]]))
        except RequestRefused as error:
            if error.code == "1004" and len(part) == 1:
                return [Outcome("gone", errors=(FieldError("lead", error.code, error.message),))]
            if error.code not in {"1003", "1013"}:
                raise  # one missing lead refuses the request: the caller halves it
            step = "activate it with the trigger «Campaign is Requested» (source: web service API)"
            return self._refused("campaign", part, error, step)
        return [Outcome("applied", lead) for lead in leads]

    def _refused(self, path: str, part: Sequence[int], error: RequestRefused, step: str) -> list[Outcome]:
        """The list or campaign itself is refused: nobody was, and its id is looked up anew."""
        with self._lock:
            self._ids = {key: number for key, number in self._ids.items() if key[0] != path}
        said = FieldError(path, error.code, f"{error.message} Next: {step}.")
        return [Outcome("refused", errors=(said,)) for _ in part]


def _lead(write: Write) -> str:
    return str(write.values.get("lead") or "")


def _is_member(write: Write) -> bool:
    return write.values.get("member") is not False


def _tokens(write: Write) -> dict[str, str]:
    """Values for the campaign's tokens by the vendor's name: `token.my.stage` is `{{my.stage}}`."""
    found: dict[str, str] = {}
    for path, value in write.values.items():
        if path.startswith(PREFIX):
            text = str(value).lower() if isinstance(value, bool) else str(value if value is not None else "")
            found["{{" + path.removeprefix(PREFIX).strip("{}") + "}}"] = text
    return found


def _turns(writes: Sequence[Write], ids: Mapping[int, str]) -> list[Sequence[int]]:
    """Places in calls: one list and one direction each; a lead that goes both ways does so in its order."""
    rounds: list[dict[tuple[str, bool], list[int]]] = [{}]
    seen: dict[tuple[str, str], bool] = {}
    for place, number in ids.items():
        who, member = (number, _lead(writes[place])), _is_member(writes[place])
        if seen.get(who, member) is not member:
            rounds.append({})
            seen.clear()
        seen[who] = member
        rounds[-1].setdefault((number, member), []).append(place)
    return [part for each in rounds for places in each.values() for part in chunks(places, BATCH)]


def _requests(writes: Sequence[Write], ids: Mapping[int, str]) -> list[list[int]]:
    """Places in calls: one campaign with the same tokens each, and no lead twice in one."""
    groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[list[int]]] = {}
    for place, number in ids.items():
        write = writes[place]
        parts = groups.setdefault((number, tuple(sorted(_tokens(write).items()))), [])
        fitting = (part for part in parts if _has_room(part, _lead(write), writes))
        room = next(fitting, None)
        if room is None:
            parts.append([place])
        else:
            room.append(place)
    return [part for parts in groups.values() for part in parts]


def _has_room(part: Sequence[int], lead: str, writes: Sequence[Write]) -> bool:
    return len(part) < MOST_REQUESTED and all(_lead(writes[place]) != lead for place in part)


def _member_outcome(lead: str, answer: dict[str, object]) -> Outcome:
    """What a row says of one lead: taking off who is not on the list is done, and so is adding who is on it."""
    if str(answer.get("id", lead)) != lead:
        raise InDoubt("A row was answered for another lead.", "it is looked at before it is sent again")
    status = answer.get("status")
    if isinstance(status, str) and status != "skipped":
        return Outcome("applied", lead)
    outcome = outcome_of(answer, {}, lead)
    absent = outcome is not None and any(error.code == "1015" for error in outcome.errors)
    return Outcome("applied", lead) if outcome is None or absent else outcome
