"""The gate before what an agent publishes, where the project asks for it."""

from collections.abc import Sequence

from artel.tools.gate import settings
from artel.tools.gate.changes import collect
from artel.tools.gate.configuration import Step
from artel.tools.gate.errors import GateRed
from artel.tools.gate.report import Report
from artel.tools.gate.running import run
from artel.tools.git.errors import GitFailed
from artel.tools.git.remotes import Remote
from artel.tools.git.repository import Repository
from artel.tools.tool import Work
from artel.tools.workspace.paths import printable

NOT: dict[Step, str] = {"commit": "Not committed", "push": "Not pushed", "pr": "Not opened"}


async def check_commit(work: Work, repository: Repository, paths: Sequence[str]) -> Report | None:
    """Judge what is about to be committed; None where the project guards no commits.

    Raises:
        GateRed: it does not pass; the message is the report.
        GateMisconfigured: the gate's configuration cannot be used.
    """
    head = await repository.head()
    if not await _guards(repository, head, "commit"):
        return None
    return _green("commit", await run(work, base="HEAD", paths=paths))


async def check_made(repository: Repository, report: Report, paths: Sequence[str]) -> None:
    """Take the commit just made back if it holds anything but what was judged.

    Raises:
        GitFailed: it does: a file was changed between the two.
    """
    made = await collect(repository.root, report.base, "HEAD")
    if made.only(paths).digest() != report.tree:
        await repository.git("update-ref", "HEAD", report.base, writes=True)
        raise GitFailed("Not committed: files changed between the gate and the commit. Try again")


async def check_published(
    work: Work, repository: Repository, remote: Remote, branch: str, step: Step, target: str = ""
) -> None:
    """Judge what `branch` has that the remote has not: for a request, its branch `target`.

    Raises:
        GateRed: it does not pass; the message is the report.
        GateMisconfigured: the gate's configuration cannot be used.
        GitFailed: the working tree does not hold what is to be published, so it cannot be judged.
    """
    head = await repository.line("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
    base = await _parting(repository, remote, branch, head, step, target)
    if not await _guards(repository, base or head, step):
        return
    await _check_holds(repository, branch, head, step)
    report = await run(work, base=base, head=head)
    await _check_holds(repository, branch, head, step)
    _green(step, report)


async def _guards(repository: Repository, commit: str, step: Step) -> bool:
    return bool(commit) and step in (await settings.of(repository, commit)).gate.guard


async def _parting(
    repository: Repository, remote: Remote, branch: str, head: str, step: Step, target: str
) -> str:
    """Return the newest commit of `head` that was published before; nothing if there is none.

    For a push anything that the remote has: it was judged when it came there. A request is judged by the
    branch that it is to be merged into, whatever else was pushed unjudged.
    """
    prefix = f"refs/remotes/{remote.name}/"
    tracked = (await repository.git("for-each-ref", "--format=%(refname)", prefix)).text.split()
    if step == "push":
        known = [f"{prefix}{branch}"] if f"{prefix}{branch}" in tracked else tracked
    else:
        known = [f"{prefix}{target}"] if f"{prefix}{target}" in tracked else []
        known = known or [one for one in [await settings.anchor(repository, remote.name)] if one]
    return await repository.line("merge-base", head, *known) if known else ""


async def _check_holds(repository: Repository, branch: str, head: str, step: Step) -> None:
    """Make sure that the files as they lie are those that are published: checkers run over these."""
    on = await repository.branch()
    if on != branch or await repository.head() != head:
        raise GitFailed(
            f"{NOT[step]}: the gate judges the files as they lie here, and we are not at the end of "
            f"{printable(branch)} but on {printable(on) or 'no branch'}; go there with git_branch"
        )
    changed = await repository.git(
        *(
            "diff",
            "--name-only",
            "-z",
            "--no-ext-diff",
            "--no-textconv",
            "--ignore-submodules=dirty",
            "HEAD",
            "--",
        )
    )
    if changed.out:
        first = printable(changed.text.partition("\\0")[0])
        raise GitFailed(
            f"{NOT[step]}: the gate judges the files as they lie here, and {first} is not as committed; "
            "commit the change, or take it back"
        )


def _green(step: Step, report: Report) -> Report:
    if not report.passed:
        raise GateRed(f"{NOT[step]}: the change does not pass the project's gate.\n{report.text()}")
    return report
