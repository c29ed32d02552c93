"""What git can tell: what has changed, how, and what was committed."""

import os
import re
from asyncio import to_thread
from collections.abc import Iterator
from dataclasses import dataclass

from artel.tools.errors import ToolRefused
from artel.tools.git import names
from artel.tools.git.branching import is_foreign
from artel.tools.git.repository import Repository, find
from artel.tools.tool import Outcome, Work
from artel.tools.workspace.paths import printable
from artel.tools.workspace.secrets import FOLDERS, NAMES, is_secret

MAX_ENTRIES = 500
MAX_BYTES = 40_000  # of a diff, about 10k tokens
MAX_COMMITS = 200
MAX_HIDDEN = 10  # secrets that are named

DIFF = (
    *("diff", "--no-ext-diff", "--no-textconv", "--no-color", "--no-relative", "--find-renames"),
    *("--submodule=short", "--ignore-submodules=dirty", "--src-prefix=a/", "--dst-prefix=b/", "-O/dev/null"),
)
NO_SECRETS = tuple(
    f":(exclude,icase,glob)**/{pattern}"
    for pattern in (*NAMES, *FOLDERS, *(f"{folder}/**" for folder in FOLDERS))
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A path that is not as it was committed."""

    staged: str
    unstaged: str
    path: str

    @property
    def is_new(self) -> bool:
        """Whether git does not know it yet."""
        return self.staged == "?"

    @property
    def is_conflict(self) -> bool:
        """Whether a merge left it undecided."""
        return "U" in (self.staged, self.unstaged) or (self.staged, self.unstaged) in (("A", "A"), ("D", "D"))


async def status(work: Work) -> Outcome:
    """Return the branch and every path that is not as it was committed, in git's short form."""
    repository = await to_thread(find, work.root)
    heading, entries = await changes(repository, untracked="normal", submodules="dirty")
    lines = [f"{each.staged}{each.unstaged} {printable(each.path)}" for each in entries[:MAX_ENTRIES]]
    if len(entries) > MAX_ENTRIES:
        lines.append(f"… and {len(entries) - MAX_ENTRIES} more")
    return Outcome("\n".join([heading, *(lines or ["Nothing to commit."])]))


async def changes(
    repository: Repository, *, untracked: str, submodules: str
) -> tuple[str, tuple[Entry, ...]]:
    """Return a line about the branch, and what is not as it was committed; submodules are not looked into."""
    ran = await repository.git(
        *("status", "--porcelain=v1", "--branch", "-z", "--no-renames"),
        *(f"--untracked-files={untracked}", f"--ignore-submodules={submodules}"),
    )
    if ran.cut:
        raise ToolRefused("more files have changed than can be listed; ask for a diff of one folder")
    parts = [os.fsdecode(part) for part in ran.out.split(b"\0") if part]
    entries = tuple(Entry(part[0], part[1], part[3:]) for part in parts if not part.startswith("## "))
    return next((printable(part) for part in parts if part.startswith("## ")), "##"), entries


async def diff(work: Work, path: str | None, *, staged: bool, ref: str | None) -> Outcome:
    """Return a unified diff of the work tree, of what is staged, or against `ref`.

    Cut at MAX_BYTES, with the sizes of all changes then. Secrets are left out unless `path` names one.
    """
    repository = await to_thread(find, work.root)
    if staged and ref and ".." in ref:
        raise ToolRefused(f"staged compares the index with one commit, not with {ref!r}; leave one out")
    compared = [*(["--cached"] if staged else []), *(await names.span(repository, ref) if ref else [])]
    where = ["--", *_pathspecs(work, path)]
    ran = await repository.git(*DIFF, "-U3", *compared, *where, at_most=MAX_BYTES)
    told = [ran.text or "No differences. (New files that git does not know are not compared.)"]
    if ran.cut:
        sizes = await repository.git(*DIFF, "--stat=120", "--stat-count=100", *compared, *where)
        told.append(f"… cut at {MAX_BYTES} bytes; ask for one path at a time. All changes:\n{sizes.text}")
    told += await _hidden(repository, compared, where)
    ends = re.split(r"\.{2,3}", compared[-1]) if ref else []
    return Outcome("\n".join(told), untrusted=any([await is_foreign(repository, end) for end in ends]))


async def log(work: Work, path: str | None, limit: int) -> Outcome:
    """Return the last commits, newest first, one a line; of a path those that changed it."""
    repository = await to_thread(find, work.root)
    if not await repository.head():
        return Outcome("No commits yet.")
    ran = await repository.git(
        *("log", f"--max-count={limit}", "--no-color", "--no-show-signature", "--no-mailmap", "--no-follow"),
        *("--no-ext-diff", "--no-textconv", "--no-patch", "--format=%h %as %an: %s%d", "HEAD", "--"),
        *([f":(literal){names.path(work.root, path)}"] if path else []),
    )
    lines = [printable(line) for line in ran.text.split("\n") if line]
    return Outcome("\n".join(lines) or f"No commit changed {printable(path or '.')}.")


def _pathspecs(work: Work, path: str | None) -> Iterator[str]:
    wanted = names.path(work.root, path or ".")
    yield f":(literal){wanted}" if wanted != "." else "."
    if not is_secret(wanted):
        yield from NO_SECRETS


async def _hidden(repository: Repository, compared: list[str], where: list[str]) -> list[str]:
    if len(where) == 2:  # a secret was asked for
        return []
    ran = await repository.git(*DIFF, "--name-only", "-z", *compared, *where[:2])
    hidden = [path for path in map(os.fsdecode, ran.out.split(b"\0")) if path and is_secret(path)]
    if not hidden:
        return []
    shown = ", ".join(map(printable, hidden[:MAX_HIDDEN]))
    return [f"Left out, for they may hold secrets: {shown}. Name one as path to see it."]
