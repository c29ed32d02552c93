"""Push and pull: only forward, and only where the remote really is."""

import re
from asyncio import to_thread

from artel.tools.gate import guarding
from artel.tools.git import names
from artel.tools.git.branching import forward, is_ancestor
from artel.tools.git.errors import GitFailed, TransferFailed
from artel.tools.git.programs import Ran
from artel.tools.git.remotes import Remote, find_remote
from artel.tools.git.repository import Repository, complaint, find
from artel.tools.tool import Outcome, Work
from artel.tools.workspace.paths import printable

_LOCKED_OUT = re.compile(r"could not read (Username|Password)|Authentication failed|error: 40[13]")
_NO_SUCH = re.compile(r"couldn't find remote ref|Could not find remote ref", re.IGNORECASE)


async def push(work: Work, remote_name: str, name: str | None) -> Outcome:
    """Push a branch, the current one by default, under its own name; what is there is never overwritten."""
    repository = await to_thread(find, work.root)
    remote = await to_thread(find_remote, repository, remote_name, work, push=True)
    branch = await _named(repository, name)
    commit = await repository.line("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
    if not commit:
        raise GitFailed(f"there is no commit on a branch {printable(branch)} to push; git_branch lists them")
    await guarding.check_published(work, repository, remote, branch, "push")
    has = "has now" if await send(repository, remote, branch, commit, work) else "had already"
    return Outcome(f"{remote.shown} {has} {printable(branch)} at {commit[:10]}.")


async def send(repository: Repository, remote: Remote, branch: str, commit: str, work: Work) -> bool:
    """Make a commit the newest of a remote's branch, only forward; say whether it was not that before.

    Raises:
        GitFailed: the remote does not take it; nothing has changed there.
    """
    ran = await repository.git(
        *("push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--no-progress"),
        *("--recurse-submodules=no", "--no-force-with-lease", *remote.program("receive-pack")),
        *(remote.url, f"{commit}:refs/heads/{branch}"),
        timeout_s=work.git.timeout_s,
        protocol=remote.protocol,
        config={**remote.access(work.git), "push.pushOption": ""},
        ok=(0, 1, 128),
    )
    if ran.code:
        raise _rejected(ran, remote, branch)
    await repository.git("update-ref", f"refs/remotes/{remote.name}/{branch}", commit, writes=True)
    return "[up to date]" not in ran.text


async def pull(work: Work, remote_name: str, name: str | None) -> Outcome:
    """Fetch a branch, the current one by default, and move forward to it; it is never merged."""
    repository = await to_thread(find, work.root)
    remote = await to_thread(find_remote, repository, remote_name, work)
    branch = await _named(repository, name)
    repository.check_at_rest()
    theirs = await _fetched(repository, remote, branch, work)
    ours = await repository.head()
    if ours and await is_ancestor(repository, theirs, ours):
        return Outcome(f"Already up to date with {remote.name}/{printable(branch)}.")
    if ours and not await is_ancestor(repository, ours, theirs):
        raise GitFailed(
            f"Not pulled: this branch and {remote.name}/{branch} have each commits that the other lacks. "
            f"It was fetched; git_merge {remote.name}/{branch} joins them"
        )
    await forward(repository, theirs)
    said = f"Moved forward to {theirs[:10]} of {remote.name}/{printable(branch)}."
    return Outcome(said, untrusted=True)  # what the agent reads next, others may have written


async def _fetched(repository: Repository, remote: Remote, branch: str, work: Work) -> str:
    tracking = f"refs/remotes/{remote.name}/{branch}"
    ran = await repository.git(
        *("fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"),
        *("--no-write-fetch-head", "--no-progress", *remote.program("upload-pack")),
        *(remote.url, f"+refs/heads/{branch}:{tracking}"),
        timeout_s=work.git.timeout_s,
        protocol=remote.protocol,
        config=remote.access(work.git),
        writes=True,
        ok=(0, 1, 128),
    )
    if ran.code:
        failure = _failure(ran, remote)
        missing = _NO_SUCH.search(str(failure))
        raise GitFailed(f"{remote.shown} has no branch {printable(branch)}") if missing else failure
    return await names.commit(repository, tracking)


async def _named(repository: Repository, name: str | None) -> str:
    branch = name or await repository.branch()
    if not branch:
        raise GitFailed("we are on no branch; name the one that is meant, or make one with git_branch")
    return await names.branch(repository, branch)


def _failure(ran: Ran, remote: Remote) -> GitFailed:
    said = complaint(ran, "transfer")
    if not _LOCKED_OUT.search(said):
        return TransferFailed(said)
    return GitFailed(
        f"{remote.shown} lets nobody in without the right token. The user can set one: "
        "ARTEL_GIT__GITHUB_TOKEN or ARTEL_GIT__GITLAB_TOKEN"
    )


def _rejected(ran: Ran, remote: Remote, branch: str) -> GitFailed:
    failure = _failure(ran, remote)
    said = f"{failure}\n{ran.text}"
    if "[rejected]" in said and ("fetch first" in said or "non-fast-forward" in said):
        return GitFailed(
            f"Not pushed: {branch} at {remote.shown} has commits that are missing here, and nothing is ever "
            "overwritten. git_pull them first"
        )
    return type(failure)(f"Not pushed. {said.strip()}")
