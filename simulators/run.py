"""Starts both vendors and the control endpoint on loopback and keeps them until told to stop.

Decides ports, TLS and what is printed; the stage behind them decides everything else.
"""

from __future__ import annotations

import os
import random
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self

from simulators.clock import Clock
from simulators.control import Control
from simulators.faults import Faults
from simulators.server import serve
from simulators.stage import Settings, Stage

CONTROL_TIMEOUT = 120.0


class Running:
    """Both vendors and the control endpoint, serving; use as a context manager or call `stop()`.

    `announcement` holds the addresses and the toy credentials. With a `tls_folder` the vendors speak TLS
    and a throw-away authority's certificate is written there.
    """

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        *,
        server_timeout: float = 2.0,
        control_port: int = 0,
        tls_folder: Path | None = None,
    ) -> None:
        self.stage = Stage(settings, clock)
        self._stack = ExitStack()
        pem, context = None, None
        if tls_folder is not None:
            from simulators.tls import throwaway_ca

            pem, context = throwaway_ca(tls_folder)
        stage, enter = self.stage, self._stack.enter_context
        serving = partial(serve, clock=clock, server_timeout=server_timeout, tls=context)
        concurrency = 10 if settings.limits else None
        self.marketo = enter(serving(stage.marketo, stage.faults["marketo"], concurrency=concurrency))
        self.salesforce = enter(serving(stage.salesforce, stage.faults["salesforce"]))
        stage.salesforce.instance_url = self.salesforce.url
        quiet = Faults(random.Random(0))
        self.control = enter(
            serve(Control(stage), quiet, clock, server_timeout=CONTROL_TIMEOUT, port=control_port)
        )
        self.announcement = self._announcement(pem)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Stop the users and all servers."""
        self.stage.editors.stop()
        if self.stage.players is not None:
            self.stage.players.stop()
        self._stack.close()

    def _announcement(self, pem: Path | None) -> dict[str, Any]:
        marketo, salesforce = self.stage.marketo.credentials, self.stage.salesforce.sessions.credentials
        return {
            "pid": os.getpid(),
            "marketo": {
                "url": self.marketo.url,
                "client_id": marketo.client_id,
                "client_secret": marketo.client_secret,
            },
            "salesforce": {
                "url": self.salesforce.url,
                "client_id": salesforce.client_id,
                "client_secret": salesforce.client_secret,
                "username": salesforce.username,
                "refresh_token": salesforce.refresh_token,
            },
            "control": {"url": self.control.url},
            "ca": str(pem) if pem else None,
        }
