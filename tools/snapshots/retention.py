"""Trees that nobody has used for long are let go, and what only they held is removed."""

import contextlib
import fcntl
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from artel.tools.snapshots.repository import DRAFT, TREES, Repository, SnapshotFailed, locked

YOUNG = "2.hours.ago"  # objects so new may belong to a snapshot that is being taken
MAX_BYTES = 5 * 1024**3  # of the objects of one workspace
SCATTERED = 5_000  # files of objects, from which on a pack is smaller and faster
LEFT_S = 3_600.0  # drafts so old were left by somebody who was killed


def prune(home: Path, older_than_s: float) -> int:
    """Let go of trees not used for so long, in all repositories below `home`; return how many.

    Of a repository over MAX_BYTES the half of its trees that was used longest ago goes too. One that is in
    use just now is left for the next time; one without trees goes whole.
    """
    gone = 0
    for repository in _repositories(home):
        with contextlib.suppress(OSError, SnapshotFailed):
            gone += _prune(repository, time.time() - older_than_s)
    return gone


def _repositories(home: Path) -> Iterator[Repository]:
    if home.is_dir():
        for git_dir in sorted(home.iterdir()):
            if (git_dir / "HEAD").is_file():
                yield Repository(Path("/"), git_dir)


def _prune(repository: Repository, before: float) -> int:
    objects = _objects(repository)
    with locked(repository, fcntl.LOCK_EX | fcntl.LOCK_NB):
        refs = sorted((ref.stat().st_mtime, ref) for ref in (repository.git_dir / TREES).glob("*"))
        too_many = len(refs) // 2 if sum(objects) > MAX_BYTES else 0
        old = [ref for at, (used, ref) in enumerate(refs) if used < before or at < too_many]
        for ref in old:
            ref.unlink()
        _tidy(repository)
        if len(old) == len(refs):
            shutil.rmtree(repository.git_dir)
            return len(old)
    if old or len(objects) > SCATTERED:
        repository.git("gc", "--quiet", f"--prune={YOUNG}")
    return len(old)


def _tidy(repository: Repository) -> None:
    """Remove what those who were killed left half-written."""
    for draft in repository.git_dir.glob(f"{DRAFT}*"):
        if draft.stat().st_mtime < time.time() - LEFT_S:
            draft.unlink()


def _objects(repository: Repository) -> list[int]:
    """Return the size of each file that holds objects."""
    return [path.stat().st_size for path in (repository.git_dir / "objects").rglob("*") if path.is_file()]
