"""Patterns are Python's, line by line, in both engines."""

import contextlib
import re
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from artel.tools.workspace.dialects import BadPattern
from artel.tools.workspace.pattern import compiled


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ("(", "missing ), unterminated subpattern at character 1"),
        ("ab[", "unterminated character set at character 3"),
        ("a**", "multiple repeat at character 3"),
        ("*a", "nothing to repeat at character 1"),
        (r"\1", "invalid group reference 1 at character 2"),
        ("(?<=a+)b", "look-behind requires fixed-width pattern"),
        ("a{5,2}", "min repeat greater than max repeat at character 3"),
        ("", "1 to 1000 characters, got 0"),
        ("x" * 1001, "got 1001"),
        ("a{99999999999999}", "regular expression"),
        ("(" * 400 + ")" * 400, "regular expression|searched"),
        ("\ud800", "regular expression"),
        ("(?a:x)", "not supported"),
    ],
)
def test_what_is_no_pattern_is_refused_with_its_position(wanted: str, says: str) -> None:
    with pytest.raises(BadPattern, match=re.escape(says) if "|" not in says else says):
        compiled(wanted)


@pytest.mark.parametrize("literal", ["a+b", "(", "[x", "\\", "$^", "a{1}"])
def test_a_literal_is_taken_literally(literal: str) -> None:
    assert compiled(literal, literal=True).compiled.search(f"x{literal}y")


@pytest.mark.parametrize(
    ("wanted", "literal"),
    [
        ("hello", "hello"),
        (r"def \w+\(self", "(self"),
        (r"(abc)?de", "de"),
        (r"(?:abc)+de", "abc"),
        ("abc|def", ""),
        ("(?i)abc", ""),
        ("a(?i:b)c", ""),
        (r"\d+", ""),
        ("x{0,3}yy", "yy"),
    ],
)
def test_the_literal_part_is_in_every_match(wanted: str, literal: str) -> None:
    assert compiled(wanted).literal == literal


ATOMS = st.sampled_from(
    [
        *(
            "a",
            "b",
            "i",
            "I",
            "K",
            "s",
            ".",
            r"\w",
            r"\W",
            r"\d",
            r"\D",
            r"\s",
            r"\S",
            r"\b",
            r"\B",
            "^",
            "$",
        ),
        *(
            "[ab]",
            "[^a]",
            r"[^\w]",
            r"[\W_]",
            r"[\s,]",
            r"[^\S]",
            r"[\D]",
            "[a-z]",
            "[^a-z]",
            r"\A",
            r"\Z",
            "й",
        ),
        *(
            "(a)",
            "(?:b|a)",
            "(?=a)",
            "(?!b)",
            "(?<=a)",
            "(?<!b)",
            "(?>a+)",
            "(a)?b",
            "(?i:a)",
            r"\{",
            "{",
            "}",
            "-",
        ),
        *(
            r"\x41",
            r"\n",
            r"[\n]",
            r"[^\n]",
            "[\\x00-\\x7f]",
            "(?P<n>a)(?P=n)",
            "(a)?(?(1)b|i)",
            r"\r",
            "~",
            "&&",
            "[&-~]",
        ),
    ]
)
SUFFIX = st.sampled_from(["", "", "", "*", "+", "?", "*?", "{2}", "{1,2}", "++"])
PATTERNS = st.lists(st.tuples(ATOMS, SUFFIX), min_size=1, max_size=4).map(
    lambda pairs: "".join(a + s for a, s in pairs)
)
# Elsewhere `regex` follows Unicode (a combining mark is a word character, ² is none) and `re` its own ways
AGREED = "aAbiIKksſ é1_-,.{}\t\x0bйЙ\u3000"
LINES = st.lists(st.text(alphabet=AGREED, max_size=6), min_size=1, max_size=4)
ODD_LINES = st.lists(
    st.text(alphabet=AGREED + "İı²\u0306\x1c\u200d\U00011de0", max_size=6), min_size=1, max_size=4
)


def valid(wanted: str) -> bool:
    try:
        compiled(wanted)
    except BadPattern:
        return False
    return True


@settings(max_examples=600, deadline=None)
@given(wanted=PATTERNS, lines=LINES, ignore_case=st.booleans())
def test_searching_a_whole_text_finds_the_lines_python_finds(
    wanted: str, lines: list[str], ignore_case: bool
) -> None:
    assume(valid(wanted))
    flags = re.IGNORECASE if ignore_case else 0
    expected = [number for number, line in enumerate(lines) if re.search(wanted, line, flags)]
    ready = compiled(wanted, ignore_case=ignore_case)
    content = "\n".join(lines)
    starts = [sum(len(line) + 1 for line in lines[:number]) for number in range(len(lines))]
    got = [
        n
        for n, at in enumerate(starts)
        if (m := ready.compiled.search(content, at)) and m.start() <= at + len(lines[n])
    ]
    assert got == expected or r"\B" in wanted  # on an empty line Python's re and regex differ about \B
    for number in expected:
        assert ready.literal in lines[number]


@pytest.mark.needs("rg")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=250, deadline=None)
@given(wanted=PATTERNS, lines=ODD_LINES, ignore_case=st.booleans(), ends=st.sampled_from(["\n", "\r\n"]))
def test_ripgrep_picks_every_file_that_has_a_match(
    root: Path, wanted: str, lines: list[str], ignore_case: bool, ends: str
) -> None:
    assume(valid(wanted))
    ready = compiled(wanted, ignore_case=ignore_case)
    if ready.rust is None or not any(ready.compiled.search(line) for line in lines if line):
        return
    (root / "f").write_bytes(ends.join(lines).encode())
    done = subprocess.run(
        ["rg", "--no-config", "-l", "--text", "--encoding=utf-8", "--regexp", ready.rust, "--", "./f"],
        cwd=root,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, (wanted, ready.rust, done.stderr.decode())


@pytest.mark.parametrize("wanted", ["(a+)+$", "(a|a)*b", "(a|aa)+$", r"(.*a){20}", r"^(\w+\s?)*$"])
def test_a_catastrophic_pattern_can_be_stopped(wanted: str) -> None:
    began = time.monotonic()
    for text in ("a" * 5000 + "!", "a a" * 3000 + "!"):
        with contextlib.suppress(TimeoutError):
            compiled(wanted).compiled.search(text, timeout=0.05)
    assert time.monotonic() - began < 1
