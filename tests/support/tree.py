"""What stands in this checkout: the root packages and the files that would be committed."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = (
    "matching",
    "sync",
    "revenue",
    "connectors",
    "mappings",
    "state",
    "renkei",
    "simulators",
    "benchmarks",
)
PRODUCTION = PACKAGES[:7]
_LEFT_BEHIND = frozenset({"node_modules", "__pycache__", "build", "dist", "htmlcov", "secrets"})


@cache
def text_files() -> tuple[tuple[Path, str], ...]:
    """Every text file of the project with its content; what tools leave behind is not of the project."""
    return tuple(_read(_walk()))


def python_files(*folders: str) -> list[tuple[Path, str]]:
    """The Python files under these folders with their content."""
    return [
        (path, text)
        for path, text in text_files()
        if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in folders
    ]


def _walk() -> Iterator[Path]:
    for folder, names, files in os.walk(ROOT):
        hidden = {name for name in names if name.startswith(".") and name != ".ci"}
        names[:] = sorted(set(names) - hidden - _LEFT_BEHIND)
        for name in sorted(files):
            if not name.endswith((".pyc", ".log", ".db", ".db-wal", ".db-shm")) and name != ".git":
                yield Path(folder, name)


def _read(paths: Iterator[Path]) -> Iterator[tuple[Path, str]]:
    for path in paths:
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
