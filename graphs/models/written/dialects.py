"""The forms in which models write calls into their text, and what stands in each."""

import ast
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from json import dumps, loads
from typing import Any

from artel.graphs.models.written.repair import Unreadable, repaired

NAMES = ("name", "tool", "tool_name", "function", "function_name")
ARGUMENTS = ("arguments", "parameters", "args", "input", "tool_input")
FIRST_KEYS = frozenset({*NAMES, *ARGUMENTS, "tool_calls", "type", "id"})  # with one of these a call begins
UNKNOWN = "unknown"

NAMED = re.compile(r"""["']?(?:tool_)?name["']?\s*:\s*["']([\w.-]{1,64})["']""")
FUNCTION = re.compile(r"<function=[\"']?([\w.-]+)[\"']?\s*>")
PARAMETER = re.compile(
    r"<parameter=[\"']?([\w.-]+)[\"']?\s*>(.*?)(?:</parameter>|(?=<parameter=)|\Z)", re.DOTALL
)
INVOKE = re.compile(r"<invoke\s+name=[\"']?([\w.-]+)[\"']?\s*>")
INVOKED = re.compile(
    r"<parameter\s+name=[\"']?([\w.-]+)[\"']?[^>]*>(.*?)(?:</parameter>|(?=<parameter\s)|\Z)", re.DOTALL
)
GLM = re.compile(r"\s*([\w.-]+)\s*(<arg_key>.*|)\s*\Z", re.DOTALL)
PAIR = re.compile(r"<arg_key>(.*?)</arg_key>\s*<arg_value>(.*?)</arg_value>", re.DOTALL)
DEEPSEEK = re.compile(
    r"<｜tool▁call▁begin｜>(?:function<｜tool▁sep｜>)?([\w.-]+)(?:<｜tool▁sep｜>|\s)\s*(.*?)"
    r"(?:<｜tool▁call▁end｜>|(?=<｜tool▁call▁begin｜>)|\Z)",
    re.DOTALL,
)
MISTRAL = re.compile(r"\s*(?:\[TOOL_CALLS\])?\s*([\w.-]+)\s*(?:\[CALL_ID\][\w-]*)?\s*(?:\[ARGS\])?\s*(?=\{)")
FENCE = re.compile(r"\A```(?:json)?\s*\n?|\s*```\Z")


@dataclass(frozen=True, slots=True)
class Spoken:
    """A call that a model wrote; `args` is JSON, or what stood there when it could not be read."""

    name: str
    args: str


@dataclass(frozen=True)
class Known:
    """The tools that may be called, by name, as OpenAI describes functions: name, description, parameters."""

    tools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def names(self) -> frozenset[str]:
        """Their names."""
        return frozenset(self.tools)

    def read(self, tool: str, parameter: str, text: str, *, lines: bool = False) -> Any:
        """Return a value that stood in a tag, or on `lines` in it: text, unless the schema wants another."""
        parameters = self.tools.get(tool, {}).get("parameters") or {}
        wanted = (parameters.get("properties") or {}).get(parameter) or {}
        kinds = {one.get("type", "") for one in (wanted, *wanted.get("anyOf", ()), *wanted.get("oneOf", ()))}
        text = text.removeprefix("\n").removesuffix("\n") if lines else text
        if "null" in kinds and text.strip() in ("null", "None"):
            return None
        if "string" in kinds or not kinds - {"", "null"}:
            return text
        try:
            return repaired(text.strip())
        except Unreadable:
            return text  # the tool will say what it wants instead


def of_json(text: str, known: Known, *, whole: bool) -> list[Spoken] | None:
    """Return the calls in a JSON text, several in a list or one behind the other; None: it holds none."""
    del known
    try:
        values = list(_values(FENCE.sub("", text.strip()), whole))
    except Unreadable:
        return None
    return _all(call for value in values for call in _of_value(value))


