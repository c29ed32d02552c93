"""Callers who see what is theirs."""

from typing import Any

import httpx
from fastapi import FastAPI
from tests.fakes.served import calling

from artel.server.auth.caller import Allowed, Caller
from artel.storage.errors import Forbidden


class OwnOnly:
    """Stamps what people make with their names and shows them that; refuses what it is told to."""

    def __init__(self, refused: tuple[str, ...] = ()) -> None:
        self.refused = refused
        self.asked: list[str] = []

    async def decide(self, caller: Caller, resource: Any, action: Any, value: dict[str, Any]) -> Allowed:
        self.asked.append(f"{resource}.{action}")
        assert caller.user
        name = caller.user["identity"]
        if f"{resource}.{action}" in self.refused:
            raise Forbidden(f"{name} may not {action} {resource}")
        if action in ("create", "create_run"):
            value["metadata"]["who"] = name
        return f'$.who == "{name}"'


def called_by(app: FastAPI, name: str, policy: OwnOnly) -> httpx.AsyncClient:
    """Return a client that calls an application as somebody."""
    caller = Caller(user={"identity": name}, policy=policy)

    async def asked(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "artel.caller": caller}, receive, send)

    return calling(asked)  # type: ignore[arg-type]
