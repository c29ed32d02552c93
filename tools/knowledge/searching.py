"""Searching a collection: both halves, one order, how sure it is, and what it asks back when it is not."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

import numpy as np

from artel.storage.errors import Invalid
from artel.storage.knowledge import chunks, collections
from artel.storage.knowledge.chunks import Passage
from artel.storage.knowledge.collections import Collection as Shelved
from artel.storage.knowledge.filters import Filters
from artel.storage.knowledge.hits import Hit, Ids
from artel.storage.knowledge.lexical.index import Snapshot
from artel.storage.knowledge.lexical.languages import tell
from artel.storage.knowledge.lexical.terms import asked
from artel.storage.knowledge.library import Library
from artel.storage.knowledge.words import Words
from artel.storage.postgres import Database
from artel.tools.knowledge.ranking import answering, clarifying, confidence
from artel.tools.knowledge.ranking.asking import described, missing
from artel.tools.knowledge.ranking.clarifying import Asking, Facet, Result
from artel.tools.knowledge.ranking.fusion import Collection
from artel.tools.knowledge.ranking.lists import Lists, Numbers, Question
from artel.tools.knowledge.settings import LONGEST_QUERY, MOST_RESULTS, THRESHOLD

DEPTH = 100  # chunks of each half
HEAD = 10  # documents among which a question back chooses
SAMPLE = 40  # chunks that were found, from which it is told whether this is a collection of programs


@dataclass(frozen=True, slots=True)
class Found:
    """A document that was found, by the chunk of it that fits best."""

    id: str
    "As its source names it."
    document_id: UUID
    chunk_id: int
    score: float
    "Orders the results of one search, and says nothing beyond."
    title: str
    text: str
    "Of the chunk: characters `span` of the document's text."
    header: str
    source_id: UUID | None
    url: str | None
    span: tuple[int, int]
    version: int
    "Of the document's text, 1 for the first."
    kind: str
    language: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """What a search says."""

    results: list[Found]
    confidence: float
    "The probability that the first result is right, 0 to 1."
    clarification: list[Asking] | None
    "What it asks back; None: it is sure enough."
    language: str
    revision: int
    "Of the collection that was searched."


@dataclass(frozen=True, slots=True)
class Searching:
    """Everything that a search needs."""

    db: Database
    library: Library[Words]

    async def search(
        self,
        query: str,
        *,
        owner: str,
        collection: str,
        top_k: int = 10,
        filters: Filters | None = None,
        threshold: float = THRESHOLD,
    ) -> Answer:
        """Return the documents that fit a question, best first, what was deleted never among them.

        All that was committed before the call is searched; what waits for its vector is found by its words.

        Raises:
            UnknownCollection: this owner has none of that name.
            Invalid: the question is empty or too long, or `top_k` or `threshold` is out of range.
        """
        query = _checked(query, top_k, threshold)
        async with self.db.connection() as conn:
            named = await collections.named(conn, collection, owner=owner)
        shelf = await self.library.sync(named, embed=False)
        within = None
        if filters and filters != Filters():
            async with self.db.connection() as conn:
                within = await chunks.within(conn, shelf, filters)
        words = self.library.lexical(shelf).snapshot
        question, lexical = await asyncio.to_thread(_by_words, words, query, within)
        lists = Lists(lexical, await self._near(shelf, query, question, within))
        ids = {hit.chunk_id for hit in (*lists.lexical, *lists.vector)}
        async with self.db.connection() as conn:
            passages = await chunks.texts(conn, shelf, sorted(ids))
        embedder = self.library.embedder.name if self.library.embedder else confidence.ANY
        ranked = await asyncio.to_thread(_ranked, lists, question, words, passages, embedder)
        best = [(passages[one.hits[0].chunk_id], one.score) for one in ranked.found]
        unsure = ranked.confidence < threshold
        return Answer(
            results=[_found(*one) for one in best[:top_k]],
            confidence=ranked.confidence,
            clarification=_asks(query, question, best[:HEAD]) if unsure else None,
            language=question.language,
            revision=shelf.revision,
        )

    async def _near(
        self, shelf: Shelved, query: str, question: Question, within: Ids | None
    ) -> Sequence[Hit]:
        """Return what is near, none where the embedder does not know the language."""
        embedder = self.library.embedder
        if embedder is None or question.language not in embedder.languages:
            return []
        vector = (await embedder.embed([query], query=True))[0]
        return await self.library.near(shelf, vector, limit=DEPTH, within=within)


def _checked(query: str, top_k: int, threshold: float) -> str:
    query = query.replace("\0", " ").strip()
    if not query or len(query) > LONGEST_QUERY:
        raise Invalid(f"query has 1 to {LONGEST_QUERY} characters, got {len(query)}")
    if not 1 <= top_k <= MOST_RESULTS:
        raise Invalid(f"top_k is 1 to {MOST_RESULTS}, got {top_k}")
    if not 0 <= threshold <= 1:
        raise Invalid(f"threshold is 0 to 1, got {threshold}")
    return query


def _by_words(words: Snapshot, query: str, within: Ids | None) -> tuple[Question, list[Hit]]:
    told = tell(query)
    weights = asked(query, told.language)
    rarity = words.rarity(list(weights))
    question = described(query, told, weights, rarity, words.size.chunks)
    return question, words.search(weights, limit=DEPTH, within=within)


def _ranked(
    lists: Lists, question: Question, words: Snapshot, passages: Mapping[int, Passage], embedder: str
) -> answering.Answer[UUID]:
    """Return documents, best first; a chunk that is no more is as if it had not been found."""
    said = list(question.rarity)

    def held(ids: Ids) -> Numbers:
        return words.shares(ids, said).astype(np.float64)

    def texts(ids: Ids) -> list[str]:
        return [f"{one.header}\n{one.text}" for one in (passages[chunk_id] for chunk_id in ids.tolist())]

    documents = {chunk_id: one.document_id for chunk_id, one in passages.items()}
    sample = list(passages.values())[:SAMPLE]
    code = sum(tell(one.text).kind == "code" for one in sample) / len(sample) if sample else 0.0
    return answering.answer(lists, question, Collection(code), documents, held, texts, embedder=embedder)


def _asks(query: str, question: Question, best: Sequence[tuple[Passage, float]]) -> list[Asking]:
    results = [Result(score, one.title or one.external_id, _facets(one)) for one, score in best]
    words = missing(query, question)
    vague = question.known < 0.5
    return clarifying.clarify(query, results, words, language=question.language, vague=vague)


def _facets(passage: Passage) -> dict[Facet, str]:
    said = passage.metadata
    found: dict[Facet, str] = {
        "source": (urlsplit(passage.url).hostname or "") if passage.url else str(said.get("source", "")),
        "product": str(said.get("product", "")),
        "version": str(said.get("version", "")),
        "kind": passage.kind,
        "role": passage.roles[0] if len(passage.roles) == 1 else "",
        "section": passage.header.rsplit(" > ", 1)[-1] if passage.header else "",
    }
    return {facet: value for facet, value in found.items() if value}


def _found(passage: Passage, score: float) -> Found:
    return Found(
        id=passage.external_id,
        document_id=passage.document_id,
        chunk_id=passage.chunk_id,
        score=score,
        title=passage.title,
        text=passage.text,
        header=passage.header,
        source_id=passage.source_id,
        url=passage.url,
        span=(passage.start, passage.end),
        version=passage.version,
        kind=passage.kind,
        language=passage.language,
    )
