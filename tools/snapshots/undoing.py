"""What it takes to undo steps: the state of each file before the first of them that touched it."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise

from artel.tools.snapshots.repository import Repository
from artel.tools.snapshots.restoring import SOMEBODY, Revert
from artel.tools.snapshots.trees import State, about_of, differences

BROKEN_OFF = "the step that may have changed it was broken off, so it is not known who did"
BETWEEN = "somebody else has changed it between two of the steps"
TOO_LARGE = "it was there before, but too large to be kept"


@dataclass(frozen=True, slots=True)
class Step:
    """What the files were before something was done, and after."""

    before: str
    after: str | None
    "None: nobody saw the end of it."


@dataclass(frozen=True, slots=True)
class _Touch:
    was: State
    now: State
    step: Step


def reverts_of(repository: Repository, steps: Sequence[Step], current: str) -> list[Revert]:
    """Return what becomes of each file that `steps`, the oldest first, have touched.

    `current` is the tree of the files as they are now.

    Raises:
        SnapshotGone: a tree is not here any more.
    """
    touched: dict[str, list[_Touch]] = {}
    for step in steps:
        found = differences(repository, step.before, step.after or current)
        for path, (was, now) in found.items():
            touched.setdefault(path, []).append(_Touch(was, now, step))
    unkept = {step.before: about_of(repository, step.before)[0].unkept for step in steps}
    return [_revert(path, touches, unkept[touches[0].step.before]) for path, touches in touched.items()]


def _revert(path: str, touches: Sequence[_Touch], unkept: Collection[str]) -> Revert:
    to = touches[0].was
    if any(touch.step.after is None for touch in touches):
        doubt = BROKEN_OFF
    else:
        doubt = BETWEEN if any(one.now != then.was for one, then in pairwise(touches)) else ""
    known = frozenset(state for touch in touches for state in (touch.was, touch.now))
    return Revert(path, to, known, doubt, TOO_LARGE if to is None and path in unkept else "")


def reverts_to(repository: Repository, tree: str, since: Sequence[Step], current: str) -> list[Revert]:
    """Return what makes the files those of `tree` again; `since` are the steps that may be lost by it.

    Raises:
        SnapshotGone: a tree is not here any more.
    """
    made: dict[str, set[State]] = {}
    for step in since:
        if step.after is not None:
            for path, (_, now) in differences(repository, step.before, step.after).items():
                made.setdefault(path, set()).add(now)
    (about,) = about_of(repository, tree)
    return [
        Revert(
            path,
            to,
            frozenset({was}),
            "" if was in made.get(path, ()) else SOMEBODY,
            TOO_LARGE if to is None and path in about.unkept else "",
        )
        for path, (was, to) in differences(repository, current, tree).items()
    ]
