"""Ask for a branch to be taken over: a pull request, a merge request, or a record in a local remote."""

from asyncio import to_thread
from pathlib import Path

from artel.tools.errors import ToolRefused
from artel.tools.gate import guarding
from artel.tools.git import hosts, names, records
from artel.tools.git.errors import GitFailed
from artel.tools.git.remotes import Remote, find_remote
from artel.tools.git.repository import find, find_bare
from artel.tools.git.request import Opened, Request
from artel.tools.tool import Outcome, Work
from artel.tools.workspace.paths import printable

REMOTE = "origin"
MAX_TITLE = 255  # characters; what GitLab takes
MAX_BODY = 50_000


async def open_pr(work: Work, title: str, body: str, base: str | None) -> Outcome:
    """Ask for the current branch to be taken over into `base`, the remote's own branch by default.

    The same branch into the same base again finds the request that is open.
    """
    check_words(title, body)
    repository = await to_thread(find, work.root)
    remote = await to_thread(find_remote, repository, REMOTE, work, push=True)
    head = await repository.branch()
    if not head or not await repository.head():
        raise GitFailed("there is nothing to ask for: make a branch with git_branch and commit to it")
    if base is not None:
        await names.branch(repository, base)
    if head == base:
        raise ToolRefused(f"{head} cannot be taken over into itself; make a branch with git_branch")
    await guarding.check_published(work, repository, remote, head, "pr", base or "")
    opened = await opened_at(remote, work, Request(title.strip(), body, head, base or ""))
    return Outcome(f"{'Opened' if opened.new else 'There is already'} {printable(opened.where)}.")


async def opened_at(remote: Remote, work: Work, request: Request) -> Opened:
    """Open a request where a remote keeps them, or find the one that is open for the same branches.

    Raises:
        GitFailed, HostFailed, RemoteRefused: it cannot be opened there; the message says why.
    """
    if remote.protocol == "file":
        return await records.open_request(await to_thread(find_bare, Path(remote.path)), request)
    host = hosts.host_of(remote, work.git)
    return await hosts.open_request(host, request, work.git)


def check_words(title: str, body: str) -> None:
    """Refuse a title and a body that no host would take.

    Raises:
        ToolRefused: one is too long, the title is empty, or they are no text.
    """
    short = len(title) <= MAX_TITLE and len(body) <= MAX_BODY
    if not title.strip() or not short or not names.is_text(title + body):
        raise ToolRefused(
            f"a request has a title of 1 to {MAX_TITLE} characters and a body of at most {MAX_BODY}, "
            f"got {len(title)} and {len(body)}"
        )
