"""A repository of a thread's own: all that another one holds, on a branch of its own, with no code run.

It shares nothing that is ever written: objects are hard links, and what the two commit stays apart. Its
`.git` is a folder inside, so the sandbox, the git tools and snapshots find it as they find any other.
"""

import re
from asyncio import to_thread
from dataclasses import dataclass
from pathlib import Path

from artel.tools.git import names
from artel.tools.git.configuration import REMOTE_NAME, Configuration
from artel.tools.git.errors import GitFailed
from artel.tools.git.repository import Repository
from artel.tools.snapshots.adopting import share_objects
from artel.tools.workspace.paths import TooLarge

MAX_LIST = 64 * 1_048_576  # bytes of a list of refs or files
CHECKOUT_S = 600
_KEPT = re.compile(
    r"(?:remote\.(.+)\.(?:url|pushurl|fetch)|user\.(?:name|email)|core\.(?:autocrlf|eol|filemode))"
)
_WHO = re.compile(r"(?<=^http://)[^/@]+@|(?<=^https://)[^/@]+@")


@dataclass(frozen=True, slots=True)
class Cloned:
    """What a clone begins with."""

    commit: str
    "Empty: nothing is committed there."
    bytes: int
    "Of the files that were checked out."


async def clone(
    source: Repository, target: Path, *, branch: str, ref: str = "", files: bool = True, max_bytes: int
) -> Cloned:
    """Make `target` a repository with all that `source` holds, on a new `branch`.

    The branch begins at `ref`, by default where `source` is.
    With `files` they are checked out, else those that are there are taken for the work tree. Remotes come
    along, without passwords; hooks, submodules, filters and what is not committed do not.

    Raises:
        BadName: `ref` means no commit.
        TooLarge: the files have more than `max_bytes`.
        GitFailed: git could not do it.
    """
    commit = await names.commit(source, ref) if ref else await source.head()
    made = Repository(target, target / ".git", Configuration(()))
    objects = await source.line("rev-parse", "--show-object-format")
    await made.git("init", "--quiet", "--template=", f"--object-format={objects}", writes=True)
    common = Path(await source.line("rev-parse", "--path-format=absolute", "--git-common-dir"))
    listed = await _refs(source)  # before the objects: what they lead to is there
    try:
        await to_thread(share_objects, common / "objects", made.git_dir / "objects")
    except OSError as error:
        raise GitFailed(f"{source.root} could not be copied: {error.strerror}; try again") from error
    await _configure(made, source.config)
    await made.git("update-ref", "--stdin", stdin=listed, writes=True)
    await made.git("symbolic-ref", "HEAD", f"refs/heads/{branch}", writes=True)
    if not commit:
        return Cloned("", 0)
    await made.git("update-ref", f"refs/heads/{branch}", commit, writes=True)
    if not files:
        await made.git("reset", "--quiet", "--mixed", timeout_s=CHECKOUT_S, writes=True)
        return Cloned(commit, 0)
    size = await _checked_size(made, commit, max_bytes)
    await made.git("reset", "--quiet", "--hard", timeout_s=CHECKOUT_S, writes=True)
    return Cloned(commit, size)


async def _refs(source: Repository) -> bytes:
    ran = await source.git(
        *("for-each-ref", "--format=%(if)%(symref)%(then)%(else)create %(refname) %(objectname)%(end)"),
        *("refs/heads", "refs/tags", "refs/remotes"),
        at_most=MAX_LIST,
    )
    return b"".join(line + b"\n" for line in ran.out.splitlines() if line)


async def _configure(made: Repository, config: Configuration) -> None:
    for key, value in config.entries:
        found = _KEPT.fullmatch(key)
        if found and (found[1] is None or REMOTE_NAME.fullmatch(found[1])) and "\n" not in value:
            file = str(made.git_dir / "config")
            await made.git("config", "--file", file, "--add", key, _WHO.sub("", value), writes=True)


async def _checked_size(made: Repository, commit: str, max_bytes: int) -> int:
    ran = await made.git("ls-tree", "-r", "-l", "-z", commit, at_most=MAX_LIST)
    sizes = (entry.split(b"\t")[0].split()[-1] for entry in ran.out.split(b"\0") if entry)
    size = sum(int(one) for one in sizes if one.isdigit())
    if ran.cut or size > max_bytes:
        raise TooLarge(
            f"the files of {commit[:10]} have {size >> 20} MB, more than the {max_bytes >> 20} MB allowed: "
            "raise max_mb of the workspace or ARTEL_WORKSPACES__MAX_MB"
        )
    return size
