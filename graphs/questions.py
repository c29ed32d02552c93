"""The questions to people: what an interrupt carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from langchain_core.messages.tool import ToolCall

from artel.graphs import inbox as inbox_form
from artel.graphs.decisions import DECISIONS
from artel.graphs.plan import Plan
from artel.graphs.state import Verdict
from artel.tools.covering import covered
from artel.tools.policy import PATIENCE
from artel.tools.policy import Verdict as Judged
from artel.tools.tool import Seen, Tool, ToolFailed, ToolRefused
from artel.tools.workspace import hunks
from artel.tools.workspace.change import Change
from artel.tools.workspace.changeset import ChangeSet
from artel.tools.workspace.paths import printable

MAX_GOAL = 200  # characters of it in the one line
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
    verdict: Verdict,
    *,
    tainted: bool = False,
    hosts: Sequence[str] = (),
) -> About:
    """Return what a person needs to know of a call: one line, its risk, why and by which rule, the diff.

    A change that no longer fits its file is shown without a diff, and says so; `tainted` is said where the
    agent has read text from outside before. `hosts` are those that it may carry something to.
    """
    try:
        description = tool.summary(call["args"], root)
        planned = tool.change(call["args"], root, seen)
        shown = tool.shown(call["args"], root)
        covers = covered(tool.calls(call["args"], root))
    except (ToolRefused, ToolFailed) as error:
        changed: Mapping[str, Any] = {"problem": str(error)}
        description = f"{tool.name} no longer fits: {error}"
    else:
        changed = {"covers": covers, **shown, **(_shown(planned) if planned else {})}
    if hosts:
        description = f"{description} (network: {_some(hosts)})"
        changed = {**changed, "hosts": list(hosts)}
    taint = {"tainted": True} if tainted else {}
    why = {"risk": tool.risk.value, "reason": verdict["reason"], "rule": verdict.get("rule", "")}
    return About(call, description, {**why, **taint, **changed})


def frozen(judged: Judged) -> Verdict:
    """Return a verdict of the policy as the state keeps it."""
    verdict = Verdict(effect=judged.effect, reason=judged.reason, rule=judged.rule)
    if judged.timeout_s:
        verdict["timeout_s"] = judged.timeout_s
    if judged.on_timeout:
        verdict["on_timeout"] = judged.on_timeout
    if judged.escalate_to:
        verdict["escalate_to"] = list(judged.escalate_to)
    return verdict


def waits(verdicts: Sequence[Verdict], timeout_s: int) -> dict[str, Any]:
    """Return how long a question about such calls waits, and what follows: the least, and the strictest.

    `timeout_s` is the server's, for calls of which the policy says none.
    """
    then = min((one.get("on_timeout") or "reject" for one in verdicts), key=PATIENCE.__getitem__)
    named = {user for one in verdicts for user in one.get("escalate_to", ())}
    return {
        "expires_in_s": min(one.get("timeout_s") or timeout_s for one in verdicts),
        "on_timeout": then,
        **({"escalate_to": sorted(named)} if then == "escalate" else {}),
    }


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


def ask_one(one: About, *, agent: str, waits: Mapping[str, Any]) -> dict[str, Any]:
    """Return the question about one call; answered by a bare decision."""
    return {
        "type": "tool_approval",
        "tool_call_id": one.call["id"],
        "name": one.call["name"],
        "args": one.call["args"],
        "description": one.description,
        "artel": {"kind": "tool_call", "agent": agent, **waits, **one.details},
    }


def ask_inbox(one: About, *, agent: str, waits: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the question about one call in the form of Agent Inbox, answered by `[{"type", "args"}]`."""
    return inbox_form.asked(ask_one(one, agent=agent, waits=waits), _in_full(one))


def ask_all(many: Sequence[About], *, agent: str, waits: Mapping[str, Any]) -> dict[str, Any]:
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
        "artel": {"kind": "tool_call", "agent": agent, **waits, "calls": calls},
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


def plan_question(
    plan: Plan, editable: Mapping[str, Any], agents: Sequence[str], *, agent: str, russian: bool
) -> dict[str, Any]:
    """Return the question whether a plan shall be carried out; `agents` may do its steps.

    Answered by a decision: an edit's `edited_action` has the name `plan`, and the goal and all steps as
    arguments. It has no time limit: nothing happens without an answer.
    """
    count, goal = len(plan["steps"]), printable(" ".join(plan["goal"].split()))[:MAX_GOAL]
    text = f"План, шагов: {count}. {goal}" if russian else f"Plan of {count} steps: {goal}"
    return {
        "type": "plan",
        "description": text,
        "name": "plan",
        "args": dict(editable),
        "plan": plan,
        "agents": list(agents),
        "artel": {"kind": "plan", "agent": agent},
    }


def clarification(
    questions: Sequence[Mapping[str, Any]], *, agent: str, tool_call_id: str, inbox: bool = False
) -> Any:
    """Return the questions of an agent as one, in the house's form or in that of Agent Inbox.

    Answered by `{"type": "respond", "answers": {<id>: <label or words>}}`, or words: `answering.answered`.
    Each is `{id, question, options, multiple, required}`, with `header` and `descriptions` where there are.
    It has no time limit: nothing happens without an answer.
    """
    texts = [one["question"] for one in questions]
    text = texts[0] if len(texts) == 1 else "\n".join(f"{n}. {one}" for n, one in enumerate(texts, 1))
    offered = questions[0]["options"] if len(texts) == 1 else []
    asked = {
        "question": text,
        **({"options": [{"id": label, "label": label} for label in offered]} if offered else {}),
        "needs_clarification": True,
        "questions": [dict(one) for one in questions],
        "user_message": text,
    }
    ours = {"kind": "question", "agent": agent, "tool_call_id": tool_call_id}
    if inbox:
        return inbox_form.question(asked, text, ours)
    return {"type": "question", "description": text, **asked, "artel": ours}


def _in_full(one: About) -> str:
    """Clients that know only the older form show the description and nothing else."""
    whole = one.details.get("diff") or one.details.get("command")
    return f"{one.description}\n\n{whole}" if whole else one.description
