"""What the oracle lets pass, and that it lets nothing more pass: small ledgers, told entry by entry."""

from __future__ import annotations

import pytest

from simulators.ledger import Actor, Entry, Verb
from sync.ports import Write
from sync.record import Ref
from tests.sim.driver import Schedule
from tests.sim.oracle import MA, SFA, Oracle
from tests.sim.tally import Tally
from tests.sim.vocabulary import ARROWS, OTHER_ID, TWO_WAY, Claim, Sent

OURS = {MA: "1", SFA: "00Q1"}


class World:
    """One person on both sides, and an oracle that is told of everything."""

    def __init__(self) -> None:
        self.oracle, self.now = Oracle({}), 0.0
        self.values: dict[tuple[str, str], object] = {}

    def tell(
        self, side: str, verb: Verb = "update", actor: Actor = "human", record: str = "", **values: object
    ) -> None:
        """Somebody writes (into another record than the first of its side), and it is visible at once."""
        id_ = record or OURS[side]
        paths = {"id": OTHER_ID[side]} | {name: path[side] for name, path in TWO_WAY.items()}
        paths |= {name: path[side] for name, (_from, path) in ARROWS.items()}
        changes = {paths[name]: (self.values.get((id_, name)), new) for name, new in values.items()}
        self.values.update(((id_, name), new) for name, new in values.items())
        entry = Entry(self.oracle.place + 1, self.now, actor, verb, "Lead", id_, changes)
        sent = Sent(1, self.now, self.now, {id_: self.oracle.place}, self.now) if actor == "api" else None
        self.oracle.see(side, entry, sent, self.now)
        self.now += 0.1

    def cycle(self) -> None:
        """A cycle goes by."""
        self.oracle.read_through(self.now + 5.0, ())
        self.oracle.passed(self.now + 5.0, self.now + 6.0)
        self.now += 10.0


@pytest.mark.parametrize(
    ("across", "then", "lost"),
    [
        ("brought", "", []),
        ("brought", "carried", ["lost edit"]),
        ("typed", "read", []),
        ("typed", "", ["lost edit"]),
        ("typed later", "read", ["lost edit"]),
    ],
)
def test_an_address_typed_away_and_back_is_no_change_where_it_was_agreed_on_and_not_carried_between(
    across: str, then: str, lost: list[str]
) -> None:
    """What is there again is what both sides agreed on, also by a cycle that may have read both before a feed had to
    show it; what was carried across meanwhile has changed twice."""
    world = World()
    world.tell(MA, "create", email="t1p1@mail.example")
    began = world.now - 0.05
    if across != "typed later":
        world.tell(SFA, "create", "api" if across == "brought" else "human", email="t1p1@mail.example")
    if then == "read":
        world.oracle.passed(began, world.now)
    world.tell(MA, email="t3p1@mail.example", id=OURS[SFA])
    if across == "typed later":
        world.tell(SFA, "create", email="t1p1@mail.example")
    if then == "carried":
        world.tell(SFA, "update", "api", email="t3p1@mail.example")
    world.tell(SFA, email="t2p1@mail.example", id=OURS[MA])
    world.oracle.typed_again("t1p1@mail.example", 1)
    world.tell(MA, email="t1p1@mail.example")
    world.tell(MA, "update", "api", email="t2p1@mail.example")
    assert [offence.kind for offence in world.oracle.judge([])] == lost


@pytest.mark.parametrize(
    ("read", "lost"),
    [("before", []), ("while it was typed", []), ("", ["lost edit"])],
    ids=str,
)
def test_a_blank_that_was_agreed_on_stays_agreed_on_while_a_record_is_in_the_bin(
    read: str, lost: list[str]
) -> None:
    """What stood at sales while the arrow went there gives way to what marketing types first, also once the record is
    back out of the bin, and where a cycle may have read one side before; what nobody had read before it was deleted is
    a word that may not be lost."""
    world = World()
    world.oracle.rule(world.now, "one way")
    world.tell(MA, "create", email="t1p1@mail.example")
    world.tell(SFA, "create", "api", email="t1p1@mail.example", id=OURS[MA])
    world.tell(SFA, title="T2P1")
    if read == "before":
        world.cycle()
    began = world.now - 0.05  # before it was deleted
    world.tell(SFA, "delete")
    world.cycle()
    world.tell(MA, title="T3P1")
    if read == "while it was typed":
        world.oracle.passed(began, world.now)
    world.oracle.rule(world.now, "turned")
    world.tell(SFA, "restore")
    world.cycle()
    world.tell(SFA, "update", "api", title="T3P1")
    assert [offence.kind for offence in world.oracle.judge([]) if offence.kind == "lost edit"] == lost


