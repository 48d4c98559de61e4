"""What a scenario expects, compared with what the vendors have: one method for each word of `expect`.

It decides what counts: whoever or whatever is not named has none, so that a second task or a stray member is found
too. Only `inbox`, `uncertain`, `failed` and `skipped` ask the journal, because no vendor can know them.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from simulators.ledger import Entry
from sync.record import Ref
from sync.rows import FAILED, UNCERTAIN, RecordRow
from tests.support.flow_town import FlowTown
from tests.support.stage_cast import Cast
from tests.support.stage_judge import LifeChecks
from tests.support.stage_reading import Step
from tests.support.stage_words import THE_ROUTE, THINGS
from tests.support.town import MARKETO, SALESFORCE

Found = Mapping[str, Any]


class Checks(LifeChecks):
    """The expectations of one scenario."""

    def __init__(self, town: FlowTown, cast: Cast) -> None:
        self.town, self.cast = town, cast

    def check(self, step: Step) -> None:
        """Compare everything that a step expects; AssertionError names the place and both sides."""
        for word, given in step.given.items():
            compare: Callable[[Any], tuple[object, object]] = getattr(self, word)
            expected, found = compare(given)
            assert found == expected, f"{step.place}: {word}\n  expected {expected}\n  found    {found}"

    # --- what was announced ------------------------------------------------------------------------------

    def tasks(self, given: Found) -> tuple[object, object]:
        """Tasks about people that we made, by person."""
        made: dict[str, list[Found]] = defaultdict(list)
        for row in self._made("Task"):
            if row["WhatId"] is None:
                made[self.cast.name_of(SALESFORCE, str(row["WhoId"]))].append(row)
        return _compared(given, made, self._task)

    def reminders(self, given: Found) -> tuple[object, object]:
        """Tasks about deals that we made, by deal."""
        names = {id_: name for name, id_ in self.cast.deals.items()}
        made: dict[str, list[Found]] = defaultdict(list)
        for row in self._made("Task"):
            if row["WhatId"] is not None:
                made[names[str(row["WhatId"])]].append(row)
        return _compared(given, made, self._task)

    def notices(self, given: Found) -> tuple[object, object]:
        """Notices that arrived, by the person whom they name."""
        made: dict[str, list[Found]] = defaultdict(list)
        for message in self.town.notices.messages:
            words = json.dumps(message, ensure_ascii=False)
            names = [name for name, who in self.cast.people.items() if who.family and who.family in words]
            made["/".join(names) or words].append(message)
        return _compared(given, made, self._notice)

    def _task(self, word: str, rows: Sequence[Found], asked: Any) -> object:
        match word:
            case "owner":
                return "/".join(sorted({self.cast.mail_of(row["OwnerId"]) for row in rows}))
            case "subject":
                return "/".join(sorted({str(row["Subject"]) for row in rows}))
            case "due":
                return "/".join(sorted({str(row["ActivityDate"]) for row in rows}))
            case _:
                return [each for each in asked if all(each in str(row["Description"]) for row in rows)]

    def _notice(self, _word: str, rows: Sequence[Found], asked: Any) -> object:
        return [each for each in asked if all(each in json.dumps(row, ensure_ascii=False) for row in rows)]

    def _made(self, object_: str) -> Iterable[Found]:
        """Everything of an object that we made, also what somebody has deleted since."""
        rows = self.town.salesforce.tables[object_].rows
        ledger: Sequence[Entry] = self.town.salesforce.ledger
        for entry in ledger:
            if (entry.actor, entry.verb, entry.object) == ("api", "create", object_):
                yield rows[entry.id]

    # --- lists -------------------------------------------------------------------------------------------

    def lists(self, given: Mapping[str, Sequence[str]]) -> tuple[object, object]:
        """Who is on which list now."""
        found = {
            name: sorted(self.cast.name_of(MARKETO, str(lead)) for lead in self.town.marketo.members(name))
            for name in self.town.marketo.lists
        }
        expected = {name: sorted(people) for name, people in given.items()}
        return expected, {name: people for name, people in found.items() if people or name in expected}

    def list_history(self, given: Mapping[str, Sequence[str]]) -> tuple[object, object]:
        """What we did to lists: «+山田» put on, «-山田» taken off; the order counts for each person."""
        marks = {"added": "+", "removed": "-"}
        found = {
            name: sorted(
                (
                    marks[change.change] + self.cast.name_of(MARKETO, str(change.lead))
                    for change in self.town.marketo.lists[name]
                    if change.by == "api"
                ),
                key=lambda change: change[1:],
            )
            for name in given
        }
        return {name: sorted(each, key=lambda change: str(change)[1:]) for name, each in given.items()}, found

    # --- fields and records ------------------------------------------------------------------------------

    def fields(self, given: Mapping[str, Found]) -> tuple[object, object]:
        """Values of people at marketing."""
        return self._values(given, MARKETO)

    def sales_fields(self, given: Mapping[str, Found]) -> tuple[object, object]:
        """Values of people at sales; `Owner.Email` is the owner's address."""
        return self._values(given, SALESFORCE)

    def _values(self, given: Mapping[str, Found], system: str) -> tuple[object, object]:
        found: dict[str, Found] = {}
        for name, asked in given.items():
            values = self.town.values(self.cast.one(name, system))
            own = {"Owner.Email": self.cast.mail_of(values["OwnerId"])} if system == SALESFORCE else {}
            found[name] = {path: _plain({**values, **own}.get(path)) for path in asked}
        return {
            name: {path: _plain(value) for path, value in each.items()} for name, each in given.items()
        }, found

    def records(self, given: Mapping[str, Mapping[str, int]]) -> tuple[object, object]:
        """How many live records people have."""
        where = {
            "marketo": (MARKETO, "Lead"),
            "lead": (SALESFORCE, "Lead"),
            "contact": (SALESFORCE, "Contact"),
        }
        found = {
            name: {place: len(self.cast.live(name, *where[place])) for place in asked}
            for name, asked in given.items()
        }
        return given, found

    def companies(self, given: Mapping[str, Any]) -> tuple[object, object]:
        """Marketing's companies, by the accounts that they stand for."""
        found: dict[str, object] = {}
        for name, asked in given.items():
            company = self.town.marketo.company(self.cast.accounts[name])
            paths = asked if isinstance(asked, Mapping) else ()
            found[name] = {path: _plain(company.values.get(path)) for path in paths} if company else "none"
        return given, found

    def number_of_companies(self, given: int) -> tuple[object, object]:
        """How many companies marketing has in all."""
        return given, len(self.town.marketo.companies.rows)

    def belongs_to(self, given: Mapping[str, str]) -> tuple[object, object]:
        """To which account's company people belong at marketing."""
        names = {id_: name for name, id_ in self.cast.accounts.items()}
        found = {}
        for name in given:
            company = self.town.value(self.cast.one(name, MARKETO), "externalCompanyId")
            found[name] = (
                "none" if company is None else names.get(str(company), f"something else ({company})")
            )
        return given, found

    # --- what no vendor can know -------------------------------------------------------------------------

    def inbox(self, given: Mapping[str, Sequence[str]]) -> tuple[object, object]:
        """What waits for somebody, by whose it is."""
        names = {self.town.entity(ref): name for name, ref in reversed([*self._refs()])} | {0: THE_ROUTE}
        found: dict[str, list[str]] = defaultdict(list)
        for entity, kind in self.town.waiting():
            found[names.get(entity, f"somebody unknown ({entity})")].append(kind)
        return {name: sorted(kinds) for name, kinds in given.items()}, {
            name: sorted(kinds) for name, kinds in found.items()
        }

    def uncertain(self, given: Mapping[str, int]) -> tuple[object, object]:
        """Things that may or may not have happened, and are not tried again."""
        return self._in_state(UNCERTAIN, given)

    def failed(self, given: Mapping[str, int]) -> tuple[object, object]:
        """Things that a vendor refused, and that wait for somebody to change something."""
        return self._in_state(FAILED, given)

    def _in_state(self, state: str, given: Mapping[str, int]) -> tuple[object, object]:
        rows = [row for row in self.town.store.operations.values() if row.state == state]
        count = Counter(row.object for row in rows)
        return {THINGS[thing]: number for thing, number in given.items()}, dict(count)

    def skipped(self, given: Mapping[str, Sequence[str]]) -> tuple[object, object]:
        """Why people were left out, as it is remembered."""
        found = {name: sorted(self._codes(name)) for name in given}
        return {name: sorted(codes) for name, codes in given.items()}, found

    def _codes(self, name: str) -> set[str]:
        codes: set[str] = set()
        for row in self.town.store.standings([self.town.entity(self.cast.live(name, MARKETO)[0])]):
            memory = json.loads(row.body)
            kept = [*memory.get("cases", {}).values(), *memory.get("triggers", {}).values()]
            codes |= {str(each["code"]) for each in kept if each.get("code")}
        return codes

    def _refs(self) -> Iterable[tuple[str, Ref]]:
        """Everything that has a name and that we hold."""
        sides = (MARKETO, SALESFORCE)
        named = [
            (name, ref) for name in self.cast.people for side in sides for ref in self.cast.live(name, side)
        ]
        for object_, ids in (("Account", self.cast.accounts), ("Opportunity", self.cast.deals)):
            named += [(name, Ref(SALESFORCE, object_, id_)) for name, id_ in ids.items()]
        kept = {self.town.as_kept(ref): (name, ref) for name, ref in reversed(named)}
        held = {row.ref for row in self.town.store.get(RecordRow, kept)}
        return [each for ref, each in reversed(kept.items()) if ref in held]


def _compared(
    given: Found, made: Mapping[str, Sequence[Found]], look: Callable[[str, Sequence[Found], Any], object]
) -> tuple[object, object]:
    """How many there are of each, and of those that were asked for in more words, these words."""
    expected: dict[str, object] = {}
    found: dict[str, object] = {}
    for name, asked in given.items():
        rows = made.get(name, ())
        if isinstance(asked, int):
            expected[name], found[name] = asked, len(rows)
        else:
            expected[name] = {"number": 1, **asked}
            found[name] = {"number": len(rows)} | {
                word: look(word, rows, asked[word]) for word in asked if word != "number"
            }
    return expected, found | {name: len(rows) for name, rows in made.items() if name not in given}


def _plain(value: object) -> object:
    """A value as it is compared: numbers as numbers, nothing as nothing."""
    return None if value == "" else value
