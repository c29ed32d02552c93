"""How likely the first result is right: a promise that holds on the long run, not a score.

A raw score is no promise: cosine 0.7 is right or wrong depending on the question. What tells is how the first
result stands out, whether words and vectors agree on it, and whether it holds what the question is about.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from artel.tools.knowledge.ranking.calibrating import Logistic, logistic
from artel.tools.knowledge.ranking.lists import Lists, Numbers, Question

HEAD = 10
RIDGE = 3.0  # on slopes in deviations
FEWEST = 200  # answers with a mark: with fewer a collection keeps what was shipped
FEATURES = (
    "score",  # of the first result, fused: 1 where both halves put it first
    "gap",  # to the second
    "peak",  # to the mean of the next nine
    "entropy",  # of the first ten by score, 0 one stands alone to 1 all alike
    "lexical",  # lexical score of the first result over the most that the question could score
    "lexical gap",  # to the best of the others, may be negative
    "vector",  # cosine of the first result
    "vector gap",  # to the best of the others, may be negative
    "covered",  # share of the question's terms, by rarity, that the first result holds
    "covered gap",  # to the best of the next
    "together",  # share of the terms, by rarity, that one sentence of the first result holds
    "together gap",  # to the best of the next
    "rarest covered",  # share of its three rarest terms that the first result holds
    "agreement",  # 1 both halves have it first, 1/2 one of them, 0 none
    "heads overlap",  # share of the first ten that both halves have
    "known",  # share of the terms, by rarity, that the collection holds at all
    "words",  # logarithm of 1 + terms
)
OF_THE_EMBEDDER = ("vector", "vector gap")  # cosines: each model has its own idea of what is near
LEXICAL = "no vectors"
ANY = "any embedder"
MOSTLY = 0.5  # share of program text from which a collection is one of code, whose rivals are many and alike
SHARPNESS = 8.0  # of the entropy


@dataclass(frozen=True, slots=True)
class Evidence:
    """What an answer rests on: documents, best first; what is said of one is of its best chunk."""

    question: Question
    scores: Numbers
    "Fused score of each result, shape (n,)."
    lexical: Numbers
    "Lexical score of each, 0 where its chunk was not found by words."
    vector: Numbers
    "Cosine of each, 0 where the embedder has no vote."
    held: Numbers
    "What each term adds to a result's lexical score: (the first few, terms in the order of the rarity map)."
    together: Numbers
    "What of the question one sentence of each of the first few holds (`nearness.together`), shape (few,)."
    agreement: float
    heads_overlap: float


def describe(evidence: Evidence) -> Numbers:
    """Return the features of an answer, shape (len(FEATURES),); zeros if nothing was found."""
    rarity = np.array(list(evidence.question.rarity.values()))
    most = float(rarity.sum()) or 1.0
    made = np.zeros(len(FEATURES))
    made[-2:] = evidence.question.known, np.log1p(len(rarity))
    if not len(evidence.scores):
        return made
    scores = evidence.scores[:HEAD]
    drawn = np.exp(SHARPNESS * (scores - scores[0]))
    drawn /= drawn.sum()
    entropy = -(drawn * np.log(drawn)).sum() / np.log(HEAD)
    covered = (evidence.held > 0) @ rarity / most if len(evidence.held) else np.zeros(1)
    rarest = np.argsort(-rarity, kind="stable")[:3]
    made[:-2] = (
        scores[0],
        scores[0] - _best(scores[1:]),
        scores[0] - (scores[1:].mean() if len(scores) > 1 else 0.0),
        entropy,
        evidence.lexical[0] / most,
        (evidence.lexical[0] - _best(evidence.lexical[1:])) / most,
        evidence.vector[0],
        evidence.vector[0] - _best(evidence.vector[1:]),
        covered[0],
        covered[0] - _best(covered[1:]),
        evidence.together[0] if len(evidence.together) else 0.0,
        (evidence.together[0] if len(evidence.together) else 0.0) - _best(evidence.together[1:]),
        (evidence.held[0, rarest] > 0).mean() if len(rarest) and len(evidence.held) else 0.0,
        evidence.agreement,
        evidence.heads_overlap,
    )
    return made


def agreement(lists: Lists, first: int) -> float:
    """Return 1 if both halves have chunk `first` first, 1/2 if one of them, else 0."""
    return sum(bool(hits) and hits[0].chunk_id == first for hits in (lists.lexical, lists.vector)) / 2


def heads_overlap(lists: Lists) -> float:
    """Return the share of the first ten that both halves have."""
    heads = [{hit.chunk_id for hit in hits[:HEAD]} for hits in (lists.lexical, lists.vector)]
    return len(heads[0] & heads[1]) / HEAD


@dataclass(frozen=True, slots=True)
class Confidence:
    """A fitted model and what shows that it may be believed. It sees each feature and its square."""

    model: Logistic
    evidence: Mapping[str, Any] = field(default_factory=dict)
    "Numbers only: how many answers, of which collections, calibration error on those it was not fitted to."

    def of(self, described: Numbers) -> float:
        """Return the probability that result 1 is right, 0 to 1, from `describe`."""
        return float(self.model(expanded(described[None, :]))[0])

    def as_json(self) -> dict[str, Any]:
        """Return plain numbers, to be kept."""
        parts = zip(_NAMES, self.model.slopes, self.model.means, self.model.deviations, strict=True)
        named = {name: [float(value) for value in values] for name, *values in parts}
        return {"bias": self.model.bias, "features": named, "evidence": dict(self.evidence)}


def expanded(described: Numbers) -> Numbers:
    """Return features and their squares, (n, 2 * features): a score may say much in the middle only."""
    return np.column_stack([described, described**2])


_NAMES = (*FEATURES, *(f"{name}²" for name in FEATURES))


def read(said: Mapping[str, Any]) -> Confidence:
    """Return a model from what `as_json` gave.

    Raises:
        KeyError: it was fitted with other features.
    """
    rows = np.array([said["features"][name] for name in _NAMES], np.float64)
    return Confidence(Logistic(float(said["bias"]), *rows.T), said.get("evidence", {}))


def shipped(embedder: str = ANY, *, votes: bool = True, code: float = 0.0) -> Confidence:
    """Return the package's model for an embedder's name, else that for any embedder, which sees no cosines.

    `votes`: whether the embedder knows the language; without its vote the model for words alone. `code`:
    share of the collection that is program text. The evidence stands beside the models in `confidence.json`.
    """
    models = _shipped()
    name = embedder if votes else LEXICAL
    tried = (known_as(name, code), known_as(name, 0.0), known_as(ANY, code))
    return next((models[one] for one in tried if one in models), models[ANY])


def known_as(embedder: str, code: float) -> str:
    """Return the name of a model among those of the package."""
    name = embedder.partition("@")[0]
    return f"{name}, code" if code >= MOSTLY else name


@cache
def _shipped() -> dict[str, Confidence]:
    said = json.loads(files(__package__).joinpath("confidence.json").read_text(encoding="utf-8"))
    return {name: read(model) for name, model in said["models"].items()}


def fit(
    described: Sequence[Numbers],
    right: Sequence[bool],
    *,
    ridge: float = RIDGE,
    weight: Sequence[float] | None = None,
    without: Sequence[str] = (),
) -> Confidence:
    """Return a model fitted to answers known to be right or wrong in their first result; `without` features.

    Raises:
        ValueError: there are fewer than FEWEST of them, or all are right, or all wrong.
    """
    if len(right) < FEWEST:
        raise ValueError(f"a fit needs {FEWEST} answers with a mark, got {len(right)}")
    rows = np.stack(described)
    rows[:, [FEATURES.index(name) for name in without]] = 0.0
    model = logistic(
        expanded(rows),
        np.array(right, np.float64),
        ridge=ridge,
        weight=None if weight is None else np.array(weight, np.float64),
    )
    return Confidence(model, {"answers": len(right)})


def _best(values: Numbers) -> float:
    return float(values.max()) if len(values) else 0.0
