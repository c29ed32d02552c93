"""The long-term store as `store` of the configuration says: search by meaning, and times to live."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

from langchain_core.embeddings import Embeddings
from langgraph.store.base import TTLConfig, ensure_embeddings

from artel.server import loading
from artel.server.catalog import Catalog
from artel.server.served import ConfigWrong, Served
from artel.storage.postgres import Database
from artel.storage.store import Index, Store, VectorsMissing
from artel.storage.store.index import MAX_DIMS, prepare
from artel.storage.store.texts import MAX_TTL_MINUTES

Section = Mapping[str, Any]

WEEK_MIN = 7 * 24 * 60.0


@asynccontextmanager
async def open_store(db: Database, catalog: Catalog) -> AsyncIterator[Store]:
    """Open the store and give it to the graphs.

    Raises:
        ConfigWrong: `store` of the configuration cannot be used, or this PostgreSQL has no pgvector for it.
    """
    config = catalog.config
    index, ttl = _index(config) if config else None, _ttl(config) if config else None
    if config and index:
        try:
            await prepare(db, index.dims)
        except VectorsMissing as missing:
            raise ConfigWrong(f"{config.file}: {missing}") from missing
    store = Store(db, index=index, ttl=ttl)
    catalog.give(store)
    try:
        yield store
    finally:
        if index:
            index.close()


def _index(config: Served) -> Index | None:
    given = _part(config, "index", ("embed", "dims", "fields"))
    if given is None:
        return None
    where = f"{config.file}: store.index"
    dims, fields = given.get("dims"), given.get("fields") or ["$"]
    if isinstance(dims, bool) or not isinstance(dims, int) or not 1 <= dims <= MAX_DIMS:
        raise ConfigWrong(f"{where}.dims must be the length of its vectors, 1 to {MAX_DIMS}, got {dims!r}")
    if not isinstance(fields, list) or not all(isinstance(one, str) and one for one in fields):
        raise ConfigWrong(f'{where}.fields must be a list such as ["text", "parts[*].title"], got {fields!r}')
    return Index(_embeddings(config, given.get("embed")), dims, fields)


def _embeddings(config: Served, embed: object) -> Embeddings:
    """Return the model that `embed` names: "provider:model", or a function or model of our own in a file."""
    where = f"{config.file}: store.index.embed"
    if not isinstance(embed, str) or ":" not in embed.strip(":"):
        raise ConfigWrong(f'{where} must be "provider:model" or "./file.py:function", got {embed!r}')
    source, _, name = embed.rpartition(":")
    if source.endswith(".py"):
        made = loading.load_named(config, "store.index.embed", source, name)
        if not isinstance(made, Embeddings) and not callable(made):
            raise ConfigWrong(
                f'{where}: "{name}" in {source} must be a function that embeds a list of texts, '
                f"or Embeddings, not {type(made).__name__}"
            )
        return ensure_embeddings(made)
    try:
        model: Embeddings = import_module("langchain.embeddings").init_embeddings(embed)
    except Exception as failed:
        said = " ".join(str(failed).split())[:300]
        raise ConfigWrong(f"{where}: {embed} cannot be opened: {type(failed).__name__}: {said}") from failed
    return model


def _ttl(config: Served) -> TTLConfig | None:
    given = _part(config, "ttl", ("refresh_on_read", "default_ttl", "sweep_interval_minutes"))
    if given is None:
        return None
    where = f"{config.file}: store.ttl"
    refresh = given.get("refresh_on_read", True)
    if not isinstance(refresh, bool):
        raise ConfigWrong(f"{where}.refresh_on_read must be true or false, got {refresh!r}")
    made: TTLConfig = {"refresh_on_read": refresh}
    if given.get("default_ttl") is not None:
        made["default_ttl"] = _minutes(given["default_ttl"], f"{where}.default_ttl", MAX_TTL_MINUTES)
    if given.get("sweep_interval_minutes") is not None:
        interval: Any = _minutes(given["sweep_interval_minutes"], f"{where}.sweep_interval_minutes", WEEK_MIN)
        made["sweep_interval_minutes"] = interval
    return made


def _minutes(value: Any, where: str, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise ConfigWrong(f"{where} must be minutes, more than 0 and at most {most:.0f}, got {value!r}")
    return float(value)


def _part(config: Served, name: str, known: tuple[str, ...]) -> Section | None:
    """Return a part of `store`, all of whose keys are known: a misspelt one would do nothing, in silence."""
    section = _keys(config, "store", config.sections.get("store", {}), ("index", "ttl"))
    part = section.get(name)
    return None if part is None else _keys(config, f"store.{name}", part, known)


def _keys(config: Served, where: str, given: object, known: tuple[str, ...]) -> Section:
    if not isinstance(given, dict):
        raise ConfigWrong(f"{config.file}: {where} must be an object, got {given!r}")
    if unknown := next((key for key in given if key not in known), None):
        raise ConfigWrong(f"{config.file}: {where} has no {unknown!r}; it has {', '.join(known)}")
    return given
