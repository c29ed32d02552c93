"""The dialect of Agent Inbox: LangGraph's `HumanInterrupt` and `HumanResponse`, and what they are in ours.

What is saved is always a decision of ours. A graph of somebody else's that asked in this form is resumed in
this form; our gate understands both.
"""

from collections.abc import Mapping
from typing import Any

from artel.storage.asking import ALLOWS, request_of

RESPONSES = ("accept", "edit", "response", "ignore")


def asked(question: Mapping[str, Any], shown: str) -> list[dict[str, Any]]:
    """Return our question about one call as a list of one `HumanInterrupt`; `shown` describes it in full."""
    return [
        {
            "action_request": {"action": question["name"], "args": question["args"]},
            "config": dict.fromkeys(ALLOWS, True),
            "description": shown,
            "artel": {**question["artel"], "tool_call_id": question["tool_call_id"]},
        }
    ]


def question(asked: Mapping[str, Any], text: str, ours: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return questions of an agent as a list of one `HumanInterrupt`; words answer it, to ignore is a no."""
    answers = ("allow_respond", "allow_ignore")
    return [
        {
            "action_request": {"action": "question", "args": dict(asked)},
            "config": {name: name in answers for name in ALLOWS},
            "description": text,
            "artel": dict(ours),
        }
    ]


def allowed(request: Mapping[str, Any]) -> tuple[str, ...]:
    """Return which decisions of ours a request takes."""
    return tuple(ours for name, ours in ALLOWS.items() if request["config"].get(name) is True)


def decision_of(answer: Any) -> Any:
    """Return a `HumanResponse`, alone or in a list of one, as a decision of ours; anything else as it is.

    >>> decision_of([{"type": "response", "args": "later"}])
    {'type': 'respond', 'message': 'later'}
    """
    response = answer[0] if isinstance(answer, list) and len(answer) == 1 else answer
    match response:
        case {"type": "accept"}:
            return {"type": "approve"}
        case {"type": "edit", "args": {"action": name, "args": args}}:
            return {"type": "edit", "edited_action": {"name": name, "args": args}}
        case {"type": "response", "args": said}:
            return {"type": "respond", "message": said}
        case {"type": "ignore", **rest}:
            said = rest.get("args")
            return {"type": "reject", **({"message": said} if said is not None else {})}
    return answer


def answer_of(value: Any, decision: Any) -> Any:
    """Return what the graph that asked `value` is resumed with for a checked decision of ours."""
    request = request_of(value)
    if request is None or is_ours(request):
        return decision
    match decision:
        case {"type": "approve"}:
            return [{"type": "accept", "args": None}]
        case {"type": "edit", "edited_action": {"name": name, "args": args}}:
            return [{"type": "edit", "args": {"action": name, "args": args}}]
        case {"type": "respond", "message": said}:
            return [{"type": "response", "args": said}]
    said = decision.get("message") if isinstance(decision, Mapping) else None
    return [{"type": "ignore", "args": said or None}]


def is_ours(request: Mapping[str, Any]) -> bool:
    """Whether one of our agents asked."""
    match request.get("artel"):
        case {"kind": "tool_call" | "question", "tool_call_id": str()}:
            return True
    return False
