"""A copy of a folder is the folder, of which nothing was followed, run or waited for."""

import os
from pathlib import Path
from threading import Event

import pytest

from artel.tools.errors import ToolFailed
from artel.tools.workspace.paths import MARKER, OutsideWorkspace, TooLarge
from artel.tools.workspaces.copying import CopyStopped, copy

MANY = 1 << 30


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    return source, target


def test_files_links_modes_and_times_are_the_same(folders: tuple[Path, Path]) -> None:
    source, target = folders
    (source / "deep/er").mkdir(parents=True)
    (source / "deep/er/tool").write_bytes(os.urandom(3_000_000))
    (source / "deep/er/tool").chmod(0o755)
    (source / "ünï\n").write_text("odd")
    (source / os.fsdecode(b"\xff")).write_text("odder")
    (source / "out").symlink_to("/etc/passwd")
    (source / "loop").symlink_to(".")
    os.utime(source / "deep/er/tool", (1, 2))
    size = copy(source, target, max_bytes=MANY)
    assert size == 3_000_008
    for path in [*source.rglob("*")]:
        there = target / path.relative_to(source)
        was, now = path.lstat(), there.lstat()
        assert (was.st_mode, path.is_symlink()) == (now.st_mode, there.is_symlink())
        if path.is_symlink():
            assert there.readlink() == path.readlink()
        elif path.is_file():
            assert (there.read_bytes(), now.st_mtime_ns) == (path.read_bytes(), was.st_mtime_ns)


def test_what_is_no_file_and_what_is_artels_own_stays_out(folders: tuple[Path, Path]) -> None:
    source, target = folders
    os.mkfifo(source / "pipe")
    (source / "data/threads").mkdir(parents=True)
    (source / "data" / MARKER).touch()
    (source / ".git").mkdir()
    (source / "inner/.git").mkdir(parents=True)
    (source / "setuid").touch(0o755)
    (source / "setuid").chmod(0o4755)
    copy(source, target, max_bytes=MANY, without=(".git",))
    assert sorted(str(path.relative_to(target)) for path in target.rglob("*")) == [
        "inner",
        "inner/.git",
        "setuid",
    ]
    assert (target / "setuid").stat().st_mode & 0o7777 == 0o755


def test_a_copy_over_its_limit_is_refused(folders: tuple[Path, Path]) -> None:
    source, target = folders
    (source / "a").write_bytes(b"x" * 600_000)
    (source / "b").write_bytes(b"x" * 600_000)
    with pytest.raises(TooLarge, match=r"more than 1 MB.*ARTEL_WORKSPACES__MAX_MB"):
        copy(source, target, max_bytes=1 << 20)


def test_a_source_that_is_a_link_is_refused(folders: tuple[Path, Path]) -> None:
    source, target = folders
    link = source.with_name("link")
    link.symlink_to(source)
    with pytest.raises(OutsideWorkspace):
        copy(link, target, max_bytes=MANY)


def test_a_file_that_cannot_be_read_is_named(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = folders
    (source / "closed").write_text("x")
    really = os.open

    def refusing(path: str, *args: int, **more: int) -> int:
        if path == "closed":
            raise PermissionError(13, "Permission denied")
        return really(path, *args, **more)

    monkeypatch.setattr(os, "open", refusing)
    with pytest.raises(ToolFailed, match="closed: Permission denied"):
        copy(source, target, max_bytes=MANY)


def test_a_copy_is_stopped(folders: tuple[Path, Path]) -> None:
    source, target = folders
    (source / "a").touch()
    stop = Event()
    stop.set()
    with pytest.raises(CopyStopped):
        copy(source, target, max_bytes=MANY, stop=stop)
