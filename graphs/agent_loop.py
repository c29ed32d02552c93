"""Model ⇄ tools: LangChain's `create_agent`, our middleware, a prompt. Most agents are this."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Sequence
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
from langchain_core.messages import AIMessage, BaseMessage, SystemMessage
from langchain_core.tools import BaseTool
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import Command

from artel.graphs.approval import Gate
from artel.graphs.assembly import Moment, Question, Shown, shown
from artel.graphs.call_ids import told_apart
from artel.graphs.compaction import meter, record
from artel.graphs.compaction.reads import in_play
from artel.graphs.context import Context, handles, workspace
from artel.graphs.contract import Contract
from artel.graphs.conventions import conventions
from artel.graphs.fencing import within
from artel.graphs.guard import Guard
from artel.graphs.holding import Hold
from artel.graphs.lifting import lifted
from artel.graphs.models.fallback import BrokenOff, Chain
from artel.graphs.models.scripted import scripted
from artel.graphs.models.windows import Budget, budget
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
        self.agent = role.identity

    async def awrap_model_call(self, request: ModelRequest[Context], handler: Call) -> ExtendedModelResponse:
        """Ask the run's model about the thread's folder; one that breaks off is followed by the next."""
        wishes = request.runtime.context or Context()
        state = cast("AgentLoopState", request.state)
        root, system, model, allowed = await to_thread(self._prepared, wishes, state)
        offered = {tool.name for tool in toolset(self.role.tools, handles().internet.settings)}
        tools = [tool for tool in request.tools if not isinstance(tool, BaseTool) or tool.name in offered]
        if not state.get("beside"):
            tools += [wrapped(tool, self.agent) for tool in await handles().mcp.of(self.role.name)]
        moment = Moment(self.role, root, state, request.runtime.store)
        asked = request.override(system_message=system, tools=tools)
        how, response = await _answer(asked, moment, Question(model, system, tools, allowed), handler)
        info = request.runtime.execution_info
        if info and state.get("step"):
            response = replace(response, result=list(told_apart(response.result, info.checkpoint_ns)))
        response = replace(response, result=list(answered(response.result)))
        calls = [call for said in response.result if isinstance(said, AIMessage) for call in said.tool_calls]
        seen = state.get("seen") or {}
        batched, tainted = wishes.approvals == "batched", bool(state.get("tainted"))
        inbox = wishes.approvals == "agent_inbox"
        verdicts = await to_thread(
            freeze, self.agent, calls, root, seen, batched=batched, tainted=tainted, inbox=inbox
        )
        verdicts = within(calls, verdicts, state, self.role.tools)
        verdicts = await lifted(self.agent, calls, root, verdicts, tainted=tainted)
        return ExtendedModelResponse(response, Command(update=_kept(request, str(root), verdicts, how)))

    def _prepared(self, wishes: Context, state: AgentLoopState) -> tuple[Path, SystemMessage, Chain, Budget]:
        """Return folder, prompt, model and its budget: they read files and may look for a model server."""
        root, given = workspace(wishes.workspace or state.get("workspace") or ""), handles()
        model = given.models.chat(self.role.name, wishes.model, usual=self.role.model)
        allowed = budget(model.links[0].spec, given.models.settings.windows)
        paths = in_play(state.get("messages") or ())
        project = conventions(root, paths, given.policy, self.agent, user=given.user, limit=allowed.limit)
        said = (self.role.system(root), wishes.instructions.strip(), project)
        return root, SystemMessage("\n\n".join(part for part in said if part)), model, allowed


def loop(
    role: Role,
    context: type[Context] = Context,
    more: Sequence[AgentMiddleware[AgentLoopState, Context]] = (),
) -> CompiledStateGraph[Any, Context, Any, Any]:
    """Return the loop of an agent in a role, for runs that may wish for what is in `context`.

    `more` stands around its model, inside the gate.
    """
    return create_agent(
        scripted(),  # never asked: the run's own model takes its place
        [wrapped(TOOLS[name], role.identity) for name in role.tools],  # a run is offered those switched on
        middleware=[Hold(role), Gate(role), Guard(role), Contract(role), *more, Mind(role)],
        context_schema=context,
        name=role.name,
    )


async def _answer(
    request: ModelRequest[Context], moment: Moment, question: Question, handler: Call
) -> tuple[Shown, ModelResponse]:
    """Ask until a model answers to the end; the next may have another window, and is shown what fits it."""
    told = meter.last_told(request.messages)
    while True:
        how = await shown(request.messages, moment, question)
        anew = how.compaction != record.read(moment.state.get("compacted"))
        if how.meter and (anew or how.meter.differs(told)):
            told = how.meter.tokens
            request.runtime.stream_writer(how.meter.event)
        try:
            response = await handler(request.override(model=question.model, messages=how.messages))
        except BrokenOff as broken:
            if broken.rest is None:
                raise
            allowed = budget(broken.rest.links[0].spec, handles().models.settings.windows)
            question = replace(question, model=broken.rest, budget=allowed)
            kept = how.compaction.model_dump(mode="json")
            moment = replace(moment, state={**moment.state, "compacted": kept})
        else:
            noted = how.meter.noted(told or 0) if how.meter else {}
            return how, replace(response, result=[_noting(said, noted) for said in response.result])


def _noting(said: BaseMessage, noted: dict[str, Any]) -> BaseMessage:
    if not noted or not isinstance(said, AIMessage):
        return said
    return said.model_copy(update={"response_metadata": {**said.response_metadata, **noted}})


def _kept(request: ModelRequest[Context], root: str, verdicts: dict[str, Any], how: Shown) -> dict[str, Any]:
    """Write only what differs: every key written is a row in the checkpoint."""
    wanted: dict[str, Any] = {"workspace": root, "verdicts": verdicts}
    changed = {key: value for key, value in wanted.items() if value != (request.state.get(key) or {})}
    if how.compaction != record.read(request.state.get("compacted")):
        changed["compacted"] = how.compaction.model_dump(mode="json")
    return changed
