"""Which commit configures the gate: never the change that is judged."""

from artel.tools.gate.changes import committed
from artel.tools.gate.configuration import FILE, Configured, read
from artel.tools.git.repository import Repository

REMOTE = "origin"
USUAL = ("main", "master")


async def of(repository: Repository | None, base: str) -> Configured:
    """Return the gate that the commit `base` configures.

    Where it says nothing the remote's default branch counts, as far as it was fetched: a branch that begins
    before there was a gate is no way around it.

    Raises:
        GateMisconfigured: the configuration cannot be used.
    """
    if repository is None:
        return read(None, "")
    for commit in (base, await anchor(repository, REMOTE)):
        if commit and (data := await committed(repository, commit, FILE)) is not None:
            return read(data, commit)
    return read(None, "")


async def anchor(repository: Repository, remote: str) -> str:
    """Return the commit of a remote's default branch as we know it; nothing where we know none."""
    for name in ("HEAD", *USUAL):
        ref = f"refs/remotes/{remote}/{name}^{{commit}}"
        if commit := await repository.line("rev-parse", "--verify", "--quiet", ref, ok=(0, 1, 128)):
            return commit
    return ""
