"""The demo's project and world: the presets of the whole story, with times as short as a demo is.

It decides which files are written and with what they are filled in. What the story is made of (lists, people who do
business, what the judge is asked) stands as data beside the presets, because it names a vendor's words.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from renkei.fakes import Fakes, place_secrets
from renkei.settings import FILE, Project, open_project
from sync.errors import Fatal

ENV = "demo"
_STORY, _SETTINGS, _THRESHOLDS, _RATES = "demo.json", "demo.yaml.template", "thresholds.yaml", "rates.csv"
_CHANNEL = "channels:\n  sales: {{ url: '{url}/control/notices', format: json }}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What the demo plays: `folder` holds the presets, `told` says what is done with them."""

    folder: Traversable
    told: Mapping[str, Any]

    def arguments(self, persons: int, seed: int) -> list[str]:
        """How the fake vendors are started."""
        deals = max(1, persons * 3 // 20)
        lists = [word for name in self.told["lists"] for word in ("--list", name)]
        return [
            "--persons", str(persons), "--seed", str(seed), "--deals", str(deals), *self.told["world"], *lists,
        ]  # fmt: skip

    def question(self, since: float, lap: float, domains: Mapping[str, list[str]]) -> dict[str, Any]:
        """What the judge of the flows is asked; `since` is when the first sync had ended (unix seconds). Nobody did
        anything before that, so the judge need not be lenient about what came just after it. `lap`: the longest time
        between two looks, in seconds; what lasts shorter cannot be seen, and what is due shows up one later."""
        flows = self.told["flows"]
        slack = max(flows["slack"], lap + 2.0)
        return {**flows, **domains, "slack": slack, "patience": self._patience(lap), "since": since - slack}

    def ripens(self, lap: float) -> float:
        """After so many seconds everything that was done must have come to what it comes to."""
        flows = self.told["flows"]
        return self._patience(lap) + float(flows["wait"] + flows["blank_after"])

    def _patience(self, lap: float) -> float:
        return max(float(self.told["flows"]["patience"]), 2 * lap)


def read_story() -> Story:
    """The story that stands beside the presets. Raises Fatal where it was not installed."""
    for folder in (files("mappings") / "presets").iterdir():
        if folder.is_dir() and (folder / _STORY).is_file():
            return Story(folder=folder, told=json.loads((folder / _STORY).read_text("utf-8")))
    raise Fatal("The demo's presets are missing.", "install renkei again")


def write_story(folder: Path, story: Story, fakes: Fakes) -> Project:
    """Write the project for these running fake vendors, its secrets beside it."""
    since = (datetime.now(UTC) - timedelta(days=1)).date()
    settings = (story.folder / _SETTINGS).read_text("utf-8").format(**fakes.places, since=since)
    mappings = folder / "mappings"
    mappings.mkdir(parents=True, exist_ok=True)
    (folder / FILE).write_text(settings + _CHANNEL.format(url=fakes.places["control"]["url"]), "utf-8")
    for name in story.told["mappings"]:
        text = (story.folder / name).read_text("utf-8")
        (mappings / name).write_text(_shortened(text, story.told["instead"].get(name, {})), "utf-8")
    thresholds = {"version": 1, **story.told["thresholds"], "domains": fakes.ask("market")["domains"]}
    (mappings / _THRESHOLDS).write_text(json.dumps(thresholds, indent=1), "utf-8")
    rates = ["currency,from,rate", *(",".join(row) for row in story.told["rates"])]
    (mappings / _RATES).write_text("\n".join(rates) + "\n", "utf-8")
    project = open_project(folder, ENV)
    place_secrets(project.secrets, fakes.places, fakes.systems)
    return project


def _shortened(text: str, instead: Mapping[str, str]) -> str:
    for old, new in instead.items():
        if text.count(old) != 1:
            raise Fatal(
                f"The demo looks for «{old.strip()}» once in a preset.", "bring demo.json in line with it"
            )
        text = text.replace(old, new)
    return text
