"""Write the reference pages that are made from code: `make docs`."""

# ruff: noqa: E501 - the lines of a page are as long as they read best

import argparse
import json
from collections.abc import Iterator, Mapping
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from types import SimpleNamespace
from typing import Any, Literal, cast, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

import artel
from artel.graphs.roles import built_in
from artel.server.__main__ import parser
from artel.server.app import create_app
from artel.server.catalog import Catalog
from artel.server.channels.websocket import asyncapi, saying, telling
from artel.server.channels.websocket.settings import SocketSettings
from artel.server.settings import COMMON_NAMES, Settings
from artel.storage.errors import ArtelError
from artel.tools.policy import DEFAULT, Call, judge
from artel.tools.registry import ALL
from artel.tools.tool import Tool

REFERENCE = Path(__file__).parent / "reference"
MADE = "Made from the code by `make docs`; do not edit.\n"
PLACED = frozenset({"session_id", "run_id", "event_id", "agent"})  # said once for all messages of a session
SCRIPTS = "artel.storage.migrations."  # Alembic runs these; they cannot be imported


def main() -> None:
    """Write all pages."""
    for name, text in pages().items():
        (REFERENCE / name).write_text(text)


def pages() -> dict[str, str]:
    """Return every page that is made, by its name."""
    return {
        "cli.md": cli(),
        "errors.md": errors(),
        "settings.md": settings(),
        "tools.md": tools(),
        "websocket.md": websocket(),
        "wire.md": wire(),
    }


def cli() -> str:
    """Return the page of commands."""
    parts = [f"# Commands\n\n{MADE}\n"]
    for name, command in subcommands().items():
        parts.append(f"## artel {name}\n\n| | |\n|---|---|\n")
        for action in command._actions:
            if action.dest != "help":
                shown = ", ".join(action.option_strings) or action.dest
                parts.append(f"| `{shown}` | {action.help} |\n")
        parts.append("\n")
    parts.append(
        "`artel run` ends with 0: done, 1: it could not be tried, 2: an approval is needed,\n"
        "3: a budget is spent, 4: failed. The others end with 0, or with 1 and one sentence that says what to do.\n"
    )
    return "".join(parts)


def subcommands() -> Mapping[str, argparse.ArgumentParser]:
    """Return the parsers of the subcommands, by their names: `serve`, `audit verify`."""
    return dict(_below(parser()))


def _below(top: argparse.ArgumentParser, name: str = "") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [action.choices for action in top._actions if isinstance(action.choices, dict)]
    if not groups:
        yield name, top
    for group in groups:
        for word, command in group.items():
            yield from _below(command, f"{name} {word}".strip())


def errors() -> str:
    """Return the page of error codes."""
    parts = [
        f"# Errors\n\n{MADE}\n"
        'An answer that is no success is `{"detail": "one sentence", "code": "…"}`. Programs read the code and\n'
        "the status; the sentence is for people and may change. A bug answers 500 with a request id to look for\n"
        "in the log. What tools refuse is told to the model, not to the client.\n\n"
        "| code | status | what is true |\n|---|---|---|\n"
    ]
    rows = {
        (error.code, error.status, first_line(error)) for error in error_classes() if "code" in vars(error)
    }
    parts += [f"| `{code}` | {status} | {text} |\n" for code, status, text in sorted(rows)]
    return "".join(parts)


def error_classes() -> set[type[ArtelError]]:
    """Return every kind of error there is."""
    for module in walk_packages(artel.__path__, "artel."):
        if not module.name.startswith(SCRIPTS) and not module.name.endswith("__main__"):
            import_module(module.name)
    found, todo = {ArtelError}, [ArtelError]
    while todo:
        children = set(todo.pop().__subclasses__()) - found
        found |= children
        todo += children
    return {error for error in found if error.__module__.startswith("artel.")}


def settings() -> str:
    """Return the page of settings."""
    common = {path: name for name, path in COMMON_NAMES.items()}
    parts = [
        f"# Settings\n\n{MADE}\n"
        "A setting is read from the first of these that has it: a flag of the command line, the environment,\n"
        "`.env.local`, `.env` (both in the folder of the start). The long name of a setting wins over the short.\n"
        "`FALLBACKS`, `PER_AGENT`, `READABLE` and `ENV` are JSON.\n"
    ]
    for title, prefix, model in groups():
        parts.append(f"\n## {title}\n\n| name | default | |\n|---|---|---|\n")
        for name, field in fields(model):
            path = (*prefix, name)
            short = f" Also `{common[path]}`." if path in common else ""
            parts.append(f"| `{variable(path)}` | {default(field)} | {field.description}{short} |\n")
    return "".join(parts)


def groups() -> Iterator[tuple[str, tuple[str, ...], type[BaseModel]]]:
    """Yield the title, the path and the model of each group of settings."""
    yield "The server", (), Settings
    for name, field in Settings.model_fields.items():
        if is_group(field):
            title = (field.description or name).rstrip(".")
            yield title, (name,), cast("type[BaseModel]", field.annotation)


def fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield the settings of a group, without the groups in it."""
    known: Mapping[str, FieldInfo] = model.model_fields
    return ((name, field) for name, field in known.items() if not is_group(field))


def is_group(field: FieldInfo) -> bool:
    """Say whether a field holds settings rather than a value."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel)


def variable(path: tuple[str, ...]) -> str:
    """Return the name of a setting in the environment."""
    return "ARTEL_" + "__".join(path).upper()


def default(field: FieldInfo) -> str:
    """Return how the page shows a default."""
    value = field.default
    if value is PydanticUndefined or value in (None, "", (), [], {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def tools() -> str:
    """Return the page of tools."""
    parts = [f"# Tools\n\n{MADE}\n| agent | tools |\n|---|---|\n"]
    parts += [
        f"| {role.name} | {', '.join(f'`{name}`' for name in role.tools)} |\n" for role in built_in().values()
    ]
    for tool in ALL:
        asks = "asks before it acts" if _asks(tool) else "asks nothing"
        parts.append(f"\n## {tool.name}\n\nRisk: {tool.risk.value}; {asks}.\n\n{quote(tool.description)}\n\n")
        parts.append("| argument | default | |\n|---|---|---|\n")
        for name, field in fields(tool.arguments):
            parts.append(f"| `{name}` | {default(field)} | {field.description or ''} |\n")
    return "".join(parts)


def _asks(tool: Tool) -> bool:
    return judge(DEFAULT, "coder", Call(tool=tool.name, action=tool.action)).effect == "ask"


def quote(text: str) -> str:
    """Return Markdown that shows a text as quoted."""
    return "\n".join(f"> {line}".rstrip() for line in text.strip().splitlines())


def wire() -> str:
    """Return the page of routes."""
    parts = [
        f"# Routes\n\n{MADE}\n"
        "The wire of LangGraph Server, as its SDK speaks it, and the product's own under `/api/v1`. Bodies and\n"
        "answers in full: `/openapi.json` of a running server. What streams say: [events.md](events.md).\n"
    ]
    paths: dict[str, Any] = create_app(cast("Any", SimpleNamespace(metrics=None)), Catalog({})).openapi()[
        "paths"
    ]
    tag = ""
    for path, methods in paths.items():
        for method, route in methods.items():
            if route["tags"][0] != tag:
                tag = route["tags"][0]
                parts.append(f"\n## {tag}\n\n| route | |\n|---|---|\n")
            parts.append(f"| `{method.upper()} {path}` | {route['description'].splitlines()[0]} |\n")
    return "".join(parts)


def websocket() -> str:
    """Return the page of the gateway's messages."""
    text = (REFERENCE / "websocket.md.in").read_text().replace("{made}", MADE)
    said = "\n".join(_told(kind) for kind in saying.CLIENT)
    told = "\n".join(_told(kind) for kind in telling.SERVER)
    limits = "".join(
        f"| `{variable(('sockets', name))}` | {default(field)} | {field.description} |\n"
        for name, field in fields(SocketSettings)
    )
    return text.replace("{client}", said).replace("{server}", told).replace("{limits}", limits)


def _told(kind: type[BaseModel]) -> str:
    """Return how a page tells of a message: what it means, an example, its own fields."""
    common = {"id", "type"} if kind in saying.CLIENT else {"type", "at"}
    common |= PLACED if "event_id" in kind.model_fields else set()
    known = asyncapi.example_of(kind)
    example = {name: value for name, value in known.items() if name == "type" or name not in common}
    parts = [f"### {saying.name_of(kind)}\n\n{first_line(kind)}\n\n```json\n"]
    parts.append(json.dumps(example, ensure_ascii=False) + "\n```\n")
    own = [(name, field) for name, field in _deep(kind) if name not in common and any(_meaning(field))]
    if own:
        parts.append("\n| field | default | |\n|---|---|---|\n")
        for name, field in own:
            needed = "needed" if field.is_required() and kind in saying.CLIENT else default(field)
            parts.append(f"| `{name}` | {needed} | {' '.join(_meaning(field))} |\n")
    return "".join(parts)


def _deep(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """Yield the fields of a message, and those of its `data`."""
    for name, field in model.model_fields.items():
        if is_group(field):
            yield from _deep(cast("type[BaseModel]", field.annotation), f"{name}.")
        else:
            yield above + name, field


def _meaning(field: FieldInfo) -> Iterator[str]:
    if get_origin(field.annotation) is Literal:
        yield "One of " + ", ".join(f"`{one}`" for one in get_args(field.annotation)) + "."
    if field.description:
        yield field.description


def first_line(thing: type) -> str:
    """Return the first line of a docstring."""
    return (thing.__doc__ or "").strip().splitlines()[0]


if __name__ == "__main__":
    main()
