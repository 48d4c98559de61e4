"""Disasters played from files: two thousand pairs at rest, something goes wrong, and somebody puts it right.

A file says in plain words what happens, which line has to stand in the inbox, how it is put right, and what has to be
true afterwards. The vendors' own ledgers judge how much was written; nothing here asks the engine for its opinion
except for that one line. The words of a file are the methods of `Stage`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from ruamel.yaml import YAML

from mappings.load import load
from renkei.telling import brake as in_words
from renkei.words import Words
from simulators.salesforce.fields import own
from sync.record import Page, Ref
from sync.rows import HoldRow, Patch
from sync.rules import Rules
from sync.said import Approve, command
from tests.support.people_of_2000 import INDUSTRIES, Pair, settle
from tests.support.town import MARKETO, PRESET, SALESFORCE, Town
from tests.support.town_parts import Window

PEOPLE = 2_000
MOST = PEOPLE // 100
KEYS = {
    "title",
    "proves",
    "mapping",
    "meanwhile",
    "happens",
    "cause",
    "put_right",
    "afterwards",
    "apart",
    "mostly",
}
ALIKE = (("email", "Email"), ("lastName", "LastName"), ("firstName", "FirstName"), ("title", "Title"),
         ("phone", "Phone"), ("revisitOn", "Next_Call__c"), ("unsubscribed", "HasOptedOutOfEmail"))  # fmt: skip
RULED = "  next_call: { marketo: revisitOn, flow: <->, salesforce: { Lead: Next_Call__c }, type: date }\n"


@dataclass(frozen=True, kw_only=True)
class Disaster:
    """One file. `mapping`: replacements in the preset; `meanwhile`: ordinary work that must not be lost; `apart`: the
    first so many people need not agree in the end; `mostly`: so many records may be written before the stop."""

    name: str
    title: str
    proves: str
    cause: str
    happens: list[Mapping[str, Any]]
    put_right: list[Mapping[str, Any]]
    mapping: Mapping[str, str] = field(default_factory=dict)
    meanwhile: list[Mapping[str, Any]] = field(default_factory=list)
    afterwards: list[Mapping[str, Any]] = field(default_factory=list)
    apart: int = 0
    mostly: int = 0


def read_disaster(path: Path) -> Disaster:
    """Read a file. Raises AssertionError for words that there are not."""
    found = YAML(typ="safe").load(path.read_text("utf-8"))
    assert set(found) <= KEYS, f"{path.name}: unknown words {sorted(set(found) - KEYS)}"
    steps = [step for part in ("happens", "put_right", "meanwhile") for step in found.get(part, ())]
    strange = [word for step in steps for word in step if not hasattr(Stage, f"do_{word}")]
    assert not strange, f"{path.name}: unknown steps {strange}"
    return Disaster(name=path.name, **found)


@cache
def rules_of(changes: tuple[tuple[str, str], ...]) -> Rules:
    """The preset's rules with some lines changed and one date more."""
    text = PRESET.read_text("utf-8").replace("  score:      {", f"{RULED}  score:      {{", 1)
    for old, new in changes:
        assert text.count(old) == 1, f"the preset has «{old}» {text.count(old)} times"
        text = text.replace(old, new)
    with TemporaryDirectory() as folder:
        for file in PRESET.parent.glob("thresholds.yaml"):
            (Path(folder) / file.name).write_text(file.read_text("utf-8"), "utf-8")
        (Path(folder) / "person.yaml").write_text(text, "utf-8")
        loaded = load([Path(folder)])
    assert not [each for each in loaded.problems if each.code.startswith("M")], loaded.problems
    (rules,) = loaded.rules
    return rules


class HostClock:
    """The clock of the machine that renkei runs on; it may be wrong."""

    def __init__(self, town: Town) -> None:
        self._true = town.clock
        self.wrong = 0.0

    def now(self) -> float:
        """The time as this machine has it."""
        return self._true.now() + self.wrong

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self._true.sleep(seconds)


