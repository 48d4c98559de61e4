"""The only place where the parts are put together: settings to systems, mappings to routes, both to worlds.

It decides what is opened for which kind of command and closes it again. It holds no rule about persons or fields.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from renkei.dayscalls import keep, resume
from renkei.settings import Project, make_state, with_secrets
from renkei.threads import Stop, SystemClock, ThreadExecutor, polite
from sync.errors import Fatal
from sync.normalise import Lens
from sync.ports import Clock, Connector, Executor, Store
from sync.read import Numbering, World
from sync.rows import CursorRow, Patch
from sync.rules import Rules

if TYPE_CHECKING:
    from connectors.http import Call
    from state.answers import RouteScope
    from state.reader import Reader
    from state.store import SqlStore

WORKERS = 10
Progress = Callable[[str, int], None]
_STORE_NAME = ("", "", "store")


def _quiet(_what: str, _count: int) -> None:
    """No progress is shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wired:
    """A project ready to run: its routes' worlds in the order of their files. Use within `build`."""

    project: Project
    store: SqlStore = field(repr=False)
    connectors: Mapping[str, Connector] = field(repr=False)
    worlds: Mapping[str, World] = field(repr=False)
    store_name: str


def load_rules(project: Project) -> tuple[Rules, ...]:
    """The rules of every mapping file. Raises MappingError for files with errors, Fatal where there are none."""
    from mappings.errors import MappingError, errors
    from mappings.load import load

    loaded = load([project.mappings])
    wrong = errors(loaded.problems)
    if wrong:
        raise MappingError(wrong)
    return fitting(project, loaded.rules)


def fitting(project: Project, found: tuple[Rules, ...]) -> tuple[Rules, ...]:
    """These rules, if there are any and all of their systems are configured. Raises Fatal."""
    if not found:
        raise Fatal(f"There is no mapping file in {project.mappings}.", "`renkei init` writes a first one")
    for rules in found:
        for system in rules.systems.values():
            if system not in project.systems:
                step = f"add it to renkei.yaml under systems:, or use one of {', '.join(project.systems)}"
                raise Fatal(
                    f"The route {rules.route} names the system {system}, which is not configured.", step
                )
    return found


def open_systems(
    project: Project, names: list[str], clock: Clock, log: Callable[[str, Call], None] | None = None
) -> dict[str, Connector]:
    """Connectors by system; nobody is called yet. Raises Fatal."""
    from connectors.registry import open_connector

    found: dict[str, Connector] = {}
    for name in names:
        system = project.systems[name]
        teller = None if log is None else _teller(name, log)
        found[name] = open_connector(system.connector, name, with_secrets(project, system), clock, teller)
    return found


def _teller(system: str, log: Callable[[str, Call], None]) -> Callable[[Call], None]:
    return lambda call: log(system, call)


@contextmanager
def build(
    project: Project,
    *,
    route: str = "",
    progress: Progress = _quiet,
    log: Callable[[str, Call], None] | None = None,
    stopping: Callable[[], None] | None = None,
) -> Iterator[Wired]:
    """Everything a writing command needs: the journal as its owner, the systems, one world for each route.

    `route` "" = all. `stopping` is told once when a signal asks for the end. Raises Fatal (another owner, full disk,
    settings), MappingError.
    """
    from renkei.channels import open_channels
    from state.lease import this_process
    from state.store import SqlStore

    every = load_rules(project)
    chosen = choose(every, route)
    stop = Stop(stopping)
    clock = SystemClock(stop)
    with ExitStack() as stack:
        stack.enter_context(polite(stop))
        store = stack.enter_context(SqlStore(make_state(project), clock, this_process()))
        connectors = open_systems(project, systems_of(chosen), clock, log)
        resume(store, connectors)
        stack.callback(lambda: keep(store, connectors, clock.now()))
        for connector in connectors.values():
            stack.callback(connector.close)
        channels = open_channels(project, clock, log)
        for channel in channels.values():
            stack.callback(channel.close)
        executor = ThreadExecutor(WORKERS)
        stack.callback(executor.close)
        tools = Tools(store, clock, executor, Numbering(store), stoppable(progress, stop), channels)
        worlds = worlds_of(chosen, connectors, tools, every)
        yield Wired(
            project=project, store=store, connectors=connectors, worlds=worlds, store_name=name_of(store)
        )


class Tools(NamedTuple):
    """What all routes of a process share."""

    store: Store
    clock: Clock
    executor: Executor
    numbers: Numbering
    progress: Progress
    channels: Mapping[str, Connector] = MappingProxyType({})


def systems_of(found: Iterable[Rules]) -> list[str]:
    """The systems that these rules name, each once."""
    return list(dict.fromkeys(name for rules in found for name in rules.systems.values()))


def worlds_of(
    found: Iterable[Rules], connectors: Mapping[str, Connector], tools: Tools, every: Iterable[Rules] = ()
) -> dict[str, World]:
    """One world for each route, in the order of the rules. `every`: the rules of all routes, also of those that do
    not run: what happens in one may concern the people of another."""
    chosen = tuple(found)
    routes = tuple(every) or chosen
    return {
        rules.route: World(
            lens=Lens(rules),
            connectors={side: connectors[rules.systems[side]] for side in rules.sides},
            routes=routes,
            store=tools.store,
            clock=tools.clock,
            executor=tools.executor,
            numbers=tools.numbers,
            progress=tools.progress,
            channels=tools.channels,
        )
        for rules in chosen
    }


def stoppable(progress: Progress, stop: Stop) -> Progress:
    """Progress is told when a step was kept: there, and only there, the work may end."""

    def told(what: str, count: int) -> None:
        progress(what, count)
        stop.check()

    return told


def choose(rules: tuple[Rules, ...], route: str) -> tuple[Rules, ...]:
    """The rules of one route, or of all. Raises Fatal for a route that nobody wrote."""
    chosen = tuple(each for each in rules if route in ("", each.route))
    if not chosen:
        step = f"choose one of {', '.join(each.route for each in rules)}"
        raise Fatal(f"There is no route {route}.", step)
    return chosen


@contextmanager
def look(project: Project) -> Iterator[Reader]:
    """The journal for reading only, beside a running owner. Raises Fatal where there is none yet."""
    from state.reader import Reader

    require_state(project)
    with Reader(project.state) as reader:
        yield reader


def require_state(project: Project) -> None:
    """Raises Fatal where nothing has run in this environment yet."""
    if not project.state.exists() or not project.state.stat().st_size:
        raise Fatal(f"There is no state for {project.env} yet.", "run `renkei plan` or `renkei sync --first`")


def scopes(rules: tuple[Rules, ...]) -> list[RouteScope]:
    """What each route is about, for the views."""
    from state.answers import RouteScope

    return [
        RouteScope(route=each.route, kind=each.kind, systems=tuple(each.systems.values())) for each in rules
    ]


def name_of(store: SqlStore) -> str:
    """A journal's own random name, given to it once: a plan belongs to one journal."""
    from secrets import token_hex

    held = store.get(CursorRow, [_STORE_NAME])
    if held:
        return held[0].value
    name = token_hex(8)
    patch = Patch()
    patch.put(CursorRow(*_STORE_NAME, name, 1, 0, 0.0))
    store.commit(patch)
    return name
