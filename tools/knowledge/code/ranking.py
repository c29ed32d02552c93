"""PageRank over files by the names they share."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from artel.tools.knowledge.code.tags import Definition, Tags

DAMPING = 0.85
ROUNDS, STILL = 100, 1e-8
WISHED = 10.0  # how much more a name weighs that was asked about
FOCUS = 50.0  # how much more what a file of interest uses
FAR = 0.05  # a name of a file that is not imported is more likely somebody else's
EVERYWHERE = 50  # files that define a name; beyond, only imports tell whose it is
COMMON = 6  # a name that more files define tells little
Ranked = tuple[str, Definition, float]


def ranked(
    tags: Mapping[str, Tags],
    *,
    focus: Collection[str] = (),
    identifiers: Collection[str] = (),
    imports: Mapping[str, frozenset[str]] | None = None,
) -> list[Ranked]:
    """Return path, definition and rank of every definition, highest first; ranks add up to about 1.

    A file gives its rank to the files that define the names it uses, in proportion to the square root of how
    often it uses them. `focus`: files the walk begins in; `identifiers`: names of interest. Without either it
    begins everywhere. `imports`: which file imports which; names of imported files count for more. Ties are
    broken by path and line.
    Source: Page, Brin, Motwani, Winograd, The PageRank Citation Ranking, 1999.
    """
    paths = sorted(tags)
    if not paths:
        return []
    index = {path: at for at, path in enumerate(paths)}
    wished = frozenset(identifiers)
    places = defaultdict[str, set[int]](set)
    for path in paths:
        for one in tags[path].definitions:
            if not one.local:
                places[one.name].add(index[path])
    edges = defaultdict[tuple[int, int, str], float](float)
    for path in paths:
        used = Counter(one.name for one in tags[path].references if one.name in places)
        for name, count in used.items():
            weight = _weight(name, len(places[name]), wished) * math.sqrt(count)
            near = {index[other] for other in (imports or {}).get(path, ()) if other in index}
            # what every file defines ties none to another: 2,000 files that do made 4 million edges, 10 s
            reached = places[name] if len(places[name]) <= EVERYWHERE else places[name] & near
            for target in reached - {index[path]}:
                far = imports is not None and target not in near
                edges[index[path], target, name] += (
                    weight * (FOCUS if path in focus else 1) * (FAR if far else 1)
                )
    starts = np.array([1.0 if path in focus else 0.0 for path in paths])
    for name in wished:
        for at in places.get(name, ()):
            starts[at] += 1.0
    ranks = _walk(edges, starts if starts.any() else np.ones(len(paths)))
    return _shared(tags, paths, edges, ranks, wished)


def _weight(name: str, definers: int, wished: frozenset[str]) -> float:
    weight = WISHED if name in wished else 1.0
    if name.startswith("_"):
        weight *= 0.1
    if len(name) >= 8 and ("_" in name or name != name.lower()):
        weight *= 4.0  # nobody picks it by chance
    return weight * (0.1 if definers >= COMMON else 1.0) / definers


def _walk(edges: Mapping[tuple[int, int, str], float], starts: NDArray[np.float64]) -> NDArray[np.float64]:
    starts = starts / starts.sum()
    origin = np.fromiter((edge[0] for edge in edges), np.int64, len(edges))
    target = np.fromiter((edge[1] for edge in edges), np.int64, len(edges))
    weight = np.fromiter(edges.values(), np.float64, len(edges))
    given = np.bincount(origin, weight, len(starts))
    weight = weight / np.where(given > 0, given, 1)[origin]
    ranks = starts
    for _ in range(ROUNDS):
        passed = np.bincount(target, ranks[origin] * weight, len(starts))
        lost = ranks[given == 0].sum()
        fresh: NDArray[np.float64] = DAMPING * (passed + lost * starts) + (1 - DAMPING) * starts
        if np.abs(fresh - ranks).sum() < STILL:
            return fresh
        ranks = fresh
    return ranks


def _shared(
    tags: Mapping[str, Tags],
    paths: list[str],
    edges: Mapping[tuple[int, int, str], float],
    ranks: NDArray[np.float64],
    wished: frozenset[str],
) -> list[Ranked]:
    """Share the rank of each file out among its definitions, by how much each brought in."""
    brought = defaultdict[tuple[int, str], float](float)
    given = defaultdict[int, float](float)
    for (origin, _, _), weight in edges.items():
        given[origin] += weight
    for (origin, target, name), weight in edges.items():
        brought[target, name] += float(ranks[origin]) * weight / given[origin]
    found = list[Ranked]()
    for at, path in enumerate(paths):
        named = Counter(one.name for one in tags[path].definitions)
        for one in tags[path].definitions:
            share = 0.0 if one.local else brought.get((at, one.name), 0.0) / named[one.name]
            least = float(ranks[at]) * 1e-3 / max(len(tags[path].definitions), 1)
            found.append((path, one, max(share, least) + (2 * float(ranks[at]) if one.name in wished else 0)))
    return sorted(found, key=lambda one: (-one[2], one[0], one[1].line))
