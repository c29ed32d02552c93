"""How long the tools take to look at ten megabytes, against plain Python.

    python evals/bench/read_tools.py

Plain is `Path.read_text`, of the one file or of all files of a tree. Figures of one run are to be compared
with each other, not with those of another machine or hour.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from artel.tools.workspace import edit, listing, read, search
from evals.bench.snapshots import make_tree

ROUNDS = 40
BYTES = 10_000_000


def main() -> None:
    """Print a table: median, p95, and the ratio to plain reading."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        one, tree = root / "one", root / "tree"
        _make_file(one)
        many = Path(folder).resolve() / "many"
        _make_tree(tree)
        make_tree(many)
        plain_file = measured(lambda: (one / "big.log").read_text())
        plain_tree = measured(lambda: [path.read_text() for path in tree.rglob("*.py")])
        print(f"{'':44}{'median ms':>10}{'p95 ms':>9}{'ratio':>7}")
        _row("plain read of one 10 MB file", plain_file, plain_file)
        _row("read_file, its first lines", measured(lambda: read.read(one, "big.log")), plain_file)
        _row(
            "read_file, its last lines",
            measured(lambda: read.read(one, "big.log", offset=190_000)),
            plain_file,
        )
        _row("grep in it, a word", measured(lambda: search.grep(one, "nowhere")), plain_file)
        _row("grep in it, [A-Z]{5}\\d", measured(lambda: search.grep(one, r"[A-Z]{5}\d")), plain_file)
        _row("edit_file in it, planned", measured(_edit(one)), plain_file)
        _row("plain read of 1,000 files, 10 MB", plain_tree, plain_tree)
        _row("ls of 100 folders", measured(lambda: listing.ls(tree)), plain_tree)
        _row("glob **/mod5.py", measured(lambda: listing.glob(tree, "**/mod5.py")), plain_tree)
        _row("grep, a word", measured(lambda: search.grep(tree, "function_77_3")), plain_tree)
        _row(
            "grep, a word, without ripgrep",
            measured(lambda: search.grep(tree, "function_77_3", ripgrep="")),
            plain_tree,
        )
        _row("grep, [A-Z]{5}\\d", measured(lambda: search.grep(tree, r"[A-Z]{5}\d")), plain_tree)
        _row(
            "grep, [A-Z]{5}\\d, without ripgrep",
            measured(lambda: search.grep(tree, r"[A-Z]{5}\d", ripgrep="")),
            plain_tree,
        )
        _print_many(many)


def _print_many(many: Path) -> None:
    plain = measured(lambda: [path.read_text() for path in many.rglob("*.py")])
    _row("plain read of 10,000 files, 6 MB", plain, plain)
    _row("read_file of one of them", measured(lambda: read.read(many, "pkg7/mod7.py")), plain)
    _row("grep, a word", measured(lambda: search.grep(many, "function_77_3")), plain)
    _row("grep, [A-Z]{5}\\d", measured(lambda: search.grep(many, r"[A-Z]{5}\d")), plain)
    _row("glob **/mod5.py", measured(lambda: listing.glob(many, "**/mod5.py")), plain)


def measured(work: Callable[[], object]) -> list[float]:
    """Return the milliseconds of each round; the first warms the page cache and is not counted."""
    work()
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return took


def _row(name: str, took: list[float], plain: list[float]) -> None:
    median, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"{name:44}{median:10.1f}{p95:9.1f}{median / statistics.median(plain):7.1f}")


def _make_file(folder: Path) -> None:
    folder.mkdir()
    line = "2025-01-01 12:00:00 INFO request served in 12 ms\n"
    (folder / "big.log").write_text(line * (BYTES // len(line)))


def _make_tree(folder: Path) -> None:
    for package in range(100):
        (folder / f"pkg{package}").mkdir(parents=True)
        for module in range(10):
            text = f"def function_{package}_{module}(value):\n    return value + {module}\n\n\n"
            (folder / f"pkg{package}" / f"mod{module}.py").write_text(text * (BYTES // 1000 // len(text)))
    (folder / ".gitignore").write_text("*.log\n__pycache__/\n/dist/\n!keep.log\n")


def _edit(folder: Path) -> Callable[[], object]:
    with (folder / "big.log").open("a") as file:
        file.write("the only line like this\n")
    return lambda: edit.plan(folder, "big.log", "the only line", "one line")


if __name__ == "__main__":
    main()
