"""How fast the engine is in one process: what it adds to a bare graph, and what it gets done.

    python evals/bench/engine.py [postgresql://…]

Without a DSN it runs on an embedded Postgres in a temporary folder. Compare figures of one run with each
other, not with those of another machine or hour.
"""

import asyncio
import operator
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Annotated, Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, AnyMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph, add_messages
from typing_extensions import TypedDict

from artel.server.engine import Engine, EngineSettings, dispatch, open_engine, stream
from artel.storage import embedded, threads
from artel.storage.broker import open_broker
from artel.storage.ids import new_id, system_assistant_id
from artel.storage.migrations import migrate
from artel.storage.postgres import open_database
from artel.storage.runs import Order

ROUNDS = 60
INPUT = {"messages": [{"role": "user", "content": "hi"}]}


class State(TypedDict, total=False):
    """A chat."""

    messages: Annotated[list[AnyMessage], add_messages]
    trail: Annotated[list[str], operator.add]


class Speaker(BaseChatModel):
    """A model that says `tokens` words without pausing."""

    tokens: int = 5

    @property
    def _llm_type(self) -> str:
        return "speaker"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for n in range(self.tokens):
            chunk = ChatGenerationChunk(message=AIMessageChunk(content=f"word{n} "))
            if run_manager := kwargs.get("run_manager"):
                await run_manager.on_llm_new_token(chunk.text, chunk=chunk)
            yield chunk
            if n % 20 == 19:
                await asyncio.sleep(0)


def talk(tokens: int) -> Any:
    """Compile a graph that speaks."""

    async def speak(state: State) -> State:
        return {"messages": [await Speaker(tokens=tokens).ainvoke(state["messages"])]}

    graph = StateGraph(State)
    graph.add_node("speak", speak)
    graph.add_edge(START, "speak")
    graph.add_edge("speak", END)
    return graph.compile()


def steps(count: int, began: list[float]) -> Any:
    """Compile a graph of `count` trivial steps; the first notes when it begins."""

    async def step(state: State) -> State:
        began.append(time.perf_counter())
        return {"trail": ["x"]}

    graph = StateGraph(State)
    names = [f"s{n}" for n in range(count)]
    for name in names:
        graph.add_node(name, step)
    for here, there in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(here, there)
    return graph.compile()


class Graphs:
    """The graphs of this benchmark."""

    def __init__(self) -> None:
        self.began: list[float] = []
        self.known = {
            "talk": talk(5),
            "flood": talk(2000),
            "one": steps(1, self.began),
            "five": steps(5, self.began),
        }

    @asynccontextmanager
    async def graph(self, graph_id: str, config: RunnableConfig, **_: object) -> AsyncIterator[Any]:
        """Open a graph."""
        del config
        yield self.known[graph_id]


def order(graph_id: str, **fields: Any) -> Order:
    """Order a run on a new thread that stays."""
    kwargs = {"input": INPUT, "if_not_exists": "create", **fields}
    return Order(new_id(), system_assistant_id(graph_id), graph_id, kwargs)


async def first_token(engine: Engine, graphs: Graphs) -> tuple[list[float], list[float]]:
    """Seconds to the first token: of the bare graph, and through the engine."""
    bare, ours = [], []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        first = 0.0
        async for _ns, mode, _chunk in graphs.known["talk"].astream(
            INPUT, stream_mode=["messages", "values"], subgraphs=True
        ):
            if mode == "messages":
                first = first or time.perf_counter() - began
        bare.append(first)
        began = time.perf_counter()
        first = 0.0
        run = await dispatch.start(engine, order("talk"), fast=True)
        async for batch in stream.follow(engine, run.run_id):
            if any(event.type == "messages" for event in batch):
                first = first or time.perf_counter() - began
        ours.append(first)
    return bare, ours


async def pick_up(engine: Engine, graphs: Graphs) -> list[float]:
    """Seconds from the accepted background run to its first node."""
    took = []
    for _ in range(ROUNDS):
        graphs.began.clear()
        run = await dispatch.start(engine, order("one"), fast=False)
        accepted = time.perf_counter()
        await stream.ended(engine, run.run_id)
        took.append(graphs.began[0] - accepted)
        await asyncio.sleep(0.02)
    return took


async def waits(engine: Engine, graph_id: str) -> list[float]:
    """Seconds a waited-for run takes."""
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run = await dispatch.start(engine, order(graph_id), fast=True)
        await stream.outcome(engine, run.run_id)
        took.append(time.perf_counter() - began)
    return took


async def throughput(engine: Engine, graph_id: str, *, clients: int, each: int, fast: bool) -> float:
    """Runs a second with `clients` at once."""

    async def client() -> None:
        for _ in range(each):
            run = await dispatch.start(engine, order(graph_id), fast=fast)
            await stream.ended(engine, run.run_id)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return clients * each / (time.perf_counter() - began)


async def tokens(engine: Engine) -> float:
    """Tokens a second relayed to eight readers of eight runs."""

    async def read() -> int:
        run = await dispatch.start(engine, order("flood"), fast=True)
        count = 0
        async for batch in stream.follow(engine, run.run_id):
            count += sum(event.type == "messages" for event in batch)
        return count

    began = time.perf_counter()
    counts = await asyncio.gather(*(read() for _ in range(8)))
    return sum(counts) / (time.perf_counter() - began)


async def bench(dsn: str) -> None:
    """Run everything and print one line a measure."""
    await migrate(dsn)
    graphs = Graphs()
    async with (
        open_database(dsn) as db,
        open_broker(dsn) as broker,
        open_engine(db, broker, graphs, settings=EngineSettings()) as engine,
    ):
        async with db.connection() as conn:
            await threads.count(conn, threads.Filter("local"))
        await first_token(engine, graphs)
        bare, ours = await first_token(engine, graphs)
        show("first token, bare graph", bare)
        show("first token, engine", ours)
        print(f"{'added to the first token':32} {1000 * (med(ours) - med(bare)):8.2f} ms")
        show("pick-up of a background run", await pick_up(engine, graphs))
        show("wait-run, 1 step", await waits(engine, "one"))
        show("wait-run, 5 steps", await waits(engine, "five"))
        for name, graph_id, fast in (
            ("runs/s, 1 step, 32 clients", "one", True),
            ("runs/s, 5 steps, 32 clients", "five", True),
            ("background runs/s, 1 step", "one", False),
        ):
            speed = await throughput(engine, graph_id, clients=32, each=10, fast=fast)
            print(f"{name:32} {speed:8.0f}")
        print(f"{'tokens/s, 8 streams':32} {await tokens(engine):8.0f}")


def med(took: list[float]) -> float:
    """The median."""
    return statistics.median(took)


def show(name: str, took: list[float]) -> None:
    """Print median and 95th percentile in ms."""
    high = sorted(took)[int(len(took) * 0.95)]
    print(f"{name:32} {1000 * med(took):8.2f} ms   p95 {1000 * high:8.2f} ms")


def main(run: Callable[[Any], None] = asyncio.run) -> None:
    """Run on the DSN given, else on an embedded Postgres."""
    if len(sys.argv) > 1:
        with nullcontext(sys.argv[1]) as dsn:
            run(bench(dsn))
        return
    with tempfile.TemporaryDirectory(prefix="artel-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        with embedded.start(Path(folder) / "data") as dsn:
            run(bench(dsn))


if __name__ == "__main__":
    main()
