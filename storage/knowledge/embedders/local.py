"""Any model of sentence-transformers, on a GPU where there is one: the extra `local`, which brings torch."""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from artel.storage.errors import Invalid
from artel.storage.knowledge.embedders.bert import UnusableModel
from artel.storage.knowledge.hits import Vectors

SLICE, BATCH_TEXTS = 128, 16  # cancelled between slices; within one, the library sorts by length
COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class LocalModel:
    """A model by its name on the hub or by its folder."""

    model: str
    languages: frozenset[str]
    revision: str = ""
    """The commit of a model by name; a folder needs none."""
    query_prefix: str | None = None
    passage_prefix: str | None = None
    device: str = ""
    """Empty: a GPU if there is one."""
    threads: int = 1


class LocalEmbedder:
    """Computes vectors in one thread of its own, a slice of the texts at a time."""

    def __init__(self, settings: LocalModel, model: Any, name: str) -> None:
        """Hold a loaded model; `load` makes one."""
        prompts = dict(getattr(model, "prompts", None) or {})
        query, passage = settings.query_prefix, settings.passage_prefix
        self._query = prompts.get("query", "") if query is None else query
        self._passage = (
            (prompts.get("passage") or prompts.get("document") or "") if passage is None else passage
        )
        self._model, self._languages = model, settings.languages
        self._dimension = int(self._encoded([" "], "").shape[1])
        prefixes = hashlib.sha256(repr((self._query, self._passage)).encode()).hexdigest()[:8]
        self._name = f"{name} {prefixes}" if self._query or self._passage else name
        self._thread = ThreadPoolExecutor(1, "embedding")

    @property
    def name(self) -> str:
        """Model and revision, and a hash of the prefixes if there are any."""
        return self._name

    @property
    def dimension(self) -> int:
        """Numbers of a vector."""
        return self._dimension

    @property
    def languages(self) -> frozenset[str]:
        """ISO 639-1 codes of what the model understands, as it was declared."""
        return self._languages

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        """Return a row of length 1 for each text, in order; what is longer than the model reads is cut.

        Cancelled, it stops after the slice at work.
        """
        vectors = np.empty((len(texts), self._dimension), np.float32)
        loop, prefix = asyncio.get_running_loop(), self._query if query else self._passage
        for first in range(0, len(texts), SLICE):
            part = list(texts[first : first + SLICE])
            found = await loop.run_in_executor(self._thread, self._encoded, part, prefix)
            vectors[first : first + len(part)] = found
        return vectors

    async def close(self) -> None:
        """Let go of the thread; the slice at work is finished first."""
        await asyncio.to_thread(self._thread.shutdown, cancel_futures=True)

    def _encoded(self, texts: list[str], prefix: str) -> Vectors:
        found = self._model.encode(
            [prefix + text for text in texts],
            prompt="",  # the prefixes are ours: the library would add the model's default one
            batch_size=BATCH_TEXTS,
            normalize_embeddings=True,
            convert_to_numpy=True,
            show_progress_bar=False,
        )
        return np.asarray(found, np.float32)


def load(settings: LocalModel) -> LocalEmbedder:
    """Load a model, a name from the hub or its cache; blocks for seconds, so call it in a thread.

    Code that comes with a model is never run.

    Raises:
        Invalid: sentence-transformers is not installed, or a name comes without the commit of its revision.
        UnusableModel: there is no such model, or it cannot be loaded.
    """
    name = _pinned(settings)
    library, torch = _library()
    torch.set_num_threads(settings.threads)
    try:
        model = library.SentenceTransformer(
            settings.model,
            revision=settings.revision or None,
            device=settings.device or None,
            trust_remote_code=False,
        )
    except (OSError, ValueError, RuntimeError) as error:
        raise UnusableModel(f"{settings.model} cannot be loaded: {str(error)[:300]}") from error
    return LocalEmbedder(settings, model, name)


def _pinned(settings: LocalModel) -> str:
    """Name the model so that other weights have another name."""
    if (folder := Path(settings.model)).is_dir():
        total = hashlib.sha256()
        for file in sorted(file for file in folder.rglob("*") if file.is_file()):
            with file.open("rb") as opened:
                total.update(file.relative_to(folder).as_posix().encode())
                total.update(hashlib.file_digest(opened, "sha256").digest())
        return f"{folder.resolve().name}@{total.hexdigest()[:16]}"
    if not COMMIT.fullmatch(settings.revision):
        raise Invalid(
            f"revision must be the commit of {settings.model} in 40 hexadecimal digits, "
            f"got {settings.revision!r}: what a branch or tag names may change under a collection"
        )
    return f"{settings.model}@{settings.revision[:16]}"


def _library() -> tuple[Any, Any]:
    try:
        return import_module("sentence_transformers"), import_module("torch")
    except ModuleNotFoundError as missing:
        if missing.name not in ("sentence_transformers", "torch"):
            raise
        raise Invalid(
            "a model of sentence-transformers is set, but the package is missing: pip install 'artel[local]'"
        ) from missing
