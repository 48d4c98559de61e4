"""The commands that try again or give up what systems refused: retry, errors retry, errors discard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, NamedTuple, NoReturn

import typer

from renkei.cli.agreeing import agreed
from renkei.cli.codes import DONE, LEFT, code_of_results
from renkei.cli.delivery import show_rest
from renkei.cli.errors import Name, group, opened
from renkei.cli.opening import at_work
from renkei.cli.options import HERE, AsJson, Env, Folder, Lang, LogJson, Route, Session, Verbose, session
from renkei.cli.screen import as_json, leave, say
from renkei.cli.shared import DryRun, KeepBoth, OfRoute, Reason, Yes
from sync.errors import Fatal

if TYPE_CHECKING:
    from renkei.failures import Failure
    from renkei.syncing import Result

_NOTHING_TRIED: dict[str, object] = {"tried": 0, "left": 0, "routes": []}

Everything = Annotated[bool, typer.Option("--all", help="whatever is refused, but for what is in doubt")]


def add_to(app: typer.Typer) -> None:
    """Enter these commands."""
    app.command("retry")(retry_all)
    for command in (retry, discard):
        group.command()(command)


def retry(
    what: Annotated[
        str, typer.Argument(help="a cause, the beginning of one, or an id; with --all: a route")
    ] = "",
    route: Route = "",
    everything: Everything = False,
    of_route: OfRoute = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Try again now what was refused, instead of waiting for the next try by itself; `renkei retry` is the short form
    of `renkei errors retry --all --yes`."""
    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    only = of_route or route
    if everything:
        if what and only:
            raise _unsaid()
        only = only or what
        meant = _everything(opened(here, only), only)
    else:
        meant = _named(opened(here, only), what, only)
    _try_again(here, meant, asked=not yes, dry_run=dry_run)


def retry_all(
    route: Route = "",
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
    log_json: LogJson = False,
    verbose: Verbose = False,
) -> None:
    """Try again now whatever is refused: the short form of `renkei errors retry --all --yes`."""
    here = session(project, env, lang, as_json=json, log_json=log_json, verbose=verbose)
    _try_again(here, _everything(opened(here, route), route), asked=False)


def _try_again(here: Session, meant: _Meant, *, asked: bool, dry_run: bool = False) -> None:
    """Show what is meant, have it agreed to, and try it again: by the running service where there is one."""
    from renkei.daemon.beside import service_of
    from renkei.failing import alone, beside, still_refused

    parts = meant.parts
    _show_plan(here, "errors.retry_head", meant, _NOTHING_TRIED, dry_run=dry_run)
    agreed(here, "errors.ask", asked=asked)
    if service_of(here.project) is not None:
        results = beside(here.project, parts)
    else:
        only = next(iter(parts)) if len(parts) == 1 else ""
        with at_work(
            "retry", here.folder, here.env, here.words.lang, json=here.as_json, log_json=here.log_json,
            verbose=here.verbose, route=only,
        ) as desk:  # fmt: skip
            results = alone(desk.wired, parts, desk.teller)
    _end_retry(here, meant, still_refused(here.project, parts), results)


def _end_retry(here: Session, meant: _Meant, left: int, results: Sequence[Result]) -> None:
    from renkei.syncing import as_data

    tried, code = sum(map(len, meant.parts.values())), code_of_results(results)
    code = LEFT if (left or meant.kept) and code == DONE else code
    if here.as_json:
        data = {"ok": code == DONE, "env": here.project.env, "dry_run": False, "tried": tried, "left": left}
        as_json(data | {"kept": meant.kept, "routes": [as_data(each) for each in results]})
    else:
        say(here.words("errors.retried", number=f"{tried:,}", left=f"{left:,}"))
        for each in results:
            show_rest(here, each)
    leave(code)


