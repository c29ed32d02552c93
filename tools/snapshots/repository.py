"""A private bare repository of one workspace: objects are only added, and refs say which trees to keep.

It lies in Artel's own folder. The workspace's `.git`, if it has one, is neither read nor written, and git
never sees the workspace: files are read and written by us alone.
"""

import contextlib
import fcntl
import os
import shutil
import subprocess
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha1, sha256
from pathlib import Path

from artel.tools.errors import ToolFailed
from artel.tools.workspace.paths import MARKER

KEY = 32  # hex digits of the digest of a workspace's path
TREES = "refs/artel"
DRAFT = "draft-"
GIT_TIMEOUT_S = 120
FEW = 256  # objects up to which each becomes a file of its own: no process is started for them
BATCH_BYTES = 32 * 1_048_576
KINDS = {"tree": 2, "blob": 3}
CONFIG = {
    "gc.auto": "0",
    "core.fsync": "pack,pack-metadata",  # what of its files is on the disk before they have names
    "gc.packRefs": "false",  # the age of a ref is that of its file
    "safe.directory": "*",
    "core.attributesFile": os.devnull,
    "core.hooksPath": os.devnull,
}


class SnapshotFailed(ToolFailed):
    """The files of a workspace could not be kept, or not be given back."""

    code = "snapshot_failed"


class SnapshotGone(ToolFailed):
    """A tree is not here any more: it was too old, or is kept by another machine."""

    code = "snapshot_gone"
    status = 410


@dataclass(frozen=True, slots=True)
class Repository:
    """Where the trees of one workspace are kept."""

    root: Path
    "The workspace."
    git_dir: Path

    @property
    def index(self) -> Path:
        """What was last seen in the workspace, with the stat data of each file."""
        return self.git_dir / "artel-index.json"

    def ref(self, tree: str) -> Path:
        """The file that keeps a tree; it is as old as the last use of the tree."""
        return self.git_dir / TREES / tree

    def git(self, *arguments: str, given: bytes = b"") -> bytes:
        """Run git on this repository and return what it prints.

        Raises:
            SnapshotFailed: git is not installed, or refuses; the message has its first line.
        """
        options = [part for name, value in CONFIG.items() for part in ("-c", f"{name}={value}")]
        command = [find_git(), *options, f"--git-dir={self.git_dir}", *arguments]
        try:
            done = subprocess.run(  # noqa: S603 - arguments as a list, none of them a user's
                command,
                input=given,
                capture_output=True,
                env=_ENVIRONMENT,
                cwd="/",
                timeout=GIT_TIMEOUT_S,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise SnapshotFailed(f"git could not be run: {error}") from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
            raise SnapshotFailed(f"git {arguments[0]} failed: {said}")
        return done.stdout

    def put(self, path: Path, data: bytes) -> os.stat_result:
        """Write a file of the repository whole, in one step for its readers; return its stat data.

        After a power cut it may be missing, or empty: it is for what can be made anew.
        """
        draft = self._draft()
        try:
            draft.write_bytes(data)
            info = draft.stat()
            draft.rename(path)
            return info
        except OSError:
            with contextlib.suppress(OSError):
                draft.unlink()
            raise

    def put_durably(self, files: Mapping[Path, bytes]) -> None:
        """Write files of the repository: after a power cut each is whole or is not there.

        They take their names only when all of them are on the disk. The names are durable with the next
        `sync_folder`, as file systems with a journal (ext4, XFS) keep names in the order they were given.
        """
        drafts: dict[Path, Path] = {}
        try:
            with contextlib.ExitStack() as stack:
                handles = []
                for path, data in files.items():
                    drafts[path] = self._draft()
                    file = stack.enter_context(drafts[path].open("wb", 0))
                    file.write(data)
                    handles.append(file.fileno())
                for handle in handles:
                    os.fsync(handle)
            for path, draft in drafts.items():
                draft.rename(path)
        except OSError:
            for draft in drafts.values():
                with contextlib.suppress(OSError):
                    draft.unlink()
            raise

    def _draft(self) -> Path:
        return self.git_dir / f"{DRAFT}{os.getpid()}-{os.urandom(6).hex()}"

    def keep(self, tree: str) -> None:
        """Note that a tree is used now: it stays for the whole time of retention from here."""
        ref = self.ref(tree)
        try:
            os.utime(ref)
        except FileNotFoundError:
            ref.parent.mkdir(parents=True, exist_ok=True)
            self.put_durably({ref: f"{tree}\n".encode()})
            sync_folder(ref.parent)

    def keeps(self, tree: str) -> bool:
        """Say whether a tree is kept here."""
        return tree.isalnum() and self.ref(tree).is_file()

    def check(self, *trees: str) -> None:
        """Make sure that all these trees are here.

        Raises:
            SnapshotGone: one of them is not.
        """
        for tree in trees:
            if not self.keeps(tree):
                raise SnapshotGone(
                    f"the files of tree {tree[:12]} are kept no longer, or on another machine; "
                    "nothing was changed"
                )

    def read(self, names: Iterable[str]) -> Iterator[bytes]:
        """Yield objects by their names, in order; each is what its name says.

        Raises:
            SnapshotFailed: one is missing, or broken.
        """
        wanted = list(names)
        output = self.git("cat-file", "--batch", given="".join(f"{name}\n" for name in wanted).encode())
        at = 0
        for name in wanted:
            end = output.index(b"\n", at)
            head = output[at:end].split(b" ")
            if len(head) != 3:
                raise SnapshotFailed(f"object {name[:12]} is missing in {self.git_dir}")
            kind, size = head[1].decode(), int(head[2])
            data = output[end + 1 : end + 1 + size]
            at = end + size + 2
            if ":" not in name and name_of(kind, data) != name:
                raise SnapshotFailed(f"object {name[:12]} in {self.git_dir} is broken")
            yield data


@dataclass(slots=True)
class Writer:
    """Adds objects: many at once go into a pack, few into files of their own."""

    repository: Repository
    _waiting: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    _bytes: int = 0

    def add(self, kind: str, data: bytes) -> str:
        """Add an object and return its name; it is there after the next `flush`."""
        name = name_of(kind, data)
        if name not in self._waiting:
            self._waiting[name] = (kind, data)
            self._bytes += len(data)
            if self._bytes > BATCH_BYTES:
                self.flush()
        return name

    def flush(self) -> None:
        """Store what was added: all of it is on the disk before a ref says that a tree is kept."""
        if len(self._waiting) > FEW:
            self.repository.git("index-pack", "--stdin", given=_pack(self._waiting.values()))
        else:
            self.repository.put_durably(dict(_new(self.repository, self._waiting)))
        self._waiting.clear()
        self._bytes = 0


def repository_of(home: Path, root: Path) -> Repository:
    """Return the repository of the workspace `root` (a real path) below `home`; nothing is made yet."""
    return Repository(root, home / sha256(os.fsencode(root)).hexdigest()[:KEY])


@contextmanager
def opened(repository: Repository) -> Iterator[Repository]:
    """Make the repository if it is missing, and hold off its removal.

    Raises:
        SnapshotFailed: it cannot be made: no git, no room, no right to write.
    """
    home = repository.git_dir.parent
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / MARKER).touch()  # a walk of a workspace around it does not enter
        with locked(repository, fcntl.LOCK_SH):
            if not (repository.git_dir / "HEAD").exists():
                _make(repository)
            yield repository
    except OSError as error:
        raise SnapshotFailed(
            f"files cannot be kept in {repository.git_dir}: {error.strerror or error}"
        ) from error


