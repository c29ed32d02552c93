"""Whatever a server says, the client answers it, keeps on or says that it cannot be understood."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.lsp.client import Client, Failed, ServerGone
from artel.tools.lsp.messages import Garbled, Incoming, written
from artel.tools.lsp.server import LanguageServer
from artel.tools.sandbox.bubblewrap import Place
from artel.tools.sandbox.settings import SandboxSettings

ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
WORDS = st.sampled_from(
    ["textDocument/publishDiagnostics", "workspace/configuration", "workspace/applyEdit", "$/progress"]
)


def client(said: list[bytes]) -> Client:
    async def say(data: bytes) -> None:
        said.append(data)

    return Client(say, lambda method, params: None)


@given(st.fixed_dictionaries({}, optional={"id": ANY, "method": WORDS | ANY, "params": ANY, "error": ANY}))
def test_no_message_breaks_the_client(message: dict[str, Any]) -> None:
    async def run() -> None:
        heard = client([])
        waiting = asyncio.create_task(heard.ask("initialize", {}))
        await asyncio.sleep(0)
        await heard.feed(written(message))
        heard.end()
        with suppress(ServerGone, Failed):
            await waiting

    asyncio.run(run())


@given(st.binary(max_size=200))
def test_no_bytes_break_the_client(piece: bytes) -> None:
    async def run() -> None:
        with suppress(Garbled):
            await client([]).feed(b"Content-Length: 2\r\n\r\n{}" + piece)

    asyncio.run(run())


@given(ANY, ANY)
def test_no_notification_breaks_what_a_server_is_known_to_say(params: Any, found: Any) -> None:
    async def run() -> None:
        place = Place(Path("/nowhere"), Path("/nowhere"))
        server = LanguageServer(("true",), place, SandboxSettings(mode="off"), idle_s=1)
        server._heard("textDocument/publishDiagnostics", params)
        server._heard("textDocument/publishDiagnostics", {"uri": "file:///nowhere/a", "diagnostics": found})
        await server.aclose()

    asyncio.run(run())


async def test_what_a_server_asks_is_answered() -> None:
    said: list[bytes] = []
    heard = client(said)
    await heard.feed(written({"id": "a", "method": "workspace/configuration", "params": {"items": [1, 2]}}))
    await heard.feed(written({"id": 2, "method": "workspace/applyEdit", "params": {}}))
    await heard.feed(written({"id": 3, "method": "client/registerCapability"}))
    await heard.feed(written({"id": 4, "method": "evil/run"}))
    answers = list(Incoming().feed(b"".join(said)))
    assert [one.get("result") for one in answers] == [[None, None], {"applied": False}, None, None]
    assert answers[3]["error"]["message"] == "evil/run is not known here"


async def test_who_gives_up_waiting_misses_only_the_answer() -> None:
    heard = client([])
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await heard.ask("slow", {})
    await heard.feed(written({"id": 1, "result": "late"}))
    second = asyncio.create_task(heard.ask("quick", {}))
    await asyncio.sleep(0)
    await heard.feed(written({"id": 2, "result": "now"}))
    assert await second == "now"
