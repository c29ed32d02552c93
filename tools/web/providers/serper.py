"""Serper: what Google finds.

Source: serper.dev, Search API.
"""

from typing import Any

import httpx

from artel.tools.web.hits import Hit, found

URL = "https://google.serper.dev"
NEEDS_KEY = True


def request(base: str, key: str, query: str, most: int) -> httpx.Request:
    """Return the question."""
    return httpx.Request("POST", f"{base}/search", json={"q": query, "num": most}, headers={"X-API-KEY": key})


def hits(answer: Any) -> list[Hit]:
    """Return what was found."""
    return found(answer, "organic", title="title", url="link", snippet="snippet")
