"""Both languages say the same things with the same values, and logs say nothing of persons."""

from __future__ import annotations

import json
import string

import pytest

from renkei.log import logger
from renkei.words import Words, keys, language


def _slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_take_the_same_values() -> None:
    """A text that would fail to fill in, or leave a value out, in one language only is found here."""
    from renkei import words

    wrong = {key for key, (english, japanese) in words._TEXTS.items() if _slots(english) != _slots(japanese)}
    assert wrong == set()
    assert all(japanese.strip() for _, japanese in words._TEXTS.values())


def test_a_number_has_the_word_that_fits_it() -> None:
    """One record is no «1 records», whether a text adds an s or says both forms."""
    words = Words("en")
    said = [
        words("reconcile.asked", asked=each).partition(" read ")[0] for each in (1, "1", 2, "1,001", 1001, 0)
    ]
    many = "1,001 records are"  # the same number is written in one way, whoever gives it
    assert said == ["1 record is", "1 record is", "2 records are", many, many, "0 records are"]
    assert words("inbox.plan", plan="p", number=1) == "plan p: 1 operation"
    assert words("inbox.plan", plan="p", number="21") == "plan p: 21 operations"


@pytest.mark.parametrize(
    ("asked", "environ", "spoken"),
    [
        (None, {}, "en"),
        (None, {"LANG": "ja_JP.UTF-8"}, "ja"),
        (None, {"LANG": "ja_JP.UTF-8", "LC_ALL": "C"}, "en"),
        ("en", {"LANG": "ja_JP.UTF-8"}, "en"),
        ("ja", {}, "ja"),
    ],
)
def test_the_language_is_the_one_asked_for(asked: str | None, environ: dict[str, str], spoken: str) -> None:
    """--lang goes before LC_ALL, that before LC_MESSAGES and LANG; everything else is English."""
    assert language(asked, environ) == spoken


def test_an_unknown_key_is_shown_as_it_is() -> None:
    """A connector of others may report what the table does not know; the screen shows it all the same."""
    assert Words("ja")("nothing.of.ours") == "nothing.of.ours"
    assert "sync.well" in keys()


def test_a_careless_log_line_leaks_neither_persons_nor_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    """By key and by value: names, addresses, numbers, tokens and passwords are gone, ids and figures stay."""
    canaries = ["taro@firm.example", "03-1234-5678", "s3cr3t-value", "eyJhbGciOi", "山田", "hunter2"]
    logger(as_json=True, verbose=True).warning(
        "refused taro@firm.example",
        system="left",
        record="00Q5g0000000002EAA",
        count=3,
        lastName="山田",
        client_secret="s3cr3t-value",
        reason="called 03-1234-5678, Bearer eyJhbGciOi",
        more={"password": "hunter2", "list": ["x taro@firm.example"]},
    )
    said = capsys.readouterr().err
    line = json.loads(said)
    assert [canary for canary in canaries if canary in said] == []
    assert (line["record"], line["count"], line["system"]) == ("00Q5g0000000002EAA", 3, "left")
