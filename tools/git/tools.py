"""The git tools: what a model may say to each, and what the policy and a person are told of it."""

from collections.abc import Sequence

from pydantic import Field

from artel.tools.git import branching, committing, pulls, reading, transfer
from artel.tools.git.remotes import address
from artel.tools.git.turns import turn
from artel.tools.policy import Call
from artel.tools.tool import Arguments, Outcome, Risk, Tool, Work

READERS = ("git_status", "git_diff", "git_log")
WRITERS = ("git_branch", "git_commit", "git_merge", "git_pull", "git_push", "open_pr")


class GitStatus(Arguments):
    """Arguments of git_status."""


class GitDiff(Arguments):
    """Arguments of git_diff."""

    path: str | None = Field(default=None, description="File or folder.")
    staged: bool = Field(default=False, description="What is staged.")
    ref: str | None = Field(default=None, description="Commit, `a..b` or `a...b`.")


class GitLog(Arguments):
    """Arguments of git_log."""

    path: str | None = Field(default=None, description="File or folder.")
    limit: int = Field(default=20, ge=1, le=reading.MAX_COMMITS)


class GitBranch(Arguments):
    """Arguments of git_branch."""

    name: str | None = None
    from_ref: str | None = Field(default=None, description="Start of a new one.")


class GitCommit(Arguments):
    """Arguments of git_commit."""

    message: str = Field(description="Subject, blank line, body.")
    paths: list[str] | None = Field(default=None, description="Only these.")


class GitMerge(Arguments):
    """Arguments of git_merge."""

    branch: str


class GitTransfer(Arguments):
    """Arguments of git_pull and git_push."""

    remote: str = "origin"
    branch: str | None = Field(default=None, description="Default: the current one.")


class OpenPr(Arguments):
    """Arguments of open_pr."""

    title: str = Field(description="One line.")
    body: str = Field(description="What and why.")
    base: str | None = Field(default=None, description="Branch to merge into.")


async def _status(work: Work, _args: GitStatus) -> Outcome:
    return await reading.status(work)


async def _diff(work: Work, args: GitDiff) -> Outcome:
    return await reading.diff(work, args.path, staged=args.staged, ref=args.ref)


async def _log(work: Work, args: GitLog) -> Outcome:
    return await reading.log(work, args.path, args.limit)


async def _branch(work: Work, args: GitBranch) -> Outcome:
    async with turn(work.root):
        return await branching.branch(work, args.name, args.from_ref)


async def _commit(work: Work, args: GitCommit) -> Outcome:
    async with turn(work.root):
        return await committing.commit(work, args.message, args.paths)


async def _merge(work: Work, args: GitMerge) -> Outcome:
    async with turn(work.root):
        return await branching.merge(work, args.branch)


async def _pull(work: Work, args: GitTransfer) -> Outcome:
    async with turn(work.root):
        return await transfer.pull(work, args.remote, args.branch)


async def _push(work: Work, args: GitTransfer) -> Outcome:
    async with turn(work.root):
        return await transfer.push(work, args.remote, args.branch)


async def _open_pr(work: Work, args: OpenPr) -> Outcome:
    async with turn(work.root):
        return await pulls.open_pr(work, args.title, args.body, args.base)


def _branch_calls(args: GitBranch, plain: Call) -> Sequence[Call]:
    return [plain if args.name else plain.model_copy(update={"action": "git.read"})]


def _commits(args: GitCommit) -> str:
    subject = args.message.strip().partition("\n")[0]
    return f"Commit {', '.join(args.paths or ()) or 'all changes'}: {subject}"


def _path(args: GitDiff | GitLog) -> Sequence[str]:
    return (args.path,) if args.path else ()


ALL = (
    Tool(
        name="git_status",
        risk=Risk.READ,
        action="git.read",
        arguments=GitStatus,
        sums_up=lambda _args: "Show what has changed",
        limits={"max_entries": reading.MAX_ENTRIES},
        act=_status,
        repeatable=True,
    ),
    Tool(
        name="git_diff",
        risk=Risk.READ,
        action="git.read",
        arguments=GitDiff,
        paths_of=_path,
        sums_up=lambda args: f"Show changes of {args.path or 'all files'}",
        limits={"max_bytes": reading.MAX_BYTES},
        act=_diff,
        repeatable=True,
    ),
    Tool(
        name="git_log",
        risk=Risk.READ,
        action="git.read",
        arguments=GitLog,
        paths_of=_path,
        sums_up=lambda args: f"Show the last {args.limit} commits",
        limits={"max_commits": reading.MAX_COMMITS},
        act=_log,
        repeatable=True,
    ),
    Tool(
        name="git_branch",
        risk=Risk.WRITE,
        action="git.write",
        arguments=GitBranch,
        amounts_to=_branch_calls,
        sums_up=lambda args: f"Switch to branch {args.name}" if args.name else "List the branches",
        limits={"max_branches": branching.MAX_BRANCHES},
        act=_branch,
        repeatable=True,
    ),
    Tool(
        name="git_commit",
        risk=Risk.WRITE,
        action="git.write",
        arguments=GitCommit,
        paths_of=lambda args: args.paths or (),
        sums_up=_commits,
        limits={},
        act=_commit,
        repeatable=True,
    ),
    Tool(
        name="git_merge",
        risk=Risk.WRITE,
        action="git.write",
        arguments=GitMerge,
        sums_up=lambda args: f"Merge {args.branch} into the current branch",
        limits={},
        act=_merge,
        repeatable=True,
    ),
    Tool(
        name="git_pull",
        risk=Risk.NETWORK,
        action="git.write",
        arguments=GitTransfer,
        sums_up=lambda args: f"Pull {args.branch or 'the current branch'} from {args.remote}",
        leads_to=lambda root, args: address(root, args.remote),
        limits={},
        act=_pull,
        repeatable=True,
    ),
    Tool(
        name="git_push",
        risk=Risk.NETWORK,
        action="git.push",
        arguments=GitTransfer,
        sums_up=lambda args: f"Push {args.branch or 'the current branch'} to {args.remote}",
        leads_to=lambda root, args: address(root, args.remote, push=True),
        limits={},
        act=_push,
        repeatable=True,
    ),
    Tool(
        name="open_pr",
        risk=Risk.NETWORK,
        action="git.push",
        arguments=OpenPr,
        sums_up=lambda args: f"Ask to merge into {args.base or 'the default branch'}: {args.title}",
        leads_to=lambda root, _args: address(root, pulls.REMOTE, push=True),
        limits={},
        act=_open_pr,
        repeatable=True,
    ),
)
