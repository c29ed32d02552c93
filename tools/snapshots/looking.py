"""Look at one file as it was in a snapshot."""

from artel.tools.snapshots.repository import Repository
from artel.tools.snapshots.trees import FOLDER, LINK, rows_of


def content_in(repository: Repository, tree: str, path: str) -> bytes | None:
    """Return what was in a file, by its path as snapshots name paths; None: no file was there.

    Raises:
        SnapshotGone: the tree is not here any more.
    """
    repository.check(tree)
    at, (*folders, name) = _rows(repository, tree)["files"][1], path.split("/")
    for folder in folders:
        mode, child = _rows(repository, at).get(folder, ("", ""))
        if mode != FOLDER:
            return None
        at = child
    mode, blob = _rows(repository, at).get(name, ("", ""))
    if mode in ("", FOLDER, LINK):
        return None
    return next(repository.read([blob]))


def _rows(repository: Repository, tree: str) -> dict[str, tuple[str, str]]:
    return rows_of(next(repository.read([tree])))
