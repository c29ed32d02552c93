"""Learning how much the vectors have to say from questions whose right chunks are known.

What is made likelier is that the right chunk is drawn when each chunk of both lists is drawn by exp(sharpness
· fused score): the loss is the mean of -log of that, a question counts `weight`.
Source: Cao and others, Learning to Rank: From Pairwise Approach to Listwise Approach, ICML 2007 (top-one
likelihood).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from artel.tools.knowledge.ranking.fusion import FEATURES, Collection, Weights, describe, key, shipped
from artel.tools.knowledge.ranking.lists import Lists, Normal, Numbers, Question, beside

STEPS = 400
RATE = 0.05
RIDGE = 0.03  # on slopes in deviations: 0.01 and 0.1 differed by under half a point on the sets learned from
OWN_RIDGE = 4.0  # questions' worth of trust in what was shipped, for each unit of an offset squared
FEWEST = 30  # labelled questions of a language and kind: with fewer its offset stays 0


@dataclass(frozen=True, slots=True)
class Labelled:
    """A question, what was found for it, and which chunks are right."""

    lists: Lists
    question: Question
    collection: Collection
    relevant: Mapping[int, float]
    "Gain by chunk id."
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class Rows:
    """Labelled questions as arrays, padded to the longest; only those whose right chunk was found at all."""

    lexical: Numbers
    "(questions, chunks)"
    vector: Numbers
    target: Numbers
    "How the draw should fall: gains over their sum."
    absent: Numbers
    "-inf where there is no chunk, else 0."
    described: Numbers
    "(questions, features)"
    weight: Numbers
    "Sums to 1."


def learn(labelled: Sequence[Labelled], *, normal: Normal = "min-max", ridge: float = RIDGE) -> Weights:
    """Return weights for collections of all kinds, from questions of several.

    Raises:
        ValueError: no question has a right chunk in a list of each half.
    """
    rows = _rows(labelled, normal)
    means = rows.weight @ rows.described
    deviations = np.sqrt(rows.weight @ (rows.described - means) ** 2)
    deviations[deviations < 1e-9] = 1.0
    units = (rows.described - means) / deviations

    def slope(at: Numbers) -> Numbers:
        steep = at[0] + units @ at[2:]
        by_steep, by_sharpness = _slopes(rows, steep, float(np.exp(at[1])))
        return np.concatenate([[by_steep.sum(), by_sharpness], by_steep @ units + 2 * ridge * at[2:]])

    start = np.zeros(2 + len(FEATURES))
    start[1] = np.log(8.0)
    bias, sharpness, *slopes = descend(slope, start)
    return Weights(float(bias), np.array(slopes), means, deviations, float(np.exp(sharpness)), normal)


def fit(labelled: Sequence[Labelled], weights: Weights | None = None) -> Weights:
    """Return weights moved by a collection's own labels: an offset for each language and kind of question.

    Those with fewer than FEWEST usable questions keep what they had, so that a handful of marks changes
    nothing.
    """
    weights = weights or shipped()
    offsets = dict(weights.offsets)
    for name in {key(one.question) for one in labelled}:
        usable = [one for one in labelled if key(one.question) == name and _usable(one)]
        if len(usable) >= FEWEST:
            offsets[name] = _offset(usable, replace(weights, offsets={}))
    return replace(weights, offsets=offsets)


def loss(labelled: Sequence[Labelled], weights: Weights) -> float:
    """Return the mean loss of weights on labelled questions; what no list holds counts for nothing."""
    rows = _rows(labelled, weights.normal)
    shares = np.array(
        [
            weights.share(one, lab.question)
            for one, lab in zip(rows.described, filter(_usable, labelled), strict=True)
        ]
    )
    fused = (1 - shares[:, None]) * rows.lexical + shares[:, None] * rows.vector
    drawn = _log_drawn(weights.sharpness * fused + rows.absent)
    return float(-rows.weight @ (rows.target * np.where(rows.target > 0, drawn, 0)).sum(1))


def descend(slope: Callable[[Numbers], Numbers], start: Numbers, *, steps: int = STEPS) -> Numbers:
    """Return where following `slope` downwards from `start` leads: Adam with a rate that falls to nothing.

    Source: Kingma and Ba, Adam, ICLR 2015.
    """
    at, mean, square = start.astype(np.float64), np.zeros_like(start), np.zeros_like(start)
    for step in range(1, steps + 1):
        found = slope(at)
        mean = 0.9 * mean + 0.1 * found
        square = 0.999 * square + 0.001 * found**2
        rate = RATE * (1 - (step - 1) / steps)
        at = at - rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    return at


def _offset(labelled: Sequence[Labelled], weights: Weights) -> float:
    rows = _rows(labelled, weights.normal)
    before = np.array(
        [_logit(weights.share(one, lab.question)) for one, lab in zip(rows.described, labelled, strict=True)]
    )

    def slope(at: Numbers) -> Numbers:
        by_steep, _ = _slopes(rows, before + at[0], weights.sharpness)
        return np.array([by_steep.sum() + 2 * OWN_RIDGE / len(labelled) * at[0]])

    return float(descend(slope, np.zeros(1))[0])


def _slopes(rows: Rows, steep: Numbers, sharpness: float) -> tuple[Numbers, float]:
    """How the loss changes with the logit of each question's share, and with the logarithm of sharpness."""
    share = 1 / (1 + np.exp(-steep))
    apart = rows.vector - rows.lexical
    fused = rows.lexical + share[:, None] * apart
    wrong = np.exp(_log_drawn(sharpness * fused + rows.absent)) - rows.target
    by_share = sharpness * (wrong * apart).sum(1)
    by_sharpness = sharpness * (wrong * fused).sum(1)
    return rows.weight * by_share * share * (1 - share), float(rows.weight @ by_sharpness)


def _log_drawn(scores: Numbers) -> Numbers:
    top = scores.max(1, keepdims=True)
    drawn: Numbers = scores - top - np.log(np.exp(scores - top).sum(1, keepdims=True))
    return drawn


def _rows(labelled: Sequence[Labelled], normal: Normal) -> Rows:
    usable = [one for one in labelled if _usable(one)]
    if not usable:
        raise ValueError("no question has lists of both halves and a right chunk in one of them")
    columns = [beside(one.lists, normal) for one in usable]
    shape = len(usable), max(len(one.ids) for one in columns)
    lexical, vector, target, absent = (np.zeros(shape) for _ in range(4))
    absent[:] = -np.inf
    for row, (one, column) in enumerate(zip(usable, columns, strict=True)):
        held = slice(len(column.ids))
        lexical[row, held], vector[row, held], absent[row, held] = column.lexical, column.vector, 0
        gains = np.array([one.relevant.get(chunk_id, 0.0) for chunk_id in column.ids.tolist()])
        target[row, held] = gains / gains.sum()
    weight = np.array([one.weight for one in usable])
    described = np.stack([describe(one.lists, one.question, one.collection) for one in usable])
    return Rows(lexical, vector, target, absent, described, weight / weight.sum())


def _usable(one: Labelled) -> bool:
    if not one.lists.lexical or not one.lists.vector:
        return False
    found = {hit.chunk_id for hits in (one.lists.lexical, one.lists.vector) for hit in hits}
    return any(gain > 0 and chunk_id in found for chunk_id, gain in one.relevant.items())


def _logit(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return float(np.log(share / (1 - share)))
