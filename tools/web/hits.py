"""What a search finds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from artel.tools.errors import ToolFailed


@dataclass(frozen=True, slots=True)
class Hit:
    """One page that a search names."""

    title: str
    url: str
    snippet: str


def found(answer: Any, key: str, *, title: str, url: str, snippet: str) -> list[Hit]:
    """Return the hits under `key` of an answer, by the names that it has for their parts.

    Those without a URL are left out.

    Raises:
        ToolFailed: the answer is no list of objects under that key.
    """
    rows = answer.get(key) if isinstance(answer, dict) else None
    if not isinstance(rows, Sequence) or isinstance(rows, str):
        raise ToolFailed(f"the search provider answered something that holds no {key!r}; tell the user")
    return [
        Hit(str(row.get(title) or ""), str(row[url]), str(row.get(snippet) or ""))
        for row in rows
        if isinstance(row, dict) and row.get(url)
    ]
