"""What a model is told of a change that does not fit: nothing of a file that it may not read."""

from collections.abc import Sequence
from pathlib import Path

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.policy import Call, Policy, judge
from artel.tools.tool import Seen
from artel.tools.workspace.change import current_sha
from artel.tools.workspace.envelope import BadPatch
from artel.tools.workspace.paths import NoSuchFile, TooLarge, WrongKind, printable

_SAY_NOTHING_OF_IT = (NoSuchFile, WrongKind, TooLarge, BadPatch)


def problem_of(
    error: ToolRefused | ToolFailed, policy: Policy, agent: str, calls: Sequence[Call], root: Path, seen: Seen
) -> str:
    """Return why a change that amounts to `calls` cannot be made; reads files, so it belongs into a thread.

    The errors of edits name lines and show the nearest ones: a model that misses on purpose would read by
    them what a person would have been asked about. It is told of what it has read, while that is unchanged.
    """
    if isinstance(error, _SAY_NOTHING_OF_IT):
        return str(error)
    reads = [call for call in calls if call.action == "fs.read"]
    secret = [call.path for call in reads if judge(policy, agent, call).effect != "allow"]
    hidden = [path for path in secret if not _is_known(root, path, seen)]
    if not hidden:
        return str(error)
    return (
        f"{printable(', '.join(hidden))}: the change cannot be made as it is. What stands there is told only "
        "after read_file, about which the user is asked; read it, then make the change."
    )


def _is_known(root: Path, path: str, seen: Seen) -> bool:
    try:
        return path in seen and seen[path] == current_sha(root, path)
    except (ToolRefused, ToolFailed):
        return False
