"""How long the files of a workspace with 10,000 files take to be kept, compared and given back.

    python evals/bench/snapshots.py

Plain is a walk that reads the stat data of every file and nothing else. Figures of one run are to be compared
with each other, not with those of another machine or hour.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from artel.tools.snapshots import trees
from artel.tools.snapshots.grafting import graft
from artel.tools.snapshots.index import RACY_NS
from artel.tools.snapshots.repository import Repository, repository_of
from artel.tools.snapshots.restoring import restore
from artel.tools.snapshots.taking import take

ROUNDS = 20
FOLDERS, FILES = 100, 100
FILE = "pkg7/mod7.py"


def main() -> None:
    """Print a table: median, p95, and the ratio to the plain walk."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve() / "work"
        make_tree(root)
        kept = repository_of(root.parent / "snapshots", root)
        plain = measured(lambda: _walk(root))
        print(f"{'':44}{'median ms':>10}{'p95 ms':>9}{'ratio':>7}")
        _row("plain walk of 10,000 files", plain, plain)
        began = time.perf_counter()
        first = take(kept)
        print(f"{'first snapshot, once':44}{(time.perf_counter() - began) * 1000:10.1f}")
        time.sleep(RACY_NS / 1e9 + 0.1)
        take(kept)
        _row("snapshot, nothing changed", measured(lambda: take(kept)), plain)
        _row("snapshot, one file changed", measured(lambda: _changed(kept, root)), plain)
        _row("snapshot of one file after an edit", measured(lambda: _grafted(kept, root, first)), plain)
        later = take(kept)
        _row("what differs between two", measured(lambda: trees.changed(kept, first, later)), plain)
        _row("diff of two", measured(lambda: trees.diff(kept, first, later)), plain)
        _row("undo of one file", measured(lambda: _undone(kept, root, first)), plain)


def measured(work: Callable[[], object]) -> list[float]:
    """Return the milliseconds of each round; the first is not counted."""
    work()
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return took


def make_tree(root: Path) -> None:
    """Make the files."""
    for package in range(FOLDERS):
        (root / f"pkg{package}").mkdir(parents=True)
        for module in range(FILES):
            text = f"def function_{package}_{module}(value):\n    return value + {module}\n\n\n" * 10
            (root / f"pkg{package}" / f"mod{module}.py").write_text(text)
    (root / ".gitignore").write_text("*.log\n__pycache__/\n/dist/\n!keep.log\n")


def _row(name: str, took: list[float], plain: list[float]) -> None:
    median, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"{name:44}{median:10.1f}{p95:9.1f}{median / statistics.median(plain):7.1f}")


def _walk(folder: Path) -> int:
    total = 0
    with os.scandir(folder) as scanned:
        for entry in scanned:
            info = entry.stat(follow_symlinks=False)
            total += info.st_size
            if entry.is_dir(follow_symlinks=False):
                total += _walk(Path(entry.path))
    return total


def _edit(root: Path) -> None:
    (root / FILE).write_text(f"edited = {time.perf_counter_ns()}\n")


def _changed(kept: Repository, root: Path) -> None:
    _edit(root)
    take(kept)


def _grafted(kept: Repository, root: Path, tree: str) -> None:
    _edit(root)
    graft(kept, tree, [FILE])


def _undone(kept: Repository, root: Path, tree: str) -> None:
    _edit(root)
    restore(kept, tree)


if __name__ == "__main__":
    main()
