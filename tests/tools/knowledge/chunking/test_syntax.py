"""Code is cut along its syntax, and each chunk says within what it stands."""

import pytest

from artel.tools.knowledge.chunking import Chunk, chunks
from artel.tools.knowledge.chunking.syntax import CLOSER, LIMIT, OPENER

LINE = "        total = compute(total, weight)  # keep it going\n"
METHOD = "    @cached\n    def {name}(self, total, weight):\n" + LINE * 12 + "        return total\n\n"
CLASS = 'class Meter:\n    """Measures."""\n\n' + "".join(
    METHOD.format(name=name) for name in ("one", "two", "three")
)

BRACES = "class Meter {\n%s}\n"
SOURCES = {
    "a.js": (BRACES, "  %s() {\n%s    return 1;\n  }\n", "    go(1, 2, 'some words');\n"),
    "a.ts": (BRACES, "  %s(): number {\n%s    return 1;\n  }\n", "    go(1, 2, 'words');\n"),
    "a.tsx": (BRACES, "  %s() {\n%s    return <b/>;\n  }\n", "    go(<i/>, 2, 'words');\n"),
    "a.rs": ("impl Meter {\n%s}\n", "  fn %s() -> u8 {\n%s    1\n  }\n", "    go(1, 2, 3, 4, 5);\n"),
    "A.java": (BRACES, "  @A\n  int %s() {\n%s    return 1;\n  }\n", "    go(1, 2, 3, 4);\n"),
    "a.cpp": ("class Meter {\n%s};\n", "  int %s() {\n%s    return 1;\n  }\n", "    go(1, 2, 3, 4);\n"),
    "a.cs": (BRACES, "  int %s() {\n%s    return 1;\n  }\n", "    go(1, 2, 3, 4);\n"),
    "a.rb": ("class Meter\n%send\n", "  def %s\n%s    1\n  end\n", "    go(1, 2, 3, 4, 5)\n"),
    "a.php": ("<?php\n" + BRACES, "  function %s() {\n%s    return 1;\n  }\n", "    go(1, 2, 3);\n"),
    "a.go": ("package a\n\n%s", "func %s() int {\n%s\treturn 1\n}\n", "\tgo1(1, 2, 3, 4)\n"),
    "a.c": ("#include <a.h>\n\n%s", "int %s() {\n%s    return 1;\n}\n", "    go(1, 2, 3, 4);\n"),
    "a.sh": ("#!/bin/bash\n\n%s", "%s() {\n%s}\n", "    run --with some --words\n"),
}


def texts(text: str, found: list[Chunk]) -> list[str]:
    return [text[one.start : one.end] for one in found]


def test_methods_stay_whole_and_their_class_is_in_the_header() -> None:
    found = chunks(CLASS, path="meter.py")
    methods = [one for one in found if "def " in CLASS[one.start : one.end]]
    assert [one.header for one in methods] == ["meter.py\nclass Meter"] * 3
    whole = [METHOD.format(name=name).strip() for name in ("one", "two", "three")]
    assert [said.strip() for said in texts(CLASS, methods)] == whole


@pytest.mark.parametrize("path", SOURCES)
def test_every_language_is_cut_at_its_definitions(path: str) -> None:
    around, definition, line = SOURCES[path]
    scope = next((word for word in ("class Meter", "impl Meter") if word in around), "")
    bodies = [definition % (name, line * 40) for name in ("one", "two", "three")]
    text = around % "".join(bodies)
    found = chunks(text, path=path)
    for body in bodies:
        holding = [one for one in found if body.strip() in text[one.start : one.end]]
        assert len(holding) == 1, texts(text, found)
        assert holding[0].header.startswith(path)
        assert scope in holding[0].text_with_header(text)


def test_comments_go_with_the_definition_below() -> None:
    first = "def one():\n" + LINE * 20
    second = "# Adds the weights up.\n# In grams.\ndef two():\n" + LINE * 20
    text = f"{first}\n\n{second}"
    assert texts(text, chunks(text, path="a.py")) == [first.strip(), second.strip()]


def test_parts_of_a_long_function_name_it() -> None:
    text = "class Meter:\n    def long(self):\n" + LINE * 100
    found = chunks(text, path="a.py")
    assert len(found) > 3
    assert text[found[0].start : found[0].end].startswith("class Meter:\n    def long(self):\n        total")
    assert {one.header for one in found[1:]} == {"a.py\nclass Meter > def long"}


@pytest.mark.parametrize("opener", ["try", "if total", "while total", "for a in b", "with total"])
def test_what_opens_a_block_is_never_alone(opener: str) -> None:
    end = "    except OSError:\n        pass\n" if opener == "try" else ""
    text = f"def long():\n    {opener}:\n" + LINE * 100 + end
    bare = {f"{opener}:", "def long():", f"def long():\n    {opener}:"}
    assert not bare & {said.strip() for said in texts(text, chunks(text, path="a.py"))}


def test_chunks_of_code_have_a_limit() -> None:
    text = CLASS * 5 + "x = [\n" + "    'some text', 12, 34,\n" * 500 + "]\n"
    assert all(one.end - one.start <= LIMIT + OPENER + CLOSER for one in chunks(text, path="a.py"))


def test_code_that_cannot_be_parsed_is_cut_by_lines() -> None:
    text = "}} def ((( class ]] <<\n" * 400
    found = chunks(text, path="a.py")
    assert len(found) > 1
    assert all(one.tokens <= 520 and text[one.end - 2 : one.end] == "<<" for one in found)


def test_one_slip_does_not_cost_the_syntax() -> None:
    text = CLASS + "\nvalue = (1 +\n\n" + "def after():\n" + LINE * 20
    assert "a.py\nclass Meter" in [one.header for one in chunks(text, path="a.py")]


def test_offsets_are_characters_where_bytes_are_more() -> None:
    text = CLASS.replace("Measures", "Измеряет 👩‍👩‍👧").replace("keep it going", "дальше")
    found = chunks(text, path="a.py")
    assert texts(text, found)[1].lstrip().startswith("@cached\n    def one")


def test_code_without_a_name_is_cut_by_lines() -> None:
    assert {one.header for one in chunks(CLASS, title="Shown", kind="code")} == {"Shown"}
