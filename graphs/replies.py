"""What a model is told of a call that was not run as it asked for it."""

from collections.abc import Mapping
from json import dumps
from typing import Any

from langchain_core.messages import ToolMessage
from langchain_core.messages.tool import ToolCall
from langgraph.types import Command

from artel.graphs.effects import Answer
from artel.graphs.workbench import NOT_RUN, message

CHANGED = "The user changed this call before it ran;"


def not_run(call: ToolCall, reason: str) -> ToolMessage:
    """Tell why the policy did not let a call through."""
    return message(call, f"{NOT_RUN} {reason}", {"kind": "refused", "by": "policy"})


def refusal(call: ToolCall, decision: Any) -> ToolMessage:
    """Tell what a person answered instead of a yes."""
    match decision:
        case {"type": "respond", "message": str(said)}:
            content, by = f"{NOT_RUN} the user answered instead: {said}", "user"
        case {"type": "reject", "timeout": True, **rest}:
            content, by = f"{NOT_RUN} {rest.get('message') or 'nobody answered in time'}.", "timeout"
        case {"type": "reject", "message": str(said)} if said.strip():
            content, by = f"{NOT_RUN} the user rejected it: {said}", "user"
        case {"type": "reject"}:
            content, by = f"{NOT_RUN} the user rejected it.", "user"
        case _:
            content, by = f"{NOT_RUN} the answer was neither an approval nor a rejection.", "user"
    return message(
        call, f"{content}\nNothing was changed. Do not repeat this call.", {"kind": "refused", "by": by}
    )


def noted(answer: Answer, args: Mapping[str, Any]) -> Answer:
    """Tell the model that what ran is not what it asked for."""
    note = f"{CHANGED} do not repeat yours. It ran with {dumps(dict(args))}"
    update = update_of(answer)
    said = update["messages"][0]
    noted = said.model_copy(update={"content": f"{note}\n\n{said.content}"})
    return Command(update={**update, "messages": [noted]})


def update_of(answer: Answer) -> dict[str, Any]:
    """Return what an answer writes into the state."""
    if isinstance(answer, ToolMessage):
        return {"messages": [answer]}
    assert isinstance(answer.update, dict)
    return answer.update
