"""What names a file defines and which it uses, by its syntax tree."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from artel.tools.knowledge.code.definitions import DEFINITIONS, kind_of, name_node
from artel.tools.knowledge.code.trees import PROGRAMS, language_of, parse

MAX_TAGS = 50_000  # of a file; a generated one has more, and says nothing by them
SIGNATURE = 160  # characters
FUNCTIONS = frozenset(("def", "function", "func", "fn", "method", "constructor", "const"))

_C = (
    "(call_expression function: (identifier) @r) (type_identifier) @r "
    "(call_expression function: (field_expression field: (field_identifier) @r))"
)
_JS = (
    "(call_expression function: (identifier) @r) (new_expression constructor: (identifier) @r) "
    "(call_expression function: (member_expression property: (property_identifier) @r)) "
    "(import_specifier name: (identifier) @r) (import_clause (identifier) @r) "
)
_JSX = "(jsx_opening_element name: (identifier) @r) (jsx_self_closing_element name: (identifier) @r) "
REFERENCES = {
    "python": (
        "(call function: (identifier) @r) (call function: (attribute attribute: (identifier) @r)) "
        "(type (identifier) @r) (type (generic_type (identifier) @r)) "
        "(type (attribute attribute: (identifier) @r)) "
        "(type (binary_operator (identifier) @r)) "
        "(import_from_statement name: (dotted_name (identifier) @r .)) (decorator (identifier) @r) "
        "(import_from_statement name: (aliased_import name: (dotted_name (identifier) @r .))) "
        "(class_definition superclasses: (argument_list (identifier) @r)) "
        "(class_definition superclasses: (argument_list (attribute attribute: (identifier) @r))) "
        "(except_clause (identifier) @r) (raise_statement (identifier) @r) "
        "(attribute object: (identifier) @r)"
    ),
    "javascript": _JS + _JSX + "(class_heritage (identifier) @r)",
    "typescript": _JS + "(type_identifier) @r (extends_clause value: (identifier) @r)",
    "tsx": _JS + _JSX + "(type_identifier) @r (extends_clause value: (identifier) @r)",
    "go": (
        "(call_expression function: (identifier) @r) (type_identifier) @r "
        "(call_expression function: (selector_expression field: (field_identifier) @r))"
    ),
    "rust": (
        "(call_expression function: (identifier) @r) (type_identifier) @r "
        "(call_expression function: (scoped_identifier name: (identifier) @r)) "
        "(call_expression function: (field_expression field: (field_identifier) @r)) "
        "(macro_invocation macro: (identifier) @r) "
        "(use_declaration (scoped_identifier name: (identifier) @r))"
    ),
    "java": (
        "(method_invocation name: (identifier) @r) (type_identifier) @r "
        "(marker_annotation name: (identifier) @r)"
    ),
    "c": _C,
    "cpp": _C + "(call_expression function: (qualified_identifier name: (identifier) @r))",
    "csharp": (
        "(invocation_expression function: (identifier) @r) "
        "(object_creation_expression type: (identifier) @r) "
        "(invocation_expression function: (member_access_expression name: (identifier) @r)) "
        "(base_list (identifier) @r) (parameter type: (identifier) @r) "
        "(variable_declaration type: (identifier) @r) "
        "(method_declaration returns: (identifier) @r)"
    ),
    "ruby": "(call method: (identifier) @r) (constant) @r",
    "php": (
        "(function_call_expression function: (name) @r) (object_creation_expression (name) @r) "
        "(member_call_expression name: (name) @r) (scoped_call_expression name: (name) @r) "
        "(scoped_call_expression scope: (name) @r) (named_type (name) @r) (base_clause (name) @r)"
    ),
    "bash": "(command name: (command_name (word) @r))",
}
"""By language: a query for the names that are used; what is both used and defined at one place is defined."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A name that a file defines."""

    name: str
    kind: str
    """The word of the language: `def`, `class`, `interface`."""
    line: int
    """The first of its lines, from 1; decorators and comments are before it."""
    end_line: int
    signature: str
    """Its first line as it stands, with its indentation."""
    local: bool = False
    """Within a function: no other file can use it."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A name that a file uses: called, taken as a type, imported, inherited from."""

    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Tags:
    """The names of one file, in the order of their lines."""

    definitions: tuple[Definition, ...] = ()
    references: tuple[Reference, ...] = ()


def tags(text: str, path: str) -> Tags:
    """Return what a file defines and uses; nothing for a language we do not know or a text we cannot parse.

    Broken code gives what can be read of it. At most MAX_TAGS of each.

    >>> [one.name for one in tags("def f():\\n    return g()", "a.py").references]
    ['g']
    """
    language = language_of(path)
    source = parse(text, language) if language in PROGRAMS and language else None
    if source is None or language is None:
        return Tags()
    lines = text.split("\n")
    found = _query(language)
    captured = (
        importlib.import_module("tree_sitter").QueryCursor(found, match_limit=4096).captures(source.root)
    )
    definitions, named = [], set()
    for node in captured.get("d", ())[:MAX_TAGS]:
        kind, name = kind_of(source, node), name_node(node)
        if not kind or name is None:
            continue
        named.add(name.start_byte)
        if kind in ("impl", "namespace", "mod"):  # they hold definitions, and many hold the same name
            continue
        row = name.start_point[0]
        definitions.append(
            Definition(source.of(name), kind, row + 1, node.end_point[0] + 1, lines[row].rstrip()[:SIGNATURE])
        )
    references = [
        Reference(source.of(node), node.start_point[0] + 1)
        for node in captured.get("r", ())[:MAX_TAGS]
        if node.start_byte not in named
    ]
    definitions.sort(key=lambda one: (one.line, -one.end_line))
    return Tags(
        tuple(_placed(definitions)),
        tuple(sorted(references, key=lambda one: one.line)),
    )


def _placed(definitions: list[Definition]) -> Iterator[Definition]:
    hidden_to = 0
    for one in definitions:
        yield replace(one, local=True) if one.end_line <= hidden_to else one
        if one.kind in FUNCTIONS and one.end_line > hidden_to:
            hidden_to = one.end_line if one.end_line > one.line else hidden_to


@lru_cache(maxsize=len(PROGRAMS))
def _query(language: str) -> Any:
    kinds = [*DEFINITIONS[language]]
    if language in ("javascript", "typescript", "tsx"):
        kinds.append("variable_declarator")
    wanted = " ".join(f"({kind})" for kind in kinds)
    pack = importlib.import_module("tree_sitter_language_pack")
    query = importlib.import_module("tree_sitter").Query
    return query(pack.get_language(language), f"[{wanted}] @d\n{REFERENCES[language]}")
