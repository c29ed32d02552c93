"""The context meter: how full a model's window is, for those who watch, when it changed enough to look."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage

from artel.graphs.compaction.counting import KEY
from artel.graphs.models.windows import Budget

NOTICEABLE = 0.02  # of the limit


@dataclass(frozen=True, slots=True)
class Meter:
    """What a question costs, in the tokens of the model that is asked."""

    model: str
    estimated: int
    "As we count."
    tokens: int
    window: int
    limit: int
    parts: dict[str, int]
    compacted: bool

    @classmethod
    def of(
        cls, model: str, budget: Budget, sizes: tuple[int, int, int, int], factor: float, *, compacted: bool
    ) -> "Meter":
        """Return the meter of a question with parts of these sizes; the model counts `factor` as many."""
        names = ("system", "tools", "history", "last")
        parts = {name: round(size * factor) for name, size in zip(names, sizes, strict=True)}
        window, limit = budget.window or 0, budget.limit or 0
        return cls(model, sum(sizes), sum(parts.values()), window, limit, parts, compacted)

    @property
    def event(self) -> dict[str, Any]:
        """The event `context` of the stream."""
        shown = {"tokens": self.tokens, "window": self.window, "limit": self.limit}
        return {"type": "context", **shown, "parts": self.parts, "compacted": self.compacted}

    def differs(self, told: int | None) -> bool:
        """Whether it is worth a look after `told` tokens were told of; None: nothing was."""
        return told is None or abs(self.tokens - told) >= NOTICEABLE * self.limit

    def noted(self, told: int) -> dict[str, Any]:
        """Return what the answer to the question carries: `told` tokens were told of last."""
        return {KEY: {"model": self.model, "estimated": self.estimated, "told": told}}


def last_told(messages: Sequence[AnyMessage]) -> int | None:
    """Return the tokens that were told of last in this turn, by what its last answer carries."""
    for message in reversed(messages):
        if message.type == "human":
            return None
        if isinstance(message, AIMessage):
            noted = message.response_metadata.get(KEY)
            told = noted.get("told") if isinstance(noted, dict) else None
            return told if isinstance(told, int) else None
    return None
