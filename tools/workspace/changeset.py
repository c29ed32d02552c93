"""Changes that belong together: reviewed as one, made all or none, found again after a crash."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace import paths, writing
from artel.tools.workspace.change import Change, Stale, digest
from artel.tools.workspace.opening import Found, folder
from artel.tools.workspace.paths import Place, TooLarge

Applied = Literal["written", "already there"]
MAX_FILES = 50  # in one set: more than that nobody reviews
MAX_DIFF = 300_000  # characters of all diffs together
REPORTED_DIFF = 4_000  # characters: the model knows what it asked for


class NotUndone(ToolFailed):
    """A change set failed in its middle, and a file it had changed could not be put back."""

    code = "not_undone"


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """One or more changes of different files.

    Raises:
        ToolRefused: a path stands twice in it, or is the folder of another, or it is too much to review.
    """

    changes: tuple[Change, ...]
    left_out: str = ""
    "The diff of what the person asked did not want of it."

    def __post_init__(self) -> None:
        _check(self.changes)

    @property
    def intent(self) -> list[dict[str, str | int | None]]:
        """What is noted before it is made: path, before_sha and after_sha of each file, lines in and out."""
        return [change.intent for change in self.changes]

    @property
    def files(self) -> dict[str, str | None]:
        """Path → sha256 of each file as it was when planned; None: there was none."""
        return {change.path: change.before_sha for change in self.changes}

    @property
    def diff(self) -> str:
        """The diffs of all files, one after the other."""
        return "".join(change.diff for change in self.changes)

    @property
    def problems(self) -> tuple[str, ...]:
        """What the changes bring in that is likely wrong, with the path where there are several."""
        if len(self.changes) == 1:
            return self.changes[0].problems
        return tuple(f"{change.path}: {problem}" for change in self.changes for problem in change.problems)


def apply(root: Path, planned: ChangeSet) -> tuple[Applied, ...]:
    """Make all changes durably, or none; a file that already is as it would become is left alone.

    Every file is compared first, then all new contents are written beside their files, then they take their
    places one after the other, new files before old ones go. A failure in between puts back what this call
    changed. A file keeps its mode, and its owner where we may give it; missing folders are made.

    Raises:
        Stale: a file is neither as it was when planned nor as it would become; nothing is changed.
        OutsideWorkspace: a folder on the way became a link; nothing is changed.
        ToolFailed: something cannot be written, say because the disk is full; nothing is changed.
        NotUndone: nor could all be put back; the message names the files.
    """
    made: list[Place] = []
    with ExitStack() as stack:
        spots: list[_Spot] = []
        try:
            spots += _opened(stack, root, planned.changes, made)
            writing.lock({spot.parent for spot in spots})
            open_ = [spot for spot in spots if spot.compare()]
            _check_moves(spots, open_)
            for spot in open_:
                spot.stage()
            for spot in sorted(open_, key=lambda spot: spot.change.after is None):
                spot.land()
        except (ToolFailed, ToolRefused) as error:
            raise type(error)(f"{error}{_undone(spots, made)}") from error
        except BaseException:
            _undone(spots, made)
            raise
        return tuple("written" if spot.landed else "already there" for spot in spots)


def report(planned: ChangeSet, applied: Sequence[Applied]) -> str:
    """Return what the model is told."""
    said = "\n".join(_said(change, how) for change, how in zip(planned.changes, applied, strict=True))
    noted = "".join(f"\n- {problem}" for problem in planned.problems)
    warning = f"\nNew problems, unless more edits follow:{noted}" if noted else ""
    left = (
        f"The user left out these parts; do not make them again unless told to:\n{_cut(planned.left_out)}"
        if planned.left_out
        else ""
    )
    return f"{said}{warning}\n{_cut(planned.diff)}{left}"


@dataclass(slots=True)
class _Spot:
    """Where one change is made, its folder held open."""

    change: Change
    place: Place
    parent: int
    now: Found | None = None
    staged: str = ""
    landed: bool = False
    "Whether the file is the new one, as far as we know."

    def compare(self) -> bool:
        """Say whether the change is still to be made."""
        self.now = writing.found(self.parent, self.place)
        sha, before = digest(self.now.data if self.now else None), self.change.before_sha
        if sha == self.change.after_sha:
            return False
        if sha != before:
            raise Stale(f"{self.change.path} {_became(before, sha)}; read it again")
        return True

    def stage(self) -> None:
        """Write the new content beside the file."""
        if self.change.after is not None:
            self.staged = writing.stage(
                self.parent, self.place, self.change.after, self.now, self.change.mode
            )

    def land(self) -> None:
        """Make the file what it should be."""
        if self.change.after is None:
            writing.remove(self.parent, self.place)
        else:
            writing.land(self.parent, self.place, self.staged, over=self.now is not None)
        self.landed = True
        writing.settle(self.parent, self.place)

    def put_back(self) -> bool:
        """Make the file what it was, unless somebody else changed it meanwhile; say whether it is."""
        if self.staged:
            writing.discard(self.parent, self.staged)
        if not self.landed:
            return True
        try:
            now = writing.found(self.parent, self.place)
            sha = digest(now.data if now else None)
            if sha == self.change.before_sha:
                return True
            if sha != self.change.after_sha:
                return False
            if self.now is None:
                writing.remove(self.parent, self.place)
            else:
                staged = writing.stage(self.parent, self.place, self.now.data, self.now)
                writing.land(self.parent, self.place, staged, over=now is not None)
            with suppress(ToolFailed):
                writing.settle(self.parent, self.place)
        except (ToolFailed, ToolRefused):
            return False
        return True


def _check(changes: Sequence[Change]) -> None:
    if not changes:
        raise ToolRefused("nothing would change")
    if len(changes) > MAX_FILES:
        raise TooLarge(f"{len(changes)} files would change; at most {MAX_FILES} in one call, so split it")
    known = [change.path for change in changes]
    for path in known:
        if known.count(path) > 1:
            raise ToolRefused(f"{path} would change twice in one call; put it all into one change")
        if inner := [other for other in known if other.startswith(f"{path}/")]:
            raise ToolRefused(f"{path} cannot be a file and the folder of {inner[0]}")
    if (size := sum(len(change.diff) for change in changes)) > MAX_DIFF:
        raise TooLarge(f"the diff has {size} characters, at most {MAX_DIFF} can be reviewed: split it")


def _opened(stack: ExitStack, root: Path, changes: Sequence[Change], made: list[Place]) -> Iterator[_Spot]:
    """Open the folder of each change, once each; `made` tells which of them had to be made."""
    handles: dict[Place, int] = {}
    for change in changes:
        place = paths.resolve(root, change.path)
        if place.relative != change.path:
            raise Stale(f"{change.path} now leads to {place.relative}")
        if place.parent not in handles:
            make = change.before is None
            made += writing.missing_folders(place) if make else []
            handles[place.parent] = stack.enter_context(folder(place.parent, make=make))
        yield _Spot(change, place, handles[place.parent])


def _check_moves(spots: Sequence[_Spot], open_: Sequence[_Spot]) -> None:
    """Refuse to make anew what somebody took away: a file arrives before it leaves, crash or not."""
    gone = {spot.change.path for spot in spots} - {spot.change.path for spot in open_}
    for spot in open_:
        if spot.change.after is not None and spot.change.pair in gone:
            raise Stale(f"{spot.change.pair} {_became('', None)}; look what there is")


def _undone(spots: Sequence[_Spot], made: Sequence[Place]) -> str:
    """Put back what was changed, last first, and return how that went."""
    landed = [spot.change.path for spot in spots if spot.landed]
    failed = [spot.change.path for spot in reversed(spots) if not spot.put_back()]
    writing.remove_folders(made)
    if failed:
        names = ", ".join(reversed(failed))
        raise NotUndone(
            f"the change failed in its middle, and could not be put back as it was: {names}. "
            "Read these files and tell the user."
        )
    return f"; nothing was changed ({', '.join(landed)} put back)" if landed else "; nothing was written"


def _became(before: str | None, now: str | None) -> str:
    if before is None:
        return "was created by somebody else meanwhile"
    return "was deleted meanwhile" if now is None else "was changed by somebody else meanwhile"


def _said(change: Change, applied: Applied) -> str:
    if applied == "already there":
        return f"{change.path} already is so."
    if change.after is None:
        return f"Moved {change.path} to {change.pair}." if change.pair else f"Deleted {change.path}."
    verb = "Created" if change.before is None else "Changed"
    return f"{verb} {change.path} ({change.strategy})."


def _cut(diff: str) -> str:
    if len(diff) <= REPORTED_DIFF:
        return diff
    return f"{diff[: diff.rindex(chr(10), 0, REPORTED_DIFF) + 1]}… {len(diff)} characters in all\n"
