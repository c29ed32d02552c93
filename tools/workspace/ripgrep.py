"""Where ripgrep is, if it is installed."""

import shutil
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=1)
def find_ripgrep() -> str:
    """Return the path of ripgrep, or nothing."""
    found = shutil.which("rg") or ""
    return found if Path(found).is_absolute() else ""  # a relative one might be a file of the workspace
