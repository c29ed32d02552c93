"""Read the structure of a text: headings, paragraphs, lists, tables, fences of code."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["heading", "paragraph", "item", "table", "fence"]

ATX = re.compile(r" {0,3}(#{1,6})[ \t]+(\S.{0,400})$")
UNDERLINE = re.compile(r" {0,3}(={3,}|-{3,}|~{3,}|\^{3,}|\"{3,})[ \t]*$")
UNDERLINES = '=-~^"'
NUMBERED = re.compile(r"((?:\d{1,3}\.){0,5}\d{1,3}\.?|[A-Z]\.(?:\d{1,3}\.?){0,4})[ \t]{1,4}(\S.{0,100})$")
NAMED = re.compile(
    r"(?:chapter|section|part|appendix|глава|раздел|часть|приложение|параграф)[ \t]+[\dIVXLA-ZА-Я]{1,6}\b.*$",
    re.IGNORECASE,
)
FENCE = re.compile(r" {0,12}(`{3,}|~{3,})")
ITEM = re.compile(r"[ \t]{0,40}(?:[-*+•–—]|\(?(?:\d{1,4}|[a-zа-я])[.)])[ \t]+\S")
RULE = frozenset("|:- \t")  # of these is the line under the head of a table
TITLED = 160  # characters of a line over an underline


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a text that hangs together: text[start:end], in whole lines."""

    start: int
    end: int
    kind: Kind
    level: int = 0
    """Of a heading: 1 is the highest."""
    title: str = ""
    """Of a heading."""
    body: int = 0
    """Of a table: where the row after the head row and its rule begins."""


@dataclass(frozen=True, slots=True)
class _Line:
    start: int
    end: int
    said: str
    """Without its end; the first 2,000 characters."""

    @property
    def blank(self) -> bool:
        return not self.said.strip()


def blocks(text: str) -> Iterator[Block]:
    """Yield blocks in order; together they cover all lines that are not blank."""
    lines = _lines(text)
    at, unclosed = 0, dict[str, int]()
    while at < len(lines):
        if lines[at].blank:
            at += 1
            continue
        stop, made = _block(lines, at, unclosed)
        start, end = lines[at].start, lines[stop - 1].end
        yield Block(start, end, made.kind, made.level, made.title, made.body)
        at = stop


def _lines(text: str) -> list[_Line]:
    found, start = [], 0
    while start < len(text):
        stop = text.find("\n", start)
        end = len(text) if stop < 0 else stop + 1
        found.append(_Line(start, end, text[start : min(end, start + 2000)].rstrip("\r\n")))
        start = end
    return found


def _block(lines: list[_Line], at: int, unclosed: dict[str, int]) -> tuple[int, Block]:
    line, following = lines[at], lines[at + 1] if at + 1 < len(lines) else None
    if found := ATX.match(line.said):
        return at + 1, Block(0, 0, "heading", len(found[1]), found[2].rstrip(" \t#") or found[2])
    if found := FENCE.match(line.said):
        return _fence(lines, at, found[1], unclosed), Block(0, 0, "fence")
    if following and "|" in line.said and _rules(following.said):
        stop = _while(lines, at + 2, lambda one: "|" in one.said)
        return stop, Block(0, 0, "table", body=following.end)
    if (
        following
        and len(line.said) <= TITLED
        and (under := UNDERLINE.match(following.said))
        and not ITEM.match(line.said)
    ):
        level = min(UNDERLINES.index(under[1][0]) + 1, 4)
        return at + 2, Block(0, 0, "heading", level, line.said.strip())
    if (following is None or following.blank) and (level := _titled(line, at == 0 or lines[at - 1].blank)):
        return at + 1, Block(0, 0, "heading", level, line.said.strip())
    if ITEM.match(line.said):
        return _while(lines, at + 1, lambda one: not _begins(one)), Block(0, 0, "item")
    stop = _while(lines, at + 1, lambda one: not _begins(one))
    if stop < len(lines) and UNDERLINE.match(lines[stop].said) and stop - at > 1:
        stop -= 1  # the last line is a title
    return stop, Block(0, 0, "paragraph")


def _titled(line: _Line, alone: bool) -> int:
    said = line.said.rstrip()
    if not alone or said[-1:] in (*".,;:!?…", "") or len(said) > 120:
        return 0
    if found := NUMBERED.match(said):
        return min(len([part for part in found[1].split(".") if part]), 6) if found[2][0].isupper() else 0
    return 1 if NAMED.match(said) else 0


def _rules(said: str) -> bool:
    return "|" in said and "-" in said and set(said) <= RULE


def _fence(lines: list[_Line], at: int, mark: str, unclosed: dict[str, int]) -> int:
    looks = len(mark) < unclosed.get(mark[0], len(mark) + 1)  # nothing closes one so long
    for stop in range(at + 1, len(lines) if looks else at):
        found = FENCE.match(lines[stop].said)
        if found and found[1].startswith(mark) and not lines[stop].said.strip().strip(mark[0]):
            return stop + 1
    unclosed[mark[0]] = min(len(mark), unclosed.get(mark[0], len(mark)))
    return _while(lines, at + 1, lambda _: True)  # never closed: it ends with the paragraph


def _while(lines: list[_Line], at: int, goes_on: Callable[[_Line], bool]) -> int:
    while at < len(lines) and not lines[at].blank and goes_on(lines[at]):
        at += 1
    return at


def _begins(line: _Line) -> bool:
    said = line.said
    return bool(ATX.match(said) or FENCE.match(said) or ITEM.match(said) or UNDERLINE.match(said))
