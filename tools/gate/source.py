"""Code as the checks read it: a file's language, its syntax tree, its literals."""

import ast
import re
import time
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from pathlib import PurePosixPath
from typing import Any, Literal, TypeAlias

from artel.tools.workspace import text
from artel.tools.workspace.paths import WrongKind
from artel.tools.workspace.syntax import LANGUAGES

Language = Literal["python", "typescript"]
Node: TypeAlias = Any
Names: TypeAlias = frozenset[str]

OF_GRAMMAR: Mapping[str, Language] = {
    "python": "python",
    "javascript": "typescript",
    "typescript": "typescript",
    "tsx": "typescript",
}
MAX_NESTED = 600  # levels of a syntax tree
MAX_SECONDS = 20.0  # of processor time for one look at a file
MAX_LITERAL = 40  # levels of brackets within a string that is put together
MAX_BYTES = 1_000_000  # of a file of code; a parse takes about 0.1 s
NOTHING: Names = frozenset()

_INTERPRETER = re.compile(rb"#!\s*\S*/(?:env(?:\s+-\S+)*\s+)?(python|pypy|node|deno|bun|tsx|ts-node)[\d.]*\b")
_ESCAPED = re.compile(r"\\u\{([0-9a-fA-F]{1,6})\}|\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})|\\(.)", re.DOTALL)
_WORD = re.compile(r"[\w$]+")
_PLAIN = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": ""}


@dataclass(frozen=True, slots=True)
class Source:
    """A file of code."""

    path: str
    grammar: str
    language: Language
    text: str

    @property
    def lines(self) -> list[str]:
        """Its lines, as the grammar counts them."""
        return self.text.split("\n")

    def nodes(self) -> Iterator[Node]:
        """Yield all nodes of its syntax tree, in the order of the text.

        Raises:
            WrongKind: it is nested too deeply, or what is done with each takes too long.
        """
        began = time.thread_time()
        for number, node in enumerate(_parsed(self.grammar, self.text)[0]):
            if not number % 256 and time.thread_time() - began > MAX_SECONDS:
                raise WrongKind(f"it takes longer than {MAX_SECONDS:.0f} s to be judged, split the file")
            yield node

    def above(self, node: Node) -> Iterator[Node]:
        """Yield what a node of its tree lies in, the nearest first."""
        parents = _parsed(self.grammar, self.text)[1]
        while (parent := parents.get(node.id)) is not None:
            yield parent
            node = parent

    def words(self) -> frozenset[str]:
        """Return all words in it, names among them; letters as Python folds them."""
        return _words(self.text)


def grammar_of(path: str, data: bytes) -> str:
    """Return the grammar of a file: by its name, or by the interpreter that its first line names."""
    suffix = PurePosixPath(path).suffix.lower()
    found = "python" if suffix == ".pyw" else LANGUAGES.get(suffix, "")
    if not found and (names := _INTERPRETER.match(data[:200])):
        return "python" if names[1] in (b"python", b"pypy") else "typescript"
    return found


def read(path: str, data: bytes) -> Source | None:
    """Return the code in a file; None for what is not Python, TypeScript or JavaScript.

    Raises:
        WrongKind: it ought to be code, and is binary or too large to be judged.
    """
    grammar = grammar_of(path, data)
    language = OF_GRAMMAR.get(grammar)
    if language is None:
        return None
    if len(data) > MAX_BYTES:
        raise WrongKind(f"it has {len(data)} bytes; code is judged up to {MAX_BYTES}, split the file")
    return Source(path, grammar, language, text.decode(data, "it").text.replace("\r\n", "\n"))


def every(root: Node) -> Iterator[Node]:
    """Yield a node and all below it, in the order of the text."""
    waiting = [root]
    while waiting:
        node = waiting.pop()
        yield node
        if children := node.children:
            waiting.extend(reversed(children))


def line_of(node: Node) -> int:
    """Return the line a node begins in, from 1."""
    return int(node.start_point[0]) + 1


def said(node: Node) -> str:
    """Return the text of a node."""
    return str(node.text.decode("utf-8", "replace"))


def identifier(node: Node) -> str:
    r"""Return a name as the language reads it: Python folds its letters, JavaScript takes `\u0065` for e."""
    name = said(node)
    if name.isascii() and "\\" not in name:
        return name
    return unicodedata.normalize("NFKC", _unescaped(name))


def literal(node: Node, depth: int = 0) -> str | None:
    """Return the string that an expression surely is: a literal, or several put together."""
    if depth > MAX_LITERAL:
        return None
    match node.type:
        case "string" if any(child.type == "interpolation" for child in node.children):
            return None
        case "string" if node.children and node.children[0].type == "string_start":
            return _of_python(said(node))
        case "string":
            return _unescaped(said(node)[1:-1])
        case "template_string" if not any(one.type == "template_substitution" for one in node.children):
            return _unescaped(said(node)[1:-1])
        case "concatenated_string":
            return _together(node.named_children, depth)
        case "binary_operator" | "binary_expression" if said(node.child_by_field_name("operator")) == "+":
            return _together(_added(node), depth)
        case "parenthesized_expression" if node.named_child_count == 1:
            return literal(node.named_children[0], depth + 1)
    return None


def _together(parts: Iterable[Node], depth: int) -> str | None:
    read = []
    for part in parts:
        if (text := literal(part, depth + 1)) is None:
            return None
        read.append(text)
    return "".join(read)


def _added(node: Node) -> list[Node]:
    """Return what a sum adds, from the left: `a + b + c` is nested to the left, however long it is."""
    found = []
    while node.type in ("binary_operator", "binary_expression"):
        if said(node.child_by_field_name("operator")) != "+":
            break
        found.append(node.child_by_field_name("right"))
        node = node.child_by_field_name("left")
    return [node, *reversed(found)]


def _of_python(written: str) -> str | None:
    try:
        value = ast.literal_eval(written)
    except (ValueError, SyntaxError):
        return None
    return value if isinstance(value, str) else None


def _unescaped(written: str) -> str:
    if "\\" not in written:
        return written
    return _ESCAPED.sub(_character, written)


def _character(found: re.Match[str]) -> str:
    code = found[1] or found[2] or found[3]
    if code is None:
        return _PLAIN.get(found[4], found[4])
    return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else "\ufffd"


@lru_cache(maxsize=1)  # one file goes through several checks in a row
def _parsed(grammar: str, source: str) -> tuple[Sequence[Node], Mapping[int, Node]]:
    """Return all nodes of a tree, and the parent of each: a node looks for its own from the root down."""
    found: list[Node] = []
    parents: dict[int, Node] = {}
    waiting = [(_parser(grammar).parse(source.encode("utf-8", "replace")).root_node, 0)]
    while waiting:
        node, depth = waiting.pop()
        if depth > MAX_NESTED:
            raise WrongKind(f"it is nested deeper than {MAX_NESTED} levels, take it apart")
        found.append(node)
        if children := node.children:
            parents.update((child.id, node) for child in children)
            waiting.extend((child, depth + 1) for child in reversed(children))
    return found, parents


@lru_cache(maxsize=1)
def _words(source: str) -> frozenset[str]:
    return frozenset(_WORD.findall(source if source.isascii() else unicodedata.normalize("NFKC", source)))


@lru_cache(maxsize=4)
def _parser(grammar: str) -> Any:
    return import_module("tree_sitter_language_pack").get_parser(grammar)
