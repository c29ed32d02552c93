"""Reads calls out of a text while it streams in: what is no call is passed on at once, markup never is.

A mark that could begin a call holds the text back until it is clear; a false alarm is passed on as it stood.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from artel.graphs.models.written import dialects
from artel.graphs.models.written.dialects import FIRST_KEYS, Brackets, Known, Spoken

Read = Callable[..., list[Spoken] | None]


@dataclass(frozen=True, slots=True)
class Dialect:
    """A form of calls: what it begins with, what it ends with (nothing: with the answer), how it is read."""

    begins: str
    ends: tuple[str, ...]
    read: Read
    inside: re.Pattern[str]
    "What must stand behind the beginning, as far as it has come; else it is a false alarm."


JSONISH = re.compile(r"\s*([\[{].*)?\Z", re.DOTALL)
IN_TAG = re.compile(r"\s*([\[{<].*|[\w.-]+\s*(<.*)?|`(``?(json)?(\s.*)?)?)?\Z", re.DOTALL)
NAMED = re.compile(r"[\"']?[\w.-]+[\"']?\s*(>.*)?\Z|[\"']?\Z", re.DOTALL)
ANYTHING = re.compile(r"", re.DOTALL)
ANSWER = "<tool_response>"  # a model that goes on with this makes up what its call answered
FENCE = "```"
INFO = re.compile(r"(json|tool_call|tool_calls)?[ \t]*\Z")
HEAD = re.compile(r"\A[\"']?[\w.-]+[\"']?\s*>")
FIRST_KEY = re.compile(r"""\s*\[?\s*\{\s*["']?(\w*)(.?)""", re.DOTALL)

DIALECTS = (
    Dialect("<tool_call>", ("</tool_call>",), dialects.of_tag, IN_TAG),
    Dialect("<function_call>", ("</function_call>",), dialects.of_tag, IN_TAG),
    Dialect("<functioncall>", ("</functioncall>",), dialects.of_tag, IN_TAG),
    Dialect("<|tool_call|>", ("<|/tool_call|>", "<|end|>"), dialects.of_tag, IN_TAG),
    Dialect("<function=", ("</function>",), dialects.of_functions, NAMED),
    Dialect(
        "<function_calls>", ("</function_calls>",), dialects.of_invokes, re.compile(r"\s*(<.*)?\Z", re.DOTALL)
    ),
    Dialect("<invoke name=", ("</invoke>",), dialects.of_invokes, NAMED),
    Dialect("[TOOL_CALLS]", (), dialects.of_mistral, re.compile(r"\s*([\[{\w].*)?\Z", re.DOTALL)),
    Dialect("<|python_tag|>", ("<|eom_id|>", "<|eot_id|>"), dialects.of_python, ANYTHING),
    Dialect("<｜tool▁calls▁begin｜>", ("<｜tool▁calls▁end｜>",), dialects.of_deepseek, ANYTHING),
)
BY_MARK = {one.begins: one for one in DIALECTS}
MARKS = (*BY_MARK, ANSWER, FENCE)
MARK = re.compile("|".join(re.escape(mark) for mark in MARKS))
LONGEST = max(map(len, MARKS))
WHOLE_TAGS = ("<function=", "<invoke name=")  # their beginning is a part of the call


class Reader:
    """Reads one answer of a model.

    `known` returns the tools that may be called; it is asked when the first mark is seen.
    """

    def __init__(self, known: Callable[[], Known]) -> None:
        self._known_of = known
        self._held = ""
        self._gap = ""  # space behind a call, passed on when a word follows
        self._spoken = False  # a word was passed on
        self._called = False
        self._fenced = False  # inside of a block of code
        self._over = False
        self._searched = 0  # of what is held, for the end of a call
        self._brackets: Brackets | None = None

    @cached_property
    def _known(self) -> Known:
        return self._known_of()

    def feed(self, text: str) -> Iterator[str | Spoken]:
        """Take what came in; yield text to pass on and calls, in their order."""
        self._held += text
        yield from self._read(None)

    def end(self, *, cut_off: bool = False) -> Iterator[str | Spoken]:
        """Yield what was held back, at the end of the answer; `cut_off`: for its length, not by itself."""
        yield from self._read(not cut_off)

    def _read(self, whole: bool | None) -> Iterator[str | Spoken]:
        """Go as far as it is clear; `whole` is None while more may come."""
        before = None
        while self._held and not self._over and before != (len(self._held), self._fenced, self._spoken):
            before = (len(self._held), self._fenced, self._spoken)
            if self._fenced:
                yield from self._code(whole)
            elif not self._spoken and self._held.lstrip()[:1] in ("{", "[") and self._may_be_bare(whole):
                yield from self._bare(whole)
            else:
                yield from self._text(whole)

    def _text(self, whole: bool | None) -> Iterator[str | Spoken]:
        found = MARK.search(self._held)
        if found is None:
            keep = 0 if whole is not None else _begun(self._held)
            yield from self._pass(len(self._held) - keep)
            return
        yield from self._pass(found.start())
        mark = found.group()
        if mark == ANSWER:
            self._over = self._called
            yield from () if self._over else self._pass(len(mark))
        elif mark == FENCE:
            yield from self._fence(whole)
        else:
            yield from self._marked(BY_MARK[mark], whole)

    def _marked(self, dialect: Dialect, whole: bool | None) -> Iterator[str | Spoken]:
        start = len(dialect.begins)
        first = self._held[start : start + 200]
        if not dialect.inside.match(first):
            yield from self._pass(start)
            return
        read, begins = dialect.read, 0 if dialect.begins in WHOLE_TAGS else start
        end, closer = self._closed(dialect, start)
        if end is None and whole is None:
            return
        if end is not None:
            body, rest = self._held[begins : end + (0 if begins else len(closer))], end + len(closer)
        else:
            body, rest = self._first_part(dialect, begins)
        calls = read(body, self._known, whole=end is not None or bool(whole))
        if calls or dialects.was_meant(body):
            yield from self._call(rest, calls or [dialects.unreadable(body)])
        else:
            yield from self._pass(rest)

    def _closed(self, dialect: Dialect, start: int) -> tuple[int | None, str]:
        """Return where the call ends and with what: at a closing mark that stands in none of its values."""
        at = max(start, self._searched)
        closing = re.compile("|".join(map(re.escape, dialect.ends))) if dialect.ends else None
        while closing and (found := closing.search(self._held, at)):
            if _outside(self._held[start : found.start()]):
                return found.start(), found.group()
            at = found.end()
        self._searched = max(at, len(self._held) - LONGEST)
        return None, ""

    def _first_part(self, dialect: Dialect, begins: int) -> tuple[str, int]:
        """Return what a call has, at the end of an answer, that is not rightly closed, and where it ends."""
        ends = [at for mark in dialect.ends if (at := self._held.find(mark, begins)) >= 0]
        if not ends:
            return self._held[begins:], len(self._held)
        end = min(ends)
        closer = next(mark for mark in dialect.ends if self._held.startswith(mark, end))
        return self._held[begins : end + (len(closer) if not begins else 0)], end + len(closer)

    def _fence(self, whole: bool | None) -> Iterator[str | Spoken]:
        """Read a block of code: JSON that calls a tool, else it is passed on as it comes."""
        info, line_end, body = self._held[len(FENCE) :].partition("\n")
        if not INFO.match(info) and not (not line_end and whole is None and _may_be_info(info)):
            yield from self._open_fence()
        elif not line_end or not _may_call(body, whole):
            if line_end or whole is not None:
                yield from self._open_fence()
        else:
            start = len(FENCE) + len(info) + 1
            end = self._held.find(FENCE, start)
            while end >= 0 and not _outside(self._held[start:end]):
                end = self._held.find(FENCE, end + 1)
            if end < 0 and whole is None:
                return
            stop = len(self._held) if end < 0 else end
            calls = self._weak(self._held[start:stop], whole=end >= 0 or bool(whole))
            if calls:
                yield from self._call(stop + (len(FENCE) if end >= 0 else 0), calls)
            else:
                yield from self._open_fence()

    def _open_fence(self) -> Iterator[str]:
        self._fenced = True
        yield from self._pass(len(FENCE))

    def _code(self, whole: bool | None) -> Iterator[str]:
        end = self._held.find(FENCE)
        if end >= 0:
            yield from self._pass(end + len(FENCE))
            self._fenced = False
        else:
            keep = len(self._held) - len(self._held.rstrip("`")) if whole is None else 0
            yield from self._pass(len(self._held) - keep)

    def _may_be_bare(self, whole: bool | None) -> bool:
        start = self._held.lstrip()
        if start.startswith(MARKS) or (whole is None and any(mark.startswith(start) for mark in MARKS)):
            return False  # of a list, or of a mark: the next letter tells
        return _may_call(start, whole)

    def _bare(self, whole: bool | None) -> Iterator[str | Spoken]:
        """Read JSON with which an answer begins: a call when it is one of a known tool."""
        start = len(self._held) - len(self._held.lstrip())
        if self._brackets is None:
            self._brackets = Brackets(start)
        end = self._brackets.end(self._held)
        if end is None and whole is None:
            return
        self._brackets = None
        stop = len(self._held) if end is None else end
        calls = self._weak(self._held[start:stop], whole=end is not None or bool(whole))
        if calls:
            yield from self._call(stop, calls)
        else:
            yield from self._pass(stop)

    def _weak(self, text: str, *, whole: bool) -> list[Spoken] | None:
        """Return the calls in JSON without a mark: only of tools that there are."""
        calls = dialects.of_json(text, self._known, whole=whole)
        return calls if calls and all(call.name in self._known.names for call in calls) else None

    def _call(self, length: int, calls: list[Spoken]) -> Iterator[Spoken]:
        self._held = self._held[length:]
        self._searched, self._called = 0, True
        yield from calls

    def _pass(self, length: int) -> Iterator[str]:
        text, self._held = self._held[:length], self._held[length:]
        self._searched, self._brackets = 0, None
        if not text.strip() and not self._spoken:
            self._gap += "" if self._called else text
        elif not text.strip() and self._called:
            self._gap += text
        elif text:
            self._spoken = True
            text, self._gap = self._gap + text, ""
            yield text


def _begun(text: str) -> int:
    """Return how many characters at the end of a text may be the beginning of a mark."""
    tail = text[-LONGEST:]
    starts = (at for at, letter in enumerate(tail) if letter in "<[`")
    return next((len(tail) - at for at in starts if any(m.startswith(tail[at:]) for m in MARKS)), 0)


def _may_be_info(info: str) -> bool:
    return any(word.startswith(info.strip()) for word in ("json", "tool_calls"))


def _may_call(text: str, whole: bool | None) -> bool:
    """Say whether JSON that begins so may be a call: by its first key, as far as it has come."""
    found = FIRST_KEY.match(text)
    if found is None:
        return whole is None and text.strip() in ("", "[")
    key, behind = found.groups()
    if not behind and whole is None:
        return any(known.startswith(key) for known in FIRST_KEYS)
    return key in FIRST_KEYS


def _outside(text: str) -> bool:
    """Say whether the end of a text lies in none of its values: neither in a string nor in a parameter."""
    start = HEAD.sub("", text).lstrip()
    if start.startswith(("{", "[")):
        scan = Brackets()
        scan.end(start)
        return not scan.quoted
    return text.count("<parameter") <= text.count("</parameter>")
