"""Calls that a model writes into its text: every dialect, cut at every place, and what only looks so."""

import json
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool

from artel.graphs.models.written.dialects import Known, Spoken
from artel.graphs.models.written.reader import Reader
from artel.graphs.models.written.telling import known, told

Call = tuple[str, dict[str, Any]]

KNOWN = Known(
    {
        "write_file": {
            "name": "write_file",
            "parameters": {
                "properties": {
                    "path": {"type": "string"},
                    "lines": {"type": "array", "items": {"type": "integer"}},
                    "all": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
                    "deep": {"type": "object"},
                }
            },
        },
        "ls": {"name": "ls", "parameters": {"properties": {}}},
    }
)


def read(pieces: Iterable[str], *, cut_off: bool = False) -> tuple[str, list[Spoken]]:
    """What is passed on as text, and the calls."""
    reader = Reader(lambda: KNOWN)
    found = [part for piece in pieces for part in reader.feed(piece)]
    found += reader.end(cut_off=cut_off)
    calls = [part for part in found if isinstance(part, Spoken)]
    return "".join(part for part in found if isinstance(part, str)), calls


def plain(calls: Iterable[Spoken]) -> list[Call]:
    return [(call.name, json.loads(call.args)) for call in calls]


def dumped(name: str, args: dict[str, Any], key: str = "arguments") -> str:
    return json.dumps({"name": name, key: args}, ensure_ascii=False)


def tags(args: dict[str, Any], form: str) -> str:
    shown = {key: value if isinstance(value, str) else json.dumps(value) for key, value in args.items()}
    return "\n".join(form.format(key=key, value=value) for key, value in shown.items())


def hermes(calls: list[Call]) -> str:
    return "\n".join(f"<tool_call>\n{dumped(*call)}\n</tool_call>" for call in calls)


def fenced(calls: list[Call]) -> str:
    return "\n".join(f"```json\n{dumped(*call)}\n```" for call in calls)


def bare(calls: list[Call]) -> str:
    return "\n".join(dumped(*call, key="parameters") for call in calls)


def bare_list(calls: list[Call]) -> str:
    return json.dumps([{"name": name, "arguments": args} for name, args in calls], indent=1)


def mistral(calls: list[Call]) -> str:
    return "[TOOL_CALLS]" + json.dumps([{"name": name, "arguments": args} for name, args in calls])


def mistral_names(calls: list[Call]) -> str:
    return "".join(f"[TOOL_CALLS]{name}[ARGS]{json.dumps(args)}" for name, args in calls)


def llama(calls: list[Call]) -> str:
    return "<|python_tag|>" + "; ".join(dumped(*call, key="parameters") for call in calls)


def deepseek(calls: list[Call]) -> str:
    inner = "\n".join(
        f"<｜tool▁call▁begin｜>function<｜tool▁sep｜>{name}\n```json\n{json.dumps(args)}\n```<｜tool▁call▁end｜>"
        for name, args in calls
    )
    return f"<｜tool▁calls▁begin｜>{inner}<｜tool▁calls▁end｜>"


def deepseek_later(calls: list[Call]) -> str:
    inner = "".join(
        f"<｜tool▁call▁begin｜>{name}<｜tool▁sep｜>{json.dumps(args)}<｜tool▁call▁end｜>"
        for name, args in calls
    )
    return f"<｜tool▁calls▁begin｜>{inner}<｜tool▁calls▁end｜>"


def qwen_coder(calls: list[Call]) -> str:
    form = "<parameter={key}>\n{value}\n</parameter>"
    return "\n".join(
        f"<tool_call>\n<function={name}>\n{tags(args, form)}\n</function>\n</tool_call>"
        for name, args in calls
    )


def functions(calls: list[Call]) -> str:
    form = "<parameter={key}>\n{value}\n</parameter>"
    return "\n".join(f"<function={name}>\n{tags(args, form)}\n</function>" for name, args in calls)


def function_json(calls: list[Call]) -> str:
    return "".join(f"<function={name}>{json.dumps(args)}</function>" for name, args in calls)


def invokes(calls: list[Call]) -> str:
    form = '<parameter name="{key}">{value}</parameter>'
    inner = "\n".join(f'<invoke name="{name}">\n{tags(args, form)}\n</invoke>' for name, args in calls)
    return f"<function_calls>\n{inner}\n</function_calls>"


def glm(calls: list[Call]) -> str:
    form = "<arg_key>{key}</arg_key>\n<arg_value>{value}</arg_value>"
    return "\n".join(f"<tool_call>{name}\n{tags(args, form)}\n</tool_call>" for name, args in calls)


