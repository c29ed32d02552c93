"""A handler's filter means in Postgres what it means in Python, whatever characters are in it."""

from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.types.json import Jsonb

from artel.server.auth.filters import FilterWrong, predicate

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8) | st.sampled_from(
    [
        '"',
        "\\",
        '\\"',
        "$",
        "$.owner",
        '" || true || "',
        "@",
        "*",
        "\n",
        "\x1f",
        "\x7f",
        "ä",
        "👍",
        "'",
        "/",
        "{}",
    ]
)
PLAIN = TEXTS | st.integers(-(2**40), 2**40) | st.booleans() | st.none()
NAMES = TEXTS.filter(lambda name: not name.startswith("$"))


def matches(dsn: str, metadata: Any, asked: dict[str, Any]) -> bool:
    with psycopg.connect(dsn) as conn:
        row = conn.execute("select %s::jsonb @@ %s::jsonpath", (Jsonb(metadata), predicate(asked))).fetchone()
        return bool(row and row[0])


@pytest.mark.parametrize(
    ("metadata", "asked", "seen"),
    [
        ({"owner": "a"}, {"owner": "a"}, True),
        ({"owner": "a"}, {"owner": {"$eq": "a"}}, True),
        ({"owner": "b"}, {"owner": "a"}, False),
        ({}, {"owner": "a"}, False),
        ({"owner": ["a", "b"]}, {"owner": "a"}, False),
        ({"owner": None}, {"owner": "a"}, False),
        ({"owner": "1"}, {"owner": 1}, False),
        ({"owner": 1}, {"owner": 1}, True),
        ({"owner": True}, {"owner": True}, True),
        ({"owner": None}, {"owner": None}, True),
        ({}, {"owner": None}, False),
        ({"of": ["a", "b"]}, {"of": {"$contains": "a"}}, True),
        ({"of": ["a", "b"]}, {"of": {"$contains": ["b", "a"]}}, True),
        ({"of": ["a", "b"]}, {"of": {"$contains": ["a", "c"]}}, False),
        ({"of": "a"}, {"of": {"$contains": "a"}}, False),
        ({}, {"of": {"$contains": "a"}}, False),
        ({"of": []}, {"of": {"$contains": []}}, True),
        ({"of": [["a"]]}, {"of": {"$contains": "a"}}, False),
        ({"owner": "a", "of": ["x"]}, {"owner": "a", "of": {"$contains": "x"}}, True),
        ({"owner": "a", "of": ["x"]}, {"owner": "b", "of": {"$contains": "x"}}, False),
        ({"shared": True}, {"$or": [{"owner": "a"}, {"shared": True}]}, True),
        ({"owner": "a"}, {"$or": [{"owner": "a"}, {"shared": True}]}, True),
        ({"owner": "b"}, {"$or": [{"owner": "a"}, {"shared": True}]}, False),
        ({"owner": "a", "team": 1}, {"$and": [{"owner": "a"}, {"team": 1}]}, True),
        ({"owner": "a", "team": 2}, {"$and": [{"owner": "a"}, {"team": 1}]}, False),
        ({"team": 1}, {"$or": [{"owner": "a", "team": 2}, {"team": 1}]}, True),
    ],
)
def test_a_filter_says_who_sees_what(dsn: str, metadata: Any, asked: dict[str, Any], seen: bool) -> None:
    assert matches(dsn, metadata, asked) is seen


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=NAMES, value=PLAIN, other=PLAIN)
def test_no_character_changes_what_is_asked(dsn: str, name: str, value: Any, other: Any) -> None:
    is_same = type(value) is type(other) and value == other
    cases: list[tuple[dict[str, Any], bool]] = [
        ({name: value}, True),
        ({name: other}, is_same),
        ({f"{name}!": value}, False),
    ]
    with psycopg.connect(dsn) as conn:
        for metadata, expected in cases:
            row = conn.execute(
                "select %s::jsonb @@ %s::jsonpath, %s::jsonb @@ %s::jsonpath",
                (
                    Jsonb(metadata),
                    predicate({name: value}),
                    Jsonb({key: [one] for key, one in metadata.items()}),
                    predicate({name: {"$contains": [value]}}),
                ),
            ).fetchone()
            assert row is not None
            assert [bool(one) for one in row] == [expected, expected]


@pytest.mark.parametrize(
    "asked",
    [
        {"owner": {"$gt": "a"}},
        {"owner": {}},
        {"owner": {"$eq": {"deep": 1}}},
        {"owner": ["a"]},
        {"owner": "a\0"},
        {"owner": "\ud800"},
        {"owner": float("nan")},
        {"$not": [{"owner": "a"}]},
        {"$or": []},
        {"$or": [{}]},
        {"$or": {"owner": "a"}},
        {1: "a"},
    ],
)
def test_a_filter_that_says_nothing_lets_nobody_through(asked: dict[str, Any]) -> None:
    with pytest.raises(FilterWrong):
        predicate(asked)


def test_an_empty_filter_is_none() -> None:
    assert predicate({}) is None