def discard(
    what: Name,
    route: Route = "",
    reason: Reason = "",
    keep_both: KeepBoth = False,
    of_route: OfRoute = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    project: Folder = HERE,
    env: Env = None,
    json: AsJson = False,
    lang: Lang = None,
) -> None:
    """Give up what was refused: it is listed as different until a side changes."""
    from renkei.failing import give_up, is_kept

    only = of_route or route
    here = opened(session(project, env, lang, as_json=json), only)
    if not (dry_run or reason.strip()):
        raise Fatal("A discard needs a reason.", "add --reason 'why'; it is kept with what was given up")
    parts, kept = meant = _named(here, what, only, but=is_kept)
    nothing = {"discarded": 0, "done": True}
    _show_plan(here, "errors.discard_head", meant, nothing, dry_run=dry_run, left_out="errors.kept")
    agreed(here, "errors.ask", asked=not yes)
    done = give_up(here.project, parts, reason, keep_both=keep_both)
    number = sum(map(len, parts.values()))
    if here.as_json:
        data = {"ok": not kept, "env": here.project.env, "dry_run": False, "discarded": number}
        as_json(data | {"kept": kept, "done": done})
    else:
        say(here.words("errors.discarded" if done else "errors.later", number=f"{number:,}"))
    leave(LEFT if kept else DONE)


# --- what is meant ---------------------------------------------------------------------------------------


class _Meant(NamedTuple):
    """What a command is about: the operations of each route, each once, and how many are left out of it."""

    parts: Mapping[str, tuple[int, ...]]
    kept: int = 0


def _unsaid() -> Fatal:
    return Fatal("It is not said what is meant.", "name a cause or an id, or give --all")


def _named(
    here: Session, what: str, route: str, *, but: Callable[[Failure], bool] = lambda _each: False
) -> _Meant:
    """Those of a cause or of a number, without those that are left out. Raises Fatal where there are none."""
    from renkei.failures import failures, named

    if not what:
        raise _unsaid()
    return _parts(named(failures(here.project, route=route), what), but)


def _everything(here: Session, route: str) -> _Meant:
    """Whatever is refused, but for what is in doubt: that may have happened, and is sent once more by its name only.
    Ends the command where there is nothing."""
    from renkei.failing import is_in_doubt
    from renkei.failures import failures

    found = failures(here.project, route=route)
    if not found:
        _end_with_nothing(here)
    return _parts(found, is_in_doubt)


def _end_with_nothing(here: Session) -> NoReturn:
    if here.as_json:
        data = {"ok": True, "env": here.project.env, "dry_run": False, "kept": 0}
        as_json(data | _NOTHING_TRIED)
    else:
        say(here.words("errors.none"))
    leave(DONE)


def _parts(found: Sequence[Failure], but: Callable[[Failure], bool]) -> _Meant:
    parts: dict[str, dict[int, None]] = {}
    for each in found:
        if not but(each):
            parts.setdefault(each.row.route, {})[each.row.id] = None
    kept = {each.row.id for each in found if but(each)}
    return _Meant({route: tuple(ids) for route, ids in parts.items()}, len(kept))


def _show_plan(
    here: Session, head: str, meant: _Meant, nothing: Mapping[str, object], *, dry_run: bool,
    left_out: str = "errors.doubts",
) -> None:  # fmt: skip
    """What would be done; ends the command where that is all, or nothing would. `nothing`: what its data says of what
    was done, where that is nothing."""
    parts, kept = meant
    number = sum(map(len, parts.values()))
    over = dry_run or not number
    if here.as_json and over:
        ids = {route: list(each) for route, each in parts.items()}
        data = {"ok": bool(number), "env": here.project.env, "dry_run": dry_run, "operations": ids}
        as_json(data | {"kept": kept} | dict(nothing))
    elif not here.as_json:
        say(here.words(head, number=f"{number:,}"))
        say(*([here.words(left_out, number=f"{kept:,}")] if kept else []))
        say(*([here.words("errors.dry")] if over else []))
    if over:
        leave(DONE if number else LEFT)
