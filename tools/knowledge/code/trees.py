"""Parse code without trusting it: bounded in size, depth and time."""

import importlib
from dataclasses import dataclass
from pathlib import PurePosixPath
from time import thread_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from artel.tools.workspace.nesting import too_deep
from artel.tools.workspace.syntax import LANGUAGES

MAX_CHARS = 1_000_000
PARSE_S = 1.0  # of this thread's CPU: ordinary code takes 0.1 s a MB, ambiguous bytes take minutes
SLICE = 65_536
PROGRAMS = frozenset(
    "python javascript typescript tsx go rust java c cpp csharp ruby php bash".split()  # noqa: SIM905
)
"""The languages whose definitions we know; the others of `LANGUAGES` are data."""


@dataclass(frozen=True, slots=True)
class Source:
    """A text, its tree, and where the bytes of the tree lie in the text."""

    text: str
    language: str
    root: Any
    starts: NDArray[np.int32] | None
    """The character of each byte; None where each character is a byte."""

    def at(self, byte: int) -> int:
        """Return the offset in characters."""
        return byte if self.starts is None else int(self.starts[byte])

    def of(self, node: Any) -> str:
        """Return what a node says."""
        return self.text[self.at(node.start_byte) : self.at(node.end_byte)]


def language_of(path: str) -> str | None:
    """Return the language of a file by its name; None if it is none we parse."""
    return LANGUAGES.get(PurePosixPath(path).suffix.lower())


def parse(text: str, language: str) -> Source | None:
    """Return the tree of a text of at most MAX_CHARS; None if it is longer or takes more than PARSE_S."""
    if len(text) > MAX_CHARS or too_deep(text):
        return None
    # one byte for one odd character, so that offsets stay true; some grammars take NUL for the end
    data = text.encode("utf-8", "replace").replace(b"\0", b" ")
    stop = thread_time() + PARSE_S
    pack = importlib.import_module("tree_sitter_language_pack")  # 55 ms, which no start needs
    parser = importlib.import_module("tree_sitter").Parser(pack.get_language(language))
    try:
        tree = parser.parse(
            lambda at, _: data[at : at + SLICE], progress_callback=lambda *_: thread_time() > stop
        )
    except ValueError:  # stopped
        return None
    return Source(text, language, tree.root_node, None if len(data) == len(text) else _starts(data))


def _starts(data: bytes) -> NDArray[np.int32]:
    begins = (np.frombuffer(data, np.uint8) & 0xC0) != 0x80
    ends = np.append(begins, True)
    return np.cumsum(ends, dtype=np.int32) - 1
