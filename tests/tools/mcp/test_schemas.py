"""What servers say of their tools is made harmless before a model reads it."""

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.errors import ToolRefused
from artel.tools.mcp.schemas import (
    MAX_SCHEMA,
    MAX_TOOL_NAME,
    SchemaWrong,
    check,
    described,
    exposed,
    fingerprint,
    sound,
)

TEXT = {"type": "string"}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4),
)
WORDS = st.sampled_from(
    ["type", "properties", "$ref", "allOf", "items", "enum", "required", "not", "$defs", "a"]
)


def of(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties}


@given(st.text(max_size=200))
def test_every_name_is_one_that_providers_take(tool: str) -> None:
    name = exposed("core", tool)
    assert len(name) <= MAX_TOOL_NAME
    assert name.isascii()
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
    assert exposed("core", tool) == name


def test_long_names_that_begin_alike_stay_apart() -> None:
    assert exposed("core", "a" * 99 + "b") != exposed("core", "a" * 99 + "c")


def test_hidden_characters_are_written_out() -> None:
    assert described("a\u200bb\u202e\x1b[1m\U000e0041\nc") == "a\\u200bb\\u202e\\x1b[1m\\U000e0041\nc"
    assert sound(of(a={**TEXT, "description": "x\u2060y"}))["properties"]["a"]["description"] == "x\\u2060y"


def test_references_are_written_out() -> None:
    schema = of(
        a={"$ref": "#/$defs/Asset", "description": "Which."},
        b={"type": "array", "items": {"$ref": "#/$defs/x~1y"}},
    )
    schema["$defs"] = {"Asset": of(name=TEXT), "x/y": TEXT}
    properties = sound(schema)["properties"]
    assert properties["a"] == {**of(name=TEXT), "description": "Which."}
    assert properties["b"] == {"type": "array", "items": TEXT}


@pytest.mark.parametrize(
    "ref", ["#", "#/properties/a", "http://169.254.169.254/", "file:///etc/passwd", "#/nowhere", "#a"]
)
def test_a_reference_that_leads_nowhere_good_takes_anything(ref: str) -> None:
    schema = sound(of(a={"$ref": ref}))
    assert schema["properties"]["a"] in ({}, {"type": "object", "properties": {"a": {}}})
    check(schema, {"a": ["anything"]} if schema["properties"]["a"] == {} else {"a": {}})


def test_references_that_grow_are_refused_at_once() -> None:
    defs = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 9} for n in range(20)}
    began = time.monotonic()
    with pytest.raises(SchemaWrong, match="more than 2000 parts"):
        sound({"type": "object", "$defs": defs, "$ref": "#/$defs/d0"})
    assert time.monotonic() - began < 1


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({}, "of type None, not object"),
        ({"type": "array"}, "of type 'array'"),
        (of(a={"type": "strnig"}), "its schema is none"),
        (of(a={"minimum": "x"}), "its schema is none"),
        (of(**{"x" * 65: TEXT}), "models cannot be sent its argument"),
        (of(**{"a\u200b": TEXT}), r"its argument 'a\\\\u200b'"),
        (
            of(**{f"a{n}": {**TEXT, "description": "x" * 90} for n in range(100)}),
            f"models are sent {MAX_SCHEMA} at most",
        ),
        ({"type": "object", "required": "a"}, "its schema is none"),
    ],
)
def test_a_schema_that_nobody_can_use_is_refused(schema: dict[str, Any], said: str) -> None:
    with pytest.raises(SchemaWrong, match=said):
        sound(schema)


@given(st.dictionaries(WORDS, st.dictionaries(WORDS, JSON, max_size=4) | JSON, max_size=5), JSON)
def test_no_schema_and_no_arguments_do_harm(schema: dict[str, Any], value: Any) -> None:
    with suppress(SchemaWrong, ToolRefused):
        check(sound({**schema, "type": "object"}), {"a": value})


def test_expressions_of_strangers_are_not_run() -> None:
    began = time.monotonic()
    check(sound(of(a={**TEXT, "pattern": "(a+)+$"})), {"a": "a" * 60 + "!"})
    assert time.monotonic() - began < 1


def test_a_fingerprint_changes_with_all_that_a_model_is_told() -> None:
    base = ("add", "Adds.", of(a=TEXT), {"read_only_hint": True})
    others = [
        ("add2", *base[1:]),
        (base[0], "Adds!", *base[2:]),
        (*base[:2], of(a=TEXT, b=TEXT), base[3]),
        (*base[:3], {"read_only_hint": False}),
    ]
    assert len({fingerprint(*one) for one in (base, *others)}) == 5
