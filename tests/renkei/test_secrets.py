"""No secret is found in anything that a run leaves behind or prints, whatever goes wrong."""

from __future__ import annotations

import base64
from pathlib import Path
from urllib.parse import quote

from renkei.fakes import Fakes
from renkei.settings import open_project
from tests.support.command import Said, new_place


def _forms(secret: str) -> list[bytes]:
    """A secret as it is, quoted and in base64."""
    return [secret.encode(), quote(secret, safe="").encode(), base64.b64encode(secret.encode())]


def test_nothing_that_a_run_leaves_or_prints_holds_a_secret(tmp_path: Path) -> None:
    """First sync with every call logged, plans, a backup, a trace, a vendor that fails and a wrong secret: neither the
    files of the project nor the output hold a client secret, in any form in which it travels."""
    with Fakes("--persons", "30", "--role", "0", "--seed", "5") as fakes:
        place = new_place(tmp_path / "project", fakes)
        secrets = [str(fakes.places[name]["client_secret"]) for name in fakes.systems]
        said: list[Said] = [place.renkei("sync", "--first", "--verbose", "--log-json")]
        assert said[0].code == 0, said[0].err
        said.append(place.renkei("plan", "--out", str(place.folder / "plan.json"), "-v"))
        said.append(place.renkei("backup", str(place.folder / "copy.db")))
        said.append(place.renkei("systems", "-v"))
        fakes.ask("faults", {"profile": "heavy"})
        said.append(place.renkei("sync", "-v", "--log-json"))
        fakes.ask("faults", {"profile": "none"})
        hidden = open_project(place.folder).secrets
        held = {path: path.read_text("utf-8") for path in hidden.iterdir() if path.is_file()}
        for path in held:
            path.write_text("wrong-secret-of-nobody", "utf-8")
        said.append(place.renkei("sync", "-v", "--log-json"))
        assert said[-1].code == 2
        for path, text in held.items():
            path.write_text(text, "utf-8")
        searched = 0
        forms = [form for secret in [*secrets, "wrong-secret-of-nobody"] for form in _forms(secret)]
        for path in place.folder.rglob("*"):
            if path.is_file() and hidden not in path.parents:
                content, searched = path.read_bytes(), searched + 1
                assert not [path for form in forms if form in content], path
        assert searched >= 5
        for each in said:
            printed = (each.out + each.err).encode()
            assert not [form for form in forms if form in printed], printed[-500:]
