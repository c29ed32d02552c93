"""Traces by OpenTelemetry: a span for each attempt of a run, in the trace of the request that made it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from importlib.metadata import version

from opentelemetry import context as contexts
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from artel.server.telemetry.carried import TRACE
from artel.server.telemetry.settings import TelemetrySettings
from artel.server.telemetry.spans import Spans
from artel.storage.runs import Run

LAST_WORDS_S = 3.0  # for what was not sent yet when the process ends

_wanted: ContextVar[int] = ContextVar("artel_trace_id", default=0)


class _Ids(RandomIdGenerator):
    """Gives a run that belongs to no trace its own id for one: the same in every attempt."""

    def generate_trace_id(self) -> int:
        return _wanted.get() or super().generate_trace_id()


class Exporting:
    """Sends spans to a collector, in batches, from a thread of its own; each engine may have one."""

    def __init__(self, settings: TelemetrySettings) -> None:
        self._exporter = OTLPSpanExporter(endpoint=f"{settings.otlp_endpoint}/v1/traces")
        ours = Resource({"service.name": "artel", "service.version": version("artel")})
        self._provider = TracerProvider(
            resource=ours.merge(OTELResourceDetector().detect()),  # OTEL_SERVICE_NAME wins
            id_generator=_Ids(),
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(self._exporter))
        self._tracer: Tracer = self._provider.get_tracer("artel", version("artel"))
        self._content = settings.content

    @contextmanager
    def run(self, run: Run, *, waited_s: float) -> Iterator["TracedRun"]:
        """Trace one attempt of a run while the context lasts."""
        parent = run.kwargs.get(TRACE)
        above = TraceContextTextMapPropagator().extract({TRACE: parent}, Context()) if parent else Context()
        token = _wanted.set(run.run_id.int)
        ids = {"artel.run_id": str(run.run_id), "artel.thread_id": str(run.thread_id)}
        about: dict[str, str | int | float] = {
            **ids,
            "artel.assistant_id": str(run.assistant_id),
            "artel.graph_id": run.graph_id,
            "artel.attempt": run.attempt,
            "artel.queue_wait_s": waited_s,
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": run.graph_id,
            "gen_ai.conversation.id": str(run.thread_id),
        }
        name, kind = f"run {run.graph_id}", SpanKind.CONSUMER
        span = self._tracer.start_span(name, context=above, kind=kind, attributes=about)
        _wanted.reset(token)
        inside = set_span_in_context(span, above)
        spans = Spans(self._tracer, inside, ids, content=self._content)
        attached = contexts.attach(inside)  # spans of the graph's own instrumentation belong below ours
        try:
            yield TracedRun(span, spans, content=self._content)
        finally:
            contexts.detach(attached)
            spans.close()
            span.end()

    async def aclose(self) -> None:
        """Send what is left, for a moment: a collector that is away keeps no process from ending."""
        closing = threading.Thread(target=self._provider.shutdown, name="last traces", daemon=True)
        closing.start()
        await asyncio.to_thread(closing.join, LAST_WORDS_S)
        if closing.is_alive():
            self._exporter.shutdown()  # type: ignore[no-untyped-call]


class TracedRun:
    """One attempt of a run, as its trace has it."""

    def __init__(self, span: Span, handler: Spans, *, content: bool) -> None:
        self.handler = handler
        self.trace_id = f"{span.get_span_context().trace_id:032x}"
        self._span = span
        self._content = content

    def came_to(self, outcome: str, error: dict[str, str] | None = None) -> None:
        """Note what came of the attempt."""
        self._span.set_attribute("artel.outcome", outcome)
        if error:
            told = error["message"] if self._content else error["error"]
            self._span.set_attribute("error.type", error["error"])
            self._span.set_status(Status(StatusCode.ERROR, told))
