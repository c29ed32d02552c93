"""The question of an agent to its person: asked once, kept with its provenance, answered by code when it was.

Nothing stands before the interrupt: a resumed call starts again from its first line, with the same state.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.types import Command, interrupt

from artel.graphs import resolved
from artel.graphs.answering import Answers, answered
from artel.graphs.context import Context, handles
from artel.graphs.inbox import decision_of
from artel.graphs.questions import clarification
from artel.graphs.resolved import Resolved
from artel.storage.errors import Invalid
from artel.tools.questions import TOOL, Questions
from artel.tools.tool import ToolFailed, ToolRefused

MAX_ASKED = 3  # calls in a turn that a person had to answer

_ENOUGH = (
    f"The user was asked {MAX_ASKED} times since their last message; do not ask again now. Decide yourself "
    "what is still open, go on, and say in your answer what you assumed."
)
_REFUSED = (
    "The user does not want to answer{why}. Decide yourself and say what you assumed, or stop and say what "
    "is missing."
)


async def ask(runtime: ToolRuntime[Any, Any], args: Questions) -> Command[Any] | ToolMessage:
    """Ask what nobody has decided yet; of what was decided tell the answer.

    Raises:
        ToolRefused: it is the second such call of a message, or the user was asked often enough in this turn.
        ToolFailed: the answer does not fit; our server takes none such.
    """
    call_id = runtime.tool_call_id or ""
    messages: Sequence[AnyMessage] = runtime.state["messages"]
    _check_alone(messages, call_id)
    known = resolved.entries(runtime.state.get("resolved_context"))
    found = {one["id"]: hit for one in args.asked if (hit := resolved.find(known, one))}
    still = [one for one in args.asked if one["id"] not in found]
    if not still:
        return _message(call_id, _told(args.asked, found))
    if _times_asked(messages) >= MAX_ASKED:
        raise ToolRefused("\n".join([*_known(args.asked, found), _ENOUGH]))
    context = runtime.context if isinstance(runtime.context, Context) else Context()
    inbox = context.approvals == "agent_inbox"
    value = clarification(still, agent=_agent(runtime), tool_call_id=call_id, inbox=inbox)
    return await _heard(runtime, call_id, args.asked, found, decision_of(interrupt(value)))


async def _heard(
    runtime: ToolRuntime[Any, Any],
    call_id: str,
    asked: Sequence[Mapping[str, Any]],
    found: Mapping[str, Resolved],
    answer: Any,
) -> Command[Any] | ToolMessage:
    still = [one for one in asked if one["id"] not in found]
    if isinstance(answer, Mapping) and answer.get("type") == "reject":
        why = f": {answer['message']}" if answer.get("message") else ""
        said = "\n".join([*_known(asked, found), _REFUSED.format(why=why)])
        return _message(call_id, said, asked=len(still), refused=True)
    try:
        answers = answered(still, answer)
    except Invalid as wrong:
        raise ToolFailed(f"The answer does not fit, so nothing is decided: {wrong}") from wrong
    about = {"agent": _agent(runtime), "run_id": run_of(runtime.config)}
    new = await decided(still, answers, call=call_id, **about)
    whole = {**found, **{one["id"]: entry for one, entry in zip(still, new.values(), strict=True)}}
    heard = _message(call_id, _told(asked, whole), asked=len(still))
    return Command(update={"messages": [heard], "resolved_context": new})


async def decided(
    still: Sequence[Mapping[str, Any]], answers: Answers, *, agent: str, call: str, run_id: str
) -> dict[str, Resolved]:
    """Return what was answered to questions as it is kept: by whom and when, by their ids among decisions."""
    by, at = await handles().approvals.answered(call) or (handles().user, datetime.now(UTC))
    made = [
        resolved.decision(
            one,
            answers[one["id"]],
            by=by,
            at=at.astimezone(UTC).isoformat(timespec="milliseconds"),
            agent=agent,
            run_id=run_id,
            call=call,
        )
        for one in still
    ]
    return {one["id"]: one for one in made}


def run_of(config: Mapping[str, Any]) -> str:
    """Return the id of the run that a config is of; nothing outside our server."""
    return str((config.get("metadata") or {}).get("run_id") or "")


def _told(asked: Sequence[Mapping[str, Any]], answers: Mapping[str, Resolved]) -> str:
    lines = []
    for one in asked:
        entry = answers[one["id"]]
        said = "; ".join(entry["answer"]) or "left to you: decide, and say what you assumed"
        lines.append(f"{one['id']}: {said}{_before(one, entry)}")
    return "\n".join(lines)


def _known(asked: Sequence[Mapping[str, Any]], found: Mapping[str, Resolved]) -> list[str]:
    known = [one for one in asked if one["id"] in found]
    return [_told(known, found)] if known else []


def _before(one: Mapping[str, Any], entry: Resolved) -> str:
    """Say of an answer that was given before what it answered, so that a model can see what it is."""
    return f" (decided before: {resolved.in_words(entry)})" if entry["question"] != one["question"] else ""


def _message(call_id: str, said: str, *, asked: int = 0, refused: bool = False) -> ToolMessage:
    known = {"kind": "refused", "by": "user"} if refused else {"kind": "look", "tool": TOOL.name}
    return ToolMessage(
        content=said,
        name=TOOL.name,
        tool_call_id=call_id,
        status="error" if refused else "success",
        artifact={**known, **({"asked": asked} if asked else {})},
    )


def _check_alone(messages: Sequence[AnyMessage], call_id: str) -> None:
    """Let only the first of several question calls of a message ask."""
    last = next((one for one in reversed(messages) if isinstance(one, AIMessage)), None)
    ids = [one["id"] for one in last.tool_calls if one["name"] == TOOL.name] if last else []
    if ids and ids[0] != call_id:
        raise ToolRefused(
            "One question call at a time: ask all that you need in one, it takes several questions."
        )


def _times_asked(messages: Sequence[AnyMessage]) -> int:
    start = max((place for place, one in enumerate(messages) if isinstance(one, HumanMessage)), default=-1)
    told = (one for one in messages[start + 1 :] if isinstance(one, ToolMessage) and one.name == TOOL.name)
    return sum(bool(one.artifact and one.artifact.get("asked")) for one in told)


def _agent(runtime: ToolRuntime[Any, Any]) -> str:
    return str((runtime.config.get("metadata") or {}).get("lc_agent_name") or "")
