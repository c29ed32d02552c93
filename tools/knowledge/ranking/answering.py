"""From two lists to an answer: the one path that search, its evaluation and every refit go."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic

import numpy as np

from artel.storage.knowledge.hits import Ids
from artel.tools.knowledge.ranking import confidence, fusion
from artel.tools.knowledge.ranking.confidence import Confidence, Evidence, agreement, heads_overlap
from artel.tools.knowledge.ranking.fusion import Collection, Weights
from artel.tools.knowledge.ranking.grouping import Bonus, Grouped, Key, group
from artel.tools.knowledge.ranking.lists import Lists, Numbers, Question
from artel.tools.knowledge.ranking.memory import remember
from artel.tools.knowledge.ranking.nearness import together

LOOKED_AT = 5  # results whose terms are compared

Held = Callable[[Ids], Numbers]
"""How much each term of the question adds to each chunk's lexical score: (chunks, terms), in the order of its
rarity map. `Snapshot.shares` is one."""
Texts = Callable[[Ids], Sequence[str]]
"""The texts of chunks, in order."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[Key]):
    """Documents, best first, and how sure the first is right."""

    found: Sequence[Grouped[Key]]
    confidence: float
    described: Numbers
    "What the confidence was drawn from: kept with a mark, it is what a refit learns from."


@dataclass(frozen=True, slots=True)
class Fitted:
    """What was learned: the package's own, or a collection's."""

    weights: Weights | None = None
    bonus: Bonus | None = None
    confidence: Confidence | None = None
    confidence_without: Confidence | None = None
    "For questions in a language that the embedder does not know."


def answer(
    lists: Lists,
    question: Question,
    collection: Collection,
    documents: Mapping[int, Key],
    held: Held,
    texts: Texts,
    *,
    fitted: Fitted | None = None,
    embedder: str = confidence.ANY,
    moved: Mapping[Key, float] | None = None,
) -> Answer[Key]:
    """Return the documents of both lists in their order, with the confidence in the first.

    `documents` names the document of each chunk; `embedder` its name, `moved` what memory adds
    (`memory.remembered`).
    """
    fitted = fitted or Fitted()
    found = group(fusion.fuse(lists, question, collection, fitted.weights), documents, fitted.bonus)
    if moved:
        found = remember(found, moved)
    described = confidence.describe(evidence(lists, question, found, held, texts))
    model = fitted.confidence if lists.vector else fitted.confidence_without
    model = model or confidence.shipped(embedder, votes=bool(lists.vector), code=collection.code)
    return Answer(found, model.of(described) if found else 0.0, described)


def evidence(
    lists: Lists,
    question: Question,
    found: Sequence[Grouped[Key]],
    held: Held,
    texts: Texts,
) -> Evidence:
    """Return what an order of documents rests on."""
    chunks = [one.hits[0].chunk_id for one in found]
    looked_at = np.array(chunks[:LOOKED_AT], np.int64)
    by_words = {hit.chunk_id: hit.score for hit in lists.lexical}
    by_vector = {hit.chunk_id: hit.score for hit in lists.vector}
    return Evidence(
        question,
        np.array([one.score for one in found]),
        np.array([by_words.get(one, 0.0) for one in chunks]),
        np.array([by_vector.get(one, 0.0) for one in chunks]),
        held(looked_at),
        np.array([together(text, question.rarity, question.language) for text in texts(looked_at)]),
        agreement(lists, chunks[0]) if chunks else 0.0,
        heads_overlap(lists),
    )
