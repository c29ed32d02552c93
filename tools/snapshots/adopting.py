"""Take over trees that were kept for one workspace into the repository of another."""

import errno
import os
import shutil
from pathlib import Path

from artel.tools.snapshots.repository import Repository, SnapshotFailed, opened

ATTEMPTS = 3  # at objects that git packs anew meanwhile
_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP}


def adopt(source: Repository, target: Repository, *trees: str) -> None:
    """Keep trees of `source` in `target` as well.

    Raises:
        SnapshotGone: one of them is not kept any more.
        SnapshotFailed: their objects cannot be copied.
    """
    with opened(source), opened(target):
        source.check(*trees)
        try:
            share_objects(source.git_dir / "objects", target.git_dir / "objects")
        except FileNotFoundError as error:
            raise SnapshotFailed(f"{source.git_dir} changed while it was copied; try again") from error
        for tree in trees:
            target.keep(tree)


def share_objects(source: Path, target: Path) -> None:
    """Put all objects of one git repository into another: as hard links, or copies where there are none.

    Git never writes into an object that is there.

    Raises:
        FileNotFoundError: they changed all the time.
    """
    for attempt in range(ATTEMPTS):
        try:
            _share(source, target)
        except FileNotFoundError:
            if attempt == ATTEMPTS - 1:
                raise
        else:
            return


def _share(source: Path, target: Path) -> None:
    for folder in source.iterdir():
        if folder.name == "info" or folder.is_symlink() or not folder.is_dir():
            continue
        (target / folder.name).mkdir(parents=True, exist_ok=True)
        with os.scandir(folder) as entries:
            named = [entry.name for entry in entries if entry.is_file(follow_symlinks=False)]
        for name in sorted(named, key=_is_index):  # a pack is there before its index says so
            if not name.startswith("tmp_") and not name.endswith(".lock"):
                _link(folder / name, target / folder.name / name)


def _is_index(name: str) -> bool:
    return name.endswith(".idx")


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        return
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        draft = target.with_name(f"tmp_{os.getpid()}_{target.name}")
        shutil.copyfile(source, draft, follow_symlinks=False)
        draft.chmod(0o444)
        draft.replace(target)
