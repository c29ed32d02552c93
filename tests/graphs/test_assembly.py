"""What a model is shown of a thread."""

from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from tests.graphs.conftest import Start

from artel.graphs import assembly
from artel.graphs.assembly import Moment
from artel.graphs.models.told import NAME


async def plan(moment: Moment) -> str:
    return f"## Plan\n{moment.role.name} works in {moment.root.name}"


async def nothing(moment: Moment) -> str:
    return ""


async def test_what_changes_comes_last_and_is_in_no_state(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "PARTS", (plan, nothing))
    driver = await start("ask", "Hello.").say("hi")
    (asked,) = driver.model.asked
    assert [message.type for message in asked] == ["system", "human", "human"]
    assert (asked[-1].name, asked[-1].text) == (NAME, f"## Plan\nask works in {folder.name}")
    assert [type(message) for message in driver.messages] == [HumanMessage, AIMessage]


async def test_where_nothing_is_to_be_said_there_is_no_such_message(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(assembly, "PARTS", (nothing,))
    driver = await start("ask", "Hello.").say("hi")
    assert [message.type for message in driver.model.asked[0]] == ["system", "human"]
