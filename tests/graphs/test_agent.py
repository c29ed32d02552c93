"""The graph `agent`: a role by its name or as text, of the workspace of the run and of no other."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessageChunk, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph_sdk.runtime import _ExecutionRuntime, _ReadRuntime
from tests.fakes.driver import OneModel, calls, edit

from artel.graphs import agent
from artel.graphs.agents import Loop
from artel.graphs.context import Context, Handles, use
from artel.graphs.errors import RoleWrong, UnknownRole
from artel.graphs.models.scripted import scripted
from artel.tools.errors import ToolRefused

TEXT = (
    "---\ntitle: Scribe\ndescription: Writes notes.\ntools: [read, write]\nwrites: ['*.txt']\n---\n"
    "You write {what}.\n"
)


@pytest.fixture
def given(folder: Path) -> Handles:
    return Handles(OneModel(scripted("one two")), (folder.parent,), folder)


def put(folder: Path, name: str, text: str) -> None:
    (folder / ".artel/agents").mkdir(parents=True, exist_ok=True)
    (folder / ".artel/agents" / f"{name}.md").write_text(text)


async def made(given: Handles, config: dict[str, Any] | None = None, **context: Any) -> Loop:
    store: Any = None
    runtime: Any = _ExecutionRuntime(
        access_context="threads.create_run", store=store, user=None, context=context or None
    )
    with use(given):
        return await agent.graph({"configurable": config or {}}, runtime)


async def test_a_role_is_found_by_its_name(given: Handles, folder: Path) -> None:
    put(folder, "scribe", TEXT.format(what="notes"))
    names = [(await made(given, role=name)).name for name in ("reviewer", "scribe")]
    assert names == ["reviewer", "scribe"]
    assert (await made(given, {"role": "scribe"})).name == "scribe"  # as older clients say it
    assert (await made(given, role_text=TEXT.format(what="x"))).name == "custom"


async def test_the_same_content_is_the_same_loop_and_another_is_another(given: Handles, folder: Path) -> None:
    put(folder, "scribe", TEXT.format(what="notes"))
    first = await made(given, role="scribe")
    assert await made(given, role="scribe") is first
    put(folder, "scribe", TEXT.format(what="letters"))
    assert await made(given, role="scribe") is not first


async def test_roles_of_one_name_in_two_workspaces_are_two(given: Handles, folder: Path) -> None:
    other = folder.parent / "other"
    put(folder, "scribe", TEXT.format(what="notes"))
    put(other, "scribe", TEXT.format(what="letters").replace("*.txt", "*.md"))
    mine = await made(given, role="scribe", workspace=str(folder))
    theirs = await made(given, role="scribe", workspace=str(other))
    assert mine is not theirs
    assert await made(given, role="scribe") is mine


async def test_a_run_in_a_role_is_held_to_it_and_its_tokens_come_from_the_root(
    given: Handles, folder: Path
) -> None:
    put(folder, "scribe", TEXT.format(what="notes"))
    graph = (await made(given, role="scribe")).copy(update={"checkpointer": InMemorySaver()})
    config: Any = {"configurable": {"thread_id": "t"}}
    with use(given):
        stream = graph.astream(
            {"messages": [HumanMessage("hi")]}, config, stream_mode="messages", subgraphs=True
        )
        parts: list[Any] = [part async for part in stream]
    said = [(ns, str(m.content)) for ns, (m, _) in parts if isinstance(m, AIMessageChunk)]
    assert "".join(text for _, text in said) == "one two"
    assert {ns for ns, _ in said} == {()}
    assert "You write notes." in str(given.models.model.asked[0][0].content)  # type: ignore[attr-defined]
    assert "only files that fit `*.txt`" in str(given.models.model.asked[0][0].content)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("context", "error", "says"),
    [
        ({}, RoleWrong, "context.role must name a role: one of architect, ask, coder"),
        (
            {"role": "revewer"},
            UnknownRole,
            "there is no role 'revewer' in .*; there are architect, .*, helper",
        ),
        ({"role": "../x"}, UnknownRole, "there is no role '../x'"),
        ({"role": "a\nb" * 100}, UnknownRole, r"there is no role 'a\\nb"),
        ({"role": 7}, RoleWrong, "context.role: Input should be a valid string"),
        ({"role": "ask", "role_text": "x"}, RoleWrong, "both role and role_text"),
        ({"role_text": "You are."}, RoleWrong, "context.role_text must begin with its front matter"),
        (
            {"role_text": TEXT.replace("---\nt", "---\nname: coder\nt", 1)},
            RoleWrong,
            "coder is the name of an",
        ),
        (
            {"role_text": TEXT.replace("---\nt", "---\nname: agent\nt", 1)},
            RoleWrong,
            "agent is the name of an",
        ),
        ({"role": "helper"}, RoleWrong, r"\.artel/agents/helper\.md must begin with its front matter"),
        ({"role": "scribe", "workspace": "/etc"}, ToolRefused, "not below an allowed workspace root"),
    ],
)
async def test_what_is_no_role_is_said_with_what_would_be_right(
    given: Handles, folder: Path, context: dict[str, Any], error: type[Exception], says: str
) -> None:
    put(folder, "helper", "none")
    with pytest.raises(error, match=says):
        await made(given, **context)


async def test_to_look_at_a_thread_needs_no_role(given: Handles) -> None:
    store: Any = None
    runtime: Any = _ReadRuntime(access_context="threads.read", store=store, user=None)
    graph = await agent.graph({"configurable": {"role": "nobody"}}, runtime)
    assert {"model", "tools"} <= set(graph.nodes)
    named = graph.get_context_jsonschema() or {}
    assert set(named["properties"]) == {*Context.model_fields, "role", "role_text"}


async def test_other_wishes_of_a_run_still_hold(given: Handles, folder: Path) -> None:
    put(folder, "scribe", TEXT.format(what="notes"))
    two = calls(edit("notes.txt", "hello", "bye"), edit("other.txt", "two", "2"))
    graph = (await made(given, role="scribe")).copy(update={"checkpointer": InMemorySaver()})
    handles = Handles(OneModel(scripted(two, "done")), given.roots, folder)
    with use(handles):
        config: Any = {"configurable": {"thread_id": "t"}}
        context: Any = {"role": "scribe", "approvals": "batched"}
        await graph.ainvoke({"messages": [HumanMessage("go")]}, config, context=context)
        state = await graph.aget_state(config)
    assert len(state.interrupts[0].value["action_requests"]) == 2
