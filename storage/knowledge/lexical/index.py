"""The lexical index of a collection: BM25 over segments, for one writer and many readers.

    score = Σ weight · ln(1 + (N - n + ½) / (n + ½)) · tf / (tf + k1 · (1 - b + b · length / average))

N, n and the average are those of all chunks that stand in the index, whatever a search is kept to.
Source: Robertson and Zaragoza, The Probabilistic Relevance Framework, 2009; the variant that Lucene counts.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import log
from threading import Lock, Thread, current_thread

import numpy as np
from numpy.typing import NDArray

from artel.storage.knowledge.hits import Hit, Ids
from artel.storage.knowledge.lexical.segments import Hashes, Segment, build, hashed, merge

K1 = 1.2
B = 0.75
FAN = 8  # segments of about one size that become one
FEW = 1_000  # chunks: segments of fewer are of one size
SMALL = 2 * FEW  # chunks that are merged at once: some milliseconds; more are merged beside the work

Terms = Sequence[str] | Mapping[str, float]
"""What a question says; each time that a term comes counts as one, or as much as its weight."""
Scores = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Size:
    """How much an index holds."""

    chunks: int
    terms: int
    """Of all chunks together."""
    segments: int
    nbytes: int


@dataclass(frozen=True)
class Snapshot:
    """What an index held at one moment; searches in it find the same for ever."""

    segments: tuple[Segment, ...]
    k1: float = K1
    b: float = B

    @cached_property
    def size(self) -> Size:
        """Return how much is there."""
        return Size(
            sum(one.size for one in self.segments),
            sum(one.total_length for one in self.segments),
            len(self.segments),
            sum(one.nbytes for one in self.segments),
        )

    def ids(self) -> Ids:
        """Return the ids of all chunks, sorted."""
        return np.sort(np.concatenate([one.chunk_ids[one.alive] for one in self.segments] or [_NONE]))

    def search(self, terms: Terms, *, limit: int, within: Ids | None = None) -> list[Hit]:
        """Return the `limit` chunks of the highest score, best first, among `within` (sorted ids) if given.

        A chunk without any of the terms is no hit. Chunks of one score come by their ids.
        """
        weights = _weights(terms)
        hashes = hashed(weights)
        asked = np.fromiter(weights.values(), np.float32, len(weights)) * self._rarity(hashes)
        found, scores = [_NONE], [np.empty(0, np.float32)]
        for segment, bends in zip(self.segments, self._bends, strict=True):
            score = _score(segment, bends, hashes, asked)
            if within is None:
                score[~segment.alive] = 0
            else:
                kept = segment.where(within)
                chosen = np.zeros_like(score)
                chosen[kept] = score[kept]
                score = chosen
            places = _best(score, limit)
            found.append(segment.chunk_ids[places])
            scores.append(score[places])
        chunk_ids, score = np.concatenate(found), np.concatenate(scores)
        order = np.lexsort((chunk_ids, -score))[:limit]
        return [
            Hit(chunk_id, value)
            for chunk_id, value in zip(chunk_ids[order].tolist(), score[order].tolist(), strict=True)
        ]

    def shares(self, chunk_ids: Ids, terms: Sequence[str]) -> Scores:
        """Return what each term adds to the score of each chunk, (chunks, terms): 0 where it is not in it.

        A chunk that is not in the index has zeros.
        """
        hashes = hashed(terms)
        asked = self._rarity(hashes)
        order = np.argsort(chunk_ids)
        ids = chunk_ids[order]
        shares = np.zeros((len(chunk_ids), len(hashes)), np.float32)
        for segment, bends in zip(self.segments, self._bends, strict=True):
            places = segment.where(ids)
            rows = order[np.searchsorted(ids, segment.chunk_ids[places])]
            for column, (holding, counts) in enumerate(segment.postings(hashes)):
                at = np.searchsorted(holding, places)
                at[at == len(holding)] = 0
                hit = holding[at] == places if len(holding) else np.zeros(len(places), np.bool_)
                times = counts[at[hit]].astype(np.float32)
                shares[rows[hit], column] = asked[column] * (times / (times + bends[places[hit]]))
        return shares

    def explain(self, chunk_id: int, terms: Sequence[str]) -> dict[str, float]:
        """Return what each term that the chunk holds adds to its score."""
        shares = self.shares(np.array([chunk_id]), terms)[0].tolist()
        return {term: share for term, share in zip(terms, shares, strict=True) if share}

    def rarity(self, terms: Sequence[str]) -> dict[str, float]:
        """Return the weight that each term has by how few chunks hold it; one that none holds weighs most."""
        return dict(zip(terms, self._rarity(hashed(terms)).tolist(), strict=True))

    def _rarity(self, hashes: Hashes) -> Scores:
        holding = np.zeros(len(hashes), np.int64)
        for segment in self.segments:
            whole = segment.size == len(segment.chunk_ids)
            for column, (places, _) in enumerate(segment.postings(hashes)):
                holding[column] += len(places) if whole else np.count_nonzero(segment.alive[places])
        return np.log1p((self.size.chunks - holding + 0.5) / (holding + 0.5)).astype(np.float32)

    @cached_property
    def _bends(self) -> list[Scores]:
        """k1 · (1 - b + b · length / average) of each chunk: where its scores begin to level off."""
        average = self.size.terms / max(self.size.chunks, 1) or 1
        return [
            (self.k1 * (1 - self.b + self.b * (one.lengths / average))).astype(np.float32)
            for one in self.segments
        ]


_NONE: Ids = np.empty(0, np.int64)


class LexicalIndex:
    """A collection's chunks by their words, in memory.

    Writers wait for each other; readers for nobody: a search takes the snapshot that stands when it begins,
    and finds all that was added before.
    """

    def __init__(self, segments: Sequence[Segment] = (), *, k1: float = K1, b: float = B) -> None:
        self.snapshot = Snapshot(tuple(segments), k1, b)
        self._writing = Lock()
        self._merging: Thread | None = None

    def add(self, chunks: Sequence[tuple[int, Sequence[str]]]) -> None:
        """Put chunks in by the terms of their texts, in place of what the same ids had."""
        if not chunks:
            return
        fresh = build(chunks)
        with self._writing:
            older = tuple(one.without(fresh.chunk_ids) for one in self.snapshot.segments)
            self._stand((*older, fresh))

    def remove(self, chunk_ids: Ids) -> None:
        """Take chunks out; one that is not there is no error."""
        with self._writing:
            self._stand(tuple(one.without(chunk_ids) for one in self.snapshot.segments))

    def search(self, terms: Terms, *, limit: int, within: Ids | None = None) -> list[Hit]:
        """Return what `Snapshot.search` finds in what stands now."""
        return self.snapshot.search(terms, limit=limit, within=within)

    def explain(self, chunk_id: int, terms: Sequence[str]) -> dict[str, float]:
        """Return what each term that the chunk holds adds to its score."""
        return self.snapshot.explain(chunk_id, terms)

    def ids(self) -> Ids:
        """Return the ids of all chunks, sorted: for whoever compares them with the truth."""
        return self.snapshot.ids()

    @property
    def size(self) -> Size:
        """How much the index holds."""
        return self.snapshot.size

    def merge(self) -> None:
        """Make one segment of all, without what was removed; readers go on meanwhile."""
        self.settle()
        with self._writing:
            if len(self.snapshot.segments) > 1 or any(
                one.size < len(one.chunk_ids) for one in self.snapshot.segments
            ):
                self._show((merge(self.snapshot.segments),))

    def settle(self) -> None:
        """Wait until no segments are being merged beside the work."""
        while (running := self._merging) is not None:
            running.join()

    def _show(self, segments: tuple[Segment, ...]) -> None:
        self.snapshot = Snapshot(
            tuple(one for one in segments if one.size), self.snapshot.k1, self.snapshot.b
        )

    def _stand(self, segments: tuple[Segment, ...]) -> None:
        """Show what was written, then see whether segments are to be merged."""
        self._show(segments)
        while self._merging is None and (crowd := crowded(self.snapshot.segments)):
            if sum(one.size for one in crowd) > SMALL:
                beside = Thread(target=self._merge_beside, args=(crowd,), name="lexical merge")
                beside.start()
                self._merging = beside
            else:
                self._show((*_besides(self.snapshot.segments, crowd), merge(crowd)))

    def _merge_beside(self, crowd: Sequence[Segment]) -> None:
        try:
            merged = merge(crowd)
            with self._writing:
                others = _besides(self.snapshot.segments, crowd)
                standing = [one for one in self.snapshot.segments if one not in others]
                gone = np.setdiff1d(merged.chunk_ids, Snapshot(tuple(standing)).ids())
                self._merging = None
                self._stand((*others, merged.without(gone)))
        finally:
            with self._writing:
                if self._merging is current_thread():  # it failed: the next change tries again
                    self._merging = None


def crowded(segments: Sequence[Segment]) -> list[Segment]:
    """Return segments that are to become one: FAN of about one size, or one that is mostly removed."""
    tiers: dict[int, list[Segment]] = {}
    for one in segments:
        if one.size * 2 < len(one.chunk_ids):
            return [one]
        tiers.setdefault(int(log(max(one.size / FEW, 1), FAN)), []).append(one)
    return next((crowd for crowd in tiers.values() if len(crowd) >= FAN), [])


def _besides(segments: Sequence[Segment], crowd: Sequence[Segment]) -> list[Segment]:
    """Those that are not of the crowd, nor one of it from which chunks were removed since."""
    of_crowd = {id(one.chunk_ids) for one in crowd}
    return [one for one in segments if id(one.chunk_ids) not in of_crowd]


def _weights(terms: Terms) -> Mapping[str, float]:
    return terms if isinstance(terms, Mapping) else Counter(terms)


def _score(segment: Segment, bends: Scores, hashes: Hashes, asked: Scores) -> Scores:
    score = np.zeros(len(segment.chunk_ids), np.float32)
    for (places, counts), weight in zip(segment.postings(hashes), asked, strict=True):
        times = counts.astype(np.float32)
        score[places] += weight * (times / (times + bends[places]))
    return score


def _best(score: Scores, limit: int) -> NDArray[np.int64]:
    """The places of all scores that are as high as the last within the limit."""
    places = np.flatnonzero(score > 0)
    if len(places) <= limit:
        return places
    found = score[places]
    last = np.partition(found, len(found) - limit)[len(found) - limit]
    return np.flatnonzero(score >= last)
