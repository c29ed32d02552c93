"""The cluster itself: made by `initdb`, started and stopped by `pg_ctl`, watched through `postmaster.pid`."""

import shlex
import shutil
import subprocess
import time
from pathlib import Path

import psutil

from artel.storage.embedded.place import Place
from artel.storage.errors import Unavailable

START_S = 60
RETRY_S = 5.0  # how long the remains of a killed postmaster may linger: zombies, backends, shared memory
LOG_BYTES = 5_000_000

# A laptop, one user. Durability is not touched: fsync, full_page_writes and synchronous_commit stay on.
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "32MB",
    "jit": "off",
    "io_method": "sync",  # no three I/O workers idling beside us
    "max_worker_processes": "4",
    "max_parallel_workers_per_gather": "0",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "wal_compression": "on",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "log_line_prefix": "%m [%p] ",
    "cluster_name": "artel",
}


class Cluster:
    """A database cluster in its place; all methods but `is_running` and `sockets` want the caller's turn."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.log = place.home / "postgres.log"

    def run(self) -> None:
        """Make the cluster unless it is there, start it unless it runs.

        Raises:
            Unavailable: `initdb` or `postgres` failed; the message carries its last line.
        """
        if not (self.place.cluster / "PG_VERSION").exists():
            self._make()
        deadline = time.monotonic() + RETRY_S
        while not self.is_running():
            self._clear_remains()
            failure = self._start()
            if failure and time.monotonic() > deadline:
                raise Unavailable(f"the embedded PostgreSQL does not start: {failure} (log: {self.log})")
            time.sleep(0.2 if failure else 0)

    def stop(self) -> None:
        """Stop it, breaking off what its clients do; at once when that takes more than ten seconds."""
        for mode in ("fast", "immediate"):
            if self._pg_ctl("stop", "--wait", "--timeout=10", f"--mode={mode}").returncode == 0:
                return
            if not self.is_running():
                return

    def is_running(self) -> bool:
        """Say whether a live postmaster has this cluster; a zombie, or a stranger with its pid, is none."""
        return (pid := self._pid()) is not None and self._is_ours(pid)

    def sockets(self) -> Path:
        """Return the folder of the running server's socket, as the server itself noted it."""
        return Path(self._note(4) or self.place.sockets)

    def _make(self) -> None:
        """Run `initdb` beside the final place: a cluster is there whole or not at all."""
        draft = self.place.cluster.with_name(self.place.cluster.name + ".new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self.place.hand_over(draft)
        result = self.place.run(
            "initdb",
            f"--pgdata={draft}",
            "--username=postgres",
            "--auth=trust",  # the 0700 folder around the socket is the boundary
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            "--no-instructions",
        )
        if result.returncode:
            shutil.rmtree(draft, ignore_errors=True)
            raise Unavailable(f"no database could be made in {self.place.home}: {_last_line(result.stdout)}")
        draft.rename(self.place.cluster)

    def _start(self) -> str:
        if self.log.exists() and self.log.stat().st_size > LOG_BYTES:
            self.log.replace(self.log.with_suffix(".log.1"))
        self.log.touch(mode=0o600)
        self.place.hand_over(self.log)
        settings = SETTINGS | {"unix_socket_directories": str(self.place.sockets)}
        options = " ".join(f"-c {name}={shlex.quote(value)}" for name, value in settings.items())
        result = self._pg_ctl(
            "start", "--wait", f"--timeout={START_S}", f"--log={self.log}", f"--options={options}"
        )
        return (
            _last_line(self.log.read_text("utf-8", "replace") or result.stdout) if result.returncode else ""
        )

    def _clear_remains(self) -> None:
        """Wait for the processes that a killed postmaster left behind, then drop its two lock files.

        Postgres takes a zombie, or a stranger that was given its pid, for a living postmaster and refuses.
        """
        deadline = time.monotonic() + RETRY_S
        while self._backends() and time.monotonic() < deadline:
            time.sleep(0.05)
        if not self._backends():
            (self.place.cluster / "postmaster.pid").unlink(missing_ok=True)
            (self.place.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)

    def _backends(self) -> bool:
        """Say whether any process works inside the cluster's folder; every postgres process does."""
        return any(self._is_ours(pid) for pid in psutil.pids())

    def _is_ours(self, pid: int) -> bool:
        try:
            process = psutil.Process(pid)
            return (
                process.status() != psutil.STATUS_ZOMBIE
                and process.name().startswith("postgres")
                and Path(process.cwd()).samefile(self.place.cluster)
            )
        except (psutil.Error, OSError):
            return False

    def _pid(self) -> int | None:
        note = self._note(0)
        return int(note) if note and note.isdecimal() else None

    def _note(self, line: int) -> str | None:
        try:
            notes = (self.place.cluster / "postmaster.pid").read_text("utf-8").splitlines()
        except FileNotFoundError:
            return None
        return notes[line].strip() if line < len(notes) else None

    def _pg_ctl(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return self.place.run("pg_ctl", f"--pgdata={self.place.cluster}", *arguments)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if "FATAL" in line or "error:" in line.lower()]
    return (telling or lines or ["it gave no reason"])[-1]
