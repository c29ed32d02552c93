"""A kind of assistants of one's own: one new file, one setting."""

from pathlib import Path

import pytest

from artel.server.catalog import Catalog
from artel.server.served import ConfigWrong
from artel.storage.errors import Invalid

OURS = '''
"""Says what it is told to, as often."""
from langgraph.graph import END, START, MessagesState, StateGraph
from artel.storage.errors import Invalid

def check_assistant(context):
    if not isinstance(context.get("times"), int):
        raise Invalid("context.times must be a number")

def repeat(state):
    return {"messages": [{"role": "ai", "content": state["messages"][-1].content}]}

graph = StateGraph(MessagesState).add_node(repeat).add_edge(START, "repeat").add_edge("repeat", END).compile()
'''


async def test_a_file_in_the_folder_is_a_kind_beside_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "kinds"
    folder.mkdir()
    (folder / "parrot.py").write_text(OURS)
    (folder / "_shared.py").write_text("raise ValueError")
    catalog = Catalog.load(None, folder)
    assert catalog.names()[-1] == "parrot"
    assert catalog.description("parrot") == "Says what it is told to, as often."
    async with catalog.graph("parrot") as graph:
        said = await graph.ainvoke({"messages": [{"role": "user", "content": "hi"}]})
    assert said["messages"][-1].content == "hi"
    check = catalog.check("parrot")
    assert check
    with pytest.raises(Invalid, match=r"context\.times"):
        check({})


def test_a_graph_of_a_configuration_may_check_its_assistants_too(tmp_path: Path) -> None:
    (tmp_path / "parrot.py").write_text(OURS)
    (tmp_path / "langgraph.json").write_text('{"graphs": {"parrot": "./parrot.py:graph"}}')
    assert Catalog.load(tmp_path).check("parrot")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("publish.py", OURS, 'there is a graph "publish" already'),
        ("broken.py", "import nowhere_at_all", "cannot be imported: ModuleNotFoundError"),
        ("empty.py", "", 'there is no "graph"'),
        ("odd.py", "graph = 1", None),
    ],
)
def test_a_file_that_is_none_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str, words: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "kinds"
    folder.mkdir()
    (folder / name).write_text(text)
    with pytest.raises(ConfigWrong, match=words or "must be a graph") as refused:
        Catalog.load(None, folder)
    assert name in str(refused.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigWrong, match="ARTEL_KINDS: there is no folder"):
        Catalog.load(None, tmp_path / "none")
