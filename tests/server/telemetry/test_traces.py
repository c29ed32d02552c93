"""Traces of runs, as a real collector receives them over OTLP."""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from langchain_core.language_models.fake_chat_models import FakeMessagesListChatModel
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import tool
from langgraph.graph import END, START, StateGraph
from langgraph.prebuilt import ToolNode
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from tests.fakes.receiver import Receiver, receiving
from tests.fakes.served import HI, State, calling, graphs, serving

from artel.server.catalog import Catalog, Entry
from artel.server.settings import load_settings
from artel.server.telemetry import otel
from artel.server.telemetry.settings import TelemetrySettings
from artel.server.telemetry.tracing import open_tracing

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
PRIVATE = "the cat sleeps"


@dataclass(frozen=True)
class Span:
    """One span as the collector has it."""

    name: str
    trace: str
    id: str
    parent: str
    failed: bool
    told: dict[str, Any]
    events: list[dict[str, Any]]
    service: str


@dataclass
class Collector:
    """What came by OTLP."""

    receiver: Receiver

    @property
    def spans(self) -> list[Span]:
        return [
            Span(
                one.name,
                one.trace_id.hex(),
                one.span_id.hex(),
                one.parent_span_id.hex(),
                one.status.code == 2,
                _told(one.attributes),
                [{"name": event.name, **_told(event.attributes)} for event in one.events],
                _told(resource.resource.attributes)["service.name"],
            )
            for request in self.receiver.told
            for resource in ExportTraceServiceRequest.FromString(request.raw).resource_spans
            for scope in resource.scope_spans
            for one in scope.spans
        ]

    def named(self, name: str) -> Span:
        (found,) = (one for one in self.spans if one.name == name)
        return found


def _told(attributes: Any) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for one in attributes:
        kind = one.value.WhichOneof("value")
        value: Any = getattr(one.value, kind) if kind else None
        told[one.key] = [item.string_value for item in value.values] if kind == "array_value" else value
    return told


@tool
def look(at: str) -> str:
    """Look at something."""
    if at == "nothing":
        raise ValueError(f"there is nothing, said {PRIVATE}")
    return f"seen {at}"


def _asking(at: str) -> Any:
    async def ask(state: State) -> dict[str, Any]:
        call = {"name": "look", "args": {"at": at}, "id": "call-7"}
        usage = {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18}
        reply = AIMessage("", tool_calls=[call], usage_metadata=usage)
        reply.response_metadata = {"model_name": "tiny-2", "finish_reason": "tool_calls"}
        model = FakeMessagesListChatModel(responses=[reply])
        return {"messages": [await model.ainvoke([HumanMessage(PRIVATE)])]}

    graph = StateGraph(State)
    graph.add_node("ask", ask)
    graph.add_node("tools", ToolNode([look], handle_tool_errors=False))
    graph.add_edge(START, "ask")
    graph.add_edge("ask", "tools")
    graph.add_edge("tools", END)
    return graph.compile()


def _twice() -> Any:
    tried: list[int] = []

    async def step(state: State, config: RunnableConfig) -> dict[str, Any]:
        tried.append(1)
        if len(tried) == 1:
            await asyncio.sleep(60)
        return {"log": ["done"]}

    graph = StateGraph(State)
    graph.add_node("step", step)
    graph.add_edge(START, "step")
    return graph.compile()


@asynccontextmanager
async def traced(
    dsn: str, receiver: Receiver, *, content: bool = False, **engine: Any
) -> AsyncIterator[httpx.AsyncClient]:
    """Serve with traces to a collector; they are all there when this is left."""
    known = {**graphs(), "looks": _asking("the cat"), "stumbles": _asking("nothing"), "twice": _twice()}
    catalog = Catalog({name: Entry(None, graph) for name, graph in known.items()})
    settings = TelemetrySettings(otlp_endpoint=f"http://127.0.0.1:{receiver.port}/", content=content)
    async with (
        open_tracing(settings) as tracing,
        serving(dsn, tracing=tracing, catalog=catalog, **engine) as app,
        calling(app) as http,
    ):
        yield http


