"""What LangSmith's tracing costs a process in which nobody traces."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Literal

import langsmith
import pytest
from langsmith.run_helpers import tracing_context

from artel.graphs.tracing import spare_threads


@pytest.fixture(autouse=True)
def spared() -> Iterator[None]:
    spare_threads()
    yield
    langsmith.set_runtime_overrides()


class Counting(ThreadPoolExecutor):
    """Counts what is given to its threads."""

    given = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **named: Any) -> Future[Any]:
        self.given += 1
        return super().submit(fn, *args, **named)


async def given_to_threads(enabled: Literal["local"] | bool) -> int:
    """Return how often a call of a traced function asks for a thread."""

    @langsmith.traceable
    async def act() -> str:
        return "done"

    with Counting() as executor, tracing_context(enabled=enabled):
        asyncio.get_running_loop().set_default_executor(executor)
        assert await act() == "done"
        return executor.given


async def test_what_nobody_traces_goes_to_no_thread() -> None:
    assert await given_to_threads(False) == 0


async def test_what_is_traced_has_its_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGSMITH_API_KEY", "never sent")  # a local trace goes nowhere
    assert await given_to_threads("local") == 2
