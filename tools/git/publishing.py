"""Publish the files as they are on a branch of their own; HEAD, index and checked-out branch stay."""

import os
from asyncio import to_thread
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from pydantic import Field, ValidationError

from artel.tools.errors import ToolRefused
from artel.tools.git import authorship, names, pulls
from artel.tools.git.branching import is_ancestor
from artel.tools.git.committing import check_filters, choose, listed
from artel.tools.git.errors import GitFailed
from artel.tools.git.reading import DIFF
from artel.tools.git.remotes import Remote, find_remote
from artel.tools.git.repository import Repository, find, find_bare
from artel.tools.git.request import Opened, Request
from artel.tools.git.transfer import send
from artel.tools.tool import Arguments, Work
from artel.tools.workspace.paths import printable

NAME = "publish"
MAX_PATHS = 1_000  # that a caller may name
MAX_DIFF = 100_000  # bytes that are shown
MAX_COMMITS = 20  # that are shown


class Changed(GitFailed):
    """What would be published is not what was shown."""

    code = "changed_since_shown"


class Publish(Arguments):
    """What to publish, and as what."""

    title: str = Field(description="One line: subject of the commit, title of the request.")
    description: str = Field(default="", description="What and why: body of both.")
    paths: list[str] | None = Field(
        default=None, max_length=MAX_PATHS, description="Only these changes; empty: all but secrets."
    )
    base: str | None = Field(
        default=None, description="Branch to merge into; empty: the remote's default, else the current one."
    )
    remote: str = Field(default=pulls.REMOTE, description="Its name.")
    draft: bool = Field(default=False, description="Open the request as a draft.")


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be published; nothing of it is in any branch yet."""

    branch: str
    tree: str
    "Id of the tree of all files that the commit would have."
    head: str
    "The commit the user is on."
    start: str
    "The commit of the base that it is compared with."
    base: str
    remote: str
    address: str
    "Of the remote, for people."
    files: Sequence[str]
    "Differ from `start`, deleted ones too."
    commits: Sequence[str]
    "Of the user's own, newest first, that go along."
    left_out: Sequence[str]
    diff: str

    @property
    def promised(self) -> tuple[str, ...]:
        """What a yes to it is a yes to."""
        return (self.branch, self.tree, self.head, self.base, self.address)


def parse(args: Mapping[str, Any]) -> Publish:
    """Return what to publish, checked.

    Raises:
        ToolRefused: an argument is missing, unknown or of a wrong type; the message names it.
    """
    try:
        parsed = Publish.model_validate(dict(args))
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise ToolRefused(f"{NAME}: {said}") from None
    pulls.check_words(parsed.title, parsed.description)
    return parsed


async def drafted(work: Work, asked: Publish, branch: str) -> Draft:
    """Work out what would be published; files and objects are read, and only objects are written.

    Raises:
        GitFailed: there is nothing to publish, no base, or the branch is taken.
        NoRepository, UnsafeRepository, RemoteRefused: it cannot be published from here, or not there.
    """
    repository = await to_thread(find, work.root)
    remote = await to_thread(find_remote, repository, asked.remote, work, push=True)
    repository.check_at_rest()
    head = await repository.head()
    if not head:
        raise GitFailed("nothing is committed here yet; make a first commit and push it, to have a base")
    base = await _base(repository, remote, asked.base)
    if base == branch:
        raise GitFailed(f"{branch} cannot be merged into itself; name another base")
    start = await _start(repository, remote, base, head)
    await _parents(repository, branch, head)
    chosen, left_out = await choose(repository, work, asked.paths)
    await check_filters(repository, chosen)
    taken = [each.path for each in chosen]
    tree = await _tree(repository, taken)
    if tree == await repository.line("rev-parse", f"{start}^{{tree}}"):
        raise GitFailed("\n".join([f"nothing to publish: the files are as in {base}", *left_out]))
    files = await _files(repository, start, tree)
    await _check_held(repository, tree, [*files, *taken])
    return Draft(
        branch=branch,
        tree=tree,
        head=head,
        start=start,
        base=base,
        remote=remote.name,
        address=remote.shown,
        files=files,
        commits=await _commits(repository, start, head),
        left_out=left_out,
        diff=await _diff(repository, start, tree),
    )


async def commit(work: Work, draft: Draft, asked: Publish) -> str:
    """Make a commit with exactly the tree of a draft the newest of its branch; return its id.

    A repeat finds the commit by the key of the call that it carries.

    Raises:
        Changed: what would be published now is not what was drafted; nothing was made.
        RemoteRefused: the remote leads elsewhere now than the person was shown.
        GitFailed: the branch is checked out, or holds commits that were not published from here.
    """
    repository = await to_thread(find, work.root)
    ref = f"refs/heads/{draft.branch}"
    tip = await _tip(repository, draft.branch)
    if tip and work.key in await _trailers(repository, tip, authorship.CALL):
        return tip
    if (await drafted(work, asked, draft.branch)).promised != draft.promised:
        raise Changed("the files, the commit you are on or the base are others than were shown")
    parents = await _parents(repository, draft.branch, draft.head)
    made = parents[0]
    if len(parents) > 1 or draft.tree != await repository.line("rev-parse", f"{made}^{{tree}}"):
        message = f"{asked.title.strip()}\n\n{asked.description.strip()}"
        ran = await repository.git(
            *("commit-tree", "--no-gpg-sign", *(word for one in parents for word in ("-p", one))),
            *("-F", "-", draft.tree),
            stdin=authorship.signed(message, work).encode(),
            config=authorship.identity(repository),
            writes=True,
        )
        made = ran.text.strip()
    await repository.git(
        *("update-ref", "--no-deref", ref, made, tip or "0" * len(made)),
        config=authorship.identity(repository),
        writes=True,
    )
    return made


async def push(work: Work, draft: Draft, made: str) -> bool:
    """Bring a commit to the remote, as the newest of its branch; say whether it was not that before.

    Raises:
        RemoteRefused: the remote leads elsewhere now than the person was shown.
        GitFailed: the commit is not that of the draft, the branch at the remote holds foreign commits, or it
            cannot be reached.
    """
    repository = await to_thread(find, work.root)
    if draft.tree != await repository.line("rev-parse", f"{await names.commit(repository, made)}^{{tree}}"):
        raise GitFailed(f"{made[:10]} does not hold the files that were shown, so it is not pushed")
    remote = await to_thread(find_remote, repository, draft.remote, work, push=True)
    return await send(repository, remote, draft.branch, made, work)


async def request(work: Work, draft: Draft, asked: Publish) -> Opened:
    """Ask for the branch to be merged, or find the request that is open for it.

    Raises:
        RemoteRefused: the remote leads elsewhere now, or is no place for requests.
        GitFailed, HostFailed: it could not be opened; the message says why.
    """
    repository = await to_thread(find, work.root)
    remote = await to_thread(find_remote, repository, draft.remote, work, push=True)
    wanted = Request(asked.title.strip(), asked.description, draft.branch, draft.base, asked.draft)
    return await pulls.opened_at(remote, work, wanted)


async def _base(repository: Repository, remote: Remote, asked: str | None) -> str:
    if asked is not None:
        return await names.branch(repository, asked)
    if remote.protocol == "file":
        found = await (await to_thread(find_bare, Path(remote.path))).branch()
    else:
        known = f"refs/remotes/{remote.name}/"
        found = (await repository.line("symbolic-ref", "--quiet", f"{known}HEAD")).removeprefix(known)
    found = found or await repository.branch()
    if not found:
        raise GitFailed(f"we are on no branch and {remote.name} tells no default: name the base")
    return await names.branch(repository, found)


async def _start(repository: Repository, remote: Remote, base: str, head: str) -> str:
    """Return the newest commit of ours that the base is known to have; of it nothing needs to be sent."""
    if remote.protocol == "file":
        bare = await to_thread(find_bare, Path(remote.path))
        theirs = await bare.line("rev-parse", "--verify", "--quiet", f"refs/heads/{base}^{{commit}}")
        if not theirs:
            raise GitFailed(f"{remote.shown} has no branch {printable(base)}; name another base")
    else:
        theirs = f"refs/remotes/{remote.name}/{base}"
    known = await repository.line("rev-parse", "--verify", "--quiet", f"{theirs}^{{commit}}", ok=(0, 1, 128))
    if not known:
        raise GitFailed(
            f"what {base} of {remote.name} holds is not known here, so what would be sent is not either: "
            f"git_pull it, or run `git fetch {remote.name} {base}`, and publish again"
        )
    start = await repository.line("merge-base", known, head)
    if not start:
        raise GitFailed(f"{base} of {remote.name} and the commit we are on have no past in common")
    return start


async def _tip(repository: Repository, branch: str) -> str:
    return await repository.line("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")


async def _parents(repository: Repository, branch: str, head: str) -> list[str]:
    """Return what a new commit of the branch follows from: what it holds, and the commit we are on.

    Raises:
        GitFailed: the branch is checked out somewhere, or somebody else has committed to it.
    """
    tip = await _tip(repository, branch)
    if not tip:
        return [head]
    out = await repository.git("for-each-ref", "--format=%(worktreepath)", f"refs/heads/{branch}")
    if folder := out.text.strip():
        raise GitFailed(f"{branch} is checked out in {printable(folder)}: switch to another branch first")
    if await is_ancestor(repository, tip, head):
        return [head]
    if NAME not in await _trailers(repository, tip, authorship.AGENT):
        raise GitFailed(
            f"the newest commit of {branch}, {tip[:10]}, was not made by publishing: nothing is put on top "
            "of it. Push it yourself, or rename the branch with `git branch -m`"
        )
    return [tip] if await is_ancestor(repository, head, tip) else [tip, head]


async def _trailers(repository: Repository, made: str, key: str) -> list[str]:
    said = await repository.line(
        *("log", "--max-count=1", "--no-show-signature"),
        *(f"--format=%(trailers:key={key},valueonly,separator=%x20)", made),
    )
    return said.split()


async def _tree(repository: Repository, paths: Sequence[str]) -> str:
    """Return the tree of HEAD with `paths` as they lie here, whatever the user's index says of them."""
    folder = Path(await to_thread(mkdtemp, prefix="artel-publish-"))
    try:
        index = folder / "index"
        await repository.git("read-tree", "HEAD", index=index, writes=True)
        await repository.git(
            *("update-index", "--add", "--remove", "--replace", "-z", "--stdin"),
            stdin=listed(sorted(set(paths))),  # what was a file before what lies in it now
            index=index,
            writes=True,
        )
        return (await repository.git("write-tree", index=index, writes=True)).text.strip()
    finally:
        await to_thread(rmtree, folder, ignore_errors=True)