@contextmanager
def locked(repository: Repository, how: int) -> Iterator[None]:
    """Hold the lock of a repository: shared by those who use it, alone for who removes from it.

    Where a file system has no locks, only those who use it go on.

    Raises:
        OSError: with LOCK_NB, somebody else holds it, or there are no locks.
    """
    handle = os.open(
        repository.git_dir.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
    )
    try:
        try:
            fcntl.flock(handle, how)
        except OSError:
            if how & fcntl.LOCK_NB:
                raise
        yield
    finally:
        os.close(handle)


def name_of(kind: str, data: bytes) -> str:
    """Return the name that git gives an object."""
    return sha1(b"%s %d\0%s" % (kind.encode(), len(data), data), usedforsecurity=False).hexdigest()


@lru_cache(maxsize=1)
def find_git() -> str:
    """Return the path of git.

    Raises:
        SnapshotFailed: it is not installed.
    """
    found = shutil.which("git") or ""
    if not Path(found).is_absolute():
        raise SnapshotFailed("git is not installed, so files are not kept: install git")
    return found


_ENVIRONMENT = {
    "PATH": os.defpath,
    "LC_ALL": "C",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
}


def _make(repository: Repository) -> None:
    draft = repository.git_dir.with_name(f"{repository.git_dir.name}.{os.getpid()}-{os.urandom(6).hex()}")
    Repository(repository.root, draft).git("init", "--quiet", "--bare", "--template=")
    draft.chmod(0o700)
    (draft / "description").write_bytes(os.fsencode(repository.root) + b"\n")
    try:
        draft.rename(repository.git_dir)
    except OSError:  # another process was faster
        shutil.rmtree(draft, ignore_errors=True)
        if not (repository.git_dir / "HEAD").exists():
            raise


def sync_folder(folder: Path) -> None:
    """Make it durable which names stand in a folder."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _new(repository: Repository, objects: Mapping[str, tuple[str, bytes]]) -> Iterator[tuple[Path, bytes]]:
    """Yield the files of those objects that are not there yet."""
    for name, (kind, data) in objects.items():
        path = repository.git_dir / "objects" / name[:2] / name[2:]
        try:
            os.utime(path)  # so young that no clean-up takes it
        except FileNotFoundError:
            path.parent.mkdir(exist_ok=True)
            yield path, zlib.compress(b"%s %d\0%s" % (kind.encode(), len(data), data), 1)


def _pack(objects: Iterable[tuple[str, bytes]]) -> bytes:
    """Return a pack, as gitformat-pack(5) describes it: whole objects, no deltas."""
    parts = [b""]
    for kind, data in objects:
        parts += (_head(KINDS[kind], len(data)), zlib.compress(data, 1))
    parts[0] = b"PACK" + (2).to_bytes(4, "big") + ((len(parts) - 1) // 2).to_bytes(4, "big")
    body = b"".join(parts)
    return body + sha1(body, usedforsecurity=False).digest()


def _head(kind: int, size: int) -> bytes:
    """Type and size: four bits of it in the first byte, then seven a byte, lowest first."""
    byte, size = kind << 4 | size & 15, size >> 4
    head = bytearray()
    while size:
        head.append(byte | 0x80)
        byte, size = size & 0x7F, size >> 7
    head.append(byte)
    return bytes(head)
