"""Who said what in a thread: which messages are a person's, and where what they asked for begins."""

from collections.abc import Callable, Sequence

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

STEERED = "steer-"  # how the ids of messages begin that a person sent to a run that was on
OURS = "artel"  # how the names of messages begin that code put among a person's


def is_said(message: AnyMessage) -> bool:
    """Whether a person said it: also to a run that was on, but not code in their place."""
    return isinstance(message, HumanMessage) and not (message.name or "").startswith(OURS)


def begins(message: AnyMessage) -> bool:
    """Whether it asks for something new, of which budgets count anew."""
    return is_said(message) and not (message.id or "").startswith(STEERED)


def since(messages: Sequence[AnyMessage], first: Callable[[AnyMessage], bool]) -> list[AnyMessage]:
    """Return the messages after the last one that is `first`; all if none is."""
    place = next((i for i in range(len(messages) - 1, -1, -1) if first(messages[i])), -1)
    return list(messages[place + 1 :])


def request_of(messages: Sequence[AnyMessage]) -> str:
    """Return the words that the turn began with."""
    return next((one.text for one in reversed(messages) if begins(one)), "")


def called(messages: Sequence[AnyMessage]) -> list[str]:
    """Return the names of the tools that the agent called last."""
    last = next((one for one in reversed(messages) if isinstance(one, AIMessage)), None)
    return list(dict.fromkeys(call["name"] for call in last.tool_calls)) if last else []
