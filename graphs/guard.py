"""Keeps a run within its budget and out of circles, and lets people steer it between two steps."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, cast

from langchain.agents.middleware.types import (
    AgentMiddleware,
    ModelRequest,
    ModelResponse,
    ToolCallRequest,
)
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.types import Command

from artel.graphs import limits, loops, pausing, steering
from artel.graphs.budget import Budget
from artel.graphs.context import Context, handles
from artel.graphs.effects import Answer, Handler
from artel.graphs.limits import Spent
from artel.graphs.roles import Role
from artel.graphs.state import AgentLoopState
from artel.graphs.turns import OURS
from artel.prompts import render

Call = Callable[[ModelRequest[Context]], Awaitable[ModelResponse]]

NUDGE = f"{OURS}_nudge"


class Guard(AgentMiddleware[AgentLoopState, Context]):
    """Stands around every call of a model, and measures the work of tools.

    It asks before it takes or does anything: a resumed node restarts from its first line.
    """

    state_schema = AgentLoopState

    def __init__(self, role: Role) -> None:
        super().__init__()
        self.role = role

    async def awrap_model_call(self, request: ModelRequest[Context], handler: Call) -> ModelResponse:
        """Ask the model, with what people said meanwhile; first ask them if a limit is reached."""
        messages, state = request.messages, cast("AgentLoopState", request.state)
        used, told = limits.spent(messages), list[AnyMessage]()
        budget = self._budget(request.runtime.context, state)
        about = limits.reached(budget, handles().agents.most, used) or _stuck(messages)
        if about:
            if state.get("budget") or (isinstance(about, limits.Reached) and about.final):
                pausing.tell(about, used)
                return ModelResponse([pausing.last_words(about, used, messages, agent=self.role.name)])
            answer = pausing.ask(about, used, messages, agent=self.role.name)
            if answer is False:
                return ModelResponse([pausing.last_words(about, used, messages, agent=self.role.name)])
            if isinstance(answer, str):
                told.append(HumanMessage(answer))
                used = Spent()  # it is asked for something new
            elif isinstance(about, limits.Reached):
                used = used.again(about.kind)
        known = {message.id for message in messages if message.id}
        told += await steering.heard(handles().steering, _place(request), known)
        if told:
            heard = [*messages, *told]
            request = request.override(messages=heard, state=cast("Any", {**state, "messages": heard}))
        noted = {loops.LET_GO_ON: True} if isinstance(about, loops.Found) else {}
        response = await self._answered(request, handler, used, noted, timed=budget.minutes is not None)
        return replace(response, result=[*told, *response.result])

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Answer:
        """Run the tool; where minutes count, note how long it worked."""
        if self._budget(request.runtime.context, request.state).minutes is None:
            return await handler(request)
        begun = time.monotonic()
        answer = await handler(request)
        return _timed(answer, _ms_since(begun))

    async def _answered(
        self,
        request: ModelRequest[Context],
        handler: Call,
        used: Spent,
        noted: dict[str, Any],
        *,
        timed: bool,
    ) -> ModelResponse:
        """Ask; ask once more, and say so, if the answer is empty; then stop.

        Times are noted only where they count, so that else a run says the same each time.
        """
        messages = request.messages
        nudge = HumanMessage(render("guard/nudge"), name=NUDGE)
        for asked in (messages, [*messages, nudge]):
            begun = time.monotonic()
            response = await handler(request.override(messages=asked))
            answer = next((one for one in response.result if isinstance(one, AIMessage)), None)
            if answer is None:
                return response
            used = used.and_for(answer, messages, _ms_since(begun) if timed else 0)
            if not _is_empty(answer):
                said = _marked(answer, {limits.SPENT: used.noted, **noted})
                return replace(response, result=[said if one is answer else one for one in response.result])
        pausing.tell(None, used)
        return ModelResponse([pausing.last_words(None, used, messages, agent=self.role.name)])

    def _budget(self, wishes: Context | None, state: Any) -> Budget:
        step = state.get("budget")
        given = Budget.model_validate(step) if step else None
        wish = wishes.budget if wishes else Budget()
        return limits.budget_of(handles().agents, self.role.budget, wish, given)


def _stuck(messages: Sequence[AnyMessage]) -> loops.Found | None:
    found = loops.look(messages)
    return found if found and found.stuck else None


def _place(request: ModelRequest[Context]) -> str:
    info = request.runtime.execution_info
    return info.checkpoint_ns if info else ""


def _is_empty(answer: AIMessage) -> bool:
    """Whether it says nothing and calls nothing; thoughts alone are nothing said."""
    if answer.tool_calls or answer.invalid_tool_calls or answer.text.strip():
        return False
    blocks = answer.content if isinstance(answer.content, list) else []
    silent = ("text", "thinking", "redacted_thinking", "reasoning")
    return all(isinstance(block, dict) and block.get("type") in silent for block in blocks if block)


def _marked(answer: AIMessage, metadata: dict[str, Any]) -> AIMessage:
    return answer.model_copy(update={"response_metadata": {**answer.response_metadata, **metadata}})


def _timed(answer: Answer, ms: int) -> Answer:
    if isinstance(answer, ToolMessage):
        return limits.timed(answer, ms)
    if not isinstance(answer.update, dict):
        return answer
    said = [
        limits.timed(one, ms) if isinstance(one, ToolMessage) else one
        for one in answer.update.get("messages", ())
    ]
    return Command(update={**answer.update, "messages": said})


def _ms_since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)
