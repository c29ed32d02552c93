"""Search the web by the provider that the settings name."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

import httpx

from artel.tools.errors import ToolFailed
from artel.tools.web import body
from artel.tools.web.asking import answer_to
from artel.tools.web.hits import Hit
from artel.tools.web.internet import Internet, InternetSettings, provider
from artel.tools.web.outside import fenced, visible

MAX_RESULTS = 20
MAX_QUERY = 400  # characters
MAX_BYTES = 1_000_000  # of an answer
MAX_TITLE, MAX_SNIPPET, MAX_URL = 200, 500, 500  # characters
TIMEOUT_S = 20

WHY = {
    401: "its key is refused",
    402: "its credit is used up",
    403: "it refuses: its key is wrong or, with SearXNG, `json` is missing among its formats",
    429: "it was asked too often",
}


class SearchFailed(ToolFailed):
    """The search provider did not answer as it should; the message says what it did."""

    code = "search_failed"


async def search(internet: Internet, query: str, most: int = 5) -> str:
    """Return up to `most` results, numbered, each with title, URL and snippet.

    The provider is the operator's choice and is called wherever it is, also on this machine.

    Raises:
        ToolFailed: no provider is configured, or it gives no results within TIMEOUT_S seconds.
    """
    settings = internet.settings
    if not settings.search:
        raise SearchFailed("no search provider is configured; tell the user")
    try:
        async with asyncio.timeout(TIMEOUT_S):
            hits = await _found(settings, query, most)
    except TimeoutError:
        raise _failed(settings, f"did not answer within {TIMEOUT_S} seconds") from None
    except httpx.HTTPError as error:
        raise _failed(settings, f"cannot be reached ({type(error).__name__})") from None
    return fenced(_listed(hits[:most])) if hits else "No results; try other words."


async def _found(settings: InternetSettings, query: str, most: int) -> Sequence[Hit]:
    plugin = provider(settings.search)
    base = settings.search_url or plugin.URL
    request: httpx.Request = plugin.request(base, settings.search_key.get_secret_value(), query, most)
    request.headers["Accept-Encoding"] = body.ACCEPTED
    async with answer_to(request, timeout_s=TIMEOUT_S) as answer:
        return plugin.hits(await _read(settings, answer))  # type: ignore[no-any-return]  # a plug-in


async def _read(settings: InternetSettings, answer: httpx.Response) -> Any:
    if answer.status_code != 200:
        raise _failed(
            settings, f"answered {answer.status_code}: {WHY.get(answer.status_code, 'no reason known')}"
        )
    got, cut = await body.read(answer, MAX_BYTES)
    if cut:
        raise _failed(settings, f"answered more than {MAX_BYTES:,} bytes")
    try:
        return json.loads(got)
    except (ValueError, RecursionError):
        raise _failed(settings, "answered something that is no JSON") from None


def _failed(settings: InternetSettings, did: str) -> SearchFailed:
    return SearchFailed(f"the search provider {settings.search} {did}; tell the user")


def _listed(hits: Sequence[Hit]) -> str:
    return "\n\n".join(
        f"{number}. {_line(hit.title, MAX_TITLE) or '(no title)'}\n"
        f"   {_line(hit.url, MAX_URL)}\n   {_line(hit.snippet, MAX_SNIPPET)}".rstrip()
        for number, hit in enumerate(hits, 1)
    )


def _line(text: str, most: int) -> str:
    line = " ".join(visible(text).split())
    return line if len(line) <= most else f"{line[:most]}…"
