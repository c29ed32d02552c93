"""The wire in this process: a real database, small graphs, requests without a network."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from tests.fakes.served import calling, serving


class Wire:
    """Short ways to talk to the application."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient) -> None:
        self.app = app
        self.http = http

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        """Send a request; a body is sent as JSON."""
        return await self.http.request(method, path, json=body, **options)

    async def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Send a request that must succeed, and return its JSON."""
        response = await self(method, path, body, **options)
        assert response.is_success, response.text
        return response.json() if response.content else None

    async def thread(self, **body: Any) -> str:
        """Make a thread."""
        return str((await self.ok("POST", "/threads", body))["thread_id"])

    async def refused(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, str]:
        """Send a request that must be refused; its status and its sentence."""
        response = await self(method, path, body, **options)
        told = response.json()
        assert isinstance(told["detail"], str)
        return response.status_code, told["detail"]


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with serving(fresh_dsn) as app, calling(app) as http:
        yield Wire(app, http)


@pytest.fixture
def nowhere() -> str:
    """An id that nothing has."""
    return str(uuid4())
