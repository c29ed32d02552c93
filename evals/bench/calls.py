"""What a call costs besides its work: its plan, its verdict, the gate; and what an edit costs altogether.

    python evals/bench/calls.py

Plain is to write the same file durably by Python's own means. `through the loop` is what each further call of
a message adds to a run: verdict, gate, record, tool, all in process. Figures of one run are to be compared
with each other, not with those of another machine or hour.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from artel.graphs.agent_loop import loop
from artel.graphs.context import Handles, use
from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.fallback import Chain, Link
from artel.graphs.models.scripted import scripted
from artel.graphs.roles import built_in
from artel.graphs.verdicts import freeze
from artel.tools.registry import TOOLS
from artel.tools.tool import perform

ROUNDS = 200
CALLS = 40
FILE = "module.py"
EDIT = {"file_path": FILE, "old_string": "the_only = 1", "new_string": "the_only = 2"}
BACK = {"file_path": FILE, "old_string": "the_only = 2", "new_string": "the_only = 1"}
CALLED: dict[str, tuple[str, dict[str, Any]]] = {
    "read_file": ("read_file", {"file_path": FILE}),
    "grep": ("grep", {"pattern": "only"}),
    "execute": ("execute", {"command": "cd src && pytest -q tests > /tmp/out; tail -n 5 /tmp/out"}),
    "edit_file, with its plan": ("edit_file", EDIT),
}


def main() -> None:
    """Print a table: median, p95, and the ratio to a plain write."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        (root / "src").mkdir()
        text = "def function(value):\n    return value + 1\n\n\n" * 1_300 + "the_only = 1\n"
        (root / FILE).write_text(text)
        plain = measured(lambda: _write(root / "plain.py", text))
        print(f"{'':44}{'median ms':>10}{'p95 ms':>9}{'ratio':>7}")
        _row(f"plain write of {len(text) // 1000} KB", plain, plain)
        _row("edit_file, planned", measured(lambda: TOOLS["edit_file"].change(EDIT, root)), plain)
        _row("edit_file, planned and made", measured(lambda: _edited(root)), plain)
        (root / FILE).write_text(text)
        for name, (tool, args) in CALLED.items():
            _row(f"verdict on {name}", measured(partial(_verdict, root, tool, args)), plain)
        _row("ls, called plainly", measured(lambda: TOOLS["ls"].function(root, {})), plain)
        _row("ls, through the loop", asyncio.run(_through(root)), plain)


def measured(work: Callable[[], object]) -> list[float]:
    """Return the milliseconds of each round; the first is not counted."""
    work()
    took = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        work()
        took.append((time.perf_counter() - began) * 1000)
    return took


def _write(path: Path, text: str) -> None:
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _edited(root: Path) -> None:
    args = EDIT if "the_only = 1" in (root / FILE).read_text() else BACK
    planned = TOOLS["edit_file"].change(args, root)
    assert planned
    perform(root, planned, {})


def _verdict(root: Path, tool: str, args: dict[str, Any]) -> None:
    found = freeze("coder", [{"name": tool, "args": args, "id": "1"}], root, {}, batched=False)
    assert "problem" not in found["1"]


async def _through(root: Path) -> list[float]:
    """Return what each further call of a message adds."""
    await _run(root, 1)
    return [(await _run(root, CALLS) - await _run(root, 1)) / (CALLS - 1) for _ in range(10)]


async def _run(root: Path, count: int) -> float:
    calls = [{"name": "ls", "args": {}, "id": f"c{at}"} for at in range(count)]
    model = scripted({"tool_calls": calls}, "done")

    class One(Models):
        def chat(self, agent: str, override: str = "", *, usual: str = "") -> Chain:
            link = Link(spec="scripted", build=lambda: model, failures=tuple)
            return Chain(links=(link,), timeout_s=5, silence_s=5)

    given = Handles(models=One(ModelSettings()), roots=(root,), default_workspace=root)
    graph = loop(built_in()["coder"])
    with use(given):
        began = time.perf_counter()
        await graph.ainvoke({"messages": [("user", "go")]})
        return (time.perf_counter() - began) * 1000


def _row(name: str, took: list[float], plain: list[float]) -> None:
    median, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"{name:44}{median:10.2f}{p95:9.2f}{median / statistics.median(plain):7.2f}")


if __name__ == "__main__":
    main()
