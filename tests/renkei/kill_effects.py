"""`python -m tests.renkei.kill_effects --count 200`: kill -9 while people are handed over and return to nurture.

It decides who is raised and which deals are lost, when the service or the command is killed, and what counts: only what
the fake vendors and the channel have on record afterwards. The journal is asked for one thing, what it lists as
uncertain. It stops by itself; exit code 0 if nothing was doubled and nothing lost that is not listed.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from renkei.fakes import Fakes, place_secrets
from renkei.settings import open_project
from renkei.wire import look
from state.answers import Which
from state.views import operations
from sync.rows import UNCERTAIN
from tests.support.command import Place, clean_environment
from tests.support.tree import ROOT

PRESETS = ROOT / "mappings" / "presets" / "marketo-salesforce"
ROUTES = {"Timing": "N-01 時期", "Budget": "N-02 予算", "Competitor": "N-04 乗換", "Price": "N-03 価値"}
LISTS = (*ROUTES.values(), "N-05 未対応")
OPT_OUTS = [("unsubscribed", "HasOptedOutOfEmail"), ("optOutSeminar", "Opt_Out_Seminar__c")]
ROLES = ("Decision Maker", "Evaluator", "Business User")
SLACK, PATIENCE = 2.0, 30.0
LOG = "process.log"
LONGEST = 8.0  # seconds that one process lives
_WHO = re.compile(r"#(\d+)")
CHANGES: dict[str, dict[str, str]] = {
    "account.yaml": {},
    "thresholds.yaml": {},
    "person-flows.yaml": {
        "  task: { subject: '": "  notice: sales\n  task: { subject: '#{marketo_id} ",
        "examples:": "limits: { effect: { number: 9999 }, create: { number: 9999 } }\n\nexamples:",
    },
    "deal.yaml": {
        "wait: 24h": "wait: 1s",
        "never: [open_deal_at_account, current_customer, opted_out,": "never: [opted_out,",
    },
}
SETTINGS = """\
version: 1
systems:
  marketo: {{ connector: marketo }}
  salesforce: {{ connector: salesforce }}
envs:
  kill:
    marketo: {{ rest_url: {marketo[url]}/rest, client_id: {marketo[client_id]}, earliest: "2026-11-01",
               server_timeout: 2.0, visibility_lag: 1.0, poll_seconds: 0.2, window_calls: 0 }}
    salesforce: {{ login_url: {salesforce[url]}, client_id: {salesforce[client_id]}, server_timeout: 2.0,
                  visibility_lag: 1.0, overlap: 1.0 }}
