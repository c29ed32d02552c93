"""Nothing that was fitted anew goes live without having won on marks that came later.

A candidate may be better on what it has seen and worse on everything else: a query adapter learned from a few
thousand likes lost 13 points on documents it had not seen.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, TypeVar

import numpy as np

from artel.tools.knowledge.ranking.lists import Numbers

LATER = 0.3  # of the marks, the newest: what a candidate is judged on
FEWEST = 50  # questions: with fewer nothing is shown
MAY_LOSE = 0.01  # one point, on each fixed set
DRAWS = 2_000
SURE = 0.95

Timed = TypeVar("Timed")


@dataclass(frozen=True, slots=True)
class Compared:
    """Candidate and current on the same questions."""

    questions: int
    current: float
    "Mean mark, 0 to 1."
    candidate: float
    low: float
    "Lower bound of the mean difference, one-sided, by paired bootstrap."
    high: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a candidate goes live; if not, it is kept as a shadow beside what stands."""

    passed: bool
    why: str
    later: Compared
    fixed: Mapping[str, Compared]
    "By set."

    def as_json(self) -> dict[str, Any]:
        """Return plain values, for the report that is kept with both versions."""
        return asdict(self)


def by_time(
    marks: Sequence[tuple[datetime, Timed]], *, later: float = LATER
) -> tuple[list[Timed], list[Timed]]:
    """Return (earlier, later) marks, cut at a moment; those of one stay together, on the later side."""
    ordered = sorted(marks, key=lambda one: one[0])
    if not ordered:
        return [], []
    cut = ordered[min(len(ordered) - 1, int(len(ordered) * (1 - later)))][0]
    return [one for at, one in ordered if at < cut], [one for at, one in ordered if at >= cut]


def judge(later: tuple[Numbers, Numbers], fixed: Mapping[str, tuple[Numbers, Numbers]]) -> Verdict:
    """Judge a candidate by marks of (current, candidate) on the same questions, (questions,) each, 0 to 1.

    `later` are questions newer than all it was fitted to, `fixed` sets that never change. It passes when the
    lower bound of its gain on the later ones is above 0, and it loses at most MAY_LOSE on each fixed set.

    Raises:
        ValueError: the two differ in length somewhere.
    """
    gained = compare(*later)
    sets = {name: compare(*pair) for name, pair in fixed.items()}
    worse = [name for name, one in sets.items() if one.candidate - one.current < -MAY_LOSE]
    if gained.questions < FEWEST:
        why = f"{gained.questions} later questions show nothing: {FEWEST} are needed"
    elif gained.low <= 0:
        why = f"no gain that is sure: the lower bound on later questions is {gained.low:+.4f}"
    elif worse:
        lost = {name: sets[name].current - sets[name].candidate for name in worse}
        why = "loses on " + ", ".join(f"{name} {by:.4f}" for name, by in sorted(lost.items()))
    else:
        return Verdict(True, f"gains {gained.low:+.4f} at least, and loses nowhere", gained, sets)
    return Verdict(False, why, gained, sets)


def compare(current: Numbers, candidate: Numbers, *, seed: int = 7) -> Compared:
    """Return the means and the bounds of their difference; the same seed draws the same questions.

    Source: Sakai, Evaluating Evaluation Metrics Based on the Bootstrap, SIGIR 2006.

    Raises:
        ValueError: the two differ in length.
    """
    if len(current) != len(candidate):
        raise ValueError(f"{len(current)} marks of the current one and {len(candidate)} of the candidate")
    if not len(current):
        return Compared(0, 0.0, 0.0, 0.0, 0.0)
    apart = np.asarray(candidate, np.float64) - np.asarray(current, np.float64)
    chance = np.random.default_rng(seed)
    means = [apart[chance.integers(0, len(apart), len(apart))].mean() for _ in range(DRAWS)]
    low, high = np.quantile(means, [1 - SURE, SURE])
    return Compared(len(apart), float(np.mean(current)), float(np.mean(candidate)), float(low), float(high))
