"""LangSmith's tracing where nobody traces: LangChain asks it around each middleware, in threads each time."""

from collections.abc import Awaitable, Callable
from contextvars import Context
from typing import Any

import langsmith
from langsmith.utils import tracing_is_enabled


def spare_threads() -> None:
    """Let what LangSmith does around a call run where the call runs, while tracing is off.

    It looks up whether to trace, 22 times a turn, and gives each look to a thread: 20 % of a turn's CPU time.
    Traced runs have their threads as before. It holds for the process.
    """
    langsmith.set_runtime_overrides(aio_to_thread=_where_it_is)


async def _where_it_is(
    in_thread: Callable[..., Awaitable[Any]],
    context: Context,
    act: Callable[..., Any],
    /,
    *args: Any,
    **named: Any,
) -> Any:
    if tracing_is_enabled():
        return await in_thread(context, act, *args, **named)
    return context.run(act, *args, **named)
