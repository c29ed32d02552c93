"""A served folder with an `auth.py`, and users who call by their names."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.server.conftest import Open
from tests.server.protocol.conftest import Wire

AUTH = """
from langgraph_sdk import Auth

auth = Auth()
told = []

@auth.authenticate
async def authenticate(authorization):
    if not authorization or not authorization.startswith("Bearer "):
        raise Auth.exceptions.HTTPException(401, "say who you are", headers={"WWW-Authenticate": "Bearer"})
    name = authorization.removeprefix("Bearer ")
    return {"identity": name, "permissions": ["use"], "email": f"{name}@example"}

@auth.on
async def own(ctx, value):
    told.append((ctx.resource, ctx.action, ctx.user.identity, dict(value)))
    if ctx.user.identity == "banned":
        return False
    if ctx.resource == "store":
        value["namespace"] = (ctx.user.identity, *(value.get("namespace") or ()))
        return None
    if ctx.action in ("create", "create_run", "update"):
        value["metadata"] = {**(value.get("metadata") or {}), "owner": ctx.user.identity}
    return {"owner": ctx.user.identity}
"""


class As(Wire):
    """The wire as one user."""

    def __init__(self, wire: Wire, name: str) -> None:
        super().__init__(wire.app, wire.http)
        self.name = name

    async def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Send a request with the user's key."""
        headers = {"Authorization": f"Bearer {self.name}", **options.pop("headers", {})}
        async with asyncio.timeout(10):  # a stream that should have been refused stays open
            return await super().__call__(method, path, body, headers=headers, **options)


@pytest.fixture
async def guarded(folder: Open) -> AsyncIterator[Wire]:
    """A server where everybody has what is theirs."""
    async with folder({"auth.py": AUTH}, auth={"path": "./auth.py:auth"}) as wire:
        yield wire


@pytest.fixture
def ada(guarded: Wire) -> As:
    return As(guarded, "ada")


@pytest.fixture
def bob(guarded: Wire) -> As:
    return As(guarded, "bob")
