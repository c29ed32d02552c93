"""Verdicts on what a model calls: frozen when it calls, judged again when it runs; the stricter one holds."""

from collections.abc import Sequence
from pathlib import Path

from langchain_core.messages.tool import ToolCall

from artel.graphs.context import handles
from artel.graphs.questions import frozen
from artel.graphs.state import File, Verdict
from artel.graphs.toolbox import TOOLS
from artel.graphs.withholding import problem_of
from artel.graphs.workbench import calls_of
from artel.tools.grants import Grant, judge_granted
from artel.tools.policy import STRENGTH
from artel.tools.policy import Verdict as Judged
from artel.tools.tool import Seen, ToolFailed, ToolRefused


def freeze(
    agent: str,
    calls: Sequence[ToolCall],
    root: Path,
    seen: Seen,
    *,
    batched: bool,
    tainted: bool = False,
    inbox: bool = False,
) -> dict[str, Verdict]:
    """Return the verdict on each call of a message, by call id. Reads files, so it belongs into a thread.

    Of several changes to one file only the first is made or asked about: the others were worked out for a
    file that will be another one.
    """
    verdicts: dict[str, Verdict] = {}
    changed: set[str] = set()
    for call in calls:
        verdict = verdict_on(agent, call, root, seen, batched=batched, tainted=tainted)
        paths = [file["path"] for file in verdict.get("files", ())]
        if twice := [path for path in paths if path in changed]:
            verdict["problem"] = (
                f"{', '.join(twice)}: one change to a file at a time. Call this again after the first."
            )
        else:
            changed.update(paths)
        if inbox and verdict["effect"] == "ask":
            verdict["inbox"] = True
        verdicts[call["id"] or ""] = verdict
    return verdicts


def verdict_on(
    agent: str, call: ToolCall, root: Path, seen: Seen, *, batched: bool, tainted: bool
) -> Verdict:
    """Return the verdict on a call as it is frozen: with the files and addresses that it was made for."""
    now = judged(agent, call, root, tainted=tainted)
    verdict = frozen(now)
    if tainted:
        verdict["tainted"] = True
    tool = TOOLS.get(call["name"])
    if tool is None or now.effect == "deny":
        return verdict
    if tool.version:
        verdict["version"] = tool.version
    try:
        planned = tool.change(call["args"], root, seen)
    except (ToolRefused, ToolFailed) as error:
        calls = calls_of(tool, call, root, tainted=tainted)
        return {**verdict, "problem": problem_of(error, handles().policy, agent, calls, root, seen)}
    if planned:
        files = [File(path=path, before_sha=sha) for path, sha in planned.files.items()]
        verdict = {**verdict, "files": files}
    if tool.leads_to and now.effect == "ask":
        verdict = {**verdict, "leads": list(tool.leads_to(root, tool.parse(call["args"])))}
    return {**verdict, "batched": True} if batched and now.effect == "ask" else verdict


def judged(agent: str, call: ToolCall, root: Path, grants: Sequence[Grant] = (), *, tainted: bool) -> Judged:
    """Return what the policy says of a call now, lifted by `grants` where they may."""
    tool = TOOLS.get(call["name"])
    if tool is None:
        return Judged(effect="allow", rule="", reason="there is no such tool")
    if tool.offered and not tool.offered(handles().internet.settings):
        return Judged(effect="deny", rule="settings", reason=f"{tool.name} is not switched on here.")
    try:
        return judge_granted(handles().policy, agent, calls_of(tool, call, root, tainted=tainted), grants)
    except (ToolRefused, ToolFailed) as error:
        return Judged(effect="deny", rule="arguments", reason=str(error))


def judgement(kept: Verdict) -> Judged:
    """Return a frozen verdict as one of the policy."""
    return Judged(effect=kept["effect"], rule=kept.get("rule", ""), reason=kept["reason"])


def stricter(now: Judged, kept: Verdict) -> Judged:
    """Return what holds of the two; what is said now if they are as strict."""
    return max(now, judgement(kept), key=lambda one: STRENGTH[one.effect])
