"""The box: what of the machine a command sees, and may write, made by bubblewrap.

Folders that somebody could exchange for a link while we look are handed over as open descriptors.
"""

import os
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile, gettempdir

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.git.repository import elsewhere
from artel.tools.sandbox.errors import SandboxUnavailable
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.workspace.paths import MARKER, OutsideWorkspace

HOME = "/home/agent"
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
# Not all of /etc: as root, or in a careless group, the server may read keys and password hashes there.
ETC = (
    "alternatives",
    "ca-certificates",
    "crypto-policies",
    "fonts",
    "java-*",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "localtime",
    "magic",
    "mime.types",
    "nsswitch.conf",
    "perl",
    "pki/ca-trust",
    "pki/tls/cert.pem",
    "pki/tls/certs",
    "protocols",
    "python3*",
    "services",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
)
# Without any capability, a server that runs as root is still the owner of these: one could name a program
# there that the kernel runs outside of every box (core_pattern). Bubblewrap covers them only in part.
KERNEL = (
    "acpi",
    "asound",
    "bus",
    "driver",
    "dynamic_debug",
    "fs",
    "irq",
    "mtrr",
    "pressure",
    "scsi",
    "sys",
    "sysrq-trigger",
)
KERNEL_SECRETS = ("kcore", "keys", "kmsg", "sched_debug", "slabinfo", "timer_list", "vmallocinfo")
OWN_ETC = Path(__file__).parent / "etc"
PROXY_PORT = 3128  # of the loopback of each box
MAX_REPOSITORIES = 200  # each is a descriptor
HELP = (
    "No command was run. Files can still be read and edited. The operator of the server has to install "
    "bubblewrap 0.8 or newer (Debian: apt install bubblewrap) and to allow user namespaces; "
    "docs/explanation/sandbox.md says how."
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command runs, and what of the machine is Artel's own."""

    root: Path
    "The workspace: resolved, and the only folder on disk that a command could write."
    workdir: Path
    "The folder to start in, in the workspace."
    data: Path | None = None
    "The server's data folder: hidden wherever it lies."
    roots: tuple[Path, ...] = ()
    "Folders of all workspaces: hidden below what is readable."
    read_only: bool = False
    "Whether the workspace cannot be written either."
    readable: tuple[Path, ...] = ()
    "What this command may read besides what every one may."
    instead: Mapping[Path, bytes] = field(default_factory=dict)
    "Files of a workspace that is not written, and what they hold for this command."


@dataclass(frozen=True, slots=True)
class Box:
    """What to put before a command, and the descriptors that it names."""

    argv: list[str]
    fds: tuple[int, ...]


def boxed(
    place: Place, settings: SandboxSettings, status_fd: int, opened: ExitStack, *, gate_fd: int | None = None
) -> Box:
    """Return a box for one command; bubblewrap tells of it at `status_fd`. `opened` closes its descriptors.

    With a `gate_fd` the command begins when its other end is closed.

    Raises:
        SandboxUnavailable: there is no bubblewrap.
        ToolRefused: the workspace is no folder to box: a system folder, or its `.git` is a link.
    """
    program = find_bubblewrap()
    if any(Path(folder).is_relative_to(place.root) for folder in ("/usr", "/etc", "/proc", "/dev")):
        raise ToolRefused(
            f"{place.root} holds the system's own folders: no command runs with it as workspace"
        )
    root = _open_root(place.root, opened)
    repositories, data = _look(root, place, opened)
    repositories |= _elsewhere(place, opened)
    foreign = _foreign(place, settings)
    instead = {path: _holding(data, opened) for path, data in place.instead.items()}
    argv = [
        *(program, "--unshare-all", "--unshare-user", "--disable-userns", "--uid", "1000", "--gid", "1000"),
        *("--cap-drop", "ALL", "--die-with-parent", "--new-session", "--hostname", "sandbox"),
        *("--json-status-fd", str(status_fd)),
        *(() if gate_fd is None else ("--block-fd", str(gate_fd))),
        *_scratch(settings),
        *_kernel(),
        *_system(settings, place),
        *(word for path in foreign for word in _hidden(path, place)),
        *("--ro-bind-fd" if place.read_only else "--bind-fd", str(root), str(place.root)),
        *(word for path, fd in repositories.items() for word in ("--ro-bind-fd", str(fd), str(path))),
        *(word for path, fd in instead.items() for word in ("--ro-bind-data", str(fd), str(path))),
        *(word for path in data for word in _hidden(path, place)),
        *(word for path in (*foreign, *data) for word in ("--remount-ro", str(path))),
        *("--remount-ro", "/", "--chdir", str(place.workdir), "--"),
    ]
    return Box(argv, (root, *repositories.values(), *instead.values()))


def find_bubblewrap() -> str:
    """Return the path of bubblewrap.

    Raises:
        SandboxUnavailable: it is not installed, or could be a file of a workspace.
    """
    found = shutil.which("bwrap") or ""
    if not Path(found).is_absolute():
        raise SandboxUnavailable(f"Commands need bubblewrap (bwrap), which this server has not. {HELP}")
    return found


def environment(settings: SandboxSettings) -> dict[str, str]:
    """Return all the variables that a command has: none of the server's own."""
    return {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "HOME": HOME if settings.mode == "bubblewrap" else gettempdir(),
        "TERM": "dumb",
        **dict(_proxied(settings)),
        **settings.env,
    }


def _proxied(settings: SandboxSettings) -> Iterator[tuple[str, str]]:
    if settings.hosts:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            value = "localhost,127.0.0.1,::1" if name == "no_proxy" else f"http://127.0.0.1:{PROXY_PORT}"
            yield from ((name, value), (name.upper(), value))


def _open_root(path: Path, opened: ExitStack) -> int:
    try:
        fd = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_DIRECTORY)
    except OSError as error:
        raise ToolRefused(f"{path} cannot be opened for a command: {error.strerror}") from error
    opened.callback(os.close, fd)
    if Path(f"/proc/self/fd/{fd}").readlink() != path:
        raise OutsideWorkspace(f"the workspace {path} is a link, or became one")
    return fd


