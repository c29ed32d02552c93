"""Handing in: `submit_result` ends the loop of an agent that does a step; one that forgets is told once."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from langchain.agents.middleware.types import AgentMiddleware, ModelRequest, ModelResponse
from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.types import Command

from artel.graphs.context import Context
from artel.graphs.state import AgentLoopState, Submission
from artel.prompts import render
from artel.tools.errors import ToolRefused
from artel.tools.submitting import NAME, SubmitResult

REMINDER = "artel_submit"
"""The name of the message that reminds."""


async def submit(runtime: ToolRuntime, args: SubmitResult) -> Command[Any]:
    """Keep what an agent hands in.

    Raises:
        ToolRefused: it does no step.
    """
    if not runtime.state.get("step"):
        raise ToolRefused("you do no step of a plan, so there is nothing to hand in: answer in words")
    told = Submission(
        status=args.status,
        summary=args.summary,
        files_changed=args.files_changed,
        evidence=args.evidence,
        open_questions=args.open_questions,
    )
    artifact = {"kind": "look", "tool": NAME}
    done = ToolMessage("Handed in.", name=NAME, tool_call_id=runtime.tool_call_id, artifact=artifact)
    return Command(update={"messages": [done], "submission": told})


class Submitting(AgentMiddleware[AgentLoopState, Context]):
    """Stands around the model of an agent that does a step."""

    state_schema = AgentLoopState

    async def awrap_model_call(
        self,
        request: ModelRequest[Context],
        handler: Callable[[ModelRequest[Context]], Awaitable[ModelResponse]],
    ) -> ModelResponse:
        """Ask the model no more once it has handed in; remind it once if it stops without."""
        state = cast("AgentLoopState", request.state)
        if submission := state.get("submission"):
            return ModelResponse(result=[AIMessage(submission["summary"])])
        said = await handler(request)
        if _goes_on(said) or any(one.name == REMINDER for one in request.messages):
            return said
        told = HumanMessage(render("shared/submit_now"), name=REMINDER)
        more = await handler(
            request.override(messages=[*request.messages, *cast("list[AnyMessage]", said.result), told])
        )
        return ModelResponse(result=[*said.result, told, *more.result])


def _goes_on(said: ModelResponse) -> bool:
    last = said.result[-1]
    return not isinstance(last, AIMessage) or bool(last.tool_calls)
