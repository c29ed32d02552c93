"""The servers that are compared: how each is started, and what it has not."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import psutil

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
CONFIG = HERE / "served" / "langgraph.json"
PEERS = ROOT / ".venv" / "peers" / "bin" / "python"  # a venv of its own: their versions are not ours
SLOTS = 250
START_S = 60.0
STOP_S = 15.0
INHERITED = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True)
class Kind:
    """A server that can be measured."""

    name: str
    command: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    ok: str = "/ok"
    stores: bool = True  # what it keeps is in Postgres
    has_graphs: bool = True
    has_runs: bool = True  # runs are rows: in the background, listed, replayed


@dataclass
class Server:
    """A server that runs."""

    kind: Kind
    port: int
    process: psutil.Process
    start_s: float
    log: Path


def kinds(names: list[str], aegra: Path = PEERS) -> tuple[list[Kind], list[str]]:
    """Return the servers that can be started here, and a sentence for each that cannot."""
    dev = Path(sys.executable).with_name("langgraph")
    python, uvicorn = sys.executable, (sys.executable, "-m", "uvicorn", "--no-access-log", "--port", "{port}")
    known = [
        Kind(
            "artel",
            (
                python,
                "-m",
                "artel.server",
                "serve",
                "--port",
                "{port}",
                "--data",
                "{data}",
                "--config",
                str(CONFIG),
            ),
            {"ARTEL_STORAGE__POSTGRES": "{dsn}"},
        ),
        Kind(
            "dev",
            (
                *(str(dev), "dev", "--no-browser", "--no-reload", "--allow-blocking", "--port", "{port}"),
                *("--n-jobs-per-worker", str(SLOTS), "--server-log-level", "warning"),
                *("--config", "{served}/langgraph.json"),
            ),
            {"LANGSMITH_TRACING": "false", "LANGGRAPH_CLI_NO_ANALYTICS": "1"},
            stores=False,
        ),
        Kind(
            "aegra",
            (str(aegra), "-m", "uvicorn", "--no-access-log", "--port", "{port}", "aegra_api.main:app"),
            {
                "DATABASE_URL": "{url}",
                "AEGRA_CONFIG": "{served}/langgraph.json",
                "AUTH_TYPE": "noop",
                "LOG_LEVEL": "WARNING",
            },
            ok="/health",
        ),
        Kind(
            "floor",
            (*uvicorn, "--factory", "evals.bench.peers.floor:floor"),
            {"BENCH_POSTGRES": "{dsn}", "PYTHONPATH": str(ROOT)},
            ok="/docs",
            has_runs=False,
        ),
        Kind(
            "raw",
            (*uvicorn, "--factory", "evals.bench.peers.raw:raw"),
            {"PYTHONPATH": str(ROOT)},
            ok="/docs",
            stores=False,
            has_graphs=False,
            has_runs=False,
        ),
    ]
    here, missing = [], []
    for kind in known:
        if kind.name not in names:
            continue
        if kind.name == "dev" and not dev.exists():
            missing.append("dev is left out: langgraph-cli[inmem] is not installed (`make test` installs it)")
        elif kind.name == "aegra" and not _has_aegra(aegra):
            missing.append(
                f"aegra is left out: it is not installed at {aegra} (docs/reference/benchmarks.md says how)"
            )
        else:
            here.append(kind)
    return here, missing


@contextmanager
def started(kind: Kind, folder: Path, dsn: str, url: str) -> Iterator[Server]:
    """Start a server on a free port, and stop it and all its children whatever happens."""
    served = folder / "served"
    if not served.exists():
        shutil.copytree(CONFIG.parent, served)  # dev and aegra write beside their configuration
    port = _free_port()
    words = {"port": str(port), "data": str(folder / "data"), "served": str(served), "dsn": dsn, "url": url}
    env = {name: os.environ[name] for name in INHERITED if name in os.environ}
    env |= {name: value.format(**words) for name, value in kind.env.items()}
    log = folder / "log"
    begun = time.perf_counter()
    with log.open("ab") as out:
        process = subprocess.Popen(
            [word.format(**words) for word in kind.command],
            cwd=served,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    try:
        _wait_until_ok(kind, port, process, log)
        yield Server(kind, port, psutil.Process(process.pid), time.perf_counter() - begun, log)
    finally:
        _stop(process)


def _wait_until_ok(kind: Kind, port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}{kind.ok}", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.02)
    raise RuntimeError(f"{kind.name} did not start:\n{log.read_text(errors='replace')[-2000:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        try:
            process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            continue


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _has_aegra(python: Path) -> bool:
    ask = "import aegra_api, greenlet"
    return (
        python.exists()
        and not subprocess.run([python, "-c", ask], capture_output=True, check=False).returncode
    )


def version(kind: Kind, aegra: Path = PEERS) -> str:
    """Return the version of a peer, for the page."""
    package = {"dev": "langgraph-api", "aegra": "aegra-api"}.get(kind.name)
    if not package:
        return ""
    python = aegra if kind.name == "aegra" else Path(sys.executable)
    ask = f"import importlib.metadata, json; print(json.dumps(importlib.metadata.version({package!r})))"
    told = subprocess.run([python, "-c", ask], capture_output=True, check=True, text=True).stdout
    return f"{package} {json.loads(told)}"
