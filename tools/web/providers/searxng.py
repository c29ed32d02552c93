"""SearXNG: a search of one's own; `json` must stand among `search.formats` of its settings.

Source: docs.searxng.org, Search API.
"""

from typing import Any

import httpx

from artel.tools.web.hits import Hit, found

URL = ""
NEEDS_KEY = False


def request(base: str, key: str, query: str, most: int) -> httpx.Request:
    """Return the question; the number of answers cannot be asked for, a key goes to a proxy before it."""
    del most
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    return httpx.Request("GET", f"{base}/search", params={"q": query, "format": "json"}, headers=headers)


def hits(answer: Any) -> list[Hit]:
    """Return what was found."""
    return found(answer, "results", title="title", url="url", snippet="content")
