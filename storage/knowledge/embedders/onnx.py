"""A model of BERT's kind on the CPU: ONNX Runtime and tokenizers, no torch."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from artel.storage.knowledge.embedders import runtime
from artel.storage.knowledge.embedders.bert import Bert
from artel.storage.knowledge.embedders.conversion import VERSION, Precision, converted, make
from artel.storage.knowledge.embedders.reading import Batch, Reader
from artel.storage.knowledge.hits import Vectors

WINDOW = 256  # texts that are cut into tokens and sorted at a time: enough for batches of like length


class OnnxEmbedder:
    """Computes vectors in `threads` threads of its own; questions have one more and wait for no document.

    At work it holds one batch a thread: some 10 MB each for 256 tokens and 384 numbers.
    """

    def __init__(
        self, bert: Bert, file: Path, *, name: str, languages: frozenset[str], threads: int = 1
    ) -> None:
        """Load the converted model `file`; takes a tenth of a second, so do it in a thread.

        Raises:
            UnusableModel: the tokens are broken.
        """
        self._bert, self._name, self._languages, self._threads = bert, name, languages, threads
        self._reader = Reader(bert)
        self._session = runtime.session(file)
        self._workers = ThreadPoolExecutor(threads, "embedding")
        self._questions = ThreadPoolExecutor(1, "embedding-question")

    @property
    def name(self) -> str:
        """Model, a hash of all that decides its vectors, and precision."""
        return self._name

    @property
    def dimension(self) -> int:
        """Numbers of a vector."""
        return self._bert.hidden

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of what it understands, `code` for programs."""
        return self._languages

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Return a row of length 1 for each text, in order; what is longer than the model reads is cut.

        Cancelled, it stops after the batches at work.
        """
        vectors = np.empty((len(texts), self.dimension), np.float32)
        for first in range(0, len(texts), WINDOW):
            window = texts[first : first + WINDOW]
            vectors[first : first + len(window)] = await self._window(window, query=query)
        return vectors

    async def close(self) -> None:
        """Let go of the threads; batches at work are finished first."""
        for threads in (self._workers, self._questions):
            await asyncio.to_thread(threads.shutdown, cancel_futures=True)

    async def _window(self, texts: Sequence[str], *, query: bool) -> Vectors:
        threads = self._questions if query else self._workers
        prefix = self._bert.query_prefix if query else self._bert.passage_prefix
        loop = asyncio.get_running_loop()
        batches = iter(await loop.run_in_executor(threads, lambda: list(self._reader.batches(texts, prefix))))
        vectors = np.empty((len(texts), self.dimension), np.float32)

        async def work(batches: Iterator[Batch]) -> None:
            for batch in batches:
                vectors[batch.rows] = await loop.run_in_executor(threads, self._computed, batch)

        await asyncio.gather(*(work(batches) for _ in range(1 if query else self._threads)))
        return vectors

    def _computed(self, batch: Batch) -> Vectors:
        found: Vectors = self._session.run(["vectors"], {"ids": batch.ids, "mask": batch.mask})[0]
        return found


def load(
    bert: Bert,
    models: Path,
    *,
    label: str,
    languages: frozenset[str],
    precision: Precision = "int8",
    threads: int = 1,
) -> OnnxEmbedder:
    """Open a model, converted into the folder `models` if it was not yet; blocks, so call it in a thread.

    Raises:
        UnusableModel: the folder's files are broken or do not fit each other.
    """
    name = f"{label}@{bert.digest(VERSION)} {precision}"
    file = converted(bert, models, label, precision)
    try:
        return OnnxEmbedder(bert, file, name=name, languages=languages, threads=threads)
    except runtime.UNREADABLE:  # a disk that was full or failed: the weights are still there
        make(bert, file, precision)
        return OnnxEmbedder(bert, file, name=name, languages=languages, threads=threads)
