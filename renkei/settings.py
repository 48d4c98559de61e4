"""A project folder: which systems there are, where they stand in each environment, and where the state lies.

It decides what renkei.yaml may say, that secrets come from the environment or from files and never from it, and
that environments share no state. It knows no vendor: what a system's settings mean is its connector's affair.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from renkei.keep import Keep, read_keep
from renkei.serving import Service, read_service
from sync.errors import Fatal

FILE = "renkei.yaml"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_SECRET = re.compile(r"secret|token|password|passphrase|private_key", re.IGNORECASE)
_TOP = ("version", "systems", "envs", "service", "channels", "keep")
CHANNEL = "channel_"  # before a channel's name, where its secrets are looked for


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemSettings:
    """One configured system in one environment: its connector and its settings, secrets excluded."""

    name: str
    connector: str
    values: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A project folder seen in one environment."""

    folder: Path
    env: str
    envs: tuple[str, ...]
    systems: Mapping[str, SystemSettings]
    service: Service = field(default_factory=Service)
    keep: Keep = field(default_factory=Keep)
    channels: Mapping[str, SystemSettings] = field(default_factory=dict)

    @property
    def mappings(self) -> Path:
        """Where the mapping files stand."""
        return self.folder / "mappings"

    @property
    def private(self) -> Path:
        """This environment's own folder, readable by its owner only."""
        return self.folder / ".renkei" / self.env

    @property
    def state(self) -> Path:
        """The journal of this environment."""
        return self.private / "state.db"

    @property
    def secrets(self) -> Path:
        """Where secret files may stand, one for each secret, named system__setting."""
        return self.private / "secrets"


def open_project(folder: Path, env: str | None = None) -> Project:
    """Read renkei.yaml; `env` None = the first one that it names. Raises Fatal with file and next step."""
    path = folder / FILE
    document = _read(path)
    _only(document, _TOP, path, "")
    if document.get("version") != 1:
        raise _wrong(path, "version must be 1", "write `version: 1` as its first line")
    systems = _names(_mapping(document.get("systems"), path, "systems"), path, "systems")
    envs = _names(_mapping(document.get("envs"), path, "envs"), path, "envs")
    if not systems or not envs:
        raise _wrong(path, "it names no systems or no envs", "see docs/cli.md for a whole example")
    chosen = env or next(iter(envs))
    if chosen not in envs:
        raise _wrong(path, f"there is no environment {chosen!r}", f"choose one of {', '.join(envs)}")
    here = _mapping(envs[chosen], path, f"envs.{chosen}")
    _only(here, tuple(systems), path, f"envs.{chosen}.")
    found = {name: _system(name, body, here.get(name), path, chosen) for name, body in systems.items()}
    channels = _channels(document, path)
    return Project(
        folder=folder, env=chosen, envs=tuple(envs), systems=found, channels=channels,
        service=_service(document, channels, path), keep=_keep(document, path),
    )  # fmt: skip


def _channels(document: Mapping[str, Any], path: Path) -> dict[str, SystemSettings]:
    """What the file says of channels; their secrets are looked for as those of systems."""
    bodies = _names(_mapping(document.get("channels"), path, "channels"), path, "channels")
    found: dict[str, SystemSettings] = {}
    for name, body in bodies.items():
        values = dict(_mapping(body, path, f"channels.{name}"))
        _refuse_secrets(f"{CHANNEL}{name}", values, path)
        found[name] = SystemSettings(name=f"{CHANNEL}{name}", connector="", values=values)
    return found


def _service(document: Mapping[str, Any], channels: Mapping[str, object], path: Path) -> Service:
    try:
        return read_service(_mapping(document.get("service"), path, "service"), channels)
    except ValueError as error:
        raise _wrong(path, str(error), "see docs/service.md for a whole example") from None


def _keep(document: Mapping[str, Any], path: Path) -> Keep:
    try:
        return read_keep(_mapping(document.get("keep"), path, "keep"))
    except ValueError as error:
        raise _wrong(path, str(error), "see docs/operations.md for what is kept and why") from None


def _system(name: str, body: object, here: object, path: Path, env: str) -> SystemSettings:
    common = dict(_mapping(body, path, f"systems.{name}"))
    connector = common.pop("connector", None)
    if not isinstance(connector, str):
        raise _wrong(path, f"systems.{name} names no connector", "write `connector: …` there")
    values = {**common, **_mapping(here, path, f"envs.{env}.{name}")}
    _refuse_secrets(name, values, path)
    return SystemSettings(name=name, connector=connector, values=values)


def _refuse_secrets(name: str, values: Mapping[str, Any], path: Path) -> None:
    for key in values:
        if _SECRET.search(str(key)):
            step = f"take it out and set {variable(name, str(key))}, or put it into a secret file"
            raise _wrong(path, f"{key} of {name} is a secret and stands in the file", step)


