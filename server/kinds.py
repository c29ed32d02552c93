"""Kinds of assistants of the operator's own: one Python file each, in the folder that a setting names."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from artel.server import loading
from artel.server.served import ConfigWrong

CHECK = "check_assistant"
"""The name of the function that refuses a context, beside a graph in its file."""

Check: TypeAlias = Callable[[Mapping[str, Any]], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """What a file offers: its name is that of the graph."""

    name: str
    source: str
    graph: object
    description: str
    check: Check | None


def read(folder: Path) -> list[Kind]:
    """Return the kinds of a folder, by name; files that begin with `_` are none.

    Raises:
        ConfigWrong: there is no such folder, or a file in it is none; the message names it.
    """
    folder = folder.expanduser().absolute()
    if not folder.is_dir():
        raise ConfigWrong(f"ARTEL_KINDS: there is no folder {folder}")
    files = sorted(file for file in folder.glob("*.py") if not file.name.startswith("_"))
    return [_kind(file, folder) for file in files]


def check_of(module: object, where: str) -> Check | None:
    """Return what refuses a context in a module with a graph; None: it has no such function.

    Raises:
        ConfigWrong: something else has its name.
    """
    check = getattr(module, CHECK, None)
    if check is not None and not callable(check):
        raise ConfigWrong(f"{where}: {CHECK} must be a function of an assistant's context")
    return check


def _kind(file: Path, folder: Path) -> Kind:
    where = f"ARTEL_KINDS: {file}"
    module = loading.load_file(file, folder, where)
    graph = getattr(module, "graph", None)
    if graph is None:
        raise ConfigWrong(f'{where}: there is no "graph": a graph, or a function that makes one')
    description = getattr(module, "DESCRIPTION", None) or (module.__doc__ or "").strip().partition("\n")[0]
    return Kind(file.stem, where, graph, str(description), check_of(module, where))
