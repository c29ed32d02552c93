"""Whether a variant is worse than the assistant as it is: fixed looks, and a stated rate of false alarms.

A thread counts once. A variant is looked at when it and the control each have `min_threads`, twice, four,
eight and sixteen times as many threads, and never between: looking at every new thread would sooner or later
find a drop where there is none. At each look two things are tested, one-sided, by Welch's t: the reward and
the share of turns that failed. Each test has its equal part of `alpha` (Bonferroni: variants x looks x 2), so
that all together raise a false alarm with at most that probability, however they depend on each other.
Source: Jennison, Turnbull, Group Sequential Methods with Applications to Clinical Trials, 2000, §2.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from math import erfc, fsum, log1p, sqrt
from typing import Any

from artel.storage.experiments import CONTROL, Experiment
from artel.storage.turns import Outcome

LOOKS = 5
MEASURES = ("reward", "failed")
LEAST_SPREAD = 1e-3  # of a mean whose threads are all alike: a few are no proof that all are


@dataclass(frozen=True, slots=True)
class Drop:
    """A variant that is worse."""

    variant: str
    measure: str
    "`reward`, or `failed`: the share of turns that failed."
    control: float
    measured: float
    p: float
    level: float
    "What `p` had to stay below."
    threads: int
    "Of the variant, at that look."
    look: int


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look came to."""

    looks: dict[str, int]
    drops: list[Drop]


def look(experiment: Experiment, outcomes: Sequence[Outcome]) -> Looked:
    """Return the looks that are due, made; those made before are not made again."""
    control = [one for one in outcomes if one.variant == CONTROL]
    looks, drops = dict(experiment.looks), []
    level = experiment.alpha / (len(experiment.variants) * LOOKS * len(MEASURES))
    for variant in experiment.variants:
        name, made = variant.name, looks.get(variant.name, 0)
        theirs = [one for one in outcomes if one.variant == name]
        due = _due(min(len(theirs), len(control)), experiment.min_threads)
        if name in experiment.dropped or due <= made:
            continue
        looks[name] = due
        if drop := _drop(name, control, theirs, level, due):
            drops.append(drop)
    return Looked(looks, drops)


def told(drop: Drop) -> dict[str, Any]:
    """Return a drop as JSON."""
    return asdict(drop)


def p_worse(control: Sequence[float], measured: Sequence[float]) -> float:
    """Return how likely a drop in the mean as large as this is when there is none, by Welch's one-sided t.

    >>> p_worse([0.5] * 30, [0.5] * 30)
    0.5
    >>> p_worse([0.4, 0.6] * 15, [0.1, 0.3] * 15) < 1e-6
    True
    """
    if len(control) < 2 or len(measured) < 2:
        return 1.0
    parts = [_variance(side) / len(side) for side in (control, measured)]
    spread = sqrt(sum(parts) + LEAST_SPREAD**2)
    t = (_mean(measured) - _mean(control)) / spread
    return erfc(-_normal(t, _freedom(control, measured, *parts)) / sqrt(2)) / 2


def _freedom(control: Sequence[float], measured: Sequence[float], ours: float, theirs: float) -> float:
    """Return the degrees of freedom of Welch's t; `ours` and `theirs` are the variances of the means."""
    if not ours + theirs:
        return min(len(control), len(measured)) - 1
    return (ours + theirs) ** 2 / (ours**2 / (len(control) - 1) + theirs**2 / (len(measured) - 1))


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def _variance(values: Sequence[float]) -> float:
    middle = _mean(values)
    return fsum((value - middle) ** 2 for value in values) / (len(values) - 1)


def _normal(t: float, free: float) -> float:
    """Return the normal deviate of a t with so many degrees of freedom, to three digits.

    Source: Wallace, Bounds on normal approximations to Student's and the chi-square distributions, 1959.
    """
    root = sqrt(free * log1p(t * t / free)) * (8 * free + 1) / (8 * free + 3)
    return root if t >= 0 else -root


def p_measured(measure: str, control: Sequence[Outcome], theirs: Sequence[Outcome]) -> float:
    """Return how likely what was measured is when the variant is no worse than the control."""
    sign = 1 if measure == "reward" else -1
    ours, other = ([sign * getattr(one, measure) for one in side] for side in (control, theirs))
    return p_worse(ours, other)


def _drop(
    name: str, control: Sequence[Outcome], theirs: Sequence[Outcome], level: float, made: int
) -> Drop | None:
    for measure in MEASURES:
        if (p := p_measured(measure, control, theirs)) < level:
            ours, other = (_mean([getattr(one, measure) for one in side]) for side in (control, theirs))
            return Drop(name, measure, ours, other, p, level, len(theirs), made)
    return None


def _due(threads: int, first: int) -> int:
    """Return how many looks so many threads are enough for.

    >>> [_due(n, 20) for n in (19, 20, 39, 40, 320, 9_999)]
    [0, 1, 1, 2, 5, 5]
    """
    made = 0
    while made < LOOKS and threads >= first * 2**made:
        made += 1
    return made
