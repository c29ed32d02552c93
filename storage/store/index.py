"""Search by meaning: what of an item is embedded, by whom, and the table that pgvector keeps it in.

A search is exact: it measures every vector of its namespace. LangGraph's own store makes an index for nearest
neighbours too, but its statement cannot use it; it only slows every write down and takes 2,000 dimensions at
most. There is no search without pgvector: it would fetch every vector of a namespace into the process.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from langchain_core.embeddings import Embeddings
from langgraph.store.base import PutOp, get_text_at_path, tokenize_path
from langgraph.store.base.embed import EmbeddingsLambda
from psycopg import Error
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, UndefinedFile

from artel.storage.errors import ArtelError, Conflict
from artel.storage.postgres import Connection, Database
from artel.storage.store.texts import MAX_FIELD, storable

MAX_DIMS = 16_000  # of pgvector
THREADS = 4  # in which a synchronous model embeds
SETUP_LOCK = 0x73_74_6F_72_65  # "store"

HELD = """
select format_type(a.atttypid, a.atttypmod) as type
  from pg_attribute a
 where a.attrelid = to_regclass('store_vectors') and a.attname = 'embedding'
"""
TURN = "select pg_advisory_xact_lock(%(key)s)"
EXTENSION = "create extension if not exists vector"
VECTORS = """
create table if not exists store_vectors (
    prefix     text not null,
    key        text not null,
    field_name text not null,
    embedding  vector({dims}),
    created_at timestamptz default current_timestamp,
    updated_at timestamptz default current_timestamp,
    primary key (prefix, key, field_name),
    foreign key (prefix, key) references store (prefix, key) on delete cascade
)
"""


class VectorsMissing(Conflict):
    """This database cannot keep what `store.index` asks for."""

    code = "vectors_missing"


class EmbeddingFailed(ArtelError):
    """The embedding model of `store.index` gave no usable vectors."""

    code = "embedding_failed"
    status = 503


@dataclass(frozen=True, slots=True)
class Embedded:
    """The vectors of items, as rows: one list a column."""

    prefixes: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    vectors: list[str] = field(default_factory=list)


class Index:
    """What is embedded: the texts at `fields` ("$": the whole item), each a vector of `dims` numbers."""

    def __init__(self, embeddings: Embeddings, dims: int, fields: Sequence[str] = ("$",)) -> None:
        self.embeddings = embeddings
        self.dims = dims
        self.fields = tuple(fields)
        # The event loop's own threads may all be nodes that wait for this very embedding.
        self._threads = ThreadPoolExecutor(THREADS, "embedding") if _is_sync(embeddings) else None

    def close(self) -> None:
        """Let the threads go in which a synchronous model embeds."""
        if self._threads:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def embed(self, items: Iterable[tuple[str, str, Mapping[str, Any], PutOp]]) -> Embedded:
        """Embed items that are about to be stored, as prefix, key, value and operation; each text once.

        Raises:
            EmbeddingFailed: the model failed, or its vectors are not such as `dims` says.
        """
        places: dict[tuple[str, str, str], str] = {}
        for prefix, key, value, op in items:
            places |= {(prefix, key, name): text for name, text in self._texts(value, op)}
        texts = list(dict.fromkeys(places.values()))
        known = dict(zip(texts, await self._vectors(texts), strict=True))
        found = Embedded()
        for (prefix, key, name), text in places.items():
            found.prefixes.append(prefix)
            found.keys.append(key)
            found.fields.append(name)
            found.vectors.append(known[text])
        return found

    async def question(self, text: str) -> str:
        """Embed what is searched for.

        Raises:
            EmbeddingFailed: the model failed, or its vector is not such as `dims` says.
        """
        try:
            vector = list(map(float, await self._asked(text)))
        except Exception as failed:
            raise EmbeddingFailed(_sentence(failed)) from failed
        return self._written(vector)

    def _texts(self, value: Mapping[str, Any], op: PutOp) -> Iterable[tuple[str, str]]:
        if op.index is False:
            return
        for path in self.fields if op.index is None else op.index:
            texts = get_text_at_path(value, "$" if path == "$" else tokenize_path(path))
            for n, text in enumerate(texts):
                name = f"{path}.{n}" if len(texts) > 1 else path
                yield storable(name, "a path in index", MAX_FIELD), text

    async def _vectors(self, texts: list[str]) -> list[str]:
        if not texts:
            return []
        try:
            made = await self._embedded(texts)
            vectors = [list(map(float, vector)) for vector in made]
        except Exception as failed:
            raise EmbeddingFailed(_sentence(failed)) from failed
        if len(vectors) != len(texts):
            raise EmbeddingFailed(
                f"the embedding function of store.index returned {len(vectors)} vectors for {len(texts)}"
                " texts"
            )
        return [self._written(vector) for vector in vectors]

    async def _embedded(self, texts: list[str]) -> list[list[float]]:
        if self._threads is None:
            return await self.embeddings.aembed_documents(texts)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.embeddings.embed_documents, texts)

    async def _asked(self, text: str) -> list[float]:
        if self._threads is None:
            return await self.embeddings.aembed_query(text)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self.embeddings.embed_query, text)

    def _written(self, numbers: Sequence[float]) -> str:
        if len(numbers) != self.dims:
            raise EmbeddingFailed(
                f"the embedding function of store.index returned a vector of {len(numbers)} numbers, "
                f"but store.index.dims is {self.dims}"
            )
        if not all(map(isfinite, numbers)):
            raise EmbeddingFailed(
                "the embedding function of store.index returned an infinite number, or none"
            )
        return f"[{','.join(map(repr, numbers))}]"


async def prepare(db: Database, dims: int) -> None:
    """Make the table of vectors, unless it is there.

    Raises:
        VectorsMissing: pgvector is not to be had, or the table holds vectors of another length.
    """
    async with db.transaction() as conn:
        if not await _held(conn):
            await conn.execute(TURN, {"key": SETUP_LOCK})
            try:
                async with conn.transaction():
                    await conn.execute(EXTENSION)
                    await conn.execute(VECTORS.format(dims=int(dims)).encode())
            except Error as refused:
                raise VectorsMissing(_advice(refused)) from refused
        held = await _held(conn)
    if held != f"vector({dims})":
        raise VectorsMissing(
            f"store.index.dims is {dims}, but this database holds a {held} of each memory: set it back, "
            "or drop the table store_vectors and put the items again"
        )


async def _held(conn: Connection) -> str | None:
    row = await (await conn.execute(HELD)).fetchone()
    return str(row["type"]) if row else None


def _is_sync(embeddings: Embeddings) -> bool:
    """Whether a model has no asynchronous way of its own, only LangChain's, by the event loop's threads."""
    if isinstance(embeddings, EmbeddingsLambda):
        return not hasattr(embeddings, "afunc")
    return type(embeddings).aembed_documents is Embeddings.aembed_documents


def _advice(refused: Error) -> str:
    match refused:
        case FeatureNotSupported() | UndefinedFile():
            return (
                "store.index needs the extension pgvector, which this PostgreSQL does not have: install it "
                "there (a package such as postgresql-17-pgvector), or remove store.index"
            )
        case InsufficientPrivilege():
            return (
                "store.index needs the extension pgvector, which our user may not create: let an "
                "administrator run `create extension vector` in this database"
            )
    return f"store.index cannot be prepared: {str(refused).strip().partition(chr(10))[0]}"


def _sentence(failed: Exception) -> str:
    return f"the embedding function of store.index failed: {type(failed).__name__}: {str(failed)[:200]}"
