"""Tell which syntax errors a change brings in; it refuses nothing, as edits may pass through one."""

import importlib
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from pathlib import PurePosixPath
from typing import Any

from artel.tools.workspace.nesting import too_deep

MAX_BYTES = 1_000_000  # a parse takes about 0.1 s
SHOWN = 5
REMEMBERED = (
    128  # answers: a call is planned when it is made, when it is asked about and when it is let through
)
LANGUAGES = {
    **dict.fromkeys((".py", ".pyi"), "python"),
    **dict.fromkeys((".js", ".mjs", ".cjs", ".jsx"), "javascript"),
    **dict.fromkeys((".ts", ".mts", ".cts"), "typescript"),
    ".tsx": "tsx",
    ".json": "json",
    ".go": "go",
    ".rs": "rust",
    ".java": "java",
    **dict.fromkeys((".c", ".h"), "c"),
    **dict.fromkeys((".cpp", ".cc", ".hpp"), "cpp"),
    ".cs": "csharp",
    ".rb": "ruby",
    ".php": "php",
    **dict.fromkeys((".sh", ".bash"), "bash"),
    ".html": "html",
    ".css": "css",
    ".toml": "toml",
    **dict.fromkeys((".yaml", ".yml"), "yaml"),
}

_told: dict[bytes, tuple[str, ...]] = {}


def introduced(path: str, before: str, after: str) -> tuple[str, ...]:
    """Return the syntax errors in `after` that were not in `before`, as `line 3: …`, if we can tell."""
    language = LANGUAGES.get(PurePosixPath(path).suffix.lower())
    if language is None or max(len(before), len(after)) > MAX_BYTES:
        return ()
    if too_deep(before) or too_deep(after):
        return ()
    key = _key(language, before, after)
    told = _told.get(key)
    if told is None:
        if len(_told) >= REMEMBERED:
            _told.clear()
        told = _told[key] = _introduced(language, before, after)
    return told


def _key(language: str, *texts: str) -> bytes:
    digest = sha256(language.encode())
    for text in texts:
        data = text.encode("utf-8", "surrogatepass")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def _introduced(language: str, before: str, after: str) -> tuple[str, ...]:
    found = list(_errors(language, after))
    if not found:
        return ()
    known = Counter(what for _, what in _errors(language, before))
    fresh = []
    for line, what in found:
        if known[what]:
            known[what] -= 1
        else:
            fresh.append(f"line {line}: {what}")
    return tuple(fresh[:SHOWN])


def _errors(language: str, source: str) -> Iterator[tuple[int, str]]:
    """Yield line and description of each error, outermost only."""
    data = source.encode("utf-8", "replace")
    waiting = [_parser(language).parse(data).root_node]
    while waiting:
        node = waiting.pop()
        if node.is_missing:
            yield node.start_point[0] + 1, f"{node.type!r} is missing"
        elif node.is_error:
            said = data[node.start_byte : node.end_byte].decode("utf-8", "replace").strip()
            yield (
                node.start_point[0] + 1,
                f"unexpected {said.splitlines()[0][:60]!r}" if said else "unexpected end",
            )
        elif node.has_error:
            waiting.extend(reversed(node.children))


@lru_cache(maxsize=4)
def _parser(language: str) -> Any:
    # loaded at the first edit: importing it took 55 ms, which no start needs
    return importlib.import_module("tree_sitter_language_pack").get_parser(language)
