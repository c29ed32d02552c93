"""What people thought of results of similar questions, as a small correction of scores.

Marks count for similar questions only, never for a document as such: popularity lifts what is popular where
it is not wanted. One person is one vote, whatever he clicks: his own searches follow his own likes,
everybody's follow two. Simulated in the research
for issue 7: a popularity prior lost up to 2.4 points of right first results, a memory of questions won 1.6.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic

import numpy as np

from artel.storage.knowledge.hits import Vectors
from artel.tools.knowledge.ranking.grouping import Grouped, Key

MOST = 0.15  # of a score, whatever is marked
HALF_LIFE = timedelta(days=90)
NEAR = 0.6  # cosine from which questions are alike
SHARED = 0.6  # share of terms from which they are, where there are no vectors
ENOUGH = 2  # people: fewer change nothing for others, and demote nothing for anybody
CLEAR = 0.2  # of a vote: what is under it is a person who changes his mind


@dataclass(frozen=True, slots=True)
class Asked:
    """A question as the memory knows it: by its vector, by its terms, or both."""

    terms: frozenset[str]
    vector: Vectors | None = None
    "Length 1, shape (dimension,); None where the embedder does not know the language."

    def likeness(self, other: "Asked") -> float:
        """Return how alike two questions are, 0 (not enough to count) to 1 (the same)."""
        if self.terms and self.terms == other.terms:
            return 1.0
        if self.vector is not None and other.vector is not None:
            cosine = float(self.vector @ other.vector)
            return min(1.0, max(0.0, (cosine - NEAR) / (1 - NEAR)))
        either = len(self.terms | other.terms)
        shared = len(self.terms & other.terms) / either if either else 0.0
        return max(0.0, (shared - SHARED) / (1 - SHARED))


@dataclass(frozen=True, slots=True)
class Mark(Generic[Key]):
    """What somebody thought of a result."""

    user: str
    asked: Asked
    document: Key
    text_hash: str
    "Of the text that he saw."
    liked: bool
    at: datetime
    "Aware."


def remembered(
    asked: Asked,
    marks: Sequence[Mark[Key]],
    hashes: Mapping[Key, str],
    *,
    user: str,
    now: datetime,
) -> dict[Key, float]:
    """Return what marks add to the score of each document, from -MOST to MOST.

    `hashes` holds the text of each document as it is now: a mark on another text, or on a document that is
    gone, is ignored. `user` is who asks: his own likes count for him with nobody beside. A dislike demotes
    when ENOUGH people share it; a like of one person changes nothing for others. The vote of a person is the
    mean of his marks, weighted by likeness and age, so that a thousand marks weigh as one, and marks that
    alternate weigh nothing.
    """
    votes = _votes(asked, [one for one in marks if hashes.get(one.document) == one.text_hash], now)
    moved = {}
    for document, by_user in votes.items():
        likes = {who: vote for who, vote in by_user.items() if vote > 0}
        dislikes = {who: -vote for who, vote in by_user.items() if vote < 0}
        if len(likes) < ENOUGH:
            likes = {who: vote for who, vote in likes.items() if who == user}
        if len(dislikes) < ENOUGH:
            dislikes = {}
        added = _bounded(likes) - _bounded(dislikes)
        if added:
            moved[document] = added
    return moved


def remember(found: Sequence[Grouped[Key]], moved: Mapping[Key, float]) -> list[Grouped[Key]]:
    """Return documents in the order that memory gives them; each moves by at most MOST of its own score.

    The order is as before where nothing is remembered. What was not found is not brought in.
    """
    scored = [
        Grouped(one.document, one.score * (1 + moved.get(one.document, 0.0)), one.hits) for one in found
    ]
    return sorted(scored, key=lambda one: -one.score)


def _votes(asked: Asked, marks: Sequence[Mark[Key]], now: datetime) -> dict[Key, dict[str, float]]:
    """The vote of each person on each document, -1 to 1: how alike and fresh his best is, by his mean."""
    weighed: dict[tuple[Key, str], list[tuple[float, int]]] = {}
    for mark in marks:
        weight = asked.likeness(mark.asked) * _freshness(now - mark.at)
        if weight > 0:
            weighed.setdefault((mark.document, mark.user), []).append((weight, 1 if mark.liked else -1))
    votes: dict[Key, dict[str, float]] = {}
    for (document, user), own in weighed.items():
        weights, signs = (np.array(column, np.float64) for column in zip(*own, strict=True))
        mean = float(weights @ signs / weights.sum())
        if abs(mean) >= CLEAR:
            votes.setdefault(document, {})[user] = float(weights.max()) * mean
    return votes


def _freshness(age: timedelta) -> float:
    return float(0.5 ** max(0.0, age / HALF_LIFE))


def _bounded(votes: Mapping[str, float]) -> float:
    """Half of MOST for one whole vote, two thirds for two, and never all of it."""
    summed = sum(votes.values())
    return MOST * summed / (1 + summed)
