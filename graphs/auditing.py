"""What the gate says of each call to the audit log: verdict, intent, result.

What is asked about or changes something is written down before it is made and before its result counts.
Of a look that the policy allows one entry is noted afterwards.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langgraph.errors import GraphBubbleUp

from artel.graphs.context import handles
from artel.graphs.effects import Answer
from artel.graphs.ledgers import AuditEntry
from artel.graphs.toolbox import TOOLS
from artel.graphs.workbench import effect_of
from artel.tools.policy import Verdict
from artel.tools.tool import Risk, ToolFailed, ToolRefused

TOLD = ("code", "by", "path", "before_sha", "after_sha", "exit_code", "hosts")  # of a tool's artifact


def entry_of(
    request: ToolCallRequest, agent: str, verdict: Verdict | None = None, root: Path | None = None
) -> AuditEntry:
    """Return what is said of a call whatever comes of it; without a verdict: the agent has no such tool.

    With a `root` it looks at files, so it belongs into a thread.
    """
    call = request.tool_call
    tool = TOOLS.get(call["name"])
    summary = ""
    if tool is not None and root is not None:
        try:
            summary = tool.summary(call["args"], root)
        except (ToolRefused, ToolFailed):
            summary = f"{tool.name}: the arguments cannot be read"
    return AuditEntry(
        kind="verdict",
        agent=agent,
        call=effect_of(request.runtime, request.tool_call),
        effect=verdict.effect if verdict else "",
        rule=verdict.rule if verdict else "",
        reason=verdict.reason if verdict else "there is no such tool",
        summary=summary,
    )


def refused(entry: AuditEntry, answer: ToolMessage) -> ToolMessage:
    """Note a call that is not made, and return what the model is told."""
    handles().audit.note(replace(entry, outcome=outcome_of(answer)))
    return answer


async def watched(entry: AuditEntry, run: Callable[[], Awaitable[Answer]]) -> Answer:
    """Run a call that was let through, and say what came of it."""
    audit, began = handles().audit, time.monotonic()
    tool = TOOLS.get(entry.call.tool)
    changes = tool is not None and tool.risk is not Risk.READ
    first = entry.effect == "ask" or (entry.effect == "allow" and changes)
    if first:
        await audit.write(replace(entry, kind="intent"))
    done = replace(entry, kind="result" if first else "call")
    try:
        answer = await run()
    except GraphBubbleUp:  # it asks, and starts again
        raise
    except BaseException as failed:
        broken = {"status": "broken off", "code": type(failed).__name__, "took_s": _since(began)}
        audit.note(replace(done, outcome=broken))
        raise
    done = replace(done, outcome={**outcome_of(answer), "took_s": _since(began)})
    if first:
        await audit.write(done)
    else:
        audit.note(done)
    return answer


def outcome_of(answer: Answer) -> dict[str, Any]:
    """Return what came of a call: its `status`, and what its artifact says beside that.

    `ok`, or why not: `refused`, `failed`, `unknown`.
    """
    update = {"messages": [answer]} if isinstance(answer, ToolMessage) else answer.update
    messages = update.get("messages") if isinstance(update, dict) else None
    said = messages[0] if messages else None
    if not isinstance(said, ToolMessage):
        return {"status": "ok"}
    artifact = said.artifact if isinstance(said.artifact, dict) else {}
    kind = artifact.get("kind")
    status = kind if kind in ("refused", "failed", "unknown") else "failed"
    known = {name: artifact[name] for name in TOLD if isinstance(artifact.get(name), str | int)}
    return {"status": "ok" if said.status == "success" else status, **known}


def _since(began: float) -> float:
    return round(time.monotonic() - began, 3)
