"""What can go wrong before a mapping means anything: bytes, YAML, widths, duplicates, sizes."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings.errors import Sink
from mappings.load import folder_of, load
from mappings.source import Map, Text, decode, parse
from tests.support.mapping_texts import (
    BASE,
    THRESHOLDS,
    codes,
    field,
    found,
    mapping,
    place_of,
    rules,
    source,
)


def _parse(text: str) -> tuple[object, list[str]]:
    sink = Sink("x.yaml")
    return parse(text, sink), [f"{p.code}@{p.line}:{p.column}" for p in sink.found]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: 1\nb：2\n", "M004@2:2"),
        ("a: { b：2, c: 1 }\n", "M004@1:7"),
        ("a:\n　b: 1\n", "M005@2:1"),
        ("a:\n  　b: 1\n", "M005@2:3"),
        ("a:\n\tb: 1\n", "M007@2:1"),
        ("a: 1\nb: 2\na: 3\n", "M006@3:1"),
        ("a: { b: 1\nc: 2", "M001@2:2"),
        ("", "M001@1:1"),
        ("# nothing\n", "M001@1:1"),
        ("a: !!python/object/apply:os.system [ls]\n", "M008@1:4"),
        ("a: 1\n---\nb: 2\n", "M008@2:1"),
        ("a: &x [ *x ]\n", "M002@1:9"),
        ("a: *x\n", "M001@1:4"),
        ("? [a]\n: 1\n", "M013@1:3"),
        ("a: " + "[" * 70 + "]" * 70, "M002@1:67"),
        ("a: &x 1\nb: [" + ", ".join(["*x"] * 33) + "]\n", "M002@2:133"),
    ],
)
def test_a_broken_file_is_named_with_its_place(text: str, problem: str) -> None:
    """Each way to break the text has its own code and points at the letter."""
    assert problem in _parse(text)[1]


def test_aliases_cannot_blow_up_a_small_file() -> None:
    """A few hundred bytes that stand for a billion values stop at the bound."""
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 4)}]" for i in range(1, 9)]
    assert any(problem.startswith("M002") for problem in _parse("\n".join(levels))[1])


def test_values_stay_text() -> None:
    """No scalar is turned into a number, a date or a truth before its field's type is known."""
    root, problems = _parse("a: 0312345678\nb: NO\nc: 12:30\nd: 010\ne: 2026-04-01\nf: '#1'\n")
    assert not problems
    assert isinstance(root, Map)
    texts = [entry.value.text for entry in root.entries if isinstance(entry.value, Text)]
    assert texts == ["0312345678", "NO", "12:30", "010", "2026-04-01", "#1"]


def test_wide_marks_inside_texts_are_nobodys_business() -> None:
    """Full-width colons and spaces in quotes, in values and in comments are ordinary text."""
    text = "a: 'b：c'  # d：e\nf: 東京：本社\ng: （会社名　なし）\n"
    assert _parse(text)[1] == []


@pytest.mark.parametrize("encoded", [BASE.encode("utf-8-sig"), BASE.replace("\n", "\r\n").encode()])
def test_marks_and_line_ends_of_other_editors_load(encoded: bytes, tmp_path: Path) -> None:
    """A byte order mark and CRLF change nothing, not even the digest."""
    file = tmp_path / "person.yaml"
    file.write_bytes(encoded)
    assert load([file]).rules[0].digest == rules(BASE).digest


def test_another_encoding_is_named() -> None:
    """A file in Shift_JIS is refused by that name, one in nothing known is refused too."""
    sink = Sink("x.yaml")
    assert decode("a: 山田".encode("cp932"), sink) is None
    assert decode(b"a: \x81\n", sink) is None
    assert ["Shift_JIS" in problem.hint for problem in sink.found] == [True, False]


