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
from artel.graphs.models.tally import tallied
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
        before = limits.read(state.get("spent")) if _is_inside(request) else Spent()
        used, told = limits.spent(messages, before), list[AnyMessage]()
        wishes = request.runtime.context or Context()
        about = self._reached(wishes, state, before, used) or _stuck(messages)
        if about:
            own = used.plus(before, -1) if _is_of_step(about) else used
            if _ends(about, state):
                pausing.tell(about, own)
                return self._stopped(about, own, used, messages)
            answer = pausing.ask(about, own, messages, agent=self.role.name)
            if answer is False:
                return self._stopped(about, own, used, messages)
            if isinstance(answer, str):
                told.append(HumanMessage(answer))
            if isinstance(answer, str) and not state.get("budget"):
                used = Spent()  # it is asked for something new
            elif isinstance(about, limits.Reached):
                used = used.again(about.kind)
        known = {message.id for message in messages if message.id}
        told += await steering.heard(handles().steering, _place(request), known)
        if told:
            heard = [*messages, *told]
            request = request.override(messages=heard, state=cast("Any", {**state, "messages": heard}))
        noted = {loops.LET_GO_ON: True} if isinstance(about, loops.Found) else {}
        timed = self._counts_minutes(wishes, state)
        response = await self._answered(request, handler, used, noted, timed=timed)
        return replace(response, result=[*told, *response.result])

    async def awrap_tool_call(self, request: ToolCallRequest, handler: Handler) -> Answer:
        """Run the tool; where minutes count, note how long it worked."""
        if not self._counts_minutes(request.runtime.context or Context(), request.state):
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
            with tallied() as calls:
                response = await handler(request.override(messages=asked))
            answers = [one for one in response.result if isinstance(one, AIMessage)]
            if not answers:
                return response
            used = used.and_for(calls, _ms_since(begun) if timed else 0)
            if not _is_empty(answers[0]):
                last = answers[-1]
                said = _marked(last, {limits.SPENT: used.noted, **noted})
                return replace(response, result=[said if one is last else one for one in response.result])
        pausing.tell(None, used)
        return self._stopped(None, used, used, messages)

    def _stopped(
        self,
        about: limits.Reached | loops.Found | None,
        own: Spent,
        used: Spent,
        messages: Sequence[AnyMessage],
    ) -> ModelResponse:
        """Say why; what was used stands in it as in any answer."""
        said = pausing.last_words(about, own, messages, agent=self.role.name)
        return ModelResponse([_marked(said, {limits.SPENT: used.noted})])

    def _reached(
        self, wishes: Context, state: AgentLoopState, before: Spent, used: Spent
    ) -> limits.Reached | None:
        """Return the limit that is reached: of a step first its own, then that of the run it belongs to."""
        if state.get("submission"):  # it has handed in: no model is asked any more
            return None
        settings, step = handles().agents, state.get("budget")
        if not step:
            return limits.reached(self._budget(wishes), settings.most, used)
        if own := limits.of_step(Budget.model_validate(step), before, used):
            return own
        foreseen = limits.foreseen(before, used, max(state.get("lanes") or 1, 1))
        found = limits.of_run(settings, wishes.budget, foreseen)
        return replace(found, used=used.of(found.kind)) if found else None

    def _counts_minutes(self, wishes: Context, state: Any) -> bool:
        step = state.get("budget") or {}
        budget = limits.budget_of(handles().agents, Budget(), wishes.budget) if step else self._budget(wishes)
        return budget.minutes is not None or step.get("minutes") is not None

    def _budget(self, wishes: Context) -> Budget:
        return limits.budget_of(handles().agents, self.role.budget, wishes.budget)


def _is_of_step(about: limits.Reached | loops.Found) -> bool:
    return isinstance(about, limits.Reached) and about.of_step


def _ends(about: limits.Reached | loops.Found, state: AgentLoopState) -> bool:
    """Whether nobody is asked: at a limit of the step's own or the server's, and in a circle of a step."""
    if isinstance(about, limits.Reached):
        return about.of_step or about.final
    return bool(state.get("budget"))


def _stuck(messages: Sequence[AnyMessage]) -> loops.Found | None:
    found = loops.look(messages)
    return found if found and found.stuck else None


def _place(request: ModelRequest[Context]) -> str:
    info = request.runtime.execution_info
    return info.checkpoint_ns if info else ""


def _is_inside(request: ModelRequest[Context]) -> bool:
    """Whether the agent works inside another; else the sum in its thread is that of an earlier run."""
    return "|" in _place(request)


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
