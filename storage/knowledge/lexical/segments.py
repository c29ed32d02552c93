"""Segments: which chunk holds which term, in arrays that nobody changes.

A term is known by 64 bits of its hash, so that no vocabulary is shared, segments merge freely, and nothing
stays of what was removed. Of a million terms two share a hash with a chance of 3 in 100 million.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from artel.storage.knowledge.hits import Ids

Hashes = NDArray[np.uint64]
MOST_COUNTED = 65_535  # times a term counts in one chunk


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """The postings of n chunks and t terms: p pairs of a term and a chunk."""

    chunk_ids: Ids
    """(n,), sorted; a chunk's place is its number within the segment."""
    lengths: NDArray[np.int32]
    """(n,), terms of a chunk."""
    alive: NDArray[np.bool_]
    """(n,), which chunks were not removed."""
    hashes: Hashes
    """(t,), sorted."""
    starts: NDArray[np.int64]
    """(t + 1,), where the postings of a term begin."""
    places: NDArray[np.int32]
    """(p,), the chunks of each term, sorted."""
    counts: NDArray[np.uint16]
    """(p,), how often the term is in the chunk."""
    size: int
    """Chunks that are alive."""
    total_length: int
    """Terms of all chunks that are alive."""

    @property
    def nbytes(self) -> int:
        """Memory of the arrays."""
        return sum(
            one.nbytes
            for one in (
                self.chunk_ids,
                self.lengths,
                self.alive,
                self.hashes,
                self.starts,
                self.places,
                self.counts,
            )
        )

    def where(self, chunk_ids: Ids) -> NDArray[np.int64]:
        """Return the places of those of these chunks, sorted and each once, that are here and alive."""
        few, many = sorted((self.chunk_ids, chunk_ids), key=len)
        at = np.searchsorted(many, few)
        at[at == len(many)] = 0
        both = many[at] == few if len(many) else np.zeros(0, np.bool_)
        places = at[both] if many is self.chunk_ids else np.flatnonzero(both)
        return places[self.alive[places]]

    def postings(self, hashes: Hashes) -> list[tuple[NDArray[np.int32], NDArray[np.uint16]]]:
        """Return the chunks' places and the counts of each term, also of chunks that were removed."""
        if not len(self.hashes):
            return [(self.places, self.counts)] * len(hashes)
        at = np.minimum(np.searchsorted(self.hashes, hashes), len(self.hashes) - 1)
        begins = self.starts[at]
        ends = np.where(self.hashes[at] == hashes, self.starts[at + 1], begins)
        return [
            (self.places[begin:end], self.counts[begin:end])
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True)
        ]

    def without(self, chunk_ids: Ids) -> "Segment":
        """Return the segment with some chunks removed; the same one when none of them is here."""
        places = self.where(chunk_ids)
        if not len(places):
            return self
        alive = self.alive.copy()
        alive[places] = False
        lost = int(self.lengths[places].sum(dtype=np.int64))
        return replace(self, alive=alive, size=self.size - len(places), total_length=self.total_length - lost)


def hashed(terms: Iterable[str]) -> Hashes:
    """Return the hash of each term: the same in every process and on every machine."""
    found = b"".join(blake2b(term.encode(errors="surrogatepass"), digest_size=8).digest() for term in terms)
    return np.frombuffer(found, dtype="<u8").astype(np.uint64, copy=False)


class _Numbers(dict[str, int]):
    def __missing__(self, term: str) -> int:
        self[term] = number = len(self)
        return number


def build(chunks: Sequence[tuple[int, Sequence[str]]]) -> Segment:
    """Return a segment of chunks and their terms; of one chunk that comes twice the last stands."""
    of_chunk = dict(sorted(dict(chunks).items()))
    lengths = np.fromiter(map(len, of_chunk.values()), np.int32, len(of_chunk))
    numbers = _Numbers()
    every = chain.from_iterable(of_chunk.values())
    numbered = np.fromiter(map(numbers.__getitem__, every), np.int64, int(lengths.sum(dtype=np.int64)))
    hashes = hashed(numbers)
    order = np.argsort(hashes)
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    pairs = ranks[numbered] << 32
    pairs |= np.repeat(np.arange(len(lengths)), lengths)
    pairs.sort()
    firsts = np.flatnonzero(np.diff(pairs, prepend=-1))
    counts = np.diff(firsts, append=len(pairs))
    pairs = pairs[firsts]
    return _sealed(
        np.fromiter(of_chunk, np.int64, len(of_chunk)),
        lengths,
        hashes[order],
        pairs >> 32,
        (pairs & 0xFFFFFFFF).astype(np.int32),
        np.minimum(counts, MOST_COUNTED).astype(np.uint16),
    )


def merge(segments: Sequence[Segment]) -> Segment:
    """Return one segment of all chunks of these that are alive; no chunk is alive in two of them."""
    chunk_ids = np.concatenate([one.chunk_ids[one.alive] for one in segments])
    lengths = np.concatenate([one.lengths[one.alive] for one in segments])
    order = np.argsort(chunk_ids)
    new_places = np.empty(len(order), np.int64)
    new_places[order] = np.arange(len(order))
    hashes = np.sort(np.concatenate([one.hashes for one in segments]))
    hashes = hashes[np.diff(hashes, prepend=~hashes[:1]) != 0]
    pairs, counts = [], []
    first = 0
    for one in segments:
        place = np.cumsum(one.alive) - 1 + first
        kept = one.alive[one.places]
        rank = np.repeat(np.searchsorted(hashes, one.hashes), np.diff(one.starts))
        pairs.append((rank[kept] << 32) | new_places[place[one.places[kept]]])
        counts.append(one.counts[kept])
        first += one.size
    every = np.concatenate(pairs)
    sequence = np.argsort(every, kind="stable")
    every = every[sequence]
    ranks = every >> 32
    used = np.zeros(len(hashes), np.bool_)
    used[ranks] = True
    return _sealed(
        chunk_ids[order],
        lengths[order],
        hashes[used],
        (np.cumsum(used) - 1)[ranks],
        (every & 0xFFFFFFFF).astype(np.int32),
        np.concatenate(counts)[sequence],
    )


def _sealed(
    chunk_ids: Ids,
    lengths: NDArray[np.int32],
    hashes: Hashes,
    ranks: NDArray[np.int64],
    places: NDArray[np.int32],
    counts: NDArray[np.uint16],
) -> Segment:
    starts = np.searchsorted(ranks, np.arange(len(hashes) + 1))
    alive = np.ones(len(chunk_ids), np.bool_)
    total = int(lengths.sum(dtype=np.int64))
    return Segment(chunk_ids, lengths, alive, hashes, starts, places, counts, len(chunk_ids), total)
