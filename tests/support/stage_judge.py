"""What must be true at the end of every life, judged by the vendors' own ledgers and records.

Nobody was made twice, no opt-out was taken back or kept from anybody, both sides of a pair say the same, and nothing is
written any more. It decides what counts as one person: records that name each other by id, that were merged or
converted into one another, or that bear the same address when one of them is made. It may not ask the journal.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from simulators.ledger import Entry
from sync.record import Ref
from tests.support.flow_town import FlowTown
from tests.support.stage_cast import Cast
from tests.support.town import MARKETO, SALESFORCE

ACROSS = {MARKETO: ("sfaId", SALESFORCE), SALESFORCE: ("Marketo_Id__c", MARKETO)}
MAIL = {MARKETO: "email", SALESFORCE: "Email"}
SAME = {"email": "Email", "lastName": "LastName", "firstName": "FirstName", "title": "Title"}
TOPICS = (("unsubscribed", "HasOptedOutOfEmail"), ("optOutSeminar", "Opt_Out_Seminar__c"))
PEOPLE = ("Lead", "Contact")
QUIET = 3


class LifeChecks:
    """Expectations about pairs of records."""

    town: FlowTown
    cast: Cast

    def linked(self, given: Mapping[str, str]) -> tuple[object, object]:
        """Whose record at sales stands with a person's record at marketing: each bears the other one's id."""
        pairs = dict(_pairs(self.town))
        found = {}
        for name in given:
            partner = pairs.get(self.cast.one(name, MARKETO))
            found[name] = "none" if partner is None else self._whose(partner, given[name])
        return given, found

    def _whose(self, ref: Ref, expected: str) -> str:
        """The name of a record's person: the expected one if it may be theirs."""
        names = [name for name in self.cast.people if ref in self.cast.live(name, SALESFORCE)]
        return expected if expected in names else "/".join(names)

    def different(self, given: Mapping[str, list[str]]) -> tuple[object, object]:
        """Fields (as marketing calls them) in which a pair's two records do not say the same."""
        return {name: sorted(fields) for name, fields in given.items()}, {
            self.cast.name_of(MARKETO, ma.id): fields
            for ma, sfa in _pairs(self.town)
            if (fields := sorted(_apart(self.town, ma, sfa)))
        }

    def stands_still(self, given: Mapping[str, str]) -> tuple[object, object]:
        """Routes that cannot go on, and words that stand in what is said of the reason."""
        found = {}
        for route, reason in self.town.stands.items():
            words = given.get(route, "")
            found[route] = words if words and words in reason else reason
        return given, found


def judge(town: FlowTown, *, answered: bool, differs: bool) -> None:
    """Raises AssertionError where a promise was broken. `answered`: a person has said that somebody is to be made anew;
    `differs`: the story says itself which pairs differ."""
    assert _second_creates(town) == [] or answered, f"made twice: {_second_creates(town)}"
    lifted = [entry for entry in town.api_entries if any(_lifts(each) for each in entry.changes.items())]
    assert lifted == [], f"opt-outs taken back: {lifted}"
    assert list(_not_told(town)) == [], f"opt-outs that did not arrive: {list(_not_told(town))}"
    if not differs:
        wrong = [(ma, sfa, fields) for ma, sfa in _pairs(town) if (fields := _apart(town, ma, sfa))]
        assert wrong == [], f"both sides differ: {wrong}"


def stays_quiet(town: FlowTown) -> None:
    """Further cycles write nothing."""
    before = list(town.api_entries)
    calls = town.write_calls
    for _ in range(QUIET):
        town.tick()
    assert town.api_entries == before, f"still writing: {town.api_entries[len(before) :]}"
    assert town.write_calls == calls, "still sending"


# --- one person --------------------------------------------------------------------------------------------


class _Families:
    """Records that are one person's, as far as the ledgers have told by now."""

    def __init__(self) -> None:
        self._of: dict[tuple[str, str], tuple[str, str]] = {}
        self.born: defaultdict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)

    def root(self, key: tuple[str, str]) -> tuple[str, str]:
        while self._of.get(key, key) != key:
            key = self._of[key]
        return key

    def join(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        first, second = self.root(one), self.root(other)
        if first != second:
            self._of[second] = first
            self.born[first] += self.born.pop(second, [])

    def add(self, key: tuple[str, str]) -> None:
        self.born[self.root(key)].append(key)


def _told(town: FlowTown) -> Iterator[tuple[str, Entry]]:
    """Both ledgers in the order of time, people only."""
    both = [(system, entry) for system, ledger in town.ledgers.items() for entry in ledger]
    for system, entry in sorted(both, key=lambda each: each[1].time):
        if entry.object in PEOPLE:
            yield system, entry


def _second_creates(town: FlowTown) -> list[tuple[str, Entry]]:
    """Records that we made although the person had one on that side, or had had one that was deleted."""
    families, mails = _Families(), dict[tuple[str, str], str]()
    wrong: list[tuple[str, Entry]] = []
    for system, entry in _told(town):
        key = (system, entry.id)
        path, other = ACROSS[system]
        if entry.verb == "create":
            families.add(key)
        named = entry.changes.get(path, (None, None))[1]
        if named:
            families.join(key, (other, str(named)))
        if entry.into:
            families.join((system, entry.into), key)
        mail = str(entry.changes.get(MAIL[system], (None, None))[1] or "").lower()
        if entry.verb == "create" and entry.actor == "api":
            before = [each for each in families.born[families.root(key)] if each[0] == system and each != key]
            bearing = [each for each, has in mails.items() if has == mail and each[0] == system and mail]
            wrong += [(system, entry)] if before or bearing else []
        if MAIL[system] in entry.changes:
            mails[key] = mail
    return wrong


def _pairs(town: FlowTown) -> Iterator[tuple[Ref, Ref]]:
    """Living records that bear each other's ids."""
    sales = {ref.id: ref for ref in town.live(SALESFORCE)}
    for lead in town.live(MARKETO):
        partner = sales.get(str(town.value(lead, "sfaId") or ""))
        if partner is not None and str(town.value(partner, "Marketo_Id__c")) == lead.id:
            yield lead, partner


def _apart(town: FlowTown, ma: Ref, sfa: Ref) -> list[str]:
    left, right = town.values(ma), town.values(sfa)
    return [name for name, path in SAME.items() if _plain(left.get(name)) != _plain(right.get(path))]


def _plain(value: object) -> object:
    return str(value).lower() if value not in (None, "") else None


def _lifts(change: tuple[str, tuple[object, object]]) -> bool:
    path, (old, new) = change
    return any(path in topic for topic in TOPICS) and old is True and new is not True


def _not_told(town: FlowTown) -> Iterator[tuple[Ref, Ref, str]]:
    """Pairs of which one record is opted out and the other is not."""
    for ma, sfa in _pairs(town):
        for here, there in TOPICS:
            if (town.value(ma, here) is True) != (town.value(sfa, there) is True):
                yield ma, sfa, here
