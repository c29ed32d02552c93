"""Metrics as Prometheus reads them. Imported when somebody asks: the client takes a moment to load."""

from collections.abc import Iterable, Iterator
from itertools import accumulate

from prometheus_client import CollectorRegistry, GCCollector, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from artel.server.engine.engine import Engine
from artel.server.telemetry.tally import Counter, Histogram
from artel.storage.runs import Standing

CONTENT_TYPE = CONTENT_TYPE_LATEST


def text(engine: Engine, standing: Standing | None) -> bytes:
    """Return all metrics of an engine and its process; without a standing none of the queue."""
    registry = CollectorRegistry()
    registry.register(_Metrics(engine, standing))
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return generate_latest(registry)


class _Metrics(Collector):
    def __init__(self, engine: Engine, standing: Standing | None) -> None:
        self.engine = engine
        self.standing = standing

    def describe(self) -> Iterable[Metric]:
        """Say nothing: a registry of one collector has no names to compare."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        for one in self.engine.metrics.counted():
            yield _counter(one) if isinstance(one, Counter) else _histogram(one)
        yield from _process(self.engine)
        yield from _pools(self.engine)
        up = "1 when the database answered this very scrape."
        yield GaugeMetricFamily("artel_database_up", up, value=float(self.standing is not None))
        if self.standing:
            yield from _queue(self.standing)


def _counter(one: Counter) -> Metric:
    family = CounterMetricFamily(one.name, one.told, labels=one.labels)
    for labels, value in list(one.values.items()):
        family.add_metric(labels, value)
    return family


def _histogram(one: Histogram) -> Metric:
    family = HistogramMetricFamily(one.name, one.told, labels=one.labels)
    edges = [*(f"{edge:g}" for edge in one.buckets), "+Inf"]
    for labels, counts in list(one.counts.items()):
        buckets = list(zip(edges, map(float, accumulate(counts)), strict=True))
        family.add_metric(labels, buckets, one.sums[labels])
    return family


def _process(engine: Engine) -> Iterator[Metric]:
    live = len(engine.live)
    gauges: dict[str, tuple[str, float]] = {
        "artel_worker_runs": ("Runs that run in this process.", live),
        "artel_worker_slots": (
            "Runs that may at once.",
            engine.settings.slots if engine.settings.worker else 0,
        ),
        "artel_worker_others": ("Other workers that this one sees.", engine.others),
        "artel_streams_open": ("Answers under way that are streams.", engine.metrics.open_streams),
        "artel_sockets_open": ("WebSockets that are open.", engine.metrics.open_sockets),
        "artel_events_behind_bytes": (
            "Bytes of events of running runs that are not in the database yet.",
            sum(one.log.behind for one in list(engine.live.values())),
        ),
        "artel_draining": ("1 when this process hands its runs over to stop.", engine.draining),
    }
    for name, (told, value) in gauges.items():
        yield GaugeMetricFamily(name, told, value=float(value))


def _pools(engine: Engine) -> Iterator[Metric]:
    """Yield what the pools know of themselves anyway: the time connections were in use is the database's."""
    gauges = {
        "artel_database_pool_connections": "Connections that are open.",
        "artel_database_pool_in_use": "Connections that somebody has.",
        "artel_database_pool_limit": "Connections that may be open.",
        "artel_database_pool_waiting": "Those who wait for a connection.",
    }
    counters = {
        "artel_database_borrowed": ("Times a connection was borrowed.", "requests_num", 1.0),
        "artel_database_queued": ("Times somebody had to wait for one.", "requests_queued", 1.0),
        "artel_database_wait_seconds": ("Time spent waiting for one.", "requests_wait_ms", 0.001),
        "artel_database_connection_errors": ("Connections that could not be made.", "connections_errors", 1),
    }
    stats = {pool.name: pool.get_stats() for pool in (engine.db.pool, engine.db.control)}
    for name, told in gauges.items():
        gauge = GaugeMetricFamily(name, told, labels=("pool",))
        for pool, known in stats.items():
            gauge.add_metric((pool,), pool_numbers(known)[name])
        yield gauge
    for name, (told, key, scale) in counters.items():
        counter = CounterMetricFamily(name, told, labels=("pool",))
        for pool, known in stats.items():
            counter.add_metric((pool,), known.get(key, 0) * scale)
        yield counter
    used = "Time connections were in use; by the times they were borrowed: the time of a query or a few."
    counter = CounterMetricFamily("artel_database_used_seconds", used, labels=("pool",))
    for pool, spent in engine.db.spent.items():
        counter.add_metric((pool,), spent.seconds)
    yield counter


def pool_numbers(known: dict[str, int]) -> dict[str, float]:
    """Return the gauges of a pool's own statistics."""
    there = known.get("pool_size", 0)
    return {
        "artel_database_pool_connections": there,
        "artel_database_pool_in_use": max(0, there - known.get("pool_available", 0)),
        "artel_database_pool_limit": known.get("pool_max", 0),
        "artel_database_pool_waiting": known.get("requests_waiting", 0),
    }


def _queue(standing: Standing) -> Iterator[Metric]:
    runs = GaugeMetricFamily(
        "artel_queue_runs", "Runs over all processes that have not ended.", labels=("status",)
    )
    for status in ("pending", "delayed", "running"):
        runs.add_metric((status,), getattr(standing, status))
    yield runs
    gauges = {
        "artel_queue_oldest_seconds": (
            "For how long the oldest waiting run has been due.",
            standing.oldest_s,
        ),
        "artel_queue_oldest_free_seconds": (
            "The same, of runs that no other run of their thread holds up.",
            standing.oldest_free_s,
        ),
        "artel_workers": ("Workers whose lease counts.", standing.workers),
        "artel_approvals_open": ("Questions that wait for somebody.", standing.approvals),
        "artel_webhooks_pending": ("Webhooks that are not delivered yet.", standing.webhooks),
    }
    for name, (told, value) in gauges.items():
        yield GaugeMetricFamily(name, told, value=float(value or 0))