service: {{ every: 0.3s, port: 0 }}
channels:
  sales: {{ format: json }}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What became of it. `offences` of the vendors' ledgers, notices that came twice, and what is missing although
    nothing lists it; `uncertain`: what the journal lists."""

    kills: int
    raised: int
    lost_deals: int
    tasks: int
    notices: int
    returns: int
    hand_overs_due: int
    returns_due: int
    uncertain: int
    moments: dict[str, int]
    wrong: list[str] = field(default_factory=list)

    @property
    def line(self) -> str:
        """The outcome in one line."""
        happened = ", ".join(f"{number} {name}" for name, number in self.moments.items())
        due = f"{self.hand_overs_due} hand-overs and {self.returns_due} returns due"
        return (
            f"{'ok' if not self.wrong else 'WRONG'}: {self.kills} kills ({happened}); {self.raised} raised, "
            f"{self.lost_deals} deals lost, {due}; {self.tasks} tasks, {self.notices} notices, {self.returns} returns; "
            f"{self.uncertain} listed as uncertain, {len(self.wrong)} doubled or lost"
        )


class Ground:
    """The project, the vendors, and whoever may still be raised or lose a deal."""

    def __init__(self, folder: Path, fakes: Fakes, seed: int, patience: float) -> None:
        self.patience = patience
        self.dice = random.Random(seed)
        self.fakes = fakes
        self.place = _project(folder, fakes)
        market = fakes.ask("market")
        for user in market["staff"]:
            self._human("salesforce", "human_edit", object_name="User", key=user, changes={"IsActive": True})
        self.place.begin()
        self.since = time.time()
        self._cold = _cold(fakes.ask("state"))
        self._open = [deal["record"] for deal in market["deals"] if deal["stage"] not in _CLOSED]
        self.dice.shuffle(self._cold)
        self.dice.shuffle(self._open)
        self.raised: list[str] = []
        self.counts: dict[str, int] = {}
        self.lost = 0
        self.left: list[str] = []

    def act(self) -> None:
        """Somebody becomes hot, or a deal is lost."""
        if self._cold and (not self._open or self.dice.random() < 0.6):
            lead = self._cold.pop()
            self._human("marketo", "human_score", lead_id=int(lead), change=100)
            self.raised.append(lead)
        elif self._open:
            reason = self.dice.choice(list(ROUTES))
            self._human("salesforce", "human_lose", deal=self._open.pop(), reason=reason)
            self.lost += 1

    def calls(self) -> int:
        """Calls at both vendors and at the channel."""
        calls = self.fakes.ask("status")["calls"]
        return sum(sum(each.values()) for each in calls.values()) + len(self.fakes.ask("notices"))

    def written(self) -> int:
        """What both vendors and the channel took."""
        writes = self.fakes.ask("status")["writes"]
        return sum(sum(each.values()) for each in writes.values()) + len(self.fakes.ask("notices"))

    def in_doubt(self) -> int:
        """Calls that left and of which the journal knows no answer."""
        with closing(sqlite3.connect(open_project(self.place.folder).state)) as journal:
            (number,) = journal.execute("SELECT count(*) FROM batch").fetchone()
        return int(number)

    def judge(self) -> list[dict[str, Any]]:
        """What the vendors' own ledgers say against it."""
        asked = {
            "since": self.since, "slack": SLACK, "patience": self.patience, "never": ["opted_out", "bounced"],
            "wait": 1.0, "routes": ROUTES, "roles": list(ROLES), "blank_after": 7 * 86_400.0,
            "opt_outs": OPT_OUTS, "raise_field": "demoRequest", "rates": {"USD": "150"},
        }  # fmt: skip
        self.counts = (found := self.fakes.ask("flows", asked))["counts"]
        offences: list[dict[str, Any]] = found["offences"]
        return offences

    def _human(self, side: str, action: str, **args: Any) -> None:
        self.fakes.ask("human", {"side": side, "action": action, "args": args})


_CLOSED = ("Closed Won", "Closed Lost")


def _cold(live: dict[str, dict[str, dict[str, Any]]]) -> list[str]:
    """Leads who are not hot, and who have opted out of nothing on either side."""
    found: list[str] = []
    for key, row in live["marketo"].items():
        other = live["salesforce"].get(str(row.get("sfaId")), {})
        out = any(row.get(one) or other.get(two) for one, two in OPT_OUTS)
        if (row.get("leadScore") or 0) < 60 and not out:
            found.append(key)
    return found


def _project(folder: Path, fakes: Fakes) -> Place:
    (folder / "mappings").mkdir(parents=True)
    for name, changes in CHANGES.items():
        text = (PRESETS / name).read_text("utf-8")
        for old, new in changes.items():
            assert old in text, f"{name} does not say {old!r}"
            text = text.replace(old, new)
        (folder / "mappings" / name).write_text(text, "utf-8")
    (folder / "mappings" / "rates.csv").write_text("currency,from,rate\nUSD,2020-01-01,150\n", "utf-8")
    (folder / "renkei.yaml").write_text(SETTINGS.format(**fakes.places), "utf-8")
    secrets = open_project(folder).secrets
    place_secrets(secrets, fakes.places, fakes.systems)
    address = secrets / "channel_sales__url"
    address.touch(mode=0o600)
    address.write_text(f"{fakes.places['control']['url']}/control/notices", "utf-8")
    return Place(folder=folder, fakes=fakes)


def _kill_once(ground: Ground) -> str:
    """Start the service or the command while something happens, and kill it at a random moment; says which."""
    dice, name = ground.dice, ground.dice.choice(("run", "run", "sync"))
    figure: Callable[[], int] = dice.choice((ground.calls, ground.written, ground.written))
    most = 45 if figure == ground.calls else 6
    for _ in range(dice.randrange(1, 4)):
        ground.act()
    goal = figure() + dice.randrange(1, most)
    process = _start(ground.place, name)
    end, again = time.monotonic() + LONGEST, time.monotonic() + dice.uniform(0.5, 3.0)
    while process.poll() is None and time.monotonic() < end and figure() < goal:
        if time.monotonic() > again:
            ground.act()
            again = end
        time.sleep(0.002)
    ended = process.poll() is not None
    if ended and name == "run":
        ground.left.append(f"the service ended by itself ({process.returncode}): {_last_words(ground.place)}")
    time.sleep(dice.choice((0.0, dice.uniform(0.0, 0.02))))
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    return f"{name} had ended" if ended else f"of {name}"


