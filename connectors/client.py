"""What every client over HTTP is made of: its settings, its budget, its connections, and the vendor's clock.

Decides how the settings that all systems have in common become a budget and a wire. Knows no vendor's calls.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import parsedate_to_datetime
from typing import Generic, TypeVar

import httpx

from connectors.budget import Budget
from connectors.http import Call, Http, Reply, Wiring
from connectors.resets import resets_at
from connectors.settings import SystemConfig
from sync.ports import Capabilities, Clock

C = TypeVar("C", bound=SystemConfig)

HAND_OVER_FLOOR = 0.02  # of our share; the last of it is for opt-outs


class Client(Generic[C]):
    """One system's calls, for a vendor's own client to be built on; safe to share between threads."""

    def __init__(
        self,
        system: str,
        config: C,
        clock: Clock,
        auth: httpx.Auth,
        log: Callable[[Call], None] | None,
        *,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.system, self.config, self.clock = system, config, clock
        budget = Budget(
            clock,
            system=system,
            window_calls=config.window_calls,
            window_seconds=config.window_seconds,
            concurrency=config.concurrency,
            daily_calls=config.daily_calls,
            reserve=config.daily_reserve,
            own_calls=config.daily_own,
            floors=(0.0, HAND_OVER_FLOOR, config.delta_floor, config.backfill_floor),
            until_reset=resets_at(config.daily_reset),
        )
        wiring = Wiring(
            system=system,
            server_timeout=config.server_timeout,
            ca_file=config.ca_file,
            proxy=config.proxy,
            compress=config.compress,
            max_reply=config.max_reply,
            headers=headers or {},
        )
        self.http = Http(wiring, auth, budget, clock, log=log)

    def known(self, facts: Capabilities, identity: str) -> Capabilities:
        """Facts about the system with what only its answers tell: what it calls itself, and its clock."""
        ahead = self.http.clock_ahead
        if (facts.identity, facts.clock_ahead) == (identity, ahead):
            return facts
        return replace(facts, identity=identity, clock_ahead=ahead)

    def told_time(self, reply: Reply) -> float:
        """The vendor's clock as its reply tells it (unix seconds, whole ones); ours where it does not."""
        try:
            return parsedate_to_datetime(reply.headers.get("date", "")).timestamp()
        except (ValueError, TypeError):
            return self.clock.now()
