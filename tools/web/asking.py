"""One request, sent as it is."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache

import httpx


@asynccontextmanager
async def answer_to(
    request: httpx.Request, *, timeout_s: float, verified: ssl.SSLContext | None = None
) -> AsyncIterator[httpx.Response]:
    """Send a request and hand over the answer, its body unread; no proxy, redirect, cookie or login.

    Certificates are held to `verified`, by default to the authorities of the system.

    There is no client of httpx in between: it reads where a redirect leads also when told not to follow it,
    and fails in its own way over what a server may have written there.

    Raises:
        httpx.HTTPError: there is no answer.
    """
    if verified is None:
        verified = await asyncio.to_thread(trusted) if request.url.scheme == "https" else _untrusting()
    request.extensions = {"timeout": httpx.Timeout(timeout_s).as_dict(), **request.extensions}
    async with httpx.AsyncHTTPTransport(verify=verified, trust_env=False) as transport:
        answer = await transport.handle_async_request(request)
        answer.request = request
        try:
            yield answer
        finally:
            await answer.aclose()


@lru_cache(maxsize=1)
def trusted() -> ssl.SSLContext:
    """Return the authorities of the system that certificates are held to: a megabyte, read once."""
    return ssl.create_default_context()


def _untrusting() -> ssl.SSLContext:
    """Return a context that trusts nobody, for requests without TLS: it is made in no time."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
