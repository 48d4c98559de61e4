"""The oracle, against histories made by hand: it passes the good ones and fails each bad one by name."""

from __future__ import annotations

import pytest

from simulators.history import Edit, History, Pair, Side
from simulators.ledger import Actor, Entry, Verb
from simulators.verdict import Verdict, judge

TITLE = Pair("title", "Title")


class Book:
    """Writes a history entry by entry; person 1 is lead 11 and 00Q1, person 2 is lead 12 only."""

    def __init__(self) -> None:
        self.time = 0.0
        self.edits: list[Edit] = []
        self.unanswered: dict[Side, list[float]] = {}
        self.ledgers: dict[Side, list[Entry]] = {"marketo": [], "salesforce": []}
        self.live: dict[Side, dict[str, dict[str, object]]] = {"marketo": {}, "salesforce": {}}
        self.people: dict[tuple[Side, str], int] = {
            ("marketo", "11"): 1,
            ("salesforce", "00Q1"): 1,
            ("marketo", "12"): 2,
        }
        for side, key in list(self.people):
            self.enter("human", "create", side, key, {"title" if side == "marketo" else "Title": "old"})

    def enter(
        self,
        actor: Actor,
        verb: Verb,
        side: Side,
        key: str,
        values: dict[str, object],
        into: str | None = None,
    ) -> None:
        """Commit a change and keep the live record in step."""
        self.time += 1.0
        record = self.live[side].setdefault(key, {})
        changes = {name: (record.get(name), value) for name, value in values.items()}
        record.update(values)
        if verb in ("delete", "merge", "convert"):
            changes = {name: (value, None) for name, value in record.items()} if side == "marketo" else {}
            del self.live[side][key]
        number = len(self.ledgers[side]) + 1
        self.ledgers[side].append(Entry(number, self.time, actor, verb, "Lead", key, changes, into))

    def types(self, token: str, side: Side, key: str = "", person: int = 1) -> None:
        """A person types a token into the title."""
        key = key or ("11" if side == "marketo" else "00Q1")
        name = getattr(TITLE, side)
        before = self.live[side][key].get(name)
        self.enter("human", "update", side, key, {name: token})
        self.edits.append(Edit(token, person, side, key, TITLE, self.time, before))

    def copies(self, token: str, side: Side, key: str = "") -> None:
        """The sync writes a token."""
        key = key or ("11" if side == "marketo" else "00Q1")
        self.enter("api", "update", side, key, {getattr(TITLE, side): token})

    def judged(self, *claims: tuple[str, str], gap: float = 0.0) -> Verdict:
        """Close the book and judge."""
        history = History(
            edits=self.edits,
            ledgers=self.ledgers,
            live=self.live,
            people=self.people,
            mailboxes={"one@x.example": 1, "two@x.example": 2},
            unanswered=self.unanswered,
        )
        return judge(history, [{"token": token, "state": state} for token, state in claims], gap)


@pytest.fixture
def book() -> Book:
    """Give an empty book."""
    return Book()


def test_an_edit_that_arrived_stands(book: Book) -> None:
    """A token in the person's own field on both sides is standing."""
    book.types("A", "marketo")
    book.copies("A", "salesforce")
    verdict = book.judged()
    assert (verdict.ok, verdict.standing) == (True, {"A"})


def test_a_later_person_replaces(book: Book) -> None:
    """A token is replaced by a later edit on its own side, or on the other after it had arrived there."""
    book.types("A", "marketo")
    book.types("B", "marketo")
    book.copies("B", "salesforce")
    book.types("C", "salesforce")
    book.copies("C", "marketo")
    verdict = book.judged()
    assert (verdict.ok, verdict.replaced, verdict.standing) == (True, {"A", "B"}, {"C"})


def test_a_loser_that_is_said_and_seen(book: Book) -> None:
    """Of two edits at the same time the overwritten one is a loser, if the sync says so."""
    book.types("A", "marketo")
    book.types("B", "salesforce")
    book.copies("B", "marketo")
    verdict = book.judged(("A", "loser"))
    assert (verdict.ok, verdict.losers, verdict.standing) == (True, {"A"}, {"B"})


@pytest.mark.parametrize(
    ("answered", "claimed", "ok"), [(False, True, True), (False, False, False), (True, True, False)]
)
def test_an_edit_over_a_write_whose_answer_was_lost(
    book: Book, answered: bool, claimed: bool, ok: bool
) -> None:
    """Typed over a value of the sync that came again, an edit is a loser where the vendor left the first write without
    an answer and the sync says so; where it had answered, or the sync says nothing, it is lost."""
    book.types("A", "salesforce")
    book.copies("A", "marketo")
    if not answered:
        book.unanswered["marketo"] = [book.time + 0.1]
    book.types("B", "marketo")
    book.copies("A", "marketo")
    verdict = book.judged(*[("B", "loser")] if claimed else [])
    assert verdict.ok == ok
    assert ("B" in verdict.losers) == ok


def test_an_edit_that_is_held_back_visibly(book: Book) -> None:
    """A token that stands only where it was typed counts as filtered if the sync says so."""
    book.types("A", "marketo")
    for state in ("filtered", "held", "failed"):
        verdict = book.judged(("A", state))
        assert (verdict.ok, verdict.filtered) == (True, {"A"})


def test_the_sets_are_disjoint(book: Book) -> None:
    """Each token is in one set only, even if the sync claims more than needed."""
    book.types("A", "marketo")
    book.copies("A", "salesforce")
    book.types("B", "salesforce")
    book.copies("B", "marketo")
    verdict = book.judged(("A", "loser"), ("B", "filtered"))
    sets = (verdict.standing, verdict.replaced, verdict.losers, verdict.filtered)
    assert sets == ({"B"}, {"A"}, frozenset(), frozenset())
    assert sum(map(len, sets)) == verdict.counts["edits"]


