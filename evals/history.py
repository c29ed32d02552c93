"""What came of all runs: one JSON line a case, added at the end, never changed.

`history.jsonl` lies in the data folder, `.artel/evals` if no other is named. A line is a `Result`, or
`{"accepted": <run>, "at": …}`: from then on that run is what later ones may not fall below.
"""

import fcntl
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from json import JSONDecodeError, dumps, loads
from pathlib import Path
from subprocess import run
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

FILE = "history.jsonl"
HOME = Path(".artel/evals")


class Marked(BaseModel):
    """A check and whether it held; None: it could not be judged there."""

    model_config = ConfigDict(frozen=True)

    name: str
    passed: bool | None
    said: str = ""


class Result(BaseModel):
    """What came of one case under one configuration."""

    model_config = ConfigDict(frozen=True)

    run: str
    at: str
    "UTC, ISO 8601."
    commit: str
    "With a `+` when files were changed since."
    configuration: str
    model: str
    case: str
    "`agent/name`."
    score: float
    floor: float
    marks: tuple[Marked, ...]
    calls: int
    tokens_in: int
    tokens_out: int
    usd: float | None
    seconds: float
    cached: int = 0
    "Of `tokens_in` those that the provider had in its cache."
    prompt: str = ""
    "Version of what its agent is told; empty: of a time that did not keep it."

    @property
    def key(self) -> tuple[str, str]:
        """What is compared with itself from run to run."""
        return self.configuration, self.case

    @property
    def agent(self) -> str:
        """Whose case it is."""
        return self.case.partition("/")[0]


@dataclass(frozen=True, slots=True)
class History:
    """All runs, oldest first."""

    results: Sequence[Result]
    accepted: str
    "The run that was accepted last; empty: none was."
    unreadable: int
    "Lines that are neither results nor acceptances: torn, or of another version."

    @property
    def runs(self) -> list[str]:
        """The runs, oldest first."""
        return list(dict.fromkeys(one.run for one in self.results))

    def of(self, run_id: str) -> dict[tuple[str, str], Result]:
        """Return the results of a run by configuration and case."""
        return {one.key: one for one in self.results if one.run == run_id}

    def latest(self) -> dict[tuple[str, str], Result]:
        """Return the newest result of each case under each configuration."""
        return {one.key: one for one in self.results}


def append(home: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Add lines, all or none; two processes that add at once do not mix theirs."""
    whole = "".join(f"{dumps(line, ensure_ascii=False)}\n" for line in lines).encode()
    home.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(home / FILE, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":  # somebody died in the middle of a line
            whole = b"\n" + whole
        left = memoryview(whole)
        try:
            while left:
                left = left[os.write(descriptor, left) :]
        except OSError:
            os.ftruncate(descriptor, size)
            raise
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def record(home: Path, results: Sequence[Result]) -> None:
    """Add the results of a run."""
    append(home, [one.model_dump(mode="json") for one in results])


def accept(home: Path, run_id: str) -> None:
    """Make a run what later ones may not fall below.

    Raises:
        KeyError: there is none of that id.
    """
    if run_id not in read(home).runs:
        raise KeyError(run_id)
    append(home, [{"accepted": run_id, "at": now()}])


def read(home: Path) -> History:
    """Return what has been recorded; a line that cannot be read is counted and skipped."""
    file = home / FILE
    results: list[Result] = []
    accepted, unreadable = "", 0
    for line in file.read_bytes().splitlines() if file.is_file() else ():
        try:
            said = loads(line)
            if isinstance(said, dict) and isinstance(said.get("accepted"), str):
                accepted = said["accepted"]
            else:
                results.append(Result.model_validate(said))
        except (JSONDecodeError, UnicodeDecodeError, ValidationError, RecursionError):
            unreadable += bool(line.strip())
    return History(results, accepted, unreadable)


def now() -> str:
    """Return the time, UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def commit(folder: Path) -> str:
    """Return the short id of the commit that is checked out, with a `+` when files differ from it."""
    try:
        head = run(["git", "rev-parse", "--short=10", "HEAD"], cwd=folder, capture_output=True, check=False)
        changed = run(["git", "status", "--porcelain"], cwd=folder, capture_output=True, check=False)
    except OSError:
        return ""
    if head.returncode:
        return ""
    return head.stdout.decode().strip() + ("+" if changed.stdout.strip() else "")
