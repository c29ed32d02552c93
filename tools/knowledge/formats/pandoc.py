"""Where pandoc is: in the wheel that brings it, or installed."""

import importlib.util
import shutil
from functools import cache
from pathlib import Path


@cache
def program() -> Path | None:
    """Return the program, or None. The package around it is not imported: it would look for newer ones."""
    found = importlib.util.find_spec("pypandoc")
    if found and found.origin:
        for name in ("pandoc", "pandoc.exe"):
            if (path := Path(found.origin).parent / "files" / name).is_file():
                return path
    installed = shutil.which("pandoc")
    return Path(installed) if installed else None
