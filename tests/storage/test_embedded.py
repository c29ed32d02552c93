import ctypes
import fcntl
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psutil
import psycopg
import pytest

from artel.storage import embedded
from artel.storage.embedded import place
from artel.storage.errors import Unavailable

OWNER = """
import sys
from pathlib import Path
from artel.storage import embedded
with embedded.start(Path(sys.argv[1])) as dsn:
    print(dsn, flush=True)
    sys.stdin.read()
"""

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="speaks of what root does")


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder; not below pytest's own, which no other user may enter."""
    folder = Path(tempfile.mkdtemp(prefix="artel-", dir="/tmp")) / "data"
    folder.parent.chmod(0o755)
    yield folder
    shutil.rmtree(folder.parent)


@contextmanager
def owner(data: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    with subprocess.Popen(
        [sys.executable, "-c", OWNER, str(data)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        yield process, process.stdout.readline().strip()


def postmaster(data: Path) -> int | None:
    note = data / "postgres/postmaster.pid"
    return int(note.read_text().splitlines()[0]) if note.exists() else None


def ask(dsn: str, query: str) -> object:
    with psycopg.connect(dsn) as conn:
        row = conn.execute(query).fetchone()
    return row and row[0]


def leave_stranger(data: Path, pid: int) -> None:
    """Put the note of a postmaster that is gone, with a pid that somebody else has by now."""
    note = data / "postgres/postmaster.pid"
    note.write_text(f"{pid}\n{note.parent}\n1700000000\n5432\n{note.parent}\n\n 0 0\nready\n")


def test_what_was_written_is_there_after_a_stop_and_a_start(data: Path) -> None:
    with embedded.start(data) as dsn, psycopg.connect(dsn) as conn:
        conn.execute("create table notes as select 'kept' as note")
    assert postmaster(data) is None
    with embedded.start(data) as dsn:
        assert ask(dsn, "select note from notes") == "kept"
        assert ask(dsn, "show fsync") == "on"
        assert ask(dsn, "select lower('ПРИВЕТ')") == "привет"


def test_the_last_of_two_processes_stops_it(data: Path) -> None:
    with owner(data) as (second, dsn):
        with owner(data) as (_, same):
            assert same == dsn
        assert ask(dsn, "select 1") == 1
        second.communicate("")
    assert postmaster(data) is None


def test_two_processes_that_start_at_once_on_nothing_share_one_database(data: Path) -> None:
    with ThreadPoolExecutor() as both:
        starts = [owner(data), owner(data)]
        dsns = {entered[1] for entered in both.map(lambda start: start.__enter__(), starts)}
        assert len(dsns) == 1
        assert ask(dsns.pop(), "select 1") == 1
        list(both.map(lambda start: start.__exit__(None, None, None), starts))
    assert postmaster(data) is None


def test_a_killed_owner_leaves_it_running_for_the_next(data: Path) -> None:
    with owner(data) as (process, dsn):
        before = postmaster(data)
        process.kill()
    assert ask(dsn, "select 1") == 1
    with embedded.start(data) as again:
        assert (again, postmaster(data)) == (dsn, before)
    assert postmaster(data) is None


def test_a_killed_database_comes_back_at_the_same_address_with_its_data(data: Path) -> None:
    with embedded.start(data) as dsn:
        with psycopg.connect(dsn) as conn:
            conn.execute("create table notes as select 'kept' as note")
        killed = postmaster(data)
        assert killed
        os.kill(killed, signal.SIGKILL)
        deadline = time.monotonic() + 20
        while True:
            try:
                assert ask(dsn, "select note from notes") == "kept"
                break
            except psycopg.OperationalError:
                assert time.monotonic() < deadline
                time.sleep(0.1)
        assert postmaster(data) != killed


def test_a_database_killed_while_nobody_looked_is_started_again(data: Path) -> None:
    with owner(data) as (process, _):
        killed = postmaster(data)
        assert killed
        process.kill()
    os.kill(killed, signal.SIGKILL)
    while psutil.pid_exists(killed) and psutil.Process(killed).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    with embedded.start(data) as dsn:
        assert ask(dsn, "select 1") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="adopts the postmaster by prctl")
def test_a_postmaster_that_is_a_zombie_counts_as_dead(data: Path) -> None:
    libc = ctypes.CDLL(None)
    set_child_subreaper = 36
    assert libc.prctl(set_child_subreaper, 1, 0, 0, 0) == 0
    try:
        with owner(data) as (process, _):
            killed = postmaster(data)
            assert killed
            process.kill()
        os.kill(killed, signal.SIGKILL)
        while psutil.Process(killed).status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        with embedded.start(data) as dsn:
            assert ask(dsn, "select 1") == 1
        os.waitpid(killed, 0)
    finally:
        libc.prctl(set_child_subreaper, 0, 0, 0, 0)


def test_a_stale_note_with_the_pid_of_a_stranger_does_not_keep_it_from_starting(data: Path) -> None:
    with embedded.start(data):
        pass
    leave_stranger(data, os.getpid())
    with embedded.start(data) as dsn:
        assert ask(dsn, "select 1") == 1


def test_it_refuses_to_start_beside_a_postmaster_in_another_container(data: Path) -> None:
    with embedded.start(data):
        pass
    (data / "postgres.machine").write_text("elsewhere pid:[1]")
    with (data / "postgres.owners").open("a") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_SH)
        with pytest.raises(Unavailable, match="another container"), embedded.start(data):
            pass
    with embedded.start(data) as dsn:
        assert ask(dsn, "select 1") == 1


def test_a_folder_too_deep_for_a_socket_gets_a_short_private_one(data: Path) -> None:
    deep = data / ("d" * 60) / ("d" * 60)
    with embedded.start(deep) as dsn:
        assert ask(dsn, "select 1") == 1
        sockets = Path(psycopg.conninfo.conninfo_to_dict(dsn)["host"] or "")  # type: ignore[arg-type]
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
    shutil.rmtree(sockets)


def test_a_cluster_is_private(data: Path) -> None:
    with embedded.start(data):
        assert stat.S_IMODE((data / "postgres").stat().st_mode) == 0o700
        assert not stat.S_IMODE(data.stat().st_mode) & 0o007


def test_a_broken_off_first_start_is_begun_anew(data: Path) -> None:
    (data / "postgres.new/base").mkdir(parents=True)
    with embedded.start(data) as dsn:
        assert ask(dsn, "select 1") == 1


def test_a_file_in_place_of_the_folder_is_said_in_one_sentence(data: Path) -> None:
    data.write_text("")
    with pytest.raises(Unavailable, match=r"the data folder .* cannot be used .*--data or ARTEL_DATA"):
        embedded.start(data).__enter__()


def test_a_cluster_that_cannot_start_says_why_and_where_the_log_is(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artel.storage.embedded.cluster.RETRY_S", 0.1)
    with embedded.start(data):
        pass
    with (data / "postgres/postgresql.conf").open("a") as conf:
        conf.write("no_such_setting = 1\n")
    with pytest.raises(Unavailable, match=r"does not start: .*postgres\.log"):
        embedded.start(data).__enter__()


def test_a_cluster_of_another_major_is_not_touched(data: Path) -> None:
    (data / "postgres").mkdir(parents=True)
    (data / "postgres/PG_VERSION").write_text("12\n")
    with pytest.raises(Unavailable, match="of PostgreSQL 12"):
        embedded.start(data).__enter__()


def test_a_machine_without_binaries_is_told_of_the_setting(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "find_spec", lambda name: None)
    with pytest.raises(Unavailable, match="ARTEL_STORAGE__POSTGRES"):
        embedded.start(data).__enter__()


@as_root
def test_root_keeps_private_parents_private_and_puts_the_cluster_elsewhere(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system = data.parent / "system"
    monkeypatch.setattr(place, "SYSTEM_HOME", system)
    private = data.parent / "private"
    private.mkdir(mode=0o700)
    with embedded.start(private / "data") as dsn:
        assert ask(dsn, "select 1") == 1
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert (private / "data/postgres.home").resolve().parent == system
    with embedded.start(private / "data") as again:
        assert again == dsn


@as_root
def test_root_copies_binaries_that_the_server_user_cannot_reach(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(place, "SYSTEM_HOME", data.parent / "system")
    private = data.parent / "private"
    private.mkdir(mode=0o700)
    for major, install in place._installs().items():
        site = install.parent.parent
        shutil.copytree(install, private / install.relative_to(site), symlinks=True)
        shutil.copytree(site / f"{place.WHEEL}.libs", private / f"{place.WHEEL}.libs")
        monkeypatch.setattr(
            place, "_installs", lambda major=major: {major: private / place.WHEEL / f"pginstall{major}"}
        )
    with embedded.start(data) as dsn:
        assert ask(dsn, "select 1") == 1


@as_root
def test_root_runs_a_cluster_that_another_user_made_as_that_user(data: Path) -> None:
    with embedded.start(data):
        pass
    nobody = 65534
    for path in (data, data / "postgres.log", *(data / "postgres").rglob("*"), data / "postgres"):
        os.chown(path, nobody, nobody)
    with embedded.start(data) as dsn:
        assert ask(dsn, "select 1") == 1
        running = postmaster(data)
        assert psutil.Process(running).uids().real == nobody


@as_root
def test_a_link_to_a_cluster_that_is_gone_is_said(data: Path) -> None:
    data.mkdir()
    (data / "postgres.home").symlink_to(data.parent / "gone")
    with pytest.raises(Unavailable, match="remove the link"):
        embedded.start(data).__enter__()
