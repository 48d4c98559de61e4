"""People who also do what nobody expects: borrow an address, use one again, leave the scope, change the mapping, take
permissions away.

Adds acts to those of `tests.sim.people`, under weights of their own. Knows nothing of the engine.
"""

from __future__ import annotations

from collections.abc import Sequence

from tests.sim.office import Office
from tests.sim.people import Act, People
from tests.sim.vocabulary import MA, OTHER_ID, SFA, SOURCE, TEST, TOPICS, TWO_WAY, Row

ADDRESSES: dict[str, float] = {"borrow": 1.5, "share": 1.0, "reuse": 1.5}
CONTACTS: dict[str, float] = {"contact": 12.0}
CROSSINGS: dict[str, float] = {"cross": 40.0}
RULES: dict[str, float] = {"word": 4.0, "leave": 1.5, "reenter": 1.5, "remap": 1.2}
BLANKS: dict[str, float] = {"empty": 25.0}
PERMISSIONS: dict[str, float] = {"hide": 0.3, "seal": 0.8, "give_back": 1.0}
WORDS = {MA: ("Web", "Phone", "Partner"), SFA: ("Web", "Phone Inquiry", "Partner Referral")}
EMPTIED = ("first_name", "phone", "title")
SEALED = ("first_name", "phone", "title", "company")


class Restless(People):
    """Everybody who may type, and administrators."""

    def employ(self, office: Office, mappings: Sequence[str]) -> None:
        """Give them an office in which they may choose among these mappings."""
        self._office, self._mappings = office, mappings
        more: dict[str, Act] = {
            "borrow": self._borrow, "share": self._share, "reuse": self._reuse, "word": self._word,
            "leave": self._leave, "reenter": self._reenter, "remap": self._remap, "hide": self._hide,
            "seal": self._seal, "give_back": self._give_back, "empty": self._empty,
            "contact": self._contact, "cross": self._cross,
        }  # fmt: skip
        self._acts |= more

    # --- addresses ---------------------------------------------------------------------------------------

    def _mail_of(self, row: Row | None) -> str:
        return str(row.get(TWO_WAY["email"]) or "") if row is not None else ""

    def _borrow(self) -> None:
        """Somebody gets another person's present address, beside that person."""
        row, other = self._any(), self._any()
        mail = self._mail_of(other)
        if row is None or other is None or row.person == other.person or not mail:
            return
        self.done["addresses borrowed"] += 1
        self._give(row, mail)

    def _share(self) -> None:
        """A new person is entered who shares somebody's address."""
        mail = self._mail_of(self._any())
        if mail:
            self.done["addresses shared"] += 1
            self._enter_under(mail)

    def _reuse(self) -> None:
        """An address that nobody bears any more is given to a new person, or to another one."""
        used = {self._mail_of(row).casefold() for row in self.oracle.live()}
        former = [mail for mails in self.mails.values() for mail in mails if mail not in used]
        if not former:
            return
        self.done["addresses used again"] += 1
        mail, row = self.rng.choice(former), self._any()
        if row is None or self.rng.random() < 0.6:
            self._enter_under(mail)
        else:
            self._give(row, mail)

    def _give(self, row: Row, mail: str) -> None:
        self.mails[row.person].append(mail)
        self.oracle.typed_again(mail, row.person)
        self._type(row.side, row, row.person, {TWO_WAY["email"][row.side]: mail})

    def _enter_under(self, mail: str) -> None:
        person = len(self.mails) + 1
        self.mails[person] = [mail]
        self.oracle.typed_again(mail, person)
        self.enter(self.rng.choice((MA, SFA)), person)

    # --- contacts ----------------------------------------------------------------------------------------

    def _contact(self) -> None:
        """Somebody whom marketing has is entered at sales as a contact at once, without ever having been a lead."""
        row = self._any(MA)
        if row is not None and self._any(SFA, row.person) is None:
            self.done["contacts entered"] += 1
            self.enter(SFA, row.person, object_="Contact")

    # --- at the same moment ------------------------------------------------------------------------------

    def _cross(self) -> None:
        """Both records of a person are edited in one moment, each in a field of its own."""
        row = self._any(MA)
        other = self._any(SFA, row.person) if row else None
        if row is not None and other is not None:
            self.done["edits that crossed"] += 1
            fields = self.rng.sample(("last_name", "first_name", "phone", "title"), 2)
            for each, field in zip((row, other), fields, strict=True):
                self._type(
                    each.side, each, each.person, {TWO_WAY[field][each.side]: self._token(each.person)}
                )

    # --- words, scope ------------------------------------------------------------------------------------

    def _word(self) -> None:
        row = self._any()
        if row is not None and not (row.side == SFA and row.object not in {"Lead", "Contact"}):
            self._type(row.side, row, row.person, {SOURCE[row.side]: self.rng.choice(WORDS[row.side])})

    def _leave(self) -> None:
        self._mark(self._any(MA), test=True)

    def _reenter(self) -> None:
        tests = [row for row in self.oracle.live(MA) if row.get(TEST) is True]
        self._mark(self.rng.choice(tests) if tests else None, test=False)

    def _mark(self, row: Row | None, *, test: bool) -> None:
        if row is not None:
            self.done["left the scope" if test else "back in the scope"] += 1
            self._type(MA, row, row.person, {TEST[MA]: test})

    def _empty(self) -> None:
        """A field is emptied that has a value."""
        row = self._any()
        filled = [each for each in EMPTIED if row is not None and row.get(TWO_WAY[each])]
        if row is not None and filled:
            self.done["fields emptied"] += 1
            self._type(row.side, row, row.person, {TWO_WAY[self.rng.choice(filled)][row.side]: None})

    # --- administrators ----------------------------------------------------------------------------------

    def _remap(self) -> None:
        """The mapping file is changed; whoever reads it next works by it."""
        others = [name for name in self._mappings if name != self._office.mapping]
        if others:
            self._office.mapping = self.rng.choice(others)
            self.done["mapping changed"] += 1
            self.tell("human", "maps as", self._office.mapping)

    def _hide(self) -> None:
        self._take(self._office.hidden, "fields hidden", self.rng.choice((*SEALED, "all")))

    def _seal(self) -> None:
        self._take(self._office.sealed, "fields sealed", self.rng.choice((*SEALED, "all", "id")))

    def _take(self, lost: dict[str, set[str]], what: str, field: str) -> None:
        """Our user loses a field: of a person, of an opt-out, or of the other side's ids."""
        side = self.rng.choice((MA, SFA))
        path = {"all": TOPICS["all"], "id": OTHER_ID}.get(field, TWO_WAY.get(field, OTHER_ID))[side]
        lost.setdefault(side, set()).add(path)
        self.done[what] += 1
        self.tell("human", side, what, path)

    def _give_back(self) -> None:
        if self._office.hidden or self._office.sealed:
            self.done["permissions given back"] += 1
            self.tell("human", "gives permissions back")
            self._office.give_back()
