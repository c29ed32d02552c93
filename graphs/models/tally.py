"""What calls of models used, noted by the calls themselves: nobody who asks one can forget to count it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import count_tokens_approximately

from artel.graphs.models.link import KEY
from artel.graphs.models.prices import cost_of

STEP = "artel_step"
"""In the metadata of what is done for a step of a plan: its id, by which usage is added up."""


@dataclass(frozen=True, slots=True)
class Used:
    """What one call of a model used."""

    tokens: int
    "In and out together."
    output: int
    usd: float | None
    "None: nobody knows the price."

    @classmethod
    def of(cls, answer: BaseMessage, asked: Sequence[BaseMessage]) -> "Used":
        """Return what an answer to `asked` used; of a model that does not count, four letters are a token."""
        usage = answer.usage_metadata if isinstance(answer, AIMessage) else None
        if not usage:
            made = count_tokens_approximately([answer])
            return cls(made + count_tokens_approximately(asked), made, None)
        usd = cost_of(str(answer.response_metadata.get(KEY, "")), usage)
        return cls(usage["total_tokens"], usage["output_tokens"], usd)


_tally: ContextVar[list[Used] | None] = ContextVar("artel_tally", default=None)


@contextmanager
def tallied() -> Iterator[list[Used]]:
    """Collect what the calls inside use, in the order in which they end; a tally inside has its own."""
    calls: list[Used] = []
    token = _tally.set(calls)
    try:
        yield calls
    finally:
        _tally.reset(token)


def note(answer: BaseMessage, asked: Any) -> None:
    """Note a call that came to its end; where nobody tallies, nothing."""
    if (calls := _tally.get()) is not None:
        calls.append(Used.of(answer, asked if isinstance(asked, list) else ()))