def test_a_large_file_is_refused_unread() -> None:
    """More than 1 MiB is no mapping."""
    sink = Sink("x.yaml")
    assert decode(b"#" * (1024 * 1024 + 1), sink) is None
    assert codes(sink.found) == ["M002"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp932"])
def test_value_tables_load_as_spreadsheets_save_them(encoding: str) -> None:
    """A CSV with a heading, CRLF, quotes and either encoding gives the same rules."""
    row = "country: { marketo: c, flow: <->, salesforce: C, values_file: country.csv }"
    table = 'marketo,salesforce\r\n日本,Japan\r\n"韓国","South Korea"\r\n\r\n'
    cells = field(rules(mapping(row), country_csv=table.encode(encoding)), "country").cells
    assert [cell.read(word) for cell, word in zip(cells.values(), ("日本", "South Korea"), strict=True)] == [
        "日本",
        "韓国",
    ]


def test_problems_of_a_value_table_point_into_the_table() -> None:
    """A word twice and a line with a gap are reported in the CSV, by its line."""
    row = "country: { marketo: c, flow: <->, salesforce: C, values_file: country.csv }"
    problems = source(mapping(row), {"country.csv": "日本,Japan\n日本,Nippon\n中国,\n"}).problems
    assert [(p.file, p.line, p.code) for p in problems] == [
        ("country.csv", 2, "M006"),
        ("country.csv", 3, "M022"),
    ]


def test_a_missing_table_points_at_the_mapping() -> None:
    """A file that is not there is reported where it is named."""
    text = mapping("country: { marketo: c, flow: <->, salesforce: C, values_file: nowhere.csv }")
    problem = found(source(text).problems, "M023")
    assert (problem.line, problem.column) == place_of(text, "nowhere.csv")


def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    """A path that climbs out of the mapping's folder is not there, whatever it names."""
    (tmp_path / "secret.csv").write_text("a,b\n")
    inside = tmp_path / "mappings"
    inside.mkdir()
    (inside / "own.csv").write_text("a,b\n")
    (inside / "link.csv").symlink_to(tmp_path / "secret.csv")
    beside = folder_of(inside / "person.yaml")
    assert beside("own.csv") == b"a,b\n"
    assert [beside(name) for name in ("../secret.csv", str(tmp_path / "secret.csv"), "link.csv")] == [
        None
    ] * 3


def test_a_folder_is_loaded_without_its_thresholds(tmp_path: Path) -> None:
    """Every mapping of a folder is found, one broken file stops no other, and two files cannot share a route."""
    (tmp_path / "thresholds.yaml").write_text(THRESHOLDS)
    (tmp_path / "a.yaml").write_text(BASE)
    (tmp_path / "b.yaml").write_text(BASE.replace("kind: person", "kind: persn"))
    loaded = load([tmp_path])
    assert [found.route for found in loaded.rules] == ["jp-person"]
    assert [(problem.code, problem.line) for problem in loaded.problems] == [("M045", 2), ("M014", 3)]
    assert codes(load([tmp_path / "nowhere.yaml"]).problems) == ["M003"]


@given(st.text(max_size=200))
def test_no_text_breaks_the_reader(text: str) -> None:
    """Whatever stands in a file comes out as problems, never as an exception."""
    problems = source(text).problems
    assert problems
    assert all(problem.line >= 1 and problem.column >= 1 for problem in problems)


@given(st.data())
def test_no_change_of_a_good_file_breaks_the_compiler(data: st.DataObject) -> None:
    """A mapping with a piece cut out or doubled compiles or says what is wrong."""
    start = data.draw(st.integers(0, len(BASE)))
    end = data.draw(st.integers(start, len(BASE)))
    again = data.draw(st.integers(0, 2))
    compiled = source(BASE[:start] + BASE[start:end] * again + BASE[end:])
    assert compiled.rules is not None or compiled.problems


def test_what_two_files_do_to_each_other_is_found_on_loading(tmp_path: Path) -> None:
    """Two writers of one vendor field are an error of the load itself, and `.yml` counts as a mapping."""
    (tmp_path / "a.yaml").write_text(BASE)
    (tmp_path / "b.yml").write_text(BASE.replace("jp-person", "other"))
    problems = load([tmp_path]).problems
    assert set(codes(problems)) == {"M044"}
    assert {Path(problem.file).name for problem in problems} == {"b.yml"}


def test_a_message_stays_short_whatever_it_quotes() -> None:
    """A word as long as the file does not fill the screen."""
    assert all(len(problem.message) <= 400 for problem in source(f"{'x' * 10_000}: 1\n").problems)
