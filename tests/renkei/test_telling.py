"""What the engine says in short is told in the reader's language, with a next step where a person has to act."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from renkei import telling
from renkei.fakes import Fakes
from renkei.words import Words, keys
from sync.errors import Fatal, InDoubt, LeaseLost, QuotaSpent, RenkeiError, RequestRefused, Retryable
from sync.guard import Traffic, guard
from sync.rules import ActionKind, Limit
from tests.support.command import Place, new_place
from tests.support.tree import python_files

ENGLISH, JAPANESE = Words("en"), Words("ja")
_OURS = re.compile(r"[぀-ヿ一-鿿]")


def _brakes() -> Iterator[str]:
    """A reason of each form that the engine gives."""
    limits = {action: Limit(number=10, share=0.0) for action in ActionKind}
    spans: tuple[tuple[dict[str, int], dict[str, int], dict[str, int]], ...] = (
        (dict.fromkeys((action.value for action in ActionKind), 1_100), {}, {}),
        ({"update": 1}, {"update": 20}, {}),
        ({"update": 1}, {}, {"update": 60}),
    )
    for planned, hour, day in spans:
        traffic = Traffic(
            planned=planned, hour=hour, day=day, linked=0, held={"left": 5_000}, lost={"left": 4_000}
        )
        yield from (brake.reason for brake in guard(traffic, limits))


def test_every_brake_is_told_in_both_languages() -> None:
    """In English a brake's reason stands as the engine wrote it; in Japanese nothing of it is left but figures and
    the system's name."""
    reasons = set(_brakes())
    assert len(reasons) >= 8
    for reason in reasons:
        assert telling.brake(ENGLISH, reason) == reason
        told = telling.brake(JAPANESE, reason)
        assert re.findall(r"[A-Za-z]+", told.replace("left", "")) == [], told
        assert re.findall(r"[\d,]+", told.replace("24時間", "").replace("1時間", "")), told


def test_a_limit_that_nobody_would_guess_is_named_in_both_languages() -> None:
    """The word of the mapping by which it is raised stands beside the figure."""
    reason = (
        "left deleted 51 linked records or moved them out of scope this cycle, limit 50 (limits: unlinks)"
    )
    assert telling.brake(ENGLISH, reason) == reason
    assert telling.brake(JAPANESE, reason).endswith("（上限 50 件、limits: unlinks）")


def test_a_reason_of_a_later_engine_stands_as_it_is() -> None:
    """What this page does not know is shown, not swallowed."""
    assert telling.brake(JAPANESE, "the moon is full") == "the moon is full"
    assert telling.reason(JAPANESE, "MOON_IS_FULL") == "MOON_IS_FULL"
    assert telling.word(JAPANESE, "kind", "lunar") == "lunar"


def test_every_hold_and_every_refusal_of_the_engine_has_its_words() -> None:
    """Kinds of holds and reasons that the engine's own code names are in the table."""
    text = "\n".join(text for path, text in python_files("sync"))
    kinds = set(re.findall(r"\.hold\([^,]+, \"(\w+)\"", text))
    assert len(kinds) >= 7
    assert {kind for kind in kinds if f"inbox.{kind}" not in keys() or f"kind.{kind}" not in keys()} == set()
    codes = set(re.findall(r"FieldError\(\"\", \"([\w ]+)\"", text)) | {"refused"}
    states = set(re.findall(r"reason=\"([^\"]+)\"|\.supersede\(job, \"([^\"]+)\"", text))
    named = codes | {one or other for one, other in states}
    assert len(named) >= 8
    assert {each for each in named if f"reason.{each}" not in keys()} == set()


@pytest.mark.parametrize(
    "error",
    [
        Fatal("x"), LeaseLost("x"), QuotaSpent("x"), Retryable("x"), RequestRefused("x"), InDoubt("x"),
    ],
)  # fmt: skip
def test_every_class_of_errors_is_told_in_japanese(error: RenkeiError) -> None:
    """A sentence of the layers below stands under its class; in English it needs none."""
    assert telling.error(ENGLISH, error) == "x"
    told = telling.error(JAPANESE, error)
    assert told.endswith(": x")
    assert _OURS.search(told)


@pytest.fixture(scope="module")
def desks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A project with people who share an address, after its first sync."""
    with Fakes("--persons", "60", "--seed", "5", "--role", "0.5") as running:
        made = new_place(tmp_path_factory.mktemp("desks"), running)
        said = made.sync("--first", "--canary", "0")
        assert said.code == 1, said.out + said.err
        yield made


def test_a_shared_address_that_stands_in_the_way_is_explained(desks: Place, capsys: Any) -> None:
    """A create that met another record of a desk's address says so in inbox and trace, and what a person can do; the
    step names the fields by which the mapping links two records."""
    data = desks.quick(capsys, "inbox", "--json", "--lang", "en").data
    creates = [each for each in data["entries"] if each["records"][-1] == "marketo:Lead"]
    assert creates
    for each in creates:
        assert re.match(
            r"\S+@\S+ is a shared address .* renkei recognises nobody, and marketo has", each["why"]
        )
        assert "sfaId" in each["next"]
    screen = desks.quick(capsys, "inbox", "--lang", "en").out
    assert screen.count("is a shared address") == screen.count("give the person an address of its own") >= 1
    told = desks.quick(capsys, "trace", creates[0]["records"][0], "--lang", "en").out
    assert "is a shared address" in told
    assert "give the person an address of its own" in told
    japanese = desks.quick(capsys, "inbox", "--lang", "ja").out
    assert "共有の" in japanese
    assert "その人自身のアドレス" in japanese


def test_what_waits_is_counted_in_the_readers_language(desks: Place, capsys: Any) -> None:
    """`status` names states and holds in Japanese where that is spoken."""
    assert "failed " in desks.quick(capsys, "status", "--lang", "en").out
    japanese = desks.quick(capsys, "status", "--lang", "ja").out
    assert "拒否 " in japanese
    assert "failed" not in japanese
