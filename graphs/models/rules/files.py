"""Finding and reading files by tool calls."""

import re
from collections.abc import Generator
from dataclasses import dataclass
from typing import TypeAlias

from artel.graphs.models.rules.turn import Call, Step, Steps
from artel.tools.workspace.attaching import FOLDER

MAX_READS = 20  # windows of one file

NUMBERED = re.compile(r"^ *(\d+)\t(.*)$")
GO_ON = re.compile(r"go on with offset=(\d+)")
LINE_CUT = re.compile(r" \[line cut: \d+ characters\]$")


@dataclass(frozen=True, slots=True)
class File:
    """A file as it was read."""

    path: str
    lines: list[str]

    @property
    def text(self) -> str:
        """The lines, joined."""
        return "\n".join(self.lines)


Finding: TypeAlias = Generator[list[Call], Steps, list[str]]
Reading: TypeAlias = Generator[list[Call], Steps, File | Step]


def find(named: str) -> Finding:
    """Return the paths that fit a name: itself if it is there, else files of that name anywhere."""
    name = named.rstrip("/").removeprefix("./")
    if name.startswith(f"{FOLDER}/"):  # git ignores what people attach, so glob leaves it out
        return [name]
    (here, below) = yield [Call("glob", {"pattern": name}), Call("glob", {"pattern": f"**/{name}*"})]
    if here.ok and name in here.lines:
        return [name]
    exact = [p for p in below.lines if below.ok and (p == name or p.endswith(f"/{name}"))]
    return exact or (below.lines if below.ok else [])


def read(path: str) -> Reading:
    """Return the whole file, window by window; the failed step if it cannot be read."""
    lines: list[str] = []
    offset = 0
    for _ in range(MAX_READS):
        (step,) = yield [Call("read_file", {"file_path": path, **({"offset": offset} if offset else {})})]
        if not step.ok:
            return step
        lines += [text for _, text in numbered(step)]
        more = GO_ON.search(step.text.split("\n")[-1])
        if not more:
            break
        offset = int(more[1])
    return File(path, lines)


def numbered(step: Step) -> list[tuple[int, str]]:
    """Return the numbered lines in what read_file gave."""
    return [(int(m[1]), m[2]) for line in step.text.split("\n") if (m := NUMBERED.match(line))]


def is_cut(step: Step) -> bool:
    """Whether read_file or git_diff gave only the beginning."""
    return bool(GO_ON.search(step.text.split("\n")[-1])) or "\n… cut at " in step.text


def hits(step: Step) -> list[tuple[str, int, str]]:
    """Return path, line number and text of what grep found."""
    found = (re.match(r"^(.+?):(\d+):(.*)$", line) for line in step.lines)
    return [(m[1], int(m[2]), m[3]) for m in found if m] if step.ok else []


def counts(step: Step) -> dict[str, int]:
    """Return path → matching lines of what grep counted."""
    found = (re.match(r"^(.+):(\d+)$", line) for line in step.lines)
    return {m[1]: int(m[2]) for m in found if m} if step.ok else {}
