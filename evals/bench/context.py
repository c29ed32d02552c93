"""What stands between a turn and its model: what is shown, the whole of a turn, compaction.

    python evals/bench/context.py

Plain is to write the messages of a thread as JSON once, which every request to a model does. Figures of one
run are to be compared with each other, not with those of another machine or hour.
"""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from artel.graphs.agent_loop import loop
from artel.graphs.compaction.fitting import fitted
from artel.graphs.compaction.ladder import Measure, view
from artel.graphs.compaction.pairing import grouped
from artel.graphs.compaction.record import Compaction
from artel.graphs.context import Handles, use
from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.fallback import Chain, Link
from artel.graphs.models.scripted import scripted
from artel.graphs.roles import built_in

ROUNDS = 60
MEASURE, ROOM = Measure(12_288), 8_000


def main() -> None:
    """Print a table: median, p95, and the ratio to plain."""
    asyncio.run(_bench())


async def _bench() -> None:
    short, long = thread(100), thread(1_000)
    plain = await measured(lambda: _json(short))
    print(f"{'':44}{'median ms':>10}{'p95 ms':>9}{'ratio':>7}")
    _row("100 messages as JSON", plain, plain)
    record = await fitted(grouped(short), Compaction(), MEASURE, ROOM, _chain())
    _row("100 messages that fit, shown", await measured(lambda: _shown(short, Compaction())), plain)
    _row("100 messages that were compacted, shown", await measured(lambda: _shown(short, record)), plain)
    with tempfile.TemporaryDirectory() as folder:
        _row("a turn of the coder, 100 messages", await _turns(folder, short), plain)
    many = await measured(lambda: _json(long))
    _row("1,000 messages as JSON", many, many)
    record = await fitted(grouped(long), Compaction(), MEASURE, ROOM, _chain())
    _row("1,000 messages that were compacted, shown", await measured(lambda: _shown(long, record)), many)
    _row("1,000 messages, compacted", await measured(lambda: _compacted(long), rounds=10), many)


def thread(count: int) -> list[AnyMessage]:
    """Return a thread of about `count` messages: words, looks at code and their results."""
    code = "\n".join(f"{n:6}\tdef work_{n}(value: int) -> int:" for n in range(60))
    messages: list[AnyMessage] = []
    for at in range(count // 4):
        args = {"file_path": f"src/module_{at % 30}.py"}
        call = {"name": "read_file", "args": args, "id": f"c{at}", "type": "tool_call"}
        messages += [
            HumanMessage(f"Шаг {at}: посмотри модуль и скажи, что в нём.", id=f"h{at}"),
            AIMessage("", tool_calls=[call], id=f"a{at}"),
            ToolMessage(code, name="read_file", tool_call_id=f"c{at}", id=f"t{at}"),
            AIMessage(f"There are sixty functions in module {at % 30}.", id=f"d{at}"),
        ]
    return messages


async def measured(work: Callable[[], Awaitable[object]], rounds: int = ROUNDS) -> list[float]:
    """Return the milliseconds of each round; the first is not counted."""
    await work()
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    return took


async def _json(messages: list[AnyMessage]) -> None:
    json.dumps([message.model_dump(mode="json") for message in messages])


async def _shown(messages: list[AnyMessage], record: Compaction) -> None:
    view(grouped(messages), record, MEASURE)


async def _compacted(messages: list[AnyMessage]) -> None:
    await fitted(grouped(messages), Compaction(), MEASURE, ROOM, _chain())


async def _turns(folder: str, messages: list[AnyMessage]) -> list[float]:
    root = _project(folder)
    given = Handles(
        models=_One(ModelSettings(windows={"scripted": 65_536})), roots=(root,), default_workspace=root
    )
    graph = loop(built_in()["coder"])
    with use(given):
        return await measured(lambda: graph.ainvoke({"messages": [*messages, HumanMessage("go", id="last")]}))


def _project(folder: str) -> Path:
    root = Path(folder).resolve()
    (root / "AGENTS.md").write_text("Indent by four.\n")
    return root


class _One(Models):
    def chat(self, agent: str, override: str = "", *, usual: str = "") -> Chain:
        return _chain()


def _chain() -> Chain:
    model = scripted({"text": "done", "match": "go"}, {"text": "done", "match": "module"})
    return Chain(
        links=(Link(spec="scripted", build=lambda: model, failures=tuple),), timeout_s=5, silence_s=5
    )


def _row(name: str, took: list[float], plain: list[float]) -> None:
    median, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"{name:44}{median:10.2f}{p95:9.2f}{median / statistics.median(plain):7.2f}")


if __name__ == "__main__":
    main()
