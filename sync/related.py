"""Which deals concern a person: the records of another kind, found through ties and read from the journal only.

Related are records in which the person has a role, those that the person's own record was converted into, and those
at the person's account. Everything for a chunk of people is loaded in a fixed number of questions; nothing is decided.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from sync.normalise import Lens, decode_body
from sync.ports import Store
from sync.record import Raw, Ref
from sync.remember import OWN, memory_of
from sync.rows import LIVE, UNSEEN, RecordRow, StandingRow
from sync.standing import ACCOUNT, DEAL, OPENED, WHO, Memory, Related

ROLE = "role"
ROLE_NAME, ROLE_PRIMARY = "role.name", "role.primary"


class _Part(NamedTuple):
    """A role record: which deal, which person's record, as what."""

    deal: str
    who: str
    name: str
    primary: bool


class _Route:
    """One route whose records bear on people, with everything that was loaded of it for a chunk."""

    def __init__(self, lens: Lens) -> None:
        self.lens = lens
        (self.side,) = lens.rules.sides
        self.system = lens.system(self.side)
        self.parts = frozenset(tie.object for tie in lens.rules.ties if tie.name in (DEAL, WHO))
        objects = lens.rules.objects[self.side].all
        self.objects = tuple(name for name in objects if name not in self.parts)
        self.deals: dict[str, RecordRow] = {}
        self.at_account: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self.of_person: defaultdict[str, list[_Part]] = defaultdict(list)
        self.of_deal: defaultdict[str, list[_Part]] = defaultdict(list)
        self.memories: dict[int, Memory] = {}
        self.known: dict[str, Related] = {}

    # --- loading -----------------------------------------------------------------------------------------

    def load(self, store: Store, who: set[str], accounts: set[str], opened: set[str]) -> None:
        """Load what concerns these people's records, accounts and converted deals: six questions."""
        hashes = [self.lens.tie_hash(WHO, each) for each in sorted(who)]
        hashes += [self.lens.tie_hash(ACCOUNT, each) for each in sorted(accounts)]
        found = self._bearing(store, hashes)
        self._take(row for row in found if row.object not in self.parts)
        mine = {part.deal for row in found if row.object in self.parts and (part := self._part(row))}
        wanted = (mine | opened) - self.deals.keys()
        names = [Ref(self.system, name, id_) for id_ in sorted(wanted) for name in self.objects]
        self._take(store.get(RecordRow, names) if names else ())
        deals = [self.lens.tie_hash(DEAL, each) for each in sorted(mine | opened)]
        for row in self._bearing(store, deals):
            part = self._part(row)
            if part is not None and _is_there(row):
                self.of_deal[part.deal].append(part)
                self.of_person[part.who].append(part)
        self._remember(store.standings({row.entity for row in self.deals.values()}) if self.deals else ())

    def _bearing(self, store: Store, hashes: list[str]) -> list[RecordRow]:
        if not hashes:
            return []
        keys = store.holders(self.system, self.lens.rules.kind, hashes)
        return store.get(RecordRow, {(key.system, key.object, key.id) for key in keys if not key.operation})

    def _take(self, rows: Iterable[RecordRow]) -> None:
        scope = self.lens.rules.scope.get(self.side)
        for row in rows:
            if _is_there(row) and (scope is None or scope(self.lens.known(row).values)):
                self.deals[row.id] = row
                for account in tied(self.lens, row, ACCOUNT):
                    self.at_account[account][row.id] = None

    def _part(self, row: RecordRow) -> _Part | None:
        deals, people = tied(self.lens, row, DEAL), tied(self.lens, row, WHO)
        if not deals or not people:
            return None
        values = self.lens.known(row).values
        return _Part(deals[0], people[0], str(values.get(ROLE_NAME) or ""), values.get(ROLE_PRIMARY) is True)

    def _remember(self, rows: Iterable[StandingRow]) -> None:
        for row in sorted(rows):
            if row.rule != OWN and row.route == self.lens.rules.route:
                self.memories[row.entity] = {**self.memories.get(row.entity, {}), **memory_of(row)}

    # --- asking ------------------------------------------------------------------------------------------

    def concerning(self, who: set[str], accounts: set[str], opened: set[str]) -> list[Related]:
        """The deals of one person, each once."""
        found: dict[str, Related] = {}
        for id_ in sorted(who):
            for part in self.of_person.get(id_, ()):
                self._add(
                    found, part.deal, ROLE, [each for each in self.of_deal[part.deal] if each.who in who]
                )
        for deal in sorted(opened):
            if not self.of_deal.get(deal):
                self._add(found, deal, OPENED, [])
        for account in sorted(accounts):
            for deal in self.at_account.get(account, ()):
                self._add(found, deal, ACCOUNT, [])
        return [found[deal] for deal in sorted(found)]

    def _add(self, found: dict[str, Related], deal: str, via: str, parts: list[_Part]) -> None:
        row = self.deals.get(deal)
        if row is None or deal in found:
            return
        known = self.lens.known(row)
        found[deal] = Related(
            ref=row.ref, values=known.values, unknown=known.unknown, memory=self.memories.get(row.entity, {}), via=via,
            roles=tuple(sorted({part.name for part in parts if part.name})),
            primary=any(part.primary for part in parts),
        )  # fmt: skip


def tied(lens: Lens, row: RecordRow, name: str) -> tuple[str, ...]:
    """What a record names under a tie."""
    paths = lens.tie_paths(row.object, name)
    if not paths:
        return ()
    body: Mapping[str, Raw] = decode_body(row.body)
    return tuple(str(value) for path in paths if (value := body.get(path)) not in (None, ""))


def _is_there(row: RecordRow) -> bool:
    return row.state in (LIVE, UNSEEN)


def kin_of(
    store: Store, lens: Lens, people: Iterable[RecordRow]
) -> Callable[[Iterable[RecordRow]], tuple[Related, ...]]:
    """Load everything that bears on these people; the answer tells it for the records of one entity."""
    routes = [_Route(each) for each in lens.related]
    rows = list(people)
    for route in routes:
        who, accounts, opened = _names(lens, route, rows)
        if who:
            route.load(store, who, accounts, opened)

    def kin(rows: Iterable[RecordRow]) -> tuple[Related, ...]:
        own = list(rows)
        return tuple(each for route in routes for each in route.concerning(*_names(lens, route, own)))

    return kin


def _names(lens: Lens, route: _Route, rows: Iterable[RecordRow]) -> tuple[set[str], set[str], set[str]]:
    """The ids of people's records in a route's system, their accounts, and the deals that they were converted into."""
    mine = [row for row in rows if row.system == route.system]
    accounts = {each for row in mine if _is_there(row) for each in tied(lens, row, ACCOUNT)}
    opened = {each for row in mine for each in tied(lens, row, OPENED)}
    return {row.id for row in mine}, accounts, opened
