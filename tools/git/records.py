"""Pull requests of a local bare remote: a record each, as a blob under refs/artel/pulls/<n>."""

import json
from collections.abc import Mapping
from typing import Any

from artel.tools.git.errors import GitFailed
from artel.tools.git.repository import Repository
from artel.tools.git.request import Opened, Request

PREFIX = "refs/artel/pulls/"
MAX_RECORDS = 10_000
ATTEMPTS = 5  # at a number that somebody else may take first


async def open_request(bare: Repository, request: Request) -> Opened:
    """Record a request, unless one for the same branches is open: then that is it.

    `git cat-file -p refs/artel/pulls/1` shows one; `git update-ref -d` closes it.

    Raises:
        GitFailed: a branch is not there.
    """
    base = request.base or (await bare.branch())
    commits = [await _commit(bare, branch) for branch in (request.head, base)]
    record: dict[str, Any] = {"title": request.title, "body": request.body}
    record |= {"head": request.head, "base": base}
    record |= {"head_commit": commits[0], "base_commit": commits[1]}
    record |= {"draft": True} if request.draft else {}
    if request.head == base:
        raise GitFailed(f"{base} cannot be taken over into itself; make a branch with git_branch")
    for _ in range(ATTEMPTS):
        known = await _records(bare)
        for number, past in known.items():
            if (past.get("head"), past.get("base")) == (request.head, base):
                return Opened(f"pull request {number} in {bare.root}", new=False)
        number = max(known, default=0) + 1
        if await _written(bare, number, record):
            return Opened(f"pull request {number} in {bare.root}", new=True)
    raise GitFailed(f"others open pull requests in {bare.root} faster than this one; try again")


async def _commit(bare: Repository, branch: str) -> str:
    found = await bare.line("rev-parse", "--verify", "--quiet", f"refs/heads/{branch}^{{commit}}")
    if not found:
        raise GitFailed(f"{bare.root} has no branch {branch}; git_push brings it there")
    return found


async def _written(bare: Repository, number: int, record: Mapping[str, Any]) -> bool:
    text = json.dumps(record, ensure_ascii=False, indent=2)
    blob = (await bare.git("hash-object", "-w", "--stdin", stdin=text.encode(), writes=True)).text.strip()
    made = await bare.git(
        "update-ref", f"{PREFIX}{number}", blob, "0" * len(blob), writes=True, ok=(0, 1, 128)
    )
    return made.code == 0


async def _records(bare: Repository) -> dict[int, Mapping[str, Any]]:
    listed = await bare.git(
        "for-each-ref", f"--count={MAX_RECORDS}", "--format=%(objectname) %(refname:lstrip=3)", PREFIX
    )
    found = [line.split(" ") for line in listed.text.splitlines()]
    numbered = [(int(name), blob) for blob, name in found if name.isdecimal()]
    if not numbered:
        return {}
    asked = "\n".join(blob for _, blob in numbered).encode() + b"\n"
    ran = await bare.git("cat-file", "--batch", stdin=asked)
    return dict(zip((number for number, _ in numbered), _contents(ran.out), strict=False))


def _contents(out: bytes) -> list[Mapping[str, Any]]:
    """Return what `cat-file --batch` answered; what is no record of ours is an empty one."""
    records: list[Mapping[str, Any]] = []
    while out:
        heading, _, out = out.partition(b"\n")
        words = heading.split()
        size = int(words[2]) if len(words) == 3 else -1
        content, out = out[: max(size, 0)], out[size + 1 :]
        records.append(_parsed(content))
    return records


def _parsed(content: bytes) -> Mapping[str, Any]:
    try:
        record = json.loads(content)
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