def of_tag(text: str, known: Known, *, whole: bool) -> list[Spoken] | None:
    """Return the calls between `<tool_call>` and its end: JSON, functions as tags, or GLM's pairs."""
    if text.lstrip().startswith("<function="):
        return of_functions(text, known, whole=whole)
    if (found := GLM.match(text)) and found.group(1) not in ("true", "false", "null"):
        pairs = PAIR.findall(found.group(2))
        if PAIR.sub("", found.group(2)).strip():
            return None
        return [_made(found.group(1), {key: known.read(found.group(1), key, value) for key, value in pairs})]
    return of_json(text, known, whole=whole)


def of_functions(text: str, known: Known, *, whole: bool) -> list[Spoken] | None:
    """Return the calls `<function=name>`, with parameters as tags or one JSON object."""
    return _tagged(FUNCTION, PARAMETER, "</function>", text, known, whole=whole)


def of_invokes(text: str, known: Known, *, whole: bool) -> list[Spoken] | None:
    """Return the calls `<invoke name="…">`."""
    return _tagged(INVOKE, INVOKED, "</invoke>", text, known, whole=whole)


def of_mistral(text: str, known: Known, *, whole: bool) -> list[Spoken] | None:
    """Return the calls after `[TOOL_CALLS]`: a JSON list, or names with their arguments behind them."""
    if text.lstrip().startswith(("[", "{")):
        return of_json(text, known, whole=whole)
    calls, at = [], 0
    while found := MISTRAL.match(text, at):
        at = end_of_value(text, found.end()) or len(text)
        calls.append(_argued(found.group(1), text[found.end() : at], whole=whole))
    return _all(calls)


def of_python(text: str, known: Known, *, whole: bool) -> list[Spoken] | None:
    """Return the calls after `<|python_tag|>`: JSON, or calls as Python writes them, in a list or alone."""
    if text.lstrip().startswith("{"):
        return of_json(text, known, whole=whole)
    try:
        tree = ast.parse(text.strip(), mode="eval").body
        calls = tree.elts if isinstance(tree, ast.List) else [tree]
        return [_python(call) for call in calls] or None
    except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
        return of_json(text, known, whole=whole)


def of_deepseek(text: str, known: Known, *, whole: bool) -> list[Spoken] | None:
    """Return the calls in DeepSeek's own marks."""
    del known
    return _all(
        _argued(name, FENCE.sub("", body.strip()), whole=whole) for name, body in DEEPSEEK.findall(text)
    )


def was_meant(text: str) -> bool:
    """Say whether what stands behind a mark was to be a call, readable or not."""
    return not text.strip() or any(letter in text for letter in "{<")


def unreadable(text: str) -> Spoken:
    """Return a call that cannot be read, with its name if that can; its arguments are what stood there."""
    named = NAMED.search(text) or re.search(r"<(?:function=|invoke\s+name=)[\"']?([\w.-]{1,64})", text)
    return Spoken(named.group(1) if named else UNKNOWN, text.strip() or "(nothing)")


def end_of_value(text: str, start: int) -> int | None:
    """Return where the object or list ends that begins at `start`; None: not in this text."""
    scan = Brackets(start)
    return scan.end(text)


class Brackets:
    """Finds the end of a JSON value, also of one that is still coming in."""

    def __init__(self, start: int = 0) -> None:
        self.at, self.depth, self.quoted, self._escaped = start, 0, False, False

    def end(self, text: str) -> int | None:
        """Look at what is new in `text`; return the place after the value, None while it is open."""
        while self.at < len(text):
            letter = text[self.at]
            self.at += 1
            if self._escaped:
                self._escaped = False
            elif self.quoted:
                self._escaped = letter == "\\"
                self.quoted = letter != '"'
            elif letter == '"':
                self.quoted = True
            elif letter in "{[":
                self.depth += 1
            elif letter in "}]":
                self.depth -= 1
                if self.depth <= 0:
                    return self.at
        return None


