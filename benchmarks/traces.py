"""How long a trace takes over a million journaled writes, and how large such a journal is.

It decides whom is asked about: people at random, in turn by address and by id, now and as of a random time. Measured is
everything that the command does after its start: asking the journal, telling, printing.
"""

from __future__ import annotations

import contextlib
import io
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import Wrong, say
from benchmarks.histories import DAY, MA, Past, Size, address, lead, make
from benchmarks.report import Line
from benchmarks.runs import write_project

P95 = 100.0
_NOWHERE = {side: {"url": "http://127.0.0.1:9", "client_id": "none"} for side in ("marketo", "salesforce")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """Milliseconds of every trace, sorted, now and as of a time, and of processor time; lines printed at least; the
    journal's size."""

    now: list[float]
    then: list[float]
    cpu: list[float]
    lines: int
    size: Size


def traces(writes: int, each: int = 10, asked: int = 400) -> Traced:
    """Make a journal of so many writes, `each` for every person, and ask."""
    with tempfile.TemporaryDirectory(prefix="renkei-bench-") as name:
        folder = Path(name)
        write_project(folder, "half", _NOWHERE, 1.0)
        place = folder / ".renkei" / "bench" / "state.db"
        place.parent.mkdir(parents=True)
        began = time.monotonic()
        size = make(place, Past(writes // each, each))
        say(f"{size.writes:,} writes made in {time.monotonic() - began:.0f} s: {size.after / 2**20:,.0f} MiB")
        return _asked(folder, size, asked)


def _asked(folder: Path, size: Size, asked: int) -> Traced:
    from renkei.cli.looking import show, tell
    from renkei.cli.options import session
    from renkei.wire import load_rules

    here = session(folder, None, "en", as_json=False)
    rules = load_rules(here.project)
    dice, lines = random.Random(1), 1 << 30
    spent: dict[bool, list[float]] = {True: [], False: []}
    worked: list[float] = []
    people, first = size.writes // 10, time.time() - 365 * DAY
    for turn in range(asked + 10):
        number = dice.randrange(people)
        who = address(number) if turn % 2 else f"{MA}:{lead(number)}"
        now = turn % 4 < 2
        at = float("inf") if now else dice.uniform(first, time.time())
        began, work, out = time.perf_counter(), time.process_time(), io.StringIO()
        with contextlib.redirect_stdout(out):
            for story in tell(here, rules, who, field="", at=at, since=0.0):
                show(here, story)
        took = (time.perf_counter() - began) * 1_000
        if who not in out.getvalue() and lead(number) not in out.getvalue():
            raise Wrong(f"a trace told nothing of {who}")
        if turn >= 10:
            spent[now].append(took)
            worked.append((time.process_time() - work) * 1_000)
            lines = min(lines, out.getvalue().count("\n")) if now else lines
    return Traced(
        now=sorted(spent[True]), then=sorted(spent[False]), cpu=sorted(worked), lines=lines, size=size
    )


def trace_lines(found: Traced) -> list[Line]:
    """The figures beside what is promised."""
    size = found.size
    return [
        _line(f"trace over {size.writes:,} writes", found.now, f"; {found.lines} lines and more"),
        _line("trace as of a random time", found.then, ""),
        Line(what="processor time of a trace", measured=_spread(found.cpu)),
        Line(
            what="journal for a million writes and what they followed from",
            measured=f"{size.per_million:,.0f} MiB ({(size.after - size.before) / size.writes:,.0f} bytes each)",
        ),
    ]


def _line(what: str, spent: list[float], more: str) -> Line:
    return Line(
        what=what, measured=f"{_spread(spent)} ({len(spent)}{more})", target=f"p95 < {P95:.0f} ms",
        reached=_at(spent, 0.95) < P95,
    )  # fmt: skip


def _spread(spent: list[float]) -> str:
    return f"p50 {_at(spent, 0.5):.1f} ms, p95 {_at(spent, 0.95):.1f} ms, max {spent[-1]:.1f} ms"


def _at(spent: list[float], share: float) -> float:
    return spent[min(int(len(spent) * share), len(spent) - 1)]
