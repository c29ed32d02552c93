"""From features to a probability that can be believed: a logistic model and a check of it, by numpy alone."""

from dataclasses import dataclass

import numpy as np

from artel.tools.knowledge.ranking.lists import Numbers

STEPS = 50
SETTLED = 1e-8


@dataclass(frozen=True, slots=True)
class Logistic:
    """1 / (1 + exp(-(bias + slopes · (features - means) / deviations)))."""

    bias: float
    slopes: Numbers
    "Shape (features,), as are means and deviations."
    means: Numbers
    deviations: Numbers

    def __call__(self, features: Numbers) -> Numbers:
        """Return the probability of each row of (n, features), shape (n,)."""
        return probability(self.bias + (features - self.means) / self.deviations @ self.slopes)


def probability(logit: Numbers) -> Numbers:
    """Return 1 / (1 + exp(-logit)), safe at both ends."""
    return 1 / (1 + np.exp(-np.clip(logit, -35, 35)))


def logistic(
    features: Numbers, right: Numbers, *, ridge: float = 1.0, weight: Numbers | None = None
) -> Logistic:
    """Fit a logistic model by iteratively reweighted least squares.

    `features` (n, features), `right` (n,) of 0 and 1, `weight` (n,), 1 each if None. `ridge` holds the slopes
    (in deviations, not the bias) small, and keeps the fit finite where a feature parts right from wrong
    perfectly. Source: Hastie, Tibshirani, Friedman, The Elements of Statistical Learning, §4.4.1.

    Raises:
        ValueError: there is nothing to fit to, or all of it is right, or all wrong.
    """
    if len(right) == 0 or right.min() == right.max():
        raise ValueError(f"a fit needs right and wrong answers, got {len(right)} that are all alike")
    weight = np.ones(len(right)) if weight is None else weight
    means = np.average(features, axis=0, weights=weight)
    deviations = np.sqrt(np.average((features - means) ** 2, axis=0, weights=weight))
    deviations[deviations < 1e-9] = 1.0
    rows = np.column_stack([np.ones(len(right)), (features - means) / deviations])
    held = np.diag([1e-9, *[ridge] * features.shape[1]])
    at = np.zeros(rows.shape[1])
    for _ in range(STEPS):
        said = probability(rows @ at)
        curve = weight * np.maximum(said * (1 - said), 1e-6)
        step = np.linalg.solve(
            (rows * curve[:, None]).T @ rows + held, rows.T @ (weight * (right - said)) - held @ at
        )
        at = at + step * min(1.0, 5 / max(float(np.abs(step).max()), 1e-12))
        if np.abs(step).max() < SETTLED:
            break
    return Logistic(float(at[0]), at[1:], means, deviations)


def platt(promised: Numbers, right: Numbers) -> tuple[float, float]:
    """Return slope and intercept that the logits of `promised` would need; (1, 0) is perfectly calibrated.

    Shapes (n,). A slope under 1 says that the promises are too bold at both ends.
    Source: Platt, Probabilistic Outputs for Support Vector Machines, 1999.
    """
    kept = np.clip(promised, 1e-6, 1 - 1e-6)
    fitted = logistic(np.log(kept / (1 - kept))[:, None], right, ridge=1e-6)
    slope = float(fitted.slopes[0] / fitted.deviations[0])
    return slope, fitted.bias - slope * float(fitted.means[0])


def isotonic(promised: Numbers, right: Numbers) -> tuple[Numbers, Numbers]:
    """Return the rising steps (promise, share right) that fit best: what a promise is worth by order only.

    Shapes (n,) → (steps,) both; between steps one interpolates.
    Source: pool adjacent violators; Zadrozny and Elkan, Transforming Classifier Scores, KDD 2002.
    """
    order = np.argsort(promised, kind="stable")
    pools: list[tuple[float, float, float]] = []  # sum of promises, sum of right, how many
    for said, held in zip(promised[order].tolist(), right[order].tolist(), strict=True):
        pool = (said, held, 1.0)
        while pools and pools[-1][1] * pool[2] >= pool[1] * pools[-1][2]:
            last = pools.pop()
            pool = (last[0] + pool[0], last[1] + pool[1], last[2] + pool[2])
        pools.append(pool)
    sums = np.array(pools).reshape(-1, 3)
    return sums[:, 0] / sums[:, 2], sums[:, 1] / sums[:, 2]


def calibration_error(promised: Numbers, right: Numbers, *, bins: int = 10) -> float:
    """Return the mean distance of promise and truth over `bins` equal ranges, by how many fall in each."""
    if not len(promised):
        return 0.0
    which = np.minimum((promised * bins).astype(int), bins - 1)
    return float(np.abs(np.bincount(which, promised - right, bins)).sum() / len(promised))
