"""A LangGraph server elsewhere, over the official client: a run there is begun once, joined, withdrawn."""

import asyncio
from asyncio import sleep, to_thread
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import httpx
from langgraph_sdk.client import LangGraphClient

from artel.graphs.kinds.connections import LangGraph
from artel.graphs.models.openai import is_loopback
from artel.storage.errors import ArtelError

CALL = "artel_call"
"""In the metadata of a run there: for which run of ours it was begun."""
AT_WORK = ("pending", "running")
PAUSES_S = (0.5, 1.0, 2.0, 4.0, 8.0)  # after each failure in a row to reach the server
WITHDRAW_S = 1.5  # a cancelled run of ours has stopped within 2 s
LOOKED_AT = 50  # runs of a thread among which ours is looked for
MAX_SAID = 1_000  # characters of what a server says of an error

Got = TypeVar("Got")
Hear = Callable[[Any], Awaitable[None]]


class RemoteFailed(ArtelError):
    """The server of a connection refused, or its run failed; the message says how."""

    code = "remote_failed"
    status = 502


class RemoteAway(ArtelError):
    """The server of a connection cannot be reached; a run that it has goes on there."""

    code = "remote_away"
    status = 503


class Far:
    """One server, while it is asked."""

    def __init__(self, name: str, connection: LangGraph, client: LangGraphClient) -> None:
        self.name = name
        self._connection = connection
        self._client = client

    async def thread(self, thread_id: str) -> None:
        """Make a thread unless it is there."""
        await self._patiently(
            lambda: self._client.threads.create(thread_id=thread_id, if_exists="do_nothing")
        )

    async def state(self, thread_id: str) -> Any:
        """Return the newest state of a thread."""
        return await self._patiently(lambda: self._client.threads.get_state(thread_id))

    async def begun(self, thread_id: str, call: str) -> str:
        """Return the run that was begun for `call`; empty: none was."""
        runs = await self._patiently(lambda: self._client.runs.list(thread_id, limit=LOOKED_AT))
        mine = (run for run in runs if (run.get("metadata") or {}).get(CALL) == call)
        return str(next((run["run_id"] for run in mine), ""))

    async def begin(self, thread_id: str, assistant: str, call: str, order: Mapping[str, Any]) -> str:
        """Return the run for `call`: the one that was begun before, else a new one."""

        async def once() -> str:  # a lost answer is no reason to begin another
            if there := await self.begun(thread_id, call):
                return there
            made = await self._client.runs.create(
                thread_id,
                assistant,
                metadata={CALL: call},
                stream_mode=["messages-tuple"],
                stream_resumable=True,
                multitask_strategy="enqueue",
                headers={"Idempotency-Key": call},
                **order,
            )
            return str(made["run_id"])

        return await self._patiently(once)

    async def follow(self, thread_id: str, run_id: str, hear: Hear | None) -> tuple[str, Any]:
        """Join a run until it is over; return its status and the error that it told of, or None.

        `hear` is given each piece of a message, from the first on; without it nothing is.
        """
        last, failures, error = "-1" if hear else None, 0, None
        while True:
            try:
                stream = self._client.runs.join_stream(
                    thread_id, run_id, stream_mode=["messages-tuple"], last_event_id=last
                )
                async for part in stream:
                    failures = 0
                    last = part.id or last if hear else None
                    if part.event == "error":
                        error = part.data
                    elif hear and part.event == "messages":
                        await hear(part.data)
                status = (await self._client.runs.get(thread_id, run_id))["status"]
            except httpx.TransportError:
                if failures == len(PAUSES_S):
                    raise
                await sleep(PAUSES_S[failures])
                failures += 1
            else:
                if status not in AT_WORK:
                    return str(status), error
                await sleep(PAUSES_S[0])

    async def withdraw(self, thread_id: str, call: str) -> None:
        """Stop a run there, whatever becomes of it; asked for while ours is being stopped."""

        async def stop() -> None:
            if found := await self.begun(thread_id, call):
                await self._client.runs.cancel(thread_id, found, wait=False)

        with suppress(httpx.HTTPError, OSError, ValueError, TimeoutError):
            await asyncio.wait_for(stop(), WITHDRAW_S)

    def words(self, said: Any) -> str:
        """Return what the server said of an error, cut, without its address and key."""
        if isinstance(said, Mapping):
            said = ": ".join(str(said[key]) for key in ("error", "message") if said.get(key)) or said
        text = " ".join(self._connection.hidden(str(said)).split()).replace("\0", "")
        return text if len(text) <= MAX_SAID else f"{text[:MAX_SAID]}…"

    async def _patiently(self, call: Callable[[], Awaitable[Got]]) -> Got:
        for pause_s in PAUSES_S:
            try:
                return await call()
            except httpx.TransportError:
                await sleep(pause_s)
        return await call()


@asynccontextmanager
async def reached(name: str, connection: LangGraph) -> AsyncIterator[Far]:
    """Open the server of a connection.

    Raises:
        RemoteAway: it cannot be reached.
        RemoteFailed: it refuses, or answers what no LangGraph server does.
    """
    async with await to_thread(_http, connection) as http:
        far = Far(name, connection, LangGraphClient(http))
        try:
            yield far
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            hint = "; the operator should check its key" if status in (401, 403) else ""
            raise RemoteFailed(
                f"connection {name}: its server answers {status}: {far.words(error)}{hint}"
            ) from None
        except httpx.HTTPError as error:
            why = far.words(error) or type(error).__name__
            raise RemoteAway(
                f"connection {name}: its server cannot be reached ({why}); try again, or ask the operator"
            ) from None
        except (ValueError, TypeError, LookupError, AttributeError) as error:
            said = far.words(repr(error))
            raise RemoteFailed(
                f"connection {name}: its server answers what no LangGraph server does ({said})"
            ) from None


def _http(connection: LangGraph) -> httpx.AsyncClient:
    """Return a client without keys of this server: the official way of making one looks for some."""
    key = {"x-api-key": connection.key} if connection.key else {}
    return httpx.AsyncClient(
        base_url=connection.url,
        headers={**connection.headers, **key},
        timeout=httpx.Timeout(connection.timeout_s, connect=10),
        trust_env=not is_loopback(connection.url),
    )
