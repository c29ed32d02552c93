"""What a person is asked about publishing, what their yes is worth later, and what the audit log is told."""

from collections.abc import Mapping
from typing import Any, Literal

from langchain_core.messages.tool import ToolCall
from langgraph.runtime import Runtime

from artel.graphs.context import Context, handles
from artel.graphs.ledgers import AuditEntry, EffectCall
from artel.graphs.questions import About, ask_one, frozen, waits
from artel.graphs.workflows.publication import NAME, Promise, draft_of
from artel.tools.git.publishing import Draft
from artel.tools.policy import Call, Verdict, judge_all
from artel.tools.tool import Risk


def judged() -> Verdict:
    """Return what the policy says of publishing: the strictest word on committing and on pushing."""
    calls = [Call(tool=NAME, action=action, user=handles().user) for action in ("git.write", "git.push")]
    return judge_all(handles().policy, NAME, calls)


def question(promise: Promise) -> dict[str, Any]:
    """Return the question: what would be sent, where to, and what the gate said of it."""
    draft, verdict = draft_of(promise), frozen(judged())
    details = {
        "risk": Risk.NETWORK.value,
        "reason": "sends work to others",
        "rule": verdict.get("rule", ""),
        "before": draft.tree,
        "promised": list(draft.promised),
        "branch": draft.branch,
        "base": draft.base,
        "remote": draft.remote,
        "address": draft.address,
        "paths": list(draft.files),
        "commits": list(draft.commits),
        "left_out": list(draft.left_out),
        "gate": promise["gate"],
        "diff": draft.diff,
    }
    about = About(call_of(promise), _summary(promise), details)
    return ask_one(about, agent=NAME, waits=waits([verdict], handles().approval_timeout_s))


def no(decision: Any) -> str:
    """Return why an answer is no yes, to the person who gave it."""
    match decision:
        case {"type": "reject", "timeout": True}:
            return "nobody answered in time."
        case {"type": "reject" | "respond", "message": str(said)} if said.strip():
            return f"you said no: {said}"
        case {"type": "reject"}:
            return "you said no."
    return "the answer was neither an approval nor a rejection."


async def why_not(promise: Promise, verdict: Verdict) -> str:
    """Say why a yes does not hold for an effect; nothing if it does."""
    if verdict.effect == "deny":
        return f"the policy denies it ({verdict.rule}): {verdict.reason}"
    shown = await handles().approvals.approved(promise["call_id"], NAME, promise["args"])
    if shown is None:
        return "no approval of this very call stands."
    seen = shown.get("artel", shown).get("promised")
    if seen is not None and tuple(seen) != draft_of(promise).promised:
        return "this is not what the user was shown."
    return ""


def entry_of(
    promise: Promise, verdict: Verdict, runtime: Runtime[Context], args: Mapping[str, Any]
) -> AuditEntry:
    """Return what the audit log is told of a promise, or of one effect of it."""
    info = runtime.execution_info
    call = EffectCall(
        thread_id=(info.thread_id if info else None) or "",
        checkpoint_ns=info.checkpoint_ns if info else "",
        parent_checkpoint_id=info.checkpoint_id if info else "",
        tool_call_id=promise["call_id"],
        tool=NAME,
        args=args,
    )
    summary = _summary(promise)
    return AuditEntry("verdict", NAME, call, verdict.effect, verdict.rule, verdict.reason, summary)


def of_effect(effect: Literal["commit", "push", "request"], draft: Draft, made: str) -> str:
    """Return an effect in one line, for the audit log."""
    match effect:
        case "commit":
            return f"Commit {len(draft.files)} files, tree {draft.tree[:10]}, to {draft.branch}"
        case "push":
            return f"Push {made} as {draft.branch} → {draft.address}"
        case "request":
            return f"Ask to merge {draft.branch} at {made} into {draft.base} → {draft.address}"


def call_of(promise: Promise) -> ToolCall:
    """Return publishing as the call that it is shown as."""
    return ToolCall(name=NAME, args=promise["args"], id=promise["call_id"])


def _summary(promise: Promise) -> str:
    draft, title = draft_of(promise), promise["args"]["title"].strip()
    count = "1 file" if len(draft.files) == 1 else f"{len(draft.files)} files"
    return f"Publish {count} as {draft.branch}, to be merged into {draft.base}: {title} → {draft.address}"
