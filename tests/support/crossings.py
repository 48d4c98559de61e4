"""A small standing rule: leads that become hot, with crossings that are counted and told once."""

from __future__ import annotations

from sync.record import Side
from sync.rules import Effect
from sync.standing import Question, Situation, Standing, StandingRule

ENTER, LEAVE, DWELL = 70, 50, 3_600.0


def derive(situation: Situation) -> Standing:
    """Hot from ENTER up, until below LEAVE; each crossing is a task; a hot lead is looked at again after a while."""
    score = situation.of(Side.MA).get("score")
    held = situation.memory
    was = bool(held.get("hot"))
    hot = isinstance(score, int) and (score >= ENTER or (was and score >= LEAVE))
    crossing = int(held.get("crossing", 0)) + int(hot and not was)
    silent = crossing if situation.quiet else int(held.get("silent", 0))
    since = situation.now if hot and not was else held.get("since", 0.0)
    memory = {"hot": hot, "crossing": crossing, "silent": silent, "since": since} if crossing else {}
    effects = []
    if hot and crossing > silent:
        key = f"task:{situation.entity}:{crossing}"
        effects.append(Effect(key, Side.SFA, "Task", {"Subject": str(crossing)}, who="WhoId", find="Key__c"))
    return Standing(
        memory=memory,
        fields={Side.MA: {"score.hot": hot}},
        effects=tuple(effects),
        questions=(Question("score", "odd", {"score": score}),) if score == 13 else (),
        wake=since + DWELL if hot else 0.0,
    )


HOT = StandingRule(name="score", derive=derive, gives={Side.MA: {"score.hot": "boolean"}})
