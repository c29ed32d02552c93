"""Any server that speaks OpenAI's `/v1/embeddings`: theirs, vLLM, TEI, Ollama, LiteLLM, llama.cpp."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx
import numpy as np

from artel.storage.knowledge.embedders import retrying
from artel.storage.knowledge.embedders.failing import EmbedderRefused, EmbedderUnavailable
from artel.storage.knowledge.hits import Vectors

BATCH_TEXTS, BATCH_CHARS = 64, 200_000  # OpenAI takes 2,048 texts and 300,000 tokens a request, others less
MOST_BYTES = 64_000_000  # of one answer: 64 vectors of 16,000 numbers, written out
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A model of a server of embeddings."""

    url: str
    """With or without `/embeddings` at its end."""
    model: str
    api_key: str = field(default="", repr=False)
    languages: frozenset[str] = frozenset()
    query_prefix: str = ""
    passage_prefix: str = ""
    max_chars: int = 8_000
    """Longer texts are cut: servers answer 400 to more tokens than their model reads."""
    timeout_s: float = 60.0

    @property
    def address(self) -> str:
        """Where to post."""
        return f"{self.url.rstrip('/').removesuffix('/embeddings')}/embeddings"

    @property
    def name(self) -> str:
        """Model and, as they change its vectors, a hash of the prefixes."""
        prefixes = self.query_prefix, self.passage_prefix
        return self.model + (
            f"@{hashlib.sha256(repr(prefixes).encode()).hexdigest()[:8]}" if any(prefixes) else ""
        )


class OpenAIEmbedder:
    """Asks a server, one batch at a time; batches that a busy server refused are asked again."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Open a client; it connects when it is first asked."""
        self._endpoint = endpoint
        self._dimension: int | None = None
        key = endpoint.api_key
        self._client = httpx.AsyncClient(
            timeout=endpoint.timeout_s,
            headers={"authorization": f"Bearer {key}"} if key else {},
            trust_env=httpx.URL(endpoint.address).host not in LOOPBACK,
        )

    @property
    def name(self) -> str:
        """Model, and a hash of the prefixes if there are any."""
        return self._endpoint.name

    @property
    def dimension(self) -> int:
        """Numbers of a vector, known once something was embedded.

        Raises:
            EmbedderUnavailable: nothing was embedded yet.
        """
        if self._dimension is None:
            raise EmbedderUnavailable(f"{self._endpoint.address} was not asked yet how long its vectors are")
        return self._dimension

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of what the model understands, as it was declared."""
        return self._endpoint.languages

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Return a row of length 1 for each text, in order; texts longer than `max_chars` are cut.

        Raises:
            EmbedderUnavailable: the server is away or busy, also after five attempts.
            EmbedderRefused: it refused, or its answer holds no vectors of one length.
        """
        prefix = self._endpoint.query_prefix if query else self._endpoint.passage_prefix
        # An empty text is an error to most servers, and a blank is none.
        cut = [(prefix + text)[: self._endpoint.max_chars] or " " for text in texts]
        found = [await self._batch(batch) for batch in _batches(cut)]
        if not found:
            return np.zeros((0, self._dimension or 0), np.float32)
        return np.concatenate(found)

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.aclose()

    async def _batch(self, texts: list[str]) -> Vectors:
        body = {"model": self._endpoint.model, "input": texts, "encoding_format": "float"}
        for attempt in range(1, retrying.ATTEMPTS + 1):
            failed, pause = await self._attempt(body, attempt)
            if isinstance(failed, bytes):
                return await asyncio.to_thread(self._vectors, failed, len(texts))
            if pause is None:
                raise failed
            await asyncio.sleep(pause)
        raise AssertionError("the last attempt answers or raises")

    async def _attempt(
        self, body: dict[str, Any], attempt: int
    ) -> tuple[bytes | EmbedderUnavailable, float | None]:
        """Return the answer, or what failed and the seconds to wait before asking again."""
        where = self._endpoint.address
        try:
            async with self._client.stream("POST", where, json=body) as response:
                said = await self._read(response)
        except httpx.TransportError as error:
            away = EmbedderUnavailable(f"{where} does not answer: {str(error) or type(error).__name__}")
            return away, retrying.pause_s(attempt, {})
        if response.status_code == 200:
            return said, None
        words = f"{where} answered {response.status_code} to {self._endpoint.model}: {_sentence(said)}"
        if response.status_code not in retrying.PASSING:
            raise EmbedderRefused(words + _advice(response.status_code))
        return EmbedderUnavailable(words), retrying.pause_s(attempt, response.headers)

    async def _read(self, response: httpx.Response) -> bytes:
        said = bytearray()
        async for part in response.aiter_bytes():
            said += part
            if len(said) > MOST_BYTES:
                raise EmbedderRefused(
                    f"{self._endpoint.address} answered with more than {MOST_BYTES:,} bytes"
                )
        return bytes(said)

    def _vectors(self, said: bytes, number: int) -> Vectors:
        where = self._endpoint.address
        try:
            rows = sorted(httpx.Response(200, content=said).json()["data"], key=lambda row: row["index"])
            vectors = np.array([row["embedding"] for row in rows], np.float32)
        except (ValueError, TypeError, KeyError) as error:
            raise EmbedderRefused(f"{where} answered with no vectors: {_sentence(said)}") from error
        if vectors.ndim != 2 or len(vectors) != number:
            raise EmbedderRefused(f"{where} answered {len(vectors)} vectors to {number} texts")
        if self._dimension not in (None, vectors.shape[1]):
            raise EmbedderRefused(
                f"{where} answered {vectors.shape[1]} numbers a vector after {self._dimension}"
            )
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        if not np.isfinite(lengths).all() or not lengths.all():
            raise EmbedderRefused(f"{where} answered with a vector of zeros or of what is no number")
        self._dimension = vectors.shape[1]
        return np.asarray(vectors / lengths, np.float32)


def _batches(texts: list[str]) -> list[list[str]]:
    batches: list[list[str]] = []
    chars = 0
    for text in texts:
        if not batches or len(batches[-1]) == BATCH_TEXTS or chars + len(text) > BATCH_CHARS:
            batches.append([])
            chars = 0
        batches[-1].append(text)
        chars += len(text)
    return batches


def _sentence(said: bytes) -> str:
    return " ".join(said[:1000].decode("utf-8", "replace").split())[:300] or "nothing"


def _advice(status: int) -> str:
    match status:
        case 401 | 403:
            return "; check the key"
        case 404 | 405:
            return "; check the address, which usually ends in /v1, and the model's name"
        case 400 | 413 | 422:
            return "; if a text is too long for the model, lower max_chars"
    return ""
