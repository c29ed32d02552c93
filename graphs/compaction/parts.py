"""What is told anew each time once old messages are chapters: the files that changed, the last failure."""

from collections.abc import Mapping, Sequence

from langchain_core.messages import ToolMessage

from artel.graphs.compaction.counting import plain
from artel.graphs.compaction.cutting import shortened
from artel.graphs.compaction.pairing import Group
from artel.graphs.compaction.reads import changed
from artel.tools.workspace.paths import printable

FILES = 20  # that are named, those changed last
SHA = 12  # digits
FAILURE = 400  # tokens
NOT_THE_TOOL = ("refused", "rejected", "unknown")


def changed_files(groups: Sequence[Group]) -> str:
    """Return the files that this thread changed, with what they are since; nothing if there are none."""
    files: dict[str, str | None] = {}
    for group in groups:
        for path, sha in changed(group).items():
            files.pop(path, None)
            files[path] = sha
    if not files:
        return ""
    lines = [
        f"- {printable(path)}: {f'sha256 {sha[:SHA]}' if sha else 'gone'}" for path, sha in files.items()
    ]
    left = [f"- and {len(lines) - FILES} more"] if len(lines) > FILES else []
    return "\n".join(["## Files you changed", *left, *lines[-FILES:]])


def last_failure(groups: Sequence[Group]) -> str:
    """Return what the last call said that failed, if the same tool has not done its work since."""
    done: set[str] = set()
    for group in reversed(groups):
        for result in reversed(group[1:]):
            if not isinstance(result, ToolMessage):
                continue
            if not _failed(result):
                done.add(result.name or "")
            elif result.name not in done:
                said = shortened(plain(result), FAILURE)
                return f"## The last call that failed\n{result.name}:\n{said}"
    return ""


def _failed(result: ToolMessage) -> bool:
    """Say whether a tool, or the command it ran, failed; a call that nobody let through did not run."""
    artifact: Mapping[str, object] = result.artifact if isinstance(result.artifact, dict) else {}
    if artifact.get("kind") in NOT_THE_TOOL:
        return False
    if result.status == "error":
        return True
    head = plain(result)[:80]
    return head.startswith("[exit code ") and not head.startswith("[exit code 0")


def told(messages: Sequence[Group]) -> str:
    """Return both, each under its heading."""
    return "\n\n".join(part for part in (changed_files(messages), last_failure(messages)) if part)
