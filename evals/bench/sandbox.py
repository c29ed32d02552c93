"""How long a command takes that does nothing, boxed and plain.

    python evals/bench/sandbox.py

Plain is `bash -c true` by Python's own subprocess. Figures of one run are to be compared with each other, not
with those of another machine or hour.
"""

import asyncio
import statistics
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from artel.tools.registry import TOOLS
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.tool import Work

ROUNDS = 60
AT_ONCE = 8
FLOOD = 100_000_000  # bytes


def main() -> None:
    """Print a table: median, p95, and the ratio to a plain process."""
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_measure(Path(folder).resolve()))


async def _measure(root: Path) -> None:
    _make_repository(root)
    work = Work(root, "bench", "bench", sandbox=Sandbox())
    plain = await measured(_plain)
    print(f"{'':44}{'median ms':>10}{'p95 ms':>9}{'ratio':>7}")
    _row("bash -c true, plain", plain, plain)
    _row("execute true", await measured(lambda: _execute(work, "true")), plain)
    _row(f"execute true, {AT_ONCE} at once", await measured(lambda: _many(work)), plain)
    online = Work(root, "bench", "bench", sandbox=Sandbox(SandboxSettings(hosts=("index.example",))))
    _row("execute true, with hosts to reach", await measured(lambda: _execute(online, "true")), plain)
    await online.sandbox.aclose()
    _row("execute git status, 1,000 files", await measured(lambda: _execute(work, "git status")), plain)
    _row("execute sleep, from the cancel to its end", await measured(lambda: _cancelled(work)), plain)
    flood = f"yes | head -c {FLOOD}"
    _row("execute, 100 MB of output", await measured(lambda: _execute(work, flood), rounds=5), plain)
    await work.sandbox.aclose()


async def measured(act: Callable[[], Awaitable[float | None]], rounds: int = ROUNDS) -> list[float]:
    """Return the milliseconds of each round, as `act` counts them or else all of it; the first warms up."""
    await act()
    took = []
    for _ in range(rounds):
        began = time.perf_counter()
        counted = await act()
        took.append((time.perf_counter() - began if counted is None else counted) * 1000)
    return took


async def _plain() -> None:
    await asyncio.to_thread(subprocess.run, ["/bin/bash", "-c", "true"], check=True)


async def _execute(work: Work, command: str) -> None:
    tool = TOOLS["execute"]
    assert tool.act
    said = await tool.act(work, tool.parse({"command": command}))
    assert said.text.startswith("[exit code 0 "), said.text


async def _many(work: Work) -> None:
    await asyncio.gather(*(_execute(work, "true") for _ in range(AT_ONCE)))


async def _cancelled(work: Work) -> float:
    going = asyncio.create_task(_execute(work, "setsid sleep 60 & sleep 60"))
    await asyncio.sleep(0.05)
    began = time.perf_counter()
    going.cancel()
    await asyncio.wait({going})
    return time.perf_counter() - began


def _row(name: str, took: list[float], plain: list[float]) -> None:
    median, p95 = statistics.median(took), statistics.quantiles(took, n=20)[-1]
    print(f"{name:44}{median:10.1f}{p95:9.1f}{median / statistics.median(plain):7.1f}")


def _make_repository(root: Path) -> None:
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for number in range(1_000):
        (root / f"file{number}.txt").write_text("text\n")


if __name__ == "__main__":
    main()
