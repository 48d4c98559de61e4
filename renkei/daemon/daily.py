"""Once a day: what routes that only look on would have written yesterday, into the log and to whoever hears alarms.

It decides when a day is over (the host's own days) and that each is told once, also across restarts; what would have
been written is `shadow`'s. The first day of a service tells nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from renkei.channels import Channel
from renkei.daemon.notes import SHADOW, Notes
from renkei.settings import Project
from renkei.shadow import report, summary
from renkei.words import Words
from sync.ports import Executor
from sync.rules import Rules


@dataclass(slots=True)
class Daily:
    """`channel` None = the log alone hears it."""

    project: Project
    notes: Notes
    channel: Channel | None
    executor: Executor
    log: Callable[..., None]
    _told: str = ""

    def look(self, routes: Iterable[Rules], now: float) -> None:
        """Tell of yesterday if a day has begun since the last look (`now` in unix seconds). Raises Fatal."""
        today = day_of(now)
        if today == self._told:
            return
        before = str(self.notes.read(SHADOW).get("day", ""))
        self.notes.write(SHADOW, {"day": today}, now)
        self._told = today
        if before and before != today:
            yesterday = (datetime.fromisoformat(today) - timedelta(days=1)).date().isoformat()
            for rules in routes:
                if rules.shadow:
                    self._tell(rules, yesterday)

    def _tell(self, rules: Rules, day: str) -> None:
        found = report(self.project, rules, day)
        head, *rows = summary(found, Words(self.project.service.language))
        self.log("shadow", route=rules.route, day=day, would_differ=found.stands, passed=found.passed)
        if self.channel is not None:
            self.executor.submit(
                self.channel.tell, head, "\n".join([head, *rows]), f"shadow {rules.route} {day}"
            )


def day_of(now: float) -> str:
    """The host's calendar day of an instant."""
    return datetime.fromtimestamp(now, UTC).astimezone().date().isoformat()