@pytest.mark.parametrize(
    ("together", "both_ids", "back", "crossed"),
    [
        (True, True, "", []),
        (True, False, "", []),
        (False, True, "", ["crossed"]),
        (False, False, "", ["crossed"]),
        (True, True, "just now", []),
        (True, True, "read", []),
        (True, True, "before", ["crossed"]),
    ],
)
def test_a_twin_of_a_deleted_record_leads_in_its_place_and_nobody_else_does(
    together: bool, both_ids: bool, back: str, crossed: list[str]
) -> None:
    """Who bore an address at one time with a linked record is its twin; who took it after that was deleted is not. One
    that has just come back out of the bin is still deleted for the reader, and stays so if it was read as deleted."""
    world = World()
    world.tell(MA, "create", email="t1p1@mail.example")
    world.tell(SFA, "create", "api", email="t1p1@mail.example", id=OURS[MA])
    if both_ids:
        world.tell(MA, "update", "api", id=OURS[SFA])
    world.tell(MA, email="t2p1@mail.example")
    world.tell(MA, "create", record="2", title="T3P2")
    world.oracle.typed_again("t2p1@mail.example", 2)
    if together:
        world.tell(MA, record="2", email="t2p1@mail.example")
        world.cycle()
    world.tell(MA, "delete")
    if not together:
        world.tell(MA, record="2", email="t2p1@mail.example")
    if back == "read":
        world.cycle()
    if back:
        world.tell(MA, "restore")
    if back in {"read", "before"}:
        world.cycle()
    world.tell(SFA, "update", "api", id="2")
    assert [offence.kind for offence in world.oracle.offences] == crossed


@pytest.mark.parametrize(
    ("together", "linked", "crossed"),
    [(True, False, []), (False, False, ["crossed"]), (True, True, ["crossed"])],
    ids=["twin of a twin", "after the twin had gone on", "twin of somebody with a counterpart"],
)
def test_a_twin_of_a_twin_leads_in_the_place_of_a_deleted_record(
    together: bool, linked: bool, crossed: list[str]
) -> None:
    """A twin is linked too, and stays one under an address of its own (docs/adr/0018): who bears that beside it is one
    as well, unless it had somebody of its own across."""
    world = World()
    world.tell(MA, "create", email="t1p1@mail.example")
    world.tell(SFA, "create", "api", email="t1p1@mail.example", id=OURS[MA])
    world.tell(MA, "create", record="3", title="T3P2", email="t2p2@mail.example")
    if linked:
        world.tell(SFA, "create", "api", record="00Q3", email="t2p2@mail.example", id="3")
    world.oracle.typed_again("t1p1@mail.example", 2)
    world.tell(MA, record="3", email="t1p1@mail.example")
    world.tell(MA, record="3", email="t4p2@mail.example")
    if not together:
        world.tell(MA, record="3", email="t5p2@mail.example")
    world.oracle.typed_again("t4p2@mail.example", 3)
    world.tell(MA, "create", record="2", title="T6P3", email="t4p2@mail.example")
    world.tell(MA, "delete")
    world.tell(SFA, "update", "api", id="2")
    assert [offence.kind for offence in world.oracle.offences] == crossed


@pytest.mark.parametrize(
    ("named", "cycles", "doubled"), [("00Q2", 1, []), (OURS[SFA], 1, ["duplicate"]), (OURS[SFA], 0, [])]
)
def test_what_a_backup_does_not_know_is_made_again_only_if_no_vendor_tells_of_it(
    named: str, cycles: int, doubled: list[str]
) -> None:
    """A record made since the backup that still bears the id of whom it was made for is there to be found, once a
    reader who began in time was bound to be shown it."""
    world = World()
    world.tell(SFA, "create", email="t1p1@mail.example")
    world.tell(MA, "create", "api", email="t1p1@mail.example", id=OURS[SFA])
    world.tell(MA, email="t2p1@mail.example")
    world.tell(SFA, "create", record="00Q2", email="t3p1@mail.example")
    world.tell(MA, "update", "api", id=named)
    world.oracle.forget(blank=False)
    for _ in range(cycles):
        world.cycle()
    world.tell(MA, "create", "api", record="2", email="t1p1@mail.example", id=OURS[SFA])
    assert [offence.kind for offence in world.oracle.offences][:1] == doubled


