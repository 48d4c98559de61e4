"""From files to rules: the front door of mappings.

`load` never raises for what stands in a file: good files come out as rules, everything wrong with the others as
problems, so that one bad file neither hides nor stops the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mappings.compile import Source, compile_source
from mappings.deals import bear
from mappings.errors import START, MappingError, Problem, Sink, errors, in_order
from mappings.grammar import Grammar
from mappings.offline import across
from mappings.source import MOST_BYTES
from mappings.tables import Beside
from mappings.thresholds import THRESHOLDS
from sync.rules import Rules

KINDS_IN_ORDER = ("account", "opportunity", "person")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was read: rules of the files without errors, every problem, and the sources for `check`."""

    rules: tuple[Rules, ...]
    problems: tuple[Problem, ...]
    sources: tuple[Source, ...]


def load(paths: Iterable[Path | str]) -> Loaded:
    """Load mapping files; a folder stands for its *.yaml and *.yml files, thresholds.yaml excepted."""
    sources: list[Source] = []
    problems: list[Problem] = []
    for path in _files(paths):
        try:
            data = _bounded(path)
        except OSError as error:
            sink = Sink(str(path))
            sink.error(
                START,
                "M003",
                f"the file cannot be read ({error.strerror})",
                "check the path and its rights",
            )
            problems.extend(sink.found)
            continue
        sources.append(compile_source(data, str(path), folder_of(path)))
    problems += [problem for source in sources for problem in source.problems]
    problems += across(sources)
    return Loaded(rules=joined(sources), problems=in_order(problems), sources=tuple(sources))


def joined(sources: Iterable[Source]) -> tuple[Rules, ...]:
    """The rules of files without errors: accounts first, then deals, then the people on whom deals bear."""
    given = tuple(sources)
    rules: dict[str, Rules] = {}
    for source in given:
        if source.rules is not None:
            rules.setdefault(source.rules.route, source.rules)
    for source in given:
        if source.rules is not None and source.bearing is not None and source.bearing.on in rules:
            people = rules[source.bearing.on]
            rules[source.bearing.on] = bear(people, source.rules, source.bearing)
    return tuple(sorted(rules.values(), key=lambda each: KINDS_IN_ORDER.index(each.kind)))


def compile_text(
    text: str,
    name: str = "mapping.yaml",
    files: Mapping[str, str | bytes] | None = None,
    words: Grammar | None = None,
) -> Rules:
    """Compile one mapping given as text; `files` are those beside it by name. Raises MappingError."""
    source = source_of(text, name, files, words)
    if source.rules is None:
        raise MappingError(errors(source.problems))
    return source.rules


def source_of(
    text: str,
    name: str = "mapping.yaml",
    files: Mapping[str, str | bytes] | None = None,
    words: Grammar | None = None,
) -> Source:
    """The same without raising: problems are in the answer."""
    given = dict(files or {})

    def beside(wanted: str) -> bytes | None:
        content = given.get(wanted)
        return content.encode() if isinstance(content, str) else content

    return compile_source(text.encode(), name, beside, words)


def folder_of(path: Path) -> Beside:
    """Reads files beside a mapping, inside its folder only."""
    folder = path.parent.resolve()

    def beside(wanted: str) -> bytes | None:
        found = (folder / wanted).resolve()
        if not found.is_relative_to(folder) or not found.is_file():
            return None
        return _bounded(found)

    return beside


def _bounded(path: Path) -> bytes:
    """The file's bytes, at most one more than is allowed."""
    with path.open("rb") as file:
        return file.read(MOST_BYTES + 1)


def _files(paths: Iterable[Path | str]) -> list[Path]:
    found: list[Path] = []
    for path in map(Path, paths):
        inside = sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
        found += [file for file in inside if file.suffix in {".yaml", ".yml"} and file.name != THRESHOLDS]
    return list(dict.fromkeys(found))