class Stage:
    """A town with a clock of its own on the host, and what can happen in it."""

    def __init__(self, disaster: Disaster, patch: pytest.MonkeyPatch) -> None:
        self.disaster = disaster
        self.patch = patch
        self.town = Town(None, lambda _rules: rules_of(tuple(disaster.mapping.items())))
        self.host = HostClock(self.town)
        with_day = self.town.salesforce.schema["Lead"].having(own("Next_Call__c", "Next Call", "date"))
        self.town.salesforce._redefine(with_day)
        self.town.salesforce.tables["Lead"].spec = with_day
        self.reopen()
        self.people: list[Pair] = settle(self.town, PEOPLE)
        self.kept: dict[tuple[Ref, str], Any] = {}
        self.remembers = True
        self.town.open()
        self.seen = len(self.town.api_entries)

    def reopen(self) -> None:
        """Begin as a new process does, with new connections."""
        true, self.town.clock = self.town.clock, self.host  # type: ignore[assignment]
        for name, opened in ((MARKETO, self.town._open_marketo), (SALESFORCE, self.town._open_salesforce)):
            self.town.windows[name].close()
            self.town.windows[name] = Window(opened())
        self.town.clock = true
        sides = {side: self.town.windows[name] for side, name in self.town.world.lens.rules.systems.items()}
        self.town.world = replace(self.town.world, clock=self.host, connectors=dict(sides))

    # --- what can happen ---------------------------------------------------------------------------------

    def _these(self, step: Mapping[str, Any]) -> Iterator[tuple[int, Ref]]:
        start, end = step.get("people", (0, PEOPLE))
        for number in range(start, end):
            yield number, self.people[number].on(step["at"])

    def _type(self, ref: Ref, values: Mapping[str, Any]) -> None:
        for path in values if self.remembers else ():
            self.kept.setdefault((ref, path), self.now(ref).get(path))
        self.town.edit(ref, **values)

    def now(self, ref: Ref) -> Mapping[str, Any]:
        """What a vendor holds of a record."""
        if ref.system == MARKETO:
            return self.town.marketo.leads[int(ref.id)].values
        return self.town.values(ref)

    def do_type(self, step: Mapping[str, Any]) -> None:
        """Somebody types the same values into some records."""
        for _number, ref in self._these(step):
            self._type(ref, step["values"])

    def do_shift(self, step: Mapping[str, Any]) -> None:
        """An import puts each column's values into the next one."""
        fields = step["fields"]
        for _number, ref in self._these(step):
            values = [self.now(ref).get(name) for name in fields]
            self._type(ref, dict(zip(fields, [values[-1], *values[:-1]], strict=True)))

    def do_swap(self, step: Mapping[str, Any]) -> None:
        """An import gives everybody the next one's value."""
        refs = [ref for _number, ref in self._these(step)]
        values = [self.now(ref).get(step["field"]) for ref in refs]
        for ref, value in zip(refs, [*values[1:], values[0]], strict=True):
            self._type(ref, {step["field"]: value})

    def do_rename(self, step: Mapping[str, Any]) -> None:
        """An administrator replaces one value of a list by another."""
        for _number, ref in self._these(step):
            if self.now(ref).get(step["field"]) == step["from"]:
                self._type(ref, {step["field"]: step["to"]})

    def do_move_days(self, step: Mapping[str, Any]) -> None:
        """Every day in a field becomes another one."""
        for _number, ref in self._these(step):
            day = date.fromisoformat(str(self.now(ref).get(step["field"])))
            self._type(ref, {step["field"]: (day + timedelta(days=step["by"])).isoformat()})

    def do_delete(self, step: Mapping[str, Any]) -> None:
        """Somebody deletes records."""
        for _number, ref in self._these(step):
            self.town.delete(ref)

    def do_undelete(self, step: Mapping[str, Any]) -> None:
        """Somebody takes records out of the recycle bin."""
        for _number, ref in self._these(step):
            with self.town.salesforce_api.lock:
                self.town.salesforce.human_undelete(ref.object, ref.id)

    def do_clone(self, step: Mapping[str, Any]) -> None:
        """A tool copies records."""
        for _number, ref in self._these(step):
            values = self.now(ref)
            self.town.lead(**{name: values[name] for name in ("email", "lastName", "firstName", "title")})

    def do_hide_field(self, step: Mapping[str, Any]) -> None:
        """A permission set loses a field."""
        self.town.salesforce.hide_field(step["object"], step["field"])
        self.reopen()

    def do_show_field(self, step: Mapping[str, Any]) -> None:
        """The permission is given back."""
        self.town.salesforce.show_field(step["object"], step["field"])
        self.reopen()

    def do_show_nobody(self, system: str) -> None:
        """A rule of sharing is narrowed: a system gives nobody any more, without an error and without a deletion."""
        window = self.town.windows[system]

        def nobody(*asked: Any, **more: Any) -> Iterator[Page]:
            for page in type(window).changes(window, *asked, **more):
                yield page._replace(records=(), events=())

        self.patch.setattr(window, "changes", nobody)
        self.patch.setattr(window, "fetch", lambda _kind, refs, _paths: [None] * len(refs))
        self.patch.setattr(window, "find", lambda *_asked: [])

    def do_show_again(self, system: str) -> None:
        """The rule is taken back; an hour later."""
        for name in ("changes", "fetch", "find"):
            self.patch.delattr(self.town.windows[system], name)
        self.town.wait(3_700.0)

    def do_organisation(self, name: str) -> None:
        """The settings lead to an organisation of this name."""
        self.patch.setattr("simulators.salesforce.oauth.ORGANISATION", name)
        self.reopen()

    def do_clock(self, days: float) -> None:
        """The host's clock goes wrong by so many days (0 = it is right again)."""
        self.host.wrong = days * 86_400.0

    def do_sync(self, cycles: int) -> None:
        """The route works on meanwhile."""
        self.cycles(cycles)

    def do_values_come_back(self, _step: object) -> None:
        """Whoever did it types the old values again."""
        before, self.kept = self.kept, {}
        for (ref, path), value in before.items():
            self.town.edit(ref, **{path: value})

    def do_approve(self, action: str) -> None:
        """A person has looked, and lets go what is planned."""
        row = command(self.host.now(), self.town.world.lens.rules.route, Approve(action=action))
        patch = Patch()
        patch.put(row._replace(id=self.town.world.numbers()))
        self.town.store.commit(patch)

    # --- how it is judged --------------------------------------------------------------------------------

    def cycles(self, count: int) -> None:
        """Let the route work for a while."""
        for _ in range(count):
            self.town.cycle(sweep=900.0)
            self.town.wait()

    def do_all(self, steps: list[Mapping[str, Any]]) -> None:
        """Do one step after the other."""
        for step in steps:
            ((word, what),) = step.items()
            getattr(self, f"do_{word}")(what)

    def written(self) -> int:
        """How many records we have changed since the beginning, by the vendors' own ledgers."""
        return len({(each.object, each.id) for each in self.town.api_entries[self.seen :]})

    def lines(self) -> list[str]:
        """The brakes that the inbox shows, each in its line."""
        holds: list[HoldRow] = [row for row in self.town.store.holds_of([0]) if row.kind == "brake"]
        return [reason_of(row) for row in holds]

    def differing(self) -> list[str]:
        """People of whom the two systems say different things, as they themselves say it."""
        found = []
        for pair in self.people[self.disaster.apart :]:
            ma, sfa = self.now(pair.lead), self.now(pair.record)
            names = [ours for ours, theirs in ALIKE if (ma.get(ours) or None) != (sfa.get(theirs) or None)]
            if INDUSTRIES[str(ma["industry"])] != sfa["Industry"]:
                names.append("industry")
            found += [f"{pair.lead.id}: {', '.join(names)}"] if names else []
        return found


