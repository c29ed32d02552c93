"""What a server says of its tools, made harmless: names, descriptions and schemas that models may be sent."""

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # its types are a package of their own
from jsonschema.exceptions import SchemaError, best_match  # type: ignore[import-untyped]

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace.paths import printable

MAX_TOOL_NAME = 64  # characters: what providers take
MAX_ARGUMENT_NAME = 64  # characters: likewise
MAX_DESCRIPTION = 1_000  # characters of a tool
MAX_WORDS = 300  # characters of any other text in a schema
MAX_SCHEMA = 10_000  # characters of a whole schema
MAX_NODES = 2_000  # of a schema with its references written out
MAX_DEPTH = 24
MAX_ARGUMENTS = 200_000  # characters of JSON
# Expressions of a stranger may run for ever; the server itself may hold arguments against them.
_UNUSED = (
    "pattern",
    "patternProperties",
    "$schema",
    "$id",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$comment",
    "title",
)
_NAMED = ("properties", "dependentSchemas")  # objects whose keys are names, not keywords
_AS_IT_IS = ("enum", "const", "default", "examples", "required")


class SchemaWrong(ToolFailed):
    """A tool's schema is none that can be used."""

    code = "schema_wrong"


def exposed(server: str, tool: str) -> str:
    """Return the name by which models call a tool of a server; one too long ends in a hash.

    >>> exposed("core", "get.user")
    'mcp__core__get_user'
    """
    name = f"mcp__{server}__{re.sub(r'[^a-zA-Z0-9_-]', '_', tool)}"
    if len(name) <= MAX_TOOL_NAME:
        return name
    return f"{name[: MAX_TOOL_NAME - 9]}_{sha256(tool.encode(errors='replace')).hexdigest()[:8]}"


def described(text: str, limit: int = MAX_DESCRIPTION) -> str:
    r"""Return a text of a server as a person sees it, hidden characters written out, and not too long.

    >>> described("adds\u200b two\nnumbers")
    'adds\\u200b two\nnumbers'
    """
    shown = "\n".join(printable(line) for line in text[: limit + 1].strip().splitlines())
    return shown if len(shown) <= limit else f"{shown[:limit]}…"


def sound(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema of arguments with its references written out, and without what could do harm.

    Where a reference leads in a circle, nowhere or outside, anything is taken: the server checks by itself.

    Raises:
        SchemaWrong: it is no schema of an object, or too large.
    """
    if raw.get("type") != "object":
        raise SchemaWrong(f"its schema is of type {printable(repr(raw.get('type')))[:40]}, not object")
    schema = _Cleaning(raw).of(raw, 0, ())
    assert isinstance(schema, dict)
    schema.setdefault("properties", {})
    try:
        Draft202012Validator.check_schema(schema)
        size = len(json.dumps(schema))
    except SchemaError as error:
        raise SchemaWrong(f"its schema is none: {printable(error.message)[:200]}") from None
    except (ValueError, TypeError, RecursionError):
        raise SchemaWrong("its schema is none") from None
    if size > MAX_SCHEMA:
        raise SchemaWrong(f"its schema has {size} characters, and models are sent {MAX_SCHEMA} at most")
    return schema


def check(schema: Mapping[str, Any], args: Mapping[str, Any]) -> None:
    """Hold arguments against a sound schema.

    Raises:
        ToolRefused: they do not fit; the message names what is wrong.
    """
    try:
        size = len(json.dumps(dict(args), ensure_ascii=False))
    except (ValueError, TypeError, RecursionError):
        raise ToolRefused("the arguments are no JSON") from None
    if size > MAX_ARGUMENTS:
        raise ToolRefused(f"the arguments have {size} characters; at most {MAX_ARGUMENTS} are sent")
    error = best_match(Draft202012Validator(dict(schema)).iter_errors(dict(args)))
    if error is not None:
        where = ".".join(map(str, error.absolute_path))
        raise ToolRefused(f"{where}: {error.message[:300]}" if where else error.message[:300])


def fingerprint(name: str, description: str, schema: Mapping[str, Any], hints: Mapping[str, Any]) -> str:
    """Return what tells a tool from another one that took its name."""
    said = json.dumps([name, description, schema, hints], sort_keys=True, default=str)
    return sha256(said.encode(errors="surrogatepass")).hexdigest()[:16]


class _Cleaning:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._nodes = 0

    def of(self, node: Any, depth: int, inside: tuple[str, ...]) -> Any:
        self._nodes += 1
        if self._nodes > MAX_NODES or depth > MAX_DEPTH:
            raise SchemaWrong(f"its schema has more than {MAX_NODES} parts, or {MAX_DEPTH} in each other")
        match node:
            case {"$ref": str(ref)}:
                rest = {key: value for key, value in node.items() if key != "$ref"}
                return self._referred(ref, rest, depth, inside)
            case dict():
                return {
                    _key(key): self._value(key, value, depth, inside)
                    for key, value in node.items()
                    if key not in (*_UNUSED, "$defs", "definitions")
                }
            case list():
                return [self.of(one, depth + 1, inside) for one in node]
            case str():
                return described(node, MAX_WORDS)
        return node

    def _value(self, key: str, value: Any, depth: int, inside: tuple[str, ...]) -> Any:
        if key in _NAMED and isinstance(value, dict):
            if wrong := next((name for name in value if not _can_be_named(name)), None):
                raise SchemaWrong(f"models cannot be sent its argument {printable(str(wrong))[:80]!r}")
            return {name: self.of(one, depth + 1, inside) for name, one in value.items()}
        if key in _AS_IT_IS:
            return value
        return self.of(value, depth + 1, inside)

    def _referred(self, ref: str, rest: Mapping[str, Any], depth: int, inside: tuple[str, ...]) -> Any:
        target = None if ref in inside else self._found(ref)
        if not isinstance(target, dict):
            return self.of(dict(rest), depth + 1, inside)
        return self.of({**target, **rest}, depth + 1, (*inside, ref))

    def _found(self, ref: str) -> Any:
        if not ref.startswith("#/"):
            return None
        found: Any = self._root
        for part in ref[2:].split("/"):
            step = part.replace("~1", "/").replace("~0", "~")
            found = found.get(step) if isinstance(found, dict) else None
        return found


def _key(key: Any) -> str:
    return described(str(key), MAX_ARGUMENT_NAME)


def _can_be_named(name: Any) -> bool:
    return isinstance(name, str) and name.isprintable() and 0 < len(name) <= MAX_ARGUMENT_NAME
