"""What one file imports, as it is written there."""

import importlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from artel.tools.knowledge.code.trees import Source, language_of, parse

PYTHON = "[(import_statement) (import_from_statement)] @i"
SCRIPT = (
    "[(import_statement source: (string) @s) (export_statement source: (string) @s)] "
    "(call_expression function: [(identifier) @f (import) @f] arguments: (arguments . (string) @s) "
    '(#any-of? @f "require" "import"))'
)
QUERIES = {"python": PYTHON, "javascript": SCRIPT, "typescript": SCRIPT, "tsx": SCRIPT}


@dataclass(frozen=True, slots=True)
class Import:
    """One import. Of Python: a module with its leading dots, and the names taken from it."""

    line: int
    target: str
    names: tuple[str, ...] = ()


def imported(text: str, path: str) -> tuple[Import, ...]:
    """Return the imports of a Python, JavaScript or TypeScript file in the order of their lines.

    Also those within functions, conditions and `try`; a target that is computed is none. Nothing for other
    languages and for what cannot be parsed.
    """
    language = language_of(path)
    source = parse(text, language) if language in QUERIES and language else None
    if source is None or language is None:
        return ()
    cursor = importlib.import_module("tree_sitter").QueryCursor(_query(language), match_limit=4096)
    found = cursor.captures(source.root)
    if language == "python":
        written = [one for node in found.get("i", ()) for one in _python(source, node)]
    else:
        written = [Import(node.start_point[0] + 1, source.of(node)[1:-1]) for node in found.get("s", ())]
    return tuple(sorted(written, key=lambda one: one.line))


def _python(source: Source, node: Any) -> list[Import]:
    line = node.start_point[0] + 1
    names = [_name(source, child) for child in node.children_by_field_name("name")]
    if node.type == "import_statement":
        return [Import(line, name) for name in names if name]
    module = node.child_by_field_name("module_name")
    if module is None:
        return []
    return [Import(line, "".join(source.of(module).split()), tuple(name for name in names if name))]


def _name(source: Source, node: Any) -> str:
    inner = node.child_by_field_name("name") if node.type == "aliased_import" else node
    return "".join(source.of(inner).split()) if inner is not None else ""


@lru_cache(maxsize=len(QUERIES))
def _query(language: str) -> Any:
    pack = importlib.import_module("tree_sitter_language_pack")
    return importlib.import_module("tree_sitter").Query(pack.get_language(language), QUERIES[language])
