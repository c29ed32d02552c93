"""The map shows what is used most, within its budget."""

import pytest

from artel.tools.knowledge.chunking.ruler import tokens
from artel.tools.knowledge.code.ranking import ranked
from artel.tools.knowledge.code.repo_map import repo_map
from artel.tools.knowledge.code.tags import tags

FILES = {
    "core.py": "class Engine:\n    def start(self): ...\n\n    def stop(self): ...\n\n\ndef unused(): ...\n",
    "one.py": "from core import Engine\n\ndef drive():\n    Engine().start()\n",
    "two.py": "from core import Engine\n\ndef race():\n    Engine().start()\n",
    "three.py": "from core import Engine\n\ndef race():\n    Engine().start()\n",
    "lonely.py": "def paint(): ...\n",
    "painter.py": "from lonely import paint\n\ndef frame():\n    paint()\n",
}
TAGS = {path: tags(text, path) for path, text in FILES.items()}


def test_what_many_use_comes_first() -> None:
    first = [(path, one.name) for path, one, _ in ranked(TAGS)[:2]]
    assert first == [("core.py", "Engine"), ("core.py", "start")]


def test_a_map_shows_lines_as_they_stand_and_marks_what_is_left_out() -> None:
    assert repo_map(TAGS, budget=20) == "core.py:\n    1 class Engine:\n    2     def start(self): ...\n"


def test_a_map_keeps_its_budget() -> None:
    sizes = [tokens(repo_map(TAGS, budget=budget)) for budget in (1, 20, 40, 80, 1000)]
    assert all(size <= budget for size, budget in zip(sizes, (1, 20, 40, 80, 1000), strict=True))
    assert sizes == sorted(sizes)
    assert "paint" in repo_map(TAGS, budget=1000)


def test_a_file_one_works_on_brings_what_it_uses() -> None:
    assert repo_map(TAGS, budget=20, focus=["painter.py"]).startswith("lonely.py:")
    assert "painter.py" not in repo_map(TAGS, budget=1000, focus=["painter.py"])


def test_a_name_of_the_question_comes_first() -> None:
    assert repo_map(TAGS, budget=20, identifiers=["frame"]).startswith("painter.py:")


def test_names_of_imported_files_count_for_more() -> None:
    texts = {"a.py": "def load(): ...\n", "b.py": "def load(): ...\n", "use.py": "import b\nb.load()\n"}
    made = {path: tags(text, path) for path, text in texts.items()}
    imports = {"use.py": frozenset({"b.py"})}
    assert ranked(made)[0][0] == "a.py"
    assert ranked(made, imports=imports)[0][0] == "b.py"


def test_a_name_that_every_file_defines_ties_those_that_import_it() -> None:
    texts = {f"m{at:02}.py": "def run(): ...\n" for at in range(60)} | {"use.py": "import m42\nm42.run()\n"}
    made = {path: tags(text, path) for path, text in texts.items()}
    assert ranked(made, imports={"use.py": frozenset({"m42.py"})})[0][0] == "m42.py"
    assert ranked(made)[0][0] == "m00.py"


def test_an_empty_folder_has_an_empty_map() -> None:
    assert repo_map({}) == repo_map({"a.txt": tags("", "a.txt")}) == ""
    with pytest.raises(ValueError, match="got 0"):
        repo_map(TAGS, budget=0)
