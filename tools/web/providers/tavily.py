"""Tavily: a search made for agents.

Source: docs.tavily.com, Search endpoint.
"""

from typing import Any

import httpx

from artel.tools.web.hits import Hit, found

URL = "https://api.tavily.com"
NEEDS_KEY = True


def request(base: str, key: str, query: str, most: int) -> httpx.Request:
    """Return the question."""
    asked = {"query": query, "max_results": most, "search_depth": "basic"}
    return httpx.Request("POST", f"{base}/search", json=asked, headers={"Authorization": f"Bearer {key}"})


def hits(answer: Any) -> list[Hit]:
    """Return what was found."""
    return found(answer, "results", title="title", url="url", snippet="content")
