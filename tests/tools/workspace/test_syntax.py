"""New syntax errors are told, old ones are not."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from artel.tools.workspace import syntax

GOOD_AND_BAD = {
    "a.py": ("def f():\n    return 1\n", "def f(:\n    return 1\n"),
    "a.js": ("function f() { return 1 }\n", "function f( { return 1 \n"),
    "a.ts": ("const x: number = 1;\n", "const x: = = 1;\n"),
    "a.tsx": ("const a = <div>x</div>;\n", "const a = <div>x</dv;\n"),
    "a.json": ('{"a": [1, 2]}\n', '{"a": [1, 2}\n'),
    "a.go": ("package main\nfunc main() {}\n", "package main\nfunc main( {}\n"),
    "a.rs": ("fn main() { let x = 1; }\n", "fn main( { let x = 1; }\n"),
    "a.java": ("class A { int x = 1; }\n", "class A { int x = ; }\n"),
    "a.c": ("int main(void) { return 0; }\n", "int main(void { return 0; }\n"),
    "a.cpp": ("class A { int x; };\n", "class A { int x }}};\n"),
    "a.cs": ("class A { int x = 1; }\n", "class A { int x = ; }\n"),
    "a.rb": ("def f\n  1\nend\n", "def f\n  (1\nend\n"),
    "a.php": ("<?php echo 1;\n", "<?php echo (1;\n"),
    "a.sh": ("if true; then echo a; fi\n", "if true; then echo a\n"),
    "a.css": ("a { color: red; }\n", "a { color: red; \n"),
    "a.toml": ('a = "b"\n', 'a = "b\n'),
    "a.yaml": ("a: [1, 2]\n", "a: [1, 2\n"),
}


@pytest.mark.parametrize("path", GOOD_AND_BAD)
def test_breaking_a_file_is_told_in_every_language(path: str) -> None:
    good, bad = GOOD_AND_BAD[path]
    assert syntax.introduced(path, "", good) == ()
    assert syntax.introduced(path, good, bad) != ()


def test_an_error_that_was_there_is_not_told_again() -> None:
    broken = "def f(:\n    pass\n"
    assert syntax.introduced("a.py", broken, "x = 1\n" + broken) == ()
    assert syntax.introduced("a.py", broken, broken + "class :\n") != ()


def test_the_line_is_named() -> None:
    assert syntax.introduced("a.py", "", "a = 1\nb = (\n")[0].startswith("line 2: ")


def test_what_we_cannot_parse_is_left_alone() -> None:
    assert syntax.introduced("a.txt", "", "((((") == ()
    assert syntax.introduced("a.py", "", "(" * (syntax.MAX_BYTES + 1)) == ()


def test_grammars_are_not_loaded_before_the_first_edit() -> None:
    source = Path(syntax.__file__).read_text()
    assert "\nimport tree_sitter" not in source
    assert "\nfrom tree_sitter" not in source
    assert syntax.__name__ in sys.modules


@pytest.mark.parametrize("nested", ["(" * 50_000, "[" * 100_000 + "]" * 100_000, "{" * 100_000, "\ud800 = ("])
def test_odd_sources_do_not_hurt(nested: str) -> None:
    syntax.introduced("a.py", "", nested)
    syntax.introduced("a.json", "", nested)


def test_a_change_that_is_planned_again_is_not_parsed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []
    real = syntax._errors

    def errors(language: str, source: str) -> Iterator[tuple[int, str]]:
        parsed.append(source)
        return real(language, source)

    monkeypatch.setattr(syntax, "_errors", errors)
    monkeypatch.setattr(syntax, "_told", {})
    broken = syntax.introduced("a.py", "x = 1\n", "x = (\n")
    assert broken
    assert syntax.introduced("a.py", "x = 1\n", "x = (\n") == broken
    assert parsed == ["x = (\n", "x = 1\n"]
    assert syntax.introduced("a.py", "x = 1\n", "x = 2\n") == ()
    syntax.introduced("a.json", "x = 1\n", "x = (\n")
    assert len(parsed) == 5
    for number in range(300):
        syntax.introduced("a.py", "", f"x = {number}\n")
    assert len(syntax._told) <= syntax.REMEMBERED


def test_what_would_crash_a_grammar_is_not_shown_to_it() -> None:
    assert syntax.introduced("A.java", "", "a<\n" * 50_000) == ()
    assert syntax.introduced("A.java", "a<\n" * 50_000, "class A {}\n") == ()
    assert syntax.introduced("a.html", "", "<p>a < b</p>\n" * 1_000) == ()
