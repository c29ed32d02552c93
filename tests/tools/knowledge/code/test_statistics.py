"""The figures of a folder are those of a recount."""

import random

import pytest

from artel.tools.knowledge.code.likeness import near_duplicates
from artel.tools.knowledge.code.statistics import Language, content_hash, coverage, languages, statistics

LONG = " ".join(f"word{at * 7 % 391} of" for at in range(400))


def test_files_and_lines_are_compared_by_content() -> None:
    texts = {"a.py": "1\n2\n3\n", "b.py": "1\n2", "c.py": "1\n"}
    indexed = {"a.py": content_hash("1\n2\n3\n"), "b.py": content_hash("old"), "d.py": content_hash("")}
    found = coverage(texts, indexed)
    assert (found.files, found.indexed, found.lines, found.lines_indexed) == (3, 1, 6, 3)
    assert (found.stale, found.missing, found.gone) == (("b.py",), ("c.py",), ("d.py",))
    assert found.files_percent == pytest.approx(100 / 3)
    assert found.lines_percent == 50
    assert found.stale_percent == pytest.approx(200 / 3)


def test_an_empty_folder_is_covered() -> None:
    found = coverage({}, {})
    assert (found.files_percent, found.lines_percent, found.stale_percent) == (100, 100, 0)


def test_languages_are_counted_by_files_and_lines() -> None:
    found = languages({"a.py": "1\n", "b.ts": "1\n2\n", "c.pyi": "1\n2\n", "d": "x"})
    assert list(found.items()) == [
        ("python", Language(2, 3)),
        ("typescript", Language(1, 2)),
        ("other", Language(1, 1)),
    ]


def test_near_duplicates_are_found_and_others_are_not() -> None:
    words = LONG.split()
    changed = " ".join([*words[:300], "another", *words[301:]])
    chance = random.Random(3)
    strangers = {f"s{at}": " ".join(chance.choices(words, k=500)) for at in range(20)}
    found = near_duplicates({"a": LONG, "b": changed, "c": LONG, **strangers})
    assert [(pair.one, pair.other) for pair in found] == [("a", "c"), ("a", "b"), ("b", "c")]
    assert found[0].likeness == 1
    assert 0.9 < found[1].likeness < 1


def test_short_texts_are_no_duplicates() -> None:
    assert near_duplicates({"a": "import os\n", "b": "import os\n", "c": "", "d": "\0"}) == []


def test_statistics_put_it_all_together() -> None:
    texts = {"a.py": "from .gone import x\n", "b.txt": LONG, "c.txt": LONG}
    found = statistics(texts, {path: content_hash(text) for path, text in texts.items()})
    assert found.coverage.files_percent == 100
    assert [one.target for one in found.unresolved] == [".gone import x"]
    assert [(pair.one, pair.other) for pair in found.duplicates] == [("b.txt", "c.txt")]
    assert set(found.languages) == {"python", "other"}
