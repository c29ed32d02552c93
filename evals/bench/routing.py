"""How long the routing rules take over a request, and how much of a second a hostile one could take.

    python evals/bench/routing.py

Over the labelled phrases of evals/routing, and over pastes that are made to be slow. Issue 5 asks for less
than 1 ms a phrase. Figures of one run are to be compared with each other.
"""

import statistics
import time

from artel.graphs.routing import choose
from evals.routing.judging import PARTS, phrases

ROUNDS = 5
PASTES = {
    "1 MB of code": "def f(x):\n    return {'a': x.b.c}\n" * 28_000,
    "1 MB of conjunctions": ", and fix the docs and" * 46_000,
    "1 MB without a blank": "a.b-c/" * 170_000,
}


def main() -> None:
    """Print a table: median, p95 and longest, in ms."""
    said = [one.say for part in PARTS for one in phrases(part)]
    for one in said:
        choose(one)
    print(f"{'':24}{'number':>8}{'median ms':>12}{'p95 ms':>9}{'longest ms':>12}")
    _row("phrases", [_took(one) for _ in range(ROUNDS) for one in said])
    for name, paste in PASTES.items():
        _row(name, [_took(paste) for _ in range(ROUNDS)])


def _row(name: str, times: list[float]) -> None:
    p95 = statistics.quantiles(times, n=20)[-1]
    print(f"{name:24}{len(times):8}{statistics.median(times):12.3f}{p95:9.3f}{max(times):12.3f}")


def _took(request: str) -> float:
    began = time.perf_counter()
    choose(request)
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()
