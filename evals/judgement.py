"""Whether a run is good enough: no case below its floor, none below the run that was accepted last."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evals.history import Result

SLACK = 1e-9  # of a sum of thirds


@dataclass(frozen=True, slots=True)
class Fall:
    """A case that is worse than it may be."""

    result: Result
    why: str


def fallen(results: Sequence[Result], accepted: Mapping[tuple[str, str], Result]) -> list[Fall]:
    """Return the cases that are below their floor or below what they were in the accepted run."""
    falls = []
    for one in results:
        before = accepted.get(one.key)
        if one.score < one.floor - SLACK:
            falls.append(Fall(one, f"{one.score:.0%} is below its floor of {one.floor:.0%}"))
        elif before and one.score < before.score - SLACK:
            falls.append(
                Fall(one, f"{one.score:.0%}, and {before.score:.0%} in the accepted run {before.run}")
            )
    return falls
