"""Records that go on as others: what stood in one and stands in the other was typed there no second time.

Imports nothing of the engine.
"""

from __future__ import annotations

from simulators.ledger import Entry
from tests.sim.blanks import Blanks
from tests.sim.vocabulary import TWO_WAY, Row, token_in


class Passing(Blanks):
    """Follows what a record passes on."""

    def leave(self, row: Row, entry: Entry) -> None:
        """A record that goes on as another; whoever merges drops what the winner does not take over."""
        if not entry.into:
            return
        into = self.rows[row.side, entry.into]
        self.go_on(row, into)
        if into.person:
            self.unite(into.person, row.person)  # whoever merges says that they are one
        into.person = into.person or row.person
        into.mails |= row.mails
        made = entry.verb == "convert" and set(into.typed.values()) == {entry.time}
        for path, since in row.typed.items():
            if path in into.typed and row.values.get(path) == into.values.get(path):
                # it goes on with the record, typed no second time
                into.typed[path] = min(since, into.typed[path])
                self._go_on_unread(row, into, path)
                if made:
                    self._go_on_brought(row, into, path)
        self.take_on(row, into)
        for paths in TWO_WAY.values() if entry.verb == "merge" else ():
            token, kept = token_in(row.get(paths)), into.get(paths)
            if token is not None and kept is not None and token_in(kept) != token:
                self.tokens[token[0]].replaced = self.place

    def _go_on_unread(self, row: Row, into: Row, path: str) -> None:
        """What was typed in the instant before the vendor ignored us is still that in the record that it goes on in."""
        token, swallowed = token_in(row.values.get(path)), self._swallowed.get((*row.key, path), -1)
        if token is not None and self.tokens[token[0]].homes.get(row.key, swallowed + 1) <= swallowed:
            self._swallowed[*into.key, path] = self.place

    def _go_on_brought(self, row: Row, into: Row, path: str) -> None:
        """What the engine had brought into a lead is nobody's word in the contact made of it: what was agreed on
        goes on with the value (protocol §5), which is judged where it was typed."""
        token = token_in(row.values.get(path))
        if token is not None and row.key not in self.tokens[token[0]].homes:
            self.counts["brought into a lead that was converted"] += 1
            self.tokens[token[0]].homes.pop(into.key, None)
