"""The questions to people: what an interrupt carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.messages.tool import ToolCall

from artel.graphs.decisions import DECISIONS
from artel.tools.tool import Seen, Tool, ToolFailed, ToolRefused
from artel.tools.workspace import hunks
from artel.tools.workspace.change import Change
from artel.tools.workspace.changeset import ChangeSet

MAX_HOSTS = 5  # in the one line; all are in the details


@dataclass(frozen=True, slots=True)
class About:
    """A gated call as a person is shown it."""

    call: ToolCall
    description: str
    details: Mapping[str, Any]


def about(
    tool: Tool,
    call: ToolCall,
    root: Path,
    seen: Seen,
    reason: str,
    *,
    tainted: bool = False,
    hosts: Sequence[str] = (),
) -> About:
    """Return what a person needs to know of a call: one line, the risk and why it is asked, and the diff.

    A change that no longer fits its file is shown without a diff, and says so; `tainted` is said where the
    agent has read text from outside before. `hosts` are those that it may carry something to.
    """
    try:
        description = tool.summary(call["args"], root)
        planned = tool.change(call["args"], root, seen)
        shown = tool.shown(call["args"], root)
    except (ToolRefused, ToolFailed) as error:
        changed: Mapping[str, Any] = {"problem": str(error)}
        description = f"{tool.name} no longer fits: {error}"
    else:
        changed = {**shown, **(_shown(planned) if planned else {})}
    if hosts:
        description = f"{description} (network: {_some(hosts)})"
        changed = {**changed, "hosts": list(hosts)}
    taint = {"tainted": True} if tainted else {}
    return About(call, description, {"risk": tool.risk.value, "reason": reason, **taint, **changed})


def _some(hosts: Sequence[str]) -> str:
    more = f" and {len(hosts) - MAX_HOSTS} more" if len(hosts) > MAX_HOSTS else ""
    return f"{', '.join(hosts[:MAX_HOSTS])}{more}"


def _shown(planned: ChangeSet) -> dict[str, Any]:
    shown: dict[str, Any] = {"diff": planned.diff, "files": [_file(change) for change in planned.changes]}
    if len(planned.changes) == 1:
        (change,) = planned.changes
        shown = {"path": change.path, "before_sha": change.before_sha, **shown}
    return {**shown, "problems": list(planned.problems)} if planned.problems else shown


def _file(change: Change) -> dict[str, Any]:
    return {
        "path": change.path,
        "before_sha": change.before_sha,
        "diff": change.diff,
        "hunks": [{"id": hunk.id, "header": hunk.header} for hunk in hunks.of(change)],
    }


def ask_one(one: About, *, agent: str, expires_in_s: int) -> dict[str, Any]:
    """Return the question about one call; answered by a bare decision."""
    return {
        "type": "tool_approval",
        "tool_call_id": one.call["id"],
        "name": one.call["name"],
        "args": one.call["args"],
        "description": one.description,
        "artel": {"kind": "tool_call", "agent": agent, "expires_in_s": expires_in_s, **one.details},
    }


def ask_all(many: Sequence[About], *, agent: str, expires_in_s: int) -> dict[str, Any]:
    """Return one question about all gated calls of a message, in LangChain's older form.

    Answered by `{"decisions": [...]}`, one each in this order.
    """
    calls = [
        {"tool_call_id": one.call["id"], "name": one.call["name"], "args": one.call["args"], **one.details}
        for one in many
    ]
    return {
        "action_requests": [
            {"name": one.call["name"], "args": one.call["args"], "description": _in_full(one)} for one in many
        ],
        "review_configs": [
            {"action_name": one.call["name"], "allowed_decisions": list(DECISIONS)} for one in many
        ],
        "artel": {"kind": "tool_call", "agent": agent, "expires_in_s": expires_in_s, "calls": calls},
    }


def question(text: str, options: Mapping[str, str], *, agent: str) -> dict[str, Any]:
    """Return a question with its offered answers.

    Answered by `{"type": "respond", "message": <id or words>}`.
    It has no time limit: nothing happens without an answer.
    """
    return {
        "type": "question",
        "question": text,
        "description": text,
        "options": [{"id": key, "label": label} for key, label in options.items()],
        "artel": {"kind": "question", "agent": agent},
    }


def _in_full(one: About) -> str:
    """Clients that know only the older form show the description and nothing else."""
    whole = one.details.get("diff") or one.details.get("command")
    return f"{one.description}\n\n{whole}" if whole else one.description
