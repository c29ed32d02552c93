"""A set as the product would hold it: both indexes, and what they find for each question."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np

from artel.storage.knowledge.hits import Embedder, Hit, Ids, Vectors
from artel.storage.knowledge.lexical.index import LexicalIndex, Snapshot
from artel.storage.knowledge.lexical.languages import tell
from artel.storage.knowledge.lexical.terms import asked, indexed
from artel.tools.knowledge.ranking.asking import described
from artel.tools.knowledge.ranking.fusion import Collection
from artel.tools.knowledge.ranking.lists import Lists, Numbers
from artel.tools.knowledge.ranking.lists import Question as Seen
from evals.retrieval.chunking import SIZE, paragraphs
from evals.retrieval.sets import LabelledSet, Question
from evals.retrieval.vectors import cached

DEPTH = 200  # chunks a list: 100 found up to 0.4 points less of recall@100
LONG = 4 * SIZE  # characters: a set whose documents are longer in the mean is cut into chunks
SAMPLE = 200  # chunks from which the share of program text is told


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and what was found for it; ids of chunks."""

    question: Question
    seen: Seen
    terms: Sequence[str]
    lists: Lists
    alone: Sequence[Hit]
    "What the vectors find whether they have a vote or not: to be compared with."


@dataclass(frozen=True, slots=True)
class Cut:
    """A set in chunks with a vector each: what every index of it, or of a part of it, is made from."""

    labelled: LabelledSet
    texts: Sequence[str]
    owners: Sequence[str]
    "Document of each chunk."
    words: Sequence[Sequence[str]]
    "Terms of each chunk."
    vectors: Vectors
    questions: Vectors
    languages: frozenset[str]
    "What the embedder understands."


class Indexed:
    """Both indexes of those documents of a set that `kept` names, or of all."""

    def __init__(self, cut: Cut, kept: frozenset[str] | None = None) -> None:
        places = [place for place, owner in enumerate(cut.owners) if kept is None or owner in kept]
        self.cut = cut
        self.documents: Mapping[int, str] = {place: cut.owners[place] for place in places}
        self.collection = Collection(code=_code_share([cut.texts[place] for place in places]))
        self._ids: Ids = np.array(places, np.int64)
        self._vectors = cut.vectors[self._ids]
        self._own: dict[str, list[int]] = {}
        for place in places:
            self._own.setdefault(cut.owners[place], []).append(place)
        index = LexicalIndex()
        index.add([(place, cut.words[place]) for place in places])
        self.snapshot: Snapshot = index.snapshot

    def ask(self, question: Question, vector: Vectors, *, depth: int = DEPTH) -> Asked:
        """Return what both halves find; what the question excludes is as if it were not there."""
        told = tell(question.text)
        weights = asked(question.text, told.language)
        away = {place for one in question.exclude for place in self._own.get(one, ())}
        lexical = self.snapshot.search(weights, limit=depth + len(away))
        alone = _without(self._near(vector, depth + len(away)), away, depth)
        near = alone if told.language in self.cut.languages else []
        rarity = self.snapshot.rarity(list(weights))
        seen = described(question.text, told, weights, rarity, self.snapshot.size.chunks)
        return Asked(question, seen, list(seen.rarity), Lists(_without(lexical, away, depth), near), alone)

    def ask_all(self, kept: frozenset[str] | None = None) -> list[Asked]:
        """Ask all questions of the set, or those that `kept` names."""
        return [
            self.ask(question, vector)
            for question, vector in zip(self.cut.labelled.questions, self.cut.questions, strict=True)
            if kept is None or question.id in kept
        ]

    def held(self, one: Asked, chunk_ids: Ids) -> Numbers:
        """Return what each term of a question adds to the lexical score of each chunk."""
        return self.snapshot.shares(chunk_ids, one.terms).astype(np.float64)

    def texts(self, chunk_ids: Ids) -> list[str]:
        """Return the texts of chunks."""
        return [self.cut.texts[one] for one in chunk_ids.tolist()]

    def _near(self, vector: Vectors, limit: int) -> list[Hit]:
        scores = self._vectors @ vector
        first = np.argsort(-scores, kind="stable")[:limit]
        return [Hit(*pair) for pair in zip(self._ids[first].tolist(), scores[first].tolist(), strict=True)]


async def cut(labelled: LabelledSet, embedder: Embedder, cache: Path | None = None) -> Cut:
    """Return a set in chunks: documents whole, or by paragraphs where they are longer than a model reads."""
    long = fmean(len(one.text) for one in labelled.documents) > LONG
    rows = [
        (one.id, one.title, piece)
        for one in labelled.documents
        for piece in (paragraphs(one.text) if long else [one.text])
    ]
    owners, titles, bodies = zip(*rows, strict=True)
    texts = [
        f"{title}\n{body}" if title or long else body for title, body in zip(titles, bodies, strict=True)
    ]
    return Cut(
        labelled,
        texts,
        owners,
        [indexed(text, tell(text).language, title=title) for title, text in zip(titles, bodies, strict=True)],
        await cached(cache, embedder, texts),
        await cached(cache, embedder, [one.text for one in labelled.questions], query=True),
        embedder.languages,
    )


def _code_share(texts: Sequence[str]) -> float:
    sample = texts[:: max(1, len(texts) // SAMPLE)]
    return fmean(tell(text).kind == "code" for text in sample) if sample else 0.0


def _without(hits: Iterable[Hit], away: set[int], depth: int) -> list[Hit]:
    return [hit for hit in hits if hit.chunk_id not in away][:depth]