async def test_a_run_its_nodes_its_models_and_its_tools_are_one_trace(fresh_dsn: str) -> None:
    async with receiving() as receiver:
        async with traced(fresh_dsn, receiver) as http:
            body = {"assistant_id": "looks", "input": HI}
            headers = {"traceparent": CALLER}
            thread = (await http.post("/threads", json={})).json()["thread_id"]
            answer = await http.post(f"/threads/{thread}/runs/wait", json=body, headers=headers)
            assert answer.status_code == 200
            run_id = answer.headers["content-location"].rpartition("/")[2]
        found = Collector(receiver)
    assert receiver.told[0].path == "/v1/traces"
    run, ask, tools = (found.named(name) for name in ("run looks", "node ask", "node tools"))
    model, call = found.named("chat FakeMessagesListChatModel"), found.named("execute_tool look")
    assert {one.trace for one in found.spans} == {CALLER.split("-")[1]}
    assert run.parent == CALLER.split("-")[2]
    assert (ask.parent, tools.parent) == (run.id, run.id)
    assert (model.parent, call.parent) == (ask.id, tools.id)
    assert len(found.spans) == 5
    assert run.told["artel.run_id"] == run_id
    assert (run.told["artel.thread_id"], run.told["artel.graph_id"]) == (thread, "looks")
    assert UUID(run.told["artel.assistant_id"])
    assert (run.told["artel.attempt"], run.told["artel.outcome"], run.service) == (1, "done", "artel")
    assert model.told["gen_ai.usage.input_tokens"] == 11
    assert model.told["gen_ai.usage.output_tokens"] == 7
    assert model.told["gen_ai.response.model"] == "tiny-2"
    assert model.told["gen_ai.response.finish_reasons"] == ["tool_calls"]
    assert (call.told["gen_ai.tool.name"], call.told["gen_ai.tool.call.id"]) == ("look", "call-7")
    assert {one.told["artel.run_id"] for one in found.spans} == {run_id}
    assert not any(one.failed for one in found.spans)


async def test_what_was_said_is_in_no_span_unless_a_setting_says_so(fresh_dsn: str) -> None:
    for content in (False, True):
        async with receiving() as receiver:
            async with traced(fresh_dsn, receiver, content=content) as http:
                for graph in ("looks", "stumbles"):
                    await http.post("/runs/wait", json={"assistant_id": graph, "input": HI})
            sent = b"".join(one.raw for one in receiver.told)
            assert (PRIVATE.encode() in sent) is content
            assert (b"the cat" in sent) is content
            assert (b"there is nothing" in sent) is content


async def test_a_failure_is_recorded_where_it_happened_and_above(fresh_dsn: str) -> None:
    async with receiving() as receiver:
        async with traced(fresh_dsn, receiver) as http:
            await http.post("/runs/wait", json={"assistant_id": "stumbles", "input": HI})
        found = Collector(receiver)
    for name in ("execute_tool look", "node tools", "run stumbles"):
        span = found.named(name)
        assert span.failed
        assert span.told["error.type"] == "ValueError"
    assert found.named("execute_tool look").events == [{"name": "exception", "exception.type": "ValueError"}]
    assert not found.named("node ask").failed


async def test_a_question_to_somebody_is_no_failure(fresh_dsn: str) -> None:
    async with receiving() as receiver:
        async with traced(fresh_dsn, receiver) as http:
            thread = (await http.post("/threads", json={})).json()["thread_id"]
            await http.post(f"/threads/{thread}/runs/wait", json={"assistant_id": "asks", "input": {}})
        found = Collector(receiver)
    assert found.named("node ask").told["artel.interrupted"] is True
    assert not any(one.failed for one in found.spans)


