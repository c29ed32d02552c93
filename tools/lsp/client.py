"""The client's side of a conversation in LSP: requests and their answers, and what the server asks back."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

from artel.tools.lsp.messages import Incoming, written

Say: TypeAlias = Callable[[bytes], Awaitable[None]]
Heard: TypeAlias = Callable[[str, Any], None]

NO_SUCH_METHOD = -32601
# What servers wait for before they go on; we configure nothing, watch nothing and show no progress.
GRANTED = ("client/registerCapability", "client/unregisterCapability", "window/workDoneProgress/create")


class Failed(Exception):
    """The server answered a request with an error."""


class ServerGone(Exception):
    """The server has ended, or cannot be understood."""


class Client:
    """Speaks to one server: `say` carries bytes to it, `heard` is told of its notifications."""

    def __init__(self, say: Say, heard: Heard) -> None:
        self._say = say
        self._heard = heard
        self._incoming = Incoming()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._asked = 0
        self._gone = False

    async def ask(self, method: str, params: Mapping[str, Any]) -> Any:
        """Return the answer to a request; who gives up waiting loses nothing but it.

        Raises:
            Failed: it is an error.
            ServerGone: there will be none.
        """
        self._asked += 1
        number = self._asked
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            await self._send({"id": number, "method": method, "params": params})
            return await answer
        finally:
            del self._waiting[number]

    async def tell(self, method: str, params: Mapping[str, Any]) -> None:
        """Send a notification.

        Raises:
            ServerGone: nobody hears it.
        """
        await self._send({"method": method, "params": params})

    async def feed(self, piece: bytes) -> None:
        """Take what came from the server.

        Raises:
            Garbled: it cannot be understood.
            ServerGone: it asked something, and does not hear the answer.
        """
        for message in self._incoming.feed(piece):
            method, number = message.get("method"), message.get("id")
            if isinstance(method, str) and number is not None:
                await self._send({"id": number, **_answer(method, message.get("params"))})
            elif isinstance(method, str):
                self._heard(method, message.get("params"))
            elif isinstance(number, int) and (answer := self._waiting.get(number)) and not answer.done():
                if "error" in message:
                    answer.set_exception(Failed())
                else:
                    answer.set_result(message.get("result"))

    def end(self) -> None:
        """Tell all who wait that there will be no answer."""
        self._gone = True
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ServerGone())

    async def _send(self, message: Mapping[str, Any]) -> None:
        if self._gone:
            raise ServerGone
        try:
            await self._say(written(message))
        except (OSError, RuntimeError) as error:  # RuntimeError: its pipe is closed on our side
            raise ServerGone from error


def _answer(method: str, params: Any) -> Mapping[str, Any]:
    if method == "workspace/configuration":
        items = params.get("items") if isinstance(params, dict) else None
        return {"result": [None] * len(items) if isinstance(items, list) else []}
    if method == "workspace/applyEdit":
        return {"result": {"applied": False}}
    if method in GRANTED:
        return {"result": None}
    return {"error": {"code": NO_SUCH_METHOD, "message": f"{method[:100]} is not known here"}}
