"""What Prometheus sees of a server."""

import asyncio
import re
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml  # type: ignore[import-untyped]  # no stubs are installed
from tests.fakes.served import HI, calling, serving
from tests.server.protocol.conftest import Wire
from tests.server.telemetry.conftest import scraped

from artel.graphs.models import Models, ModelSettings
from artel.server.engine import Engine
from artel.server.telemetry import tally
from artel.server.telemetry.watch import name_of
from artel.storage import runs
from artel.storage.errors import Unavailable

ROOT = Path(__file__).resolve().parents[3]


def engine_of(wire: Wire) -> Engine:
    engine: Engine = wire.app.state.engine
    return engine


async def test_a_run_is_counted_with_its_wait_its_first_word_and_its_tokens(wire: Wire) -> None:
    await wire.ok("POST", "/runs/wait", {"assistant_id": "flow", "input": HI})
    await wire("POST", "/runs/wait", {"assistant_id": "fails", "input": {}})
    seen = await scraped(wire.http)
    assert seen("artel_runs_begun_total", graph="flow") == 1
    assert seen("artel_runs_ended_total", graph="flow", status="success") == 1
    assert seen("artel_runs_ended_total", graph="fails", status="error") == 1
    assert seen("artel_run_duration_seconds_count", graph="flow", status="success") == 1
    assert seen("artel_run_queue_wait_seconds_count") == 2
    assert seen("artel_run_first_token_seconds_count", graph="flow") == 1
    assert seen("artel_model_calls_total", model="GenericFakeChatModel", outcome="ok") == 1
    assert seen("artel_model_first_token_seconds_count", model="GenericFakeChatModel") == 1
    assert (seen("artel_event_chunks_total") or 0) >= 2
    assert (seen("artel_event_bytes_total") or 0) > 1000
    assert seen("artel_run_retries_total") == 0


async def test_requests_are_counted_by_the_template_of_their_route(wire: Wire) -> None:
    thread = await wire.thread()
    for _ in range(3):
        await wire.ok("GET", f"/threads/{thread}")
    await wire("GET", f"/threads/{uuid4()}")
    await wire("GET", "/api/v1/approvals")
    await wire("POST", "/nothing/here")
    await wire.http.request("INVENTED", "/threads")
    seen = await scraped(wire.http)
    template = "/threads/{thread_id}"
    assert seen("artel_http_requests_total", method="GET", route=template, status="200") == 3
    assert seen("artel_http_requests_total", method="GET", route=template, status="404") == 1
    assert seen("artel_http_requests_total", method="GET", route="/api/v1/approvals", status="200") == 1
    assert seen("artel_http_request_duration_seconds_count", method="GET", route=template) == 4
    methods = {dict(labels).get("method") for name, labels in seen.samples if name.startswith("artel_http")}
    assert methods <= {"GET", "POST", "other"}
    assert thread not in str(seen.samples)


async def test_the_summary_is_what_clients_of_the_wire_know(wire: Wire) -> None:
    await wire.ok("POST", "/runs/wait", {"assistant_id": "tells", "input": {}})
    told = await wire.ok("GET", "/metrics?format=json")
    assert set(told) == {"queue", "api", "workers"}
    assert set(told["queue"]) == {
        "n_pending",
        "n_running",
        "pending_runs_wait_time_max_secs",
        "pending_runs_wait_time_med_secs",
        "pending_unblocked_runs_wait_time_max_secs",
    }
    assert (told["queue"]["n_pending"], told["queue"]["pending_runs_wait_time_max_secs"]) == (0, None)
    assert told["workers"] == {"max": 250, "active": 0, "available": 250}
    posted = {"method": "POST", "path": "/runs/wait", "status": 200, "count": 1}
    assert posted in told["api"]["http_requests_total"]


async def test_another_format_is_refused_by_its_name(wire: Wire) -> None:
    status, detail = await wire.refused("GET", "/metrics?format=xml")
    assert status == 422
    assert "'xml'" in detail


async def test_the_queue_tells_what_waits_and_since_when(wire: Wire) -> None:
    thread = await wire.thread()
    for body in ({"n": 20}, {"n": 0}, {"n": 0}):
        await wire.ok("POST", f"/threads/{thread}/runs", {"assistant_id": "slow", "input": body})
    later = {"assistant_id": "slow", "input": {}, "after_seconds": 600}
    await wire.ok("POST", f"/threads/{await wire.thread()}/runs", later)
    await asyncio.sleep(0.2)
    seen = await scraped(wire.http)
    assert seen("artel_queue_runs", status="running") == 1
    assert seen("artel_queue_runs", status="pending") == 2
    assert seen("artel_queue_runs", status="delayed") == 1
    assert (seen("artel_queue_oldest_seconds") or 0) >= 0.2
    assert seen("artel_queue_oldest_free_seconds") == 0, "both wait for a run of their own thread"
    assert (seen("artel_workers"), seen("artel_worker_runs")) == (1, 1)


