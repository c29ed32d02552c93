"""Spans stand in the text, cover it, and cut no character."""

import random
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artel.tools.knowledge.chunking import Chunk, Kind, chunks
from artel.tools.knowledge.chunking.ruler import after, whole

MARKS = ["\r\n", "\n\n", "# ", "```\n", "| a | b |\n|--|--|\n", "- ", "\0", "\t", "\u2028", "1. "]
ODD = ["\ud83d", "\ude00", "e\u0301", "\u0301" * 5, "👩\u200d👩\u200d👧", "👍🏽", "🇩🇪🇫🇷", "\u200d"]
LONG = ["й. Й", "слово " * 60, "word. Word " * 60, "x" * 900]
PIECES = st.lists(st.sampled_from(MARKS + ODD + LONG) | st.text(max_size=40), max_size=30).map("".join)
SOURCE = '''
import os

@decorated
class Reader:
    """Read – читать – 読む."""

    limit = 3

    def read(self, path):
        try:
            for line in open(path):
                if line:
                    yield {"a": [1, 2, (line,)]}
        finally:
            print("ё", path)


function f(a) { return `x ${a}`; }
''' * 6  # fmt: skip
ENDS = ("py", "js", "ts", "tsx", "go", "rs", "java", "c", "cpp", "cs", "rb", "php", "sh")
PATHS = [f"a.{end}" for end in ENDS]


def check(text: str, found: list[Chunk]) -> None:
    covered = bytearray(len(text))
    before = -1
    for one in found:
        assert 0 <= one.start < one.end <= len(text)
        assert before < one.start
        assert text[one.start : one.end].strip()
        before = one.start
        covered[one.start : one.end] = b"\1" * (one.end - one.start)
        for at in (one.start, one.end):
            assert not cuts(text, at), (at, text[max(at - 3, 0) : at + 3])
    assert all(there or letter.isspace() for there, letter in zip(covered, text, strict=True))


def cuts(text: str, at: int) -> bool:
    if not 0 < at < len(text):
        return False
    before, here = text[at - 1], text[at]
    pair = "\ud800" <= before <= "\udbff" and "\udc00" <= here <= "\udfff"
    return pair or before + here == "\r\n" or unicodedata.combining(here) != 0 or here == "\u200d"


@settings(max_examples=60, deadline=None)
@given(PIECES, st.sampled_from(["prose", "code", None]), st.sampled_from(["", "a.md", *PATHS]))
def test_spans_hold_for_any_text(text: str, kind: Kind | None, path: str) -> None:
    check(text, chunks(text, path=path, title="T", kind=kind))


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.integers(0, 40), st.sampled_from(PATHS))
def test_spans_hold_for_mutilated_code(seed: int, wounds: int, path: str) -> None:
    chance, text = random.Random(seed), SOURCE
    for _ in range(wounds):
        at = chance.randrange(len(text))
        text = (
            text[:at]
            + chance.choice(["", "(", "}", '"', "'''", "\n", "\0", "é\u0301", "if x:"])
            + text[at + chance.randrange(30) :]
        )
    check(text, chunks(text, path=path))


HOSTILE = {
    "parentheses": "(" * 40_000,
    "angles": "a<" * 20_000,
    "angles on lines": "a<\n" * 40_000,
    "braces": "{" * 40_000,
    "open templates": "`${" * 20_000,
    "blank lines": "x" + "\n" * 200_000 + "y",
    "titles": "# a\n" * 20_000,
    "fences that never end": "``` a\n\n" * 20_000,
    "spaces and bars": "|" + " " * 40_000 + "\n" + "|-" * 50_000 + "\n",
    "marks on one letter": "e" + "\u0301" * 40_000,
    "NUL": "\0" * 40_000,
    "flags": "🇩" * 50_000,
    "high surrogates": "\ud83d" * 50_000,
}


@pytest.mark.parametrize("path", ["a.md", "a.java"])
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_cut_all_the_same(name: str, path: str) -> None:
    text = HOSTILE[name]
    found = chunks(text, path=path)
    assert found[0].start == 0
    assert text[found[-1].end :].strip() == ""
    between = [text[before.end : one.start] for before, one in pairwise(found)]
    assert not "".join(between).strip()


def test_one_line_of_5_mb_is_cut_in_windows() -> None:
    text = "let a=[" + "12345," * 830_000 + "]"
    found = chunks(text, path="bundle.js")
    assert max(one.tokens for one in found) <= 520
    assert found[-1].end == len(text)


def test_where_a_text_may_be_cut() -> None:
    assert whole("e\u0301\u0302x", 2) == 0
    assert after("e\u0301\u0302x", 1) == 3
    assert whole("a\r\nb", 2) == 1
    assert whole("🇩🇪🇫🇷", 1) == 0
    assert whole("🇩🇪🇫🇷", 2) == 2
    assert whole("\ud83d\ude00", 1) == 0