@pytest.mark.parametrize(
    ("back", "later", "doubled"), [(False, 0.0, ["duplicate"]), (True, 0.0, []), (True, 1.0, ["duplicate"])]
)
def test_an_address_of_ours_that_a_person_typed_back_has_to_be_shown_before_anybody_knows_it(
    back: bool, later: float, doubled: list[str]
) -> None:
    """Whoever bears what we wrote is known to us at once, and whoever was given it back like any other."""
    world = World()
    world.tell(MA, "create", email="t1p1@mail.example")
    world.tell(SFA, "create", "api", email="t1p1@mail.example", id=OURS[MA])
    world.oracle.typed_again("t1p1@mail.example", 2)
    world.tell(MA, "create", record="2", title="T3P2", email="t1p1@mail.example")
    if back:
        world.tell(SFA, email="t2p1@mail.example")
        world.tell(SFA, email="t1p1@mail.example")
    world.now += later
    world.tell(SFA, "create", "api", record="00Q2", email="t1p1@mail.example", id="2")
    assert [offence.kind for offence in world.oracle.offences] == doubled


@pytest.mark.parametrize(("came_back", "stale"), [(False, []), (True, ["stale write"])])
def test_an_address_that_stands_since_before_the_one_carried_was_typed_is_no_newer_word(
    came_back: bool, stale: list[str]
) -> None:
    """Typed away and back across after we had read there, what we carry is the latest that could be known, unless the
    address had been brought here again."""
    world = World()
    world.tell(MA, "create", email="t1p1@mail.example")
    world.tell(SFA, "create", "api", email="t1p1@mail.example", id=OURS[MA])
    world.cycle()
    world.tell(MA, email="t2p1@mail.example")
    world.oracle.typed_again("t1p1@mail.example", 1)
    world.tell(MA, email="t1p1@mail.example")
    world.tell(SFA, "update", "api", email="t2p1@mail.example")
    if came_back:
        world.tell(SFA, "update", "api", email="t1p1@mail.example")
        world.tell(SFA, "update", "api", email="t2p1@mail.example")
    assert [offence.kind for offence in world.oracle.offences] == stale


@pytest.mark.parametrize("read", [False, True])
@pytest.mark.parametrize("stood", [False, True], ids=["ignored", "stood there already"])
def test_what_is_typed_one_way_over_ours_where_no_ledger_tells_of_it_is_somebodys_once_that_was_read(
    stood: bool, read: bool
) -> None:
    """Before anybody has read back what became of ours, which the vendor ignored or had already, it is taken for
    that."""
    world = World()
    world.tell(MA, "create", email="t1p1@mail.example")
    world.tell(SFA, "create", "api", email="t1p1@mail.example", id=OURS[MA])
    world.tell(SFA, full_name="Ab1")
    path = ARROWS["full_name"][1][MA]
    if stood:
        world.tell(MA, full_name="Ab1")
        world.oracle.note_stored((MA, OURS[MA]), path, world.now)
    else:
        world.oracle.swallow(MA, OURS[MA], path, "Ab1", world.now)
    if read:
        world.cycle()
    world.tell(MA, full_name="Ab2")
    ma, sfa = (world.oracle.rows[side, OURS[side]] for side in (MA, SFA))
    assert bool(world.oracle.differs("full_name", ma, sfa)) is read


