"""A client of the gateway, on a real socket; each message it is sent is held against the document."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import pytest
from fastapi import FastAPI
from jsonschema_rs import Draft202012Validator
from tests.fakes.listening import listening
from tests.fakes.served import serving
from tests.fakes.speaking import Stage
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from artel.server.channels.websocket.asyncapi import document
from artel.server.cli.patience import Talker
from artel.server.settings import Settings

Told = dict[str, Any]
Open = Callable[..., AbstractAsyncContextManager["Line"]]

_SAYS = {
    one["name"]: one["payload"]["$ref"]
    for one in document()["components"]["messages"].values()
    if one["payload"]["$ref"].rpartition("/")[2]
    in {ref["$ref"].rpartition("/")[2] for ref in document()["operations"]["tell"]["messages"]}
}


def as_documented(told: Told) -> None:
    """Hold a message of the server against its schema."""
    schema = {"$ref": _SAYS[told["type"]], "components": document()["components"]}
    Draft202012Validator(schema).validate(told)


class Line:
    """One socket of the gateway."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.told: list[Told] = []

    async def send(self, type_: str, **fields: Any) -> None:
        """Send a message."""
        await self.socket.send(json.dumps({"type": type_, **fields}))

    async def next(self) -> Told:
        """Read one message."""
        told: Told = json.loads(await asyncio.wait_for(self.socket.recv(), 10))
        as_documented(told)
        self.told.append(told)
        return told

    async def until(self, type_: str, data: Any = None, **fields: Any) -> Told:
        """Read until a message of a type came, with these fields."""
        while True:
            told = await self.next()
            same = all(told.get(name) == value for name, value in fields.items())
            if told["type"] == type_ and same and data in (None, told.get("data")):
                return told

    async def asked(self, type_: str, **fields: Any) -> Told:
        """Send a message and return its answer: accepted, or error."""
        name = f"q{len(self.told)}"
        await self.send(type_, id=name, **fields)
        while (told := await self.next()).get("reply_to") != name:
            pass
        return told

    def text(self) -> str:
        """Return all tokens that count, as one text."""
        said: list[Told] = []
        for one in self.told:
            if one["type"] == "token":
                said.append(one)
            if one["type"] == "retracted":
                said = [old for old in said if old["message_id"] not in one["data"]["message_ids"]]
        return "".join(one["data"] for one in said)

    def types(self) -> list[str]:
        """Return what came, state changes by their state."""
        return [one["data"] if one["type"] == "state" else one["type"] for one in self.told]

    def events(self) -> list[Told]:
        """Return what came of the log, without the time of each: a replay has that of its chunk."""
        of_log = [one for one in self.told if "event_id" in one]
        return [{name: value for name, value in one.items() if name != "at"} for one in of_log]

    async def rest(self) -> None:
        """Read until the socket ends."""
        while True:
            await asyncio.wait_for(self.socket.recv(), 10)

    async def closing(self) -> tuple[int, str]:
        """Wait for the end of the socket; its code and reason."""
        with pytest.raises(ConnectionClosed) as closed:
            await self.rest()
        assert closed.value.rcvd
        return closed.value.rcvd.code, closed.value.rcvd.reason


@pytest.fixture
async def stage() -> Stage:
    return Stage()


@pytest.fixture
def settings() -> Settings:
    return Settings()


@pytest.fixture
async def app(fresh_dsn: str, stage: Stage, settings: Settings) -> AsyncIterator[FastAPI]:
    async with serving(fresh_dsn, settings, catalog=stage.catalog()) as served:
        yield served


@pytest.fixture
async def url(app: FastAPI) -> AsyncIterator[str]:
    async with listening(app, ws=cast("Any", Talker)) as here:
        yield here.replace("http", "ws", 1) + "/api/v1/ws"


@pytest.fixture
def dial(url: str) -> Open:
    """Open a socket."""

    @asynccontextmanager
    async def opened(**options: Any) -> AsyncIterator[Line]:
        async with connect(url, subprotocols=options.pop("subprotocols", None), **options) as socket:
            yield Line(socket)

    return opened
