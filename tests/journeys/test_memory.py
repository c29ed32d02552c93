"""Memories over real processes: graphs and clients share them, restarts and replicas keep them."""

import asyncio
from pathlib import Path
from typing import Any

from langgraph_sdk.client import LangGraphClient
from tests.journeys.conftest import HERE, Server

from artel.storage import embedded

CONFIG = HERE / "remembering" / "langgraph.json"


async def tell(client: LangGraphClient, user: str, text: str) -> list[str]:
    """Tell the graph something; what it remembered then."""
    state: Any = await client.runs.wait(None, "notes", input={"user": user, "text": text})
    found: list[str] = state["found"]
    return found


async def test_what_a_graph_keeps_outlives_a_crash_and_is_seen_by_the_client(
    make_server: type[Server], tmp_path: Path
) -> None:
    server = make_server(data=tmp_path / "data", config=CONFIG).start()
    store = server.client.store
    assert await tell(server.client, "1", "the cat sleeps") == []
    assert await tell(server.client, "10", "a secret cat") == []
    await store.put_item(["notes", "1"], "by hand", {"text": "dogs bark"})
    server.kill()
    server.start()
    assert await tell(server.client, "1", "cat") == ["the cat sleeps", "dogs bark"]
    found = await store.search_items(["notes", "1"], query="cat", limit=2)
    assert [(item["key"], round(item["score"] or 0, 2)) for item in found["items"]] == [
        ("cat", 1.0),
        ("the cat sleeps", 0.58),
    ]
    item = await store.get_item(["notes", "1"], "by hand")
    assert item["value"] == {"text": "dogs bark"}
    names = await store.list_namespaces(prefix=["notes"])
    assert names["namespaces"] == [["notes", "1"], ["notes", "10"]]
    await store.delete_item(["notes", "1"], key="by hand")
    assert await store.get_item(["notes", "1"], "by hand") is None
    assert server.stop() < 10
    assert "Task was destroyed" not in server.log


async def test_two_processes_share_one_store(make_server: type[Server], tmp_path: Path) -> None:
    with embedded.start(tmp_path / "database") as dsn:
        environment = {"ARTEL_STORAGE__POSTGRES": dsn}
        servers = [make_server(data=tmp_path / f"data{n}", config=CONFIG, env=environment) for n in range(2)]
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in servers))
        one, other = (server.client for server in servers)
        await asyncio.gather(
            *((one if n % 2 else other).store.put_item(["many"], str(n % 5), {"n": n}) for n in range(40))
        )
        for client in (one, other):
            found = await client.store.search_items(["many"], limit=10)
            assert sorted(item["key"] for item in found["items"]) == ["0", "1", "2", "3", "4"]
        assert await tell(one, "1", "the cat sleeps") == []
        assert await tell(other, "1", "cat") == ["the cat sleeps"]
        for server in servers:
            server.stop()
