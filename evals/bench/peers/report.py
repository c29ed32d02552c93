"""The tables: a column a server, the ratio to the floor, and the goals."""

import statistics
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from evals.bench.peers.goals import GOALS, LESS_IS_WORSE

Rounds: TypeAlias = Mapping[str, Sequence[Mapping[str, float]]]  # server -> its rounds -> figures
Medians: TypeAlias = dict[str, dict[str, float]]
OURS, FLOOR, PEERS = "artel", "floor", ("dev", "aegra")


def medians(rounds: Rounds) -> Medians:
    """Return the median of every figure over the rounds that have it.

    >>> medians({"artel": [{"x": 1}, {"x": 3}, {"x": 2, "y": 5}]})
    {'artel': {'x': 2, 'y': 5}}
    """
    return {
        server: {
            figure: statistics.median([one[figure] for one in done if figure in one])
            for figure in dict.fromkeys(name for one in done for name in one)
        }
        for server, done in rounds.items()
    }


def figures_table(found: Medians) -> str:
    """Return all figures; of each row the ratio of ours to the floor, and whether ours beats every peer."""
    servers = list(found)
    names = dict.fromkeys(name for figures in found.values() for name in figures)
    lines = [
        f"| measure | {' | '.join(servers)} | artel / floor | best of the peers? |",
        "| --- |" + " --- |" * (len(servers) + 2),
    ]
    for name in names:
        cells = [_shown(found[server].get(name)) for server in servers]
        lines.append(f"| {name} | {' | '.join(cells)} | {_ratio(found, name)} | {_beats(found, name)} |")
    return "\n".join(lines)


def goals_table(found: Medians) -> str:
    """Return which goals ours reached, by figure and by its ratio to the floor."""
    lines = [
        "| goal | must | aim | artel | reached | reached, goals moved with the floor |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    ours, floor = found.get(OURS, {}), found.get(FLOOR, {})
    for goal in GOALS:
        if (value := ours.get(goal.figure)) is None:
            verdicts = "not measured | -"
        else:
            verdicts = f"{goal.reached(value)} | {goal.reached_by_ratio(value, floor.get(goal.figure))}"
        lines.append(
            f"| {goal.figure} | {_shown(goal.must)} | {_shown(goal.aim)} | {_shown(value)} | {verdicts} |"
        )
    return "\n".join(lines)


def _ratio(found: Medians, name: str) -> str:
    ours, floor = found.get(OURS, {}).get(name), found.get(FLOOR, {}).get(name)
    return f"{ours / floor:.2f}" if ours is not None and floor else "-"


def _beats(found: Medians, name: str) -> str:
    ours = found.get(OURS, {}).get(name)
    peers = [
        figures[name] for server, figures in found.items() if server in ("dev", "aegra") and name in figures
    ]
    if ours is None or not peers:
        return "-"
    best = max(peers) if name in LESS_IS_WORSE else min(peers)
    return "yes" if (ours >= best if name in LESS_IS_WORSE else ours <= best) else "**no**"


def _shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"
