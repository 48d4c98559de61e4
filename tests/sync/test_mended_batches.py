"""What travels together names every record once."""

from __future__ import annotations

from collections.abc import Sequence

from sync.errors import Retryable
from sync.ports import Outcome, Write
from sync.record import Side
from tests.support.office import Office, Town
from tests.support.people import MA_BLANK, MAPPING, SFA_BLANK

SEMINAR = "  seminar: { ma: optOutSeminar, flow: <->, sfa: Opt_Out_Seminar__c, true_means: opted_out }\n"


def test_two_topics_of_one_person_do_not_stand_in_one_request() -> None:
    """Somebody who opts out of a second topic while the first could not leave is opted out of both across, a request
    for each: a vendor refuses rows of one request that name the same record."""
    town = Town(MAPPING + SEMINAR)
    town.ma = Office("ma", town.clock, (*MA_BLANK, "optOutSeminar"))
    town.sfa = Office("sfa", town.clock, (*SFA_BLANK, "Opt_Out_Seminar__c"), unique="Marketo_Id__c")
    blank = {"HasOptedOutOfEmail": False, "Opt_Out_Seminar__c": False}
    people = [
        town.person(Side.SFA, Email=f"p{n}@x.example", LastName="山田", **blank) for n in range(3)
    ]  # fmt: skip
    town.cycle()
    town.cycle()
    inner, calls, closed = town.ma.write, [], [True]

    def write(kind: str, writes: Sequence[Write]) -> list[Outcome]:
        if closed.pop():
            raise Retryable("called too often")
        closed.append(False)
        calls.append([each.ref for each in writes])
        return inner(kind, writes)

    town.ma.write = write  # type: ignore[method-assign]
    for topic in ("HasOptedOutOfEmail", "Opt_Out_Seminar__c"):
        for ref in people:
            town.sfa.edit(ref, {topic: True})
        town.cycle()
        closed[:] = [False]
    assert [refs for refs in calls if len(set(refs)) < len(refs)] == []
    found = town.ma.find("person", "Lead", "lastName", ["山田"], {"Lead": ("unsubscribed", "optOutSeminar")})
    assert [tuple(record.values.values()) for record in found] == [(True, True)] * 3
