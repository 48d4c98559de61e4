"""Opening the service and closing it again, in an order in which nothing outlives what it needs.

It decides what is opened first: the journal, so that a second service is refused before it calls anybody; and that the
end comes within seconds, whatever a vendor is doing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from renkei.channels import open_channels
from renkei.daemon.alarms import Alarms
from renkei.daemon.bells import Bells
from renkei.daemon.board import Board, State
from renkei.daemon.calls import Apart, Calls
from renkei.daemon.daily import Daily
from renkei.daemon.folder import Folder, Refused, read_folder
from renkei.daemon.hearing import Hearing
from renkei.daemon.metrics import Figures, Metrics
from renkei.daemon.notes import PROCESS, Notes
from renkei.daemon.quota import spent
from renkei.daemon.service import Service
from renkei.daemon.web import Web
from renkei.dayscalls import keep, resume
from renkei.log import Hiding, call_teller, personal, service_logger
from renkei.settings import Project, make_state, secret_values
from renkei.threads import Stop, SystemClock, polite
from renkei.wire import WORKERS, Tools, Wired, name_of, open_systems, scopes, stoppable, systems_of, worlds_of
from sync.errors import Fatal, LeaseLost, RenkeiError
from sync.ports import Clock, Connector
from sync.read import Numbering, World
from sync.rules import Rules

if TYPE_CHECKING:
    from connectors.http import Call
    from renkei.channels import Channel
    from state.store import SqlStore

LEASE = 60.0
GRACE = 6.0  # seconds for calls in flight once the end was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """How it is to run: `once` = every route one time; `json` = the log as JSON; `verbose` = every call logged."""

    once: bool = False
    json: bool = False
    verbose: bool = False


def serve(project: Project, wishes: Wishes, make_clock: Callable[[Stop], Clock] = SystemClock) -> list[State]:
    """Run until a signal asks for the end, or once; how the routes were at the end.

    Raises Fatal (another owner, settings, a mapping with errors), LeaseLost.
    """
    with ExitStack() as stack:
        house = _House(project, wishes, stack, make_clock)
        service = house.open()
        try:
            service.begin()
            if wishes.once:
                service.lap()
            else:
                service.run()
        except KeyboardInterrupt:
            pass
        finally:
            service.end()
        house.log.info("service ends", env=project.env)
        return [desk.state for desk in service.desks.values()]


class _House:
    """What is open; everything is entered into the stack as soon as it exists."""

    def __init__(
        self, project: Project, wishes: Wishes, stack: ExitStack, make_clock: Callable[[Stop], Clock]
    ) -> None:
        self.project, self.wishes, self.stack = project, wishes, stack
        self.hiding = Hiding(secret_values(project))
        self.log = stack.enter_context(service_logger(as_json=wishes.json, hiding=self.hiding))
        self.bells = Bells()
        stack.callback(self.bells.close)
        self.stop = Stop(self._told)
        self.clock = make_clock(self.stop)
        self.board, self.metrics = Board(), Metrics()
        self.calls: Calls | None = None
        self.service: Service | None = None
        self._teller = call_teller(self.log) if wishes.verbose else None

    def open(self) -> Service:
        """Everything, the journal first. Raises Fatal."""
        found = read_folder(self.project)
        if isinstance(found, Refused):
            raise Fatal(found.text, "`renkei check` shows all findings")
        self.stack.enter_context(polite(self.stop))
        store, calls = self._own_the_journal()
        channels = open_channels(self.project, self.clock, self._called)
        for channel in channels.values():
            self.stack.callback(channel.close)
        told = {name: Apart(channel, calls) for name, channel in channels.items()}
        self.tools = Tools(
            store, self.clock, calls, Numbering(store), stoppable(self._progress, self.stop), told
        )
        self.connectors = self._signed_in(systems_of(found))
        resume(store, self.connectors)
        self.stack.callback(self._close_connectors)
        wired = Wired(
            project=self.project, store=store, connectors=self.connectors, worlds=self.rebuild(found),
            store_name=name_of(store),
        )  # fmt: skip
        return self._put_together(wired, calls, channels.get(self.project.service.alerts))

    def _own_the_journal(self) -> tuple[SqlStore, Calls]:
        """The journal, and the threads during whose calls it is kept."""
        from state.lease import this_process
        from state.store import SqlStore

        store = SqlStore(make_state(self.project), self.clock, this_process(), lease_seconds=LEASE)
        self.stack.callback(self._leave, store.close)
        self.board.lease = store.lease_left
        self.calls = Calls(WORKERS, self._keep)
        self.stack.callback(self.calls.close)
        return store, self.calls

    def _put_together(self, wired: Wired, calls: Calls, channel: Channel | None) -> Service:
        from state.lease import this_process
        from state.reader import Reader

        project, now = self.project, self.clock.now()
        reader = self.stack.enter_context(Reader(project.state))
        notes, url = Notes(wired.store), self._serve_pages(wired)
        notes.write(PROCESS, {"owner": this_process(), "url": url, "since": now}, now)
        alarms = Alarms(notes, channel, calls, project.service.language, project.env, self.log.info)
        hearing = Hearing(wired, reader, self.log.info, self.reopen)
        daily = Daily(project, notes, channel, calls, self.log.info)
        self.service = Service(
            wired, self.stop, self.board, self.bells, Folder(project), notes, alarms, hearing, self.metrics,
            reader, self.rebuild, self._quota, daily, self.clean, self.log,
        )  # fmt: skip
        routes = {route: project.service.interval(route) for route in wired.worlds}
        self.log.info("service starts", env=project.env, routes=routes, url=url, owner=this_process())
        return self.service

    def rebuild(self, found: tuple[Rules, ...]) -> dict[str, World]:
        """Worlds of these rules; systems that were not used before are opened. Raises Fatal."""
        new = [name for name in systems_of(found) if name not in self.connectors]
        opened = self._signed_in(new)
        resume(self.tools.store, opened)
        self.connectors.update(opened)
        apart: dict[str, Connector] = {
            name: Apart(connector, self._calls()) for name, connector in self.connectors.items()
        }
        return worlds_of(found, apart, self.tools)

    def reopen(self, route: str) -> None:
        """Sign in anew for a route: its secrets may have been changed. What cannot be opened stays as it was."""
        assert self.service is not None
        desk = self.service.desks[route]
        names = systems_of([desk.world.lens.rules])
        self.hiding.learn(secret_values(self.project))
        try:
            fresh = self._signed_in(names)
        except RenkeiError as error:
            self.log.warning("cannot sign in anew", route=route, reason=self.clean(error.message))
            return
        keep(self.tools.store, self.connectors, self.clock.now())
        resume(self.tools.store, fresh)
        for name, connector in fresh.items():
            self.connectors[name].close()
            self.connectors[name] = connector
        every = tuple(each.world.lens.rules for each in self.service.desks.values())
        for name, world in self.rebuild(every).items():
            self.service.desks[name].world = world

    def clean(self, text: str) -> str:
        """A text without secrets and without anything that looks like a person."""
        return self.hiding(personal(text))

    def _signed_in(self, names: list[str]) -> dict[str, Connector]:
        return open_systems(self.project, names, self.clock, self._called)

    def _serve_pages(self, wired: Wired) -> str:
        def about() -> list[Any]:
            service = self.service
            worlds = (service.wired if service is not None else wired).worlds
            return list(scopes(tuple(world.lens.rules for world in worlds.values())))

        self.metrics.registry.register(Figures(self.board, self.project, about, self._quota))
        if self.wishes.once:
            return ""
        web = Web(self.project.service.port, self.board, self.metrics, self.hiding)
        self.stack.callback(web.close)
        return web.url

    def _quota(self) -> dict[str, Any]:
        return {name: spent(connector) for name, connector in self.connectors.items()}

    def _called(self, system: str, call: Call) -> None:
        self.board.live()
        self.metrics.call(system, call)
        if self._teller is not None:
            self._teller(system, call)

    def _progress(self, _what: str, _count: int) -> None:
        self.board.live()

    def _keep(self) -> None:
        if self.service is not None:
            self.service.keep()

    def _calls(self) -> Calls:
        assert self.calls is not None
        return self.calls

    def _told(self) -> None:
        """The end was asked for (in a signal handler): end the wait, and give calls in flight some seconds."""
        self.bells.poke()
        if self.calls is not None:
            timer = threading.Timer(GRACE, self.calls.give_up)
            timer.daemon = True
            timer.start()

    def _close_connectors(self) -> None:
        for connector in self.connectors.values():
            connector.close()

    def _leave(self, close: Callable[[], None]) -> None:
        """Give the journal back; if even that cannot be written, the lease runs out by itself."""
        with suppress(LeaseLost, Fatal):
            close()
