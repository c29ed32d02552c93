"""Threads found by what their newest state has in it, as well as by what they carry."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from artel.server.catalog import Catalog
from artel.server.engine import Engine
from artel.server.protocol import snapshots
from artel.server.protocol.extraction import contains, extracted, steps_of
from artel.server.protocol.thread_bodies import ThreadFilter, ThreadSearch
from artel.storage import threads
from artel.storage.encoding import dumps, loads
from artel.storage.errors import Invalid
from artel.storage.threads import Filter, Thread

READ_MOST = 1000  # states that are read for one search: half a second or so
READ_AT_ONCE = 50

Values = dict[UUID, dict[str, Any] | None]


class TooManyStates(Invalid):
    """Too many states would have to be read to compare them."""

    code = "too_many_states"


async def search(
    engine: Engine, catalog: Catalog, body: ThreadSearch, wanted: Filter
) -> tuple[list[Thread], int]:
    """Return a page of the threads that match, and how many do.

    Texts, numbers and true are compared by the database; for anything else the states are read of all threads
    that match otherwise.

    Raises:
        TooManyStates: those are more than READ_MOST.
    """
    order: dict[str, Any] = {"sort_by": body.sort_by, "sort_order": body.sort_order}
    if not _unplain(body.values, wanted):
        async with engine.db.connection() as conn:
            found = await threads.search(conn, wanted, limit=body.limit, offset=body.offset, **order)
            return found, await threads.count(conn, wanted)
    matching = await _having(engine, catalog, body.values, wanted, order)
    return matching[body.offset : body.offset + body.limit], len(matching)


async def count(engine: Engine, catalog: Catalog, body: ThreadFilter, wanted: Filter) -> int:
    """Return how many threads match.

    Raises:
        TooManyStates: more than READ_MOST states would have to be read to know.
    """
    if _unplain(body.values, wanted):
        return len(await _having(engine, catalog, body.values, wanted, {}))
    async with engine.db.connection() as conn:
        return await threads.count(conn, wanted)


def filter_of(
    body: ThreadFilter, asked: Mapping[str, Any], *, owner: str, allowed: str | None, sealed: bool
) -> Filter:
    """Return what the database is to look for; `asked` is what the request says by now.

    `sealed`: it cannot look into states.
    """
    body.metadata, body.values = asked["metadata"] or {}, asked["values"] or {}
    known = {} if sealed else body.values
    plain = {key: value for key, value in known.items() if threads.is_plain(key, value)}
    return Filter(owner, body.metadata, body.status, body.wanted_ids, plain, allowed)


def needs_values(paths: Mapping[str, str]) -> bool:
    """Whether a path leads into the values of a thread."""
    return "values" in _roots(paths)


def extracts(record: Mapping[str, Any], paths: Mapping[str, str]) -> dict[str, Any]:
    """Return the field that shows what was extracted from a record; none when no path was given."""
    if not paths:
        return {}
    used = {name: record[name] for name in _roots(paths)}
    plain: Any = loads(dumps(used))
    return {"extracted": extracted(plain, paths)}


def _roots(paths: Mapping[str, str]) -> set[str]:
    return {str(steps_of(path)[0]) for path in paths.values()}


def _unplain(values: Mapping[str, Any], wanted: Filter) -> dict[str, Any]:
    return {key: value for key, value in values.items() if key not in wanted.plain}


async def _having(
    engine: Engine, catalog: Catalog, values: Mapping[str, Any], wanted: Filter, order: dict[str, Any]
) -> list[Thread]:
    rest = _unplain(values, wanted)
    async with engine.db.connection() as conn:
        candidates = await threads.search(conn, wanted, limit=READ_MOST + 1, **order)
    if len(candidates) > READ_MOST:
        raise TooManyStates(
            f"values.{next(iter(rest))} is compared by reading states, and more than {READ_MOST} threads "
            "match otherwise: narrow them by metadata, status or ids, or by a text or number among the values"
        )
    matching: list[Thread] = []
    for start in range(0, len(candidates), READ_AT_ONCE):
        some = candidates[start : start + READ_AT_ONCE]
        read = await snapshots.values_of(engine, catalog, some)
        matching += [thread for thread in some if _has(read[thread.thread_id], rest)]
    return matching


def _has(values: Mapping[str, Any] | None, wanted: Mapping[str, Any]) -> bool:
    if values is None or not wanted.keys() <= values.keys():
        return False
    return contains(loads(dumps({key: values[key] for key in wanted})), dict(wanted))