def secret_values(project: Project) -> frozenset[str]:
    """Every configured secret as text, and every channel's address: what may stand in no log, page or message."""
    found: set[str] = set()
    for system in (*project.systems.values(), *project.channels.values()):
        for key, value in with_secrets(project, system).items():
            if _SECRET.search(str(key)) or (system.name.startswith(CHANNEL) and key == "url"):
                found.add(str(value))
    return frozenset(found)


def variable(system: str, key: str) -> str:
    """The environment variable that carries one setting of a system."""
    return f"RENKEI_{system}__{key}".upper()


def with_secrets(project: Project, system: SystemSettings) -> dict[str, Any]:
    """A system's settings with those of the environment and of secret files laid over them.

    The result holds secrets as text: hand it to the connector and keep it nowhere. Raises Fatal for secret
    files that other users of this machine can read.
    """
    from pydantic import create_model
    from pydantic_settings import (
        BaseSettings,
        NestedSecretsSettingsSource,
        PydanticBaseSettingsSource,
        SettingsConfigDict,
    )

    _refuse_open_files(project.secrets)

    class Base(BaseSettings):
        """Priority: environment, secret files, renkei.yaml."""

        model_config = SettingsConfigDict(
            env_prefix="RENKEI_", env_nested_delimiter="__", extra="ignore", secrets_prefix="",
            secrets_nested_delimiter="__", secrets_dir=project.secrets, secrets_dir_missing="ok",
        )  # fmt: skip

        @classmethod
        def settings_customise_sources(
            cls,
            settings_cls: type[BaseSettings],  # noqa: ARG003
            init_settings: PydanticBaseSettingsSource,
            env_settings: PydanticBaseSettingsSource,
            dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
            file_secret_settings: PydanticBaseSettingsSource,
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return env_settings, NestedSecretsSettingsSource(file_secret_settings), init_settings

    fields: dict[str, Any] = {system.name: (dict[str, Any], {})}
    model = create_model("Secrets", __base__=Base, **fields)
    found: dict[str, Any] = getattr(model(**{system.name: dict(system.values)}), system.name)
    return found


def make_private(project: Project) -> None:
    """Create this environment's folder, for its owner only. Raises Fatal."""
    try:
        for folder in (project.folder / ".renkei", project.private):
            folder.mkdir(mode=0o700, exist_ok=True)
        project.private.chmod(0o700)
    except OSError as error:
        raise _not_ours(project.private, error) from None


def make_state(project: Project) -> Path:
    """Create the state file, for its owner only. Raises Fatal."""
    make_private(project)
    try:
        project.state.touch(mode=0o600)
        project.state.chmod(0o600)
    except OSError as error:
        raise _not_ours(project.state, error) from None
    return project.state


def write_beside(path: Path, text: str) -> None:
    """Write a file of no secrets into a folder of its own. Raises Fatal."""
    try:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise _not_ours(path, error) from None


def _not_ours(path: Path, error: OSError) -> Fatal:
    step = "run renkei as the user who owns the project folder, or give that user the right to write there"
    return Fatal(f"{path} cannot be written ({error.strerror}).", step)


def _refuse_open_files(folder: Path) -> None:
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.is_file() and path.stat().st_mode & 0o077:
            raise Fatal(f"The secret file {path} can be read by others.", f"chmod 600 {path}")


def _read(path: Path) -> Mapping[str, Any]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        step = "run `renkei init` there, or name the folder with --project"
        raise Fatal(f"There is no {FILE} in {path.parent.resolve()}.", step) from None
    except (OSError, UnicodeDecodeError) as error:
        raise Fatal(
            f"{path} cannot be read ({type(error).__name__}).", "check its rights and encoding"
        ) from None
    try:
        document = YAML(typ="safe", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise Fatal(f"{where}: this is no YAML ({error.problem}).", "mend that line") from None
    except YAMLError:
        raise Fatal(f"{path} is no YAML.", "mend it; `renkei init` elsewhere writes an example") from None
    return _mapping(document, path, "the file")


def _mapping(value: object, path: Path, where: str) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _wrong(path, f"{where} must hold names and values", "indent `name: value` lines below it")
    return value


def _names(found: Mapping[Any, Any], path: Path, where: str) -> Mapping[str, Any]:
    for name in found:
        if not isinstance(name, str) or not _NAME.fullmatch(name) or "__" in name:
            step = "use small letters, digits and single underscores"
            raise _wrong(path, f"{where} has the name {name!r}, which cannot be used", step)
    return found


def _only(found: Mapping[str, Any], known: tuple[str, ...], path: Path, where: str) -> None:
    import difflib

    for name in found:
        if name not in known:
            close = difflib.get_close_matches(str(name), known, 1)
            step = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
            raise _wrong(path, f"«{where}{name}» means nothing", step)


def _wrong(path: Path, what: str, step: str) -> Fatal:
    return Fatal(f"{path}: {what}.", step)
