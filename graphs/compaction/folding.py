"""Code as its signatures: what an old look at a file is worth when there is no room for all of it."""

import importlib
import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from artel.tools.workspace.syntax import LANGUAGES

LONGEST = 160  # characters of a signature
MAX_CHARS = 200_000  # of code; a parse takes about 0.02 s
MOST = 120  # signatures

NUMBERED = re.compile(r"^ *(\d+)\t(.*)$")
DEFINES = re.compile(
    r"^(?:function|class|method|constructor|interface|struct|enum|trait|mod|type|union|namespace|module"
    r"|record|abstract_class|generator_function|singleton_method)"
    r"(?:_alias|_signature|_spec|_type|_special_member)?"
    r"_?(?:definition|declaration|item|specifier)$|^(?:class|module|method|singleton_method)$"
)


def folded(path: str, shown: str) -> str | None:
    """Return what the numbered lines of a code file define, each with its line; None if nobody can tell."""
    language = LANGUAGES.get(PurePosixPath(path).suffix.lower())
    if language is None or len(shown) > MAX_CHARS:
        return None
    lines = [found for line in shown.split("\n") if (found := NUMBERED.match(line))]
    if not lines:
        return None
    numbers = [int(line[1]) for line in lines]
    code = "\n".join(line[2] for line in lines).encode("utf-8", "replace")
    entries = [f"{numbers[at]:6}\t{text}" for at, text in _signatures(language, code) if at < len(numbers)]
    if not entries:
        return None
    more = [f"[{len(entries) - MOST} more]"] if len(entries) > MOST else []
    return "\n".join([*entries[:MOST], *more])


def _signatures(language: str, code: bytes) -> Iterator[tuple[int, str]]:
    parser = importlib.import_module("tree_sitter_language_pack").get_parser(language)
    waiting: list[Any] = [parser.parse(code).root_node]
    while waiting:
        node = waiting.pop()
        if DEFINES.match(node.type) and node.child_by_field_name("name") is not None:
            yield _signature(node, code)
        waiting.extend(reversed(node.named_children))


def _signature(node: Any, code: bytes) -> tuple[int, str]:
    """Return the line of a definition and all of it before its body, on one line, as deep as it stands."""
    body = node.child_by_field_name("body")
    end = body.start_byte if body is not None else node.end_byte
    text = " ".join(code[node.start_byte : end].decode("utf-8", "replace").split())
    row, column = node.start_point
    return row, f"{' ' * min(column, 12)}{text[:LONGEST].rstrip('{: ')}"
