"""The tree speaks of the project alone: no machine's paths, no index's address, no vendor where none belongs."""

import re

import pytest

from tests.support.tree import ROOT, python_files, text_files

VENDORS = re.compile(
    r"marketo|hubspot|salesforce|pardot|eloqua|sfdc|kintone|sansan|zoho|pipedrive|dynamics ?365|mautic|klaviyo",
    re.IGNORECASE,
)
# Each with one letter in brackets, so that this file does not find itself.
INDEX_HOSTS = re.compile(r"pyp[i]\.org|pythonhoste[d]\.org|registry\.npmj[s]|registry\.yarnpk[g]")
HOME_PATHS = re.compile(r"/hom[e]/\w|/User[s]/\w|/roo[t]/|[A-Z]:\\\\?User[s]")
UNFINISHED = re.compile(r"\b(TOD[O]|FIXM[E]|XX[X]|HAC[K])\b|raise NotImplemente[d]Error")
LARGEST = 2_000_000


def _lines(pattern: re.Pattern[str], files: list[tuple[object, str]]) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in files
        for number, line in enumerate(text.split("\n"), 1)
        if pattern.search(line)
    ]


def test_the_engine_and_the_normalisers_name_no_vendor() -> None:
    """What differs between vendors reaches the engine as capabilities and rules, never as a name."""
    assert _lines(VENDORS, list(python_files("sync", "matching", "revenue"))) == []


@pytest.mark.parametrize(
    "pattern", [INDEX_HOSTS, HOME_PATHS, UNFINISHED], ids=["index", "home", "unfinished"]
)
def test_no_file_names_a_machine_or_an_unfinished_thought(pattern: re.Pattern[str]) -> None:
    """No file holds a package index's host, somebody's home folder or a note to finish something later."""
    files: list[tuple[object, str]] = [(path.relative_to(ROOT), text) for path, text in text_files()]
    assert _lines(pattern, files) == []


def test_no_file_is_large() -> None:
    """Data sets and binaries do not belong beside the code."""
    assert [str(path) for path, _ in text_files() if path.stat().st_size > LARGEST] == []


def test_tests_are_no_packages() -> None:
    """An `__init__.py` under tests would make a folder like tests/sync shadow the package of the same name."""
    assert list((ROOT / "tests").rglob("__init__.py")) == []