async def test_a_second_attempt_elsewhere_is_a_span_of_the_same_trace(fresh_dsn: str) -> None:
    """Without a caller's trace too: then the run's own id is that of the trace."""
    async with receiving() as receiver:
        settings = TelemetrySettings(otlp_endpoint=f"http://127.0.0.1:{receiver.port}")
        catalog = Catalog({"twice": Entry(None, _twice())})
        body = {"assistant_id": "twice", "input": {}}
        async with (
            open_tracing(settings) as tracing,
            serving(fresh_dsn, tracing=tracing, catalog=catalog, grace_s=0.1) as app,
            calling(app) as http,
        ):
            thread = (await http.post("/threads", json={})).json()["thread_id"]
            run_id = (await http.post(f"/threads/{thread}/runs", json=body)).json()["run_id"]
            await asyncio.sleep(0.5)
        async with (
            open_tracing(settings) as tracing,
            serving(fresh_dsn, tracing=tracing, catalog=catalog) as app,
            calling(app) as http,
        ):
            joined = await http.get(f"/threads/{thread}/runs/{run_id}/join")
            assert joined.json()["log"] == ["done"]
        first, second = sorted(
            (one for one in Collector(receiver).spans if one.name == "run twice"),
            key=lambda one: one.told["artel.attempt"],
        )
    assert (first.told["artel.attempt"], second.told["artel.attempt"]) == (1, 2)
    assert (first.told["artel.outcome"], second.told["artel.outcome"]) == ("handed", "done")
    assert first.trace == second.trace == UUID(run_id).hex
    assert first.id != second.id


@pytest.mark.parametrize("sent", ["nonsense", f"00-{'0' * 32}-{'1' * 16}-01", CALLER + "-x", CALLER.upper()])
async def test_a_header_that_is_no_trace_is_ignored(fresh_dsn: str, sent: str) -> None:
    async with receiving() as receiver:
        async with traced(fresh_dsn, receiver) as http:
            made = await http.post(
                "/runs/wait", json={"assistant_id": "tells", "input": {}}, headers={"traceparent": sent}
            )
            assert made.status_code == 200
        run = Collector(receiver).named("run tells")
    assert (run.trace, run.parent) == (UUID(run.told["artel.run_id"]).hex, "")


async def test_a_caller_who_does_not_sample_gets_no_spans(fresh_dsn: str) -> None:
    async with receiving() as receiver:
        async with traced(fresh_dsn, receiver) as http:
            headers = {"traceparent": CALLER[:-2] + "00"}
            await http.post("/runs/wait", json={"assistant_id": "tells", "input": {}}, headers=headers)
        assert not receiver.told


async def test_a_collector_that_is_away_holds_nothing_up(
    fresh_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otel, "LAST_WORDS_S", 0.5)
    async with receiving() as receiver:
        port = receiver.port
    begun = time.monotonic()
    async with traced(fresh_dsn, Receiver(port=port)) as http:
        answer = await http.post("/runs/wait", json={"assistant_id": "tells", "input": {}})
        assert answer.status_code == 200
    assert time.monotonic() - begun < 10


async def test_many_runs_at_once_keep_their_spans_apart(fresh_dsn: str) -> None:
    async with receiving() as receiver:
        async with traced(fresh_dsn, receiver) as http:
            body = {"assistant_id": "looks", "input": HI}
            parents = [f"00-{uuid4().hex}-{uuid4().hex[:16]}-01" for _ in range(8)]
            await asyncio.gather(
                *(http.post("/runs/wait", json=body, headers={"traceparent": one}) for one in parents)
            )
        spans = Collector(receiver).spans
    for parent in parents:
        of_one = [span for span in spans if span.trace == parent.split("-")[1]]
        assert len(of_one) == 5
        assert len({span.told["artel.run_id"] for span in of_one}) == 1


def test_the_common_name_of_the_setting_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/")
    assert load_settings().telemetry.otlp_endpoint == "http://collector:4318"


async def test_nothing_is_traced_and_nothing_loaded_unless_set() -> None:
    async with open_tracing(TelemetrySettings()) as tracing:
        assert tracing is None
    code = (
        "import sys, artel.server.cli.serve\n"
        "heavy = ('opentelemetry.exporter', 'artel.server.telemetry.otel', 'prometheus_client')\n"
        "sys.exit(any(name.startswith(heavy) for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0  # noqa: ASYNC221


def test_a_missing_package_is_said_in_one_sentence(tmp_path: Any) -> None:
    code = (
        "import sys\n"
        "sys.modules['opentelemetry.sdk'] = None\n"
        "from artel.server.__main__ import main\n"
        "sys.exit(main(['serve', '--port', '0']))"
    )
    _check(code, tmp_path)


def _check(code: str, folder: Callable[..., Any]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", code],
        cwd=str(folder),
        env={"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318", "ARTEL_MODEL": "offline", "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 1
    assert ended.stderr.strip().splitlines()[-1].startswith("artel: a collector is set")
    assert "artel[otel]" in ended.stderr