def _values(text: str, whole: bool) -> Iterator[Any]:
    """Yield the value, or several that stand behind one another."""
    try:
        yield repaired(text, whole=whole)
    except Unreadable:
        at, found = 0, []
        while at < len(text):
            end = end_of_value(text, at)
            if end is None:
                raise
            found.append(repaired(text[at:end]))
            at = end + len(text[end:]) - len(text[end:].lstrip(" \t\r\n;,"))
        yield from found


def _of_value(value: Any) -> Iterator[Spoken | None]:
    if isinstance(value, list):
        for one in value:
            yield from _of_value(one)
    elif not isinstance(value, dict):
        yield None
    elif isinstance(value.get("tool_calls"), list):
        yield from _of_value(value["tool_calls"])
    elif isinstance(value.get("function"), dict):
        yield from _of_value(value["function"])
    else:
        yield _of_object(value)


def _of_object(value: dict[str, Any]) -> Spoken | None:
    name = next((value[key] for key in NAMES if isinstance(value.get(key), str)), None)
    if not name:
        return None
    given: Any = next((value[key] for key in ARGUMENTS if key in value), None)
    if isinstance(given, str):  # JSON inside of JSON
        try:
            inner = repaired(given) if given.strip() else {}
        except Unreadable:
            return Spoken(name, given)
        given = inner
    if given is None:
        return _made(name, {}) if set(value) <= {*NAMES, *ARGUMENTS, "type", "id"} else None
    return _made(name, given) if isinstance(given, dict) else Spoken(name, dumps(given))


def _tagged(
    heads: re.Pattern[str], parameters: re.Pattern[str], closer: str, text: str, known: Known, *, whole: bool
) -> list[Spoken] | None:
    made: list[Spoken | None] = []
    at = 0
    while head := heads.search(text, at):
        name, start = head.group(1), head.end()
        if text[start:].lstrip().startswith("{"):
            at = end_of_value(text, start) or len(text)
            made.append(_argued(name, text[start:at], whole=whole))
            continue
        end = _end_of_values(text, start, closer)
        following = heads.search(text, start)
        at = end if end is not None else following.start() if following else len(text)
        pairs = parameters.findall(text[start:at])
        if parameters.sub("", text[start:at]).strip() or (end is None and not _closed(text[start:at])):
            made.append(None)
        else:
            lines = heads is FUNCTION  # where each value stands on lines of its own
            given = {key: known.read(name, key, value, lines=lines) for key, value in pairs}
            made.append(_made(name, given))
    return _all(made)


def _end_of_values(text: str, start: int, closer: str) -> int | None:
    """Return where the closing tag stands that is in none of the values."""
    first = at = text.find(closer, start)
    while at >= 0 and not _closed(text[start:at]):
        at = text.find(closer, at + 1)
    found = at if at >= 0 else first
    return found if found >= 0 else None


def _closed(body: str) -> bool:
    return body.count("<parameter") <= body.count("</parameter>")


def _all(found: Iterable[Spoken | None]) -> list[Spoken] | None:
    """Return the calls when there are some and each could be read."""
    calls = list(found)
    whole = [call for call in calls if call is not None]
    return whole if whole and len(whole) == len(calls) else None


def _argued(name: str, body: str, *, whole: bool) -> Spoken | None:
    try:
        given = repaired(body.strip(), whole=whole) if body.strip() else {}
    except Unreadable:
        return None
    return _made(name, given) if isinstance(given, dict) else None


def _python(call: ast.expr) -> Spoken:
    if not isinstance(call, ast.Call) or call.args:
        raise ValueError("no call with names for its arguments")
    target = call.func
    if isinstance(target, ast.Attribute) and target.attr == "call":
        target = target.value
    if not isinstance(target, ast.Name) or not all(one.arg for one in call.keywords):
        raise ValueError("no plain call")
    given = {str(one.arg): ast.literal_eval(one.value) for one in call.keywords}
    return _made(target.id, loads(dumps(given)))


def _made(name: str, given: Mapping[str, Any]) -> Spoken:
    return Spoken(name, dumps(given, ensure_ascii=False))
