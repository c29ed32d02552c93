"""One list of two: how much the vectors have to say, question by question.

A fused score is `(1 - share) * lexical + share * vector` of the normalised scores. The share is no constant:
it is a small logistic function of the question and of both lists (`FEATURES`), learned once over collections
of many kinds and shipped; a collection with labels of its own moves it by an offset per language and kind of
question.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from artel.storage.knowledge.hits import Hit
from artel.tools.knowledge.ranking.lists import Beside, Lists, Normal, Numbers, Question, beside, scores

HEAD = 10  # ranks whose agreement and shape are looked at
FEATURES = (
    "words",  # logarithm of 1 + terms of the question
    "identifiers",  # share of its words that are names of a program
    "code",  # share of the collection that is program text
    "known",  # share of the terms' rarity that the collection holds at all
    "reached",  # best lexical score over the most that the question could score
    "lexical gap",  # how far the best lexical hit is before the second, of its score
    "lexical peak",  # ... before the mean of the next nine
    "vector gap",  # how far the nearest vector is before the second, in deviations of its list
    "vector peak",  # ... before the mean of the next nine
    "heads overlap",  # share of the first ten that both lists have
    "overlap",  # share of the shorter list that the longer has too
    "lexical first among vectors",  # 1 / rank there, 0 if absent
    "vector first among lexical",
)


@dataclass(frozen=True, slots=True)
class Collection:
    """What is known of a collection before anything is searched."""

    code: float = 0.0
    "Share of its chunks that are program text, 0 to 1."


@dataclass(frozen=True, slots=True)
class Weights:
    """How the share of the vectors follows from a question and its lists."""

    bias: float
    slopes: Numbers
    "One per feature, in units of its deviation; shape (len(FEATURES),)."
    means: Numbers
    deviations: Numbers
    sharpness: float = 8.0
    "How strongly a higher score means a likelier hit; the learning assumes it, the order does not change."
    normal: Normal = "min-max"
    offsets: Mapping[str, float] = field(default_factory=dict)
    "Of a collection's own labels, by `language/kind`."

    def share(self, described: Numbers, question: Question) -> float:
        """Return the share of the vectors, 0 to 1."""
        steep = self.bias + float((described - self.means) / self.deviations @ self.slopes)
        steep += self.offsets.get(key(question), 0.0)
        return float(1 / (1 + np.exp(-np.clip(steep, -30, 30))))

    def as_json(self) -> dict[str, Any]:
        """Return plain numbers, to be kept."""
        named = {
            name: [float(slope), float(mean), float(deviation)]
            for name, slope, mean, deviation in zip(
                FEATURES, self.slopes, self.means, self.deviations, strict=True
            )
        }
        return {
            "bias": self.bias,
            "sharpness": self.sharpness,
            "normal": self.normal,
            "features": named,
            "offsets": dict(self.offsets),
        }


def key(question: Question) -> str:
    """Return what a collection's own weights are kept by."""
    return f"{question.language}/{question.kind}"


def read(said: Mapping[str, Any]) -> Weights:
    """Return weights from what `as_json` gave.

    Raises:
        KeyError: they were learned with other features.
    """
    rows = np.array([said["features"][name] for name in FEATURES], np.float64)
    return Weights(
        float(said["bias"]),
        slopes=rows[:, 0],
        means=rows[:, 1],
        deviations=rows[:, 2],
        sharpness=float(said["sharpness"]),
        normal=said["normal"],
        offsets={name: float(offset) for name, offset in said["offsets"].items()},
    )


@cache
def shipped() -> Weights:
    """Return the weights of the package; `fusion.json` beside this module holds the evidence for them."""
    return read(json.loads(files(__package__).joinpath("fusion.json").read_text(encoding="utf-8"))["weights"])


def fuse(
    lists: Lists, question: Question, collection: Collection, weights: Weights | None = None
) -> list[Hit]:
    """Return all that either list has, best first, with scores from 0 to 1.

    Without a vector list (the embedder does not know the language) the order is the lexical one; of equal
    scores the smaller chunk id comes first.
    """
    weights = weights or shipped()
    columns = beside(lists, weights.normal)
    share = share_of(lists, question, collection, weights)
    return ordered(columns, share)


def share_of(lists: Lists, question: Question, collection: Collection, weights: Weights) -> float:
    """Return how much the vectors have to say here: 0 or 1 where only one list has anything."""
    if not lists.vector:
        return 0.0
    if not lists.lexical:
        return 1.0
    return weights.share(describe(lists, question, collection), question)


def ordered(columns: Beside, share: float) -> list[Hit]:
    """Return the hits of both columns by the weighted sum of their scores."""
    fused = (1 - share) * columns.lexical + share * columns.vector
    order = np.lexsort((columns.ids, -fused))
    return [Hit(*pair) for pair in zip(columns.ids[order].tolist(), fused[order].tolist(), strict=True)]


def reciprocal(lists: Lists, k: int = 60) -> list[Hit]:
    """Return the hits by the sum of 1 / (k + rank): knows no weights, and is here to be compared with.

    Source: Cormack, Clarke, Büttcher, Reciprocal Rank Fusion, SIGIR 2009.
    """
    summed: dict[int, float] = {}
    for hits in (lists.lexical, lists.vector):
        for rank, hit in enumerate(hits, 1):
            summed[hit.chunk_id] = summed.get(hit.chunk_id, 0.0) + 1 / (k + rank)
    return [Hit(*pair) for pair in sorted(summed.items(), key=lambda one: (-one[1], one[0]))]


def describe(lists: Lists, question: Question, collection: Collection) -> Numbers:
    """Return the features of a question and what was found for it, shape (len(FEATURES),)."""
    most = sum(question.rarity.values())
    lexical, vector = scores(lists.lexical), scores(lists.vector)
    first, second = ([hit.chunk_id for hit in hits] for hits in (lists.lexical, lists.vector))
    return np.array(
        [
            np.log1p(len(question.rarity)),
            question.identifiers,
            collection.code,
            question.known,
            min(1.0, lexical[0] / most) if len(lexical) and most else 0.0,
            *_shape(lexical, lexical[0] if len(lexical) else 1.0),
            *_shape(vector, float(vector.std()) if len(vector) else 1.0),
            len(set(first[:HEAD]) & set(second[:HEAD])) / HEAD,
            len(set(first) & set(second)) / max(1, min(len(first), len(second))),
            _nearness(first[:1], second),
            _nearness(second[:1], first),
        ]
    )


def _shape(found: Numbers, unit: float) -> tuple[float, float]:
    """How far the first is before the second, and before those that follow, in `unit`s."""
    if len(found) < 2 or not unit:
        return 0.0, 0.0
    return float((found[0] - found[1]) / unit), float((found[0] - found[1:HEAD].mean()) / unit)


def _nearness(first: Sequence[int], others: Sequence[int]) -> float:
    return 1 / (others.index(first[0]) + 1) if first and first[0] in others else 0.0
