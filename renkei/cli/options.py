"""The options that every command has, and the session that they make."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from renkei.words import LANGUAGES, Words, language

if TYPE_CHECKING:
    from renkei.settings import Project


def _spoken(asked: str | None) -> str | None:
    """A language in which there are screens, or none asked for. Raises typer.BadParameter."""
    if asked is not None and asked.lower()[:2] not in LANGUAGES:
        raise typer.BadParameter(f"there are no screens in «{asked}»: write {' or '.join(LANGUAGES)}")
    return asked


Env = Annotated[str | None, typer.Option("--env", help="environment; default: the first in renkei.yaml")]
Folder = Annotated[Path, typer.Option("--project", help="folder that holds renkei.yaml")]
AsJson = Annotated[bool, typer.Option("--json", help="print one JSON object instead of a screen")]
Lang = Annotated[str | None, typer.Option("--lang", callback=_spoken, help="en or ja; default: LANG")]
LogJson = Annotated[bool, typer.Option("--log-json", help="log as JSON on stderr")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="log every call on stderr")]
Route = Annotated[str, typer.Argument(help="route; default: all")]

HERE = Path()


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One call of the command line: where, in which environment, in which language and form."""

    folder: Path
    env: str | None
    as_json: bool
    words: Words
    log_json: bool = False
    verbose: bool = False
    project_: list[Project] = field(default_factory=list)

    @property
    def project(self) -> Project:
        """The project folder, read once. Raises Fatal."""
        from renkei.settings import open_project

        if not self.project_:
            self.project_.append(open_project(self.folder, self.env))
        return self.project_[0]

    def log(self) -> Any:
        """Who is told of every vendor call; None = nobody, which costs nothing."""
        if not (self.log_json or self.verbose):
            return None
        from renkei.log import call_teller, logger

        return call_teller(logger(as_json=self.log_json, verbose=self.verbose))


def session(
    folder: Path,
    env: str | None,
    lang: str | None,
    *,
    as_json: bool,
    log_json: bool = False,
    verbose: bool = False,
) -> Session:
    """A session of these options."""
    words = Words(language(lang, os.environ))
    return Session(folder=folder, env=env, as_json=as_json, words=words, log_json=log_json, verbose=verbose)
