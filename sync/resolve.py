"""Resolve one field: from both sides' values and the pair last agreed on to what has to be done.

Pure, and about one field of one pair: the truth table of protocol §4, a row of comment each. It knows
neither records nor systems. A side has changed when its value differs from its own half; the two halves
are never compared with each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from sync.plan import Half
from sync.record import Side, Value
from sync.rules import FieldRule, Flow


@dataclass(frozen=True, slots=True)
class Agree:
    """Both sides stand as they should: the pair becomes base."""


@dataclass(frozen=True, slots=True)
class Leave:
    """Nothing is decided: base stays as it is."""


@dataclass(frozen=True, slots=True)
class WriteTo:
    """Carry the other side's value to `side`; `lost` is a person's value that this overrides."""

    side: Side
    lost: Value = None


@dataclass(frozen=True, slots=True)
class Clash:
    """A person has to decide between two values."""


@dataclass(frozen=True, slots=True)
class Await:
    """The value to go by was sent by us to `side` and not read back: decided when it is."""

    side: Side


Verdict: TypeAlias = Agree | Leave | WriteTo | Clash | Await

AGREE, LEAVE, CLASH = Agree(), Leave(), Clash()
SIDES = tuple(Side)


@dataclass(frozen=True, slots=True)
class Pair:
    """One field as both sides have it now. `same`: what one side has is what the other would be given.
    An unconfirmed value (sent by us, not read back) counts as unchanged and is never a source."""

    ma: Value
    sfa: Value
    same: bool
    ma_unconfirmed: bool = False
    sfa_unconfirmed: bool = False

    def of(self, side: Side) -> Value:
        """One side's value."""
        return self.ma if side is Side.MA else self.sfa

    def unconfirmed(self, side: Side) -> bool:
        """True while a side's value was sent by us and not read back."""
        return self.ma_unconfirmed if side is Side.MA else self.sfa_unconfirmed


def resolve(rule: FieldRule, now: Pair, half: Half | None) -> Verdict:
    """Decide one field."""
    if rule.flow is Flow.NONE:
        return LEAVE
    if half is None:
        return _first(rule, now)
    if rule.flow is Flow.BOTH:
        return _two_way(rule, now, half)
    return _one_way(rule, now, half)


def has_moved_on(now: Pair, half: Half | None, side: Side) -> bool:
    """True if a side no longer has what the value that we wrote across was decided from: its half or, where nothing is
    agreed on (another record leads there by now), a value that is the same as that one."""
    if half is None:
        return not now.unconfirmed(side) and not now.same
    return _changed(now, half, side)


def _changed(now: Pair, half: Half, side: Side) -> bool:
    return not now.unconfirmed(side) and now.of(side) != half.of(side)


def _one_way(rule: FieldRule, now: Pair, half: Half) -> Verdict:
    source = Side.MA if rule.flow is Flow.TO_SFA else Side.SFA
    target = source.other
    if not _changed(now, half, source):
        # the source stands still; the target may have been edited: reported, or put right
        drifted = _changed(now, half, target) and not now.same
        return WriteTo(target) if drifted and rule.drift == "restore" else LEAVE
    # the source changed
    if now.same:
        return AGREE
    return _carry(rule, now, source)


def _two_way(rule: FieldRule, now: Pair, half: Half) -> Verdict:
    ma, sfa = _changed(now, half, Side.MA), _changed(now, half, Side.SFA)
    # neither changed
    if not ma and not sfa:
        return LEAVE
    # changed to the same value, on one side or on both
    if now.same:
        return AGREE
    # one side changed
    if ma != sfa:
        return _carry(rule, now, Side.MA if ma else Side.SFA)
    # both changed, to different values
    return _conflict(rule, now)


def _carry(rule: FieldRule, now: Pair, source: Side) -> Agree | WriteTo:
    """Bring the source's new value across, unless it is a blank that is not to be carried."""
    if rule.create_only:
        return AGREE
    if now.of(source) is None and rule.blank == "keep":
        return AGREE
    return WriteTo(source.other)


def _first(rule: FieldRule, now: Pair) -> Verdict:
    """No base yet: equal values agree, else a value goes across that a person or the vendor stands behind."""
    verdict = _first_known(rule, now)
    match verdict:
        case Agree():
            sources: tuple[Side, ...] = ()
        case Clash():
            sources = SIDES
        case WriteTo(side=side):
            sources = (side.other,)
    awaited = next((side for side in sources if now.unconfirmed(side)), None)
    return verdict if awaited is None else Await(awaited)


def _first_known(rule: FieldRule, now: Pair) -> Agree | WriteTo | Clash:
    """Blanks are filled, different values follow `first:`; what we have sent ourselves is nobody's loss."""
    if now.same:
        return AGREE
    if rule.flow is not Flow.BOTH:
        return _carry(rule, now, Side.MA if rule.flow is Flow.TO_SFA else Side.SFA)
    if now.sfa is None or now.ma is None:
        filled = Side.MA if now.sfa is None else Side.SFA
        return AGREE if rule.create_only else WriteTo(filled.other)
    if rule.first == "hold":
        return CLASH
    winner = Side(rule.first)
    return WriteTo(winner.other, lost=None if now.unconfirmed(winner.other) else now.of(winner.other))


def _conflict(rule: FieldRule, now: Pair) -> Verdict:
    """Both sides were edited: a named side, a total order on the values, or a person decides."""
    winner = _winner(rule, now)
    if winner is None:
        return CLASH
    if now.of(winner) is None and rule.blank == "keep":
        winner = winner.other
    return WriteTo(winner.other, lost=now.of(winner.other))


def _winner(rule: FieldRule, now: Pair) -> Side | None:
    match rule.conflict:
        case "ma" | "sfa":
            return Side(rule.conflict)
        case "non_blank":
            if (now.ma is None) == (now.sfa is None):
                return None
            return Side.SFA if now.ma is None else Side.MA
        case "max" | "min":
            return _extreme(rule, now)
        case "all_true" | "any_true":
            wanted = rule.conflict == "any_true"
            return Side.MA if now.ma is wanted else Side.SFA
        case "hold":
            return None


def _extreme(rule: FieldRule, now: Pair) -> Side | None:
    if now.ma is None or now.sfa is None or rule.order is None:
        return None if rule.order is None else (Side.SFA if now.ma is None else Side.MA)
    ma, sfa = rule.order(now.ma), rule.order(now.sfa)
    larger = Side.MA if ma > sfa else Side.SFA  # type: ignore[operator]
    return larger if rule.conflict == "max" else larger.other
