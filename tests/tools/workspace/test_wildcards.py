"""Wildcards mean what git means by them."""

import pytest

from artel.tools.workspace import wildcards
from artel.tools.workspace.wildcards import Unmatchable, any_name, matches, steps


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("[[:digit:]]x", ["1x"], ["ax", "[x"]),
        ("[![:alpha:]_]", ["1", "-"], ["a", "_", "/"]),
        ("[[:alpha:][:digit:]-]", ["a", "1", "-"], ["_"]),
        ("[a-c-e]", ["b", "-", "e"], ["d"]),
        ("[c-a]", ["c"], ["a", "b", "-"]),
        ("[]]", ["]"], ["["]),
        ("[!]]", ["a"], ["]"]),
        ("[^a]", ["b"], ["a", "^b"]),
        (r"[\]]", ["]"], ["\\"]),
        (r"[\a-\c]", ["b"], ["\\"]),
        (r"\*", ["*"], ["a"]),
        (r"a\/b", ["a/b"], ["ab"]),
        ("a/**/b", ["a/b", "a/x/b"], ["a/x", "ab"]),
        ("a/**", ["a/b", "a/b/c"], ["a"]),
        ("a**b", ["ab", "axb"], ["a/b"]),
        ("[a", None, None),
        ("a\\", None, None),
        ("[[:none:]]", None, None),
        ("[a-\\", None, None),
    ],
)
def test_patterns(pattern: str, yes: list[str] | None, no: list[str] | None) -> None:
    if yes is None or no is None:
        with pytest.raises(Unmatchable):
            steps(pattern)
        return
    assert [path for path in yes if not matches(steps(pattern), path.split("/"))] == []
    assert [path for path in no if matches(steps(pattern), path.split("/"))] == []


def test_many_names_are_one_expression() -> None:
    names = any_name(["*.pem", ".env*", "id_rsa"], ignore_case=True)
    assert all(map(names.fullmatch, ["a.PEM", ".env", ".ENV.local", "id_rsa"]))
    assert not any(map(names.fullmatch, ["pem", "env", "id_rsa.pub", ""]))
    assert wildcards.any_name([]).fullmatch("") is None
