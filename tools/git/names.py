"""Names of branches, remotes and revisions: checked, so that none is taken for an option."""

import os
from pathlib import Path

from artel.tools.git.configuration import REMOTE_NAME
from artel.tools.git.errors import BadName
from artel.tools.git.repository import Repository
from artel.tools.workspace.paths import BadPath, OutsideWorkspace, printable

MAX_CHARS = 200
MAX_REVISION = 1_000  # characters


async def branch(repository: Repository, name: str) -> str:
    """Return `name` if a branch can be called that.

    Raises:
        BadName: it cannot.
    """
    _check(name, MAX_CHARS)
    ran = await repository.git("check-ref-format", f"refs/heads/{name}", ok=(0, 1))
    if ran.code or name in ("HEAD", "@"):
        raise BadName(f"{_shown(name)} is no name for a branch; one looks like feature/short-words")
    return name


def remote(name: str) -> str:
    """Return `name` if a remote can be called that.

    Raises:
        BadName: it cannot; an address is none either.
    """
    if len(name) > MAX_CHARS or not REMOTE_NAME.fullmatch(name):
        raise BadName(f"{_shown(name)} is no name of a remote; one looks like origin")
    return name


async def commit(repository: Repository, revision: str) -> str:
    """Return the commit that `revision` means: a branch, a tag, HEAD~2, an id.

    Raises:
        BadName: it means none.
    """
    _check(revision, MAX_REVISION)
    found = await repository.line(
        "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}", ok=(0, 1, 128)
    )
    if not found:
        raise BadName(f"there is no commit {_shown(revision)}; git_branch and git_log tell what there is")
    return found


async def span(repository: Repository, ref: str) -> list[str]:
    """Return what to compare by `ref`: one commit, or two as `a..b`, or `a...b` from where they parted.

    Raises:
        BadName: an end of it is no commit.
    """
    dots = "..." if "..." in ref else ".."
    first, found, second = ref.partition(dots)
    if not found:
        return [await commit(repository, ref)]
    ends = [await commit(repository, end or "HEAD") for end in (first, second)]
    return [dots.join(ends)]


def is_text(text: str) -> bool:
    """Say whether git can keep a text: no NUL, no half of a character."""
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False


def path(root: Path, asked: str) -> str:
    """Return a path of the work tree as git spells it: links are not followed, `.` is all of it.

    Raises:
        BadPath, OutsideWorkspace: there can be none.
    """
    if not asked or not is_text(asked):
        raise BadPath(f"{_shown(asked)} is no path")
    relative = os.path.relpath(os.path.join(root, asked), root)  # noqa: PTH118 - lexical, as git takes it
    if relative == ".." or relative.startswith("../"):
        raise OutsideWorkspace(f"{_shown(asked)} leads out of the workspace; give a path inside it")
    return relative


def _check(name: str, at_most: int) -> None:
    if not name or name.startswith("-") or len(name) > at_most or not name.isprintable():
        raise BadName(f"{_shown(name)} is no name that git knows; it begins with no dash and is not empty")


def _shown(name: str) -> str:
    return repr(printable(name[:80]))
