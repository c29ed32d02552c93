"""The goals of the research, and how far a run came.

A goal was set beside a floor that was measured then. A machine that is slower now is slower for the floor
too: so each row is judged twice, by its figure and by its ratio to the floor of the same run.
"""

from dataclasses import dataclass

STORED = "cost of a run after 100k / fresh"


@dataclass(frozen=True)
class Goal:
    """A figure, what it must be, what we aim for, and what the floor was when that was set."""

    figure: str
    must: float
    aim: float
    floor: float | None = None
    more: bool = False  # more is better

    def reached(self, value: float) -> str:
        """Return which goal a figure reaches: aim, must, or no."""
        return self._verdict(value, self.must, self.aim)

    def reached_by_ratio(self, value: float, floor: float | None) -> str:
        """Return which goal it reaches when the goals move with the floor of this run."""
        if not self.floor or not floor:
            return "-"
        return self._verdict(value / floor, self.must / self.floor, self.aim / self.floor)

    def _verdict(self, value: float, must: float, aim: float) -> str:
        if self.more:
            value, must, aim = -value, -must, -aim
        return "aim" if value <= aim else "must" if value <= must else "no"


GOALS = (
    Goal("first token of 1 p50 ms", 12, 9, 7.7),
    Goal("first token of 50 p50 ms", 25, 10, 4.2),
    Goal("first token of 200 p50 ms", 80, 25, 6.0),
    Goal("first token of 200 p95 ms", 400, 200, 197),
    Goal("paced: slowest stream / ideal", 1.15, 1.03, 1.01),
    Goal("tokens/s, 8 streams", 8000, 14000, 17142, more=True),
    Goal("server CPU s / 1k tokens", 0.10, 0.07, 0.056),
    Goal("transactions / 1k tokens", 60, 20),
    Goal("WAL bytes / token", 900, 60),
    Goal("wait-run of 1, p50 ms", 10, 7.5, 5.5),
    Goal("wait-run of 10, p50 ms", 24, 17, 19.3),
    Goal("runs/s, 32 clients, 5 steps", 80, 120, 110, more=True),
    Goal("background runs/s", 100, 160, more=True),
    Goal("create to first node p50 ms", 8, 5),
    Goal("POST /threads p50 ms", 1.5, 1.0, 0.6),
    Goal("GET state p50 ms", 2.0, 1.5, 1.5),
    Goal("turn at 1000 messages p50 ms", 45, 25, 43),
    Goal("turn at 1000 messages, WAL KB", 140, 15),
    Goal("idle PSS MB", 100, 85, 77),
    Goal("memory per 100 streams MB", 11, 6, 10.7),
    Goal("cold start s", 2.5, 1.5, 1.95),
    Goal(STORED, 1.1, 1.1),
)
LESS_IS_WORSE = (
    *(goal.figure for goal in GOALS if goal.more),
    "POST /threads / s, 16 clients",
    "GET state / s, 16 clients",
)
