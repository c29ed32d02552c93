"""Opening goes only where resolving said, and only to ordinary files."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace import opening
from artel.tools.workspace.paths import NoSuchFile, OutsideWorkspace, Place, TooLarge, WrongKind, resolve


def test_a_link_swapped_in_after_the_check_is_not_followed(root: Path) -> None:
    (root / "a").mkdir()
    (root / "a" / "secret.txt").write_text("inside")
    place = resolve(root, "a/secret.txt")
    (root / "a").rename(root / "b")
    (root / "a").symlink_to("..")
    with pytest.raises(OutsideWorkspace):
        opening.read_bytes(place, limit=100)


def test_a_file_swapped_for_a_link_is_not_followed(root: Path) -> None:
    (root / "a").write_text("inside")
    place = resolve(root, "a")
    (root / "a").unlink()
    (root / "a").symlink_to("../secret.txt")
    with pytest.raises(OutsideWorkspace):
        opening.read_bytes(place, limit=100)


def test_a_thousand_swaps_never_show_what_is_outside(root: Path) -> None:
    (root / "real").mkdir()
    (root / "real" / "secret.txt").write_text("inside")
    (root / "link").symlink_to("..")
    done = threading.Event()
    swapper = threading.Thread(target=swap_forever, args=(root, done))
    swapper.start()
    seen: set[str] = set()
    try:
        for _ in range(3000):
            try:
                seen.add(opening.read_bytes(resolve(root, "a/secret.txt"), limit=100).data.decode())
            except (ToolFailed, ToolRefused):
                seen.add("refused")
    finally:
        done.set()
        swapper.join()
    assert "outside" not in seen
    assert seen >= {"inside", "refused"}


def swap_forever(root: Path, done: threading.Event) -> None:
    while not done.is_set():
        for source in ("real", "link"):
            (root / source).rename(root / "a")
            (root / "a").rename(root / source)


def bind(path: str) -> None:
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind(path)


@pytest.mark.parametrize("make", [os.mkfifo, bind, os.mkdir])
def test_pipes_sockets_and_folders_are_no_files(
    root: Path, make: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(root)  # a socket's path must be short
    make("odd")
    with pytest.raises(WrongKind):
        opening.read_bytes(resolve(root, "odd"), limit=100)


def test_a_device_is_no_file() -> None:
    with pytest.raises(WrongKind, match="device"):
        opening.read_bytes(Place(Path("/dev"), ("zero",)), limit=100)


def test_a_file_that_says_it_is_empty_is_read_only_up_to_the_limit() -> None:
    with pytest.raises(TooLarge):
        opening.read_bytes(Place(Path("/proc"), ("kallsyms",)), limit=1000)


def test_a_huge_file_is_refused_at_once(root: Path) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(TooLarge, match=r"1048576\.0 MB"):
        opening.read_bytes(resolve(root, "huge"), limit=10 * 1_048_576)


def test_the_limit_itself_is_allowed(root: Path) -> None:
    (root / "a").write_bytes(b"x" * 1000)
    assert len(opening.read_bytes(resolve(root, "a"), limit=1000).data) == 1000
    with pytest.raises(TooLarge):
        opening.read_bytes(resolve(root, "a"), limit=999)


def test_errors_say_what_is_true(root: Path) -> None:
    (root / "README.md").touch()
    with pytest.raises(NoSuchFile, match=r"no readme\.md \(but there is README\.md\)"):
        opening.read_bytes(resolve(root, "readme.md"), limit=1)
    with pytest.raises(WrongKind, match=r"README\.md is a file, not a folder"):
        opening.read_bytes(resolve(root, "README.md/x"), limit=1)
    with pytest.raises(WrongKind, match="workspace itself"):
        opening.read_bytes(resolve(root, "."), limit=1)
    with pytest.raises(ToolRefused, match="too long"):
        opening.read_bytes(resolve(root, "x" * 300), limit=1)


def test_no_descriptor_stays_open(root: Path) -> None:
    (root / "a" / "b").mkdir(parents=True)
    (root / "a" / "b" / "c").write_text("x")
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path in ("a/b/c", "a/b/none", "a/none/c", "a/b", "a/b/c/d"):
        with contextlib.suppress(ToolFailed, ToolRefused):
            opening.read_bytes(resolve(root, path), limit=100)
    assert len(list(Path("/proc/self/fd").iterdir())) == before
