"""Asks every request for its key, by `@auth.authenticate` of the configuration, before a route sees it."""

import asyncio
import inspect
import secrets
from collections.abc import Callable
from typing import Any

import orjson
import structlog
from langgraph_sdk import Auth
from langgraph_sdk.auth.exceptions import HTTPException
from starlette.authentication import AuthCredentials
from starlette.datastructures import Headers, QueryParams
from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from artel.server.auth.cache import Cache
from artel.server.auth.caller import Caller, calling
from artel.server.auth.policy import NOBODY, Handlers
from artel.server.auth.section import AuthSection, wanted
from artel.server.auth.user import NobodyReturned, studio_user, user_of
from artel.server.channels.websocket import introducing
from artel.server.errors import Answered, refuse
from artel.storage.errors import ArtelError, BadRequest

log = structlog.get_logger(__name__)

IsOpen = Callable[[Scope], bool]


class Unauthenticated(ArtelError):
    """The request does not say who calls."""

    code = "unauthenticated"
    status = 401


class Gatekeeper:
    """Finds out who calls: from the cache, by Studio's key, or from the handler of the configuration."""

    def __init__(self, section: AuthSection, auth: Auth, *, studio_key: str = "") -> None:
        assert auth._authenticate_handler is not None
        self._ask: Callable[..., Any] = auth._authenticate_handler
        self._wanted = wanted(self._ask, "auth.path")
        self._policy = Handlers(auth)
        self._cache = Cache(section.cache) if section.cache else None
        self._studio_key = "" if section.disable_studio_auth else studio_key

    async def caller(self, scope: Scope, receive: Receive) -> Caller:
        """Return who makes a request.

        Raises:
            Answered: the handler refused, in its own words.
            Unauthenticated: it asked for a header that is not there, and fell over that.
            BadRequest: it refused by a ValueError.
            NobodyReturned: it returned nothing that says who calls.
        """
        headers = Headers(scope=scope)
        if self._studio_key and headers.get("x-auth-scheme") == "langsmith":
            return self._studio(headers.get("x-api-key", ""))
        key = self._cache.key(headers) if self._cache else None
        if self._cache and (known := self._cache.get(key)):
            return known
        user = user_of(await self._answer(scope, receive, headers))
        caller = Caller(user=user, permissions=tuple(user.permissions), policy=self._policy, known=user)
        if self._cache:
            self._cache.put(key, caller)
        return caller

    async def _answer(self, scope: Scope, receive: Receive, headers: Headers) -> Any:
        told = await _told(self._wanted, scope, receive, headers)
        try:
            if not inspect.iscoroutinefunction(self._ask):
                answer = await asyncio.to_thread(self._ask, **told)  # it may wait for somebody
                return await answer if inspect.isawaitable(answer) else answer
            return await self._ask(**told)
        except HTTPException as refused:
            raise Answered(refused.detail, refused.status_code, refused.headers) from refused
        except ValueError as refused:
            raise BadRequest(str(refused) or "the key cannot be read") from refused
        except (AttributeError, TypeError, KeyError) as fell:
            if "authorization" in self._wanted and not told["authorization"]:
                raise Unauthenticated("the request has no Authorization header") from fell
            raise

    def _studio(self, key: str) -> Caller:
        if not secrets.compare_digest(key.encode(), self._studio_key.encode()):
            raise Unauthenticated("the key of Studio must be the LANGSMITH_API_KEY of this server")
        user = studio_user()
        told = {"identity": user.identity, "kind": "StudioUser", "permissions": list(user.permissions)}
        return Caller(user=told, permissions=tuple(user.permissions), policy=self._policy, known=user)


class Authentication:
    """Lets a request through with its `artel.caller`; where no key is needed, as nobody."""

    def __init__(self, app: ASGIApp, keeper: Gatekeeper, is_open: IsOpen) -> None:
        self.app = app
        self.keeper = keeper
        self.is_open = is_open

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        if self.is_open(scope):
            scope["artel.caller"] = NOBODY
            await self.app(scope, receive, send)
            return
        if introducing.is_gateway(scope):
            scope = introducing.with_key(scope)
        again = Again(receive)
        try:
            await self._admit(scope, again.record)
        except ArtelError as refused:
            if isinstance(refused, NobodyReturned):
                log.exception("a key could not be checked", path=scope["path"])
            elif introducing.may_introduce(scope):
                await introducing.introduced(self.app, scope, receive, send, self._admit)
                return
            await refuse(refused, scope, receive, send)
            return
        await self.app(scope, again.replay if again.read else receive, send)

    async def _admit(self, scope: Scope, receive: Receive | None = None) -> None:
        """Note in a scope who it is, as far as the keeper lets them in."""
        caller = await self.keeper.caller(scope, receive or _nothing)
        scope["artel.caller"] = caller
        calling.set(caller)
        scope["user"] = caller.known
        scope["auth"] = AuthCredentials(caller.permissions)


class Again:
    """Lets a handler read a request, and the route after it once more."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self.read: list[Message] = []

    async def record(self) -> Message:
        """Receive, and keep."""
        message = await self._receive()
        self.read.append(message)
        return message

    async def replay(self) -> Message:
        """Receive what was kept, then what comes."""
        return self.read.pop(0) if self.read else await self._receive()


async def _nothing() -> Message:
    return {"type": "websocket.disconnect", "code": 1000}


async def _told(names: tuple[str, ...], scope: Scope, receive: Receive, headers: Headers) -> dict[str, Any]:
    told: dict[str, Any] = {}
    is_http = scope["type"] == "http"
    request: HTTPConnection = Request(scope, receive) if is_http else HTTPConnection(scope)
    for name in names:
        match name:
            case "request":
                told[name] = request
            case "body":
                told[name] = await _body(request)
            case "path":
                told[name] = scope["path"]
            case "method":
                told[name] = scope.get("method", "GET")
            case "path_params":
                told[name] = dict(scope.get("path_params") or {})
            case "query_params":
                told[name] = dict(QueryParams(scope.get("query_string", b"")))
            case "headers":
                told[name] = dict(scope["headers"])
            case "authorization":
                told[name] = headers.get("authorization")
            case "scope":
                told[name] = scope
    return told


async def _body(request: HTTPConnection) -> Any:
    if not isinstance(request, Request) or not (body := await request.body()):
        return None
    try:
        return orjson.loads(body)
    except ValueError:
        return None  # the route says what is wrong with it
