"""Model ⇄ tools: LangChain's `create_agent`, our middleware, a prompt. Most agents are this."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from langchain.agents import create_agent
from langchain.agents.middleware.types import (
    AgentMiddleware,
    ExtendedModelResponse,
    ModelRequest,
    ModelResponse,
)
from langchain_core.messages import AIMessage, SystemMessage
from langchain_core.tools import BaseTool
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from artel.graphs.approval import Gate
from artel.graphs.assembly import Moment, shown
from artel.graphs.context import Context, handles, workspace
from artel.graphs.lifting import lifted
from artel.graphs.models.fallback import BrokenOff, Chain
from artel.graphs.models.scripted import scripted
from artel.graphs.roles import Role
from artel.graphs.state import AgentLoopState
from artel.graphs.unreadable import answered
from artel.graphs.verdicts import freeze
from artel.graphs.workbench import wrapped
from artel.tools.registry import TOOLS, toolset

Call = Callable[[ModelRequest[Context]], Awaitable[ModelResponse]]


class Mind(AgentMiddleware[AgentLoopState, Context]):
    """Chooses a run's model and folder, and freezes the policy's verdicts on what the model calls."""

    state_schema = AgentLoopState

    def __init__(self, role: Role) -> None:
        super().__init__()
        self.role = role
        self.agent = role.name

    async def awrap_model_call(self, request: ModelRequest[Context], handler: Call) -> ExtendedModelResponse:
        """Ask the run's model about the thread's folder; one that breaks off is followed by the next."""
        wishes = request.runtime.context or Context()
        state = cast("AgentLoopState", request.state)
        root, system, model = await to_thread(self._prepared, wishes, state)
        offered = {tool.name for tool in toolset(self.role.tools, handles().internet.settings)}
        tools = [tool for tool in request.tools if not isinstance(tool, BaseTool) or tool.name in offered]
        tools += [wrapped(tool, self.agent) for tool in await handles().mcp.of(self.agent)]
        moment = Moment(self.role, root, state, request.runtime.store)
        messages = await shown(request.messages, moment)
        asked = request.override(model=model, system_message=system, tools=tools, messages=messages)
        response = await _answer(asked, handler)
        response = replace(response, result=list(answered(response.result)))
        calls = [call for said in response.result if isinstance(said, AIMessage) for call in said.tool_calls]
        seen = state.get("seen") or {}
        batched, tainted = wishes.approvals == "batched", bool(state.get("tainted"))
        inbox = wishes.approvals == "agent_inbox"
        verdicts = await to_thread(
            freeze, self.agent, calls, root, seen, batched=batched, tainted=tainted, inbox=inbox
        )
        verdicts = await lifted(self.agent, calls, root, verdicts, tainted=tainted)
        return ExtendedModelResponse(response, Command(update=_kept(request, str(root), verdicts)))

    def _prepared(self, wishes: Context, state: AgentLoopState) -> tuple[Path, SystemMessage, Chain]:
        """Return folder, prompt and model: they read files and may look for a model server."""
        root = workspace(wishes.workspace or state.get("workspace") or "")
        said = (self.role.system(root), wishes.instructions.strip())
        system = SystemMessage("\n\n".join(part for part in said if part))
        return root, system, handles().models.chat(self.agent, wishes.model, usual=self.role.model)


def loop(role: Role) -> CompiledStateGraph[Any, Context, Any, Any]:
    """Return the loop of an agent in a role."""
    return create_agent(
        scripted(),  # never asked: the run's own model takes its place
        [wrapped(TOOLS[name], role.name) for name in role.tools],  # a run is offered those switched on
        middleware=[Gate(role.name), Mind(role)],
        context_schema=Context,
        name=role.name,
    )


async def _answer(request: ModelRequest[Context], handler: Call) -> ModelResponse:
    while True:
        try:
            return await handler(request)
        except BrokenOff as broken:
            if broken.rest is None:
                raise
            request = request.override(model=broken.rest)


def _kept(request: ModelRequest[Context], root: str, verdicts: dict[str, Any]) -> dict[str, Any]:
    """Write only what differs: every key written is a row in the checkpoint."""
    wanted = {"workspace": root, "verdicts": verdicts}
    return {key: value for key, value in wanted.items() if value != (request.state.get(key) or {})}