async def test_open_questions_are_counted(wire: Wire) -> None:
    await wire.ok("POST", f"/threads/{await wire.thread()}/runs/wait", {"assistant_id": "gated", "input": {}})
    assert (await scraped(wire.http))("artel_approvals_open") == 1


async def test_many_who_scrape_at_once_ask_the_database_once(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked = 0
    look = runs.standing

    async def counting(conn: Any) -> Any:
        nonlocal looked
        looked += 1
        return await look(conn)

    monkeypatch.setattr(runs, "standing", counting)
    await asyncio.gather(*(scraped(wire.http) for _ in range(8)))
    assert looked == 1


async def test_pools_and_process_are_told(wire: Wire) -> None:
    await wire.thread()
    seen = await scraped(wire.http)
    for pool, limit in (("requests", 6), ("control", 4)):
        assert seen("artel_database_pool_limit", pool=pool) == limit
        assert (seen("artel_database_pool_in_use", pool=pool) or 0) < limit
        assert seen("artel_database_pool_waiting", pool=pool) == 0
    assert (seen("artel_database_used_seconds_total", pool="requests") or 0) > 0
    assert (seen("process_resident_memory_bytes") or 0) > 1e7
    assert seen("artel_database_up") == 1


async def test_a_scrape_goes_on_without_the_database(wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    await wire.thread()
    await scraped(wire.http)
    engine_of(wire).metrics.queue._next = 0

    def away(**_: Any) -> Any:
        raise Unavailable("the database is away")

    monkeypatch.setattr(engine_of(wire).db, "connection", away)
    seen = await scraped(wire.http)
    assert seen("artel_database_up") == 0
    assert seen("artel_queue_runs", status="pending") is None
    assert seen("artel_http_requests_total", method="POST", route="/threads", status="200") == 1
    monkeypatch.undo()


async def test_two_engines_of_one_process_count_for_themselves(fresh_dsn: str) -> None:
    async with (
        serving(fresh_dsn) as one,
        serving(fresh_dsn) as two,
        calling(one) as here,
        calling(two) as there,
    ):
        await here.post("/threads", json={})
        template = {"method": "POST", "route": "/threads", "status": "200"}
        assert (await scraped(here))("artel_http_requests_total", **template) == 1
        assert (await scraped(there))("artel_http_requests_total", **template) is None


def test_labels_that_clients_invent_do_not_grow_without_end() -> None:
    counter = tally.Counter("c", "", ("model",))
    histogram = tally.Histogram("h", "", ("model",))
    for n in range(tally.MOST + 50):
        counter.add(f"model {n}")
        histogram.add(0.1, f"model {n}")
    assert counter.values[(tally.OTHER,)] == 50
    assert len(counter.values) == len(histogram.counts) == tally.MOST + 1
    assert sum(histogram.counts[(tally.OTHER,)]) == 50


async def test_every_alert_asks_for_metrics_that_exist(wire: Wire) -> None:
    """An alert on a name that nobody exports never fires, and nobody notices."""
    await wire.ok("POST", "/runs/wait", {"assistant_id": "flow", "input": HI})
    seen = await scraped(wire.http)
    rules = [
        rule
        for group in yaml.safe_load((ROOT / "infra/prometheus/alerts.yml").read_text())["groups"]
        for rule in group["rules"]
    ]
    assert {"ArtelErrorRate", "ArtelModelSlow", "ArtelPoolNearlyUsedUp"} <= {rule["alert"] for rule in rules}
    for rule in rules:
        words = set(tally_names(rule["expr"]))
        assert words, rule["alert"]
        assert words <= seen.names, (rule["alert"], words - seen.names)
        assert rule["annotations"]["summary"]


def tally_names(expression: str) -> list[str]:
    """Return the names of metrics in an expression of Prometheus."""
    return re.findall(r"\bartel_\w+", expression)


def test_our_own_agents_models_are_counted_by_their_names() -> None:
    """All of them would be called `Chain`, and no alert could say which is slow."""
    settings = ModelSettings(model="openai:tiny", openai_base_url="http://127.0.0.1:9/v1")
    known = Models(settings).chat("ask")._get_ls_params()
    assert (known["ls_provider"], known["ls_model_name"]) == ("openai", "tiny")
    assert name_of({"name": "Chain"}, {"metadata": known}) == "tiny"
    offline = Models(ModelSettings(model="offline")).chat("ask")._get_ls_params()
    assert offline["ls_model_name"] == "offline"