def _holding(data: bytes, opened: ExitStack) -> int:
    """Return a descriptor from which `data` is read."""
    file = opened.enter_context(TemporaryFile(buffering=0))  # noqa: SIM115 - `opened` closes it
    file.write(data)
    file.seek(0)
    return file.fileno()


def _system(settings: SandboxSettings, place: Place) -> Iterator[str]:
    for folder in map(Path, SYSTEM):
        if folder.is_symlink():
            yield from ("--symlink", str(folder.readlink()), str(folder))
        else:
            yield from ("--ro-bind-try", str(folder), str(folder))
    for name in ETC:
        for path in Path("/etc").glob(name) if "*" in name else (Path("/etc", name),):
            yield from ("--ro-bind-try", str(path), str(path))
    for path in sorted(OWN_ETC.iterdir()):
        yield from ("--ro-bind", str(path), f"/etc/{path.name}")
    for path in (*settings.readable, *place.readable):
        yield from ("--ro-bind-try", str(path), str(path))


def _scratch(settings: SandboxSettings) -> Iterator[str]:
    size = str(settings.tmp_mb << 20)
    yield from ("--proc", "/proc", "--dev", "/dev", "--size", size, "--tmpfs", "/dev/shm")  # noqa: S108
    yield from ("--remount-ro", "/dev", "--perms", "1777", "--size", size, "--tmpfs", "/tmp")  # noqa: S108
    yield from ("--symlink", "../tmp", "/var/tmp", "--size", size, "--tmpfs", HOME)  # noqa: S108


def _foreign(place: Place, settings: SandboxSettings) -> list[Path]:
    """Return what of the data folder and of other workspaces lies below a folder that can be read."""
    readable = [*map(Path, SYSTEM), *settings.readable, *place.readable]
    own = {*place.roots, *([place.data] if place.data else [])} - {place.root}
    return sorted(
        path for path in own if path.is_dir() and any(path.is_relative_to(seen) for seen in readable)
    )


def _kernel() -> Iterator[str]:
    for name in KERNEL:
        yield from ("--ro-bind-try", f"/proc/{name}", f"/proc/{name}")
    for name in KERNEL_SECRETS:
        if Path("/proc", name).exists():
            yield from ("--ro-bind", "/dev/null", f"/proc/{name}")


def _hidden(path: Path, place: Place) -> tuple[str, ...]:
    way_through = place.root.is_relative_to(path)
    return ("--perms", "0711" if way_through else "0000", "--size", "65536", "--tmpfs", str(path))


def _look(root: int, place: Place, opened: ExitStack) -> tuple[dict[Path, int], list[Path]]:
    """Return git's own folders in the workspace and one level below, opened, and the data folders to hide.

    From descriptor to descriptor: a job in the background may exchange any name for a link meanwhile.
    """
    repositories: dict[Path, int] = {}
    data = {place.data} if place.data and place.data.is_dir() and place.root in place.data.parents else set()
    with os.scandir(f"/proc/self/fd/{root}") as entries:
        names = [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    for path in (place.root, *(place.root / name for name in names)):
        with ExitStack() as looked:
            folder = _try_open(path.name if path != place.root else ".", root, looked, os.O_DIRECTORY)
            if folder is None:
                continue
            if path != place.root and _try_open(MARKER, folder, looked) is not None:
                data.add(path)
            if (git := _try_open(".git", folder, opened)) is not None:
                repositories[path / ".git"] = git
    _check(repositories, place)
    return repositories, sorted(data)


def _elsewhere(place: Place, opened: ExitStack) -> dict[Path, int]:
    """Return the git folder that the workspace is a linked work tree of, opened: git reads it from there.

    Only one that names the workspace as its own work tree, and nothing around the server's data.
    """
    try:
        path = elsewhere(place.root)
    except (ToolRefused, ToolFailed):
        return {}
    if path is None or not path.name.endswith(".git") or not (path / "objects").is_dir():
        return {}
    if place.data and (path.is_relative_to(place.data) or place.data.is_relative_to(path)):
        return {}
    return {path: _open_root(path, opened)}


def _check(repositories: Mapping[Path, int], place: Place) -> None:
    links = [path for path, fd in repositories.items() if stat.S_ISLNK(os.fstat(fd).st_mode)]
    if links:
        raise ToolRefused(f"{links[0]} is a link: commands run only where git's own folder is a real one")
    if len(repositories) > MAX_REPOSITORIES:
        raise ToolRefused(
            f"{place.root} holds {len(repositories)} repositories; commands run where there are at most "
            f"{MAX_REPOSITORIES}: choose a folder below as workspace"
        )


def _try_open(name: str, folder: int, opened: ExitStack, kind: int = 0) -> int | None:
    """Return a descriptor of an entry of `folder`, itself if it is a link; None if there is none now."""
    try:
        fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | kind, dir_fd=folder)
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return None
    opened.callback(os.close, fd)
    return fd
