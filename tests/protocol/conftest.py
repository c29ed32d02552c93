"""One real server for all clients, as a process; and the JavaScript clients, if they are installed."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from tests.journeys.conftest import Server

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a server of the graphs in `served/` listens: ours, or the one that PROTOCOL_URL names."""
    if elsewhere := os.environ.get("PROTOCOL_URL"):
        yield elsewhere
        return
    folder = tmp_path_factory.mktemp("protocol")
    folder.chmod(0o711)
    server = Server(data=folder / "data", config=HERE / "served/langgraph.json").start()
    yield server.url
    server.stop()


@pytest.fixture
async def client(url: str) -> AsyncIterator[LangGraphClient]:
    """The official Python client."""
    async with get_client(url=url, api_key=None) as client:
        yield client


@pytest.fixture
async def http(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Bare HTTP, for what clients hide."""
    async with httpx.AsyncClient(base_url=url, timeout=20) as http:
        yield http
