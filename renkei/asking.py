"""Asking several systems at the same time: a sign-in before long work, a short look at each.

It decides how long a system is waited for, and that whatever is wrong with any of them is said in one go. What a
short look asks is the caller's affair; it knows no vendor.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from renkei.drain import PATIENCE
from renkei.telling import is_outage
from renkei.threads import SystemClock
from renkei.wire import Wired
from sync.errors import Fatal, RenkeiError, Retryable
from sync.normalise import encode
from sync.ports import Clock, Connector
from sync.rows import Patch, RunRow

T = TypeVar("T")

SHORT = 8.0  # seconds that a system has for a short look
TRIES = 3
_REST = 0.05


class HastyClock(SystemClock):
    """A clock for a short look: whoever would wait before trying again goes on nearly at once."""

    def sleep(self, seconds: float) -> None:
        """Wait a moment at most."""
        super().sleep(min(seconds, _REST))


def ask_all(
    questions: Mapping[str, Callable[[], T]], within: float = threading.TIMEOUT_MAX
) -> dict[str, T | RenkeiError]:
    """Ask every system its question at the same time; an error is an answer too. A system that has not answered
    after `within` seconds is left alone."""
    found: dict[str, T | RenkeiError] = {}
    broken: list[BaseException] = []

    def ask(name: str, question: Callable[[], T]) -> None:
        try:
            found[name] = question()
        except RenkeiError as error:
            found[name] = error
        except BaseException as error:  # noqa: BLE001 - raised below, where somebody listens
            broken.append(error)

    began = time.monotonic()
    asking = [threading.Thread(target=ask, args=pair, daemon=True) for pair in questions.items()]
    for each in asking:
        each.start()
    for each in asking:
        each.join(max(0.0, began + within - time.monotonic()))
    if broken:
        raise broken[0]
    return {name: found[name] if name in found else _silent(name, within) for name in questions}


def _silent(name: str, within: float) -> Retryable:
    step = "check its address in the settings, the network and the proxy"
    return Retryable(f"{name} gave no answer within {within:g} s.", next_step=step)


def sign_in(wired: Wired, trigger: str) -> None:
    """Have every system describe what is read there, which it must do anyway, before anything long begins. Where one
    does not, the runs are kept as failed, and Fatal or Retryable names every system concerned."""
    worlds = list(wired.worlds.values())
    clock = worlds[0].clock
    kinds: dict[str, set[str]] = {name: set() for name in wired.connectors}
    for world in worlds:
        for side in world.lens.rules.sides:
            kinds[world.lens.system(side)].add(world.kind)
    found = ask_all(
        {name: _patiently(wired.connectors[name], sorted(kinds[name]), clock) for name in wired.connectors}
    )
    errors = {name: answer for name, answer in found.items() if isinstance(answer, RenkeiError)}
    if errors:
        error = together(errors)
        _keep_failed(wired, trigger, error)
        raise error


def _patiently(connector: Connector, kinds: list[str], clock: Clock) -> Callable[[], None]:
    """A question that is asked again where a system says so, up to a minute later, a few times."""

    def ask() -> None:
        for kind in kinds:
            for tries in range(1, TRIES + 1):
                try:
                    connector.describe(kind)
                    break
                except Retryable as error:
                    if tries == TRIES or error.after > PATIENCE:
                        raise
                    clock.sleep(max(error.after, 2.0**tries))

    return ask


def together(errors: Mapping[str, RenkeiError]) -> RenkeiError:
    """One error for all of them: an outage only if nothing else is among them."""
    if len(errors) == 1:
        return next(iter(errors.values()))
    message = " ".join(error.message for error in errors.values())
    step = "; ".join(f"{name}: {error.next_step}" for name, error in errors.items() if error.next_step)
    if all(is_outage(error) for error in errors.values()):
        return Retryable(message, next_step=step)
    return Fatal(message, step)


def _keep_failed(wired: Wired, trigger: str, error: RenkeiError) -> None:
    """Whoever looks at the state sees that this was tried, when, and why it came to nothing."""
    patch = Patch()
    for world in wired.worlds.values():
        rules, now = world.lens.rules, world.clock.now()
        body = encode({"why": error.message})
        patch.put(RunRow(world.numbers(), rules.route, trigger, rules.digest, now, now, "failed", "", body))
    wired.store.commit(patch)
