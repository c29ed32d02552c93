"""Vectors of texts, computed once: they take minutes, and what follows from them is looked at many times."""

import asyncio
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np

from artel.storage.knowledge.hits import Embedder, Vectors

BLOCK = 512  # texts a file: what is lost when a run is stopped


async def cached(
    folder: Path | None, embedder: Embedder, texts: Sequence[str], *, query: bool = False
) -> Vectors:
    """Return a row for each text, in order; what `folder` has from before is read, the rest is written there.

    A block is known by its texts and the embedder's name, so that another model or another text is never met.
    Without a folder nothing is kept.
    """
    blocks = [texts[first : first + BLOCK] for first in range(0, len(texts), BLOCK)]
    made = [await _block(folder, embedder, block, query=query) for block in blocks]
    return np.concatenate(made) if made else np.empty((0, embedder.dimension), np.float32)


async def _block(folder: Path | None, embedder: Embedder, texts: Sequence[str], *, query: bool) -> Vectors:
    if folder is None:
        return await embedder.embed(texts, query=query)
    key = sha256("\0".join([embedder.name, str(query), *texts]).encode("utf-8", "surrogatepass")).hexdigest()
    file = folder / f"{key[:32]}.npy"
    kept = await asyncio.to_thread(_read, file)
    if kept is not None:
        return kept
    made = await embedder.embed(texts, query=query)
    await asyncio.to_thread(_write, file, made)
    return made


def _read(file: Path) -> Vectors | None:
    return np.load(file) if file.is_file() else None


def _write(file: Path, made: Vectors) -> None:
    """Write beside and rename, so that a run that is stopped leaves no half of a file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    beside = file.with_suffix(".part.npy")
    np.save(beside, made)
    beside.replace(file)
