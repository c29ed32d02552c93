"""A snapshot of an index in a file, so that a server that starts need not read every chunk again."""

import json
import logging
import os
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from artel.storage.knowledge.lexical.index import Snapshot
from artel.storage.knowledge.lexical.segments import Segment
from artel.storage.knowledge.lexical.terms import RULES

log = logging.getLogger(__name__)

FORMAT = 1
ARRAYS = ("chunk_ids", "lengths", "alive", "hashes", "starts", "places", "counts")
_DIGEST = 32  # bytes at the beginning, of all that follows
_BLOCK = 1 << 20


def save(snapshot: Snapshot, path: Path, *, stamp: str) -> None:
    """Write a snapshot, whole or not at all; `stamp` says which state of the truth it was made from.

    Raises:
        OSError: the folder cannot be written, or is full; what was there stands.
    """
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    head = {"format": FORMAT, "rules": RULES, "stamp": stamp, "segments": len(snapshot.segments)}
    try:
        with fresh.open("w+b") as file:
            file.write(bytes(_DIGEST))
            file.write(json.dumps(head).encode() + b"\n")
            for segment in snapshot.segments:
                for name in ARRAYS:
                    np.save(file, getattr(segment, name), allow_pickle=False)
            file.flush()
            digest = _digest(file)
            file.seek(0)
            file.write(digest)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


def load(path: Path, *, stamp: str) -> list[Segment] | None:
    """Return the segments of a snapshot of just this state of the truth, or nothing: make the index anew.

    A file that is broken, of another format or of terms by other rules is removed.
    """
    try:
        with path.open("rb") as file:
            head, segments = _read(file)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, EOFError, KeyError) as broken:
        log.warning("the index in %s is made anew: %s", path.name, broken)
        path.unlink(missing_ok=True)
        return None
    return segments if head["stamp"] == stamp else None


def _read(file: BinaryIO) -> tuple[dict[str, Any], list[Segment]]:
    if file.read(_DIGEST) != _digest(file):
        raise ValueError("its checksum is wrong")
    file.seek(_DIGEST)
    head = json.loads(file.readline())
    if (head["format"], head["rules"]) != (FORMAT, RULES):
        raise ValueError(f"format {head['format']}, rules {head['rules']}: now {FORMAT}, {RULES}")
    return head, [_segment(file) for _ in range(head["segments"])]


def _segment(file: BinaryIO) -> Segment:
    arrays = {name: np.load(file, allow_pickle=False) for name in ARRAYS}
    alive = arrays["alive"]
    total = int(arrays["lengths"][alive].sum(dtype=np.int64))
    return Segment(**arrays, size=int(alive.sum()), total_length=total)


def _digest(file: BinaryIO) -> bytes:
    file.seek(_DIGEST)
    digest = blake2b(digest_size=_DIGEST)
    while block := file.read(_BLOCK):
        digest.update(block)
    return digest.digest()
