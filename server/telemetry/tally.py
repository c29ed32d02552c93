"""Counting in plain numbers, without a lock or a library: what is counted is named when somebody asks."""

from bisect import bisect_left
from typing import TypeAlias

Labels: TypeAlias = tuple[str, ...]

MOST = 500  # sets of labels one metric has; further ones are counted together, whatever names clients invent
OTHER = "other"
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
RATES = (1, 2, 5, 10, 20, 40, 60, 80, 100, 150, 200, 400, 800)


class Counter:
    """Numbers that only grow, one for each set of labels.

    >>> said = Counter("words", "Words said.", ("who",))
    >>> said.add("me"); said.add("me", by=2)
    >>> said.values
    {('me',): 3.0}
    """

    def __init__(self, name: str, told: str, labels: Labels = ()) -> None:
        self.name = name
        self.told = told
        self.labels = labels
        self.values: dict[Labels, float] = {} if labels else {(): 0.0}

    def add(self, *labels: str, by: float = 1) -> None:
        """Add to the number of these labels."""
        key = _kept(labels, self.values)
        self.values[key] = self.values.get(key, 0.0) + by


class Histogram:
    """How often values of which size came, for each set of labels: counts a bucket, the last is all above."""

    def __init__(
        self, name: str, told: str, labels: Labels = (), buckets: tuple[float, ...] = SECONDS
    ) -> None:
        self.name = name
        self.told = told
        self.labels = labels
        self.buckets = buckets
        self.counts: dict[Labels, list[int]] = {} if labels else {(): self._none()}
        self.sums: dict[Labels, float] = {} if labels else {(): 0.0}

    def add(self, value: float, *labels: str) -> None:
        """Note a value; a negative one, of clocks that disagree, as none."""
        value = max(0.0, value)
        key = _kept(labels, self.sums)
        if key not in self.counts:
            self.counts[key] = self._none()
        self.counts[key][bisect_left(self.buckets, value)] += 1
        self.sums[key] = self.sums.get(key, 0.0) + value

    def _none(self) -> list[int]:
        return [0] * (len(self.buckets) + 1)


def _kept(labels: Labels, known: dict[Labels, float]) -> Labels:
    return labels if labels in known or len(known) < MOST else (OTHER,) * len(labels)