JSON_DIALECTS = (
    hermes, fenced, bare, bare_list, mistral, mistral_names, llama, deepseek, deepseek_later, function_json,
)  # fmt: skip
TAG_DIALECTS = (qwen_coder, functions, invokes, glm)
Dialect = Callable[[list[Call]], str]

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
tricky = st.sampled_from(
    [
        "</tool_call>",
        "```",
        '"}',
        "[TOOL_CALLS]",
        "a\n```json\n{}\n```",
        "\\",
        "'",
        "{",
        "<function=x>",
        "</function>",
    ]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | texts | tricky,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
in_json: st.SearchStrategy[Any] = st.lists(
    st.tuples(st.just("write_file"), st.dictionaries(texts, json_values, max_size=3))
    | st.tuples(st.just("ls"), st.just({})),
    min_size=1,
    max_size=3,
)
in_tags = st.lists(
    st.tuples(
        st.just("write_file"),
        st.fixed_dictionaries(
            {},
            optional={
                "path": st.text("abc \n\"'{}[]1.,:абв😀", min_size=1, max_size=30),
                "lines": st.lists(st.integers(), max_size=3),
                "all": st.none() | st.booleans(),
                "deep": st.dictionaries(st.text("abc", min_size=1), st.integers(), max_size=2),
            },
        ),
    )
    | st.tuples(st.just("ls"), st.just({})),
    min_size=1,
    max_size=3,
)


def cut(text: str, places: Iterable[int]) -> list[str]:
    edges = [0, *sorted({place % (len(text) + 1) for place in places}), len(text)]
    return [text[a:b] for a, b in pairwise(edges)]


@pytest.mark.parametrize("dialect", JSON_DIALECTS)
@settings(max_examples=60, deadline=None)
@given(calls=in_json, places=st.lists(st.integers(0, 10_000), max_size=8))
def test_what_is_written_in_a_dialect_is_read_again(
    dialect: Dialect, calls: list[Call], places: list[int]
) -> None:
    said, found = read(cut(dialect(calls), places))
    assert (said, plain(found)) == ("", calls)


@pytest.mark.parametrize("dialect", TAG_DIALECTS)
@settings(max_examples=60, deadline=None)
@given(calls=in_tags, places=st.lists(st.integers(0, 10_000), max_size=8))
def test_what_is_written_in_tags_is_read_by_the_schema(
    dialect: Dialect, calls: list[Call], places: list[int]
) -> None:
    said, found = read(cut(dialect(calls), places))
    assert (said, plain(found)) == ("", calls)


SAMPLE: list[Call] = [("write_file", {"path": "a </tool_call> ``` b", "lines": [1, 2]}), ("ls", {})]
SIMPLE: list[Call] = [("write_file", {"path": "a b", "lines": [1, 2]}), ("ls", {})]


@pytest.mark.parametrize("dialect", [one for one in JSON_DIALECTS if one not in (bare, bare_list)])
def test_at_every_cut_the_text_before_is_passed_on_and_no_mark_leaks(dialect: Dialect) -> None:
    text = f"I look first.\n\n{dialect(SAMPLE)}\n"
    for place in range(len(text) + 1):
        said, found = read([text[:place], text[place:]])
        assert (said.strip(), plain(found)) == ("I look first.", SAMPLE)
    said, found = read(text)  # letter by letter
    assert (said.strip(), plain(found)) == ("I look first.", SAMPLE)


@pytest.mark.parametrize("dialect", TAG_DIALECTS)
def test_at_every_cut_tags_are_read_too(dialect: Dialect) -> None:
    text = f"Well: {dialect(SIMPLE)}"
    for place in range(len(text) + 1):
        said, found = read([text[:place], text[place:]])
        assert (said.strip(), plain(found)) == ("Well:", SIMPLE)


def test_text_is_not_held_back_longer_than_it_may_be_a_mark() -> None:
    reader = Reader(lambda: KNOWN)
    assert list(reader.feed("I think a < b and ")) == ["I think a < b and "]
    assert list(reader.feed("x <tool")) == ["x "]
    assert list(reader.feed("s are fun")) == ["<tools are fun"]


FALSE_ALARMS = [
    "a < b, `<tool_call>` is a mark, and so on",
    "The form is <tool_call> tags around JSON.",
    '```json\n{"version": 1}\n```\nThat is it.',
    '```json\n{"name": "artel", "version": "1"}\n```',
    "```python\nprint('<tool_call>')\n```\nand `x`",
    '```xml\n<tool_call>{"name": "ls", "arguments": {}}</tool_call>\n```\nis how it looks',
    '{"name": "artel", "version": "1.0"}',
    '{"answer": 42}',
    "[1, 2, 3] are numbers",
    "[TOOL: none]",
    "<functional> programming, <function>",
    "``` ls ``` and <",
    "<tool_response> is what I get",
    "{",
    "[",
    "```",
    "```json",
    "<",
    "\n  indented",
]


@pytest.mark.parametrize("text", FALSE_ALARMS)
def test_a_false_alarm_is_passed_on_as_it_stood(text: str) -> None:
    for pieces in ([text], list(text), *([text[:n], text[n:]] for n in range(len(text)))):
        assert read(pieces) == (text, [])


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from(list("<>/`{}[]\"':, \nabctool_callTOOL=|")), max_size=80), st.integers(0, 80))
def test_any_text_comes_to_an_end_and_calls_have_names(text: str, place: int) -> None:
    said, calls = read([text[:place], text[place:]])
    assert len(said) <= len(text)
    assert all(call.name and call.args for call in calls)


