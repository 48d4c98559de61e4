"""How soon sales hears of a hot person: the running service at its usual interval, also while a backfill is at work.

It decides the project, when scores are raised and how long is waited for the last one. Times are those that the fake
vendors wrote down themselves: from the score to the task at Salesforce, and to the notice at a channel.
"""

from __future__ import annotations

import json
import random
import re
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from benchmarks.cases import LAG, Wrong, say
from benchmarks.report import Line
from benchmarks.runs import PRESETS, WorldProcess
from benchmarks.services import Command, secrets_of, serving

EVERY, PROMISE = 30.0, 45.0
ATTEMPTS = 60
PATIENCE = 150.0
FILES = ("account.yaml", "deal.yaml", "person-flows.yaml", "thresholds.yaml")
ROUTE = "jp-person"
_WHO = re.compile(r"#(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delays:
    """Seconds from a raised score to what came of it, by what came ("task", "notice"); `missing` and `doubled` count
    people, `unasked` those of whom something came though nobody raised them. `backfill`: what the command beside it
    printed, None = there was none; `busy`: scores raised while it ran."""

    people: int
    raised: int
    seconds: Mapping[str, Sequence[float]]
    missing: int
    doubled: int
    unasked: int = 0
    backfill: Mapping[str, Any] | None = None
    busy: int = 0
    quota: Mapping[str, Sequence[int]] = field(default_factory=dict)


def latency(
    people: int,
    minutes: float,
    *,
    backfill: bool = False,
    crossings: int = ATTEMPTS,
    every: float = EVERY,
    seed: int = 1,
    eaten: float = 0.0,
) -> Delays:
    """Raise the scores of random people at random times for so many minutes and see when sales was told. `eaten`: the
    share of both days' calls that another application makes as soon as the backfill has begun."""
    with ExitStack() as stack:
        process = stack.enter_context(WorldProcess(people, "market", seed))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="renkei-bench-")))
        places = process.open()
        write_market(folder, places, every, partly=backfill)
        secrets = secrets_of(places)
        first = Command(folder, secrets, "sync", "--first", "--canary", "0", "--json").finish()
        say(f"{people:,} people: first sync {first.wall:.0f} s, {first.peak_mib:.0f} MiB")
        write_market(folder, places, every)
        stack.enter_context(serving(folder, secrets))
        beside = Command(folder, secrets, "backfill", ROUTE, "--yes", "--json") if backfill else None
        if eaten:
            time.sleep(2.0)
            process.ask(f"/eat?share={eaten}", post=True)
        times = _moments(minutes * 60.0, crossings, random.Random(seed))
        raised, busy = _raise(process, times, beside)
        tasks, notices = _wait(process, raised)
        told, quota = None, process.ask("/quota")
        if beside is not None and eaten and beside.running:
            beside.kill()  # it waits for the vendors' reset
        elif beside is not None:
            answer = beside.finish(well=False).output  # brakes may stop what follows of it
            told = json.loads(answer)["routes"][0]["backfill"]
            say(f"the backfill: {json.dumps(told)}")
    found = _delays(people, raised, {"task": tasks, "notice": notices}, told, busy)
    return replace(found, quota=quota)


def _moments(seconds: float, number: int, dice: random.Random) -> list[float]:
    return sorted(dice.uniform(0.0, seconds) for _ in range(number))


def _raise(
    process: WorldProcess, times: Sequence[float], beside: Command | None
) -> tuple[list[dict[str, Any]], int]:
    """Raise one score at each of these seconds from now; also how many were raised while the backfill ran."""
    start, raised, busy = time.monotonic(), list[dict[str, Any]](), 0
    for moment in times:
        time.sleep(max(0.0, start + moment - time.monotonic()))
        raised.append(process.ask("/raise", post=True))
        busy += beside is not None and beside.running
    return raised, busy


def _wait(
    process: WorldProcess, raised: Sequence[Mapping[str, Any]]
) -> tuple[list[tuple[str, float]], list[tuple[str, float]]]:
    """Tasks and notices as (lead, time), when everybody was told of or patience ends."""
    wanted, end = {each["lead"] for each in raised}, time.monotonic() + PATIENCE
    while True:
        tasks = [(str(each["lead"]), float(each["time"])) for each in process.ask("/tasks")]
        notices = [(_who(each["said"]), float(each["time"])) for each in process.ask("/notices")]
        told = {lead for lead, _ in tasks} & {lead for lead, _ in notices}
        if wanted <= told or time.monotonic() > end:
            return tasks, notices
        time.sleep(2.0)


def _who(said: str) -> str:
    found = _WHO.search(said)
    return found[1] if found else ""