def _start(place: Place, *arguments: str) -> subprocess.Popen[bytes]:
    with (place.folder / LOG).open("wb") as log:
        return subprocess.Popen(
            place.command(*arguments),
            cwd=ROOT,
            env=clean_environment(),
            stdout=subprocess.DEVNULL,
            stderr=log,
        )


def _last_words(place: Place) -> str:
    return (place.folder / LOG).read_text("utf-8").strip()[-300:]


def _settle(ground: Ground, seconds: float, rest: float) -> None:
    """Let the service run until nothing has happened for a while (`rest`) and what was in doubt is settled."""
    process = _start(ground.place, "run")
    end, quiet, last = time.monotonic() + seconds, time.monotonic(), ground.written()
    try:
        while time.monotonic() < end and (time.monotonic() - quiet < rest or ground.in_doubt()):
            time.sleep(0.5)
            assert process.poll() is None, (
                f"the service ended with {process.returncode}: {_last_words(ground.place)}"
            )
            if (now := ground.written()) != last:
                quiet, last = time.monotonic(), now
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _listed(place: Place) -> list[str]:
    """Leads of Marketo whose task or notice the journal lists as uncertain."""
    with look(open_project(place.folder)) as reader:
        found = operations(reader, Which(states=(UNCERTAIN,)), limit=100_000)
    return [match[1] for each in found if (match := _WHO.search(json.dumps(each.work, default=str)))]


def _wrong(ground: Ground, listed: Sequence[str]) -> list[str]:
    offences = [f"{each['kind']} {each['subject']}: {each['reason']}" for each in ground.judge()]
    notices = ground.fakes.ask("notices")
    told = Counter(match[1] for each in notices if (match := _WHO.search(each["said"])))
    twice = [f"lead {lead} was told of {number} times" for lead, number in told.items() if number > 1]
    keys = Counter(each["key"] for each in notices)
    twice += [f"the notice {key} came {number} times" for key, number in keys.items() if number > 1]
    gone = [f"no notice of lead {lead}" for lead in ground.raised if lead not in told and lead not in listed]
    odd = [f"a notice of lead {lead}, who was never raised" for lead in told if lead not in ground.raised]
    return ground.left + offences + twice + gone + odd


def kill_effects(
    folder: Path, count: int, seed: int, persons: int, deals: int, patience: float = PATIENCE
) -> Verdict:
    """Kill so many times, go on to the end, and judge. `patience`: seconds after which what is due must be there."""
    lists = [part for name in LISTS for part in ("--list", name)]
    world = (
        "--persons",
        str(persons),
        "--overlap",
        "0.7",
        "--deals",
        str(deals),
        "--role",
        "0",
        "--spoilt",
        "0",
    )
    with Fakes(*world, "--contacts", "0.4", "--seed", str(seed), *lists) as fakes:
        ground = Ground(folder, fakes, seed, patience)
        moments = Counter(_kill_once(ground) for _ in range(count))
        _settle(ground, 120.0 + count, ground.patience + 5.0)
        listed = _listed(ground.place)
        wrong = _wrong(ground, listed)
        return Verdict(
            kills=count, raised=len(ground.raised), lost_deals=ground.lost, tasks=ground.counts.get("tasks", 0),
            notices=len(fakes.ask("notices")), returns=ground.counts.get("returns", 0), uncertain=len(listed),
            hand_overs_due=ground.counts.get("hand-overs due", 0), returns_due=ground.counts.get("returns due", 0),
            moments=dict(moments), wrong=wrong,
        )  # fmt: skip


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main() -> int:
    """Run it and say what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.renkei.kill_effects", description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    asked = parser.parse_args()
    _say(f"seed {asked.seed}")
    with tempfile.TemporaryDirectory(prefix="renkei-kill-") as folder:
        persons = max(200, 5 * asked.count)
        found = kill_effects(Path(folder) / "p", asked.count, asked.seed, persons, max(60, 2 * asked.count))
    for text in found.wrong[:100]:
        _say(text)
    _say(found.line)
    return 0 if not found.wrong else 1


if __name__ == "__main__":
    sys.exit(main())
