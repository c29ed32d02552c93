"""The one message that a model is shown and no state keeps: what changes from call to call, at the end."""

from collections.abc import Sequence

from langchain_core.messages import AnyMessage, BaseMessage, HumanMessage

NAME = "artel_context"


def told(messages: Sequence[AnyMessage], text: str) -> list[AnyMessage]:
    """Return the messages of a thread with `text` behind them."""
    return [*messages, HumanMessage(text, name=NAME)]


def of_the_thread(messages: Sequence[BaseMessage]) -> list[BaseMessage]:
    """Return the messages without it."""
    return [message for message in messages if message.name != NAME]
