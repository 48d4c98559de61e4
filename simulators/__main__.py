"""`python -m simulators`: both fake vendors as one process, announced by one JSON line.

Runs until SIGTERM, SIGINT, or until whoever started it closes its standard input.
"""

from __future__ import annotations

import argparse
import os
import signal
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec

from simulators.clock import SystemClock
from simulators.faults import PROFILES
from simulators.run import Running
from simulators.stage import Settings
from simulators.world import Mix


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m simulators", description=__doc__)
    parser.add_argument("--persons", type=int, default=200)
    parser.add_argument("--overlap", type=float, default=0.5, help="share of persons known to both sides")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--faults", choices=sorted(PROFILES), default="none")
    parser.add_argument(
        "--contacts", type=float, default=0.0, help="share of contacts among the sales records"
    )
    parser.add_argument("--spoilt", type=float, default=0.1, help="share of values that are spoilt")
    parser.add_argument("--role", type=float, default=0.02, help="share of persons behind a desk's mailbox")
    parser.add_argument(
        "--deals", type=int, default=0, help="how many deals there are; 0 for a world without firms"
    )
    parser.add_argument(
        "--companies",
        type=float,
        default=0.0,
        help="share of the firms' offices that are companies at Marketo",
    )
    parser.add_argument(
        "--list", action="append", default=[], help="a Marketo static list to make; may be repeated"
    )
    parser.add_argument("--limits", action="store_true", help="enforce the vendors' short and daily quotas")
    parser.add_argument("--server-timeout", type=float, default=2.0)
    parser.add_argument("--visibility-lag", type=float, default=1.0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--tls", action="store_true", help="serve the vendors over TLS")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Start, announce, wait, stop."""
    asked = _options(arguments)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    settings = Settings(
        persons=asked.persons,
        overlap=asked.overlap,
        seed=asked.seed,
        faults=asked.faults,
        visibility_lag=asked.visibility_lag,
        empty_pages=0.0 if asked.faults == "none" else 0.05,
        limits=asked.limits,
        deals=asked.deals,
        companies=asked.companies,
        lists=tuple(asked.list),
        mix=Mix(contacts=asked.contacts, spoilt=asked.spoilt, role=asked.role),
    )
    with tempfile.TemporaryDirectory() as folder:
        running = Running(
            settings,
            SystemClock(),
            server_timeout=asked.server_timeout,
            control_port=asked.control_port,
            tls_folder=Path(folder) if asked.tls else None,
        )
        with running:
            print(msgspec.json.encode(running.announcement).decode(), flush=True)
            threading.Thread(target=_until_closed, args=(stop,), daemon=True).start()
            stop.wait()


def _until_closed(stop: threading.Event) -> None:
    """Wait for the end of standard input; without one, only a signal stops the run."""
    try:
        while os.read(0, 4096):
            pass
    except OSError:
        return
    stop.set()


if __name__ == "__main__":
    main()
