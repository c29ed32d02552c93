"""Trees that nobody has used for long are let go, and what only they held is removed."""

import contextlib
import fcntl
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from artel.tools.snapshots.repository import DRAFT, TREES, Repository, SnapshotFailed, locked

YOUNG = "2.hours.ago"  # objects so new may belong to a snapshot that is being taken
LEFT_S = 3_600.0  # drafts so old were left by somebody who was killed


def prune(home: Path, older_than_s: float) -> int:
    """Let go of trees not used for so long, in all repositories below `home`; return how many.

    A repository that is in use just now is left for the next time; one without trees goes whole.
    """
    gone = 0
    for repository in _repositories(home):
        with contextlib.suppress(BlockingIOError, OSError, SnapshotFailed):
            gone += _prune(repository, time.time() - older_than_s)
    return gone


def _repositories(home: Path) -> Iterator[Repository]:
    if home.is_dir():
        for git_dir in sorted(home.iterdir()):
            if (git_dir / "HEAD").is_file():
                yield Repository(Path("/"), git_dir)


def _prune(repository: Repository, before: float) -> int:
    with locked(repository, fcntl.LOCK_EX | fcntl.LOCK_NB):
        refs = list((repository.git_dir / TREES).glob("*"))
        old = [ref for ref in refs if ref.stat().st_mtime < before]
        for ref in old:
            ref.unlink()
        for draft in repository.git_dir.glob(f"{DRAFT}*"):
            if draft.stat().st_mtime < time.time() - LEFT_S:
                draft.unlink()
        if len(old) == len(refs):
            shutil.rmtree(repository.git_dir)
            return len(old)
    if old or _is_scattered(repository):
        repository.git("gc", "--quiet", f"--prune={YOUNG}")
    return len(old)


def _is_scattered(repository: Repository) -> bool:
    """Say whether so many objects are files of their own that a pack would be smaller and faster."""
    return sum(1 for _ in (repository.git_dir / "objects").glob("[0-9a-f][0-9a-f]/*")) > 5_000
