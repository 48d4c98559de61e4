"""What every connector must do that writes effects: each is done once, or said to be in doubt.

Subclasses give a fixture `works`: what an effect is at a vendor, and how often it was done there.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import pytest

from sync.errors import Fatal, InDoubt, Retryable
from sync.ports import Feed, Write
from sync.record import Raw, Ref
from tests.connectors.rigs import HttpRig
from tests.contract.connector_suite import results


class Works(ABC):
    """One kind of effect at one vendor, for the people `0` to `3`, of whom the last one is gone.

    `harmless`: writing it again leaves no trace, or is answered with «exists». `gone`: how an effect for the last
    person is answered. `ready` lets the first use's questions be asked before a fault may strike.
    """

    harmless = True
    gone = "gone"

    def __init__(self, rig: HttpRig) -> None:
        self.rig = rig

    @abstractmethod
    def effect(self, number: int) -> Write:
        """What is to happen to a person."""

    @abstractmethod
    def wrong(self) -> Write:
        """An effect for person 2 that the vendor cannot do."""

    @abstractmethod
    def done(self, number: int) -> int:
        """How often it happened to a person."""

    def effects(self, *numbers: int) -> list[Write]:
        """Effects for several people."""
        return [self.effect(number) for number in numbers]

    @abstractmethod
    def ready(self) -> None:
        """Let the connector ask what it asks at the first use."""


def write(object_: str, values: Mapping[str, Raw], unique: str = "", number: int = 1) -> Write:
    """Something new at the system."""
    return Write(number, Ref("one", object_, ""), values, unique)


class EffectSuite:
    """The contract of `write("effect", …)`."""

    def test_each_is_done_once_and_answered_in_its_place(self, works: Works) -> None:
        """Everybody's effect is done; one that the vendor cannot do and one for somebody who is gone stand alone."""
        effects = [works.effect(0), works.wrong(), works.effect(3), works.effect(1)]
        outcomes = [works.rig.connector.write("effect", [each])[0] for each in effects]
        assert results(outcomes) == ["applied", "refused", works.gone, "applied"]
        assert outcomes[1].errors[0].message
        assert [works.done(number) for number in range(3)] == [1, 1, 0]

    def test_many_leave_together(self, works: Works) -> None:
        """Several effects of a call are all done, and nothing to do is no call."""
        works.ready()
        before = works.rig.calls
        assert works.rig.connector.write("effect", []) == []
        assert works.rig.calls == before
        assert results(works.rig.connector.write("effect", works.effects(2, 0, 1))) == ["applied"] * 3
        assert works.rig.calls == before + 1
        assert [works.done(number) for number in range(3)] == [1, 1, 1]

    @pytest.mark.parametrize("fault", ["lost_after_commit", "half_answer"])
    def test_a_lost_answer_is_doubt(self, works: Works, fault: str) -> None:
        """Where the answer is lost the effect was done and nobody is told that it was not; it is not sent again."""
        works.ready()
        works.rig.faults.script.append(fault)
        with pytest.raises(InDoubt):
            works.rig.connector.write("effect", works.effects(0, 1))
        assert [works.done(number) for number in range(2)] == [1, 1]

    @pytest.mark.parametrize("fault", ["dropped_before", "server_error"])
    def test_what_may_not_have_been_done_is_doubt_too(self, works: Works, fault: str) -> None:
        """A connection that ends without an answer says nothing; here nothing was done."""
        works.ready()
        works.rig.faults.script.append(fault)
        with pytest.raises(InDoubt):
            works.rig.connector.write("effect", works.effects(0))
        assert works.done(0) == 0

    def test_a_refusal_for_its_rate_was_not_executed(self, works: Works) -> None:
        """A rate limit is no doubt: it may leave again after the vendor's wait, and is then done once."""
        works.ready()
        works.rig.faults.script.append("rate_limited")
        with pytest.raises(Retryable) as caught:
            works.rig.connector.write("effect", works.effects(0))
        assert caught.value.after >= 5.0
        assert works.done(0) == 0
        assert results(works.rig.connector.write("effect", works.effects(0))) == ["applied"]
        assert works.done(0) == 1

    def test_writing_it_again_does_as_declared(self, works: Works) -> None:
        """What is harmless leaves one trace, however often it is written; what is not happens once more."""
        for _ in range(2):
            (outcome,) = works.rig.connector.write("effect", works.effects(0))
            assert outcome.result in ("applied", "exists")
        assert works.done(0) == (1 if works.harmless else 2)

    def test_effects_are_no_feed(self, works: Works) -> None:
        """What was announced is not listed, and cannot be changed."""
        assert works.rig.connector.capabilities.feeds["effect"] == Feed.NONE
        object_ = works.effect(0).ref.object
        with pytest.raises(Fatal):
            list(works.rig.connector.changes("effect", None, {object_: ()}))
        with pytest.raises(Fatal):
            works.rig.connector.write("effect", [works.effect(0)._replace(ref=Ref("one", object_, "1"))])
        assert works.done(0) == 0
