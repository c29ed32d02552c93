"""Branches: told, made, switched to, merged; never with a force, and never half."""

import os
from asyncio import to_thread

from artel.tools.git import authorship, names
from artel.tools.git.errors import GitFailed
from artel.tools.git.repository import Repository, complaint, find
from artel.tools.tool import Outcome, Work
from artel.tools.workspace.paths import printable

MAX_BRANCHES = 100
MAX_CONFLICTS = 50

_LINE = (
    "%(if)%(HEAD)%(then)%(HEAD)%(else) %(end) %(refname:short) %(objectname:short)"
    # what others wrote about a branch of theirs is shown by git_diff, as text from outside
    "%(if:equals=refs/heads)%(refname:rstrip=-2)%(then) %(contents:subject)%(end)"
)
FAST_FORWARD = (
    *("merge", "--ff-only", "--no-squash", "--commit", "--no-autostash", "--no-stat", "--no-progress"),
    *("--no-verify-signatures", "--quiet"),
)


async def branch(work: Work, name: str | None, from_ref: str | None) -> Outcome:
    """List the branches, latest first; or switch to `name`, made at `from_ref` (HEAD) if it is new.

    What is not committed is carried over, or the switch is refused and nothing has changed.
    """
    repository = await to_thread(find, work.root)
    if name is None:
        return Outcome(await _listed(repository))
    await names.branch(repository, name)
    repository.check_at_rest()
    here = await repository.line("rev-parse", "--verify", "--quiet", f"refs/heads/{name}^{{commit}}")
    start = await names.commit(repository, from_ref) if from_ref else ""
    if here and start and here != start:
        raise GitFailed(f"{name} exists already, at {here[:10]}: leave out from_ref to switch to it")
    if not here and not start and not await repository.head():  # a branch without a commit is a name
        await repository.git("symbolic-ref", "HEAD", f"refs/heads/{name}", writes=True)
        return Outcome(f"On the new branch {name}; nothing is committed yet.")
    made = [] if here else ["--no-track", "--create"]
    await repository.git(
        *("switch", "--quiet", "--no-guess", "--no-progress", "--no-recurse-submodules", *made, name),
        *([start] if start and not here else []),
        writes=True,
    )
    return Outcome(f"On branch {name}." if here else f"On the new branch {name}.")


async def merge(work: Work, name: str) -> Outcome:
    """Merge a branch into the current one; on a conflict nothing changes, and the paths are named."""
    repository = await to_thread(find, work.root)
    repository.check_at_rest()
    theirs = await names.commit(repository, name)
    ours = await repository.head()
    if not ours:
        raise GitFailed("nothing is committed here yet, so there is nothing to merge into")
    if await is_ancestor(repository, theirs, ours):
        return Outcome(f"Already up to date: {printable(name)} holds nothing new.")
    foreign = await is_foreign(repository, theirs)
    if await is_ancestor(repository, ours, theirs):
        await forward(repository, theirs)
        return Outcome(f"Moved forward to {theirs[:10]} of {printable(name)}.", untrusted=foreign)
    made = await _merged(repository, work, name, ours, theirs)
    await forward(repository, made)
    return Outcome(f"Merged {printable(name)} as {made[:10]}.", untrusted=foreign)


async def forward(repository: Repository, commit: str) -> None:
    """Move the current branch forward to a commit that holds it, files and all.

    Raises:
        GitFailed: files that are not committed stand in the way; nothing has changed.
    """
    await repository.git(*FAST_FORWARD, commit, writes=True)


async def is_ancestor(repository: Repository, older: str, newer: str) -> bool:
    """Say whether `newer` holds all of `older`."""
    ran = await repository.git("merge-base", "--is-ancestor", older, newer, ok=(0, 1))
    return ran.code == 0


async def is_foreign(repository: Repository, commit: str) -> bool:
    """Say whether a commit is on no branch of our own, as what was fetched and not yet taken over."""
    own = ("for-each-ref", "--count=1", "--format=%(refname)", f"--contains={commit}", "refs/heads")
    if (await repository.git(*own)).out:
        return False
    head = await repository.head()
    return not head or not await is_ancestor(repository, commit, head)


async def _merged(repository: Repository, work: Work, name: str, ours: str, theirs: str) -> str:
    """Return the merge commit; no branch and no file knows it yet."""
    ran = await repository.git(
        *("merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs),
        writes=True,
        ok=(0, 1),
    )
    tree, *conflicts = [os.fsdecode(part) for part in ran.out.split(b"\0") if part]
    if ran.code:
        if not conflicts:
            raise GitFailed(complaint(ran, "merge"))
        shown = ", ".join(map(printable, conflicts[:MAX_CONFLICTS]))
        raise GitFailed(
            f"Not merged, nothing was changed: {printable(name)} conflicts in {shown}. Make these files fit "
            f"the other branch (git_diff with ref=HEAD...{printable(name)} shows its side), or ask the user."
        )
    onto = await repository.branch() or "HEAD"
    message = authorship.signed(f"Merge {name} into {onto}", work)
    made = await repository.git(
        *("commit-tree", "--no-gpg-sign", "-p", ours, "-p", theirs, "-F", "-", tree),
        stdin=message.encode(),
        config=authorship.identity(repository),
        writes=True,
    )
    return made.text.strip()


async def _listed(repository: Repository) -> str:
    ran = await repository.git(
        *("for-each-ref", "--sort=-committerdate", f"--count={MAX_BRANCHES + 1}", f"--format={_LINE}"),
        *("refs/heads", "refs/remotes"),
    )
    lines = [printable(line) for line in ran.text.split("\n") if line.strip()]
    if len(lines) > MAX_BRANCHES:
        lines = [*lines[:MAX_BRANCHES], "… and more"]
    on = await repository.branch()
    head = await repository.head()
    at = f"On branch {printable(on)}" if on else f"On no branch, at {head[:10]}"
    return "\n".join([at + ("." if head else ", without a commit yet."), *lines])
