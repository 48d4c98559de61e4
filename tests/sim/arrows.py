"""Fields that go one way: what stands where they go to is what stands where they come from, or something is said of it.

A value that a person types there just after the engine wrote it, before anybody could read it back, cannot be told from
the vendor's own alteration (protocol §3), and stands. It stands as well in the record that a merge brings it into: what
was agreed goes on with the value (§5), and what cannot be told of the one cannot be told of the other. Imports nothing
of the engine.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from tests.sim.rulings import Rulings
from tests.sim.vocabulary import ARROWS, LAG, Key, Row, plain

READ_BACK = 300.0
ENDS = {(side, path): name for name, (_from, paths) in ARROWS.items() for side, path in paths.items()}


class Arrows(Rulings):
    """Follows the ends of one-way fields."""

    def __init__(self) -> None:
        super().__init__()
        self.cycles: list[float] = []
        self._unread: set[tuple[str, float]] = set()
        self._begun: list[float] = []
        self._answers: defaultdict[Key, list[float]] = defaultdict(list)
        self._ours: dict[tuple[Key, str], float] = {}
        self._taken_for_ours: set[tuple[Key, str]] = set()
        self._on_its_way: dict[tuple[Key, str], object] = {}

    def read_from(self, now: float) -> None:
        """A cycle begins now, to whatever end it comes: it moves on in the feeds."""
        self._begun.append(now)

    def read_through(self, began: float, refused: Iterable[str]) -> None:
        """A cycle that began then has come to its end: it has read everything that was visible before, but on the sides
        that refused a read."""
        self.cycles.append(began)
        self._unread.update((side, began) for side in refused)

    def answered(self, side: str, ids: Collection[str], left: float, time: float) -> None:
        """A write of these records, which left at one time, is answered at another."""
        for id_ in ids:
            self._answers[side, id_].append(time)

    def go_on(self, row: Row, into: Row) -> None:
        """A record goes on as another, which has its values or is given them by the same act."""
        for place in [(key, path) for key, path in self._taken_for_ours if key == row.key]:
            came, stands = row.values.get(place[1]), into.values.get(place[1])
            if plain(came) == plain(stands):
                self._taken_for_ours.add((into.key, place[1]))
            elif not stands:
                self._on_its_way[into.key, place[1]] = came

    def note_arrow(self, row: Row, path: str, value: object, time: float, *, api: bool) -> None:
        """A field is written, by the engine or by a person."""
        if (row.side, path) not in ENDS:
            return
        name, place = ENDS[row.side, path], (row.key, path)
        if api and ARROWS[name][0] == row.side:
            self.offend("wrong way", row.key, f"{name} was written where it comes from")
        carried = self._on_its_way.pop(place, None)
        if api:
            self.note_stored(row.key, path, time)
        elif carried is not None and plain(carried) == plain(value):
            self._taken_for_ours.add(place)
        elif place in self._ours and not self._was_read_back(place, time):
            self._taken_for_ours.add(place)  # and whatever follows it before anybody looks
        else:
            self._ours.pop(place, None)
            self._taken_for_ours.discard(place)

    def note_stored(self, key: Key, path: str, time: float) -> None:
        """A write of the engine took; no ledger tells of one that found its value there already."""
        if (key[0], path) in ENDS:
            self._ours[key, path] = time
            self._taken_for_ours.discard((key, path))

    def note_not_taken(self, row: Row, path: str, time: float) -> None:
        """A write of the engine did not take: what a person had typed there unread, or types there before anybody reads
        it back, is taken for what became of it."""
        typed = row.changed.get(path, 0.0)
        if (row.side, path) in ENDS:
            self._ours[row.key, path] = time
        if (row.side, path) in ENDS and not any(typed + LAG < cycle for cycle in self.cycles[-50:]):
            self._taken_for_ours.add((row.key, path))

    def _was_read_back(self, place: tuple[Key, str], time: float) -> bool:
        return self.was_read_since(place[0], self._ours[place], time)

    def was_read_since(self, key: Key, ours: float, time: float) -> bool:
        """Whether a cycle that has come to its end, and was let read there, began between our write and this time. A
        page that was asked for before our write had to be visible, or too soon after we last had an answer from there,
        proves nothing (protocol §1), and is not given a second time: then the record is read by id, a while later."""
        began = [
            each for each in self.cycles[-50:] if ours < each < time and (key[0], each) not in self._unread
        ]
        return any(self._shows(each, max(ours, self._answer_before(key, each))) for each in began)

    def _answer_before(self, key: Key, cycle: float) -> float:
        return max((each for each in self._answers[key] if each <= cycle), default=0.0)

    def _shows(self, cycle: float, since: float) -> bool:
        early = any(since <= began <= since + LAG for began in self._begun[-50:])
        return since + LAG + (READ_BACK if early else 0.0) < cycle

    def differs(self, name: str, ma: Row, sfa: Row) -> str:
        """How a field differs between the ends ("" = it does not, or nobody can know it)."""
        side, paths = ARROWS[name]
        source, target = (ma, sfa) if side == ma.side else (sfa, ma)
        came, stands = source.get(paths), target.get(paths)
        if not came or plain(came) == plain(stands):
            return ""
        if (target.key, paths[target.side]) in self._taken_for_ours:
            self.counts["typed over what nobody had read back"] += 1
            return ""
        return f"{name}: {came!r} in {source.id}, {stands!r} in {target.id}, and nothing said of it"
