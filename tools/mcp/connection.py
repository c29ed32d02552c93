"""One MCP server: opened at the first use, opened again after it died, asked and listened to.

A task of its own holds the connection, since what opens one has to close it; callers come from any task.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from contextvars import Context
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal

import anyio
from httpx2 import HTTPError
from mcp.client.client import Client
from mcp.client.subscriptions import ListenNotSupportedError, SubscriptionLost
from mcp.shared.exceptions import MCPError
from mcp_types import (
    CallToolRequest,
    CallToolRequestParams,
    CallToolResult,
    ToolListChangedNotification,
)
from mcp_types import Tool as Listed
from pydantic import ValidationError

from artel.tools.errors import ToolFailed
from artel.tools.mcp import results
from artel.tools.mcp.configuration import Server
from artel.tools.mcp.listing import MAX_TOOLS, chosen
from artel.tools.mcp.opening import STILL_THERE_S, client_of
from artel.tools.mcp.tools import stands_in
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.tool import Outcome, Tool
from artel.tools.web.outside import fenced, visible
from artel.tools.workspace.paths import printable

LAST_WORDS_S = 1.0
REST_S = 15.0  # after a failed attempt, before the next; twice as long after each
MAX_REST_S = 600.0
FRESH_S = 60.0  # that a list is believed; a server may change it and say nothing
MAX_PAGES = 50

State = Literal["idle", "connecting", "ready", "failed"]
FAILURES = (MCPError, OSError, HTTPError, ValidationError, TimeoutError, RuntimeError, ToolFailed)
ENDS = (*FAILURES, ValueError, anyio.BrokenResourceError, anyio.ClosedResourceError, anyio.EndOfStream)


@dataclass(slots=True)
class _Life:
    """One time that the server is connected."""

    ready: asyncio.Future[Client]
    over: asyncio.Event = field(default_factory=asyncio.Event)
    why: str = ""
    "What is wrong, known before it is over."


class Connection:
    """A server of the configuration and what is known of it."""

    def __init__(self, server: Server, sandbox: Sandbox) -> None:
        self.server = server
        self.tools: Mapping[str, Tool] = {}
        self.left_out: tuple[str, ...] = ()
        self.error = ""
        self.error_at: datetime | None = None
        self._sandbox = sandbox
        self._life: _Life | None = None
        self._task: asyncio.Task[None] | None = None
        self._listed_at = 0.0
        self._is_stale = False
        self._listing = asyncio.Lock()
        self._failures = 0  # in a row
        self._rests_until = 0.0

    @property
    def state(self) -> State:
        """How it stands."""
        if self._life and not self._life.over.is_set():
            return "ready" if self._life.ready.done() else "connecting"
        return "failed" if self.error else "idle"

    @property
    def _away(self) -> str:
        # what it or its program said is for the operator: it is text from outside, and may hold anything
        return f"the MCP server {self.server.name} cannot be reached; /api/v1/mcp/servers says why"

    def tool(self, name: str) -> Tool:
        """Return a tool as it was last listed; else one that says that it is not there."""
        return self.tools.get(name) or stands_in(self.server, name)

    async def listed(self) -> Mapping[str, Tool]:
        """Return the tools of the server, by the names that models use, fresh.

        Raises:
            ToolFailed: it cannot be reached; the message says why.
        """
        client = await self._client()
        async with self._listing:
            if self._is_stale or time.monotonic() - self._listed_at > FRESH_S:
                try:
                    await self._list(client)
                except FAILURES as error:
                    await self._look_after(client)
                    self._note(f"it cannot list its tools: {self._said(error)}")
                    raise ToolFailed(self._away) from None
        return self.tools

    async def call(self, tool: str, name: str, fingerprint: str, args: Mapping[str, Any]) -> Outcome:
        """Call a tool of the server, the one with that fingerprint and no other.

        Raises:
            ToolFailed: it cannot be reached, has another tool of that name now, or did not answer.
        """
        current = (await self.listed()).get(name)
        if current is None or current.version != fingerprint:
            raise ToolFailed(
                f"{name} is not the tool that it was: the MCP server {self.server.name} describes it in "
                "another way now, or no more. It was not called. Read what it says now before you call it."
            )
        client = await self._client()
        params = CallToolRequestParams(name=tool, arguments=dict(args))
        try:
            async with asyncio.timeout(self.server.timeout_s):
                # not `client.call_tool`: that one runs schemas of the server over what it answers
                result = await client.session.send_request(CallToolRequest(params=params), CallToolResult)
        except TimeoutError:
            await self._look_after(client)
            raise ToolFailed(
                f"{name} did not answer within {self.server.timeout_s:g} s and was told to stop. Whether it "
                "did anything is unknown: look before you call it again."
            ) from None
        except ValidationError:
            raise ToolFailed(f"{name} answered with what MCP does not know, or asked for a person.") from None
        except FAILURES as error:
            await self._look_after(client)
            return self._told(name, error)
        return results.outcome(result, trusted=self.server.trusted)

    async def restart(self) -> None:
        """End the connection, and open it again at once.

        Raises:
            ToolFailed: it cannot be reached.
        """
        await self.aclose()
        self.error, self.error_at, self._failures, self._rests_until = "", None, 0, 0.0
        await self.listed()

    async def aclose(self) -> None:
        """End the connection and the program, if it is one; the next call opens it again."""
        life, task = self._life, self._task
        if life and task:
            life.over.set()
            if not life.ready.done():
                task.cancel()
            await asyncio.wait({task})

    async def _client(self) -> Client:
        if self._life is None or self._life.over.is_set():
            if self.error and time.monotonic() < self._rests_until:
                raise ToolFailed(self._away)
            self._life = life = _Life(asyncio.get_running_loop().create_future())
            # an empty context: whatever run asks first, the connection is not part of it
            self._task = asyncio.create_task(self._live(life), context=Context())
        return await asyncio.shield(self._life.ready)

    async def _live(self, life: _Life) -> None:
        try:
            async with AsyncExitStack() as opened:
                async with asyncio.timeout(self.server.startup_timeout_s):
                    client = await opened.enter_async_context(
                        client_of(
                            self.server, self._sandbox, died=partial(self._end, life), heard=self._heard
                        )
                    )
                    await opened.enter_async_context(self._watching(client))
                    await self._first_list(client, life)
                self.error, self.error_at, self._failures = "", None, 0
                life.ready.set_result(client)
                await life.over.wait()
        except ENDS as error:
            self._end(life, self._said(error))
        except BaseExceptionGroup as group:
            self._end(life, self._said(_first(group)))
            if group.split(ENDS)[1] is not None:
                raise
        finally:
            life.over.set()
            if not life.ready.done():
                life.ready.set_exception(ToolFailed(self._away))
                life.ready.exception()  # nobody may be waiting any more

    async def _first_list(self, client: Client, life: _Life) -> None:
        try:
            await self._list(client)
        except ENDS as error:
            life.why = self._said(error)  # the program is ended for it, and says that it was
            raise

    async def _heard(self, message: Any) -> None:
        if isinstance(message, ToolListChangedNotification):
            self._is_stale = True

    @asynccontextmanager
    async def _watching(self, client: Client) -> AsyncIterator[None]:
        """Hear of changes of the list from now on, where the protocol wants that they are asked for."""
        begun = asyncio.Event()
        watching = asyncio.create_task(self._watch(client, begun))
        watching.add_done_callback(lambda _: begun.set())
        try:
            await begun.wait()
            yield
        finally:
            watching.cancel()
            await asyncio.wait({watching})

    async def _watch(self, client: Client, begun: asyncio.Event) -> None:
        tools = client.server_capabilities.tools
        if tools is None or not tools.list_changed:
            return
        with suppress(ListenNotSupportedError, SubscriptionLost, *FAILURES):
            async with client.listen(tools_list_changed=True) as changes:
                begun.set()
                async for _ in changes:
                    self._is_stale = True

    async def _list(self, client: Client) -> None:
        """Ask for all tools and keep those that can be offered."""
        self._is_stale = False
        found: list[Listed] = []
        cursor: str | None = None
        async with asyncio.timeout(self.server.startup_timeout_s):
            for _ in range(MAX_PAGES):
                page = await client.list_tools(cursor=cursor)
                found += page.tools
                cursor = page.next_cursor
                if not cursor or len(found) > 10 * MAX_TOOLS:
                    break
        self.tools, self.left_out = await asyncio.to_thread(chosen, self.server, found, self.call)
        self._listed_at = time.monotonic()

    async def _look_after(self, client: Client) -> None:
        """Let go of a connection on which nothing is answered any more: the next call opens a new one."""
        life = self._life
        if life is None or life.over.is_set():
            return
        try:
            async with asyncio.timeout(STILL_THERE_S):
                await client.list_tools()
        except FAILURES as error:
            with suppress(TimeoutError):  # a program that died is about to say why
                async with asyncio.timeout(LAST_WORDS_S):
                    await life.over.wait()
            self._end(life, f"it answers no more: {self._said(error)}")

    def _told(self, name: str, error: Exception) -> Outcome:
        """Return what a model is told of a call that the server refused, or in which it was lost."""
        if self._life is None or self._life.over.is_set():
            raise ToolFailed(
                f"The MCP server {self.server.name} was lost in the middle of {name}. Whether it did "
                "anything is unknown: look before you call it again."
            )
        said = results.clipped(visible(self._said(error, most=results.MAX_CHARS)))
        text = said if self.server.trusted else fenced(said)
        return Outcome(f"The tool failed.\n{text}", untrusted=not self.server.trusted, failed=True)

    def _said(self, error: BaseException, most: int = 400) -> str:
        match error:
            case TimeoutError():
                said = "it did not answer in time"
            case ValidationError():
                first = error.errors(include_url=False, include_input=False)[0]
                where = ".".join(map(str, first["loc"]))
                said = f"it answered with what MCP does not know: {where}: {first['msg']}"
            case OSError(strerror=str(known)):
                said = known
            case _:
                said = (error.error.message if isinstance(error, MCPError) else str(error)) or type(
                    error
                ).__name__
        return printable(self.server.hidden(said))[:most]

    def _end(self, life: _Life, why: str) -> None:
        """End a connection, for the first reason that there is."""
        if not life.over.is_set():
            self._note(life.why or why)
            life.over.set()

    def _note(self, said: str) -> None:
        self.error, self.error_at = said, datetime.now(UTC)
        if not self._was_ready():
            self._rests_until = time.monotonic() + min(REST_S * 2**self._failures, MAX_REST_S)
            self._failures = min(self._failures + 1, 10)

    def _was_ready(self) -> bool:
        """Whether it stood: what died is opened again at once, what never stood is left alone a while."""
        ready = self._life.ready if self._life else None
        return bool(ready and ready.done() and not ready.cancelled() and ready.exception() is None)


def _first(group: BaseExceptionGroup) -> BaseException:
    first = group.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first
