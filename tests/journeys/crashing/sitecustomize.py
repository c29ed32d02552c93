"""Python imports this first in a process whose PYTHONPATH leads here: it dies as by a power cut, once.

CRASH_BEFORE is the name of a file: the process is killed in the moment before that file is replaced, unless
the file CRASHED says that this has happened. Nothing of the process itself is changed.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any


def _crash(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "os.rename" and arguments[1] == os.environ["CRASH_BEFORE"]:
        crashed = Path(os.environ["CRASHED"])
        if not crashed.exists():
            crashed.touch()
            os.kill(os.getpid(), signal.SIGKILL)


if "CRASH_BEFORE" in os.environ:
    sys.addaudithook(_crash)
