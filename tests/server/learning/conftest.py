"""A graph that says and does something new in each turn, and asks before it writes."""

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import uuid4

import pytest
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.types import interrupt
from tests.fakes.served import calling, serving
from tests.server.protocol.conftest import Wire
from typing_extensions import TypedDict

from artel.server.catalog import Catalog, Entry

WRITTEN = {"path": "notes.txt", "content": "one"}


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    answer: str


def _speak(state: State) -> dict[str, Any]:
    """Echo; write what begins with `write`, and fail at what begins with `fail`."""
    said = str(state["messages"][-1].content)
    if said.startswith("fail"):
        raise ValueError("boom")
    if said.startswith("write"):
        calls = [{"name": "write_file", "args": WRITTEN, "id": f"call_{uuid4().hex[:8]}"}]
        return {"messages": [AIMessage("I write it.", tool_calls=calls)]}
    return {"messages": [AIMessage(state.get("answer") or f"You said: {said}")]}


def _work(state: State) -> dict[str, Any]:
    message = state["messages"][-1]
    if not (isinstance(message, AIMessage) and message.tool_calls):
        return {}
    call = message.tool_calls[0]
    told = {"tool_call_id": call["id"], "name": call["name"], "args": call["args"]}
    decision = interrupt({"type": "tool_approval", **told, "artel": {"kind": "tool_call", "agent": "scribe"}})
    done = "written" if decision["type"] != "reject" else "refused"
    again = [{**call, "id": f"{call['id']}-again"}] if done == "refused" else []
    said = [AIMessage("Then once more.", tool_calls=again)] if again else [AIMessage("Done.")]
    return {"messages": [ToolMessage(done, tool_call_id=str(call["id"])), *said]}


def scribe() -> Any:
    graph = StateGraph(State)
    graph.add_node("speak", _speak)
    graph.add_node("work", _work)
    graph.add_edge(START, "speak")
    graph.add_edge("speak", "work")
    graph.add_conditional_edges("work", _more, ["work", END])
    return graph.compile()


def _more(state: State) -> str:
    message = state["messages"][-1]
    return "work" if isinstance(message, AIMessage) and message.tool_calls else END


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    catalog = Catalog({"scribe": Entry(None, scribe())})
    async with serving(fresh_dsn, catalog=catalog) as app, calling(app) as http:
        yield Wire(app, http)


async def say(wire: Wire, text: str, thread: str | None = None, **more: Any) -> str:
    """Have a turn, on a thread of its own unless one is named; the thread's id."""
    thread = thread or await wire.thread()
    words = {"messages": [{"role": "user", "content": text}], **more}
    await wire("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "scribe", "input": words})
    return thread


async def answer(wire: Wire, thread: str, decision: Any) -> None:
    """Answer what a thread asks, and wait for the end."""
    (question,) = await wire.ok("GET", f"/api/v1/approvals?thread_id={thread}&status=pending")
    told = await wire.ok("POST", f"/api/v1/approvals/{question['approval_id']}", {"decision": decision})
    await wire.ok("GET", f"/threads/{thread}/runs/{told['run_id']}/join")
