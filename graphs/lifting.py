"""Where grants come in: looked up only for calls that are asked about and that grants may lift."""

from asyncio import to_thread
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

from langchain_core.messages.tool import ToolCall
from langgraph.config import get_config

from artel.graphs.context import handles
from artel.graphs.granting import taken
from artel.graphs.ledgers import AuditEntry
from artel.graphs.state import Verdict
from artel.graphs.toolbox import TOOLS
from artel.graphs.workbench import calls_of
from artel.tools.grants import Grant, grants_of, judge_granted, liftable
from artel.tools.offers import offers
from artel.tools.policy import Call
from artel.tools.policy import Verdict as Judged
from artel.tools.tool import ToolFailed, ToolRefused

LAPSED = (
    "what let it through when it was called holds no more. If it is still wanted, call it anew: "
    "then the user is asked."
)


async def lifted(
    agent: str, calls: Sequence[ToolCall], root: Path, verdicts: dict[str, Verdict], *, tainted: bool
) -> dict[str, Verdict]:
    """Return the verdicts on the calls of a message with those lifted that a standing grant covers."""
    asked = [call for call in calls if _is_asked(verdicts[call["id"] or ""])]
    could = await to_thread(_liftable, agent, asked, root, tainted=tainted) if asked else []
    if not could:
        return verdicts
    grants = await handles().grants.standing(_thread(), str(root), {call["name"] for call in could})
    if not grants:
        return verdicts
    return await to_thread(_with, agent, could, root, verdicts, grants, tainted=tainted)


async def standing(call: ToolCall, verdict: Verdict, root: Path) -> Sequence[Grant]:
    """Return the grants that stand now for a call that one let through when it was made; else none."""
    if not grants_of(verdict.get("rule", "")):
        return ()
    return await handles().grants.standing(_thread(), str(root), {call["name"]})


async def settled(entry: AuditEntry, verdict: Verdict, now: Judged) -> AuditEntry:
    """Return what holds of a call about to run, where a rule or a grant that let it through may be gone.

    It is not asked about: were that to come back before the answer, a no would be passed over. What was begun
    by an earlier attempt, and cut short, is not left half-made.
    """
    if verdict["effect"] == "allow" and entry.effect == "ask" and not now.floor:
        if await handles().effects.has_begun(entry.call):
            return replace(entry, effect="allow")
        return replace(entry, effect="deny", rule=verdict.get("rule", ""), reason=LAPSED)
    if entry.effect == "allow" and (ids := grants_of(entry.rule)):
        await handles().grants.used(ids)
    return entry


async def keep(value: Mapping[str, Any], decision: Any) -> None:
    """Keep what an answer grants; a server has stored it with the answer."""
    for one in taken(value, decision):
        ends = datetime.now(UTC) + timedelta(seconds=one.expires_in_s) if one.expires_in_s else None
        grant = Grant(
            grant_id=uuid4().hex,
            scope=one.scope,
            tool=one.tool,
            covers=one.covers,
            agent=one.agent,
            thread_id=_thread(),
            workspace=one.workspace,
            expires_at=ends,
        )
        await handles().grants.given(grant)


def offered(agent: str, call: ToolCall, root: Path, *, tainted: bool) -> dict[str, Any]:
    """Return what a question says of grants: the offers, and the project; nothing where none may lift it."""
    found = offers(call["name"], _asked(agent, call, root, tainted=tainted))
    return {"grants": found, "workspace": str(root)} if found else {}


def _is_asked(verdict: Verdict) -> bool:
    return verdict["effect"] == "ask" and not verdict.get("problem")


def _liftable(agent: str, calls: Sequence[ToolCall], root: Path, *, tainted: bool) -> list[ToolCall]:
    return [call for call in calls if _asked(agent, call, root, tainted=tainted)]


def _asked(agent: str, call: ToolCall, root: Path, *, tainted: bool) -> list[Call]:
    return liftable(handles().policy, agent, _calls(call, root, tainted=tainted))


def _calls(call: ToolCall, root: Path, *, tainted: bool) -> list[Call]:
    tool = TOOLS.get(call["name"])
    try:
        return calls_of(tool, call, root, tainted=tainted) if tool else []
    except (ToolRefused, ToolFailed):
        return []


def _with(
    agent: str,
    calls: Sequence[ToolCall],
    root: Path,
    verdicts: dict[str, Verdict],
    grants: Sequence[Grant],
    *,
    tainted: bool,
) -> dict[str, Verdict]:
    found = dict(verdicts)
    for call in calls:
        judged = judge_granted(handles().policy, agent, _calls(call, root, tainted=tainted), grants)
        if judged.effect == "allow":
            lift: Verdict = {**found[call["id"] or ""], "effect": "allow"}
            lift["reason"], lift["rule"] = judged.reason, judged.rule
            lift.pop("batched", None)
            found[call["id"] or ""] = lift
    return found


def _thread() -> str:
    return str(get_config().get("configurable", {}).get("thread_id", ""))