async def _files(repository: Repository, start: str, tree: str) -> list[str]:
    ran = await repository.git(*DIFF, "--name-only", "--no-renames", "-z", start, tree)
    if ran.cut:
        raise GitFailed("more files differ from the base than can be listed; publish some of them by `paths`")
    return [os.fsdecode(path) for path in ran.out.split(b"\0") if path]


async def _check_held(repository: Repository, tree: str, files: Sequence[str]) -> None:
    """Make sure that the files lie here as they would be published: it is these that the gate judges.

    Raises:
        GitFailed: one goes along as it was committed, and has been changed since.
    """
    here = await _tree(repository, files)
    if here != tree:
        path = (await _files(repository, tree, here))[0]
        raise GitFailed(
            f"{printable(path)} would go along as you committed it, and you have changed it since: name it "
            "in `paths`, commit it, or take the change back"
        )


async def _commits(repository: Repository, start: str, head: str) -> list[str]:
    ran = await repository.git(
        *("log", f"--max-count={MAX_COMMITS + 1}", "--no-show-signature", "--format=%h %s"),
        f"{start}..{head}",
    )
    lines = [printable(line) for line in ran.text.split("\n") if line]
    return [*lines[:MAX_COMMITS], "… and more"] if len(lines) > MAX_COMMITS else lines


async def _diff(repository: Repository, start: str, tree: str) -> str:
    ran = await repository.git(*DIFF, "-U3", start, tree, at_most=MAX_DIFF)
    if not ran.cut:
        return ran.text
    sizes = await repository.git(*DIFF, "--stat=120", "--stat-count=100", start, tree)
    return f"{ran.text}\n… cut at {MAX_DIFF} bytes. All changes:\n{sizes.text}"
