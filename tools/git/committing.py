"""Commit, once: a repeated call finds the commit that its first attempt made."""

import os
from asyncio import to_thread
from collections.abc import Sequence

from artel.tools.errors import ToolRefused
from artel.tools.gate import guarding
from artel.tools.git import authorship, names
from artel.tools.git.errors import GitFailed
from artel.tools.git.reading import Entry, changes
from artel.tools.git.repository import Repository, find
from artel.tools.tool import Outcome, Work
from artel.tools.workspace.paths import printable
from artel.tools.workspace.secrets import is_secret

MAX_MESSAGE = 10_000  # characters
MAX_SHOWN = 20  # paths
LOOK_BACK = 200  # newest commits among which that of an earlier attempt is looked for

FROM_STDIN = ("--pathspec-from-file=-", "--pathspec-file-nul")


async def commit(work: Work, message: str, paths: Sequence[str] | None) -> Outcome:
    """Commit `paths`, or without them every change but secrets; what else is staged stays staged.

    The commit carries the key of the call: if there is one already, it is the answer. It passes the gate
    before, where the project says so.
    """
    repository = await to_thread(find, work.root)
    if not message.strip() or len(message) > MAX_MESSAGE or not names.is_text(message):
        raise ToolRefused(f"message: 1 to {MAX_MESSAGE} characters of text are needed, got {len(message)}")
    if made := await _made(repository, work):
        return Outcome(made)
    repository.check_at_rest()
    chosen, left_out = await choose(repository, work, paths)
    if not chosen:
        raise GitFailed("\n".join(["nothing to commit", *left_out]))
    await check_filters(repository, chosen)
    judged = await guarding.check_commit(work, repository, [each.path for each in chosen])
    if new := [each.path for each in chosen if each.is_new]:
        await _literally(repository, "add", stdin=listed(new))
    message = authorship.signed(message, work)
    try:
        await _literally(
            *(repository, "commit", "--quiet", "--only", "--no-verify", "--no-gpg-sign", "--no-status"),
            *("--cleanup=whitespace", f"--message={message}"),
            stdin=listed([each.path for each in chosen]),
        )
    except GitFailed:
        if made := await _made(repository, work):  # an attempt that was thought dead was faster
            return Outcome(made)
        raise
    if judged:
        await guarding.check_made(repository, judged, [each.path for each in chosen])
    told = await _told(repository, await repository.head(), chosen)
    return Outcome("\n".join([told, *left_out]))


async def _made(repository: Repository, work: Work) -> str:
    if not work.key or not await repository.head():
        return ""
    ran = await repository.git(
        *("log", f"--max-count={LOOK_BACK}", "--no-show-signature", "--branches", "HEAD"),
        f"--format=%H %(trailers:key={authorship.CALL},valueonly,separator=%x20)",
    )
    found = (line.split(" ") for line in ran.text.splitlines())
    commit = next((commit for commit, *keys in found if work.key in keys), "")
    return f"Committed as {commit[:10]} already; nothing was committed twice." if commit else ""


async def choose(
    repository: Repository, work: Work, paths: Sequence[str] | None
) -> tuple[list[Entry], list[str]]:
    """Return what to commit, and a line about each kind of change that is left out.

    Raises:
        GitFailed: one of `paths` has no change, or a file still conflicts.
    """
    _, entries = await changes(repository, untracked="all", submodules="all")
    if paths is not None:
        wanted = [names.path(work.root, path) for path in paths]
        for path in wanted:
            if not any(_is_below(each.path, path) for each in entries):
                raise GitFailed(f"{printable(path)} has no change to commit; git_status lists what has")
        entries = tuple(each for each in entries if any(_is_below(each.path, path) for path in wanted))
    else:
        wanted = []
    if conflicts := [each.path for each in entries if each.is_conflict]:
        raise GitFailed(f"not committed: {_shown(conflicts)} still conflicts")
    whole = [each for each in entries if not each.path.endswith("/")]
    secret = [each for each in whole if is_secret(each.path) and each.path not in wanted]
    nested = [each.path for each in entries if each.path.endswith("/")]
    chosen = [each for each in whole if each not in secret]
    said = [f"Left out, name them in `paths` to commit them: {_shown([each.path for each in secret])}."]
    told = (said if secret else []) + (
        [f"Left out, repositories of their own: {_shown(nested)}."] if nested else []
    )
    return chosen, told


async def check_filters(repository: Repository, chosen: Sequence[Entry]) -> None:
    """Refuse files that git would have to convert by a program, such as git-lfs: none is run here.

    Raises:
        GitFailed: one is such; the message names it.
    """
    ran = await repository.git(
        "check-attr", "-z", "--stdin", "filter", stdin=listed([each.path for each in chosen])
    )
    parts = [os.fsdecode(part) for part in ran.out.split(b"\0")]
    for path, value in zip(parts[::3], parts[2::3], strict=False):
        if value not in ("unspecified", "unset"):
            raise GitFailed(
                f"not committed: {printable(path)} goes through the filter {printable(value)}, "
                "and no filter is run here. Leave it out, the user has to commit it"
            )


async def _literally(repository: Repository, *args: str, stdin: bytes) -> None:
    """Run git on the paths of `stdin`, in which no character has a meaning."""
    await repository.git(
        *("--literal-pathspecs", *args, *FROM_STDIN),
        stdin=stdin,
        config=authorship.identity(repository),
        writes=True,
    )


async def _told(repository: Repository, head: str, chosen: Sequence[Entry]) -> str:
    on = await repository.branch()
    where = f"on {printable(on)}" if on else "on no branch"
    return f"Committed {len(chosen)} files as {head[:10]} {where}: {_shown([each.path for each in chosen])}"


def _is_below(path: str, folder: str) -> bool:
    return folder == "." or path.rstrip("/") == folder or path.startswith(f"{folder}/")


def _shown(paths: Sequence[str]) -> str:
    shown = ", ".join(map(printable, paths[:MAX_SHOWN]))
    return f"{shown} and {len(paths) - MAX_SHOWN} more" if len(paths) > MAX_SHOWN else shown


def listed(paths: Sequence[str]) -> bytes:
    """Return paths as git reads them from its input, with NUL between them."""
    return b"\0".join(map(os.fsencode, paths))
