"""What a search is limited to, as conditions on the document `d`; those that are not given cost nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from artel.storage import arrays
from artel.storage.encoding import dumps, without_nul
from artel.storage.errors import Invalid
from artel.storage.knowledge.limits import MAX_METADATA, MAX_NAME, plain

MOST = 200  # values of one filter

Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Filters:
    """Each one that is given must hold; it can be a key of a cache.

    A document without roles is for all, so it passes any `roles`. `metadata` holds for equal values only.
    """

    sources: tuple[UUID, ...] = ()
    kinds: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()  # of documents
    roles: tuple[str, ...] = ()
    metadata: tuple[tuple[str, Scalar], ...] = ()
    updated_from: datetime | None = None
    updated_before: datetime | None = None


def conditions(filters: Filters) -> tuple[list[str], dict[str, Any]]:
    """Return conditions on `d` with their parameters.

    Raises:
        Invalid: a filter has more than MOST values, or one is no text for Postgres.
    """
    for name in ("sources", "kinds", "languages", "roles", "metadata"):
        if (count := len(getattr(filters, name))) > MOST:
            raise Invalid(f"filters.{name} may have {MOST} values, got {count}")
    parts: list[str] = []
    values: dict[str, Any] = {}
    if filters.sources:
        parts.append("d.source_id = any(%(sources)s)")
        values["sources"] = list(filters.sources)
    for name, condition in (
        ("kinds", "d.kind = any(%(kinds)s)"),
        ("languages", "d.language = any(%(languages)s)"),
        ("roles", "(d.roles && %(roles)s or d.roles = '{}')"),
    ):
        if given := getattr(filters, name):
            parts.append(condition)
            values[name] = arrays.texts(_plain(text, name) for text in given)
    if filters.metadata:
        written = dumps(dict(filters.metadata))
        if len(written) > MAX_METADATA or without_nul(written) != written:
            raise Invalid(f"filters.metadata may have {MAX_METADATA} bytes of JSON and no NUL character")
        parts.append("d.metadata @> %(metadata)s::jsonb")
        values["metadata"] = written.decode()
    if filters.updated_from:
        parts.append("d.updated_at >= %(updated_from)s")
        values["updated_from"] = filters.updated_from
    if filters.updated_before:
        parts.append("d.updated_at < %(updated_before)s")
        values["updated_before"] = filters.updated_before
    return parts, values


def _plain(text: str, name: str) -> str:
    if reason := plain(text, f"filters.{name}", MAX_NAME):
        raise Invalid(reason)
    return text
