"""The repository of a workspace: found without looking around, inspected, and asked through git alone."""

import os
import re
from asyncio import to_thread
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from artel.tools.git import configuration
from artel.tools.git.configuration import Configuration
from artel.tools.git.confinement import environment, find_git
from artel.tools.git.errors import GitFailed, NoRepository, UnsafeRepository
from artel.tools.git.programs import Ran, run
from artel.tools.workspace.paths import printable

LOCAL_S = 60  # for what reads and writes files only
MAX_BYTES = 8_388_608  # of an answer that is worked on
MAX_SAID = 2_000  # characters of what git complains of
MAX_ENTRIES = 200_000  # of a git folder that are looked at; one with more is not worked in
WATCHER = "fsmonitor--daemon.ipc"  # the socket of a user's own file watcher; we never speak to it
MAX_LINKS = 4_096  # bytes of a file that says where a repository lies

UNDER_WAY = {
    "MERGE_HEAD": "merge",
    "CHERRY_PICK_HEAD": "cherry-pick",
    "REVERT_HEAD": "revert",
    "rebase-merge": "rebase",
    "rebase-apply": "rebase",
}
_LOCKED = re.compile(r"Unable to create '(.+\.lock)': File exists")
_SECRET = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository that was looked at and may be worked in."""

    root: Path
    "The work tree; for a bare repository its folder."
    git_dir: Path
    config: Configuration
    bare: bool = False

    async def git(
        self,
        *args: str,
        stdin: bytes = b"",
        at_most: int = MAX_BYTES,
        timeout_s: float = LOCAL_S,
        protocol: str = "none",
        writes: bool = False,
        config: Mapping[str, str] | None = None,
        ok: Sequence[int] = (0,),
        index: Path | None = None,
    ) -> Ran:
        """Run git here; an exit status that is not in `ok` is an error. `index` stands for the user's.

        Raises:
            GitFailed: with what git said of it, or that it took longer than `timeout_s`.
        """
        git = await to_thread(find_git)
        env = environment(protocol=protocol, writes=writes, config=config) | {"GIT_DIR": str(self.git_dir)}
        if not self.bare:
            env["GIT_WORK_TREE"] = str(self.root)
        if index:
            env["GIT_INDEX_FILE"] = str(index)
        argv = [git, "--no-pager", *args]
        try:
            ran = await run(argv, cwd=self.root, env=env, stdin=stdin, at_most=at_most, timeout_s=timeout_s)
        except TimeoutError:
            raise GitFailed(f"git {args[0]} took longer than {timeout_s:.0f} s and was stopped") from None
        except OSError as error:
            raise GitFailed(f"git could not be started: {error.strerror}") from error
        if ran.code not in ok and not ran.cut:
            raise GitFailed(complaint(ran, args[0]))
        return ran

    async def line(self, *args: str, ok: Sequence[int] = (0, 1)) -> str:
        """Return the one line git answers with, or nothing where it knows none."""
        ran = await self.git(*args, ok=ok)
        return os.fsdecode(ran.out).rstrip("\n") if ran.code == 0 else ""

    async def head(self) -> str:
        """Return the commit we are on; nothing before the first one."""
        return await self.line("rev-parse", "--verify", "--quiet", "HEAD")

    async def branch(self) -> str:
        """Return the branch we are on; nothing when on none."""
        return (await self.line("symbolic-ref", "--quiet", "HEAD")).removeprefix("refs/heads/")

    def check_at_rest(self) -> None:
        """Refuse to work into a merge or rebase that somebody has begun.

        Raises:
            GitFailed: one is under way.
        """
        for name, what in UNDER_WAY.items():
            if (self.git_dir / name).exists():
                raise GitFailed(f"a {what} is under way here; the user has to finish or abort it first")


def find(root: Path) -> Repository:
    """Return the repository whose work tree is `root` itself. Reads files, so it belongs into a thread.

    Raises:
        NoRepository: there is none, or `root` is only a folder of one.
        UnsafeRepository: it leads out of the workspace, or would run programs of its own.
    """
    dot_git = root / ".git"
    with _reading(root):
        if dot_git.is_symlink():
            raise UnsafeRepository(".git is a link; git was not run. Tell the user")
        if dot_git.is_dir():
            return _inspected(root, dot_git, dot_git)
        if dot_git.is_file():
            return _inspected(root, *_worktree(dot_git))
        raise NoRepository(_nowhere(root))


def elsewhere(root: Path) -> Path | None:
    """Return the git folder that the linked work tree `root` is of; None: it is not one.

    Raises:
        UnsafeRepository: that repository does not know `root`.
    """
    dot_git = root / ".git"
    with _reading(root):
        return _worktree(dot_git)[1] if dot_git.is_file() and not dot_git.is_symlink() else None


def find_bare(folder: Path) -> Repository:
    """Return the bare repository at `folder`.

    Raises:
        NoRepository: there is none.
        UnsafeRepository: as for `find`.
    """
    with _reading(folder):
        if (folder / "HEAD").is_file() and (folder / "objects").is_dir():
            found = _inspected(folder, folder, folder, bare=True)
            if found.config.last("core.bare") == "true":
                return found
    raise NoRepository(f"{folder} is no bare repository; only such a folder can be a remote here")


def complaint(ran: Ran, what: str) -> str:
    """Return what git complained of, as a model can act on it, without passwords."""
    said = ran.err.decode(errors="replace").strip() or ran.text.strip()
    if found := _LOCKED.search(said):
        return (
            f"{found[1]} exists: another git is at work here, or one died and left it. Nothing was changed. "
            "Try again in a moment; if it stays, the user has to remove that file."
        )
    lines = [printable(line) for line in said.splitlines() if not line.startswith("hint:")]
    told = _SECRET.sub("", "\n".join(lines))[:MAX_SAID]
    return told or f"git {what} ended with {ran.code} and said nothing"


@contextmanager
def _reading(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise GitFailed(f"the repository at {folder} cannot be read: {error.strerror}") from error


def _nowhere(root: Path) -> str:
    above = next((each for each in root.parents if (each / ".git").exists()), None)
    if above is None:
        return f"{root} is no git repository; the user can make it one with `git init`"
    return (
        f"{root} is only a folder of the repository {above}, and agents work in whole repositories: "
        "the user can choose that one as the workspace"
    )


def _worktree(dot_git: Path) -> tuple[Path, Path]:
    """Return the git folders of a linked work tree: the repository that it is of must know it, too."""
    git_dir = _pointed(dot_git, "gitdir: ")
    common = git_dir.parent.parent
    knows = (
        git_dir.parent.name == "worktrees"
        and _pointed(git_dir / "commondir") == common
        and _pointed(git_dir / "gitdir") == dot_git
    )
    if not knows:
        raise UnsafeRepository(
            ".git leads to a repository elsewhere that does not know this folder as a work tree of its own; "
            "git was not run. Tell the user"
        )
    return git_dir, common


def _pointed(file: Path, prefix: str = "") -> Path:
    if not file.is_file():  # a pipe would keep us for ever
        return Path("/nonexistent")
    with file.open("rb") as opened:
        said = os.fsdecode(opened.read(MAX_LINKS)).strip()
    return Path(os.path.realpath(file.parent / said.removeprefix(prefix)))


def _inspected(root: Path, git_dir: Path, common: Path, *, bare: bool = False) -> Repository:
    for folder in {git_dir, common}:
        if odd := next(_odd(folder), None):
            raise UnsafeRepository(
                f"{printable(str(odd))} leads out of the repository or is no file; git was not run. "
                "Tell the user"
            )
    if git_dir == common and (git_dir / "commondir").exists():
        raise UnsafeRepository(".git/commondir leads out of the repository; git was not run. Tell the user")
    files = (common / "config", common / "config.worktree", git_dir / "config.worktree")
    config = configuration.read(dict.fromkeys(files))
    tree = config.last("core.worktree")
    if tree and not bare and Path(os.path.realpath(git_dir / tree)) != root:
        raise UnsafeRepository("core.worktree leads out of the workspace; git was not run. Tell the user")
    return Repository(root, git_dir, config, bare)


def _odd(folder: Path) -> Iterator[Path]:
    """Yield what is no ordinary part of a git folder: links, pipes, objects borrowed from elsewhere."""
    for borrowed in ("objects/info/alternates", "objects/info/http-alternates"):
        if (folder / borrowed).exists():
            yield folder / borrowed
    folders, looked_at = [folder], 0
    while folders:
        at = folders.pop()
        with os.scandir(at) as entries:
            for entry in entries:
                looked_at += 1
                is_folder = entry.is_dir(follow_symlinks=False)
                ordinary = is_folder or entry.is_file(follow_symlinks=False) or entry.name == WATCHER
                if not ordinary or looked_at > MAX_ENTRIES:
                    yield Path(entry.path)
                elif is_folder and not _is_plain(folder, at, entry.name):
                    folders.append(Path(entry.path))


def _is_plain(folder: Path, at: Path, name: str) -> bool:
    """Say whether a folder need not be looked into: objects are found by their content only."""
    return (at == folder / "objects" and name not in ("info", "pack")) or (
        at == folder and name in ("hooks", "lfs", "modules", "worktrees", "annex")
    )
