"""What the answer to a piece of work must contain; a model that forgot it is asked once more."""

import re
from asyncio import to_thread
from collections.abc import Awaitable, Callable, Sequence

from langchain.agents.middleware.types import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from artel.graphs.context import Context, handles
from artel.graphs.models.told import NAME, told
from artel.graphs.roles import Role
from artel.graphs.state import AgentLoopState
from artel.prompts import render

MAX_DRAFT = 20_000  # characters of an answer that are shown to the model again
_HEADING = re.compile(r"^ {0,3}(?:#{1,6}[ \t]+|\*\*)(.+)$", re.MULTILINE)

Call = Callable[[ModelRequest[Context]], Awaitable[ModelResponse]]


class Contract(AgentMiddleware[AgentLoopState, Context]):
    """Looks at what a model says last after it has worked; small talk needs no headings."""

    state_schema = AgentLoopState

    def __init__(self, role: Role) -> None:
        super().__init__()
        self.role = role

    async def awrap_model_call(self, request: ModelRequest[Context], handler: Call) -> ModelResponse:
        """Ask the model; once more if its last words lack what they must have, and then take what comes."""
        response = await handler(request)
        draft = _last_words(response)
        if not self.role.output or draft is None or not _has_worked(request.messages):
            return response
        lacking = lacks(self.role, draft)
        if not lacking or await to_thread(self._knows_no_better, request):
            return response
        said = render("shared/again", headings=lacking, draft=draft[:MAX_DRAFT])
        second = await handler(request.override(messages=told(request.messages, said)))
        again = _last_words(second)
        better = again is None or len(lacks(self.role, again)) < len(lacking)
        return second if better else response

    def _knows_no_better(self, request: ModelRequest[Context]) -> bool:
        """Whether the model has rules instead of a mind: it would say the same again."""
        wish = (request.runtime.context or Context()).model
        spec = handles().models.spec(self.role.name, wish, usual=self.role.model)
        return spec.split(":")[0] == "offline"


def lacks(role: Role, answer: str) -> list[str]:
    """Return the headings that an answer in a role must have, and has not.

    >>> from types import SimpleNamespace
    >>> lacks(SimpleNamespace(output=("Findings | Находки", "Summary")), "## находки: 2")
    ['Summary']
    """
    found = [heading.strip().casefold() for heading in _HEADING.findall(answer)]
    return [
        wanted
        for wanted in role.output
        if not any(_begins(one, each) for one in found for each in wanted.casefold().split("|"))
    ]


def _begins(heading: str, wanted: str) -> bool:
    """Whether a heading says what is wanted; a number before it, and words after it, do no harm."""
    return bool(re.match(rf"(?:\d+[.)]?\s+)?{re.escape(wanted.strip())}\b", heading))


def _has_worked(messages: Sequence[AnyMessage]) -> bool:
    for message in reversed(messages):
        if isinstance(message, ToolMessage):
            return True
        if isinstance(message, HumanMessage) and message.name != NAME:
            return False
    return False


def _last_words(response: ModelResponse) -> str | None:
    """Return what a model says last; None if it goes on to work, or says nothing at all."""
    said = [message for message in response.result if isinstance(message, AIMessage)]
    if not said or any(message.tool_calls or message.invalid_tool_calls for message in said):
        return None
    return said[-1].text or None
