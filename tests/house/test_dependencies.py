"""What is imported is declared, what is declared is locked, and the lock is whole."""

import ast
import re
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions

from tests.support.tree import PACKAGES, PRODUCTION, ROOT, python_files

# Certificates for a loopback server are made in tests only.
TEST_ONLY = {"simulators/tls.py": {"trustme"}}


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match.group()).lower()


@cache
def _declared() -> tuple[frozenset[str], frozenset[str]]:
    """Names of the runtime dependencies and of those for development."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    groups = [
        item for group in settings["dependency-groups"].values() for item in group if isinstance(item, str)
    ]
    return frozenset(map(_name, settings["project"]["dependencies"])), frozenset(map(_name, groups))


def _foreign_modules(text: str) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found |= {name.name.partition(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.partition(".")[0])
    return found - sys.stdlib_module_names - {*PACKAGES, "revenue", "tests"}


def _undeclared(folders: tuple[str, ...], allowed: frozenset[str]) -> list[str]:
    owners = packages_distributions()
    return [
        f"{path.relative_to(ROOT)} imports {module}"
        for path, text in python_files(*folders)
        for module in _foreign_modules(text) - TEST_ONLY.get(path.relative_to(ROOT).as_posix(), set())
        if not {_name(owner) for owner in owners.get(module, [module])} & allowed
    ]


def test_production_imports_declared_dependencies_only() -> None:
    """What arrives by way of another package may leave with its next version."""
    runtime, _ = _declared()
    assert _undeclared((*PRODUCTION, "simulators"), runtime) == []


def test_tests_and_benchmarks_import_declared_dependencies_only() -> None:
    """The same for what only developers need."""
    runtime, development = _declared()
    assert _undeclared(("tests", "benchmarks"), runtime | development) == []


def test_the_locks_hold_every_dependency_with_hashes() -> None:
    """Each declared dependency is pinned, each pin has a hash, and no line names an index."""
    runtime, development = _declared()
    for lock, wanted in (("runtime", runtime), ("dev", runtime | development)):
        text = (ROOT / "requirements" / f"{lock}.txt").read_text(encoding="utf-8")
        entries = re.split(r"\n(?! )", text.strip())
        assert wanted <= {_name(entry) for entry in entries}
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == []
        assert "://" not in text


def test_both_locks_agree() -> None:
    """What is tested is what runs: a package has one version in both locks."""
    pins = [
        dict(
            re.findall(
                r"^([a-z0-9.-]+)==(\S+)", (ROOT / "requirements" / f"{lock}.txt").read_text(), re.MULTILINE
            )
        )
        for lock in ("runtime", "dev")
    ]
    runtime, development = pins
    assert runtime.items() <= development.items()