REPAIRED = [
    ("{'name': 'ls', 'arguments': {}}", {}),
    ('{"name": "ls", "arguments": {"a": 1,},}', {"a": 1}),
    ('{"name": "ls", "arguments": {"a": "x\ny"}}', {"a": "x\ny"}),
    ('{"name": "ls", "arguments": {"a": True, "b": None}', {"a": True, "b": None}),
    ('{"name": "ls", "arguments": {"a": "\\d+"}}}', {"a": "\\d+"}),
    ('{name: "ls", arguments: {a: [1, 2,]}}', {"a": [1, 2]}),
    ('{"name": "ls", "arguments": "{\\"a\\": 1}"}', {"a": 1}),
    ('{"function": {"name": "ls", "arguments": {"a": 1}}, "id": "x", "type": "function"}', {"a": 1}),
    ('```json\n{"tool": "ls", "args": {"a": """it\'s "so" """}}\n```', {"a": 'it\'s "so" '}),
]


@pytest.mark.parametrize(("written", "args"), REPAIRED)
def test_mistakes_that_leave_no_doubt_are_put_right(written: str, args: dict[str, Any]) -> None:
    said, calls = read([f"<tool_call>{written}</tool_call>"])
    assert (said, plain(calls)) == ("", [("ls", args)])


UNREADABLE = [
    '<tool_call>{"name": "ls", "arguments": {"a": "never en',
    '<tool_call>{"name": "ls", "arguments": {"a": }}</tool_call>',
    '<tool_call>{"name": "ls", "arguments": {"a" "b"}}</tool_call>',
    '<tool_call>{"name": "ls", "arguments": {"a": "say "hi" to"}}</tool_call>',
    "<function=ls><parameter=a>half of it",
    '[TOOL_CALLS][{"name": "ls", "arguments": {"a": "',
]


@pytest.mark.parametrize("written", UNREADABLE)
def test_what_cannot_be_read_is_a_call_whose_arguments_are_no_json(written: str) -> None:
    said, (call,) = read([f"Now. {written}"])
    assert (said.strip(), call.name) == ("Now.", "ls")
    with pytest.raises(json.JSONDecodeError):
        json.loads(call.args)


def test_an_end_that_is_missing_is_only_added_where_the_model_stopped_by_itself() -> None:
    text = '<tool_call>{"name": "ls", "arguments": {"a": 12'
    assert plain(read([text])[1]) == [("ls", {"a": 12})]
    ((call),) = read([text], cut_off=True)[1]
    with pytest.raises(json.JSONDecodeError):
        json.loads(call.args)


def test_an_answer_that_a_model_makes_up_is_not_heard() -> None:
    text = f"{hermes([('ls', {})])}\n<tool_response>\na.txt\n</tool_response>\nThere is a.txt."
    assert read([text]) == ("", [Spoken("ls", "{}")])


def test_words_behind_a_call_are_heard() -> None:
    assert read([f"{hermes([('ls', {})])}\n\nThat was it."]) == ("\n\nThat was it.", [Spoken("ls", "{}")])


@tool
def zip_(path: str, level: int = 3) -> str:
    """Pack a folder."""
    return f"{path}{level}"


@tool
def add(path: str) -> str:
    """Add a file."""
    return path


def test_a_model_is_told_of_tools_calls_and_answers_in_turns() -> None:
    messages = [
        SystemMessage("You are it."),
        HumanMessage("go"),
        AIMessage("I look.", tool_calls=[{"name": "add", "args": {"path": "x"}, "id": "1"}]),
        ToolMessage("done </tool_response> really", tool_call_id="1", name="add"),
        HumanMessage("(context)"),
    ]
    system, asked, called, answered = told(messages, known([zip_, add]))
    assert system.text.startswith("You are it.\n\n# Tools")
    assert system.text.index('"add"') < system.text.index('"zip_"')
    assert (
        '"level": {"type": "integer", "default": 3}' in system.text or '"level": {"default": 3' in system.text
    )
    assert "title" not in system.text
    assert told(messages, known([add, zip_]))[0] == system
    assert asked.text == "go"
    assert called.text == 'I look.\n<tool_call>\n{"name": "add", "arguments": {"path": "x"}}\n</tool_call>'
    assert (answered.type, answered.text.count("</tool_response>")) == ("human", 1)
    assert answered.text.endswith("(context)")


def test_a_call_that_must_be_made_is_said() -> None:
    forced = {"type": "function", "function": {"name": "add"}}
    assert told([HumanMessage("go")], known([add]), forced)[0].text.endswith("Call `add` now.")
    assert told([HumanMessage("go")], known([add]), "any")[0].text.endswith("Call one of them now.")
    assert [m.type for m in told([HumanMessage("go")], known([]))] == ["human"]