@pytest.mark.parametrize(
    ("typed", "days", "said", "right"),
    [(51, 0.0, 51, True), (50, 0.0, 50, False), (51, 0.0, 52, False), (51, 1.0, 51, False)],
    ids=["as it says", "within the limit", "fewer than it says", "looked at before"],
)
def test_a_brake_is_right_where_as_much_was_done_as_it_says_and_more_than_its_limit(
    typed: int, days: float, said: int, right: bool
) -> None:
    """Counted by the vendors' own books since a cycle last looked, for addresses and for records that no read gave."""
    tally, began = Tally(), 1_000.0 + days * 86_400.0
    for number in range(typed):
        change = {"email": (f"t{number}p1@mail.example", f"t{number}p2@mail.example")}
        tally.see(MA, Entry(number, 1_000.0, "human", "update", "Lead", str(number), change), 1_000.0)
        tally.withheld(SFA, 1_000.0)
    tally.see(MA, Entry(99, 1_000.0, "api", "update", "Lead", "1", change), 1_000.0)
    for reason in (
        f"the key marketo Lead.email changed in {said} records this cycle, limit 50",
        f"salesforce lost {said} of 374 records, limit 50",
    ):
        assert tally.is_right(reason, began, began + 10.0) is right


@pytest.mark.parametrize(
    ("after", "looked", "false"),
    [
        (0.0, 0.0, ["false claim"]),
        (0.4, 0.0, []),
        (None, 0.0, []),
        (None, 2.0, []),
        (None, 4.0, ["false claim"]),
    ],
)
def test_a_page_reads_ours_back_only_once_the_write_is_answered_or_found_out(
    after: float | None, looked: float, false: list[str]
) -> None:
    """Whoever wrote knows of it by the answer (protocol §1): a page that would have been late enough after the write is
    too early after an answer that took its time, or where none comes (§3) before the record is looked at, and what is
    emptied then looks as if ours had never come. What is answered after the page is another write."""
    world = World()
    world.tell(SFA, "create", email="t1p1@mail.example", title="T2P1")
    wrote = world.now
    world.tell(MA, "create", "api", email="t1p1@mail.example", title="T2P1", id=OURS[SFA])
    world.tell(SFA, "update", "api", id=OURS[MA])
    if after is not None:
        world.oracle.answered(MA, [OURS[MA]], wrote, wrote + after)
    world.oracle.read_from(wrote + 1.2)
    world.oracle.answered(MA, [OURS[MA]], wrote + 1.21, wrote + 1.25)
    world.oracle.read_through(wrote + 1.2, ())
    world.oracle.looked(MA, [OURS[MA]], wrote + looked)
    world.now = wrote + 5.0
    world.tell(MA, title=None)
    said = [Claim("ignored", MA, OURS[MA], "title", "T2P1")]
    assert [offence.kind for offence in world.oracle.judge(said)] == false


@pytest.mark.parametrize("typed", [False, True])
def test_what_was_brought_into_a_lead_is_nobodys_word_in_the_contact_made_of_it(typed: bool) -> None:
    """It is judged where it was typed; what somebody typed into the lead itself is a word in the contact too."""
    world = World()
    world.tell(MA, "create", email="t1p1@mail.example", title="T2P1")
    world.tell(SFA, "create", "api", email="t1p1@mail.example", title="T2P1", id=OURS[MA])
    if typed:
        world.tell(SFA, title="T3P1")
    title, born = "T3P1" if typed else "T2P1", world.now
    world.tell(SFA, "create", record="0031", email="t1p1@mail.example", title=title, id=OURS[MA])
    gone = Entry(world.oracle.place + 1, born, "human", "convert", "Lead", OURS[SFA], {}, into="0031")
    world.oracle.see(SFA, gone, None, born)
    world.tell(MA, "create", record="2", email="t4p1@mail.example", title="T5P1")
    world.tell(SFA, "update", "api", record="0031", title="T5P1")
    assert [loss.home for loss in world.oracle.losses] == [(SFA, "0031")] * typed


def test_an_answer_with_results_missing_shows_nobody() -> None:
    """Whose the ids are that it names nobody can say (protocol §3), so that it counts as lost: a record that is merged
    away before anything else tells of it was never shown."""
    schedule = Schedule(1)
    wire = schedule.wires[MA]
    wire.faults.use({"fewer_results": 1.0})
    people = [Write(number, Ref(MA, "Lead", ""), {"email": f"t{number}@mail.example"}) for number in (1, 2)]
    assert len(wire.write("person", people)) == 1
    assert schedule.shown == {}
    wire.calm()
    (made,) = wire.write("person", [Write(3, Ref(MA, "Lead", ""), {"email": "t3@mail.example"})])
    assert set(schedule.shown) == {(MA, made.id)}
