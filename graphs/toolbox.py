"""The tools of the run we are in: ours, and those of MCP servers, which come and go while it runs.

A graph is built with ours. The others are given to the model by the request and to LangChain's tool node by
the call, so that a run that goes on in another process finds them there too, or is told that they are away.
"""

from collections.abc import Iterator, Mapping

from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages.tool import ToolCall

from artel.graphs.context import handles
from artel.graphs.effects import Answer, Handler
from artel.graphs.state import Verdict
from artel.graphs.workbench import BOX, wrapped
from artel.tools import registry
from artel.tools.policy import Verdict as Judged
from artel.tools.tool import Tool


class _Tools(Mapping[str, Tool]):
    """Ours by name, and each that a server of the run's handles can have."""

    def __getitem__(self, name: str) -> Tool:
        tool = registry.TOOLS.get(name) or handles().mcp.get(name)
        if tool is None:
            raise KeyError(name)
        recorded = handles().recorded
        return recorded.tool(tool) if recorded else tool

    def __iter__(self) -> Iterator[str]:
        return iter(registry.TOOLS)

    def __len__(self) -> int:
        return len(registry.TOOLS)


TOOLS: Mapping[str, Tool] = _Tools()


async def found(request: ToolCallRequest, agent: str) -> Tool | None:
    """Return the tool of a call if the agent has it; a server that is not connected yet is connected."""
    name = request.tool_call["name"]
    return TOOLS.get(name) if request.tool else await handles().mcp.find(name, agent)


def changed(call: ToolCall, frozen: Verdict) -> Judged | None:
    """Say no to a call that was meant for another tool than the one that has its name now."""
    tool, meant = TOOLS.get(call["name"]), frozen.get("version", "")
    if tool is None or not meant or not tool.version or tool.version == meant:
        return None
    reason = f"{tool.name} describes itself in another way now. Read what it says before you call it again."
    return Judged(effect="deny", rule="changed", reason=reason)


def reaching(tool: Tool, agent: str, handler: Handler) -> Handler:
    """Return a handler that runs `tool` also when the graph was not built with it.

    Its arguments travel in a box: one named `config` or `runtime` would be taken for LangChain's own.
    """
    if tool.name in registry.TOOLS:
        return handler

    async def run(request: ToolCallRequest) -> Answer:
        call = request.tool_call
        boxed = ToolCall(name=call["name"], args={BOX: call["args"]}, id=call["id"], type="tool_call")
        return await handler(request.override(tool=wrapped(tool, agent, boxed=True), tool_call=boxed))

    return run
