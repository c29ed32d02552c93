"""What a question is about, read from its value in any of the dialects that graphs ask in."""

from collections.abc import Iterator, Mapping
from typing import Any

KINDS = ("tool_call", "question", "plan")
ENDINGS = ("reject", "escalate", "park")
ALLOWS = {  # what Agent Inbox calls our decisions, in the config of its requests
    "allow_accept": "approve",
    "allow_edit": "edit",
    "allow_ignore": "reject",
    "allow_respond": "respond",
}


def request_of(value: Any) -> Mapping[str, Any] | None:
    """Return the `HumanInterrupt` of a question in the form of Agent Inbox, alone or in a list of one.

    None: it is in another form, or nobody could answer it.
    """
    match value:
        case [{"action_request": {"action": str(), "args": Mapping()}, "config": Mapping() as config} as one]:
            return one if any(config.get(name) is True for name in ALLOWS) else None
        case {"action_request": {"action": str(), "args": Mapping()}, "config": Mapping() as config}:
            return value if any(config.get(name) is True for name in ALLOWS) else None
    return None


def question_of(value: Any) -> Mapping[str, Any]:
    """Return a question as a mapping in our own form; a batched one as it is, and of any other nothing.

    >>> question_of([{"action_request": {"action": "send", "args": {}}, "config": {"allow_accept": True}}])
    {'type': 'tool_approval', 'tool_call_id': None, 'name': 'send', 'args': {}, 'description': ''}
    """
    request = request_of(value)
    if request is None:
        return value if isinstance(value, Mapping) else {}
    ours = _ours(request)
    if ours.get("kind") == "question":
        asked = request["action_request"]["args"]
        return {**asked, "type": "question", "description": request.get("description") or "", "artel": ours}
    return {
        "type": "tool_approval",
        "tool_call_id": _text(ours.get("tool_call_id")),
        "name": request["action_request"]["action"],
        "args": request["action_request"]["args"],
        "description": request.get("description") or "",
        **({"artel": ours} if ours else {}),
    }


def about(value: Any) -> dict[str, Any]:
    """Return what a row says of a question besides its value: kind, tool, arguments, agent, calls, endings.

    `calls` lists the tool, the rule and the id of each call, and what it `covers` if that is said; of a
    batched question the arguments of its calls stay in the value.
    """
    question = question_of(value)
    ours = _ours(question)
    found: dict[str, Any] = {"kind": "foreign", "tool_call_id": None, "tool": None, "args": None}
    match question:
        case {"type": "tool_approval", "tool_call_id": str() | None as call_id, "name": str(name), **rest}:
            args = rest.get("args")
            found |= {"kind": "tool_call", "tool_call_id": call_id, "tool": name}
            found["args"] = args if isinstance(args, Mapping) else None
        case {"action_requests": list(), "artel": {**_any}}:
            found["kind"] = "tool_call"
        case {"type": "question" | "plan" as kind}:
            found |= {"kind": kind, "tool_call_id": _text(ours.get("tool_call_id"))}
    if ours.get("kind") in KINDS:
        found["kind"] = ours["kind"]
    named = ours.get("escalate_to")
    users = [one for one in named if isinstance(one, str)] if isinstance(named, list) else []
    then = ours.get("on_timeout")
    return found | {
        "agent": _text(ours.get("agent")),
        "calls": list(_calls(question, found)),
        "on_timeout": then if then in ENDINGS and (users or then != "escalate") else "reject",
        "escalate_to": users,
    }


def _calls(question: Mapping[str, Any], found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    ours = _ours(question)
    if found["tool"] is not None:
        yield _call(ours, found["tool"], found["tool_call_id"])
    elif isinstance(calls := ours.get("calls"), list):
        for call in calls:
            known = call if isinstance(call, Mapping) else {}
            yield _call(known, known.get("name"), known.get("tool_call_id"))


def _call(known: Mapping[str, Any], tool: Any, tool_call_id: Any) -> dict[str, Any]:
    named = {"tool": tool, "rule": known.get("rule"), "tool_call_id": tool_call_id}
    covers = _text(known.get("covers"))
    return {name: _text(one) for name, one in named.items()} | ({"covers": covers} if covers else {})


def _ours(question: Mapping[str, Any]) -> Mapping[str, Any]:
    ours = question.get("artel")
    return ours if isinstance(ours, Mapping) else {}


def _text(given: Any) -> str | None:
    return given if isinstance(given, str) else None
