"""PostgreSQL that comes with the package: started by the first owner of a data folder, stopped by the last.

An owner is a process that holds a shared `flock` on `postgres.owners`. The kernel drops the lock of a process
that is killed, so counting needs no list of process ids that could be stale.
"""

import fcntl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import gethostname
from threading import Event, Thread

from psycopg.conninfo import make_conninfo

from artel.storage.embedded.cluster import Cluster
from artel.storage.embedded.place import find_place
from artel.storage.errors import Unavailable

TURN_S = 90.0  # a start after a crash replays up to max_wal_size of log first
LOOK_S = 0.5


@contextmanager
def start(data: Path) -> Iterator[str]:
    """Own the database in folder `data` for the length of the context, and yield its connection string.

    Whoever comes first makes and starts it, others attach; the last to leave stops it. After `kill -9` of an
    owner the database lives on and the next start attaches; a database that was killed itself is started
    again within a second or two, at the same address.

    Raises:
        Unavailable: the folder cannot be used, or PostgreSQL cannot run on this machine; it says why.
    """
    cluster = Cluster(find_place(data))
    turn, owners = cluster.place.home / "postgres.turn", cluster.place.home / "postgres.owners"
    with _locked(turn, fcntl.LOCK_EX):
        _run(cluster, owners)
        ownership = owners.open("a")
        fcntl.flock(ownership, fcntl.LOCK_SH)
    try:
        with _guarded(cluster, turn, owners):
            yield make_conninfo("", host=str(cluster.sockets()), user="postgres", dbname="postgres")
    finally:
        with _locked(turn, fcntl.LOCK_EX):
            ownership.close()
            if _is_free(owners):
                cluster.stop()


def _run(cluster: Cluster, owners: Path) -> None:
    """Start the cluster, but never beside a postmaster that another container hides from us."""
    note, here = cluster.place.home / "postgres.machine", _here()
    if cluster.is_running():
        return
    if note.exists() and note.read_text("utf-8") != here and not _is_free(owners):
        raise Unavailable(
            f"the database in {cluster.place.home} is in use by another container or machine: "
            "give each its own --data, or name one database for all in ARTEL_STORAGE__POSTGRES"
        )
    cluster.run()
    note.write_text(here, "utf-8")


def _here() -> str:
    processes = Path("/proc/self/ns/pid")
    return f"{gethostname()} {processes.readlink() if processes.is_symlink() else ''}"


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[None]:
    """Hold a lock; polled, for a blocked `flock` could not be given up."""
    with path.open("a") as file:
        deadline = time.monotonic() + TURN_S
        while not _try(file.fileno(), kind):
            if time.monotonic() > deadline:
                raise Unavailable(f"another process has held {path} for {TURN_S:.0f} s; end it first")
            time.sleep(0.01)
        yield


def _is_free(path: Path) -> bool:
    with path.open("a") as file:
        return _try(file.fileno(), fcntl.LOCK_EX)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _guarded(cluster: Cluster, turn: Path, owners: Path) -> Iterator[None]:
    """Start the database again when it was killed; the out-of-memory killer likes it."""

    def revive() -> None:
        with _locked(turn, fcntl.LOCK_EX):
            _run(cluster, owners)

    left = Event()
    guard = Thread(target=_guard, args=(cluster, revive, left), name="embedded-postgres", daemon=True)
    guard.start()
    try:
        yield
    finally:
        left.set()
        guard.join()


def _guard(cluster: Cluster, revive: Callable[[], None], left: Event) -> None:
    while not left.wait(LOOK_S):
        if not cluster.is_running():
            try:
                revive()
            except (Unavailable, OSError):
                left.wait(5)  # the disk may be full; every query says so meanwhile