def _delays(
    people: int, raised: Sequence[Mapping[str, Any]], told: Mapping[str, Sequence[tuple[str, float]]],
    backfill: Mapping[str, Any] | None, busy: int,
) -> Delays:  # fmt: skip
    began_at = {str(each["lead"]): float(each["time"]) for each in raised}
    seconds: dict[str, list[float]] = {}
    missing = doubled = unasked = 0
    for what, found in told.items():
        when: dict[str, list[float]] = {}
        for lead, moment in found:
            when.setdefault(lead, []).append(moment)
        unasked += len(when.keys() - began_at.keys())
        missing += len(began_at.keys() - when.keys())
        doubled += sum(len(moments) > 1 for moments in when.values())
        seconds[what] = sorted(min(when[lead]) - at for lead, at in began_at.items() if lead in when)
    return Delays(
        people=people, raised=len(raised), seconds=seconds, missing=missing, doubled=doubled, unasked=unasked,
        backfill=backfill, busy=busy,
    )  # fmt: skip


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that so many of the values do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, -(-int(share * 1_000) * len(ordered) // 1_000) - 1)]


def latency_lines(found: Delays) -> list[Line]:
    """The figures beside what is promised."""
    beside = " beside a backfill" if found.backfill is not None else ""
    lines: list[Line] = []
    for what, seconds in found.seconds.items():
        name = f"score to {what}, {found.people:,} people{beside}"
        if not seconds:
            raise Wrong(f"no {what} came of {found.raised} raised scores")
        middle, most, last = (percentile(seconds, share) for share in (0.5, 0.95, 1.0))
        lines.append(
            Line(
                what=name, measured=f"p50 {middle:.1f} s, p95 {most:.1f} s, max {last:.1f} s ({len(seconds)})",
                target=f"p95 ≤ {PROMISE:.0f} s", reached=most <= PROMISE,
            )
        )  # fmt: skip
    lines.append(
        Line(
            what=f"hot people{beside}: missed, doubled, unasked",
            measured=f"{found.missing}, {found.doubled}, {found.unasked}", target="0, 0, 0",
            reached=found.missing == found.doubled == found.unasked == 0,
        )
    )  # fmt: skip
    if found.backfill is not None:
        read, sent = (sum(found.backfill[name].values()) for name in ("read", "sent"))
        measured = f"read {read:,}, sent {sent:,}; {found.busy} of {found.raised} scores raised meanwhile"
        lines.append(Line(what="the backfill beside it", measured=measured))
    return lines


def write_market(folder: Path, places: Mapping[str, Any], every: float, *, partly: bool = False) -> None:
    """A project with the presets of accounts, deals and people; `partly`: of Marketo only what has changed of late."""
    (folder / "mappings").mkdir(parents=True, exist_ok=True)
    for name in FILES:
        text = (PRESETS / name).read_text("utf-8")
        (folder / "mappings" / name).write_text(_with_notice(text), "utf-8")
    (folder / "mappings" / "rates.csv").write_text("currency,from,rate\nUSD,2020-01-01,150\n", "utf-8")
    common = {"visibility_lag": LAG, "server_timeout": 30.0}
    marketo, salesforce = places["marketo"], places["salesforce"]
    now = datetime.now(UTC)
    settings = {
        "version": 1,
        "systems": {"marketo": {"connector": "marketo"}, "salesforce": {"connector": "salesforce"}},
        "envs": {
            "bench": {
                "marketo": common
                | {"rest_url": f"{marketo['url']}/rest", "client_id": marketo["client_id"]}
                | {"window_calls": 0, "poll_seconds": 2.0}
                | _reach(now, partly=partly),
                "salesforce": common
                | {"login_url": salesforce["url"], "client_id": salesforce["client_id"], "overlap": LAG},
            }
        },
        "service": {"every": every, "port": 0},
        "channels": {"sales": {"format": "json"}},
    }
    (folder / "renkei.yaml").write_text(json.dumps(settings, indent=1), "utf-8")


def _reach(now: datetime, *, partly: bool) -> dict[str, str]:
    if partly:
        since = now - timedelta(minutes=30)  # everybody was entered an hour ago, and some were edited since
        return {"full_read": "feed", "earliest": f"{since:%Y-%m-%dT%H:%M:%SZ}"}
    return {"full_read": "bulk", "earliest": f"{now - timedelta(days=1):%Y-%m-%d}"}


def _with_notice(text: str) -> str:
    """Sales is also told in a channel, and each message names whom it is about by Marketo's number."""
    told = text.replace("  task: { subject: '", "  notice: sales\n  task: { subject: '#{marketo_id} ")
    assert "hand_over:" not in text or told != text
    return told
