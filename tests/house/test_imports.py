"""Importing is free: no socket, no database, no thread, no process; and our names are ours alone."""

import json
import subprocess
import sys
from importlib.metadata import packages_distributions

from tests.support.tree import PACKAGES, ROOT

WATCH = """
import importlib, json, pkgutil, sys, threading
FORBIDDEN = ("socket.connect", "socket.bind", "socket.getaddrinfo", "sqlite3.connect", "subprocess.Popen", "os.system")
seen, now = [], "start"
sys.addaudithook(lambda event, args: seen.append(f"{now}: {event}") if event in FORBIDDEN else None)
modules = []
for name in sys.argv[1:]:
    package = importlib.import_module(name)
    modules += [found.name for found in pkgutil.walk_packages(package.__path__, name + ".")]
for now in modules:
    if not now.endswith((".__main__", ".migrations.env")):  # the two that are run, not imported
        importlib.import_module(now)
threads = [thread.name for thread in threading.enumerate()]
print(json.dumps({"modules": len(modules), "seen": seen, "threads": threads}))
"""


def test_every_module_imports_without_touching_the_world() -> None:
    """Nothing is opened, started or connected before somebody calls something."""
    command = [sys.executable, "-W", "error", "-c", WATCH, *PACKAGES]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 0, ran.stderr[-2000:]
    report = json.loads(ran.stdout.splitlines()[-1])
    assert report["modules"] > 0
    assert report["seen"] == []
    assert report["threads"] == ["MainThread"]


def test_no_dependency_brings_a_package_of_our_name() -> None:
    """Root-level packages are safe only while no installed distribution has a module called the same."""
    ours = {*PACKAGES, "revenue", "tests"}
    clashes = {name: owners for name, owners in packages_distributions().items() if name in ours}
    assert {name: owners for name, owners in clashes.items() if set(owners) - {"renkei"}} == {}
    assert ours & sys.stdlib_module_names == set()


def test_what_is_imported_is_this_checkout() -> None:
    """An environment shared with another checkout would test that one's code instead."""
    places = {name: __import__(name).__file__ or "" for name in PACKAGES}
    assert {name for name, place in places.items() if not place.startswith(str(ROOT))} == set()
