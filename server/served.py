"""The file that says what is served: `langgraph.json`, read and checked, nothing imported yet."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

from artel.storage.errors import ArtelError

NAME = "langgraph.json"
SECTIONS = ("auth", "checkpointer", "encryption", "http", "priority", "store", "ui", "ui_config", "webhooks")

READ_HERE = ("graphs", "dependencies", "env", *SECTIONS)
OF_IMAGES = (  # they say how a container is built, which is not ours to do
    "$schema",
    "api_version",
    "base_image",
    "dockerfile_lines",
    "image_distro",
    "keep_pkg_tools",
    "node_version",
    "pip_config_file",
    "pip_installer",
    "python_version",
    "source",
    "_INTERNAL_docker_tag",
)


class ConfigWrong(ArtelError):
    """The configuration cannot be served; the message names the file and the key."""

    code = "config_wrong"


@dataclass(frozen=True, slots=True)
class GraphSpec:
    """One entry of `graphs`."""

    graph_id: str
    source: str
    """A file relative to the configuration (`./agent.py`) or a module (`package.agent`)."""
    variable: str
    """The name of the graph, or of a function that makes it, inside `source`."""
    description: str | None


@dataclass(frozen=True, slots=True)
class Served:
    """A configuration as it was written."""

    file: Path
    graphs: tuple[GraphSpec, ...]
    folders: tuple[Path, ...]
    """Where its modules are looked for: its own folder first, then its local dependencies."""
    env: Mapping[str, str]
    sections: Mapping[str, Any] = field(default_factory=dict)
    """What the other keys of SECTIONS hold, as it was written; whoever uses one checks it."""
    unknown: tuple[str, ...] = ()
    """Keys that mean nothing to us."""

    @property
    def folder(self) -> Path:
        """The folder of the file; all its paths are relative to it."""
        return self.file.parent


def find(config: Path | None) -> Path | None:
    """Return the configuration to serve: the one named, else the one of this folder, else none.

    Raises:
        ConfigWrong: the named one does not exist.
    """
    if config is None:
        return Path(NAME).resolve() if Path(NAME).is_file() else None
    file = config / NAME if config.is_dir() else config
    if not file.is_file():
        raise ConfigWrong(f"there is no configuration {file}: name a {NAME} by --config")
    return file.resolve()


def read(file: Path) -> Served:
    """Read a configuration.

    Raises:
        ConfigWrong: it is not JSON, or a key in it is not what it should be.
    """
    try:
        content = json.loads(file.read_text("utf-8"))
    except (ValueError, OSError) as wrong:
        raise ConfigWrong(f"{file} is not JSON: {wrong}") from wrong
    if not isinstance(content, dict):
        raise ConfigWrong(f"{file} must hold an object, not {_kind(content)}")
    graphs = content.get("graphs")
    if not isinstance(graphs, dict) or not graphs:
        raise ConfigWrong(f'{file}: graphs must be an object such as {{"agent": "./agent.py:graph"}}')
    _check_image(file, content)
    return Served(
        file=file,
        graphs=tuple(_spec(file, graph_id, entry) for graph_id, entry in graphs.items()),
        folders=(file.parent, *_dependencies(file, content.get("dependencies", []))),
        env=_env(file, content.get("env", {})),
        sections={key: content[key] for key in SECTIONS if content.get(key) is not None},
        unknown=tuple(key for key in content if key not in (*READ_HERE, *OF_IMAGES)),
    )


def _check_image(file: Path, content: Mapping[str, Any]) -> None:
    """Refuse what could not even build an image, though it changes nothing here."""
    python = content.get("python_version")
    if python is not None and not (isinstance(python, str) and re.fullmatch(r"3\.\d{1,2}", python)):
        raise ConfigWrong(f'{file}: python_version must be a string such as "3.12", got {python!r}')
    lines = content.get("dockerfile_lines", [])
    if not isinstance(lines, list) or not all(isinstance(line, str) for line in lines):
        raise ConfigWrong(f"{file}: dockerfile_lines must be a list of lines, got {lines!r}")


def _spec(file: Path, graph_id: str, entry: Any) -> GraphSpec:
    key = f"{file}: graphs.{graph_id}"
    path, description = (
        (entry.get("path"), entry.get("description")) if isinstance(entry, dict) else (entry, None)
    )
    if not isinstance(path, str) or not isinstance(description, str | None):
        raise ConfigWrong(f'{key} must be "./file.py:name" or {{"path": …, "description": …}}')
    source, colon, variable = path.rpartition(":")
    if not colon or not source or not variable.isidentifier():
        raise ConfigWrong(f'{key} must end in ":name", the name of the graph in its file, got "{path}"')
    if source.endswith((".js", ".ts", ".mjs", ".mts", ".cjs", ".jsx", ".tsx")):
        raise ConfigWrong(f'{key} is "{path}", but only Python graphs are served')
    return GraphSpec(graph_id, source, variable, description)


def _dependencies(file: Path, entries: Any) -> list[Path]:
    if not isinstance(entries, list) or not all(isinstance(entry, str) for entry in entries):
        raise ConfigWrong(f"{file}: dependencies must be a list of folders and packages")
    folders = [(file.parent / entry).resolve() for entry in entries if entry.startswith(".")]
    if missing := next((folder for folder in folders if not folder.is_dir()), None):
        raise ConfigWrong(f"{file}: dependencies names the folder {missing}, which does not exist")
    return [folder for folder in folders if folder != file.parent]


def _env(file: Path, env: Any) -> dict[str, str]:
    if isinstance(env, str):
        if not (file.parent / env).is_file():
            raise ConfigWrong(f"{file}: env names the file {file.parent / env}, which does not exist")
        return {name: value for name, value in dotenv_values(file.parent / env).items() if value is not None}
    if not isinstance(env, dict):
        raise ConfigWrong(f"{file}: env must be a file or an object, not {_kind(env)}")
    return {name: value if isinstance(value, str) else json.dumps(value) for name, value in env.items()}


def _kind(value: object) -> str:
    return {"list": "a list", "str": "a string", "NoneType": "null"}.get(type(value).__name__, "a number")