def _kinds(verdict: Verdict) -> list[str]:
    return [offence.kind for offence in verdict.offences]


def test_an_edit_that_never_arrived_is_lost(book: Book) -> None:
    """Standing on one side only, without a word from the sync, is a lost edit."""
    book.types("A", "marketo")
    assert _kinds(book.judged()) == ["lost edit"]


def test_a_silently_beaten_edit_is_lost(book: Book) -> None:
    """An edit that the sync overwrote and did not report is lost, although the sides agree."""
    book.types("A", "marketo")
    book.types("B", "salesforce")
    book.copies("B", "marketo")
    verdict = book.judged()
    assert [(o.kind, o.subject) for o in verdict.offences] == [("lost edit", "A")]


def test_overwriting_a_later_edit_is_no_fair_win(book: Book) -> None:
    """A value that had been seen on the other side cannot beat what was typed over it there, whatever is
    claimed.
    """
    book.types("A", "marketo")
    book.copies("A", "salesforce")
    book.types("B", "salesforce")
    book.copies("A", "salesforce")
    verdict = book.judged(("B", "loser"))
    assert [(o.kind, o.subject) for o in verdict.offences] == [("lost edit", "B")]


def test_a_false_claim_is_found(book: Book) -> None:
    """A loser that nothing beat, and a held value that is gone, are offences."""
    book.types("A", "marketo")
    assert _kinds(book.judged(("A", "loser"))) == ["lost edit"]
    book.copies("overwritten by nobody's word", "marketo")
    assert _kinds(book.judged(("A", "held"))) == ["lost edit"]


def test_the_gap_between_look_and_write(book: Book) -> None:
    """An edit overwritten within the stated gap is listed apart; a second later it is lost."""
    book.types("A", "marketo")
    book.types("B", "salesforce")
    book.copies("A", "salesforce")
    verdict = book.judged(gap=1.0)
    assert (verdict.ok, verdict.in_gap) == (True, {"B"})
    assert _kinds(book.judged(gap=0.5)) == ["lost edit"]


def test_a_deleted_record_takes_its_token_along(book: Book) -> None:
    """A token on a record that a person deleted was replaced; if the sync deleted it, it is lost."""
    book.types("A", "salesforce")
    book.enter("human", "delete", "salesforce", "00Q1", {})
    assert book.judged().replaced == {"A"}
    other = Book()
    other.types("A", "marketo")
    other.enter("api", "delete", "marketo", "11", {})
    assert "lost edit" in _kinds(other.judged())


def test_a_value_of_another_person_is_found(book: Book) -> None:
    """A token that turns up at somebody else is an offence even when it stands at its owner's too."""
    book.types("A", "marketo")
    book.copies("A", "salesforce")
    book.copies("A", "marketo", "12")
    assert _kinds(book.judged()) == ["stray value"]


def test_a_second_record_of_one_person_is_found(book: Book) -> None:
    """A record made by the sync beside a live one is a duplicate, by mailbox or by id, even when deleted
    again.
    """
    book.enter("api", "create", "salesforce", "00Q2", {"Email": "One@X.example "})
    book.enter("api", "delete", "salesforce", "00Q2", {})
    book.enter("api", "create", "salesforce", "00Q3", {"Email": "else@x.example", "Marketo_Id__c": "11"})
    assert _kinds(book.judged()) == ["duplicate", "duplicate"]


def test_a_needed_create_is_no_duplicate(book: Book) -> None:
    """The sync may make the first record of a person, and one after a person deleted theirs."""
    book.enter("api", "create", "salesforce", "00Q2", {"Marketo_Id__c": "12"})
    book.enter("human", "delete", "marketo", "11", {})
    book.enter("api", "create", "marketo", "13", {"email": "one@x.example"})
    assert _kinds(book.judged()) == []


def test_a_converted_lead_lives_on_as_its_contact(book: Book) -> None:
    """After a conversion the contact is the person's record, and the lead none."""
    book.types("A", "marketo")
    book.copies("A", "salesforce")
    book.enter("human", "create", "salesforce", "003A", {"Email": "one@x.example", "Title": "A"})
    book.enter("human", "convert", "salesforce", "00Q1", {}, into="003A")
    verdict = book.judged()
    assert (verdict.ok, verdict.standing) == (True, {"A"})


def test_a_record_of_nobody_is_found(book: Book) -> None:
    """A record made by the sync that fits no person in the world is an offence."""
    book.enter("api", "create", "marketo", "99", {"email": "nobody@x.example"})
    assert _kinds(book.judged()) == ["stranger"]


def test_a_withdrawn_opt_out_is_found(book: Book) -> None:
    """The sync may set an opt-out, never take it back; a person may."""
    book.enter("human", "update", "marketo", "11", {"unsubscribed": True})
    book.enter("api", "update", "salesforce", "00Q1", {"HasOptedOutOfEmail": True})
    assert book.judged().ok
    book.enter("human", "update", "marketo", "11", {"unsubscribed": False})
    book.enter("api", "update", "salesforce", "00Q1", {"HasOptedOutOfEmail": False})
    assert _kinds(book.judged()) == ["withdrawn opt-out"]


def test_an_opt_out_on_one_side_only_is_found(book: Book) -> None:
    """Who is opted out on one side must be so on the other."""
    book.enter("human", "update", "salesforce", "00Q1", {"Opt_Out_Seminar__c": True})
    assert _kinds(book.judged()) == ["opt-out on one side"]
    book.enter("api", "update", "marketo", "11", {"optOutSeminar": True})
    assert book.judged().ok
