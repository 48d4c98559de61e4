"""The format of scenario files: strict, with the place of every mistake, and as large as what can be done."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.stage_checks import Checks
from tests.support.stage_moves import Moves
from tests.support.stage_reading import Script, ScriptError
from tests.support.stage_words import EXPECTED, STEPS, read_script

HERE = Path(__file__).parent
STORIES = sorted([*HERE.glob("flows/*.yaml"), *HERE.glob("life/*.yaml")])
WHOLE = """\
title: 点数
proves: Something.
accounts: { A社: {} }
people:
  山田: { score: 20, account: A社 }
deals:
  A社更新: { people: [山田] }
steps:
  - score: { 山田: 82 }
  - sync: rest
  - expect: { tasks: { 山田: 1 } }
"""

MISTAKES = [
    ("  - sync: rest", "  - snyc: rest", 10, "there is no step 'snyc'"),
    ("score: 20", "scroe: 20", 5, "'scroe' means nothing here"),
    ("{ 山田: 82 }", "{ 山本: 82 }", 9, "there is no '山本' among the people (山田)"),
    ("{ 山田: 82 }", "{ 山田: high }", 9, "a whole number is expected"),
    ("{ 山田: 82 }", "山田", 9, "a table such as"),
    ("tasks: {", "taks: {", 11, "'taks' means nothing here"),
    ("sync: rest", "wait: 24", 10, "a time such as 30s"),
    ("sync: rest", "wait: 1w", 10, "a time such as 30s"),
    ("sync: rest", "lose: { deal: B社 }", 10, "there is no 'B社' among the deals"),
    ("sync: rest", "lose: { reason: Timing }", 10, "'deal' is missing"),
    ("sync: rest", "fault: bad_luck on task", 10, "write «fault on thing»"),
    ("sync: rest", "fault: lost_after_commit on tusk", 10, "write «fault on thing»"),
    ("sync: rest", "kill: now", 10, "write «between thing and receipt»"),
    ("sync: rest", "arrive: { people: { 山田: {} } }", 10, "'山田' stands among the people already"),
    ("sync: rest", "between_decision_and_sending: { jump: high }", 10, "there is no step 'jump'"),
    ("sync: rest", "change_mail: { 山田: a@b.example }", 10, "a table such as"),
    (
        "sync: rest",
        "change_mail: { 山田: { at: office, to: a@b.example } }",
        10,
        "'office' is not known here",
    ),
    ("sync: rest", "hide_field: { at: lead }", 10, "'field' is missing"),
    ("sync: rest", "forbid_writing: { at: deal, field: title }", 10, "'deal' is not known here"),
    ("sync: rest", "restore: 山本", 10, "there is no '山本' among the people (山田)"),
    ("tasks: { 山田: 1 }", "linked: { 山田: 鈴木 }", 11, "there is no '鈴木' among the people (山田)"),
    ("  - expect: { tasks: { 山田: 1 } }\n", "", 8, "a scenario ends with the step «expect»"),
    ("title: 点数\n", "", 1, "'title' is missing"),
    ("proves:", "prove:", 2, "'prove' means nothing here"),
    ("account: A社", "account: B社", 5, "there is no 'B社' among the accounts"),
    ("  - sync: rest", "  - sync: rest\n    wait: 24h", 10, "a step has one word"),
    ("{ score: 20, account: A社 }", "{ score: 20, score: 30 }", 5, "this is no YAML"),
]


def _read(folder: Path, text: str) -> Script:
    path = folder / "story.yaml"
    path.write_text(text, "utf-8")
    return read_script(path)


def test_the_whole_file_is_read(tmp_path: Path) -> None:
    """The file that the mistakes below are made in is right before that."""
    script = _read(tmp_path, WHOLE)
    assert [step.word for step in script.steps] == ["score", "sync", "expect"]
    assert script.steps[0].place == "story.yaml:9: score"


@pytest.mark.parametrize(("old", "new", "line", "what"), MISTAKES, ids=[each[1][:40] for each in MISTAKES])
def test_a_mistake_is_named_with_its_place(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    """Whatever nobody knows is an error that names the file, the line and what would be right."""
    assert old in WHOLE
    with pytest.raises(ScriptError) as caught:
        _read(tmp_path, WHOLE.replace(old, new, 1))
    assert str(caught.value).startswith(f"story.yaml:{line}: "), caught.value
    assert what in str(caught.value)


def test_every_word_does_something() -> None:
    """The vocabulary, the moves and the checks know the same words."""
    moves = {name for name in dir(Moves) if not name.startswith("_")} - {"act"}
    checks = {name for name in dir(Checks) if not name.startswith("_")} - {"check"}
    assert moves | {"expect"} == set(STEPS)
    assert checks == set(EXPECTED)


def test_every_word_is_used_in_a_scenario() -> None:
    """No word stands in the vocabulary that no scenario needs."""
    texts = [path.read_text("utf-8") for path in STORIES]
    unused = {word for word in {*STEPS, *EXPECTED} if not any(f"{word}:" in text for text in texts)}
    assert unused == set()


def test_each_scenario_has_a_name_of_its_own() -> None:
    """No two scenarios say the same of themselves."""
    scripts = [read_script(path) for path in STORIES]
    assert (
        len({script.title for script in scripts})
        == len({script.proves for script in scripts})
        == len(scripts)
    )
