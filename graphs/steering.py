"""What people say to a run that is on: taken up before its next call of a model, each message once."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from langchain_core.messages import HumanMessage
from langgraph.config import get_stream_writer

from artel.graphs.turns import STEERED


@dataclass(frozen=True, slots=True)
class Steer:
    """A message to a run that is on."""

    steering_id: str
    text: str

    @property
    def message(self) -> HumanMessage:
        """The same as the thread keeps it; its id is the same however often it is taken."""
        return HumanMessage(self.text, id=f"{STEERED}{self.steering_id}")


class SteeringLedger(Protocol):
    """Where such messages wait."""

    async def take(self, checkpoint_ns: str) -> Sequence[Steer]:
        """Return those that no step but this one has taken, oldest first; they can be changed no more.

        The same step, begun again after a crash, is given the same again.
        """


class NoSteering:
    """For graphs outside our server: nobody can say anything."""

    async def take(self, checkpoint_ns: str) -> Sequence[Steer]:
        """Return nothing."""
        del checkpoint_ns
        return ()


async def heard(ledger: SteeringLedger, checkpoint_ns: str, known: Collection[str]) -> list[HumanMessage]:
    """Take what waits, but for messages with `known` ids, and tell readers of the stream of it."""
    taken = [one.message for one in await ledger.take(checkpoint_ns)]
    fresh = [one for one in taken if one.id not in known]
    if fresh:
        messages = [{"id": one.id, "text": one.text} for one in fresh]
        get_stream_writer()({"type": "steered", "messages": messages})
    return fresh
