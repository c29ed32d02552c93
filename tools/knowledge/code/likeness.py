"""Find texts that say nearly the same, without comparing each with each."""

import re
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

ALIKE = 0.8  # of the shingles of both
SHINGLE = 5  # words
PERMUTATIONS, BANDS = 128, 32  # bands of 4: two texts 0.8 alike share one with probability 1 - 1e-7
LEAST = 20  # shingles; two licence lines or empty `__init__` files are alike by nature
MOST = 50_000  # shingles of a text; of a longer one its beginning speaks
CROWD = 200  # texts of one band that are compared with each other
WORD = re.compile(r"\w+|[^\w\s]")
SLICE = 4_096

Signature = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Pair:
    """Two texts that are nearly the same."""

    one: str
    other: str
    likeness: float
    """Estimated Jaccard similarity of their shingles, 0 to 1, give or take 0.04."""


def near_duplicates(texts: Mapping[str, str], *, least: float = ALIKE) -> list[Pair]:
    """Return pairs of texts that are at least so alike, most alike first; short ones are left out.

    Source: Broder, On the resemblance and containment of documents, 1997.
    """
    signatures = {name: made for name, text in texts.items() if (made := signature(text)) is not None}
    return near(signatures, least=least)


def signature(text: str) -> Signature | None:
    """Return the MinHash of a text, shape (128,): to be kept by its hash; None if it has too few words."""
    words = np.fromiter((zlib.crc32(word.encode("utf-8", "replace")) for word in _words(text)), np.uint64)
    if len(words) < LEAST + SHINGLE - 1:
        return None
    shingles = np.zeros(len(words) - SHINGLE + 1, np.uint64)
    for at in range(SHINGLE):
        shingles = shingles * np.uint64(0x9E3779B97F4A7C15) + words[at : at + len(shingles)]
    shingles = np.unique(shingles ^ (shingles >> np.uint64(29)))
    factors, terms = _permutations()
    least = np.full(PERMUTATIONS, np.iinfo(np.uint32).max, np.uint32)
    for at in range(0, len(shingles), SLICE):
        mixed = shingles[at : at + SLICE, None] * factors + terms
        least = np.minimum(least, (mixed >> np.uint64(32)).astype(np.uint32).min(axis=0))
    return least


def near(signatures: Mapping[str, Signature], *, least: float = ALIKE) -> list[Pair]:
    """Return the pairs among signatures that were made before."""
    buckets = defaultdict[tuple[int, bytes], list[str]](list)
    for name in sorted(signatures):
        for band, part in enumerate(signatures[name].reshape(BANDS, -1)):
            buckets[band, part.tobytes()].append(name)
    found = dict[tuple[str, str], float]()
    for names in buckets.values():
        crowd = names[:CROWD]
        for at, one in enumerate(crowd):
            for other in crowd[at + 1 :]:
                if (one, other) not in found:
                    found[one, other] = float(np.mean(signatures[one] == signatures[other]))
    pairs = [Pair(one, other, alike) for (one, other), alike in found.items() if alike >= least]
    return sorted(pairs, key=lambda pair: (-pair.likeness, pair.one, pair.other))


def _words(text: str) -> Iterator[str]:
    for count, found in enumerate(WORD.finditer(text)):
        if count >= MOST:
            return
        yield found[0]


def _permutations() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    drawn = b"".join(blake2b(at.to_bytes(4, "big"), digest_size=16).digest() for at in range(PERMUTATIONS))
    numbers = np.frombuffer(drawn, np.uint64).reshape(PERMUTATIONS, 2)
    return numbers[:, 0] | np.uint64(1), numbers[:, 1]
