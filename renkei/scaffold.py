"""Writes the files of a new project from a preset. It decides where they go and overwrites nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from types import MappingProxyType
from typing import Any

from renkei.settings import FILE
from sync.errors import Fatal

_IGNORED = ".renkei/\nplan*.json\n*.db\n*.db.part\n"
_HEAD = "# yaml-language-server: $schema=../.renkei/schema/{route}.json   (written by `renkei schema`)\n"
_TEMPLATE = "renkei.yaml.template"
_DEMO = "demo.yaml.template"
_BESIDE = "thresholds.yaml"
# Presets of several files: each with the name under which it stands in a project.
_SETS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"flows": MappingProxyType({"account": "account", "deal": "deal", "person-flows": "person"})}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What was written: the preset, and files relative to the folder."""

    preset: str
    files: list[str]


def write_project(folder: Path, preset: str = "", *, places: Mapping[str, Any] | None = None) -> Made:
    """Write a project; `preset` "" = the plain one for persons. With `places` (what the fake vendors announce) it is
    the demo's. Raises Fatal where a file is in the way or the preset is unknown."""
    chosen = preset or next(name for name in presets() if name.endswith("/person"))
    pair, name = _known(chosen)
    template = (pair / (_TEMPLATE if places is None else _DEMO)).read_text("utf-8")
    if places is not None:
        since = (datetime.now(UTC) - timedelta(days=1)).date()
        template = template.format(**places, since=since)
    wanted = {FILE: template, ".gitignore": _IGNORED}
    for part, becomes in _SETS.get(name, {name: name}).items():
        text = (pair / f"{part}.yaml").read_text("utf-8")
        route = next(line.split()[1] for line in text.splitlines() if line.startswith("route:"))
        wanted[f"mappings/{becomes}.yaml"] = _HEAD.format(route=route) + text
    if (pair / _BESIDE).is_file():
        wanted[f"mappings/{_BESIDE}"] = (pair / _BESIDE).read_text("utf-8")
    for path in wanted:
        if (folder / path).exists():
            raise Fatal(f"{folder / path} exists already.", "choose another folder; nothing was written")
    try:
        (folder / "mappings").mkdir(parents=True, exist_ok=True)
        for path, content in wanted.items():
            (folder / path).write_text(content, "utf-8")
    except OSError as error:
        raise Fatal(f"{folder} cannot be written ({error.strerror}).", "choose another folder") from None
    return Made(preset=chosen, files=list(wanted))


def presets() -> list[str]:
    """Every preset as pair/name; what is part of a set has no use alone."""
    parts = {part for one in _SETS.values() for part in one}
    pairs = [pair for pair in (files("mappings") / "presets").iterdir() if pair.is_dir()]
    found = [f"{pair.name}/{name}" for pair in pairs for name in _SETS]
    for pair in pairs:
        names = (file.name.removesuffix(".yaml") for file in pair.iterdir() if file.name.endswith(".yaml"))
        found += [f"{pair.name}/{name}" for name in names if name not in parts and f"{name}.yaml" != _BESIDE]
    return sorted(found)


def _known(preset: str) -> tuple[Traversable, str]:
    if preset not in presets():
        raise Fatal(f"There is no preset {preset}.", f"choose one of {', '.join(presets())}")
    pair, _, name = preset.partition("/")
    return files("mappings").joinpath("presets", pair), name
