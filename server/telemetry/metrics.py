"""What one engine counts. Each engine has its own: several may live in one process."""

import time
from collections.abc import Iterator

from artel.server.telemetry.queue import Queue
from artel.server.telemetry.tally import RATES, Counter, Histogram
from artel.storage.runs import Run

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """All numbers of an engine; gauges are looked up when somebody asks."""

    def __init__(self) -> None:
        self.since = time.monotonic()
        self.queue = Queue()
        self.open_streams = 0
        self.open_sockets = 0
        self.runs_begun = Counter("artel_runs_begun", "Attempts at runs begun in this process.", ("graph",))
        self.runs_ended = Counter("artel_runs_ended", "Runs that ended here.", ("graph", "status"))
        self.retries = Counter("artel_run_retries", "Runs begun here for the second time or later.")
        self.takeovers = Counter("artel_lease_takeovers", "Runs put back into the queue for dead workers.")
        self.deaths = Counter("artel_workers_died", "Dead workers that this process found.")
        self.run_seconds = Histogram(
            "artel_run_duration_seconds", "Time of a run's last attempt.", ("graph", "status")
        )
        self.queue_seconds = Histogram(
            "artel_run_queue_wait_seconds", "Time from when a run was due until a worker began it."
        )
        self.first_token_seconds = Histogram(
            "artel_run_first_token_seconds",
            "Time from when a run was due until its first word.",
            ("graph",),
        )
        self.model_calls = Counter("artel_model_calls", "Calls of chat models.", ("model", "outcome"))
        self.model_seconds = Histogram(
            "artel_model_call_duration_seconds", "Time of a chat model's whole answer.", ("model",)
        )
        self.model_first_seconds = Histogram(
            "artel_model_first_token_seconds", "Time until a chat model's first word.", ("model",)
        )
        self.model_rate = Histogram(
            "artel_model_tokens_per_second", "Speed of an answer after its first word.", ("model",), RATES
        )
        self.model_tokens = Counter("artel_model_tokens", "Tokens as models count them.", ("model", "kind"))
        self.model_cached = Counter(
            "artel_model_cached_tokens", "Input tokens found in a provider's cache.", ("model",)
        )
        self.model_usd = Counter("artel_model_usd", "US dollars, of calls whose price is known.", ("model",))
        self.stops = Counter(
            "artel_agent_stops", "Agents that stopped at a limit or in a circle.", ("graph", "by")
        )
        self.event_chunks = Counter("artel_event_chunks", "Chunks of events written to the log.")
        self.event_bytes = Counter("artel_event_bytes", "Bytes of events in those chunks.")
        self.event_seconds = Histogram(
            "artel_event_write_seconds", "Time of one write of chunks: a statement or a transaction."
        )
        self.webhooks = Counter("artel_webhook_attempts", "Attempts at webhooks.", ("outcome",))
        self.requests = Counter("artel_http_requests", "Requests answered.", ("method", "route", "status"))
        self.request_seconds = Histogram(
            "artel_http_request_duration_seconds", "Time until an answer began.", ("method", "route")
        )

    def counted(self) -> Iterator[Counter | Histogram]:
        """Yield all counters and histograms."""
        for value in vars(self).values():
            if isinstance(value, Counter | Histogram):
                yield value

    def begun(self, run: Run) -> float:
        """Note that a run begins here; return how long it has waited, by the database's clock."""
        self.runs_begun.add(run.graph_id)
        if run.attempt > 1:
            self.retries.add()
            return 0.0
        waited = max(0.0, (run.started_at - run.due_at).total_seconds()) if run.started_at else 0.0
        self.queue_seconds.add(waited)
        return waited

    def ended(self, run: Run, status: str, took_s: float | None = None) -> None:
        """Note that a run has ended; without a time when it ended in the queue."""
        self.runs_ended.add(run.graph_id, status)
        if took_s is not None:
            self.run_seconds.add(took_s, run.graph_id, status)

    def stored(self, size: int) -> None:
        """Note a chunk of events of that many bytes."""
        self.event_chunks.add()
        self.event_bytes.add(by=size)

    def answered(self, method: str, route: str, status: int, took_s: float) -> None:
        """Note an answer; the route is a template, empty where there was none."""
        method = method if method in METHODS else "other"
        self.requests.add(method, route, str(status))
        self.request_seconds.add(took_s, method, route)
