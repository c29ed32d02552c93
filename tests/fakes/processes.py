"""What runs below the process of a test."""

from collections.abc import Iterator
from contextlib import suppress

import psutil


def children() -> Iterator[tuple[int, list[str]]]:
    """Yield id and command line of each process below this one; what has just ended has none."""
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            yield child.pid, child.cmdline()
