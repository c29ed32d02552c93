"""Cut code along its syntax tree: split what is too long, then merge what belongs together.

Source: Zhang et al., cAST, EMNLP 2025. That longer definitions stay alone and that each chunk has a header of
path and scope was measured on the standard library of Python.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from artel.tools.knowledge.chunking.chunk import Chunk, chunk, header, spans
from artel.tools.knowledge.chunking.ruler import Ruler
from artel.tools.knowledge.chunking.windows import windows
from artel.tools.knowledge.code.definitions import label
from artel.tools.knowledge.code.trees import Source, language_of, parse

LIMIT = 1_500  # characters of a chunk, about
ALONE = 600  # a definition this long shares its chunk with no other
OPENER = 500  # a signature, `try:` or a comment up to here goes with what follows it
CLOSER = 60  # `}` or `end` goes with what is before it
DEEPEST = 60  # nodes longer than a chunk within each other; what lies deeper is cut by lines
BROKEN = 0.2  # more of a file than this in error: the tree says nothing
ATTACHED = ("comment", "line_comment", "block_comment", "attribute_item", "decorator", "attribute_list")


@dataclass(frozen=True, slots=True)
class _Piece:
    """From `start` to the start of the next."""

    start: int
    scope: tuple[str, ...]
    defines: bool = False
    opens: bool = False
    closes: bool = False
    level: int = 0


def code(text: str, path: str, place: str) -> list[Chunk]:
    """Return the chunks of code, each with `place` and the definitions around it in its header."""
    language = language_of(path)
    source = parse(text, language) if language else None
    ruler = Ruler(text)
    if source is None or not source.root.child_count or _broken(source):
        return [
            chunk(ruler, start, end, header(place, ()))
            for _, start, end in spans(text, list(windows(ruler, 0, len(text))))
        ]
    cuts, scopes = list[tuple[int, int]](), list[tuple[str, ...]]()
    for group in _merged(list(_at_lines(text, _pieces(source, source.root, (), 0))), len(text)):
        long = group.end - group.start > LIMIT + OPENER + CLOSER
        for span in windows(ruler, group.start, group.end) if long else [(group.start, group.end)]:
            cuts.append(span)
            scopes.append(group.scope)
    return [chunk(ruler, start, end, header(place, scopes[at])) for at, start, end in spans(text, cuts)]


def _broken(source: Source) -> bool:
    if not source.root.has_error:
        return False
    if source.root.is_error:
        return True
    lost = sum(node.end_byte - node.start_byte for node in source.root.children if node.is_error)
    return bool(lost > BROKEN * source.root.end_byte)


def _pieces(
    source: Source, node: Any, scope: tuple[str, ...], level: int, defined: str = ""
) -> Iterator[_Piece]:
    """Yield a piece for each child that fits, and those of its children for each that does not."""
    children = node.children
    first, last = source.at(node.start_byte), len(children) - 1
    for at, child in enumerate(children):
        start, end = source.at(child.start_byte), source.at(child.end_byte)
        said = label(source, child) if child.is_named else ""
        if end - start <= LIMIT or not child.child_count or level >= DEEPEST:
            attached = child.type in ATTACHED and at < last and _adjoins(child, children[at + 1])
            # what begins a definition or `try` is a part of it; what begins a body is a statement
            signs = start == first and level > 0 and (bool(defined) or not child.is_named)
            opens = attached or (signs and end - start <= OPENER)
            closes = at == last and level > 0 and end - start <= CLOSER
            yield _Piece(start, scope, bool(said), opens, closes, level)
            continue
        inner = (*scope, said) if said and said not in scope[-1:] else scope
        for index, piece in enumerate(_pieces(source, child, inner, level + 1, said)):
            # the signature stands in the text itself: its scope is what is around it
            yield replace(piece, scope=scope) if index == 0 else piece


def _adjoins(node: Any, following: Any) -> bool:
    if node.type in ("attribute_item", "decorator", "attribute_list"):
        return True
    row, column = node.end_point
    apart = following.start_point[0] - (row - (column == 0))
    return apart <= 1 and bool(node.start_point[1] <= following.start_point[1])


def _at_lines(text: str, pieces: Iterator[_Piece]) -> Iterator[_Piece]:
    """Yield the pieces that begin a line, at its start; what begins within one goes with what is before."""
    seen, looked = -1, 0
    for piece in pieces:
        if seen < 0:
            seen = looked = 0
            yield replace(piece, start=0)
        line = max(text.rfind("\n", looked, piece.start) + 1, seen)
        looked = max(looked, piece.start)
        if line > seen:
            seen = line
            if not text[line : piece.start].strip():
                yield replace(piece, start=line)


@dataclass(slots=True)
class _Group:
    start: int
    end: int
    scope: tuple[str, ...]
    last: _Piece
    defines: bool
    """A definition that shares its chunk with no other."""


def _merged(pieces: list[_Piece], end: int) -> Iterator[_Group]:
    group: _Group | None = None
    for start, stop, first, piece in _opened(pieces, end):
        alone = piece.defines and stop - start >= ALONE
        if group and _joins(group, first, alone, stop):
            group.end, group.last = stop, first if piece.closes else piece
            group.defines |= alone
            continue
        if group:
            yield group
        group = _Group(start, stop, first.scope, piece, alone)
    if group:
        yield group


def _opened(pieces: list[_Piece], end: int) -> Iterator[tuple[int, int, _Piece, _Piece]]:
    """Yield start, end, first and last of pieces that go together, as the first ones open the last."""
    first: _Piece | None = None
    for at, piece in enumerate(pieces):
        first = first or piece
        stop = pieces[at + 1].start if at + 1 < len(pieces) else end
        if piece.opens and at + 1 < len(pieces) and stop - first.start <= OPENER:
            continue
        yield first.start, stop, first, piece
        first = None


def _joins(group: _Group, first: _Piece, alone: bool, stop: int) -> bool:
    if first.closes:
        return stop - group.start <= LIMIT + OPENER
    same = group.last.level == first.level and group.last.scope == first.scope
    return same and stop - group.start <= LIMIT and not (alone or group.defines)
