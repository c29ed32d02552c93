"""What a probe is told: ready, ready with a reason to look, or not."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.served import calling, graphs, serving
from tests.server.protocol.conftest import Wire

from artel.graphs.context import Handles
from artel.graphs.models import Models, ModelSettings
from artel.server.catalog import Catalog, Entry
from artel.server.engine.worker import drain
from artel.server.served import Served
from artel.server.telemetry import health as module
from artel.storage.errors import Unavailable


async def health(http: httpx.AsyncClient) -> tuple[int, Any]:
    answer = await http.get("/health")
    return answer.status_code, answer.json()


async def test_each_thing_that_is_needed_is_named(wire: Wire) -> None:
    status, told = await health(wire.http)
    assert (status, told["status"]) == (200, "ok")
    assert set(told["dependencies"]) == {"database", "broker", "worker", "model"}
    assert {one["status"] for one in told["dependencies"].values()} == {"ok"}


async def test_without_its_database_a_process_cannot_serve(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(**_: Any) -> Any:
        raise Unavailable("the database went away: the server closed the connection")

    with monkeypatch.context() as patch:
        patch.setattr(wire.app.state.engine.db, "connection", away)
        status, told = await health(wire.http)
    assert (status, told["status"]) == (503, "down")
    assert told["dependencies"]["database"] == {
        "status": "down",
        "reason": "the database went away: the server closed the connection",
    }
    assert (await health(wire.http))[0] == 200


async def test_a_database_that_hangs_is_not_waited_for_long(
    wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def hanging(**_: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(60)
        yield None

    with monkeypatch.context() as patch:
        patch.setattr(module, "PATIENCE_S", 0.2)
        patch.setattr(wire.app.state.engine.db, "connection", hanging)
        begun = time.monotonic()
        status, told = await health(wire.http)
    assert status == 503
    assert "0.2 s" in told["dependencies"]["database"]["reason"]
    assert time.monotonic() - begun < 2


async def test_a_lost_carrier_of_wake_ups_is_a_reason_to_look(wire: Wire) -> None:
    broker = wire.app.state.engine.broker
    for call in broker.on_lost:
        call()
    status, told = await health(wire.http)
    assert (status, told["status"], told["dependencies"]["broker"]["status"]) == (200, "degraded", "degraded")
    for call in broker.on_restored:
        call()
    assert (await health(wire.http))[1]["status"] == "ok"


async def test_a_process_that_stops_wants_no_new_requests(wire: Wire) -> None:
    await drain(wire.app.state.engine)
    status, told = await health(wire.http)
    assert (status, told["dependencies"]["worker"]["status"]) == (503, "down")


async def test_a_server_without_workers_says_that_runs_wait(fresh_dsn: str) -> None:
    async with serving(fresh_dsn, worker=False) as app, calling(app) as http:
        status, told = await health(http)
        assert status == 200
        assert told["dependencies"]["worker"] == {
            "status": "degraded",
            "reason": "no worker is alive: runs wait in the queue",
        }
        async with serving(fresh_dsn):
            app.state.engine.metrics.queue._next = 0
            assert (await health(http))[1]["dependencies"]["worker"]["status"] == "ok"


async def test_all_slots_taken_is_a_reason_to_look(fresh_dsn: str) -> None:
    async with serving(fresh_dsn, slots=1, grace_s=0.1) as app, calling(app) as http:
        made = (await http.post("/threads", json={})).json()["thread_id"]
        await http.post(f"/threads/{made}/runs", json={"assistant_id": "slow", "input": {"n": 30}})
        engine = app.state.engine
        async with asyncio.timeout(10):
            while not engine.live:  # noqa: ASYNC110 - a worker takes it when it does
                await asyncio.sleep(0.01)
        worker = (await health(http))[1]["dependencies"]["worker"]
        assert (worker["status"], "1 slots" in worker["reason"]) == ("degraded", True)


async def test_rules_in_place_of_a_model_are_said_where_our_agents_are_served(
    wire: Wire, tmp_path: Path
) -> None:
    models = Models(ModelSettings(model="offline"))
    wire.app.state.engine.handles = Handles(models, (tmp_path,), tmp_path)
    told = (await health(wire.http))[1]
    assert told["dependencies"]["model"]["status"] == "degraded"
    entries = {name: Entry(None, graph) for name, graph in graphs().items()}
    wire.app.state.catalog = Catalog(entries, Served(tmp_path / "langgraph.json", (), (), {}, {}))
    assert (await health(wire.http))[1]["dependencies"]["model"]["status"] == "ok"