def reason_of(row: HoldRow) -> str:
    """The line of one brake."""
    return str(json.loads(row.body)["reason"])


def play(disaster: Disaster, patch: pytest.MonkeyPatch, change: Callable[[], None] = lambda: None) -> int:
    """Play a disaster; how many records were written before it was stopped. Raises AssertionError where that were too
    many, the inbox has no line, or something is lost in the end."""
    stage = Stage(disaster, patch)
    change()
    with stage.town:
        where = f"{disaster.name}:"
        stage.do_all(disaster.happens)
        stage.remembers = False
        stage.do_all(disaster.meanwhile)
        stage.cycles(3)
        most, count = disaster.mostly or MOST, stage.written()
        assert count < most, f"{where} {count} records were written before it was stopped"
        assert disaster.cause in stage.lines(), f"{where} the inbox says {stage.lines()}"
        japanese = in_words(Words("ja"), disaster.cause)
        assert japanese != disaster.cause, f"{where} its cause is not said in Japanese"
        stage.do_all(disaster.put_right)
        stage.town.quiet()
        assert stage.lines() == [], f"{where} the inbox still says {stage.lines()}"
        for each in disaster.afterwards:
            for number, ref in stage._these(each):
                got = {path: stage.now(ref).get(path) for path in each["values"]}
                assert got == each["values"], f"{where} {each['at']} has {got} of person {number}"
        assert stage.differing() == [], f"{where} {len(stage.differing())} differ: {stage.differing()[:3]}"
        return count
