"""Code that can be read: small pieces, a paragraph at each head, and an engine without clocks or dice of its own."""

import ast
from pathlib import Path

from tests.support.tree import PACKAGES, ROOT, python_files

LONGEST_FUNCTION = 45
LONGEST_FILE = 400
# What would make the engine's result depend on when and where it runs.
IMPURE = frozenset({"time", "random", "uuid", "secrets", "os", "socket", "subprocess", "sqlite3", "logging"})

CLOCKS = frozenset({"datetime.now", "datetime.utcnow", "datetime.today", "date.today"})
ASSERTING = ("assert", "raises", "check", "expect")


def _functions(text: str) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [
        node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _where(path: Path, node: ast.stmt) -> str:
    return f"{path.relative_to(ROOT)}:{node.lineno}"


def test_functions_stay_short() -> None:
    """A function that does not fit on a screen holds a second idea."""
    long = [
        f"{_where(path, node)} {node.name}"
        for path, text in python_files(*PACKAGES)
        for node in _functions(text)
        if (node.end_lineno or node.lineno) - node.lineno >= LONGEST_FUNCTION
    ]
    assert long == []


def test_files_stay_short() -> None:
    """A module that needs scrolling for its outline is two modules."""
    long = [
        str(path.relative_to(ROOT))
        for path, text in python_files(*PACKAGES)
        if text.count("\n") > LONGEST_FILE
    ]
    assert long == []


def _imported(node: ast.AST) -> set[str]:
    match node:
        case ast.Import(names=names):
            return {name.name.partition(".")[0] for name in names}
        case ast.ImportFrom(module=str(module), level=0):
            return {module.partition(".")[0]}
        case _:
            return set()


def test_the_engine_imports_no_clock_dice_or_machine() -> None:
    """Times, ids, randomness and I/O reach the engine through ports, so that any run of it can be repeated."""
    impure = [
        f"{path.relative_to(ROOT)}: {name}"
        for path, text in python_files("sync", "matching", "revenue")
        for node in ast.walk(ast.parse(text))
        for name in _imported(node) & IMPURE
    ]
    assert impure == []


def test_the_engine_never_asks_what_time_it_is() -> None:
    """`datetime.now` and its relatives are a clock in disguise."""
    asked = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, text in python_files("sync", "matching", "revenue")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and ast.unparse(node) in CLOCKS
    ]
    assert asked == []


def test_every_test_says_what_it_proves_and_can_fail() -> None:
    """Each test has its sentence and an assertion of its own or of a checking helper that it calls."""
    weak = [
        f"{_where(path, node)} {node.name}"
        for path, text in python_files("tests")
        for node in _functions(text)
        if node.name.startswith("test_")
        and not (ast.get_docstring(node) and any(word in ast.unparse(node) for word in ASSERTING))
    ]
    assert weak == []
